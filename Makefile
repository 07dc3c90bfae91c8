# The developer's verbs. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run test dev docs lint bench faults clean

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3))
VENV := .venv
BIN := $(VENV)/bin
export WAREHOUSE_DATA_DIR ?= $(CURDIR)/data
export DAGSTER_HOME ?= $(WAREHOUSE_DATA_DIR)/dagster
export PATH := $(CURDIR)/$(BIN):$(PATH)

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed profiles.yml ## create .venv from the lock, profiles.yml and the empty warehouse
	@mkdir -p $(DAGSTER_HOME) && cp dagster.yaml $(DAGSTER_HOME)/
	@python -m ingestion prepare

run: setup ## materialise the whole graph (the sandbox, unless a source is configured)
	@python -m orchestration.run

test: setup ## run every test
	@python -m pytest

dev: setup ## open the graph in the browser: Dagster on http://localhost:3000
	@dagster dev

docs: setup ## build the dbt docs site: docs/site/index.html
	@python -m orchestration.docs_site

lint: setup ## ruff, sqlfluff for both dialects, and the pre-commit hooks' checks
	@scripts/lint

bench: setup ## run every benchmark and write docs/benchmarks.md
	@python -m benchmarks

faults: setup ## the long tests: processes killed at random, again and again
	@python -m pytest -m faults

clean: ## remove .venv and everything that runs have made, the data folder included
	rm -rf $(VENV) $(WAREHOUSE_DATA_DIR) target logs docs/site profiles.yml *.egg-info .pytest_cache .ruff_cache

profiles.yml: profiles.example.yml
	@cp profiles.example.yml profiles.yml

# uv installs in seconds what takes pip two minutes; where it cannot reach the index, pip does the work.
$(VENV)/.installed: requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
		|| $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

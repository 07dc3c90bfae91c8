# The developer's verbs. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run upgrade test dev docs lint bench faults clean

PYTHON ?= $(shell for python in python3.11 python3.12 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
INSTALLED := $(VENV)/.installed
ifeq ($(strip $(WAREHOUSE_DATA_DIR)),)
override WAREHOUSE_DATA_DIR := $(CURDIR)/data
endif
ifeq ($(strip $(DAGSTER_HOME)),)
override DAGSTER_HOME := $(shell realpath -m -- "$(WAREHOUSE_DATA_DIR)")/dagster
endif
export WAREHOUSE_DATA_DIR DAGSTER_HOME
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) profiles.yml ## create .venv from the lock, profiles.yml and the empty warehouse
	@mkdir -p "$(DAGSTER_HOME)" && cp orchestration/dagster.yaml "$(DAGSTER_HOME)/dagster.yaml"
	@test -f .env || echo 'DAGSTER_HOME=$${DAGSTER_HOME:-$(DAGSTER_HOME)}' > .env
	@python -m ingestion prepare

run: setup ## materialise the whole graph: your sources, or the sandbox when none is configured
	@python -m orchestration.run

upgrade: setup ## after an update: build the warehouse that an earlier release left anew, from its raw rows
	@dbt build --full-refresh --exclude-resource-type unit_test
	@dbt run-operation drop_leftovers

test: $(INSTALLED) profiles.yml ## run every test, a file per core at a time
	@python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder

dev: setup ## open the graph in the browser, at http://localhost:3000
	@dagster dev

docs: setup ## build the documentation of the warehouse: docs/site/index.html, docs/data-dictionary.md
	@dbt --quiet docs generate --static --target-path target/docs
	@mkdir -p docs/site && cp target/docs/static_index.html docs/site/index.html
	@echo "docs/site/index.html"
	@python -m dbt_project.dictionary

lint: $(INSTALLED) ## check Python and SQL, the SQL for both engines
	@pre-commit run --all-files --show-diff-on-failure

bench: $(INSTALLED) ## run every benchmark and write docs/benchmarks.md
	@python -m benchmarks

faults: $(INSTALLED) ## the long tests: processes killed at random, again and again, and whole graphs
	@python -m pytest -m faults

clean: ## remove .venv, build products and the sandbox; never what your sources were loaded into
	rm -rf $(VENV) target logs docs/site *.egg-info .pytest_cache .ruff_cache
	rm -rf "$(WAREHOUSE_DATA_DIR)/sandbox" "$(WAREHOUSE_DATA_DIR)/dagster"
	@test -e "$(WAREHOUSE_DATA_DIR)/in_use" || rm -f "$(WAREHOUSE_DATA_DIR)/in_use"

profiles.yml:
	@cp profiles.example.yml $@

# uv installs in seconds what takes pip two minutes; where it cannot reach the index, pip does the work.
$(INSTALLED): requirements.lock requirements-uv.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed, and neither is on PATH" >&2; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@uv pip install --quiet --system-certs --compile-bytecode --python $(VENV)/bin/python --require-hashes -r requirements.lock \
		|| python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

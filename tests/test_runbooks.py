"""The runbooks: what they tell an operator to type works, what they link to is there, each alert has one."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.__main__ import _parser as ingestion_parser
from ingestion.config import Settings, load_settings
from orchestration.alerts.texts import RUNBOOKS
from orchestration.dbt_models import current_manifest
from publishing import publish, published_versions
from publishing.__main__ import _parser as publishing_parser
from publishing.__main__ import main as publishing
from tests.support.built_marts import BuiltMarts
from tests.support.checkout import ROOT

FOLDER = ROOT / "docs/runbooks"
PAGES = sorted(FOLDER.glob("*.md"))
QUARANTINE = "staging.stg_msd__quarantined_inputs"

KEPT = 3


def commands(page: Path) -> list[str]:
    """The lines of a page's blocks of commands, in their order."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def parses(words: list[str]) -> bool:
    """Whether a module of this project takes such arguments."""
    module, arguments = words[0], words[1:]
    if module == "matching":
        return not arguments
    if module == "ingestion" and " ".join(arguments[:2]) in ("spotify login", "spotify plan"):
        arguments[:2] = [" ".join(arguments[:2])]
    parser = {"ingestion": ingestion_parser, "publishing": publishing_parser}[module]()
    try:
        parser.parse_args(arguments)
    except SystemExit:
        return False
    return True


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    """A warehouse with three versions, below the working folder as an operator has it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", "data")
    settings = load_settings()
    settings.activate()
    warehouse = BuiltMarts(settings)
    for _ in range(KEPT):
        warehouse.build()
        publish(settings)
    return settings


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_works(page, settings, monkeypatch):
    home = settings.data_dir / "dagster"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    for command in commands(page):
        words = shlex.split(command)
        if words[:3] == ["python", "-m", "publishing"]:
            assert publishing([word.replace("v000011", "v000001") for word in words[3:]]) == 0, command
        elif words[:2] == ["python", "-m"]:
            assert parses(words[2:]), command
        elif words[0] == "make":
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), command
        elif QUARANTINE in command:  # which is a model, and takes a build
            model = json.loads(current_manifest().read_text())["nodes"][
                "model.music_warehouse.stg_msd__quarantined_inputs"
            ]
            assert {"reason", "file_path"} <= set(model["columns"])
            compile(words[2], command, "exec")
        elif command not in ("dbt build", "source .venv/bin/activate"):
            program = {"python": sys.executable, "dagster": str(Path(sys.executable).with_name("dagster"))}
            subprocess.run([program.get(words[0], words[0]), *words[1:]], check=True, capture_output=True)


def test_the_pages_of_a_purge_and_a_rollback_end_as_they_say(settings):
    for command in commands(FOLDER / "rollback.md"):
        if "rollback" in command or "resume" in command:
            assert publishing(shlex.split(command.replace("v000011", "v000001"))[3:]) == 0
    BuiltMarts(settings, generation=KEPT).build()
    for command in commands(FOLDER / "purge.md"):
        if command.startswith("python -m publishing"):
            assert publishing(shlex.split(command)[3:]) == 0
    kept, current, held_since = published_versions(settings)
    assert ([one.version for one in kept], current.version, held_since) == ([KEPT + 1], KEPT + 1, None)


SAYING = [*PAGES, ROOT / "orchestration/alerts/texts.py"]


@pytest.mark.parametrize("file", SAYING, ids=lambda file: file.stem)
def test_commands_within_sentences_exist(file):
    calls = re.findall(r"python -m ((?:ingestion|publishing)(?: (?:--)?[a-zA-Z0-9-]+)*)", file.read_text())
    for call in calls:
        assert parses(call.split()), call


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page):
    for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_the_index_names_every_page_and_each_alert_has_one():
    index = (FOLDER / "README.md").read_text()
    pages = {page.name for page in PAGES} - {"README.md"}
    assert set(re.findall(r"\]\((\w[\w-]*\.md)\)", index)) == pages
    assert set(RUNBOOKS.values()) <= pages


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "README.md"], ids=lambda page: page.stem
)
def test_a_page_says_how_it_is_noticed_what_readers_see_where_to_look_and_when_it_is_over(page):
    headings = re.findall(r"^## (.*)$", page.read_text(), re.MULTILINE)
    assert headings[:3] == ["How you notice", "What readers see", "First look"]
    assert headings[-1] == "It is over when"

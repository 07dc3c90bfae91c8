"""The README's commands in a fresh checkout with an empty home."""

import json
import re
import subprocess
import time
from contextlib import suppress
from urllib.error import URLError
from urllib.request import urlopen

import duckdb
import pytest

from dbt_project.dictionary.models import public_models
from ingestion.config import load_settings
from sandbox.spotify_api import SpotifyApi
from tests.support.checkout import ROOT, Checkout, first_run_of_all, fresh_checkout
from tests.support.ports import free_port

COUNT = re.compile(r"^ +([\d,]+)  (marts\.\w+)$", re.MULTILINE)


def rows_per_mart(output: str) -> dict[str, int]:
    return {mart: int(count.replace(",", "")) for count, mart in COUNT.findall(output)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Checkout:
    return first_run_of_all(tmp_path_factory).checkout


@pytest.fixture(scope="module")
def first_run(tmp_path_factory) -> str:
    return first_run_of_all(tmp_path_factory).told


def test_make_alone_lists_every_verb_with_a_line(checkout):
    result = checkout.run("make")
    verbs = re.findall(r"^make (\w+) +\S", result.stdout, re.MULTILINE)
    documented = [
        "help",
        "setup",
        "run",
        "upgrade",
        "test",
        "dev",
        "docs",
        "lint",
        "bench",
        "faults",
        "clean",
    ]
    assert verbs == documented


def test_make_run_builds_the_marts_of_the_sandbox_and_says_so(first_run):
    assert "made-up music world" in first_run
    marts = rows_per_mart(first_run)
    assert set(marts) >= {"marts.dim_songs", "marts.dim_artists", "marts.dim_playlists"}
    assert marts["marts.dim_songs"] >= 1000
    assert marts["marts.dim_playlists"] == 365, "300 in files, and 65 that the account owns or follows"
    assert marts["marts.fct_playlist_track_changes"] > 0
    assert "data/sandbox/warehouse.duckdb" in first_run
    passed, total = re.search(r"Checks: (\d+) of (\d+) passed", first_run).groups()
    assert passed == total != "0"


def test_the_readme_shows_what_a_first_run_ends_with(first_run):
    readme = (ROOT / "README.md").read_text()
    shown = readme[readme.index("The warehouse is up to date.\n") :]
    assert shown[: shown.index("Warehouse: ")] in first_run


def test_a_second_make_run_changes_nothing(checkout, first_run):
    result = checkout.make("run")
    assert result.returncode == 0, result.stdout
    assert rows_per_mart(result.stdout) == rows_per_mart(first_run)


def test_the_query_that_the_summary_shows_works(checkout, first_run):
    command = next(line.strip() for line in first_run.splitlines() if "import duckdb" in line)
    result = checkout.run("bash", "-c", command)
    assert result.returncode == 0 and "TR" in result.stdout, result.stdout


@pytest.fixture(scope="module")
def documented(checkout, first_run) -> str:  # noqa: ARG001
    result = checkout.make("docs")
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.mark.usefixtures("documented")
def test_make_docs_builds_one_page_that_fetches_nothing(checkout):
    page = (checkout.path / "docs/site/index.html").read_text()
    assert "dim_songs" in page
    fetched = re.findall(r"""<(?:script|link|img)[^>]+(?:src|href)=["'](https?://[^"']+)""", page)
    assert fetched == []


def test_make_docs_writes_the_data_dictionary_as_it_is_kept(checkout, documented):
    assert "docs/data-dictionary.md" in documented.splitlines()
    written, kept = ((each / "docs/data-dictionary.md").read_text() for each in (checkout.path, ROOT))
    assert written == kept, "renew it: `make run`, without a source of your own, then `make docs`"


@pytest.mark.usefixtures("documented")
def test_every_example_query_runs_on_the_sandbox(checkout):
    """It gives rows, unless its mart is empty."""
    models = public_models(json.loads((checkout.path / "target/docs/manifest.json").read_text()))
    with duckdb.connect(str(checkout.path / "data/sandbox/warehouse.duckdb"), read_only=True) as warehouse:
        for model in models:
            (rows,) = warehouse.execute(f"select count(*) from {model.relation}").fetchone()
            found = warehouse.execute(model.example_query).fetchall()
            assert bool(found) == bool(rows), model.title
            assert len(found) <= 10, model.title


NOWHERE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
"""No network: what would be fetched is asked of a port where nobody answers."""

HOSTS_ON_THE_PAGE = {
    "cdn.jsdelivr.net": "marimo's own viewer, which a page that it exports loads when it is opened",
    "vega.github.io": "the name of the charts' grammar, which nothing fetches",
}


@pytest.mark.usefixtures("first_run")
def test_the_notebook_runs_as_a_script(checkout):
    result = checkout.run("python", "docs/notebook.py", **NOWHERE)
    assert result.returncode == 0, result.stdout


@pytest.mark.usefixtures("first_run")
def test_the_notebook_becomes_a_page_with_its_answers_that_names_no_other_host(checkout, tmp_path):
    page = tmp_path / "notebook.html"
    result = checkout.run("marimo", "export", "html", "docs/notebook.py", "-o", str(page), **NOWHERE)
    assert result.returncode == 0, result.stdout
    content = page.read_text()
    assert set(re.findall(r"https?://([\w.-]+)", content)) == set(HOSTS_ON_THE_PAGE)
    with duckdb.connect(str(checkout.path / "data/sandbox/warehouse.duckdb"), read_only=True) as warehouse:
        (artist,) = warehouse.execute(
            "select artists.name from marts.dim_artists as artists "
            "inner join marts.fct_playlist_tracks as tracks using (artist_id) "
            "inner join marts.dim_playlists as playlists using (playlist_id) "
            "where artists.is_in_msd and playlists.is_available and playlists.source_system = 'spotify_api' "
            "group by artists.artist_id, artists.name "
            "order by count(distinct playlist_id) desc, count(*) desc, artists.name limit 1"
        ).fetchone()
    assert artist in content
    assert all(charted in content for charted in ("mean_tempo_bpm", "playlist_count", "jaccard"))


def test_the_notebook_opens_in_a_browser(checkout, tmp_path):
    port = free_port()
    command = ["marimo", "edit", "--headless", "--no-token", "--port", str(port), "docs/notebook.py"]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=checkout.path, env=checkout.environment | NOWHERE, stdout=log, stderr=log
        ) as editor,
    ):
        try:
            page = answer_of(f"http://127.0.0.1:{port}/", editor)
        finally:
            editor.terminate()
    assert "notebook.py" in page, (tmp_path / "log").read_text()


def answer_of(address: str, server: subprocess.Popen) -> str:
    """The page that a server gives once it listens; '' where it ends before."""
    while server.poll() is None:
        with suppress(URLError), urlopen(address) as answer:
            return answer.read().decode()
        time.sleep(0.2)
    return ""


@pytest.mark.faults
def test_a_spotify_app_alone_is_a_source_whose_playlists_reach_the_marts(checkout, tmp_path):
    with SpotifyApi(app="extended") as server:
        playlists = [one for one in server.world.playlists if server.day in one.versions][:3]
        (tmp_path / "ids").write_text("\n".join(one.playlist_id for one in playlists))
        result = checkout.make(
            "run",
            WAREHOUSE_DATA_DIR=str(checkout.path / "spotify"),
            SPOTIPY_CLIENT_ID=server.client_id,
            SPOTIPY_CLIENT_SECRET=server.client_secret,
            SPOTIFY_PLAYLIST_IDS=str(tmp_path / "ids"),
            SPOTIFY_API_URL=server.url,
            SPOTIFY_ACCOUNTS_URL=server.url,
        )
    assert result.returncode == 0, result.stdout
    assert "made-up" not in result.stdout
    assert server.client_secret not in result.stdout
    marts = rows_per_mart(result.stdout)
    items = sum(len(one.versions[server.day].items) for one in playlists)
    assert (marts["marts.dim_playlists"], marts["marts.fct_playlist_tracks"]) == (3, items)


def test_a_path_that_is_not_there_is_told_in_one_line(checkout):
    result = checkout.run("python", "-m", "orchestration.run", MSD_PATH="/nowhere")
    assert result.returncode == 1
    assert "MSD_PATH is /nowhere, which does not exist" in result.stdout
    assert "Traceback" not in result.stdout


def test_a_source_without_files_fails_the_run_plainly_and_leaves_the_sandbox(checkout, tmp_path):
    data_dir = str(checkout.path / "empty")
    (tmp_path / "nothing").mkdir()
    result = checkout.make("run", WAREHOUSE_DATA_DIR=data_dir, MSD_PATH=str(tmp_path / "nothing"))
    assert result.returncode != 0
    assert "no .h5 or .hdf5 file at or below" in result.stdout
    assert "The run FAILED" in result.stdout
    assert load_settings({"WAREHOUSE_DATA_DIR": data_dir}).is_sandbox


def test_make_clean_keeps_what_your_sources_were_loaded_into(tmp_path):
    checkout = fresh_checkout(tmp_path)
    data_dir = checkout.path / "my data"
    kept = [data_dir / "warehouse.duckdb", data_dir / "lake/msd/part", checkout.path / "profiles.yml"]
    removed = [data_dir / "sandbox/warehouse.duckdb", checkout.path / "target/manifest.json"]
    for file in (*kept, *removed):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    result = checkout.run("make", "clean", WAREHOUSE_DATA_DIR=str(data_dir))
    assert result.returncode == 0, result.stdout
    assert [file.exists() for file in kept] == [True] * len(kept)
    assert [file.exists() for file in removed] == [False] * len(removed)

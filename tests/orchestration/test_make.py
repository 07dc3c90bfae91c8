"""The README's commands in a fresh checkout with an empty home."""

import re

import duckdb
import h5py
import pytest

from ingestion.config import load_settings
from sandbox.spotify_api import SpotifyApi
from tests.support.checkout import Checkout, fresh_checkout

COUNT = re.compile(r"^ +([\d,]+)  (marts\.\w+)$", re.MULTILINE)


def rows_per_mart(output: str) -> dict[str, int]:
    return {mart: int(count.replace(",", "")) for count, mart in COUNT.findall(output)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Checkout:
    return fresh_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def first_run(checkout) -> str:
    result = checkout.make("run")
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_make_alone_lists_every_verb_with_a_line(checkout):
    result = checkout.run("make")
    verbs = re.findall(r"^make (\w+) +\S", result.stdout, re.MULTILINE)
    assert verbs == ["help", "setup", "run", "test", "dev", "docs", "lint", "bench", "faults", "clean"]


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


def test_a_second_make_run_changes_nothing(checkout, first_run):
    result = checkout.make("run")
    assert result.returncode == 0, result.stdout
    assert rows_per_mart(result.stdout) == rows_per_mart(first_run)


def test_dbt_build_by_hand_passes_after_make_run(checkout, first_run):  # noqa: ARG001
    result = checkout.run("dbt", "build")
    assert result.returncode == 0, result.stdout


def test_the_query_that_the_summary_shows_works(checkout, first_run):
    command = next(line.strip() for line in first_run.splitlines() if "import duckdb" in line)
    result = checkout.run("bash", "-c", command)
    assert result.returncode == 0 and "TR" in result.stdout, result.stdout


def test_make_docs_builds_one_page_that_fetches_nothing(checkout, first_run):  # noqa: ARG001
    result = checkout.make("docs")
    assert result.returncode == 0, result.stdout
    page = (checkout.path / "docs/site/index.html").read_text()
    assert "dim_songs" in page
    fetched = re.findall(r"""<(?:script|link|img)[^>]+(?:src|href)=["'](https?://[^"']+)""", page)
    assert fetched == []


def test_bringing_files_step_by_step_as_the_readme_says(checkout, first_run, genuine_samples):  # noqa: ARG001
    own = {"WAREHOUSE_DATA_DIR": str(checkout.path / "own")}
    songs = genuine_samples / "msd"
    playlists = checkout.path / "data/sandbox/world/playlist_files"
    for command in (
        ["python", "-m", "ingestion", "msd", str(songs)],
        ["python", "-m", "ingestion", "playlist-files", str(playlists)],
        ["python", "-m", "ingestion", "load"],
        ["dbt", "build"],
    ):
        result = checkout.run(*command, **own)
        assert result.returncode == 0, result.stdout
    with duckdb.connect(str(checkout.path / "own/warehouse.duckdb"), read_only=True) as warehouse:
        rows = {
            row[0]: row[1:]
            for row in warehouse.execute(
                "select msd_track_id, title, artist_name, tempo_bpm, key, release_year, danceability "
                "from marts.dim_songs where is_in_msd"
            ).fetchall()
        }
        assert warehouse.execute("select count(*) from marts.dim_playlists").fetchone() == (300,)
    files = sorted(songs.rglob("*.h5"))
    assert len(rows) == len(files)
    for file in files:
        with h5py.File(file) as song:
            metadata, analysis = song["metadata/songs"][0], song["analysis/songs"][0]
            year = int(song["musicbrainz/songs"][0]["year"])
        title, artist, tempo, key, release_year, danceability = rows[file.stem]
        assert title == metadata["title"].decode()
        assert artist == metadata["artist_name"].decode()
        assert (tempo, key) == (analysis["tempo"], analysis["key"])
        assert release_year == (year or None)
        assert danceability is None


def test_one_configured_source_turns_the_sandbox_off_for_good(checkout, genuine_samples):
    own = {"WAREHOUSE_DATA_DIR": str(checkout.path / "real")}
    app = {"SPOTIPY_CLIENT_ID": "id", "SPOTIPY_CLIENT_SECRET": "secret"}
    result = checkout.make("run", **own, **app, MSD_PATH=str(genuine_samples / "msd"))
    assert result.returncode == 0, result.stdout
    assert "made-up" not in result.stdout
    assert "no user has authorised the app (python -m ingestion spotify login)" in result.stdout
    assert rows_per_mart(result.stdout)["marts.dim_songs"] == 5
    assert not (checkout.path / "real/sandbox").exists()
    again = checkout.make("run", **own)
    assert again.returncode == 0, again.stdout
    assert "made-up" not in again.stdout
    assert rows_per_mart(again.stdout)["marts.dim_songs"] == 5


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

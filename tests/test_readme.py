"""What the README tells a reader to type is run as it stands there, in a fresh checkout with files at home.

Only what a reader replaces too is replaced: the credentials of an app, ids, addresses.
"""

import gzip
import os
import re
import shutil
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import duckdb
import h5py
import pytest

from sandbox import write_sandbox
from sandbox.spotify_api import SpotifyApi
from tests.support.buckets import s3_server
from tests.support.checkout import ROOT, Checkout, fresh_checkout
from tests.support.ports import free_port
from tests.support.spotify_login import browser_that_agrees

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

RUN_ELSEWHERE = {
    "make run ": "tests/orchestration/test_make.py, and `make test` is what runs this",
    "export WAREHOUSE_TARGET=redshift": "tests/redshift_standin/test_warehouse.py",
}
"""Blocks that other tests run, by what they begin with."""

OWN_DATA, SUBSET, STEP_BY_STEP, SPOTIFY = (
    "export MSD_PATH=",
    "python -m ingestion msd-subset ",
    "source .venv/bin/activate\n",
    "export SPOTIPY_CLIENT_ID=",
)
RUN_HERE = (OWN_DATA, SUBSET, STEP_BY_STEP, SPOTIFY)

IN_SENTENCES = {
    "python -m ingestion msd-arrays PATH",
    "python -m ingestion retain",
    "python -m ingestion spotify --from-archive",
    "python -m ingestion spotify search N",
    "python -m ingestion purge --spotify-user ID",
    "python -m ingestion spotify --bucket NAME ID [ID ...]",
    "WAREHOUSE_LAKE_URL=s3://NAME python -m ingestion load",
}

# `make` takes the environment for installed, and whatever fails ends the script.
PREAMBLE = 'set -eo pipefail\nmake() { command make --old-file=.venv/.installed "$@"; }\n'

GENUINE_SONGS = sorted(Path(os.environ.get("GENUINE_SAMPLES", "/nowhere"), "msd").rglob("*.h5"))
MADE_UP_SONGS = 30
ROWS_PER_MART = re.compile(r"^ +([\d,]+)  (marts\.\w+)$", re.MULTILINE)


def block(beginning: str) -> str:
    """The README's commands that begin so."""
    (found,) = (text for text in BLOCKS if text.startswith(beginning))
    return found


def run(checkout: Checkout, commands: str, **environment: str) -> str:
    """What the commands print; they succeed."""
    result = checkout.run("bash", "-c", PREAMBLE + commands, **environment)
    assert result.returncode == 0, result.stdout
    return result.stdout


def query(warehouse: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.sql(sql).fetchall()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Checkout:
    """A fresh checkout, and in the home beside it the files that the README speaks of."""
    checkout = fresh_checkout(tmp_path_factory.mktemp("readme"))
    world = write_sandbox(tmp_path_factory.mktemp("world") / "world")
    home = Path(checkout.environment["HOME"])
    (home / "MillionSongSubset").mkdir()
    for file in (*GENUINE_SONGS, *sorted(world.msd.rglob("*.h5"))[:MADE_UP_SONGS]):
        shutil.copy(file, home / "MillionSongSubset")
    shutil.copytree(world.playlist_files, home / "playlists")
    shutil.copytree(world.reference_files, home / "msd_side_files")
    return checkout


def test_every_block_of_commands_is_run():
    unknown = [text for text in BLOCKS if not text.startswith((*RUN_HERE, *RUN_ELSEWHERE))]
    assert unknown == []
    assert len(BLOCKS) == len(RUN_HERE) + len(RUN_ELSEWHERE)
    assert set(re.findall("`([^`\n]*python -m ingestion[^`\n]*)`", README)) == IN_SENTENCES


@pytest.fixture(scope="module")
def own_data(checkout) -> str:
    """The output of `make run` on the files at home."""
    return run(checkout, block(OWN_DATA))


@pytest.fixture(scope="module")
def songs(checkout) -> list[Path]:
    return sorted(Path(checkout.environment["HOME"], "MillionSongSubset").iterdir())


def test_own_data_reaches_the_marts_by_make_run(checkout, own_data, songs):
    assert "made-up" not in own_data
    warehouse = checkout.path / "data/warehouse.duckdb"
    assert query(warehouse, "select count(*) from marts.dim_songs where is_in_msd") == [(len(songs),)]
    assert query(warehouse, "select count(*) from marts.dim_playlists") == [(300,)]
    assert query(warehouse, "select count(*) > 0 from marts.bridge_song_tags") == [(True,)]


@pytest.mark.faults
def test_own_data_turns_the_sandbox_off_for_good(checkout, own_data):
    app = {"SPOTIPY_CLIENT_ID": "id", "SPOTIPY_CLIENT_SECRET": "secret"}
    output = run(checkout, "make run", **app)
    assert "made-up" not in output
    assert "no user has authorised the app (python -m ingestion spotify login)" in output
    assert ROWS_PER_MART.findall(output) == ROWS_PER_MART.findall(own_data) != []
    assert not (checkout.path / "data/sandbox").exists()


def test_the_same_step_by_step_and_the_other_commands_on_files(checkout, own_data):
    own = {
        "WAREHOUSE_DATA_DIR": str(checkout.path / "step by step"),
        # With another key the account's playlists have other ids, and others of their artists are drawn.
        "WAREHOUSE_HMAC_KEY": (checkout.path / "data/hmac_key").read_text(),
    }
    run(checkout, block(STEP_BY_STEP), **own)
    for count, mart in ROWS_PER_MART.findall(own_data):
        found = query(checkout.path / "step by step/warehouse.duckdb", f"select count(*) from {mart}")
        assert found == [(int(count.replace(",", "")),)], mart
    assert (checkout.path / "step by step/published/current/music_warehouse.duckdb").exists()
    run(checkout, "python -m ingestion msd-arrays ~/MillionSongSubset\npython -m ingestion retain", **own)
    assert list(checkout.path.glob("step by step/lake/msd_arrays/song_arrays/**/*.parquet"))


def test_songs_are_in_the_marts_as_their_files_say(checkout, own_data, songs):  # noqa: ARG001
    rows = {
        row[0]: row[1:]
        for row in query(
            checkout.path / "data/warehouse.duckdb",
            "select msd_track_id, title, artist_name, tempo_bpm, key, release_year, danceability "
            "from marts.dim_songs where is_in_msd",
        )
    }
    for file in songs:
        with h5py.File(file) as song:
            metadata, analysis = song["metadata/songs"][0], song["analysis/songs"][0]
            year = int(song["musicbrainz/songs"][0]["year"])
        title, artist, tempo, key, release_year, danceability = rows[file.stem]
        assert title == metadata["title"].decode()
        assert artist == metadata["artist_name"].decode()
        assert (tempo, key) == (analysis["tempo"], analysis["key"])
        assert danceability is None
        if year or file.name in {song.name for song in GENUINE_SONGS}:
            assert release_year == (year or None)


def test_the_subset_is_downloaded_to_the_home(checkout, tmp_path):
    archive = tmp_path / "millionsongsubset.tar.gz"
    archive.write_bytes(gzip.compress(b"songs"))
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}/{archive.name}"
        run(checkout, block(SUBSET), MSD_SUBSET_URL=address)
        server.shutdown()
    downloaded = Path(checkout.environment["HOME"], "music", archive.name)
    assert downloaded.read_bytes() == archive.read_bytes()


def test_playlists_of_the_web_api_as_the_readme_reads_them(checkout, tmp_path):
    with SpotifyApi(app="extended") as server, s3_server() as s3:
        playlist = next(one for one in server.world.playlists if one.is_public and server.day in one.versions)
        commands = (
            block(SPOTIFY)
            .replace("CLIENT_ID=...", f"CLIENT_ID={server.client_id}")
            .replace("CLIENT_SECRET=...", f"CLIENT_SECRET={server.client_secret}")
            .replace(":8888", f":{free_port()}")
            .replace("3cEYpjA9oz9GiPac4AsH4n", playlist.playlist_id)
        )
        further = f"""
            python -m ingestion spotify --from-archive
            python -m ingestion purge --spotify-user {server.world.account.user_id}
            python -m ingestion spotify --bucket a-readers-bucket {playlist.playlist_id}
            WAREHOUSE_DATA_DIR=data/loaded WAREHOUSE_LAKE_URL=s3://a-readers-bucket python -m ingestion load
        """
        output = run(
            checkout,
            commands + further,
            BROWSER=str(browser_that_agrees(tmp_path)),
            WAREHOUSE_DATA_DIR=str(tmp_path / "data"),
            SPOTIFY_API_URL=server.url,
            SPOTIFY_ACCOUNTS_URL=server.url,
            **s3.environment,
        )
    by_id, own, into_a_bucket = re.findall(r"(\d+) playlists looked at, (\d+) read, 0 failed", output)
    assert by_id == into_a_bucket == ("1", "1")
    assert own == ("61", "61"), "of the user's 62 one was read by its id"
    assert server.client_secret not in output
    loaded = query(
        checkout.path / "data/loaded/warehouse.duckdb", "select playlist_id from raw_spotify.playlists"
    )
    assert loaded == [(playlist.playlist_id,)]


def test_the_verbs_are_those_that_make_lists(checkout):
    named = set(re.findall(r"`make (\w+)`", README))
    listed = subprocess.run(["make"], cwd=checkout.path, capture_output=True, text=True, check=True).stdout
    assert named <= set(re.findall(r"^make (\w+)", listed, re.MULTILINE))

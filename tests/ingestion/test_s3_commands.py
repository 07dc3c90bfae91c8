"""Every command with its lake in S3: what it writes lies there, and what comes after finds it."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import duckdb
import pytest

from ingestion.__main__ import main
from ingestion.config import load_settings
from ingestion.lake import Lake
from ingestion.sources import SOURCES
from ingestion.spotify.run import keep_authorisation
from tests.ingestion.playlist_files.files import csv_row, csv_text
from tests.ingestion.reference_files.files import LINES, text
from tests.support.archives import write_archive
from tests.support.buckets import S3, s3_server
from tests.support.msd_files import write_song_files

LAKE = "s3://every-command/lake"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as running:
        running.client.create_bucket(Bucket="every-command")
        yield running


@pytest.fixture(scope="module")
def inputs(s3, world, tmp_path_factory) -> dict[str, list[str]]:
    """What each command is given, by the name of a case."""
    folder = tmp_path_factory.mktemp("inputs")
    for name in ("songs", "packed", "playlists", "side_files"):
        (folder / name).mkdir()
    write_song_files(folder / "songs", range(3))
    write_song_files(folder / "packed", range(3, 5))
    s3.put("songs-of-every-command", "data/", folder / "packed")
    (folder / "playlists" / "mine.csv").write_text(csv_text(csv_row(0), csv_row(1)))
    (folder / "side_files" / "unique_tracks.txt").write_bytes(text(LINES["unique_tracks"]))
    ids = [one.playlist_id for one in world.playlists_on(world.days[0]) if one.is_public][:2]
    return {
        "msd": ["msd", str(folder / "songs")],
        "msd archive": ["msd", str(write_archive(folder / "songs.tar.gz", folder / "packed"))],
        "msd bucket": ["msd", "s3://songs-of-every-command/data"],
        "msd_arrays": ["msd-arrays", str(folder / "songs")],
        "playlist_files": ["playlist-files", str(folder / "playlists")],
        "reference_files": ["reference-files", str(folder / "side_files")],
        "spotify": ["spotify", *ids],
    }


@pytest.fixture(scope="module", autouse=True)
def environment(s3, server, world, tmp_path_factory) -> Iterator[None]:
    """Variables of a machine whose lake is in the bucket."""
    server.day = world.days[0]
    data_dir = tmp_path_factory.mktemp("machine") / "data"
    variables = {
        **s3.environment,
        "WAREHOUSE_DATA_DIR": str(data_dir),
        "WAREHOUSE_LAKE_URL": LAKE,
        "SPOTIPY_CLIENT_ID": server.client_id,
        "SPOTIPY_CLIENT_SECRET": server.client_secret,
        "SPOTIFY_API_URL": server.url,
        "SPOTIFY_ACCOUNTS_URL": server.url,
        "SPOTIFY_LEDGER_DIR": str(data_dir / "spotify"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        keep_authorisation(load_settings(), server.refresh_token(), datetime.now(UTC))
        yield


@pytest.fixture(scope="module")
def extracted(inputs) -> dict[str, set[str]]:
    """The units that each command has brought to the lake, by the name of its case."""
    units = {}
    for case, arguments in inputs.items():
        before = Lake(LAKE).done_unit_ids(source_of(case))
        assert main(arguments) == 0, case
        units[case] = Lake(LAKE).done_unit_ids(source_of(case)) - before
    return units


@pytest.fixture(scope="module")
def loaded(extracted) -> Mapping[str, int]:  # noqa: ARG001
    """The rows of each raw table after a load."""
    assert main(["load"]) == 0
    return table_counts()


def source_of(case: str) -> str:
    return case.partition(" ")[0]


CASES = ("msd", "msd archive", "msd bucket", "msd_arrays", "playlist_files", "reference_files", "spotify")


@pytest.mark.parametrize("case", CASES)
def test_an_extractor_writes_finished_units_with_rows_there(case, extracted):
    lake = Lake(LAKE)
    assert extracted[case]
    parts = [part for id_ in extracted[case] for part in lake.done_record(source_of(case), id_).parts]
    assert sum(batch.num_rows for part in parts if part.table for batch in lake.read_part(part)) > 0


@pytest.mark.usefixtures("extracted")
def test_no_lake_is_made_on_the_machine():
    assert not (load_settings().data_dir / "lake").exists()


@pytest.mark.usefixtures("extracted")
def test_an_extractor_finds_there_what_is_done(inputs, capsys):
    assert main(inputs["msd"]) == 0
    assert re.search(r"in ([1-9]\d*) units, \1 done before", capsys.readouterr().out)


def test_a_load_brings_it_to_the_warehouse_once(loaded):
    for table in ("msd.songs", "playlist_files.playlist_tracks", "spotify.playlists"):
        assert loaded[f"raw_{table}"] > 0
    assert loaded["raw_reference_files.unique_tracks"] == 3
    assert main(["load"]) == 0
    assert table_counts() == loaded


def test_rows_are_made_anew_from_the_archive_there(loaded):
    assert main(["spotify", "--from-archive"]) == 0
    assert main(["load"]) == 0
    assert table_counts() == loaded
    assert min(Lake(LAKE).current_revisions("spotify").values()) > 0


@pytest.mark.usefixtures("loaded")
def test_what_has_had_its_time_and_who_wants_to_go_leaves_it(s3, world, capsys):
    assert main(["retain"]) == 0
    assert "raw_spotify: removed what was not confirmed since" in capsys.readouterr().out
    owner = next(one.owner_id for one in world.playlists_on(world.days[0]) if one.is_public)
    assert main(["purge", "--spotify-user", owner]) == 0
    counted = re.findall(r"(lake|archive|raw|marts) +([\d,]+) +([\d,]+)", capsys.readouterr().out)
    assert {place: after for place, _, after in counted} == dict.fromkeys(
        ("lake", "archive", "raw", "marts"), "0"
    )
    assert all(before != "0" for place, before, _ in counted if place in ("lake", "archive", "raw"))
    named = {f"lake/{part.path}" for record in Lake(LAKE).done_records("spotify") for part in record.parts}
    assert named
    assert named <= keys(s3.client)


def keys(client) -> set[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="every-command")
    return {item["Key"] for page in pages for item in page.get("Contents", ())}


def table_counts() -> Mapping[str, int]:
    with duckdb.connect(str(load_settings().warehouse_path), read_only=True) as connection:
        names = [f"{source.schema_name}.{table.name}" for source in SOURCES for table in source.tables]
        return {name: connection.sql(f"select count(*) from {name}").fetchone()[0] for name in names}

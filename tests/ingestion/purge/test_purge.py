"""Purging a user: nothing names them afterwards, and what is others' stays."""

import io
import json
import os
import shutil
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.config import Settings
from ingestion.errors import ConfigError, IngestionError
from ingestion.extract import extract
from ingestion.lake import Lake
from ingestion.load import load, prepare
from ingestion.playlist_files import PLAYLIST_FILES
from ingestion.purge import purge_user
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from ingestion.spotify.archive import archived, unarchived
from ingestion.spotify.journal import Entry
from ingestion.spotify.reparse import reparse
from tests.support.buckets import s3_server
from tests.support.kill import Stage, Target
from tests.support.row_hash import assert_same_tables, images_of_schema
from tests.support.spotify_replay import environment_of, look, run_dbt, settings_of

AT = datetime(2026, 1, 5, tzinfo=UTC)

DBT_MODELS = ("+dim_playlists", "+fct_playlist_tracks", "+fct_playlist_track_changes")


@pytest.fixture(scope="module")
def user_id(world) -> str:
    """A user who owns playlists and has added items to those of others."""
    day = world.days[0]
    versions = [(one.owner_id, one.versions[day]) for one in world.playlists_on(day)]
    owners = {owner_id for owner_id, _ in versions}
    added = Counter(
        item.added_by
        for owner_id, version in versions
        for item in version.items
        if item.added_by in owners - {owner_id, world.account.user_id}
    )
    ((user_id, _),) = added.most_common(1)
    return user_id


@pytest.fixture(scope="module")
def playlist_files(world, user_id, tmp_path_factory) -> Path:
    """An Exportify file with items that the user and another have added, and an export of their account."""
    folder = tmp_path_factory.mktemp("playlist_files")
    tracks = list(world.tracks.values())[:4]
    adders = [user_id, world.account.user_id, user_id, world.account.user_id]
    lines = ["Track URI,Track Name,Artist Name(s),Added By,Added At,Last Edited By"]
    lines += [
        f"{track.uri},A song,An artist,spotify:user:{adder},2020-01-01T00:00:00Z,spotify:user:{adder}"
        for track, adder in zip(tracks, adders, strict=True)
    ]
    (folder / "shared.csv").write_text("\n".join(lines) + "\n")
    export = folder / "export"
    export.mkdir()
    (export / "Userdata.json").write_text(json.dumps({"username": user_id, "email": "a@example.org"}))
    item = {"track": {"trackName": "A song", "artistName": "An artist", "trackUri": tracks[0].uri}}
    playlist = {
        "name": "Mine",
        "lastModifiedDate": "2020-01-01",
        "items": [item | {"addedDate": "2020-01-01"}],
    }
    (export / "Playlist1.json").write_text(json.dumps({"playlists": [playlist]}))
    return folder


@pytest.fixture(scope="module")
def filled(world, server, user_id, playlist_files, tmp_path_factory) -> Path:
    """A workplace with the user in all places: lake, archive, raw and marts. To be copied, not changed."""
    folder = tmp_path_factory.mktemp("filled")
    settings = settings_of(server, folder / "data")
    ids = [one.playlist_id for one in world.playlists_on(world.days[0]) if concerns(one, user_id)]
    fill(settings, server, ids, world.days[:2], playlist_files)
    run_dbt(folder, *DBT_MODELS)
    return folder


def fill(settings, server, playlist_ids, days, playlist_files) -> None:
    """Bring in playlists of the Web API, the account's own among them, and playlist files."""
    prepare(settings, SOURCES)
    for day in days:
        look(settings, server, day, playlist_ids)
        look(settings, server, day)
    extract(settings, PLAYLIST_FILES, playlist_files)
    for source in (SPOTIFY, PLAYLIST_FILES):
        load(settings, source)


def concerns(playlist, user_id) -> bool:
    items = (item for version in playlist.versions.values() for item in version.items)
    return user_id == playlist.owner_id or any(item.added_by == user_id for item in items)


@pytest.fixture
def settings(filled, server, tmp_path) -> Settings:
    return settings_of(server, shutil.copytree(filled / "data", tmp_path / "data", symlinks=True))


@pytest.fixture(scope="module")
def purged(filled, server, user_id, tmp_path_factory):
    """The same after the purge, and what that did. To be looked at, not changed."""
    data_dir = tmp_path_factory.mktemp("purged") / "data"
    settings = settings_of(server, shutil.copytree(filled / "data", data_dir, symlinks=True))
    return settings, purge_user(settings, user_id)


def texts_in_lake(settings: Settings):
    """All text in every file of the lake, whatever names it."""
    for file in Path(settings.lake_url).rglob("*"):
        if file.is_file():
            yield from texts_of(file.name, file.read_bytes())


def texts_of(name: str, content: bytes):
    if name.endswith(".parquet"):
        for row in pq.read_table(io.BytesIO(content)).to_pylist():
            yield from (value for value in row.values() if isinstance(value, str))
    elif name.endswith(".zst"):
        yield pa.CompressedInputStream(pa.BufferReader(content), "zstd").read().decode()
    else:
        yield content.decode()


def texts_in_warehouse(settings: Settings):
    """All text in every table of the warehouse."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
        ).fetchall()
        assert {"raw_spotify", "raw_playlist_files", "intermediate", "marts"} <= {
            schema for schema, _ in tables
        }
        for schema, table in tables:
            for row in connection.execute(f'select * from "{schema}"."{table}"').fetchall():
                yield from (value for value in row if isinstance(value, str))


def raw_tables(settings: Settings, schema: str = "raw_spotify") -> dict:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return images_of_schema(connection, schema)


def query(settings: Settings, sql: str) -> list[tuple]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return connection.sql(sql).fetchall()


def owned_by(world, user_id) -> set[str]:
    return {one.playlist_id for one in world.playlists if one.owner_id == user_id}


def test_nothing_names_the_user_or_their_playlists_any_more(filled, purged, server, world, user_id):
    settings, result = purged
    names = [user_id, settings.hash_user(user_id)[:16], *owned_by(world, user_id)]
    before = settings_of(server, filled / "data")
    for texts in (texts_in_lake, texts_in_warehouse):
        found = [text for text in texts(before) if any(name in text for name in names)]
        assert found
        assert [text for text in texts(settings) if any(name in text for name in names)] == []
    assert all(result.before[place] > 0 for place in ("lake", "archive", "raw", "marts"))
    assert dict(result.after) == {"lake": 0, "archive": 0, "raw": 0, "marts": 0}


def test_what_is_others_stays_and_only_says_no_more_who_added_it(filled, purged, server, world, user_id):
    before, (after, _) = settings_of(server, filled / "data"), purged
    owned = owned_by(world, user_id)
    for schema, table, hashes in (
        ("raw_spotify", "playlists", ("owner_id_hash",)),
        ("raw_spotify", "playlist_tracks", ("added_by_hash",)),
        ("raw_spotify", "playlist_observations", ()),
        ("raw_spotify", "tracks", ()),
        ("raw_playlist_files", "playlists", ()),
        ("marts", "fct_playlist_tracks", ("added_by_hash",)),
        ("marts", "dim_playlists", ("owner_id_hash",)),
    ):
        hidden = [f"nullif({column}, '{after.hash_user(user_id)}') as {column}" for column in hashes]
        replaced = f"replace ({', '.join(hidden)})" if hidden else ""
        volatile = f"exclude ({'_dlt_load_id' if schema.startswith('raw_') else 'loaded_at'})"
        rows = f"select * {volatile} {replaced} from {schema}.{table} order by all"
        left = query(after, rows)
        columns = query(after, f"describe select * {volatile} from {schema}.{table}")
        place = [name for name, *_ in columns].index("playlist_id") if table != "tracks" else None
        expected = [
            row
            for row in query(before, rows)
            if place is None or not (row[place] in owned or row[place].startswith("account:"))
        ]
        assert left == expected
        assert left


def test_files_on_disk_that_hold_the_user_are_named(purged, playlist_files):
    assert purged[1].files == sorted(
        [f"{playlist_files}/export/Playlist1.json", f"{playlist_files}/shared.csv"]
    )


def test_dbt_builds_on_what_is_left(purged, tmp_path):
    shutil.copytree(purged[0].data_dir, tmp_path / "data", symlinks=True)
    models = raw_tables(purged[0], "marts")
    run_dbt(tmp_path, *DBT_MODELS)
    settings = replace(purged[0], data_dir=tmp_path / "data")
    assert_same_tables(raw_tables(settings, "marts"), models)


def test_purging_again_finds_nothing(purged, server, user_id, tmp_path):
    settings = settings_of(server, shutil.copytree(purged[0].data_dir, tmp_path / "data", symlinks=True))
    units = {name: Lake(settings.lake_url).current_revisions(name) for name in ("spotify", "playlist_files")}
    again = purge_user(settings, f"https://open.spotify.com/user/{user_id}?si=1")
    assert (again.before.total(), again.after.total()) == (0, 0)
    for name, revisions in units.items():
        assert Lake(settings.lake_url).current_revisions(name) == revisions


def test_rows_made_anew_from_the_purged_archive_do_not_bring_the_user_back(purged, server, user_id, tmp_path):
    settings = settings_of(server, shutil.copytree(purged[0].data_dir, tmp_path / "data", symlinks=True))
    tables = ("playlists", "playlist_tracks", "playlist_observations")
    rows = {name: raw_tables(settings)[name] for name in tables}
    reparse(settings, settings.hash_user)
    load(settings, SPOTIFY)
    assert_same_tables({name: raw_tables(settings)[name] for name in tables}, rows)
    assert purge_user(settings, user_id).before.total() == 0


PURGE = "import sys; from ingestion.config import load_settings; from ingestion.purge import purge_user; "
PURGE += "import logging; logging.basicConfig(level=logging.INFO); purge_user(load_settings(), sys.argv[1])"

STAGES = (
    Stage("owned playlists are written down", glob="purges/*.json"),
    Stage("a unit is rewritten", glob="lake/spotify/done/*.1.json"),
    Stage("all units are rewritten", log=r"purge spotify: (\d+)/\1 "),
    Stage("the load is at work", glob="loader/spotify/*"),
)


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES])
def test_a_purge_killed_in_any_stage_is_completed_by_the_next(stage, settings, purged, server, user_id):
    environment = {**os.environ, **environment_of(server, settings.data_dir)}
    target = Target([sys.executable, "-c", PURGE, user_id], environment, settings.data_dir, STAGES)
    report = target.kill_in(stage)
    assert report.hit, report
    assert dict(purge_user(settings, user_id).after) == {"lake": 0, "archive": 0, "raw": 0, "marts": 0}
    for schema in ("raw_spotify", "raw_playlist_files", "marts"):
        assert_same_tables(raw_tables(settings, schema), raw_tables(purged[0], schema))
    assert not any(user_id in text for text in texts_in_lake(settings))


def test_answers_that_are_not_in_the_lake_yet_are_refused(settings, user_id):
    journals = settings.spotify_dir / "journals"
    journals.mkdir(exist_ok=True)
    (journals / "left.jsonl").touch()
    with pytest.raises(IngestionError, match="answers wait for the lake"):
        purge_user(settings, user_id)


def test_an_extraction_at_work_is_waited_for(settings, user_id):
    (Path(settings.lake_url) / "spotify/playlists/unfinished.parquet").touch()
    with pytest.raises(IngestionError, match="purge again"):
        purge_user(settings, user_id)


def test_with_another_key_for_hashes_nothing_is_done_and_nothing_proved(filled, server, user_id, tmp_path):
    data_dir = shutil.copytree(filled / "data", tmp_path / "data", symlinks=True)
    settings = settings_of(server, data_dir, WAREHOUSE_HMAC_KEY="another key")
    units = Lake(settings.lake_url).current_revisions("spotify")
    with pytest.raises(ConfigError, match="set WAREHOUSE_HMAC_KEY to that one"):
        purge_user(settings, user_id)
    assert Lake(settings.lake_url).current_revisions("spotify") == units


def test_what_would_bring_the_rows_back_is_told(filled, server, world, user_id, tmp_path):
    data_dir = shutil.copytree(filled / "data", tmp_path / "data", symlinks=True)
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(sorted(one.playlist_id for one in world.playlists)))
    settings = settings_of(server, data_dir, SPOTIFY_PLAYLIST_IDS=str(ids))
    result = purge_user(settings, user_id)
    assert str(ids) in result.files
    assert result.token == settings.spotify_dir / "token.json"
    assert result.token.exists()

    others = sorted({one.playlist_id for one in world.playlists} - owned_by(world, user_id))
    ids.write_text("\n".join(others))
    result.token.unlink()
    again = purge_user(settings, user_id)
    assert (again.files, again.token) == ([], None)


def test_a_link_to_a_playlist_of_theirs_in_an_answer_about_another_goes_and_is_counted(
    settings, purged, world, user_id
):
    day = world.days[0]
    owned = min(one.playlist_id for one in world.playlists_on(day) if one.owner_id == user_id)
    link = f"https://open.spotify.com/playlist/{owned}?si=1"
    lake = Lake(settings.lake_url)
    answer = Entry("artist:a", "artist", "/v1/artists/a", AT, json.dumps({"id": "a", "name": link}))
    with lake.write_unit(SPOTIFY.name, "a" * 24, "1", []) as unit:
        for path, content in archived(unit.name, [answer]):
            unit.attach(path, content)
    result = purge_user(settings, user_id)
    assert result.before["archive"] == purged[1].before["archive"] + 1
    (left,) = (entry for entry in unarchived(lake, lake.done_record(SPOTIFY.name, "a" * 24)) if entry.body)
    assert left.answer == {"id": "a", "name": "https://open.spotify.com/playlist/removed?si=1"}


def test_what_is_no_user_is_refused(settings):
    with pytest.raises(ConfigError, match="names no user"):
        purge_user(settings, "spotify:playlist:37i9dQZF1DXcBWIGoYBM5M extra")


def test_no_version_of_an_object_in_a_versioned_bucket_names_the_user(
    world, server, user_id, playlist_files, tmp_path
):
    with s3_server() as s3:
        s3.client.create_bucket(Bucket="lake-with-versions")
        s3.client.put_bucket_versioning(
            Bucket="lake-with-versions", VersioningConfiguration={"Status": "Enabled"}
        )
        address = s3.environment["AWS_ENDPOINT_URL"].removeprefix("http://")
        options = urlencode({"endpoint_override": address, "scheme": "http", "region": "us-east-1"})
        url = f"s3://test:test@lake-with-versions/below?{options}"
        settings = settings_of(server, tmp_path / "data", WAREHOUSE_LAKE_URL=url)
        fill(settings, server, sorted(owned_by(world, user_id)), world.days[:1], playlist_files)
        assert any(user_id in text for text in texts_in_bucket(s3.client))
        result = purge_user(settings, user_id)
        assert result.after.total() == 0
        assert [text for text in texts_in_bucket(s3.client) if user_id in text] == []
        versions = s3.client.list_object_versions(Bucket="lake-with-versions")
        assert all(version["IsLatest"] for version in versions["Versions"])
        assert not versions.get("DeleteMarkers")


def texts_in_bucket(client):
    """All text in every version of every object."""
    for version in client.list_object_versions(Bucket="lake-with-versions")["Versions"]:
        if not version["Key"].endswith("/"):
            held = client.get_object(
                Bucket="lake-with-versions", Key=version["Key"], VersionId=version["VersionId"]
            )
            yield from texts_of(version["Key"], held["Body"].read())

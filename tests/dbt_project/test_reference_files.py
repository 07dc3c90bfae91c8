"""The sandbox's side files from disk to the marts, against the world's own truth: brought one after the
other, so that what is not known yet can be told from what is not so."""

import gzip
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from ingestion.config import load_settings
from ingestion.extract import extract
from ingestion.load import load, prepare
from ingestion.msd import MSD
from ingestion.reference_files import REFERENCE_FILES
from ingestion.sources import SOURCES
from sandbox import SandboxPaths, write_sandbox
from tests.dbt_project.conftest import MODELS_ALONE, REPOSITORY, DbtWorkplace

MARTS = ("dim_songs", "dim_artists", "bridge_song_tags", "bridge_artist_tags", "bridge_similar_artists")
SELECTED = tuple(f"+{mart}" for mart in MARTS)
MISMATCHES, ACCEPTED = "sid_mismatches.txt", "sid_matches_manually_accepted.txt"
DUPLICATES, LISTENS = "msd_duplicates.txt", "train_triplets.txt.zip"


class Warehouse:
    """A warehouse of the world's song files, and a folder of side files that grows."""

    def __init__(self, folder: Path, paths: SandboxPaths) -> None:
        shutil.copyfile(REPOSITORY / "profiles.example.yml", folder / "profiles.yml")
        self.side_files = folder / "side_files"
        self.side_files.mkdir()
        self._published = paths.reference_files
        self._settings = load_settings(
            {"WAREHOUSE_DATA_DIR": str(folder / "data"), "MSD_PATH": str(paths.msd)}
        )
        self._workplace = DbtWorkplace(folder)
        prepare(self._settings, SOURCES)
        extract(self._settings, MSD, paths.msd)
        load(self._settings, MSD)

    def bring(self, names: Iterable[str]) -> None:
        """Copy side files into the folder, and load what is new in it."""
        for name in names:
            shutil.copy2(self._published / name, self.side_files / name)
        self.load()

    def load(self, path: Path | None = None, quarantined: int = 0) -> None:
        """Load what is new in the folder of side files, or elsewhere."""
        result = extract(self._settings, REFERENCE_FILES, path or self.side_files)
        assert result.quarantined == quarantined
        load(self._settings, REFERENCE_FILES)

    def dbt(self, *arguments: str) -> None:
        invocation = self._workplace.finish(self._workplace.start(*arguments))
        assert invocation.returncode == 0, invocation.output

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self._settings.warehouse_path), read_only=True) as connection:
            return connection.sql(sql).fetchall()

    def songs(self, columns: str) -> dict[str, tuple]:
        """Columns of dim_songs by track id."""
        return {
            track: tuple(values)
            for track, *values in self.query(f"select msd_track_id, {columns} from marts.dim_songs")
        }


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> SandboxPaths:
    return write_sandbox(tmp_path_factory.mktemp("sandbox") / "world")


@pytest.fixture(scope="module")
def truth(paths: SandboxPaths) -> dict[str, list[dict]]:
    return {
        name: pq.read_table(paths.ground_truth / f"reference_{name}.parquet").to_pylist()
        for name in ("songs", "tags", "artists")
    }


@pytest.fixture(scope="module")
def empty(paths: SandboxPaths, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """No side file was brought."""
    warehouse = Warehouse(tmp_path_factory.mktemp("warehouse"), paths)
    warehouse.dbt("build", *MODELS_ALONE, "--select", *SELECTED)
    return warehouse


UNKNOWN = (
    "is_mismatched, is_duplicate, duplicate_of_msd_track_id, genre, genre_source, musixmatch_track_id, "
    "shs_work_id, play_count, listener_count"
)


@pytest.fixture(scope="module")
def before(empty: Warehouse) -> dict[str, dict[str, tuple]]:
    """What the marts said without side files, then with the accepted matches alone."""
    found = {"nothing": empty.songs(UNKNOWN), "years": empty.songs("release_year")}
    empty.bring([ACCEPTED])
    empty.dbt("build", *MODELS_ALONE, "--select", "+dim_songs")
    return found | {"accepted": empty.songs("is_mismatched")}


@pytest.fixture(scope="module")
def full(empty: Warehouse, paths: SandboxPaths, before: dict) -> Warehouse:  # noqa: ARG001
    """All side files were brought."""
    empty.bring(file.name for file in paths.reference_files.iterdir() if file.name != ACCEPTED)
    tests = ("--exclude-resource-type", "unit_test", "--indirect-selection", "buildable")
    empty.dbt("build", *tests, "--select", *SELECTED)
    return empty


def test_without_side_files_nothing_is_known_of_what_they_say(before, truth):
    assert before["nothing"].keys() == {row["msd_track_id"] for row in truth["songs"]}
    assert {value for values in before["nothing"].values() for value in values} == {None}


def test_accepted_matches_alone_say_nothing(before):
    assert {value for (value,) in before["accepted"].values()} == {None}


def test_songs_are_those_with_a_song_file_and_no_others(full, truth):
    assert full.songs("title").keys() == {row["msd_track_id"] for row in truth["songs"]}


def test_songs_say_what_the_side_files_add(full, truth):
    names = [name for name in truth["songs"][0] if name != "msd_track_id"]
    expected = {row["msd_track_id"]: tuple(row[name] for name in names) for row in truth["songs"]}
    assert full.songs(", ".join(names)) == expected
    for number, name in enumerate(names):
        assert any(values[number] for values in expected.values()), f"{name} is nowhere set"


def test_a_song_is_a_duplicate_or_known_to_be_none(full):
    rows = full.songs("is_duplicate, duplicate_of_msd_track_id")
    assert {(is_duplicate, of is not None) for is_duplicate, of in rows.values()} == {
        (False, False),
        (True, True),
    }
    assert {of for _, of in rows.values() if of} <= rows.keys()


def test_years_that_a_song_file_has_stay(full, before):
    after = full.songs("release_year")
    known = {track: year for track, year in before["years"].items() if year != (None,)}
    assert known.items() <= after.items()
    assert len([year for year in after.values() if year != (None,)]) > len(known)


def test_terms_name_every_side_file_that_a_song_draws_on(full):
    columns = "terms_of_use, genre, musixmatch_track_id, listener_count"
    for terms, genre, musixmatch, listeners in full.songs(columns).values():
        expected = ["msd_research"]
        expected += ["tagtraum_research"] if genre else []
        expected += ["musixmatch_research"] if musixmatch else []
        expected += ["taste_profile_research"] if listeners else []
        assert terms == " | ".join(expected)


def test_tags_are_those_of_the_songs_that_are_here(full, truth):
    rows = full.query("select song_id, tag_name, tag_weight from marts.bridge_song_tags")
    assert sorted(rows) == sorted((row["msd_track_id"], row["tag"], row["weight"]) for row in truth["tags"])


def test_coordinates_are_filled_where_the_song_files_have_none(full, truth):
    rows = full.query("select msd_artist_id, latitude, longitude from marts.dim_artists")
    expected = {row["msd_artist_id"]: (row["latitude"], row["longitude"]) for row in truth["artists"]}
    assert {artist: (latitude, longitude) for artist, latitude, longitude in rows} == expected


def test_terms_of_the_database_come_beside_those_of_the_song_files(full, truth):
    rows = full.query(
        "select artist_id, tag_name from marts.bridge_artist_tags "
        "where tag_source = 'echonest' and tag_weight is null"
    )
    expected = {(row["msd_artist_id"], row["added_term"]) for row in truth["artists"] if row["added_term"]}
    assert set(rows) == expected


def test_similar_artists_are_ranked_from_one_without_a_gap(full):
    ranks = full.query(
        "select list(similarity_rank order by similarity_rank) from marts.bridge_similar_artists "
        "group by artist_id"
    )
    assert len(ranks) > 100
    assert all(of_artist == list(range(1, len(of_artist) + 1)) for (of_artist,) in ranks)


MOVED = "tracks_per_year.txt"


@pytest.fixture(scope="module")
def renewed(full: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Half of the mismatches; the listens in three pieces, and the beginning of them in another folder;
    the years in another folder since, half of them."""
    halve(full.side_files / MISMATCHES)
    with zipfile.ZipFile(full.side_files / LISTENS) as archive:
        lines = archive.read(archive.namelist()[0]).splitlines(keepends=True)
    cut = tmp_path_factory.mktemp("downloads") / LISTENS
    cut.write_bytes(b"".join(lines[: len(lines) // 2]))
    full.load(cut)
    third = -(-len(lines) // 3)  # pieces as `split -l` makes them, two of them of one length
    for number, name in enumerate((LISTENS, "piece 2.txt", "piece 3.txt")):
        piece = lines[number * third : (number + 1) * third]
        (full.side_files / name).write_bytes(b"".join(piece))
    full.load()
    moved = tmp_path_factory.mktemp("moved") / MOVED
    shutil.copy2(full.side_files / MOVED, moved)
    halve(moved)
    full.load(moved)
    full.dbt("build", *MODELS_ALONE, "--select", "+dim_songs")
    return full


def halve(file: Path) -> None:
    """Leave every other line."""
    file.write_text("".join(file.read_text().splitlines(keepends=True)[::2]))


def test_a_renewed_file_takes_the_place_of_the_old_one(renewed, truth):
    kept = (renewed.side_files / MISMATCHES).read_text()
    expected = {
        row["msd_track_id"]: (row["is_mismatched"] and row["msd_track_id"] in kept,) for row in truth["songs"]
    }
    assert renewed.songs("is_mismatched") == expected
    assert 0 < sum(value for (value,) in expected.values()) < sum(r["is_mismatched"] for r in truth["songs"])


def test_a_file_read_in_another_folder_takes_the_place_of_the_old_one(renewed):
    years = "select count(*) from staging.stg_reference_files__track_years"
    lines = len((renewed.side_files / MOVED).read_text().splitlines())
    assert renewed.query(years) == [(-(-lines // 2),)]


def test_pieces_of_the_listens_add_up_and_a_cut_copy_does_not(renewed, truth):
    expected = {row["msd_track_id"]: (row["play_count"], row["listener_count"]) for row in truth["songs"]}
    assert renewed.songs("play_count, listener_count") == expected


@pytest.fixture(scope="module")
def stopped(renewed: Warehouse) -> Warehouse:
    """Packed files with a checksum that is not that of their lines: they are no longer known to be right."""
    for name in (LISTENS, MISMATCHES, DUPLICATES):
        packed = bytearray(gzip.compress((renewed.side_files / name).read_bytes()))
        packed[-8] ^= 1  # the checksum
        (renewed.side_files / f"damaged {name}.gz").write_bytes(packed)
    renewed.load(quarantined=3)
    renewed.dbt("build", *MODELS_ALONE, "--select", "+dim_songs")
    return renewed


def test_of_a_file_that_cannot_be_read_to_its_end_only_what_it_names_is_known(stopped):
    columns = "is_mismatched, is_duplicate, play_count, listener_count"
    mismatched, duplicate, plays, listeners = (
        set(values) for values in zip(*stopped.songs(columns).values(), strict=True)
    )
    assert mismatched == {True, None}
    assert duplicate == {True, False, None}  # False is the first of its clique
    assert plays == listeners == {None}

"""A world's songs and tracks through matching and dbt, against its own truth; and what people decide."""

import csv
import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from benchmarks.support.matching_accuracy import build_warehouse
from sandbox.world import World, generate_world
from tests.dbt_project.conftest import REPOSITORY, DbtWorkplace

SEED = "dbt_project/seeds/manual_match_decisions.csv"
DECIDED = (
    "manual_match_decisions",
    "int_song_candidates_scored",
    "int_song_candidates_decided",
    "int_tracks_matched",
    "map_song_tracks",
    "fct_song_match_candidates",
)
UNKNOWN_SONG, UNKNOWN_TRACK, UNKNOWN_FILE = "TR" + "0" * 16, "0" * 22, "0" * 32


class Warehouse:
    """A matched world, and a copy of the dbt project whose manual decisions can be changed."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder = folder
        self._file = build_warehouse(world, folder / "data").warehouse_path
        self._project = folder / "project"
        shutil.copytree(REPOSITORY / "dbt_project", self._project / "dbt_project")
        for name in ("dbt_project.yml", "profiles.example.yml"):
            shutil.copyfile(REPOSITORY / name, self._project / name)
        shutil.copyfile(REPOSITORY / "profiles.example.yml", folder / "profiles.yml")
        self._workplace = DbtWorkplace(folder)

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self._file), read_only=True) as connection:
            return connection.sql(sql).fetchall()

    def decide(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Make these the manual decisions: song, track, accept or reject."""
        with (self._project / SEED).open("a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                [*row, "2026-01-31", "ada", "Heard both, twice."] for row in rows
            )

    def build(self) -> dict[str, str]:
        """Build what follows from decisions, with its data tests; returns what came of each node by name."""
        self._workplace.finish(
            self._workplace.start(
                *("build", "--project-dir", str(self._project), "--exclude-resource-type", "unit_test"),
                *("--indirect-selection", "buildable", "--select", *DECIDED),
            )
        )
        results = self._workplace.read("run_results.json")["results"]
        return {each["unique_id"].split(".")[2]: each["status"] for each in results}


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(1)


@pytest.fixture(scope="module")
def matched(world: World, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("matching"), world)


MAPPED = "select msd_track_id, track_key from marts.map_song_tracks"


@pytest.fixture(scope="module")
def before(matched: Warehouse) -> set[tuple]:
    """The accepted pairs before anybody decided."""
    return set(matched.query(MAPPED))


@pytest.fixture(scope="module")
def decisions(matched: Warehouse, before: set[tuple]) -> dict[str, tuple[str, str]]:
    """Pairs to decide on."""
    (cover,) = matched.query(
        "select msd_track_id, track_key from marts.fct_song_match_candidates "
        "where reject_reason = 'other_artist' order by all limit 1"
    )
    first, last = min(before), max(before)
    return {
        "wrong": first,
        "cover": cover,
        "no candidate": (first[0], last[1]),
        "not here yet": (UNKNOWN_SONG, UNKNOWN_TRACK),
        "a local file": (UNKNOWN_SONG, UNKNOWN_FILE),
    }


@pytest.fixture(scope="module")
def decided(matched: Warehouse, decisions: dict[str, tuple[str, str]]) -> dict[str, str]:
    """What came of each node of a build with decisions."""
    matched.decide((*pair, "reject" if name == "wrong" else "accept") for name, pair in decisions.items())
    return matched.build()


def test_nearly_all_accepted_pairs_are_true_and_nearly_all_true_pairs_accepted(before, world):
    true = {(pair.msd_track_id, pair.spotify_track_id) for pair in world.track_pairs if pair.is_match}
    assert len(before & true) >= 0.99 * len(before)
    assert len(before & true) >= 0.95 * len(true)


def test_artists_are_those_of_the_world(matched, world):
    found = set(matched.query("select msd_artist_id, spotify_artist_id from marts.map_artists"))
    true = {(pair.msd_artist_id, pair.spotify_artist_id) for pair in world.artist_pairs}
    assert len(found & true) >= 0.99 * len(found)
    assert len(found & true) >= 0.95 * len(true)


def test_decisions_are_built_and_hold(decided):
    assert set(decided.values()) <= {"success", "pass"}
    assert decided["manual_decisions_hold"] == "pass"


def test_decisions_change_the_map_and_nothing_else(matched, decided, before, decisions):
    assert decided
    after = set(matched.query(MAPPED))
    assert before - after == {decisions["wrong"]}
    assert after - before == {decisions["cover"], decisions["no candidate"]}


def test_what_was_accepted_by_hand_stands_for_its_song_and_track(matched, decided, decisions):
    assert decided
    for song, track in (decisions["cover"], decisions["no candidate"]):
        assert matched.query(
            "select match_method, confidence_band, is_chosen from marts.fct_song_match_candidates "
            f"where msd_track_id = '{song}' and track_key = '{track}'"
        ) == [("manual", "certain", True)]
        assert matched.query(
            f"select msd_track_id from intermediate.int_tracks_matched where track_key = '{track}'"
        ) == [(song,)]


def test_decisions_that_cannot_be_meant_fail_the_build(matched, decided, decisions):
    assert decided
    matched.decide(
        [(*decisions["cover"], "reject"), (UNKNOWN_SONG, "spotify:track:0", "accept"), ("", "", "perhaps")]
    )
    failed = {name for name, status in matched.build().items() if status == "fail"}
    assert {name.split("_manual_match_decisions")[0] for name in failed} >= {
        "ids_of_manual_decisions_have_their_form",
        "unique_combination_of_columns",
        "accepted_values",
        "not_null",
    }

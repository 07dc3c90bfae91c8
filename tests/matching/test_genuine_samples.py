"""Genuine songs against genuine tracks, where they are at hand: from the files to the decision."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from ingestion.computed import MATCHING
from ingestion.extract import extract
from ingestion.load import load, prepare
from ingestion.msd import MSD
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from ingestion.spotify.run import search_songs
from matching import MODELS_READ
from matching.run import match
from tests.support.captured_api import CapturedApi
from tests.support.spotify_replay import look, run_dbt, settings_of

SONG = "TRAXLZU12903D05F94"
"""The one of which the captured answers hold a track: it is what was searched for when they were captured."""

Query = Callable[[str], list[tuple]]


@pytest.fixture(scope="module")
def captured(genuine_samples):
    with CapturedApi(genuine_samples / "spotify") as api:
        yield api


@pytest.fixture(scope="module")
def query(captured: CapturedApi, genuine_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Query:
    """Asks the warehouse of a run: songs, playlists, a search for each song, matching, the decision."""
    home = tmp_path_factory.mktemp("genuine")
    settings = settings_of(captured, home / "data", SPOTIFY_DAILY_REQUESTS="1000")
    prepare(settings, SOURCES)
    extract(settings, MSD, genuine_samples / "msd")
    look(settings, captured, captured.day, [*captured.whole])
    load(settings, MSD)
    load(settings, SPOTIFY)
    run_dbt(home, "+int_songs_unmatched")
    search_songs(settings)
    load(settings, SPOTIFY)
    run_dbt(home, *(f"+{name}" for _, name in MODELS_READ))
    match(settings)
    load(settings, MATCHING)
    run_dbt(home, "source:matching+,+fct_song_match_candidates", "source:matching+,+map_song_tracks")

    def ask(sql: str) -> list[tuple]:
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
            return warehouse.sql(sql).fetchall()

    return ask


def test_every_candidate_is_a_song_and_a_track_that_the_samples_hold(query):
    (counts,) = query("select song_count, track_count, candidate_count from raw_matching.runs")
    songs, tracks, candidates = counts
    files = query("select count(*) from staging.stg_msd__songs")
    assert (songs,) == files[0]
    assert songs > 0 < tracks
    shown = query("select msd_track_id, track_key from marts.fct_song_match_candidates")
    assert len(shown) == len(set(shown)) == candidates > 0


def test_what_is_accepted_has_words_of_the_title_and_of_the_artist_in_common(query):
    accepted = query(
        "select song_title, track_title, song_artist_name, track_artist_name "
        "from marts.fct_song_match_candidates where is_accepted"
    )
    for names in accepted:
        title, other_title, artist, other_artist = (set(name.lower().split()) for name in names)
        assert title & other_title, names
        assert artist & other_artist, names


def test_the_song_is_its_track_and_none_of_the_covers(query, captured):
    found = captured.search["tracks"]["items"]
    (its_own,) = (one["id"] for one in found if one["artists"][0]["name"] == "Rick Astley")
    assert query("select msd_track_id, spotify_track_id from marts.map_song_tracks") == [(SONG, its_own)]
    rejected = query(
        "select spotify_track_id, reject_reason from marts.fct_song_match_candidates "
        f"where msd_track_id = '{SONG}' and not is_accepted"
    )
    assert set(rejected) == {(one["id"], "other_artist") for one in found if one["id"] != its_own}

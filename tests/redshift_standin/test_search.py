"""The songs to search for, read from the stand-in as they are from DuckDB."""

from contextlib import closing

import pytest

from ingestion.config import load_settings
from ingestion.lake import Lake
from ingestion.spotify.run import SONGS_TO_SEARCH, search_songs
from ingestion.spotify.search import Song
from sandbox import generate_world
from sandbox.spotify_api import SpotifyApi as Server
from tests.redshift_standin.clients import by_redshift_connector, run
from tests.support.spotify_machine import rows_in
from tests.support.spotify_replay import environment_of

DATABASE = "search"


@pytest.fixture
def songs():
    world = generate_world()
    pairs = {pair.msd_track_id for pair in world.track_pairs if pair.matches_exactly}
    found = [Song(one.track_id, one.title, one.artist_name) for one in world.songs if one.track_id in pairs]
    return found[:6]


def test_songs_in_the_stand_in_are_searched_for_most_popular_first(stand_in, songs, tmp_path):
    stand_in.add_database(DATABASE)
    schema, table = SONGS_TO_SEARCH
    with Server(generate_world(), app="extended") as server:
        settings = load_settings(
            {
                **environment_of(server, tmp_path / "data"),
                **stand_in.environment,
                "REDSHIFT_DATABASE": DATABASE,
            }
        )
        assert search_songs(settings, 4).songs_searched == 0, "there is no such table yet"
        with closing(by_redshift_connector(stand_in, database=DATABASE)) as connection:
            connection.autocommit = True
            run(
                connection,
                f"create schema {schema}",
                f"create table {schema}.{table} (msd_track_id varchar(72), title varchar(1000), "
                "artist_name varchar(1000), popularity_rank bigint)",
            )
            with connection.cursor() as cursor:
                for rank, song in reversed([*enumerate(songs, 1)]):
                    row = (song.msd_track_id, song.title, song.artist_name, rank)
                    cursor.execute(f"insert into {schema}.{table} values (%s, %s, %s, %s)", row)
        result = search_songs(settings, 4)
        asked = [
            r.query["q"] for r in server.requests if r.template == "/v1/search" and r.query["limit"] != "1"
        ]
    assert result.songs_found == 4
    assert asked == [song.queries[0] for song in songs[:4]]
    searched = {row["msd_track_id"] for row in rows_in(Lake(settings.lake_url), "track_searches")}
    assert searched == {song.msd_track_id for song in songs[:4]}

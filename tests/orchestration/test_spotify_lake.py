"""What the graph asks of the Web API: playlists first, then songs, as many as a setting says."""

import dagster as dg
import pytest

from ingestion.spotify.search import Song
from orchestration.lake import spotify_lake_asset
from sandbox import generate_world
from sandbox.spotify_api import SpotifyApi as Server
from sandbox.spotify_api import faults
from tests.support.spotify_replay import environment_of, write_songs_to_search

SONGS = 8


@pytest.fixture(scope="module")
def server():
    with Server(generate_world(), app="extended") as server:
        yield server


@pytest.fixture(autouse=True)
def environment(server, tmp_path, monkeypatch):
    """An app, and a warehouse with songs that can be searched for; no playlists and no user."""
    pairs = {pair.msd_track_id for pair in server.world.track_pairs if pair.matches_exactly}
    songs = [
        Song(one.track_id, one.title, one.artist_name) for one in server.world.songs if one.track_id in pairs
    ]
    write_songs_to_search(tmp_path / "data", songs[:SONGS])
    for name, value in environment_of(server, tmp_path / "data").items():
        monkeypatch.setenv(name, value)
    server.requests.reset()
    yield
    server.faults.clear()


@pytest.fixture
def playlists(server, tmp_path, monkeypatch):
    """A file with the ids of two playlists, which the settings name."""
    file = tmp_path / "ids"
    file.write_text("\n".join(one.playlist_id for one in server.world.playlists_on(server.day)[:2]))
    monkeypatch.setenv("SPOTIFY_PLAYLIST_IDS", str(file))


def materialise():
    """Have the graph ask; gives what it says about that."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([spotify_lake_asset], instance=instance).success
        event = instance.get_latest_materialization_event(spotify_lake_asset.key)
    return {name: entry.value for name, entry in event.asset_materialization.metadata.items()}


def searches(server):
    return [r for r in server.requests if r.template == "/v1/search" and r.query["limit"] != "1"]


@pytest.mark.usefixtures("playlists")
def test_songs_are_searched_for_only_where_a_setting_says_how_many(server):
    said = materialise()
    assert (said["playlists_read"], "songs_searched" in said) == (2, False)
    assert searches(server) == []


@pytest.mark.usefixtures("playlists")
def test_after_the_playlists_as_many_songs_as_set_are_searched_for(server, monkeypatch):
    monkeypatch.setenv("SPOTIFY_SEARCH_SONGS", "5")
    said = materialise()
    assert (said["playlists_read"], said["songs_searched"], said["songs_found"]) == (2, 5, 5)
    assert (said["songs_failed"], "problem" in said) == (0, False)
    assert (said["rows_playlists"], said["rows_track_searches"]) == (2, 5)
    assert said["rows_extraction_log"] > 3, "of both"
    asked = [r.template for r in server.requests if r.path.startswith("/v1/") and r.template != "/v1/artists"]
    assert asked[-5:] == ["/v1/search"] * 5
    assert materialise()["songs_searched"] == SONGS - 5


def test_without_playlists_songs_are_searched_for_all_the_same(server, monkeypatch):
    assert "no user has authorised the app" in materialise()["problem"]
    monkeypatch.setenv("SPOTIFY_SEARCH_SONGS", "3")
    said = materialise()
    assert (said["playlists_read"], said["songs_found"], "problem" in said) == (0, 3, False)
    assert len(searches(server)) == 3


@pytest.mark.usefixtures("playlists")
def test_where_the_day_s_requests_are_spent_the_graph_goes_on(monkeypatch):
    monkeypatch.setenv("SPOTIFY_SEARCH_SONGS", "5")
    monkeypatch.setenv("SPOTIFY_DAILY_REQUESTS", "6")
    said = materialise()
    assert (said["playlists_read"], said["songs_searched"]) == (2, 0)
    assert said["search_resume_at"]
    assert "for enrichment are spent" in said["stopped_by"]


def test_songs_that_spotify_will_not_search_for_are_counted(server, monkeypatch):
    monkeypatch.setenv("SPOTIFY_SEARCH_SONGS", "3")
    server.faults.script(faults.html(400), path="/v1/search", nth=3)
    said = materialise()
    assert (said["songs_searched"], said["songs_failed"], "problem" in said) == (3, 1, False)


def test_an_app_that_may_not_search_is_a_problem_that_the_graph_tells_of(server, monkeypatch):
    monkeypatch.setenv("SPOTIFY_SEARCH_SONGS", "3")
    server.faults.script(faults.html(403), path="/v1/search", times=None)
    said = materialise()
    assert "may not search" in said["problem"]
    assert said["songs_searched"] == 0

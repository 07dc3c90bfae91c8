"""The world itself: its size, its noise, the truth about both sides, and the playlists' history."""

import math
import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise

import pytest

from sandbox.model import apply_changes


def normalised(text: str) -> str:
    """Case and punctuation ignored, nothing else."""
    return " ".join(re.sub(r"[^\w\s]", "", text.casefold()).split())


@pytest.fixture(scope="module")
def songs(world):
    return {song.track_id: song for song in world.songs}


def looks_equal(world, songs, pair) -> bool:
    song, track = songs[pair.msd_track_id], world.tracks[pair.spotify_track_id]
    artist = world.spotify_artists[track.artist_ids[0]]
    return (normalised(song.title), normalised(song.artist_name)) == (
        normalised(track.name),
        normalised(artist.name),
    )


def test_the_world_has_the_size_it_promises(world):
    assert len(world.songs) >= 1000
    assert len({song.artist.artist_id for song in world.songs}) >= 200
    assert len(world.playlists_on(world.days[-1])) == 300
    assert len(world.days) == 10


def test_ids_are_unique_and_shaped_like_the_sources_ids(world):
    assert len({song.track_id for song in world.songs}) == len(world.songs)
    assert all(re.fullmatch(r"TR[A-Z]{5}(128F[0-9A-F]{7}|12903[0-9A-F]{6})", s.track_id) for s in world.songs)
    assert all(re.fullmatch(r"SO[A-Z]{5}[0-9A-F]{11}", song.song_id) for song in world.songs)
    for things in (world.tracks, world.albums, world.spotify_artists, world.episodes):
        assert all(re.fullmatch(r"[0-9A-Za-z]{22}", identifier) for identifier in things)
    assert len({playlist.playlist_id for playlist in world.playlists}) == len(world.playlists)
    isrcs = {track.isrc for track in world.tracks.values() if track.isrc}
    assert all(re.fullmatch(r"[A-Z]{5}\d{7}", isrc) for isrc in isrcs)


def test_values_are_missing_as_often_as_in_the_dataset(world):
    def share(is_missing):
        return sum(map(is_missing, world.songs)) / len(world.songs)

    assert share(lambda song: song.year == 0) == pytest.approx(0.532, abs=0.05)
    assert share(lambda song: math.isnan(song.song_hotttnesss)) == pytest.approx(0.435, abs=0.05)
    assert share(lambda song: song.song_hotttnesss == 0.0) == pytest.approx(0.143, abs=0.05)
    assert share(lambda song: song.artist.mbid == "") == pytest.approx(0.072, abs=0.05)
    assert share(lambda song: not song.title.isascii()) == pytest.approx(0.036, abs=0.015)


def test_the_dataset_holds_some_recordings_twice_under_other_track_ids(world):
    again = Counter((song.title, song.artist.artist_id) for song in world.songs)
    assert sum(count > 1 for count in again.values()) >= 20


def test_some_songs_are_on_one_side_only(world):
    on_spotify = {pair.msd_track_id for pair in world.track_pairs if pair.is_match}
    on_msd = {pair.spotify_track_id for pair in world.track_pairs if pair.is_match}
    assert 0.7 < len(on_spotify) / len(world.songs) < 0.95
    assert 0.5 < len(on_msd) / len(world.tracks) < 0.9


def test_about_half_of_the_songs_match_when_case_and_punctuation_are_ignored(world):
    exact = {pair.msd_track_id for pair in world.track_pairs if pair.matches_exactly}
    assert 0.45 < len(exact) / len(world.songs) < 0.60


def test_a_match_is_exact_if_and_only_if_its_noise_is_harmless(world, songs):
    for pair in world.track_pairs:
        if pair.is_match:
            assert pair.matches_exactly == looks_equal(world, songs, pair), pair


def test_a_true_match_lasts_as_long_within_a_few_seconds(world, songs):
    for pair in world.track_pairs:
        off = world.tracks[pair.spotify_track_id].duration_ms / 1000 - songs[pair.msd_track_id].duration
        if pair.is_match:
            assert abs(off) < (2.5 if "duration" in pair.noise else 0.6)
            assert abs(off) > 0.8 or "duration" not in pair.noise


def test_noise_labels_tell_what_differs(world, songs):
    for pair in world.track_pairs:
        song, track = songs[pair.msd_track_id], world.tracks[pair.spotify_track_id]
        assert (track.isrc is None) == ("missing_isrc" in pair.noise)
        assert ("emaster" in track.name) == ("remastered" in pair.noise)
        if pair.is_match:
            assert (not song.title.isascii() and track.name.isascii()) <= ("accents" in pair.noise)
            assert ("feat" in pair.noise) <= (len(track.artist_ids) == 2)
            assert ("album_version" in pair.noise) == song.title.endswith(" Version)")


def test_every_kind_of_noise_occurs(world):
    labels = {label for pair in world.track_pairs if pair.is_match for label in pair.noise}
    assert labels >= {
        "accents",
        "album_version",
        "artist_accents",
        "artist_ampersand",
        "artist_article",
        "artist_case",
        "artist_feat",
        "case",
        "duration",
        "feat",
        "live_wording",
        "missing_isrc",
        "punctuation",
        "remastered",
        "rerelease",
        "spelling",
        "subtitle",
    }
    assert {pair.relation for pair in world.track_pairs} == {"same_recording", "live", "remix", "cover"}


def test_releases_of_one_recording_share_an_isrc_and_look_alikes_do_not(world):
    codes = defaultdict(set)
    for pair in world.track_pairs:
        codes[pair.msd_track_id, pair.is_match].add(world.tracks[pair.spotify_track_id].isrc)
    for (msd_track_id, is_match), isrcs in codes.items():
        if is_match:
            assert len(isrcs - {None}) <= 1
            assert not (isrcs & codes.get((msd_track_id, False), set())) - {None}


def test_a_few_look_alikes_can_only_be_told_by_their_duration(world, songs):
    traps = [pair for pair in world.track_pairs if not pair.is_match and looks_equal(world, songs, pair)]
    assert traps
    for pair in traps:
        assert pair.relation == "live"


def test_some_artists_have_almost_the_same_name(world):
    names = {artist.name for artist in world.artists}
    twins = {
        name for name in names if name.removeprefix("The ") != name and name.removeprefix("The ") in names
    }
    assert twins
    assert len(names) == len(world.artists)


def test_what_items_and_tracks_refer_to_exists(world):
    for track in world.tracks.values():
        assert track.album_id in world.albums
        assert world.spotify_artists.keys() >= set(track.artist_ids)
        assert track.track_number <= world.albums[track.album_id].total_tracks
    for playlist in world.playlists:
        assert playlist.owner_id in world.users
        for version in playlist.versions.values():
            for item in version.items:
                assert (item.uri is None) == (item.kind == "unavailable")
                assert item.uri is None or world.thing(item.uri)
                assert not item.added_by or item.added_by in world.users


def test_replaying_the_changes_of_each_day_gives_its_items(world):
    for playlist in world.playlists:
        by_day = defaultdict(list)
        for change in playlist.changes:
            by_day[change.day].append(change)
        days = list(playlist.versions)
        assert by_day.keys() <= set(days[1:])
        items = playlist.versions[days[0]].items
        for day in days[1:]:
            items = apply_changes(items, by_day[day])
            assert items == playlist.versions[day].items


def test_a_days_difference_is_what_was_added_and_removed_on_it(world):
    for playlist in world.playlists:
        days = list(playlist.versions)
        for before, day in pairwise(days):
            old, new = Counter(playlist.versions[before].items), Counter(playlist.versions[day].items)
            today = [change for change in playlist.changes if change.day == day]
            assert new - old == Counter(change.item for change in today if change.kind == "added")
            assert old - new == Counter(change.item for change in today if change.kind == "removed")


def test_the_snapshot_id_changes_exactly_when_the_playlist_does(world):
    for playlist in world.playlists:
        versions = list(playlist.versions.values())
        for before, after in pairwise(versions):
            assert (before.snapshot_id == after.snapshot_id) == (before == after)


def test_playlists_appear_disappear_stay_and_change_in_every_way(world):
    assert any(world.days[0] not in playlist.versions for playlist in world.playlists)
    assert any(world.days[-1] not in playlist.versions for playlist in world.playlists)
    assert any(not playlist.changes for playlist in world.playlists)
    assert {change.kind for playlist in world.playlists for change in playlist.changes} == {
        "added",
        "removed",
        "moved",
    }
    relabelled = [
        (before, after)
        for playlist in world.playlists
        for before, after in pairwise(playlist.versions.values())
        if before != after and before.items == after.items
    ]
    assert relabelled


def test_odd_items_are_a_few_percent(world):
    items = [
        item
        for playlist in world.playlists_on(world.days[-1])
        for item in playlist.versions[world.days[-1]].items
    ]
    kinds = Counter(item.kind for item in items)
    assert kinds.keys() == {"track", "episode", "local", "unavailable"}
    assert 0.9 < kinds["track"] / len(items) < 0.99
    assert any(item.added_at is None for item in items)
    assert any(item.added_at and item.added_at.year == 1970 for item in items)


def test_new_releases_are_added_soon_and_never_before_they_are_out(world):
    ages = []
    for playlist in world.playlists_on(world.days[-1]):
        for item in playlist.versions[world.days[-1]].items:
            if item.kind == "track" and item.added_at and item.added_at.year > 1970:
                released = world.albums[world.thing(item.uri).album_id].release_date
                # No re-release of the dataset's music is as young.
                if released > "2022":
                    assert released <= item.added_at.date().isoformat()
                    if len(released) == len("2022-01-31"):
                        ages.append(item.added_at.date() - date.fromisoformat(released))
    assert sum(age < timedelta(days=180) for age in ages) > 10

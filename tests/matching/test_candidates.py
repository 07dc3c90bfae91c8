"""Which pairs are candidates, in what they differ, and what bounds them."""

from pathlib import Path

import pytest

from matching.candidates import NEAREST, NEAREST_HOWEVER_LONG, TRACKS_PER_SONG
from matching.features import OTHER_TITLE
from sandbox import generate_world
from tests.support.matching import Found, of_world, song, tables, track

REPOSITORY = Path(__file__).resolve().parents[2]

SEEDS = (1, 2, 3)


def pair(one: dict, other: dict, credits: list[dict] = ()) -> dict:
    """The one candidate that a song and a track make."""
    return Found(tables([one], [other], credits)).pairs["S", "T"]


def is_found(one: dict, other: dict) -> bool:
    return ("S", "T") in Found(tables([one], [other])).pairs


def test_equal_songs_are_a_candidate_that_differs_in_nothing():
    assert pair(song("S"), track("T")) == {
        "msd_track_id": "S",
        "track_key": "T",
        "found_by": "artist title",
        "title_similarity": 1.0,
        "full_title_similarity": 1.0,
        "artist_similarity": 1.0,
        "guest_similarity": None,
        "release_similarity": 1.0,
        "duration_difference_seconds": 0.0,
        "year_difference": 0,
        "song_versions": "",
        "track_versions": "",
        "song_editions": "",
        "track_editions": "",
    }


def test_differences_are_the_tracks_value_minus_the_songs():
    found = pair(song("S"), track("T", duration_seconds=203.5, release_year=1988))
    assert (found["duration_difference_seconds"], found["year_difference"]) == (3.5, -2)


def test_all_tracks_of_a_recording_are_candidates():
    tracks = [track(f"T{n}", title, release_name=f"Album {n}") for n, title in enumerate(["Song"] * 12)]
    assert len(Found(tables([song("S")], tracks)).pairs) == 12


@pytest.mark.parametrize(
    ("title", "artist"),
    [
        ("Sogn of the Sirens", "Artist"),
        ("Song of the Siren", "Artist"),
        ("SONG OF THE SIRENS", "Artist"),
        ("Song of the Sirens - Remastered", "The Artist"),
        ("Song of the Sirens (feat. Somebody)", "Artist & Somebody"),
        ("Song of the Sirens", "Artits"),
        ("Song of the Sirens", "Artist feat. Somebody"),
    ],
)
def test_what_is_written_otherwise_is_found(title, artist):
    one = song("S", "Song of the Sirens", duration_seconds=200)
    assert is_found(one, track("T", title, artist, duration_seconds=230))


def test_other_songs_by_the_same_artist_are_not_candidates():
    assert not is_found(song("S", "Song of the Sirens"), track("T", "Paper Moon"))


def test_a_cover_is_a_candidate_with_another_artist():
    found = pair(
        song("S", "Paper Moon", "Artist"), track("T", "Paper Moon", "Somebody", duration_seconds=250)
    )
    assert found["found_by"] == "title"
    assert found["artist_similarity"] < 0.5


def test_a_live_take_is_a_candidate_with_another_version():
    found = pair(song("S"), track("T", "Song - Live at Wembley / 1986", duration_seconds=240))
    assert (found["song_versions"], found["track_versions"], found["title_similarity"]) == ("", "live", 1.0)
    assert found["full_title_similarity"] < 1


def test_a_release_that_is_a_concert_makes_its_tracks_live():
    found = pair(
        song("S", release_name="Live in Oslo"), track("T", "Song (Acoustic)", release_name="X (Live)")
    )
    assert (found["song_versions"], found["track_versions"]) == ("live", "acoustic live")


def test_editions_are_no_versions():
    found = pair(song("S", "Song (LP Version)"), track("T", "Song - Mono / 2011 Remaster"))
    assert (found["song_versions"], found["track_versions"]) == ("", "")
    assert (found["song_editions"], found["track_editions"]) == ("album", "mono remaster")


def test_an_equal_name_is_more_alike_than_one_without_the_article():
    found = Found(
        tables(
            [song("S", artist="The Comets")], [track("T", artist="Comets"), track("U", artist="The Comets")]
        )
    )
    assert found.pairs["S", "T"]["artist_similarity"] == 0.98
    assert found.pairs["S", "U"]["artist_similarity"] == 1.0


def test_of_a_tracks_artists_the_most_similar_counts():
    credits = [{"spotify_track_id": "T", "artist_name": name} for name in ("Somebody", "Artist")]
    found = pair(song("S"), track("T", artist="Somebody", duration_seconds=300), credits)
    assert (found["artist_similarity"], found["found_by"]) == (1.0, "artist title")


@pytest.mark.parametrize(
    ("one", "other", "similarity"),
    [
        (song("S", "Song (feat. Guest)"), track("T", "Song (with Guest)"), 1.0),
        (song("S", artist="Artist feat. Guest"), track("T", "Song - feat. Guest"), 1.0),
        (song("S"), track("T", "Song (feat. Guest)"), 0.0),
        (song("S", artist="Artist and Guest"), track("T", "Song (feat. Guest)"), None),
        (song("S"), track("T"), None),
    ],
)
def test_guests_are_compared_where_either_side_names_some(one, other, similarity):
    assert pair(one, other)["guest_similarity"] == similarity


def test_other_credited_artists_are_guests():
    credits = [{"spotify_track_id": "T", "artist_name": name} for name in ("Artist", "Guest")]
    assert pair(song("S", "Song (feat. Guest)"), track("T"), credits)["guest_similarity"] == 1.0


def test_parts_of_a_work_are_not_alike():
    found = pair(song("S", "Echoes of the Sirens (Part 1)"), track("T", "Echoes of the Sirens (Part 2)"))
    assert found["title_similarity"] == 0.75


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Skit (Foo)", "Skit (Another)"),
        ("Sonata in A (Allegro)", "Sonata in A (Andante)"),
        ("Symphony No. 5: I. Allegro", "Symphony No. 5: II. Allegro"),
        ("Symphony No. 5: IV. Allegro", "Symphony No. 5 - V. Allegro"),
        ("Interlude", "Interlude 2"),
        ("Interlude", "Interlude II"),
        ("Interlude II", "Interlude III"),
        ("Intermission 2", "Intermission"),
    ],
)
def test_titles_that_differ_in_a_number_or_a_remark_are_not_alike(one, other):
    assert pair(song("S", one), track("T", other))["title_similarity"] <= 0.75


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Skit (Foo)", "Skit"),
        ("Skit (Foo)", "Skit (Live)"),
        ("Skit (Foo the Bar)", "Skit (Foo Bar)"),
        ("(I Can't Get No) Satisfaction", "Satisfaction (I Can't Get No)"),
        ("Symphony No. 5: II. Allegro", "Symphony No. 5 - 2. Allegro"),
        ("Interlude II", "Interlude (2)"),
        ("1999", "1999"),
        ("22", "22 (Remastered)"),
    ],
)
def test_titles_that_differ_in_a_tag_or_the_way_of_writing_are_equal(one, other):
    assert pair(song("S", one), track("T", other))["title_similarity"] == 1.0


def test_titles_that_differ_in_a_number_are_no_more_alike_than_what_the_decision_forbids():
    rules = (REPOSITORY / "dbt_project" / "macros" / "match_rule.sql").read_text()
    assert f"'other_title_limit': {OTHER_TITLE}," in rules


def test_a_part_that_one_side_leaves_out_is_no_other_number():
    found = pair(song("S", "Echoes of the Quiet Sirens"), track("T", "Echoes of the Quiet Sirens, Pt. 1"))
    assert found["title_similarity"] > 0.8


def test_a_track_with_the_isrc_of_a_candidate_is_one_too():
    isrc = {"isrc": "QZ0000000001"}
    tracks = [track("T", **isrc), track("U", "Quite another name", **isrc), track("V", "Yet another name")]
    found = Found(tables([song("S")], tracks)).pairs
    assert {key: row["found_by"] for key, row in found.items()} == {
        ("S", "T"): "artist title",
        ("S", "U"): "isrc",
    }


def test_what_spotifys_search_found_is_a_candidate():
    results = [
        {"msd_track_id": "S", "spotify_track_id": "T"},
        {"msd_track_id": "S", "spotify_track_id": "unknown"},
        {"msd_track_id": "unknown", "spotify_track_id": "T"},
    ]
    found = Found(tables([song("S")], [track("T", "Another name", "Somebody")], found=results)).pairs
    assert {key: row["found_by"] for key, row in found.items()} == {("S", "T"): "search"}


@pytest.mark.parametrize(
    ("title", "artist"), [("夜の港", "遠い灯台"), ("Тихая река", "Кино"), ("!!!", "!!!")]
)
def test_titles_and_names_of_all_scripts_are_found(title, artist):
    assert pair(song("S", title, artist), track("T", title, artist))["title_similarity"] == 1.0
    assert not is_found(song("S", title, artist), track("T", "別の歌", artist))


def test_what_is_missing_is_null():
    nothing = {"release_name": None, "release_year": None, "duration_seconds": None}
    found = pair(song("S", **nothing), track("T", **nothing))
    assert found["found_by"] == "artist"
    for column in ("release_similarity", "year_difference", "duration_difference_seconds"):
        assert found[column] is None


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_a_missing_title_or_name_is_like_no_other(missing):
    assert not is_found(song("S", missing), track("T", missing))
    found = pair(song("S", "Paper Moon", missing), track("T", "Paper Moon", missing))
    assert (found["found_by"], found["artist_similarity"]) == ("title", None)


def test_nothing_is_found_where_a_side_is_empty():
    assert Found(tables()).pairs == {}
    assert Found(tables(songs=[song("S")])).pairs == {}
    assert Found(tables(tracks=[track("T")])).artists == {}


def test_of_tracks_by_anyone_under_a_common_title_the_nearest_are_candidates_and_the_rest_is_counted():
    tracks = [
        track(f"T{n:02}", "Intro", f"Somebody {chr(65 + n)}{chr(65 + n)}", duration_seconds=200 + n / 10)
        for n in range(20)
    ]
    found = Found(tables([song("S", "Intro", "Quite Different")], tracks))
    assert set(found.pairs) == {("S", f"T{n:02}") for n in range(NEAREST)}
    assert found.skipped == 20 - NEAREST


def test_few_tracks_under_a_title_are_candidates_however_long():
    tracks = [track(f"T{n}", "Intro", f"Somebody {n}", duration_seconds=400 + n) for n in range(20)]
    found = Found(tables([song("S", "Intro", "Quite Different")], tracks))
    assert set(found.pairs) == {("S", f"T{n}") for n in range(NEAREST_HOWEVER_LONG)}


def test_of_one_artists_tracks_under_a_common_title_the_nearest_are_candidates_and_the_rest_is_counted():
    tracks = [track(f"T{n:03}", "Allegro", duration_seconds=200 + n) for n in range(TRACKS_PER_SONG + 10)]
    found = Found(tables([song("S", "Allegro")], tracks))
    assert set(found.pairs) == {("S", f"T{n:03}") for n in range(TRACKS_PER_SONG)}
    assert found.skipped >= 10


def test_artists_with_names_alike_are_pairs_whatever_they_sing():
    songs = [song("S", "One", "The Comets"), song("R", "Two", "Artist feat. Guest", msd_artist_id="AR A")]
    tracks = [
        track("T", "Three", "Comets"),
        track("U", "Four", "Comet"),
        track("V", "Five", "Artist & Friends"),
        track("W", "Six", "Quite Different"),
    ]
    assert Found(tables(songs, tracks)).artists == {
        ("AR The Comets", "key of Comets"): 0.98,
        ("AR The Comets", "key of Comet"): pytest.approx(10 / 11),
        ("AR A", "key of Artist & Friends"): 0.9,
    }


@pytest.fixture(scope="module", params=SEEDS)
def world(request):
    return generate_world(request.param)


@pytest.fixture(scope="module")
def found(world) -> Found:
    return Found(of_world(world))


def test_nearly_all_that_is_the_same_in_a_made_up_world_is_among_the_candidates(world, found):
    true = [each for each in world.track_pairs if each.is_match and world.tracks[each.spotify_track_id].name]
    hit = sum((each.msd_track_id, each.spotify_track_id) in found.pairs for each in true)
    assert hit >= 0.99 * len(true)


@pytest.mark.parametrize("relation", ["live", "remix", "cover"])
def test_so_is_nearly_all_that_could_be_taken_for_the_same(world, found, relation):
    others = [each for each in world.track_pairs if each.relation == relation]
    hit = sum((each.msd_track_id, each.spotify_track_id) in found.pairs for each in others)
    assert hit >= 0.9 * len(others) > 0


def test_so_are_nearly_all_artists_that_are_the_same(world, found):
    singing = {song.artist.artist_id for song in world.songs}
    heard = {track.artist_ids[0] for track in world.tracks.values() if track.name}
    true = [
        each
        for each in world.artist_pairs
        if each.msd_artist_id in singing and each.spotify_artist_id in heard
    ]
    hit = sum((each.msd_artist_id, each.spotify_artist_id) in found.artists for each in true)
    assert hit >= 0.99 * len(true)

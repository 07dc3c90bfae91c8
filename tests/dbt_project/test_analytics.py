"""The analytic marts of the sandbox against plain Python, and the cookbook's answers."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations

import duckdb
import pytest

from tests.support.checkout import ROOT, first_run_of_all
from tests.support.cookbook import answer, recipes

RAREST_SONGS, BASKET = 80, 30
"""Of a playlist: the songs by which others are looked for, and those that count for co-occurrence."""

FOUND = re.compile(r"In the sandbox about (\d+) % of the pairs\s+above the thresholds are found")
"""What docs/metrics.md says of the overlaps."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the sandbox, as `make run` builds it."""
    with duckdb.connect(str(first_run_of_all(tmp_path_factory).warehouse), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def playlists(sandbox) -> dict[str, set[str]]:
    """The songs of each playlist that is there now."""
    songs = defaultdict(set)
    for playlist_id, song_id in sandbox.execute(
        "select playlist_id, song_id from marts.fct_playlist_tracks "
        "inner join marts.dim_playlists using (playlist_id) where song_id is not null and is_available"
    ).fetchall():
        songs[playlist_id].add(song_id)
    return dict(songs)


@pytest.fixture(scope="module")
def source_of(sandbox) -> dict[str, str]:
    """Where each playlist comes from."""
    return dict(sandbox.execute("select playlist_id, source_system from marts.dim_playlists").fetchall())


@pytest.fixture(scope="module")
def artist_of(sandbox) -> dict[str, str | None]:
    """The artist of each song."""
    return dict(sandbox.execute("select song_id, artist_id from marts.dim_songs").fetchall())


@pytest.fixture(scope="module")
def overlaps(sandbox) -> dict[tuple[str, str], tuple]:
    """Shared songs, Jaccard index and containment of each pair that the mart holds."""
    return {
        (a, b): figures
        for a, b, *figures in sandbox.execute(
            "select playlist_a_id, playlist_b_id, shared_song_count, jaccard, containment "
            "from marts.agg_playlist_overlaps"
        ).fetchall()
    }


@pytest.fixture(scope="module")
def expected_overlaps(playlists) -> dict[tuple[str, str], list]:
    """The same by comparing every playlist with every other one."""
    found = {}
    for a, b in combinations(sorted(playlists), 2):
        shared = len(playlists[a] & playlists[b])
        containment = shared / min(len(playlists[a]), len(playlists[b]))
        if shared >= 3 and containment >= 0.2:
            found[a, b] = [shared, shared / len(playlists[a] | playlists[b]), containment]
    return found


def test_overlaps_are_those_that_comparing_every_pair_finds(overlaps, expected_overlaps):
    assert overlaps
    for pair, figures in overlaps.items():
        assert figures == pytest.approx(expected_overlaps[pair]), pair


def test_no_overlap_is_missing_of_playlists_whose_songs_all_count(overlaps, expected_overlaps, playlists):
    within = {
        pair for pair in expected_overlaps if all(len(playlists[each]) <= RAREST_SONGS for each in pair)
    }
    assert len(within) > 1_000
    assert within - overlaps.keys() == set()


def test_as_many_overlaps_are_found_as_the_documentation_says(overlaps, expected_overlaps):
    (percent,) = FOUND.findall((ROOT / "docs" / "metrics.md").read_text())
    assert 100 * len(overlaps) / len(expected_overlaps) == pytest.approx(int(percent), abs=1)


def baskets_of(things: dict[str, set[str]]) -> dict[str, set[str]]:
    """Of each playlist the things that its lot falls on."""

    def lot(playlist_id: str, thing: str) -> str:
        return hashlib.md5(f"{playlist_id}|{thing}".encode()).hexdigest()

    return {
        playlist_id: set(sorted(its, key=lambda thing: lot(playlist_id, thing))[:BASKET])
        for playlist_id, its in things.items()
    }


@pytest.mark.parametrize("entity", ["song", "artist"])
def test_cooccurrences_are_those_that_counting_finds(entity, sandbox, playlists, source_of, artist_of):
    things = playlists
    if entity == "artist":
        things = {id_: {artist_of[song] for song in songs} - {None} for id_, songs in playlists.items()}
    assert any(len(its) > BASKET for its in things.values()), "no playlist is long enough"
    baskets = {id_: basket for id_, basket in baskets_of(things).items() if basket}
    totals = Counter(source_of[id_] for id_ in baskets)
    alone = Counter((source_of[id_], thing) for id_, basket in baskets.items() for thing in basket)
    together = Counter(
        (source_of[id_], *pair) for id_, basket in baskets.items() for pair in combinations(sorted(basket), 2)
    )
    expected = {
        (source, a, b): [
            count,
            count / totals[source],
            count / alone[source, a],
            count / alone[source, b],
            count * totals[source] / alone[source, a] / alone[source, b],
        ]
        for (source, a, b), count in together.items()
        if count >= 3
    }
    found = {
        (source, a, b): figures
        for source, a, b, *figures in sandbox.execute(
            f"select source_system, {entity}_a_id, {entity}_b_id, playlist_count, support, "
            f"confidence_a_to_b, confidence_b_to_a, lift from marts.agg_{entity}_cooccurrences"
        ).fetchall()
    }
    assert found.keys() == expected.keys() != set()
    for key, figures in found.items():
        assert figures == pytest.approx(expected[key]), key


def test_reach_is_in_how_many_playlists_and_what_their_followers_add_up_to(sandbox, playlists):
    followers = dict(
        sandbox.execute(
            "select playlist_id, follower_count from marts.dim_playlists where is_available"
        ).fetchall()
    )
    expected = defaultdict(lambda: [0, 0])
    for playlist_id, songs in playlists.items():
        if playlist_id in followers:
            for song_id in songs:
                expected[song_id][0] += 1
                expected[song_id][1] += followers[playlist_id] or 0
    found = {
        song_id: figures
        for song_id, *figures in sandbox.execute(
            "select song_id, sum(playlist_count), coalesce(sum(followers_reached), 0) "
            "from marts.agg_song_reaches group by song_id having sum(playlist_count) > 0"
        ).fetchall()
    }
    assert found == expected


def test_concentration_is_the_sum_of_the_artists_squared_shares(sandbox):
    counts = defaultdict(Counter)
    for playlist_id, artist_id in sandbox.execute(
        "select playlist_id, artist_id from marts.fct_playlist_tracks "
        "where song_id is not null and artist_id is not null"
    ).fetchall():
        counts[playlist_id][artist_id] += 1
    expected = {
        playlist_id: (
            sum((count / artists.total()) ** 2 for count in artists.values()),
            max(artists.values()) / artists.total(),
        )
        for playlist_id, artists in counts.items()
    }
    found = {
        playlist_id: tuple(figures)
        for playlist_id, *figures in sandbox.execute(
            "select playlist_id, artist_concentration, top_artist_share from marts.agg_playlist_profiles "
            "where artist_known_count > 0"
        ).fetchall()
    }
    assert found.keys() == expected.keys()
    for playlist_id, figures in found.items():
        assert figures == pytest.approx(expected[playlist_id]), playlist_id


def test_the_cookbook_prints_what_the_sandbox_answers(sandbox):
    assert [answer(sandbox, recipe.query) for recipe in recipes()] == [recipe.answer for recipe in recipes()]

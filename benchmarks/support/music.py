"""A made catalogue: songs of a dataset and tracks of playlists, as dbt's models hold them. Deterministic.

Few artists have many songs and many have few; some titles are everybody's. Most songs are found on some
tracks, which say them in other words: other case and accents, typing errors, remasters, guests; beside
them are live takes, remixes, covers, and tracks of which the dataset knows nothing.
"""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matching.reading import FOUND

SONGS_PER_ARTIST = 22
"""As in the dataset: a million songs by 44,745 artists."""

ON_SPOTIFY = 0.6
"""Share of songs that playlists hold."""

_SYLLABLES = [f"{consonant}{vowel}" for consonant in "bdfgklmnprstvwz" for vowel in "aeio"]
_EVERYBODYS = np.array(
    ["Intro", "Interlude", "Outro", "Untitled", "Home", "You", "Hold On", "Crazy", "Angel"]
)
_SAME = np.array(
    ["", "", "", "", "", "", "", " - Remastered", " (2011 Digital Remaster)", " (Bonus)", " - Single Edit"]
)
_OTHER = np.array([" - Live", " (Live in Town)", " - Night Remix", " (Demo)", " - Acoustic"])


def make_music(database: Path, songs: int, tracks: int, seed: int = 1) -> None:
    """Write `intermediate.int_songs_enriched`, `intermediate.int_tracks_deduplicated`,
    `intermediate.int_track_artists_unioned`, `staging.stg_spotify__track_search_results` (empty) and, in
    `main.truth`, which track is which song."""
    rng = np.random.default_rng([seed, songs, tracks])
    artists = max(4, songs // SONGS_PER_ARTIST)
    names = _names(rng, 3 * artists)
    by = _some_artists(rng, artists, songs)
    titles = _titles(rng, songs)
    seconds = np.round(rng.lognormal(5.4, 0.35, songs).clip(10, 1800), 5)
    years = rng.integers(1955, 2011, songs)
    releases = _titles(rng, songs)
    song_ids = _ids("TR", rng, songs)
    song_table = pa.table(
        {
            "msd_track_id": song_ids,
            "msd_artist_id": _numbered("AR", by),
            "title": _changed(rng, titles, 0.04, " (Album Version)"),
            "artist_name": names.take(pa.array(by)),
            "release_name": releases,
            "release_year": pa.array(years, pa.int32(), mask=rng.random(songs) < 0.5),
            "duration_seconds": seconds,
        }
    )

    found = rng.permutation(songs)[: int(ON_SPOTIFY * songs)]
    same = np.concatenate([found, rng.choice(found, int(0.4 * len(found)))])[: int(0.6 * tracks)]
    other = rng.choice(songs, int(0.1 * tracks))
    rest = tracks - len(same) - len(other)
    their_titles = pa.concat_arrays(
        [
            _with(_misspelt(rng, titles.take(pa.array(same))), rng.choice(_SAME, len(same))),
            _with(titles.take(pa.array(other)), rng.choice(_OTHER, len(other))),
            _titles(rng, rest),
        ]
    )
    covers = np.where(rng.random(len(other)) < 0.3, _some_artists(rng, artists, len(other)), by[other])
    their_artists = np.concatenate([by[same], covers, _some_artists(rng, 3 * artists, rest)])
    track_ids = _ids("", rng, tracks)
    their_seconds = np.concatenate(
        [
            seconds[same] + rng.normal(0, 0.6, len(same)),
            seconds[other] * rng.uniform(1.05, 1.4, len(other)),
            rng.lognormal(5.4, 0.35, rest).clip(10, 1800),
        ]
    )
    track_table = pa.table(
        {
            "track_key": track_ids,
            "artist_key": _numbered("A", their_artists),
            "spotify_track_id": track_ids,
            "isrc": pc.if_else(
                pa.array(rng.random(tracks) < 0.8),
                _numbered("QZ", np.concatenate([same, songs + np.arange(tracks - len(same))])),
                None,
            ),
            "title": their_titles,
            "artist_name": _changed(rng, _misspelt(rng, names.take(pa.array(their_artists)), 0.02), 0.0, ""),
            "release_name": _titles(rng, tracks),
            "release_year": pa.array(rng.integers(1955, 2025, tracks), pa.int32()),
            "duration_seconds": pa.array(their_seconds, mask=rng.random(tracks) < 0.02),
        }
    )
    guests = rng.permutation(tracks)[: tracks // 10]
    credit_table = pa.table(
        {
            "spotify_track_id": track_ids.take(pa.array(guests)),
            "artist_name": names.take(pa.array(_some_artists(rng, artists, len(guests)))),
        }
    )
    truth = pa.table(
        {"msd_track_id": song_ids.take(pa.array(same)), "track_key": track_ids.slice(0, len(same))}
    )
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema intermediate")
        connection.execute("create schema staging")
        for name, table in {
            "intermediate.int_songs_enriched": song_table,
            "intermediate.int_tracks_deduplicated": track_table,
            "intermediate.int_track_artists_unioned": credit_table,
            "staging.stg_spotify__track_search_results": FOUND.empty_table(),
            "main.truth": truth,
        }.items():
            connection.register("made", table)
            connection.execute(f"create table {name} as from made order by 1")
            connection.unregister("made")


def _some_artists(rng: np.random.Generator, artists: int, count: int) -> np.ndarray:
    """Artists of so many songs: the share of each falls with its rank."""
    shares = (np.arange(artists) + 20.0) ** -0.8
    return rng.choice(artists, count, p=shares / shares.sum())


def _word_list(rng: np.random.Generator, count: int) -> pa.Array:
    syllables = pa.array(_SYLLABLES)
    parts = [syllables.take(pa.array(rng.integers(0, len(_SYLLABLES), count))) for _ in range(4)]
    lengths = pa.array(rng.integers(2, 5, count))
    parts[2] = pc.if_else(pc.greater(lengths, 2), parts[2], "")
    parts[3] = pc.if_else(pc.greater(lengths, 3), parts[3], "")
    return pc.utf8_capitalize(pc.binary_join_element_wise(*parts, ""))


def _phrases(rng: np.random.Generator, count: int, most: int) -> pa.Array:
    """Phrases of one to `most` words, few words being in most of them."""
    words = _word_list(np.random.default_rng(7), 20_000)
    shares = (np.arange(len(words)) + 10.0) ** -0.9
    shares /= shares.sum()
    lengths = pa.array(rng.integers(1, most + 1, count))
    parts = []
    for place in range(most):
        part = words.take(pa.array(rng.choice(len(words), count, p=shares)))
        parts.append(pc.if_else(pc.greater(lengths, place), part, ""))
    return pc.utf8_trim_whitespace(pc.binary_join_element_wise(*parts, " "))


def _titles(rng: np.random.Generator, count: int) -> pa.Array:
    titles = _phrases(rng, count, 4)
    everybodys = pa.array(rng.choice(_EVERYBODYS, count))
    return pc.if_else(pa.array(rng.random(count) < 0.01), everybodys, titles)


def _names(rng: np.random.Generator, count: int) -> pa.Array:
    """Names of artists, nearly all different; some with an article."""
    article = pa.array(np.where(rng.random(count) < 0.15, "The ", ""))
    return pc.binary_join_element_wise(article, _phrases(rng, count, 2), " ", _word_list(rng, count), "")


def _with(titles: pa.Array, endings: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(titles, pa.array(endings), "")


def _changed(rng: np.random.Generator, texts: pa.Array, share: float, ending: str) -> pa.Array:
    return _with(texts, np.where(rng.random(len(texts)) < share, ending, ""))


def _misspelt(rng: np.random.Generator, texts: pa.Array, share: float = 0.04) -> pa.Array:
    """A letter is missing in so many of the texts, and as many are in capitals."""
    draw = rng.random(len(texts))
    cut = pc.binary_join_element_wise(
        pc.utf8_slice_codeunits(texts, 0, 3), pc.utf8_slice_codeunits(texts, 4), ""
    )
    texts = pc.if_else(pa.array(draw < share), cut, texts)
    return pc.if_else(pa.array(draw > 1 - share), pc.utf8_upper(texts), texts)


def _ids(prefix: str, rng: np.random.Generator, count: int) -> pa.Array:
    """Ids in no order, no two the same."""
    return _numbered(prefix, rng.permutation(count) + 10**9)


def _numbered(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")

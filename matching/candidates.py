"""Pairs of a song and a track that may be the same recording, found without comparing all with all."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ingestion.progress import Progress
from matching.artists import NamePairs, pair_names
from matching.catalogue import Catalogue, Groups
from matching.similarity import all_alike

ARTIST, ISRC, SEARCH, TITLE = 1, 2, 4, 8
WAYS = {ARTIST: "artist", ISRC: "isrc", SEARCH: "search", TITLE: "title"}
"""How a pair was found, as bits: a pair can be found in several ways."""

TITLE_FLOOR = 0.7
"""Titles by one artist less alike than this are two songs."""

TITLE_FLOOR_OF_NEAR = 0.85
SAME_NAME = 0.9
"""Where the names are less alike than `SAME_NAME`, the titles have to be more."""

BEST_TITLES = 3
"""Titles of an artist that are kept for a song, the most alike, and all tracks that bear one: the first is
the song's nearly always, the others are there where the first is another version under a shorter title."""

TRACKS_PER_SONG = 60
"""Tracks by one artist kept for a song, those of the most alike titles and then lengths. A song on 60
releases is rare; an "Allegro" by one composer is not, and songs times tracks of that name know no bound."""

SECONDS = 5.0
NEAREST = 8
NEAREST_HOWEVER_LONG = 5
"""Of tracks by anyone under the song's title: so many within so many seconds, and so many in any case, which
shows a cover for what it is. "Intro" is the title of thousands on either side."""

ISRC_TITLE_FLOOR = 0.9
LARGEST_ISRC = 100
"""Tracks that share an ISRC: more than this share a placeholder."""

CELLS = 4_000_000
"""Pairs of titles compared at once, 4 bytes each."""


@dataclass
class Candidates:
    """Pairs by place of song and track, sorted by both, with the ways that led to them as bits.

    `skipped` counts the pairs left out by a bound on how many share a title.
    """

    song: np.ndarray
    track: np.ndarray
    ways: np.ndarray
    names: NamePairs
    skipped: int


class Pairs(NamedTuple):
    """Some pairs by place of song and track."""

    song: np.ndarray
    track: np.ndarray


NO_PAIRS = Pairs(np.empty(0, np.int64), np.empty(0, np.int64))


def find_candidates(catalogue: Catalogue, searched: Pairs, progress: Progress) -> Candidates:
    """The candidates of all songs; the progress counts songs by artists that have a like one among tracks."""
    credited = np.unique(catalogue.credits.members)
    song_names = np.unique(catalogue.songs.name)
    names = pair_names(catalogue.names, song_names[song_names >= 0], credited)
    by_artist, of_same_title, left_out = _by_artist(catalogue, names, progress)
    by_title, not_near = _by_title(catalogue)
    by_isrc = _by_isrc(catalogue, of_same_title)
    width = max(len(catalogue.tracks.core), 1)
    ways = {ARTIST: by_artist, TITLE: by_title, ISRC: by_isrc, SEARCH: searched}
    keys = np.concatenate([pairs.song * width + pairs.track for pairs in ways.values()])
    bits = np.concatenate([np.full(len(pairs.song), way, np.uint8) for way, pairs in ways.items()])
    order = np.argsort(keys, kind="stable")
    keys, bits = keys[order], bits[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    return Candidates(
        *np.divmod(keys[first], width),
        np.bitwise_or.reduceat(bits, first) if len(first) else bits,
        names,
        left_out + not_near,
    )


def _by_artist(catalogue: Catalogue, names: NamePairs, progress: Progress) -> tuple[Pairs, Pairs, int]:
    """Pairs with names and titles alike; those of them with nearly equal titles; how many were left out."""
    songs, tracks = catalogue.songs, catalogue.tracks
    count = len(catalogue.names)
    songs_of = Groups.of(np.where(songs.core >= 0, songs.name, -1), count)
    places, credited = catalogue.credits.expand(np.arange(len(tracks.core)))
    has_title = tracks.core[places] >= 0
    tracks_of = Groups.of(credited[has_title], count, places[has_title])
    cuts = np.flatnonzero(np.diff(names.song_name, prepend=-1, append=-1))
    progress.expect(int(songs_of.sizes(names.song_name[cuts[:-1]]).sum()))
    found, sure, skipped = [NO_PAIRS], [NO_PAIRS], 0
    for start, end in pairwise(cuts):
        name = names.song_name[start]
        own = songs_of.members[songs_of.starts[name] : songs_of.starts[name + 1]]
        progress.advance(len(own))
        owners, theirs = tracks_of.expand(names.track_name[start:end])
        if not len(own) or not len(theirs):
            continue
        near = names.similarity[start:end][owners] < SAME_NAME
        cores, column = np.unique(tracks.core[theirs], return_inverse=True)
        with_core = Groups.of(column, len(cores))
        texts = [catalogue.core_texts[core] for core in cores]
        at_once = max(1, CELLS // len(cores))
        for some in range(0, len(own), at_once):
            rows = own[some : some + at_once]
            row, column, score = _best(
                all_alike([catalogue.core_texts[core] for core in songs.core[rows]], texts, TITLE_FLOOR)
            )
            pair, place = with_core.expand(column)
            row, score = row[pair], score[pair]
            kept = (score >= TITLE_FLOOR_OF_NEAR) | ~near[place]
            row, score, place = row[kept], score[kept], place[kept]
            pairs = Pairs(rows[row], theirs[place])
            if len(row) and np.bincount(row).max() > TRACKS_PER_SONG:
                kept = _nearest(catalogue, pairs, score)
                skipped += len(row) - len(kept)
                pairs, score = Pairs(pairs.song[kept], pairs.track[kept]), score[kept]
            found.append(pairs)
            is_sure = score >= ISRC_TITLE_FLOOR
            sure.append(Pairs(pairs.song[is_sure], pairs.track[is_sure]))
    return _together(found), _together(sure), skipped


def _best(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, column and value of the highest values of each row, and of all that equal the last of them."""
    rows, columns = np.nonzero(scores)  # few are above the floor: sorting whole rows took four times as long
    values = scores[rows, columns]
    highest_first = values[np.lexsort((-values, rows))]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    ends = np.append(starts[1:], len(rows))
    lowest = highest_first[np.minimum(starts + BEST_TITLES, ends) - 1]
    is_best = values >= np.repeat(lowest, ends - starts)
    return rows[is_best], columns[is_best], values[is_best]


def _nearest(catalogue: Catalogue, pairs: Pairs, score: np.ndarray) -> np.ndarray:
    """The places of the pairs that are among the best of their song: by title, then length."""
    apart = np.abs(catalogue.tracks.seconds[pairs.track] - catalogue.songs.seconds[pairs.song])
    order = np.lexsort((pairs.track, apart, -score, pairs.song))
    starts = np.flatnonzero(np.diff(pairs.song[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    return order[rank < TRACKS_PER_SONG]


def _by_title(catalogue: Catalogue) -> tuple[Pairs, int]:
    """Pairs with equal titles and near lengths, by whomever; how many as near were left out.

    Tracks lie on one line, title after title, each by its length; the nearest of a song are its
    neighbours there.
    """
    songs, tracks = catalogue.songs, catalogue.tracks
    line = np.flatnonzero((tracks.core >= 0) & np.isfinite(tracks.seconds))
    line = line[np.lexsort((line, tracks.seconds[line], tracks.core[line]))]
    asked = np.flatnonzero((songs.core >= 0) & np.isfinite(songs.seconds))
    if not len(line) or not len(asked):
        return NO_PAIRS, 0
    longest = 1 + 2 * SECONDS + max(tracks.seconds[line].max(), songs.seconds[asked].max())

    def on_line(core: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        return core * longest + np.clip(seconds, 0, longest - 1)

    positions = on_line(tracks.core[line], tracks.seconds[line])
    core, seconds = songs.core[asked], songs.seconds[asked]
    here = np.searchsorted(positions, on_line(core, seconds))
    first = np.searchsorted(positions, on_line(core, seconds - SECONDS), "left")
    end = np.searchsorted(positions, on_line(core, seconds + SECONDS), "right")
    near = here[:, None] + np.arange(-NEAREST, NEAREST)
    inside = (near >= 0) & (near < len(line))
    track = line[np.where(inside, near, 0)]
    inside &= tracks.core[track] == core[:, None]
    apart = np.where(inside, np.abs(tracks.seconds[track] - seconds[:, None]), np.inf)
    order = np.argsort(apart, axis=1, kind="stable")[:, :NEAREST]
    apart = np.take_along_axis(apart, order, axis=1)
    rank = np.arange(order.shape[1])
    kept = (apart <= SECONDS) | (np.isfinite(apart) & (rank < NEAREST_HOWEVER_LONG))
    row, place = np.nonzero(kept)
    skipped = int((end - first).sum() - np.count_nonzero(apart <= SECONDS))
    return Pairs(asked[row], track[row, order[row, place]]), skipped


def _by_isrc(catalogue: Catalogue, pairs: Pairs) -> Pairs:
    """Pairs of songs with the tracks that share the ISRC of one of theirs."""
    with_isrc = Groups.of(catalogue.isrcs, catalogue.isrc_count)
    isrc = catalogue.isrcs[pairs.track]
    asked = np.flatnonzero(isrc >= 0)
    sizes = with_isrc.sizes(isrc[asked])
    asked = asked[(sizes > 1) & (sizes <= LARGEST_ISRC)]
    place, track = with_isrc.expand(isrc[asked])
    other = track != pairs.track[asked[place]]
    return Pairs(pairs.song[asked[place[other]]], track[other])


def _together(found: list[Pairs]) -> Pairs:
    return Pairs(*(np.concatenate([getattr(pairs, side) for pairs in found]) for side in Pairs._fields))

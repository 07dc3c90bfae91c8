"""In what the songs and tracks of candidates differ: the rows of raw tables."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from ingestion.computed import ARTIST_CANDIDATES, SONG_CANDIDATES
from ingestion.lake import BATCH_ROWS
from matching.artists import NamePairs, name_similarity
from matching.candidates import WAYS, Candidates
from matching.catalogue import Catalogue, Groups, Numbered, Side, numbered
from matching.reading import Input
from matching.similarity import alike, alike_in_words
from matching.text import numbers

OTHER_TITLE = 0.75
"""How alike titles are at most that name different numbers, such as "Part 1" and "Part 2", or say something
else in brackets."""

LIKE_REMARKS = 0.7
"""Remarks in brackets less alike than this are two."""

_FOUND_BY = pa.array(
    [" ".join(sorted(way for bit, way in WAYS.items() if bit & bits)) for bits in range(1 + sum(WAYS))]
)


class SongFeatures:
    """The rows of `song_candidates`."""

    def __init__(self, given: Input, catalogue: Catalogue, candidates: Candidates) -> None:
        self._given, self._catalogue, self._candidates = given, catalogue, candidates
        self._full = [title.full for title in catalogue.titles]
        self._remarks = [title.remark for title in catalogue.titles] + [""]
        self._has_remark = np.array([bool(remark) for remark in self._remarks])
        self._releases = [release.core for release in catalogue.releases]
        versions, editions = Numbered([""]), Numbered([""])
        titles = [*catalogue.titles, None]  # the last stands for none
        live = [release.is_live for release in catalogue.releases] + [False]
        self._editions_of = np.array([editions.number(" ".join(t.editions)) if t else 0 for t in titles])
        alone = [" ".join(t.versions) if t else "" for t in titles]
        on_live = [" ".join(sorted({"live", *t.versions})) if t else "live" for t in titles]
        self._versions_of = np.array(
            [[versions.number(text) for text in texts] for texts in (alone, on_live)]
        )
        self._is_live = np.array(live, dtype=np.int64)
        self._versions, self._editions = pa.array(versions.texts), pa.array(editions.texts)
        self._named_guests = [
            np.array([bool(t and t.guests) for t in titles])[side.title]
            | np.array([bool(name.guests) for name in catalogue.credited] + [False])[side.credit]
            for side in (catalogue.songs, catalogue.tracks)
        ]
        self._named_guests[1] |= np.diff(catalogue.credits.starts) > 1

    def rows(self) -> Iterator[pa.Table]:
        """The rows, some at a time, by song and track."""
        for start in range(0, len(self._candidates.song), BATCH_ROWS):
            yield self._rows(slice(start, start + BATCH_ROWS))

    def _rows(self, some: slice) -> pa.Table:
        songs, tracks = self._catalogue.songs, self._catalogue.tracks
        song, track = self._candidates.song[some], self._candidates.track[some]
        return pa.table(
            [
                self._given.songs["msd_track_id"].take(pa.array(song)),
                self._given.tracks["track_key"].take(pa.array(track)),
                _FOUND_BY.take(pa.array(self._candidates.ways[some])),
                _real(self._title_similarity(song, track)),
                _real(_alike(self._full, songs.title[song], tracks.title[track])),
                _real(self._artist_similarity(song, track)),
                _real(self._guest_similarity(song, track)),
                _real(_alike(self._releases, songs.release[song], tracks.release[track])),
                _real(tracks.seconds[track] - songs.seconds[song]),
                _real(tracks.year[track] - songs.year[song]).cast(pa.int32()),
                self._versions.take(self._versions_at(songs, song)),
                self._versions.take(self._versions_at(tracks, track)),
                self._editions.take(pa.array(self._editions_of[songs.title[song]])),
                self._editions.take(pa.array(self._editions_of[tracks.title[track]])),
            ],
            schema=SONG_CANDIDATES.schema,
        )

    def _versions_at(self, side: Side, places: np.ndarray) -> pa.Array:
        return pa.array(self._versions_of[self._is_live[side.release[places]], side.title[places]])

    def _title_similarity(self, song: np.ndarray, track: np.ndarray) -> np.ndarray:
        catalogue = self._catalogue
        left, right = catalogue.songs.core[song], catalogue.tracks.core[track]
        similarity = _alike(catalogue.core_texts, left, right)
        # No number is -1, and so is no title.
        one, other = (np.append(catalogue.core_numbers, -1)[cores] for cores in (left, right))
        differ = np.flatnonzero((one != other) & (left >= 0) & (right >= 0))
        texts = ([catalogue.core_texts[core] for core in cores[differ]] for cores in (left, right))
        is_other = [_is_other_number(*pair) for pair in zip(*texts, strict=True)]
        one, other = catalogue.songs.title[song], catalogue.tracks.title[track]
        both = np.flatnonzero(self._has_remark[one] & self._has_remark[other] & (one != other))
        remarks = ([self._remarks[title] for title in titles[both]] for titles in (one, other))
        others = np.concatenate([differ[is_other], both[alike(*remarks) < LIKE_REMARKS]])
        similarity[others] = np.minimum(similarity[others], OTHER_TITLE)
        return similarity

    def _artist_similarity(self, song: np.ndarray, track: np.ndarray) -> np.ndarray:
        """Of the song's artist and the most similar of the track; NaN where either has none."""
        catalogue = self._catalogue
        pair, theirs = catalogue.credits.expand(track)
        ours = catalogue.songs.name[song][pair]
        named = ours >= 0
        pair, ours, theirs = pair[named], ours[named], theirs[named]
        width = len(catalogue.names)
        keys, place = np.unique(ours * width + theirs, return_inverse=True)
        similarity = name_similarity(
            catalogue.names, *np.divmod(keys, max(width, 1)), np.isin(keys, self._candidates.names.part)
        )
        best = np.full(len(song), np.nan)
        np.fmax.at(best, pair, similarity[place])
        return best

    def _guest_similarity(self, song: np.ndarray, track: np.ndarray) -> np.ndarray:
        """Of the guests of both; 0 where one side alone names any, NaN where neither does."""
        similarity = np.full(len(song), np.nan)
        either = np.flatnonzero(self._named_guests[0][song] | self._named_guests[1][track])
        ours, theirs = [], []
        for one, other in zip(song[either].tolist(), track[either].tolist(), strict=True):
            guests, others = self._guests(one, other)
            ours.append(guests)
            theirs.append(others)
        found = alike_in_words(ours, theirs)
        named = np.array([bool(one or other) for one, other in zip(ours, theirs, strict=True)], dtype=bool)
        similarity[either[named]] = found[named]
        return similarity

    def _guests(self, song: int, track: int) -> tuple[str, str]:
        """The guests of a song and of a track, but for those of the track that the song's artist is."""
        catalogue = self._catalogue
        ours = self._said(catalogue.songs, song)
        theirs = self._said(catalogue.tracks, track)
        main = catalogue.tracks.name[track]
        start, end = catalogue.credits.starts[track : track + 2]
        theirs |= {
            catalogue.names[name].core for name in catalogue.credits.members[start:end] if name != main
        }
        name = catalogue.songs.name[song]
        artist = f" {catalogue.names[name].core} " if name >= 0 else ""
        theirs = {guest for guest in theirs if f" {guest} " not in artist}
        return " ".join(sorted(ours)), " ".join(sorted(theirs))

    def _said(self, side: Side, place: int) -> set[str]:
        title, credit = side.title[place], side.credit[place]
        guests = set(self._catalogue.titles[title].guests) if title >= 0 else set()
        return guests | (set(self._catalogue.credited[credit].guests) if credit >= 0 else set())


def artist_candidates(given: Input, catalogue: Catalogue, names: NamePairs) -> pa.Table:
    """The rows of `artist_candidates`: artists by id and key, where names that they bear are alike."""
    (ids,), id_texts = numbered([given.songs["msd_artist_id"]])
    (keys,), key_texts = numbered([given.tracks["artist_key"]])
    count = len(catalogue.names)
    with_id = _bearers(catalogue.songs.name, ids, count)
    with_key = _bearers(catalogue.tracks.name, keys, count)
    pair, artist = with_id.expand(names.song_name)
    place, other = with_key.expand(names.track_name[pair])
    together = artist[place] * max(len(key_texts), 1) + other
    similarity = names.similarity[pair[place]]
    order = np.lexsort((-similarity, together))
    first = order[np.flatnonzero(np.diff(together[order], prepend=-1))]
    artist, other = np.divmod(together[first], max(len(key_texts), 1))
    return pa.table(
        [
            pa.array(id_texts, pa.string()).take(pa.array(artist)),
            pa.array(key_texts, pa.string()).take(pa.array(other)),
            _real(similarity[first]),
        ],
        schema=ARTIST_CANDIDATES.schema,
    )


def _bearers(names: np.ndarray, artists: np.ndarray, count: int) -> Groups:
    """The artists by name, each once a name."""
    known = (names >= 0) & (artists >= 0)
    pairs = np.unique(np.stack([names[known], artists[known]]), axis=1)
    return Groups.of(pairs[0], count, pairs[1])


def _alike(texts: Sequence[str], left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """How alike the texts at these places are; NaN where either is missing (-1)."""
    similarity = np.full(len(left), np.nan)
    both = np.flatnonzero((left >= 0) & (right >= 0))
    left, right = left[both], right[both]
    similarity[both] = 1.0
    differ = np.flatnonzero(left != right)
    similarity[both[differ]] = alike(
        [texts[place] for place in left[differ]], [texts[place] for place in right[differ]]
    )
    return similarity


def _is_other_number(one: str, other: str) -> bool:
    """Whether each title has a number that the other has not, or one is the other and a number at its end."""
    these, those = (Counter(numbers(text).split()) for text in (one, other))
    shorter, longer = sorted((one, other), key=len)
    end = longer.removeprefix(f"{shorter} ")
    return bool(these - those and those - these) or (end != longer and end.isdigit())


def _real(values: np.ndarray) -> pa.Array:
    """Numbers, NULL for NaN."""
    return pa.array(values, pa.float64(), from_pandas=True)

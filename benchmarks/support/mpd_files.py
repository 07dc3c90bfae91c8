"""Made slices of the Million Playlist Dataset: its layout, size and spread of popularity. Deterministic."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

PLAYLISTS_PER_SLICE = 1_000
ITEMS_PER_SLICE = 66_000

_TRACKS = 2_262_292
_HEAD, _FALL = 450, 1.2
"""Tracks to draw from, and their popularity: (rank + head) to the power of -fall. Chosen so that a
slice names some 34,000 tracks, the most popular about 50 times, as a slice of the dataset does."""

_LAYOUT = """{
    "info": {
        "generated_on": "2017-12-03 08:41:42.057563",
        "slice": "%s",
        "version": "v1"
    },
    "playlists": [
%s
    ]
}"""
_JSON_WORDS = json.dumps(  # the dataset escapes what is not ASCII, as this does
    "Blue Night River Golden Summer Heart Café Lonely Electric Señorita Moon Dancing Road Über Fire "
    "Broken Shadow Sweet Paper Crystal Déjà Thunder Velvet Young Wild Coração Stone Angel Winter Rain"
)[1:-1].split()


def write_slice(folder: Path, number: int, playlists: int = PLAYLISTS_PER_SLICE) -> Path:
    """Write slice `number` (from 0) into the folder; its pids go on where the slice before it ends."""
    rng = np.random.default_rng([number])
    first = number * playlists
    lengths = _lengths(rng, playlists)
    tracks = _popular_tracks(rng, lengths.sum())
    ends = np.cumsum(lengths)
    texts = [
        _playlist(first + index, tracks[end - length : end].tolist(), rng)
        for index, (length, end) in enumerate(zip(lengths, ends, strict=True))
    ]
    name = f"{first}-{first + playlists - 1}"
    path = folder / f"mpd.slice.{name}.json"
    # The dataset has a blank after every comma, at line ends too.
    path.write_text((_LAYOUT % (name, ",\n".join(texts))).replace(",\n", ", \n"), encoding="ascii")
    return path


def _lengths(rng: np.random.Generator, playlists: int) -> np.ndarray:
    """Items of each playlist: 5 to about 250 as in the dataset, 66 in the mean."""
    weights = np.minimum(rng.lognormal(sigma=0.8, size=playlists), 4)
    spare = playlists * ITEMS_PER_SLICE // PLAYLISTS_PER_SLICE - 5 * playlists
    return 5 + rng.multinomial(spare, weights / weights.sum())


def _popular_tracks(rng: np.random.Generator, count: int) -> np.ndarray:
    """Track numbers, 0 the most popular."""
    power = 1 - _FALL
    tail = 1 - (1 + _TRACKS / _HEAD) ** power
    return (_HEAD * ((1 - tail * rng.random(count)) ** (1 / power) - 1)).astype(int)


def _playlist(pid: int, tracks: list[int], rng: np.random.Generator) -> str:
    items = ",\n".join(
        f'                {{\n                    "pos": {pos},\n                    {_track(track)}'
        for pos, track in enumerate(tracks)
    )
    fields = {
        "name": f'"{_name(pid, 2)}"',
        "collaborative": '"true"' if rng.random() < 0.02 else '"false"',
        "pid": pid,
        "modified_at": 1_300_000_000 + 86_400 * rng.integers(0, 2_400),
        "num_tracks": len(tracks),
        "num_albums": len({track // 8 for track in tracks}),
        "num_followers": rng.geometric(0.4),
        "tracks": f"[\n{items}\n            ]",
        "num_edits": rng.geometric(0.05),
        "duration_ms": sum(map(_duration_ms, tracks)),
        "num_artists": len({track // 40 for track in tracks}),
    }
    if rng.random() < 0.02:
        fields["description"] = f'"{_name(pid, 9)}"'
    lines = (f'            "{key}": {value}' for key, value in fields.items())
    return "        {\n" + ",\n".join(lines) + "\n        }"


@lru_cache(maxsize=100_000)
def _track(track: int) -> str:
    """An item after its position, as the dataset lays it out; the track's number decides all of it."""
    album, artist = track // 8, track // 40
    return f""""artist_name": "{_name(artist, 2)}",
                    "track_uri": "spotify:track:{_id(track)}",
                    "artist_uri": "spotify:artist:{_id(artist + 10**8)}",
                    "track_name": "{_name(track, 3)}",
                    "album_uri": "spotify:album:{_id(album + 2 * 10**8)}",
                    "duration_ms": {_duration_ms(track)},
                    "album_name": "{_name(album + 7, 3)}"
                }}"""


def _name(number: int, words: int) -> str:
    """JSON text: words picked by the number, which also stands at the end: names differ as numbers do."""
    picked = []
    left = number
    for _ in range(words):
        left, word = divmod(left, len(_JSON_WORDS))
        picked.append(_JSON_WORDS[word])
    return " ".join([*picked, str(number % 100)])


def _id(number: int) -> str:
    """22 characters that look as little alike as Spotify's ids."""
    return f"{(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**110:022x}"[-22:]


def _duration_ms(track: int) -> int:
    return 120_000 + track * 7_919 % 240_000

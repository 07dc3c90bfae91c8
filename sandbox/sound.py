"""What an analysis of the sound would say: numbers that depend on a song's or track's id alone.

They are made when asked for, not kept in the world: they are most of its bytes.
"""

from random import Random

import numpy as np

from sandbox.model import Song, Track

MAX_SEGMENTS = 60
"""A genuine song has about 900; the files stay quick to write and to read with fewer."""
RHYTHM_SECONDS = 12
"""Beats, bars and tatums are given for the beginning of the song only, for the same reason."""


def song_arrays(song: Song) -> dict[str, np.ndarray]:
    """The 21 arrays of the song's file by their path in it.

    Lengths vary by song; pitches and timbre have shape (segments, 12). Times are in seconds, pitches
    and confidences in 0..1, loudness in dB. The arrays of one unit have one length; a song without
    a tempo has no beats, bars or tatums, and most artists have no MusicBrainz tags.
    """
    random = Random(song.track_id)
    segments = random.randrange(20, MAX_SEGMENTS + 1)
    arrays = {
        "/metadata/similar_artists": np.array(song.artist.similar_artist_ids, dtype="S20"),
        "/metadata/artist_terms": _texts([term.term for term in song.artist.terms]),
        "/metadata/artist_terms_freq": np.array([term.frequency for term in song.artist.terms]),
        "/metadata/artist_terms_weight": np.array([term.weight for term in song.artist.terms]),
        "/musicbrainz/artist_mbtags": _texts([tag.tag for tag in song.artist.mbtags]),
        "/musicbrainz/artist_mbtags_count": np.array([tag.count for tag in song.artist.mbtags], dtype="<i4"),
        "/analysis/segments_start": _starts(random, segments, song.duration),
        "/analysis/segments_confidence": _fractions(random, segments),
        "/analysis/segments_pitches": _fractions(random, segments * 12).reshape(segments, 12),
        "/analysis/segments_timbre": (400 * _fractions(random, segments * 12) - 200).reshape(segments, 12),
        "/analysis/segments_loudness_max": -60 * _fractions(random, segments),
        "/analysis/segments_loudness_max_time": 0.3 * _fractions(random, segments),
        "/analysis/segments_loudness_start": -60 * _fractions(random, segments),
    }
    sections = random.randrange(3, 12)
    arrays["/analysis/sections_start"] = _starts(random, sections, song.duration)
    arrays["/analysis/sections_confidence"] = _fractions(random, sections)
    beats = int(min(RHYTHM_SECONDS, song.duration) * song.tempo / 60)
    meter = song.time_signature or 4
    for unit, count, seconds in (
        ("beats", beats, 60),
        ("bars", beats // meter, 60 * meter),
        ("tatums", 2 * beats, 30),
    ):
        arrays[f"/analysis/{unit}_start"] = np.arange(count) * (seconds / (song.tempo or 1.0))
        arrays[f"/analysis/{unit}_confidence"] = _fractions(random, count)
    return arrays


def audio_features(track: Track) -> dict[str, float | int]:
    """Spotify's audio features under their API names: shares in 0..1, loudness in dB, tempo in bpm."""
    random = Random(track.track_id)
    shares = (
        "danceability",
        "energy",
        "speechiness",
        "acousticness",
        "instrumentalness",
        "liveness",
        "valence",
    )
    return {
        **{name: round(random.random(), 3) for name in shares},
        "key": random.randrange(12),
        "loudness": round(random.triangular(-35, -2, -8), 3),
        "mode": int(random.random() < 0.69),
        "tempo": round(random.triangular(55, 220, 115), 3),
        "time_signature": random.choice((3, 4, 4, 4, 5)),
    }


def _texts(texts: list[str]) -> np.ndarray:
    return np.array([text.encode() for text in texts], dtype="S256")


def _fractions(random: Random, count: int) -> np.ndarray:
    """`count` thousandths in 0..1, from raw bytes: numpy's own generators may change with its version."""
    return np.frombuffer(random.randbytes(2 * count), dtype="<u2") % 1001 / 1000


def _starts(random: Random, count: int, duration: float) -> np.ndarray:
    """Rising times from 0, the last one before the end."""
    steps = np.frombuffer(random.randbytes(count), dtype=np.uint8).astype(np.int64) + 20
    ends = np.cumsum(steps)
    return np.concatenate(([0.0], ends[:-1] * (duration / float(ends[-1]))))

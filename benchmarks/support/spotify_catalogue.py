"""A music catalogue and playlists of any number, made from their ids when asked for. Deterministic.

The sandbox's world holds hundreds of playlists in memory; this one holds none, so that 200,000 cost no
more than one. How artists are reused is taken from the Million Playlist Dataset.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from random import Random
from typing import Any

from sandbox.model import Album, Playlist, PlaylistItem, PlaylistVersion, SpotifyArtist, Track, User
from sandbox.world import World

ARTISTS = 295_860
"""Artists in the dataset's 1,000,000 playlists."""

_HEAD, _FALL = 40, 1.4
"""Popularity of an artist: (rank + head) to the power of -fall. Chosen so that 10,000 playlists
name 35,600 artists, 100,000 name 131,000 and 1,000,000 name 279,000; the dataset's name 35,637, 110,063 and
295,860."""

_FEWEST_AGAIN, _MOST_AGAIN = 0.02, 0.82
"""How likely a place in a playlist is of an artist that the playlist has already; each playlist has its own
likelihood between these. Chosen so that 65 tracks are by 37 artists in the mean, as in the dataset (3,812,169
pairs of playlist and artist in 6,677,800 items of 100,000 playlists)."""

_REPLACED = 10
"""Tracks that a change of a playlist replaces."""

_TRACKS_OF_ARTIST = 8
"""2,262,292 tracks by the dataset's artists."""

_TRACKS_OF_ALBUM = 4

OWNER = User("listener", "A Listener")
"""Of all playlists."""

_MADE_AT = datetime(2026, 1, 1)
_MARKETS = ("AR", "AU", "BR", "CA", "DE", "ES", "FR", "GB", "IT", "JP", "MX", "NL", "SE", "US")

_SPREAD, _IDS = 6_180_339_887_498_948_482_047, 10**22
"""Numbers times the first, modulo the second, come in no order and never twice: the two share no factor."""
_BACK = pow(_SPREAD, -1, _IDS)


def spotify_id(number: int) -> str:
    """The id of the thing of its kind with that number: 22 characters, in no order."""
    return f"{number * _SPREAD % _IDS:022d}"


def number_of(id_: str) -> int:
    """The number that an id was made of; raises ValueError for what is no such id."""
    return int(id_) * _BACK % _IDS


def artists_of(number: int, revision: int, tracks: int) -> list[int]:
    """The artists of a playlist's tracks by place, as ranks: 0 is the most popular one.

    Revision 1 differs from 0 in ten places.
    """
    random = Random(number)
    again = random.uniform(_FEWEST_AGAIN, _MOST_AGAIN)
    artists: list[int] = []
    for _ in range(tracks):
        is_again = artists and random.random() < again
        artists.append(random.choice(artists) if is_again else _popular(random))
    if revision:
        for place in random.sample(range(tracks), min(_REPLACED, tracks)):
            artists[place] = _popular(random)
    return artists


def snapshot_id(number: int, revision: int) -> str:
    """The snapshot id of a playlist's revision."""
    return f"AAAA{revision:06d}{spotify_id(number)}"


class Catalogue:
    """What `sandbox.spotify_api.endpoints` asks a scene for: `count` playlists of `tracks` tracks each.

    All are owned by the one user. On day n, from 1 on, the n-th of every `changed_every` playlists has
    changed, and is otherwise as on day 0. `day` gives the day it is now.
    """

    def __init__(self, count: int, tracks: int, changed_every: int, day: Callable[[], int]) -> None:
        self._count, self._tracks, self._changed_every, self._day = count, tracks, changed_every, day
        self.world = World(
            seed=0,
            days=(),
            artists=(),
            songs=(),
            spotify_artists=_Made(_artist),
            albums=_Made(_album),
            tracks=_Made(_track),
            episodes={},
            local_files={},
            users={OWNER.user_id: OWNER},
            account=OWNER,
            playlists=(),
            track_pairs=(),
            artist_pairs=(),
        )
        self._library = lru_cache(maxsize=1)(self._make_library)

    def find(self, playlist_id: str) -> tuple[Playlist, PlaylistVersion, int] | None:
        """The playlist, its version of today and its followers."""
        number = number_of(playlist_id)
        return (*self._make(number, self._day()), number % 300) if number < self._count else None

    def library(self, _: bool) -> list[tuple[Playlist, PlaylistVersion]]:
        """All playlists with their versions of today."""
        return self._library(self._day())

    def odd(self, _: str) -> None:
        """Nothing is odd about any playlist."""

    def user(self, _: str) -> User:
        """The one user."""
        return OWNER

    def _make_library(self, day: int) -> list[tuple[Playlist, PlaylistVersion]]:
        return [self._make(number, day) for number in range(self._count)]

    def _make(self, number: int, day: int) -> tuple[Playlist, PlaylistVersion]:
        revision = int(1 <= number % self._changed_every <= day)
        random = Random(number)
        items = tuple(
            PlaylistItem("track", f"spotify:track:{spotify_id(track)}", _MADE_AT, OWNER.user_id)
            for artist in artists_of(number, revision, self._tracks)
            for track in [artist * _TRACKS_OF_ARTIST + random.randrange(_TRACKS_OF_ARTIST)]
        )
        version = PlaylistVersion(
            snapshot_id(number, revision), _MADE_AT, f"Playlist {number}", "", has_cover=True, items=items
        )
        playlist = Playlist(
            spotify_id(number),
            OWNER.user_id,
            False,
            True,
            "mpd",
            number,
            versions={},
            follower_counts={},
            changes=(),
        )
        return playlist, version


class _Made(Mapping):
    """Things by id, each made when asked for. Going through them shows the first few: enough for a search."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        self._make = make

    def __getitem__(self, id_: str) -> Any:
        return self._make(number_of(id_))

    def __iter__(self) -> Iterator[str]:
        return map(spotify_id, range(len(self)))

    def __len__(self) -> int:
        return 10


def _popular(random: Random) -> int:
    """The rank of an artist, drawn by popularity."""
    power = 1 - _FALL
    tail = 1 - (1 + ARTISTS / _HEAD) ** power
    return int(_HEAD * ((1 - tail * random.random()) ** (1 / power) - 1))


def _artist(number: int) -> SpotifyArtist:
    return SpotifyArtist(spotify_id(number), f"Artist {number}", ("pop", "rock"), 50, 1_000)


def _album(number: int) -> Album:
    return Album(
        spotify_id(number),
        name=f"Album {number}",
        album_type="album",
        artist_ids=(spotify_id(number * _TRACKS_OF_ALBUM // _TRACKS_OF_ARTIST),),
        release_date="2020-02-02",
        release_date_precision="day",
        total_tracks=_TRACKS_OF_ALBUM,
        upc=f"{number:012d}",
        label="Label",
        markets=_MARKETS,
    )


def _track(number: int) -> Track:
    return Track(
        spotify_id(number),
        name=f"Track {number}",
        artist_ids=(spotify_id(number // _TRACKS_OF_ARTIST),),
        album_id=spotify_id(number // _TRACKS_OF_ALBUM),
        duration_ms=180_000 + number % 60_000,
        isrc=f"GBABC20{number % 100_000:05d}",
        is_explicit=False,
        disc_number=1,
        track_number=1 + number % _TRACKS_OF_ALBUM,
        popularity=50,
        markets=_MARKETS,
    )

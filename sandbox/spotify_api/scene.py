"""Which playlists there are right now: the world's on a day, the odd ones, and edits made meanwhile."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from threading import Lock

from sandbox.model import Playlist, PlaylistItem, PlaylistVersion, User
from sandbox.spotify_api.odd import (
    ODD_PLAYLISTS,
    SPOTIFY,
    OddPlaylist,
    make_playlist,
    make_spotify_playlists,
)
from sandbox.world import World

Edit = Callable[[tuple[PlaylistItem, ...]], tuple[PlaylistItem, ...]]


def without_first(items: tuple[PlaylistItem, ...]) -> tuple[PlaylistItem, ...]:
    """The items after the first one: every page boundary moves by one."""
    return items[1:]


class Scene:
    """The playlists of one world at one moment; may be used from several threads.

    The account's library: its own playlists, every `follows_every`-th of other people's, and Spotify's.
    """

    def __init__(self, world: World, follows_every: int) -> None:
        self.world = world
        self._lock = Lock()
        self._day = world.days[-1]
        self._edited: dict[str, PlaylistVersion] = {}
        odd = [make_playlist(world, odd, number) for number, odd in enumerate(ODD_PLAYLISTS.values())]
        spotify = make_spotify_playlists(world)
        self._playlists = {playlist.playlist_id: playlist for playlist in (*world.playlists, *odd, *spotify)}
        self._odd = {odd.playlist_id: odd for odd in ODD_PLAYLISTS.values()}
        account_id = world.account.user_id
        own = [playlist for playlist in world.playlists if playlist.owner_id == account_id]
        others = [playlist for playlist in world.playlists if playlist.owner_id != account_id]
        self._library = (*own, *others[::follows_every], *spotify)
        self._odd_in_library = tuple(odd)

    @property
    def day(self) -> date:
        """The day at whose end everything is seen. Setting it forgets edits; ValueError outside the world."""
        return self._day

    @day.setter
    def day(self, day: date) -> None:
        if day not in self.world.days:
            raise ValueError(f"{day} is not one of the world's days")
        with self._lock:
            self._day = day
            self._edited.clear()

    def edit(self, playlist_id: str, edit: Edit = without_first) -> str:
        """Lets someone change a playlist's items; gives its new snapshot id.

        Raises KeyError for a playlist that does not exist on the day.
        """
        with self._lock:
            version = self._version(playlist_id)
            if version is None:
                raise KeyError(playlist_id)
            items = edit(version.items)
            snapshot_id = "AAAA" + hashlib.sha256(f"{version.snapshot_id} edited".encode()).hexdigest()[:28]
            self._edited[playlist_id] = replace(version, snapshot_id=snapshot_id, items=items)
            return snapshot_id

    def find(self, playlist_id: str) -> tuple[Playlist, PlaylistVersion, int] | None:
        """The playlist, its version and its followers, or None where it does not exist on the day."""
        with self._lock:
            version = self._version(playlist_id)
            if version is None:
                return None
            playlist = self._playlists[playlist_id]
            return playlist, version, playlist.follower_counts[self._day]

    def odd(self, playlist_id: str) -> OddPlaylist | None:
        """What is odd about that playlist; None for all but the odd ones."""
        return self._odd.get(playlist_id)

    def library(self, with_odd: bool) -> list[tuple[Playlist, PlaylistVersion]]:
        """The playlists that the account owns or follows and that exist on the day."""
        return self._existing(self._library + (self._odd_in_library if with_odd else ()))

    def profile(self, user_id: str) -> list[tuple[Playlist, PlaylistVersion]]:
        """The public playlists that another user owns and that exist on the day."""
        return self._existing(
            playlist
            for playlist in self.world.playlists
            if playlist.owner_id == user_id and playlist.is_public
        )

    def user(self, user_id: str) -> User | None:
        """Someone in the world, or Spotify."""
        return SPOTIFY if user_id == SPOTIFY.user_id else self.world.users.get(user_id)

    def _existing(self, playlists) -> list[tuple[Playlist, PlaylistVersion]]:
        with self._lock:
            pairs = [(playlist, self._version(playlist.playlist_id)) for playlist in playlists]
        return [(playlist, version) for playlist, version in pairs if version]

    def _version(self, playlist_id: str) -> PlaylistVersion | None:
        if playlist_id not in self._playlists:
            return None
        return self._edited.get(playlist_id) or self._playlists[playlist_id].versions.get(self._day)

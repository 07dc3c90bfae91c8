"""The world: one seed's music and listeners, in memory. Nothing here touches a disk."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from sandbox.catalogue import Catalogue, make_catalogue
from sandbox.history import DAYS, History, make_history
from sandbox.model import (
    Album,
    Artist,
    ArtistPair,
    Episode,
    LocalFile,
    Playlist,
    Song,
    SpotifyArtist,
    Track,
    TrackPair,
    User,
)

DEFAULT_SEED = 2026

ADDED_WITHIN_DAYS = 180
"""Of a new release, until somebody first puts a track of it in a playlist."""


@dataclass(frozen=True)
class World:
    """Everything that exists in one sandbox. Mappings are by id (`tracks` and the like) or by uri.

    `artists`, `songs`: the Million Song Dataset's side. `track_pairs`, `artist_pairs`: the truth
    about both sides. `account` is the user whose account data is exported.
    """

    seed: int
    days: tuple[date, ...]
    artists: tuple[Artist, ...]
    songs: tuple[Song, ...]
    spotify_artists: dict[str, SpotifyArtist] = field(repr=False)
    albums: dict[str, Album] = field(repr=False)
    tracks: dict[str, Track] = field(repr=False)
    episodes: dict[str, Episode] = field(repr=False)
    local_files: dict[str, LocalFile] = field(repr=False)
    users: dict[str, User] = field(repr=False)
    account: User
    playlists: tuple[Playlist, ...] = field(repr=False)
    track_pairs: tuple[TrackPair, ...] = field(repr=False)
    artist_pairs: tuple[ArtistPair, ...] = field(repr=False)

    def playlists_on(self, day: date) -> tuple[Playlist, ...]:
        """The playlists that exist at the end of that day."""
        return tuple(playlist for playlist in self.playlists if day in playlist.versions)

    def thing(self, uri: str) -> Track | Episode | LocalFile:
        """What an item's uri stands for. Raises KeyError for a uri of another world."""
        if uri in self.local_files:
            return self.local_files[uri]
        _, kind, identifier = uri.split(":")
        return self.tracks[identifier] if kind == "track" else self.episodes[identifier]


def generate_world(seed: int = DEFAULT_SEED) -> World:
    """The world of a seed: the same seed gives an equal world on any machine, at any time."""
    random = Random(seed)
    catalogue = make_catalogue(random)
    history = make_history(random, catalogue)
    return World(
        seed=seed,
        days=DAYS,
        artists=catalogue.artists,
        songs=catalogue.songs,
        spotify_artists={artist.artist_id: artist for artist in catalogue.spotify_artists},
        albums={album.album_id: album for album in _albums(catalogue, history)},
        tracks={track.track_id: track for track in catalogue.tracks},
        episodes={episode.episode_id: episode for episode in history.episodes},
        local_files={file.uri: file for file in history.local_files},
        users={user.user_id: user for user in history.users},
        account=history.account,
        playlists=history.playlists,
        track_pairs=catalogue.track_pairs,
        artist_pairs=catalogue.artist_pairs,
    )


def _albums(catalogue: Catalogue, history: History) -> Iterator[Album]:
    """The catalogue's albums. Those that hold no work of the dataset, which ends in 2010, are new."""
    old_tracks = {pair.spotify_track_id for pair in catalogue.track_pairs}
    old_albums = {
        track.album_id for track in catalogue.tracks if track.track_id in old_tracks or not track.name
    }
    album_of_uri = {track.uri: track.album_id for track in catalogue.tracks}
    first_added: dict[str, date] = {}
    for playlist in history.playlists:
        for item in {item for version in playlist.versions.values() for item in version.items}:
            # Some items have lost their day and say 1970.
            if item.uri in album_of_uri and item.added_at and item.added_at.year > 1970:
                album_id, day = album_of_uri[item.uri], item.added_at.date()
                first_added[album_id] = min(day, first_added.get(album_id, day))
    for album in catalogue.albums:
        if album.album_id in first_added and album.album_id not in old_albums:
            # By the album's own random numbers, so that no others change.
            age = timedelta(days=Random(album.album_id).randrange(1, ADDED_WITHIN_DAYS))
            released = (first_added[album.album_id] - age).isoformat()
            yield replace(album, release_date=released[: len(album.release_date)])
        else:
            yield album

"""The world: one seed's music and listeners, in memory. Nothing here touches a disk."""

from dataclasses import dataclass, field
from datetime import date
from random import Random

from sandbox.catalogue import make_catalogue
from sandbox.history import DAYS, make_history
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
        albums={album.album_id: album for album in catalogue.albums},
        tracks={track.track_id: track for track in catalogue.tracks},
        episodes={episode.episode_id: episode for episode in history.episodes},
        local_files={file.uri: file for file in history.local_files},
        users={user.user_id: user for user in history.users},
        account=history.account,
        playlists=history.playlists,
        track_pairs=catalogue.track_pairs,
        artist_pairs=catalogue.artist_pairs,
    )

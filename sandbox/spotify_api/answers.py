"""The API's JSON objects, made from the world as one kind of app sees it."""

import hashlib
from collections import Counter
from functools import cached_property
from random import Random
from typing import Any

from sandbox.model import (
    Album,
    Episode,
    LocalFile,
    Playlist,
    PlaylistItem,
    PlaylistVersion,
    SpotifyArtist,
    Track,
    User,
)
from sandbox.random_ids import BASE62
from sandbox.spotify_api.access import Access
from sandbox.world import World

Json = dict[str, Any]

_WEB = "https://open.spotify.com"
_IMAGES = "https://i.scdn.co/image"


class Answers:
    """JSON objects of one world for one kind of app. `base` is the server's URL, without a last slash.

    Each call gives a new object, which the caller may change, except for what is in an `entry`.
    """

    def __init__(self, world: World, access: Access, base: str) -> None:
        self._world, self._access, self._base = world, access, base
        self._things: dict[str, Json] = {}
        self._episodes_of_show = Counter(episode.show_name for episode in world.episodes.values())

    # --- people and artists ---

    def owner(self, user: User) -> Json:
        """A user as the owner of a playlist."""
        return {"display_name": user.display_name, **self.contributor(user.user_id)}

    def contributor(self, user_id: str) -> Json:
        """A user as the one who added an item; the id may be empty."""
        return {**self._names("user", user_id), "href": f"{self._base}/v1/users/{user_id}", "id": user_id}

    def user(self, user: User, scope: str | None = None) -> Json:
        """A user's profile; `scope` of the token where it is the user's own, else None."""
        profile = self.owner(user) | {
            "followers": {"href": None, "total": self._number(user.user_id, 300)},
            "images": _images(user.user_id, 300, 64),
        }
        if scope is not None and "user-read-private" in scope.split():
            profile |= {"country": "SE", "product": "premium"}
        if scope is not None and "user-read-email" in scope.split():
            profile["email"] = f"{user.user_id}@example.org"
        return self._shown("user", profile)

    def simple_artist(self, artist: SpotifyArtist) -> Json:
        """An artist inside of a track or an album."""
        return {
            **self._names("artist", artist.artist_id),
            "href": f"{self._base}/v1/artists/{artist.artist_id}",
            "id": artist.artist_id,
            "name": artist.name,
        }

    def artist(self, artist: SpotifyArtist) -> Json:
        """An artist as `/artists/{id}` gives it."""
        whole = self.simple_artist(artist) | {
            "followers": {"href": None, "total": artist.followers},
            "genres": list(artist.genres),
            "images": _images(artist.artist_id, 640, 320, 160),
            "popularity": artist.popularity,
        }
        return self._shown("artist", whole)

    # --- music ---

    def simple_album(self, album: Album) -> Json:
        """An album inside of a track."""
        artists = [self._world.spotify_artists[artist_id] for artist_id in album.artist_ids]
        whole = {
            **self._names("album", album.album_id),
            "album_type": album.album_type,
            "artists": [self.simple_artist(artist) for artist in artists],
            "available_markets": list(album.markets),
            "href": f"{self._base}/v1/albums/{album.album_id}",
            "id": album.album_id,
            "images": _images(album.album_id, 640, 300, 64),
            "name": album.name,
            "release_date": album.release_date,
            "release_date_precision": album.release_date_precision,
            "total_tracks": album.total_tracks,
        }
        return self._shown("album", whole)

    def album(self, album: Album, tracks: Json) -> Json:
        """An album as `/albums/{id}` gives it, with the first page of its tracks."""
        whole = self.simple_album(album) | {
            "copyrights": [{"text": f"{album.release_date[:4]} {album.label}", "type": "P"}],
            "external_ids": {"upc": album.upc} if album.upc else {},
            "genres": [],
            "label": album.label,
            "popularity": max((track.popularity for track in self.tracks_of(album)), default=0),
            "tracks": tracks,
        }
        return self._shown("album", whole)

    def tracks_of(self, album: Album) -> list[Track]:
        """The album's tracks, in their order on it."""
        return self._tracks_by_album.get(album.album_id, [])

    def simple_track(self, track: Track) -> Json:
        """A track inside of an album."""
        artists = [self._world.spotify_artists[artist_id] for artist_id in track.artist_ids]
        whole = {
            **self._names("track", track.track_id),
            "artists": [self.simple_artist(artist) for artist in artists],
            "available_markets": list(track.markets),
            "disc_number": track.disc_number,
            "duration_ms": track.duration_ms,
            "explicit": track.is_explicit,
            "href": f"{self._base}/v1/tracks/{track.track_id}",
            "id": track.track_id,
            "is_local": False,
            "name": track.name,
            "preview_url": None,
            "track_number": track.track_number,
        }
        return self._shown("track", whole)

    def track(self, track: Track) -> Json:
        """A track as `/tracks/{id}` gives it."""
        whole = self.simple_track(track) | {
            "album": self.simple_album(self._world.albums[track.album_id]),
            "external_ids": {"isrc": track.isrc} if track.isrc else {},
            "popularity": track.popularity,
        }
        return self._shown("track", whole)

    def audio_features(self, track: Track) -> Json:
        """What is measured on a track: as on its song in the dataset, if that is the same recording."""
        random = Random(f"{self._world.seed} {track.track_id}")
        names = (
            "danceability",
            "energy",
            "speechiness",
            "acousticness",
            "instrumentalness",
            "liveness",
            "valence",
        )
        song = self._songs_by_track.get(track.track_id)
        return {
            **{name: random.randrange(1, 1000) / 1000 for name in names},
            "key": song.key if song else random.randrange(12),
            "loudness": song.loudness if song else -random.randrange(2000, 30_000) / 1000,
            "mode": song.mode if song else random.randrange(2),
            "tempo": song.tempo if song else random.randrange(60_000, 200_000) / 1000,
            "type": "audio_features",
            "id": track.track_id,
            "uri": track.uri,
            "track_href": f"{self._base}/v1/tracks/{track.track_id}",
            "analysis_url": f"{self._base}/v1/audio-analysis/{track.track_id}",
            "duration_ms": track.duration_ms,
            "time_signature": song.time_signature if song else 4,
        }

    def episode(self, episode: Episode) -> Json:
        """An episode, with its show."""
        return {
            **self._names("episode", episode.episode_id),
            "audio_preview_url": None,
            "available_markets": ["GB", "SE", "US"],
            "description": f"An episode of {episode.show_name}.",
            "duration_ms": episode.duration_ms,
            "episode": True,
            "explicit": False,
            "href": f"{self._base}/v1/episodes/{episode.episode_id}",
            "html_description": f"<p>An episode of {episode.show_name}.</p>",
            "id": episode.episode_id,
            "images": _images(episode.episode_id, 640, 300, 64),
            "is_externally_hosted": False,
            "language": "en",
            "languages": ["en"],
            "name": episode.name,
            "release_date": f"2025-{1 + self._number(episode.episode_id, 12):02d}-01",
            "release_date_precision": "day",
            "show": self._show(episode.show_name),
            "track": False,
        }

    def local_file(self, file: LocalFile) -> Json:
        """A file on the listener's disk, in the shape of a track."""
        album = {
            "album_type": None,
            "artists": [],
            "available_markets": [],
            "external_urls": {},
            "href": None,
            "id": None,
            "images": [],
            "name": file.album_name,
            "release_date": None,
            "release_date_precision": None,
            "type": "album",
            "uri": None,
        }
        artist = {"external_urls": {}, "href": None, "id": None, "type": "artist", "uri": None}
        whole = {
            "album": self._shown("album", album),
            "artists": [{**artist, "name": file.artist_name}],
            "available_markets": [],
            "disc_number": 0,
            "duration_ms": file.duration_ms,
            "explicit": False,
            "external_ids": {},
            "external_urls": {},
            "href": None,
            "id": None,
            "is_local": True,
            "name": file.name,
            "popularity": 0,
            "preview_url": None,
            "track_number": 0,
            "type": "track",
            "uri": file.uri,
        }
        return self._shown("track", whole)

    # --- playlists ---

    def playlist(self, playlist: Playlist, version: PlaylistVersion, owner: User) -> Json:
        """A playlist in a list of playlists, without the reference to its items."""
        return {
            **self._names("playlist", playlist.playlist_id),
            "collaborative": playlist.is_collaborative,
            "description": version.description,
            "href": f"{self._base}/v1/playlists/{playlist.playlist_id}",
            "id": playlist.playlist_id,
            "images": _cover(version),
            "name": version.name,
            "owner": self.owner(owner),
            "primary_color": None,
            "public": playlist.is_public,
            "snapshot_id": version.snapshot_id,
        }

    def entry(self, item: PlaylistItem, names: tuple[str, ...]) -> Json:
        """A place in a playlist. What is there stands under each of `names`, one object under all.

        Entries of the same uri share that object, so that a long playlist is quickly made: copy it
        before changing it.
        """
        thing = self._thing(item)
        return {
            "added_at": item.added_at and item.added_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "added_by": None if item.added_by is None else self.contributor(item.added_by),
            "is_local": item.kind == "local",
            "primary_color": None,
            **dict.fromkeys(names, thing),
            "video_thumbnail": {"url": None},
        }

    def _thing(self, item: PlaylistItem) -> Json | None:
        if item.uri is None:
            return None
        if item.uri not in self._things:
            self._things[item.uri] = self._make_thing(item.uri)
        return self._things[item.uri]

    def _make_thing(self, uri: str) -> Json:
        thing = self._world.thing(uri)
        if isinstance(thing, LocalFile):
            return self.local_file(thing)
        if isinstance(thing, Episode):
            return self.episode(thing)
        return self.track(thing) | {"episode": False, "track": True}

    def _show(self, name: str) -> Json:
        show_id = _made_id(f"show {name}")
        return {
            **self._names("show", show_id),
            "available_markets": ["GB", "SE", "US"],
            "copyrights": [],
            "description": name,
            "explicit": False,
            "href": f"{self._base}/v1/shows/{show_id}",
            "html_description": f"<p>{name}</p>",
            "id": show_id,
            "images": _images(show_id, 640, 300, 64),
            "is_externally_hosted": False,
            "languages": ["en"],
            "media_type": "audio",
            "name": name,
            "publisher": "Sandbox Radio",
            "total_episodes": self._episodes_of_show[name],
        }

    def _names(self, kind: str, identifier: str) -> Json:
        return {
            "external_urls": {"spotify": f"{_WEB}/{kind}/{identifier}"},
            "type": kind,
            "uri": f"spotify:{kind}:{identifier}",
        }

    def _shown(self, kind: str, whole: Json) -> Json:
        hidden = self._access.hidden_fields.get(kind, frozenset())
        return {name: value for name, value in whole.items() if name not in hidden}

    def _number(self, key: str, below: int) -> int:
        return Random(f"{self._world.seed} {key}").randrange(below)

    @cached_property
    def _tracks_by_album(self) -> dict[str, list[Track]]:
        by_album: dict[str, list[Track]] = {}
        for track in self._world.tracks.values():
            by_album.setdefault(track.album_id, []).append(track)
        for tracks in by_album.values():
            tracks.sort(key=lambda track: (track.disc_number, track.track_number))
        return by_album

    @cached_property
    def _songs_by_track(self):
        songs = {song.track_id: song for song in self._world.songs}
        return {
            pair.spotify_track_id: songs[pair.msd_track_id]
            for pair in self._world.track_pairs
            if pair.is_match
        }


def _images(key: str, *sizes: int | None) -> list[Json]:
    """A picture of that key in square sizes, pixels."""
    digest = hashlib.sha1(key.encode()).hexdigest()
    return [
        {"height": size, "url": f"{_IMAGES}/{number:04x}{digest[4:]}", "width": size}
        for number, size in enumerate(sizes)
    ]


def _cover(version: PlaylistVersion) -> list[Json] | None:
    """One's own cover, a mosaic of four albums', the first album's, or none for an empty playlist."""
    if version.has_cover:
        return _images(f"cover {version.name}", None)
    if len(version.items) >= 4:
        return _images(f"mosaic {version.name}", 640, 300, 60)
    return _images(f"album {version.name}", None) if version.items else None


def _made_id(key: str) -> str:
    """22 base-62 characters that the key decides."""
    return "".join(Random(key).choices(BASE62, k=22))

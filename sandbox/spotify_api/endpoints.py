"""The Web API's endpoints: from a request and who sends it to JSON, or to an error."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sandbox.model import Album, Playlist, PlaylistVersion, SpotifyArtist, Track
from sandbox.spotify_api.access import (
    BATCH_LIMITS,
    CONTAINERS,
    EMBEDDED_ITEMS,
    ENTRIES,
    PLAYLISTS_MAX_OFFSET,
    PLAYLISTS_PAGE,
    SEARCH_MAX_OFFSET,
    Access,
)
from sandbox.spotify_api.accounts import Grant
from sandbox.spotify_api.answers import Answers, Json
from sandbox.spotify_api.fields import filtered
from sandbox.spotify_api.messages import Answer, ApiError, Request, json_answer
from sandbox.spotify_api.odd import SPOTIFY
from sandbox.spotify_api.scene import Scene
from sandbox.spotify_api.search import MOST_CHARACTERS, Index

_ID = re.compile(r"[0-9A-Za-z]{22}")
_KEPT_IN_LINKS = ("additional_types", "market")
_SEARCH_TYPES = ("album", "artist", "playlist", "track", "show", "episode", "audiobook")


class Call(NamedTuple):
    """A request with the id from its path ('' for none) and what its token stands for."""

    request: Request
    identifier: str
    grant: Grant


class Route(NamedTuple):
    """An endpoint. `is_personal`: whether it needs a user's token."""

    template: str
    handle: Callable[[Call], Json]
    is_personal: bool


class Endpoints:
    """All endpoints below `/v1` for one kind of app. `base` is the server's URL, without a last slash.

    `market` and `additional_types` change nothing: tracks are not relinked, and episodes come as
    episodes in any case, as captured answers have them.
    """

    def __init__(self, scene: Scene, access: Access, base: str, lists_odd_playlists: bool) -> None:
        self._scene, self._world, self._access, self._base = scene, scene.world, access, base
        self._lists_odd_playlists = lists_odd_playlists
        self._answers = Answers(scene.world, access, base)
        self._routes = (
            Route("/v1/me", self._me, True),
            Route("/v1/me/playlists", self._my_playlists, True),
            Route("/v1/users/{id}", self._user, False),
            Route("/v1/users/{id}/playlists", self._users_playlists, False),
            Route("/v1/playlists/{id}", self._playlist, False),
            Route("/v1/playlists/{id}/items", self._items, False),
            Route("/v1/playlists/{id}/tracks", self._items, False),
            Route("/v1/tracks", self._tracks, False),
            Route("/v1/tracks/{id}", self._track, False),
            Route("/v1/artists", self._artists, False),
            Route("/v1/artists/{id}", self._artist, False),
            Route("/v1/albums", self._albums, False),
            Route("/v1/albums/{id}", self._album, False),
            Route("/v1/albums/{id}/tracks", self._album_tracks, False),
            Route("/v1/audio-features", self._several_audio_features, False),
            Route("/v1/audio-features/{id}", self._audio_features, False),
            Route("/v1/search", self._search, False),
        )

    def route(self, path: str) -> tuple[Route, str] | None:
        """The endpoint of a path and the id in it, or None for a path that the API does not have."""
        parts = path.rstrip("/").split("/")
        for route in self._routes:
            names = route.template.split("/")
            if len(names) != len(parts):
                continue
            if all(name in (part, "{id}") for name, part in zip(names, parts, strict=True)):
                return route, parts[names.index("{id}")] if "{id}" in names else ""
        return None

    def answer(self, route: Route, call: Call) -> Answer:
        """What the endpoint answers. Raises ApiError for what the API refuses."""
        if route.template in self._access.gone:
            status = self._access.gone[route.template]
            messages = {403: "Forbidden", 404: "Resource not found", 410: "Gone"}
            raise ApiError(status, messages.get(status, "Forbidden"))
        if route.is_personal and call.grant.user_id is None:
            raise ApiError(401, "Valid user authentication required")
        if call.request.method != "GET":
            raise ApiError(405, "Method not allowed")
        return json_answer(route.handle(call))

    # --- users ---

    def _me(self, call: Call) -> Json:
        user = self._scene.user(call.grant.user_id)
        return self._answers.user(user, call.grant.scope)

    def _user(self, call: Call) -> Json:
        user = self._scene.user(call.identifier)
        if not user:
            raise ApiError(404, "Resource not found")
        return self._answers.user(user)

    def _my_playlists(self, call: Call) -> Json:
        user_id, scopes = call.grant.user_id, call.grant.scope.split()
        if user_id != self._world.account.user_id:
            playlists = self._scene.profile(user_id)
        else:
            playlists = [
                (playlist, version)
                for playlist, version in self._scene.library(self._lists_odd_playlists)
                if self._may_list(playlist, scopes)
            ]
        # As captured: the pages of one's own list, too, are addressed by the user's id.
        path = f"/v1/users/{user_id}/playlists"
        if "/v1/users/{id}/playlists" in self._access.gone:
            path = "/v1/me/playlists"
        return self._playlists_page(call.request, path, playlists)

    def _users_playlists(self, call: Call) -> Json:
        if call.identifier == call.grant.user_id:
            return self._my_playlists(call)
        if not self._scene.user(call.identifier):
            raise ApiError(404, "Resource not found")
        playlists = self._scene.profile(call.identifier)
        return self._playlists_page(call.request, call.request.path, playlists)

    def _may_list(self, playlist: Playlist, scopes: list[str]) -> bool:
        if playlist.owner_id == SPOTIFY.user_id and not self._access.sees_spotify_playlists:
            return False
        if playlist.is_collaborative:
            return "playlist-read-collaborative" in scopes
        return playlist.is_public or "playlist-read-private" in scopes

    def _playlists_page(
        self, request: Request, path: str, playlists: Sequence[tuple[Playlist, PlaylistVersion]]
    ) -> Json:
        limit = _number(request, "limit", 20, 1, PLAYLISTS_PAGE)
        offset = _number(request, "offset", 0, 0, PLAYLISTS_MAX_OFFSET)
        items = [self._listed(playlist, version) for playlist, version in playlists[offset : offset + limit]]
        return self._page(path, items, len(playlists), limit, offset)

    def _listed(self, playlist: Playlist, version: PlaylistVersion) -> Json:
        listed = self._answers.playlist(playlist, version, self._scene.user(playlist.owner_id))
        for container in CONTAINERS[self._access.naming]:
            href = f"{self._base}/v1/playlists/{playlist.playlist_id}/{container}"
            listed[container] = {"href": href, "total": len(version.items)}
        return listed

    # --- playlists ---

    def _playlist(self, call: Call) -> Json:
        playlist, version, followers = self._find_playlist(call)
        odd = self._scene.odd(playlist.playlist_id)
        whole = self._answers.playlist(playlist, version, self._scene.user(playlist.owner_id))
        whole["followers"] = {"href": None, "total": followers}
        if self._may_see_items(playlist, call.grant):
            containers = CONTAINERS[self._access.naming]
            if odd and odd.containers is not None:
                containers = odd.containers
            for container in containers:
                whole[container] = self._items_page(
                    call.request,
                    playlist,
                    version,
                    container,
                    EMBEDDED_ITEMS,
                    0,
                    next_limit=self._access.items_page,
                )
        if odd and odd.change_playlist:
            odd.change_playlist(whole)
        return self._filtered(whole, call.request)

    def _items(self, call: Call) -> Json:
        playlist, version, _ = self._find_playlist(call)
        if not self._may_see_items(playlist, call.grant):
            raise ApiError(403, "Forbidden")
        limit = _number(call.request, "limit", self._access.items_default, 1, self._access.items_page)
        offset = _number(call.request, "offset", 0, 0)
        container = call.request.path.rstrip("/").rsplit("/", 1)[-1]
        page = self._items_page(call.request, playlist, version, container, limit, offset, next_limit=limit)
        return self._filtered(page, call.request)

    def _find_playlist(self, call: Call) -> tuple[Playlist, PlaylistVersion, int]:
        if not _ID.fullmatch(call.identifier):
            raise ApiError(400, "Invalid base62 id")
        found = self._scene.find(call.identifier)
        if not found:
            raise ApiError(404, "Resource not found")
        if found[0].owner_id == SPOTIFY.user_id and not self._access.sees_spotify_playlists:
            raise ApiError(404, "Resource not found")
        return found

    def _may_see_items(self, playlist: Playlist, grant: Grant) -> bool:
        if self._access.sees_foreign_items:
            return True
        if grant.user_id is None:
            return False
        return playlist.owner_id == grant.user_id or playlist.is_collaborative

    def _items_page(
        self,
        request: Request,
        playlist: Playlist,
        version: PlaylistVersion,
        container: str,
        limit: int,
        offset: int,
        next_limit: int,
    ) -> Json:
        odd = self._scene.odd(playlist.playlist_id)
        entries = ENTRIES[self._access.naming] if not odd or odd.entries is None else odd.entries
        items = version.items[offset : offset + limit]
        page = self._page(
            f"/v1/playlists/{playlist.playlist_id}/{container}",
            [self._answers.entry(item, entries) for item in items],
            len(version.items),
            limit,
            offset,
            next_limit=next_limit,
            **{name: request.query[name] for name in _KEPT_IN_LINKS if name in request.query},
        )
        if odd:
            odd.alter_page(page)
        return page

    def _filtered(self, value: Json, request: Request) -> Json:
        return filtered(value, request.query["fields"]) if request.query.get("fields") else value

    # --- the catalogue ---

    def _track(self, call: Call) -> Json:
        return self._answers.track(_one(self._world.tracks, call.identifier))

    def _tracks(self, call: Call) -> Json:
        return self._batch(call, "tracks", self._world.tracks, self._answers.track)

    def _artist(self, call: Call) -> Json:
        return self._answers.artist(_one(self._world.spotify_artists, call.identifier))

    def _artists(self, call: Call) -> Json:
        return self._batch(call, "artists", self._world.spotify_artists, self._answers.artist)

    def _album(self, call: Call) -> Json:
        return self._whole_album(_one(self._world.albums, call.identifier))

    def _albums(self, call: Call) -> Json:
        return self._batch(call, "albums", self._world.albums, self._whole_album)

    def _whole_album(self, album: Album) -> Json:
        return self._answers.album(album, self._album_tracks_page(album, 50, 0))

    def _album_tracks(self, call: Call) -> Json:
        album = _one(self._world.albums, call.identifier)
        limit = _number(call.request, "limit", 20, 1, 50)
        return self._album_tracks_page(album, limit, _number(call.request, "offset", 0, 0))

    def _album_tracks_page(self, album: Album, limit: int, offset: int) -> Json:
        tracks = self._answers.tracks_of(album)
        items = [self._answers.simple_track(track) for track in tracks[offset : offset + limit]]
        return self._page(f"/v1/albums/{album.album_id}/tracks", items, len(tracks), limit, offset)

    def _audio_features(self, call: Call) -> Json:
        return self._answers.audio_features(_one(self._world.tracks, call.identifier))

    def _several_audio_features(self, call: Call) -> Json:
        return self._batch(call, "audio_features", self._world.tracks, self._answers.audio_features)

    def _batch(self, call: Call, name: str, known: dict[str, Any], make: Callable[[Any], Json]) -> Json:
        identifiers = [part for part in call.request.query.get("ids", "").split(",") if part]
        if not identifiers:
            raise ApiError(400, "Missing required field: ids")
        if len(identifiers) > BATCH_LIMITS[name]:
            raise ApiError(400, "Too many ids requested")
        if not all(_ID.fullmatch(identifier) for identifier in identifiers):
            raise ApiError(400, "Invalid base62 id")
        found = (known.get(identifier) for identifier in identifiers)
        return {name: [make(thing) if thing else None for thing in found]}

    # --- search ---

    def _search(self, call: Call) -> Json:
        request = call.request
        # The API's own links to further pages call it `query`.
        query = request.query.get("q") or request.query.get("query")
        kinds = [kind for kind in request.query.get("type", "").split(",") if kind]
        if not query:
            raise ApiError(400, "No search query")
        if len(query) > MOST_CHARACTERS:
            raise ApiError(404, "Not found.")
        if not kinds:
            raise ApiError(400, "Missing parameter type")
        for kind in kinds:
            if kind not in _SEARCH_TYPES:
                raise ApiError(400, f"Bad search type field {kind}")
        access = self._access
        limit = _number(request, "limit", access.search_default, 1, access.search_page)
        offset = _number(request, "offset", 0, 0, SEARCH_MAX_OFFSET)
        answer = {}
        for kind in kinds:
            found = self._index.find(kind, query)
            answer[f"{kind}s"] = self._page(
                "/v1/search",
                [self._search_result(thing) for thing in found[offset : offset + limit]],
                len(found),
                limit,
                offset,
                query=query,
                type=kind,
            )
        return answer

    def _search_result(self, thing: Track | Album | SpotifyArtist) -> Json:
        if isinstance(thing, SpotifyArtist):
            return self._answers.artist(thing)
        if isinstance(thing, Album):
            return self._answers.simple_album(thing) | {"is_playable": bool(thing.markets)}
        track = self._answers.track(thing) | {"is_playable": bool(thing.markets)}
        track["album"]["is_playable"] = bool(thing.markets)
        return track

    @cached_property
    def _index(self) -> Index:
        return Index(self._world)

    # --- pages ---

    def _page(
        self,
        path: str,
        items: list[Json],
        total: int,
        limit: int,
        offset: int,
        *,
        next_limit: int | None = None,
        **query: str,
    ) -> Json:
        def link(to_offset: int, to_limit: int) -> str:
            return f"{self._base}{path}?{urlencode({'offset': to_offset, 'limit': to_limit, **query})}"

        following = offset + limit
        return {
            "href": link(offset, limit),
            "items": items,
            "limit": limit,
            "next": link(following, next_limit or limit) if following < total else None,
            "offset": offset,
            "previous": link(max(0, offset - limit), limit) if offset else None,
            "total": total,
        }


def _number(request: Request, name: str, default: int, least: int, most: int | None = None) -> int:
    text = request.query.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise ApiError(400, f"Invalid {name}")
    value = int(text)
    if value < least or (most is not None and value > most):
        raise ApiError(400, f"Invalid {name}")
    return value


def _one(known: dict[str, Any], identifier: str) -> Any:
    if not _ID.fullmatch(identifier):
        raise ApiError(400, "Invalid base62 id")
    if identifier not in known:
        raise ApiError(404, "Resource not found")
    return known[identifier]

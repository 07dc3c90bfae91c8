"""Playlists beside the world's own: one for each oddity that real accounts produce, and Spotify's own."""

import hashlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sandbox.model import Playlist, PlaylistItem, PlaylistVersion, Track, User
from sandbox.world import World

FOREIGN_BASE = "https://elsewhere.example"
"""Where the `next` of the playlist `foreign_next` leads: a reserved name that no one can reach."""
SPOTIFY = User("spotify", "Spotify")
SPOTIFY_PLAYLIST_IDS = ("37i9dQZF1DXSandboxHit1", "37i9dQZF1DXSandboxHit2")

Json = dict[str, Any]
_FIRST_ADDED_AT = datetime(2025, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class OddPlaylist:
    """A playlist with something odd about it, on every day the same.

    `items` picks its items from the world. The rest changes the JSON in place: `change_thing` what is
    in each item (under `track` or `item`), `change_entry` each item, `change_page` a page of items
    including the embedded one, `change_playlist` the whole. `containers` and `entries` are the names
    that stand for `items` and `item`, None for those of the kind of app.
    """

    name: str
    playlist_id: str
    what_is_odd: str
    items: Callable[[World], tuple[PlaylistItem, ...]]
    containers: tuple[str, ...] | None = None
    entries: tuple[str, ...] | None = None
    change_thing: Callable[[Json], None] | None = None
    change_entry: Callable[[Json], None] | None = None
    change_page: Callable[[Json], None] | None = None
    change_playlist: Callable[[Json], None] | None = None

    def alter_page(self, page: Json) -> None:
        """Makes a page of its items odd."""
        # Things are shared between playlists, and only this one is odd.
        page["items"] = [deepcopy(entry) for entry in page["items"]]
        for entry in page["items"]:
            # The same object may stand under two names, and is to be changed once.
            thing = entry.get("item", entry.get("track"))
            if self.change_thing and thing is not None:
                self.change_thing(thing)
            if self.change_entry:
                self.change_entry(entry)
        if self.change_page:
            self.change_page(page)


def make_playlist(world: World, odd: OddPlaylist, number: int) -> Playlist:
    """The odd playlist as one of the account's, existing on every day of the world."""
    return _lasting(
        world, odd.playlist_id, world.account.user_id, f"odd {odd.name}", odd.items(world), number
    )


def make_spotify_playlists(world: World) -> tuple[Playlist, ...]:
    """Playlists that belong to Spotify."""
    tracks = sorted(world.tracks.values(), key=lambda track: (-track.popularity, track.track_id))
    return tuple(
        _lasting(
            world,
            playlist_id,
            SPOTIFY.user_id,
            f"Hits {number + 1}",
            tuple(_item(track, place) for place, track in enumerate(tracks[number : 60 + number])),
            number,
        )
        for number, playlist_id in enumerate(SPOTIFY_PLAYLIST_IDS)
    )


def _lasting(
    world: World,
    playlist_id: str,
    owner_id: str,
    name: str,
    items: tuple[PlaylistItem, ...],
    number: int,
) -> Playlist:
    version = PlaylistVersion(
        snapshot_id="AAAA" + hashlib.sha256(playlist_id.encode()).hexdigest()[:28],
        modified_at=_FIRST_ADDED_AT + timedelta(days=30),
        name=name,
        description="",
        has_cover=False,
        items=items,
    )
    return Playlist(
        playlist_id=playlist_id,
        owner_id=owner_id,
        is_collaborative=False,
        is_public=True,
        file_kind="account",
        file_number=number,
        versions=dict.fromkeys(world.days, version),
        follower_counts=dict.fromkeys(world.days, number),
        changes=(),
    )


# --- what the odd playlists hold ---


def _ordinary(world: World) -> list[Track]:
    return [track for track in world.tracks.values() if track.name and track.isrc and track.markets]


def _item(track: Track, place: int) -> PlaylistItem:
    return PlaylistItem("track", track.uri, _FIRST_ADDED_AT + timedelta(minutes=place), SPOTIFY.user_id)


def _some(count: int) -> Callable[[World], tuple[PlaylistItem, ...]]:
    """The first ordinary tracks, added by the account."""

    def items(world: World) -> tuple[PlaylistItem, ...]:
        return tuple(
            replace(_item(track, place), added_by=world.account.user_id)
            for place, track in enumerate(_ordinary(world)[:count])
        )

    return items


_THREE_TRACKS = _some(3)


def _with_first(**fields) -> Callable[[World], tuple[PlaylistItem, ...]]:
    """Three tracks, the first place changed."""

    def items(world: World) -> tuple[PlaylistItem, ...]:
        first, *others = _THREE_TRACKS(world)
        return (replace(first, **fields), *others)

    return items


def _with_track(is_wanted: Callable[[World, Track], bool]) -> Callable[[World], tuple[PlaylistItem, ...]]:
    """The first track of that kind, then two ordinary ones."""

    def items(world: World) -> tuple[PlaylistItem, ...]:
        wanted = next(track for track in world.tracks.values() if is_wanted(world, track))
        first, *others = _THREE_TRACKS(world)
        return (replace(first, uri=wanted.uri), *others)

    return items


def _with_episode(world: World) -> tuple[PlaylistItem, ...]:
    return _with_first(kind="episode", uri=next(iter(world.episodes.values())).uri)(world)


def _with_local_file(world: World) -> tuple[PlaylistItem, ...]:
    return _with_first(kind="local", uri=next(iter(world.local_files)))(world)


def _repeated(world: World) -> tuple[PlaylistItem, ...]:
    first, second, third = _THREE_TRACKS(world)
    return (first, second, first, replace(first, added_at=third.added_at), third)


def _released_with(precision: str) -> Callable[[World, Track], bool]:
    def is_wanted(world: World, track: Track) -> bool:
        return bool(track.name) and world.albums[track.album_id].release_date_precision == precision

    return is_wanted


# --- what is done to their JSON ---


def _unknown_type(thing: Json) -> None:
    thing["type"] = "hologram"
    thing["uri"] = f"spotify:hologram:{thing['id']}"


def _floats(thing: Json) -> None:
    for name in ("duration_ms", "track_number", "disc_number", "popularity"):
        if name in thing:
            thing[name] = float(thing[name])
    thing["album"]["total_tracks"] = float(thing["album"]["total_tracks"])


def _float_counts(page: Json) -> None:
    for name in ("total", "limit", "offset"):
        page[name] = float(page[name])


def _sparse(thing: Json) -> None:
    for name in ("popularity", "available_markets", "external_ids"):
        thing.pop(name, None)
    for name in ("images", "available_markets"):
        thing["album"].pop(name, None)


def _no_contributor_name(entry: Json) -> None:
    entry["added_by"] = {**entry["added_by"], "id": "", "uri": "spotify:user:"}


def _null_entry_fields(entry: Json) -> None:
    entry["video_thumbnail"] = None


def _bare_playlist(playlist: Json) -> None:
    for name in ("images", "description", "public"):
        playlist[name] = None
    playlist.pop("followers", None)
    playlist["owner"]["display_name"] = None


def _claim_more(page: Json) -> None:
    page["total"] += 7


def _claim_less(page: Json) -> None:
    page["total"] -= 1


def _empty_in_the_middle(page: Json) -> None:
    if page["offset"] <= 100 < page["offset"] + page["limit"]:
        page["items"] = []


def _loop(page: Json) -> None:
    if page["offset"] > 0:
        page["next"] = page["href"]


def _lead_elsewhere(page: Json) -> None:
    if page["next"]:
        address = urlsplit(page["next"])
        page["next"] = urlunsplit(urlsplit(FOREIGN_BASE)[:2] + address[2:])


def _odd(name: str, what_is_odd: str, items=_THREE_TRACKS, **changes) -> OddPlaylist:
    playlist_id = "Odd" + "".join(word.capitalize() for word in name.split("_"))
    return OddPlaylist(name, playlist_id.ljust(22, "0"), what_is_odd, items, **changes)


ODD_PLAYLISTS: dict[str, OddPlaylist] = {
    odd.name: odd
    for odd in (
        _odd("track_null", "first item: null under `track`", _with_first(kind="unavailable", uri=None)),
        _odd("both_names", "`tracks` and `items`, `track` and `item`",
             containers=("tracks", "items"), entries=("track", "item")),
        _odd("old_names", "`tracks` and `track` only", containers=("tracks",), entries=("track",)),
        _odd("new_names", "`items` and `item` only", containers=("items",), entries=("item",)),
        _odd("mixed_names", "`track` below `items`", containers=("items",), entries=("track",)),
        _odd("no_names", "neither `tracks` nor `items`; on pages neither `track` nor `item`",
             containers=(), entries=()),
        _odd("booleans", "booleans named `track` and `episode` inside of the track"),
        _odd("local_file", "first item: a local file, whose ids are null", _with_local_file),
        _odd("takedown", "first item: a track without name, duration, ids and date",
             _with_track(lambda _, track: not track.name)),
        _odd("episode", "first item: an episode, without artists and album", _with_episode),
        _odd("unknown_type", "items of a type that no one has heard of", change_thing=_unknown_type),
        _odd("added_at_null", "first item: `added_at` null", _with_first(added_at=None)),
        _odd("added_at_1970", "first item: `added_at` 1970-01-01",
             _with_first(added_at=datetime(1970, 1, 1, tzinfo=UTC))),
        _odd("added_by_null", "first item: `added_by` null", _with_first(added_by=None)),
        _odd("added_by_empty", "items: `added_by` with the id ''", change_entry=_no_contributor_name),
        _odd("year_precision", "first item: released in a year", _with_track(_released_with("year"))),
        _odd("month_precision", "first item: released in a month", _with_track(_released_with("month"))),
        _odd("floats", "floats where integers belong", change_thing=_floats, change_page=_float_counts),
        _odd("repeated_track", "the first track three times, twice alike", _repeated),
        _odd("no_isrc", "first item: `external_ids` without ISRC",
             _with_track(lambda _, track: bool(track.name) and track.isrc is None)),
        _odd("no_markets", "first item: playable nowhere",
             _with_track(lambda _, track: bool(track.name) and not track.markets)),
        _odd("no_genres", "first item: by an artist without genres", _with_track(
            lambda world, track: not world.spotify_artists[track.artist_ids[0]].genres)),
        _odd("sparse", "no `popularity`, `available_markets`, `external_ids`, album `images`",
             change_thing=_sparse),
        _odd("bare", "null images, description, public, display name; null `video_thumbnail`; no followers",
             change_entry=_null_entry_fields, change_playlist=_bare_playlist),
        _odd("empty", "no items, null images", _some(0)),
        _odd("total_too_high", "`total` 7 more than items", change_page=_claim_more),
        _odd("total_too_low", "`total` 1 less than items", change_page=_claim_less),
        _odd("empty_page", "the page with the item at 100 is empty and has a `next`", _some(230),
             change_page=_empty_in_the_middle),
        _odd("looping_next", "`next` of the second page leads to itself", _some(230), change_page=_loop),
        _odd("foreign_next", "`next` names another host", _some(230), change_page=_lead_elsewhere),
    )
}  # fmt: skip
"""By name. All belong to the account, so that any kind of app gets their items with its token."""


def odd_playlists() -> dict[str, str]:
    """Playlist id -> what is odd about that playlist."""
    return {odd.playlist_id: odd.what_is_odd for odd in ODD_PLAYLISTS.values()}

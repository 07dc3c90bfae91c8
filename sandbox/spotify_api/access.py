"""What each kind of app may call, and what it then gets to see, as of November 2026.

| | development | extended | legacy |
|-|-|-|-|
| batches of tracks, artists, albums | no | yes | yes |
| audio features, Spotify's own playlists | no | no | yes |
| `/playlists/{id}/tracks`, `/users/{id}...` | no | yes | yes |
| items of other people's playlists | no, unless collaborative | yes | yes |
| popularity, markets, followers and the like | no | yes | yes |
| names of a playlist's items | `items`, `item` | both | `tracks`, `track` |
| items per page, search results per page | 50, 10 | 50, 50 | 100, 50 |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

AppKind = Literal["development", "extended", "legacy"]
Naming = Literal["new", "both", "old"]

CONTAINERS: dict[Naming, tuple[str, ...]] = {
    "new": ("items",),
    "both": ("tracks", "items"),
    "old": ("tracks",),
}
ENTRIES: dict[Naming, tuple[str, ...]] = {"new": ("item",), "both": ("track", "item"), "old": ("track",)}

BATCH_LIMITS = {"tracks": 50, "artists": 50, "albums": 20, "audio_features": 100}
EMBEDDED_ITEMS = 100
"""Items that `/playlists/{id}` itself holds at most, whatever the app."""
PLAYLISTS_PAGE = 50
PLAYLISTS_MAX_OFFSET = 100_000
SEARCH_MAX_OFFSET = 1000

_AUDIO_FEATURES = ("/v1/audio-features", "/v1/audio-features/{id}")
_CUT_IN_2026 = (
    "/v1/tracks",
    "/v1/artists",
    "/v1/albums",
    "/v1/playlists/{id}/tracks",
    "/v1/users/{id}",
    "/v1/users/{id}/playlists",
)


@dataclass(frozen=True)
class Access:
    """One kind of app.

    `gone`: path template -> status with which it is refused. `hidden_fields`: object -> fields that
    its JSON lacks. `..._page` is the largest page, `..._default` the one where none is asked for.
    """

    kind: AppKind
    naming: Naming
    items_page: int
    items_default: int
    search_page: int
    search_default: int
    sees_foreign_items: bool
    sees_spotify_playlists: bool
    gone: Mapping[str, int] = field(default_factory=dict)
    hidden_fields: Mapping[str, frozenset[str]] = field(default_factory=dict)


_ACCESS: dict[AppKind, Access] = {
    "development": Access(
        kind="development",
        naming="new",
        items_page=50,
        items_default=20,
        search_page=10,
        search_default=5,
        sees_foreign_items=False,
        sees_spotify_playlists=False,
        gone=dict.fromkeys(_CUT_IN_2026 + _AUDIO_FEATURES, 403),
        hidden_fields={
            "track": frozenset({"popularity", "available_markets", "linked_from"}),
            "album": frozenset({"popularity", "label", "available_markets", "album_group"}),
            "artist": frozenset({"popularity", "followers"}),
            "user": frozenset({"country", "email", "product", "followers"}),
        },
    ),
    "extended": Access(
        kind="extended",
        naming="both",
        items_page=50,
        items_default=20,
        search_page=50,
        search_default=20,
        sees_foreign_items=True,
        sees_spotify_playlists=False,
        gone=dict.fromkeys(_AUDIO_FEATURES, 403),
    ),
    "legacy": Access(
        kind="legacy",
        naming="old",
        items_page=100,
        items_default=100,
        search_page=50,
        search_default=20,
        sees_foreign_items=True,
        sees_spotify_playlists=True,
    ),
}


def access_of(
    kind: AppKind, naming: Naming | None = None, exceptions: Mapping[str, int | None] | None = None
) -> Access:
    """What that kind of app may do.

    `naming` replaces the kind's own. `exceptions` makes an inconsistent old app: path template ->
    the status it is refused with, or None where it still works. Raises KeyError for an unknown kind.
    """
    access = _ACCESS[kind]
    gone = {**access.gone, **(exceptions or {})}
    return replace(
        access,
        naming=naming or access.naming,
        gone={template: status for template, status in gone.items() if status is not None},
    )

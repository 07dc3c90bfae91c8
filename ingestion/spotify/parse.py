"""Answers of Spotify's Web API, as `json.loads` gives them, to rows of the raw tables.

Nothing is raised for what an object holds. A value that its column cannot hold is NULL, a fraction
in a whole-number column is cut off, NUL characters are taken out of texts and lone surrogates
replaced; all else is kept as it was said, the placeholders of withdrawn tracks (no name, release
date "0000", length 0) and dates of 1970 included. Objects without an id make no row but that of
their place in the playlist. User ids leave only through `hash_user`.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from ingestion.inputs import UnreadableInputError
from ingestion.playlist_files.users import HashUser, hash_references, user_hash
from ingestion.playlist_files.values import (
    flag,
    item_type,
    local_file_parts,
    small_number,
    spotify_uri,
    timestamp,
    whole_number,
)
from ingestion.spotify.tables import (
    ALBUM_ARTISTS,
    ALBUMS,
    ARTIST_GENRES,
    ARTISTS,
    AUDIO_FEATURES,
    PLAYLIST_OBSERVATIONS,
    PLAYLIST_TRACKS,
    PLAYLISTS,
    TRACK_ARTISTS,
    TRACK_SEARCH_RESULTS,
    TRACK_SEARCHES,
    TRACKS,
    UNAVAILABLE_FIELDS,
)
from ingestion.tables import RawTable

SOURCE_SYSTEM = "spotify_api"
TERMS_OF_USE = "spotify_api"

WITHHELD_FIELDS: Mapping[str, frozenset[str]] = {
    "track": frozenset({"popularity", "available_markets", "external_ids"}),
    "album": frozenset({"popularity", "label", "available_markets", "external_ids"}),
    "artist": frozenset({"popularity", "followers", "genres"}),
}
"""By type of object: the fields, by their names in an answer, that some kinds of app are never shown.

`linked_from` is one too, but whether an app is shown it cannot be told: only relinked tracks have it."""

EMBEDDED_FIELDS = frozenset({"available_markets"})
"""Of an album's, those that its copy inside a track has as well."""

SPOTIFY_USER = "spotify"
"""The user id that owns Spotify's own playlists."""

_PROVENANCE = {"source_system": SOURCE_SYSTEM, "terms_of_use": TERMS_OF_USE}
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKET = re.compile(r"[A-Za-z]{2}")
_REAL_FEATURES = tuple(column.name for column in AUDIO_FEATURES.schema if pa.types.is_floating(column.type))
_WHOLE_FEATURES = ("key", "mode", "time_signature")


class Rows:
    """Rows by table, each primary key once: a row replaces the earlier one of its key.

    The numbered rows of one owner (a track's artists, an artist's genres) are replaced as a whole.
    """

    def __init__(self) -> None:
        self._tables: dict[str, tuple[RawTable, dict[tuple, list[dict]]]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, table: RawTable, row: dict) -> None:
        """Take in one row (absent columns are NULL)."""
        self._put(table, tuple(row[name] for name in table.primary_key), [row])

    def put_list(self, table: RawTable, owner: Mapping[str, Any], entries: Mapping[int, dict]) -> None:
        """Take in all rows of one owner: their key but for `position`, and the rest of each by position."""
        rows = [{**owner, "position": position, **entry} for position, entry in entries.items()]
        self._put(table, tuple(owner.values()), rows)

    def _put(self, table: RawTable, key: tuple, rows: list[dict]) -> None:
        _, groups = self._tables.setdefault(table.name, (table, {}))
        self._count += len(rows) - len(groups.get(key, ()))
        groups[key] = rows

    def rows(self, table: RawTable) -> list[dict]:
        """The rows of one table, in the order in which their keys first came."""
        _, groups = self._tables.get(table.name, (table, {}))
        return [row for group in groups.values() for row in group]

    def tables(self) -> Iterator[tuple[RawTable, pa.Table]]:
        """The tables that hold rows, with exactly the declared columns."""
        for table, _ in self._tables.values():
            if rows := self.rows(table):
                yield table, table.from_rows(rows)


@dataclass(frozen=True)
class Page:
    """One page of a list: its entries as they came, and where it lies. Numbers not told are None."""

    entries: list
    next: str | None
    limit: int | None
    offset: int | None
    total: int | None


@dataclass(frozen=True)
class PlaylistHead:
    """What an answer says of a playlist itself.

    `first_page` is None where it does not list its items, as in lists of playlists. `total` is the
    number of items it declares.
    """

    playlist_id: str
    snapshot_id: str
    name: str | None
    description: str | None
    owner_id_hash: str | None
    is_owned_by_spotify: bool | None
    is_public: bool | None
    is_collaborative: bool | None
    image_url: str | None
    follower_count: int | None
    total: int | None
    first_page: Page | None


def object_id(candidate: Any, kind: str | None = None) -> str | None:
    """The id of an object, else the id in its URI; None where it has neither or its URI names another kind.

    `kind` (track, album, artist) is by default what the object says it is. A playlist's is its id alone.
    """
    if not isinstance(candidate, dict):
        return None
    own = _id(candidate.get("id"))
    kind = kind or _id(candidate.get("type"))
    if kind in (None, "playlist"):  # older URIs of playlists begin with their owner
        return own
    uri = spotify_uri(_text(candidate.get("uri")), kind)
    if uri is None or not uri.startswith("spotify:"):
        return own
    prefix = f"spotify:{kind}:"
    return (own or uri.removeprefix(prefix) or None) if uri.startswith(prefix) else None


def page(answer: Any) -> Page:
    """The page that `answer` is; raises UnreadableInputError `invalid_page` where it has no list of items."""
    if not isinstance(answer, dict):
        raise UnreadableInputError("invalid_page", "not an object")
    if not isinstance(answer.get("items"), list):
        raise UnreadableInputError("invalid_page", "no list of items")
    following = _text(answer.get("next"))
    return Page(
        entries=answer["items"],
        next=following.strip() or None if following else None,
        limit=_count(answer.get("limit")),
        offset=_count(answer.get("offset")),
        total=_count(answer.get("total")),
    )


def playlist_head(answer: Any, hash_user: HashUser) -> PlaylistHead:
    """What `answer`, a playlist or an entry in a list of playlists, says of the playlist itself.

    Raises UnreadableInputError `invalid_playlist` where it is no object or has no id or no snapshot id:
    such a state has no key.
    """
    if not isinstance(answer, dict):
        raise UnreadableInputError("invalid_playlist", "not an object")
    playlist_id = _id(answer.get("id"))
    if playlist_id is None:
        raise UnreadableInputError("invalid_playlist", "no id")
    snapshot_id = _id(answer.get("snapshot_id"))
    if snapshot_id is None:
        raise UnreadableInputError("invalid_playlist", f"playlist {playlist_id} has no snapshot id")
    hidden = _hider(hash_user)
    owner = _id(_field(answer, "owner", "id"))
    pages = sorted(
        (answer[key] for key in ("items", "tracks") if isinstance(answer.get(key), dict)), key=_emptiness
    )
    return PlaylistHead(
        playlist_id=playlist_id,
        snapshot_id=snapshot_id,
        name=hidden(_text(answer.get("name"))),
        description=hidden(_text(answer.get("description"))),
        owner_id_hash=_user_hash(owner, hash_user),
        is_owned_by_spotify=owner == SPOTIFY_USER if owner is not None else None,
        is_public=flag(answer.get("public")),
        is_collaborative=flag(answer.get("collaborative")),
        image_url=hidden(_image_url(answer)),
        follower_count=whole_number(_field(answer, "followers", "total")),
        total=next((total for one in pages if (total := _count(one.get("total"))) is not None), None),
        first_page=page(pages[0]) if pages and isinstance(pages[0].get("items"), list) else None,
    )


def add_playlist(rows: Rows, head: PlaylistHead, item_count: int | None, read_at: datetime) -> None:
    """The state of a playlist; `item_count` is how many items were read, None where they are not shown."""
    rows.put(
        PLAYLISTS,
        {
            "playlist_id": head.playlist_id,
            "snapshot_id": head.snapshot_id,
            "name": head.name,
            "description": head.description,
            "owner_id_hash": head.owner_id_hash,
            "is_owned_by_spotify": head.is_owned_by_spotify,
            "is_public": head.is_public,
            "is_collaborative": head.is_collaborative,
            "declared_track_count": head.total,
            "item_count": item_count,
            "image_url": head.image_url,
            "read_at": read_at,
            **_PROVENANCE,
        },
    )


def add_observation(
    rows: Rows,
    playlist_id: str,
    observed_at: datetime,
    *,
    seen_in: str,
    snapshot_id: str | None,
    follower_count: int | None = None,
) -> None:
    """A look at a playlist, on the UTC day of `observed_at`; without a snapshot id it was gone.

    `seen_in` is the kind of answer: `list` (of playlists, which shows no followers) or `playlist`.
    """
    rows.put(
        PLAYLIST_OBSERVATIONS,
        {
            "playlist_id": playlist_id,
            "seen_in": seen_in,
            "snapshot_id": snapshot_id,
            "is_available": snapshot_id is not None,
            "follower_count": follower_count,
            **_observed(observed_at),
        },
    )


def add_items(
    rows: Rows,
    playlist_id: str,
    snapshot_id: str,
    first_position: int,
    entries: Iterable[Any],
    observed_at: datetime,
    hash_user: HashUser,
) -> int:
    """One row per entry, from `first_position` on, and the tracks, albums and artists that entries embed.

    Gives the position after the last entry.
    """
    position = first_position
    for entry in entries:
        held = _held(entry)
        item = _item(entry if isinstance(entry, dict) else {}, held, hash_user)
        key = {"playlist_id": playlist_id, "snapshot_id": snapshot_id, "position": position}
        rows.put(PLAYLIST_TRACKS, key | item)
        if item["item_type"] == "track":
            _add_track(rows, held, observed_at, _is_whole(held))
        position += 1
    return position


def times_added(entries: Iterable[Any]) -> Iterator[datetime]:
    """When the entries of a playlist were added, of those that tell."""
    for entry in entries:
        at = timestamp(_field(entry, "added_at"))
        if at is not None:
            yield at


def whole_tracks(entries: Iterable[Any]) -> list[dict]:
    """The track objects in entries of a playlist that lack nothing which asking for them would add."""
    return [held for entry in entries if _is_whole(held := _held(entry))]


def found_tracks(answer: Any) -> list:
    """The entries that a search for tracks answered; without them UnreadableInputError `invalid_page`."""
    return page(_field(answer, "tracks")).entries


def found_track_ids(entries: Iterable[Any]) -> dict[int, str]:
    """The ids of the tracks among what a search found, by their place in it from 0; the rest has none."""
    return {
        place: track_id
        for place, entry in enumerate(entries)
        if _is_a("track", entry) and (track_id := object_id(entry, "track"))
    }


def add_search(
    rows: Rows,
    msd_track_id: str,
    query: str | None,
    outcome: str,
    entries: Iterable[Any],
    observed_at: datetime,
) -> None:
    """A search for a song, the entries that it found, and the tracks, albums and artists that these are."""
    entries = list(entries)
    found = found_track_ids(entries)
    owner = {"msd_track_id": msd_track_id, "observed_on": _observed(observed_at)["observed_on"]}
    rows.put(
        TRACK_SEARCHES,
        {
            **owner,
            "query": query,
            "outcome": outcome,
            "result_count": len(found),
            "observed_at": observed_at,
            **_PROVENANCE,
        },
    )
    rows.put_list(
        TRACK_SEARCH_RESULTS, owner, {place: {"track_id": track_id} for place, track_id in found.items()}
    )
    for track in _objects(entries, "track"):
        _add_track(rows, track, observed_at, _is_whole(track))


def add_artists(rows: Rows, objects: Iterable[Any], observed_at: datetime, is_full: bool = True) -> None:
    """Artist objects; those that are not full have an id and a name and nothing else."""
    for artist in _objects(objects, "artist"):
        _add_artist(rows, artist, observed_at, is_full)


def add_audio_features(
    rows: Rows, objects: Iterable[Any], observed_at: datetime, asked: Iterable[str] = ()
) -> None:
    """Audio features, as numbers in the units of the answer (tempo in beats per minute, loudness in dB).

    A track of those `asked` for that the answer leaves out has a row without features.
    """
    for track_id in asked:
        rows.put(AUDIO_FEATURES, {"track_id": track_id, "observed_at": observed_at, **_PROVENANCE})
    for features in _objects(objects, "audio_features"):
        track_id = object_id(features, "track")
        if track_id is not None:
            rows.put(
                AUDIO_FEATURES,
                {
                    "track_id": track_id,
                    **{name: _real(features.get(name)) for name in _REAL_FEATURES},
                    **{name: small_number(features.get(name)) for name in _WHOLE_FEATURES},
                    "duration_ms": whole_number(features.get("duration_ms")),
                    "observed_at": observed_at,
                    **_PROVENANCE,
                },
            )


def missing_fields(object_type: str, objects: Iterable[Any]) -> set[str]:
    """The WITHHELD_FIELDS that none of these full objects carries as a key; none where there is no object.

    A key with null counts as carried: the field is shown, and Spotify has nothing to put there.
    """
    absent = set(WITHHELD_FIELDS.get(object_type, ()))
    found = _objects(objects, object_type)
    return absent.difference(*found) if found else set()


def add_unavailable_fields(
    rows: Rows, object_type: str, fields: Iterable[str], observed_at: datetime
) -> None:
    """Fields, by their names in an answer, that objects of a type did not carry."""
    day = _observed(observed_at)["observed_on"]
    for field in sorted(fields):
        rows.put(UNAVAILABLE_FIELDS, {"object_type": object_type, "field": field, "observed_on": day})


def _held(entry: Any) -> dict:
    """The object in a playlist entry, under its new name or its old; {} where there is none.

    The object itself has booleans of the old names, so only an object counts.
    """
    if not isinstance(entry, dict):
        return {}
    return next(
        (entry[key] for key in ("item", "track") if isinstance(entry.get(key), dict) and entry[key]), {}
    )


def _is_whole(track: dict) -> bool:
    """Whether it is a track as one asks for it: a simplified one (an album's track) has neither of these."""
    return isinstance(track.get("external_ids"), dict) and isinstance(track.get("album"), dict)


def _item(entry: dict, held: dict, hash_user: HashUser) -> dict[str, Any]:
    """A row of `playlist_tracks` but for its key."""
    row: dict[str, Any] = {
        "item_type": "unavailable",
        "added_at": timestamp(entry.get("added_at")),
        "added_by_hash": _user_hash(_id(_field(entry, "added_by", "id")), hash_user),
    }
    if not held:
        return row
    word = _id(held.get("type"))
    kind = word or "track"
    own_id = object_id(held, kind)
    uri = spotify_uri(_text(held.get("uri")), kind)
    if uri is None and own_id is not None:
        uri = f"spotify:{kind}:{own_id}"
    names = {
        "track_name": _text(held.get("name")),
        "artist_name": next((name for _, _, name in _artists(held) if name), None),
        "album_name": _text(_field(held, "album", "name")),
        "duration_ms": whole_number(held.get("duration_ms")),
    }
    is_local = flag(entry.get("is_local")) or flag(held.get("is_local"))
    if (uri or "").startswith("spotify:local:") or (is_local and own_id is None):
        row["item_type"] = "local"
        parts = local_file_parts(uri or "")
        names |= {key: value for key, value in parts.items() if value is not None and not names[key]}
    elif word in (None, "track"):
        row["item_type"] = item_type(uri, names["track_name"])
    else:
        row["item_type"] = word
    if row["item_type"] == "track":
        row["track_id"] = own_id
    hidden = _hider(hash_user)
    row |= {"track_uri": uri} | names
    return {key: hidden(_text(value)) if isinstance(value, str) else value for key, value in row.items()}


def _add_track(rows: Rows, track: dict, observed_at: datetime, is_full: bool) -> None:
    album = track.get("album")
    if isinstance(album, dict):
        _add_album(rows, album, observed_at)
    track_id = object_id(track, "track")
    if track_id is None:
        _add_artists_of(rows, track, observed_at)
        return
    seen = _observed(observed_at)
    rows.put(
        TRACKS,
        {
            "track_id": track_id,
            "is_full": is_full,
            "name": _text(track.get("name")),
            "album_id": object_id(album, "album"),
            **{kind: _text(_field(track, "external_ids", kind)) for kind in ("isrc", "ean", "upc")},
            "duration_ms": whole_number(track.get("duration_ms")),
            "is_explicit": flag(track.get("explicit")),
            "is_playable": flag(track.get("is_playable")),
            "disc_number": small_number(track.get("disc_number")),
            "track_number": small_number(track.get("track_number")),
            "popularity": small_number(track.get("popularity")),
            "available_markets": _markets(track),
            "linked_from_track_id": object_id(track.get("linked_from"), "track"),
            **seen,
            **_PROVENANCE,
        },
    )
    owner = {"track_id": track_id, "observed_on": seen["observed_on"], "is_full": is_full}
    rows.put_list(TRACK_ARTISTS, owner, _add_artists_of(rows, track, observed_at))


def _add_album(rows: Rows, album: dict, observed_at: datetime) -> None:
    """Take in an album that a track embeds."""
    album_id = object_id(album, "album")
    artists = _add_artists_of(rows, album, observed_at)
    if album_id is None:
        return
    seen = _observed(observed_at)
    rows.put(
        ALBUMS,
        {
            "album_id": album_id,
            "is_full": False,
            "name": _text(album.get("name")),
            "album_type": _text(album.get("album_type")),
            "release_date": _text(album.get("release_date")),
            "release_date_precision": _text(album.get("release_date_precision")),
            "total_tracks": small_number(album.get("total_tracks")),
            "label": _text(album.get("label")),
            "upc": _text(_field(album, "external_ids", "upc")),
            "popularity": small_number(album.get("popularity")),
            "available_markets": _markets(album),
            "image_url": _image_url(album),
            **seen,
            **_PROVENANCE,
        },
    )
    owner = {"album_id": album_id, "observed_on": seen["observed_on"], "is_full": False}
    rows.put_list(ALBUM_ARTISTS, owner, artists)


def _add_artists_of(rows: Rows, holder: dict, observed_at: datetime) -> dict[int, dict]:
    """Take in the artists that a track or album embeds; gives them by their place in its list."""
    for artist in _objects(_list(holder, "artists"), "artist"):
        _add_artist(rows, artist, observed_at, is_full=False)
    return {
        place: {"artist_id": artist_id, "artist_name": name}
        for place, artist_id, name in _artists(holder)
        if artist_id or name
    }


def _add_artist(rows: Rows, artist: dict, observed_at: datetime, is_full: bool) -> None:
    artist_id = object_id(artist, "artist")
    if artist_id is None:
        return
    seen = _observed(observed_at)
    row = {
        "artist_id": artist_id,
        "is_full": is_full,
        "name": _text(artist.get("name")),
        **seen,
        **_PROVENANCE,
    }
    if is_full:
        row |= {
            "popularity": small_number(artist.get("popularity")),
            "follower_count": whole_number(_field(artist, "followers", "total")),
            "image_url": _image_url(artist),
        }
        genres = {
            place: {"genre": genre}
            for place, value in enumerate(_list(artist, "genres"))
            if (genre := _text(value))
        }
        rows.put_list(ARTIST_GENRES, {"artist_id": artist_id, "observed_on": seen["observed_on"]}, genres)
    rows.put(ARTISTS, row)


def _artists(holder: dict) -> list[tuple[int, str | None, str | None]]:
    """Place, id and name of the artists of a track or album; entries that are no artist keep their place."""
    return [
        (place, object_id(artist, "artist"), _text(artist.get("name")))
        for place, artist in enumerate(_list(holder, "artists"))
        if _is_a("artist", artist)
    ]


def _objects(objects: Iterable[Any], object_type: str) -> list[dict]:
    """Those of `objects` that are of this type; what does not say its type is."""
    return [candidate for candidate in objects if _is_a(object_type, candidate)]


def _is_a(object_type: str, candidate: Any) -> bool:
    return isinstance(candidate, dict) and (_id(candidate.get("type")) or object_type) == object_type


def _observed(observed_at: datetime) -> dict[str, Any]:
    """The columns that say when an answer came; `observed_at` is aware."""
    return {"observed_on": observed_at.astimezone(UTC).date(), "observed_at": observed_at}


def _emptiness(listing: dict) -> int:
    """How little a list of items in a playlist shows: 0 entries, 1 an empty page, 2 no page."""
    items = listing.get("items")
    return 2 if not isinstance(items, list) else 0 if items else 1


def _text(value: Any) -> str | None:
    """`value` where it is text, as Arrow, UTF-8 and every warehouse can hold it."""
    if not isinstance(value, str):
        return None
    if value.isascii() and "\0" not in value:  # nearly all are, and there are a thousand in an answer
        return value
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value.replace("\0", ""))


def _id(value: Any) -> str | None:
    """`value` as an id or a word: text that is not blank."""
    return (_text(value) or "").strip() or None


def _count(value: Any) -> int | None:
    number = whole_number(value)
    return number if number is not None and number >= 0 else None


def _real(value: Any) -> float | None:
    """`value`, a number or its text, where it is finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _field(holder: dict, *path: str) -> Any:
    """The value at a path of keys, None where the path ends early."""
    value: Any = holder
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(holder: dict, key: str) -> list:
    value = holder.get(key)
    return value if isinstance(value, list) else []


def _markets(holder: dict) -> str | None:
    """The market codes of an object, sorted and joined by commas."""
    codes = holder.get("available_markets")
    if not isinstance(codes, list):
        return None
    known = {code for code in codes if isinstance(code, str) and _MARKET.fullmatch(code)}
    return ",".join(sorted(known)) if known or not codes else None


def _image_url(holder: dict) -> str | None:
    """The first image, which is the largest."""
    return next(
        (
            url
            for image in _list(holder, "images")
            if isinstance(image, dict) and (url := _id(image.get("url")))
        ),
        None,
    )


def _hider(hash_user: HashUser) -> Callable[[str | None], str | None]:
    """A function that hashes the user ids in the user URIs and user links of a text."""

    def hidden(value: str | None) -> str | None:
        if value is None or "user" not in value:
            return value
        # As JSON, since that is the form in which references are looked for: bytes, escapes and all.
        return json.loads(hash_references(json.dumps(value, ensure_ascii=False).encode(), hash_user))

    return hidden


def _user_hash(user_id: str | None, hash_user: HashUser) -> str | None:
    # A reference in place of an id counts as hashed already, so it has to be.
    hidden = _hider(hash_user)(user_id)
    return user_hash(hidden, hash_user) if hidden else None

"""Reading the CSV files that Exportify and its relatives write, one playlist a file.

Column sets, languages and separators differ by version and by what people did to the file since;
a column is told by its name (`exportify_headers`). Text that a column cannot hold stays, under
its own header, in `other_fields`.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ingestion.inputs import UnreadableInputError
from ingestion.playlist_files.exportify_headers import ROLES, header_key
from ingestion.playlist_files.kinds import EXPORTIFY_CSV
from ingestion.playlist_files.rows import Content, Playlist, items_from_rows
from ingestion.playlist_files.users import HashUser, is_person, user_hash
from ingestion.playlist_files.values import (
    MISSING_TEXTS,
    flag,
    item_type,
    json_text,
    small_number,
    spotify_uri,
    timestamp,
    whole_number,
)

SOURCE_SYSTEM = "exportify"
TERMS_OF_USE = "spotify_api"

DELIMITERS = (",", ";", "\t")
"""Exporters write commas; a spreadsheet that saved the file again may have changed them."""

_CASTS: dict[str, Callable[[str], Any]] = {
    "duration_ms": whole_number,
    "is_explicit": flag,
    "popularity": small_number,
    "added_at": timestamp,
}
_URI_LIST = re.compile(r"\s*[,;]\s*")
_UNESCAPED_COMMA = re.compile(r"(?<!\\),\s*")
_TIGHT_COMMA = re.compile(r"(?<![\\0-9]),(?=\S)|(?<!\\),(?=[^\s0-9])")


def read_csv(
    text: str, playlist_id: str, file_name: str, shown_at: datetime, hash_user: HashUser
) -> Content | None:
    """The playlist in a CSV text; None where the header is not that of a playlist.

    `file_name` (without suffix) is its name unless a column says it; `shown_at` is when it was
    exported. A row of the wrong length is unreadable by itself, named by its line (the header's is 1).
    """
    header = _find_header(text)
    if header is None:
        return None
    names, delimiter = header
    roles = _roles(names)
    needed = 1 + max(index for index, role in enumerate(roles) if role is not None)

    content = Content(EXPORTIFY_CSV)
    rows: list[dict[str, Any]] = []
    playlist_names: set[str] = set()
    for line, fields in _records(text, delimiter, needed, len(names)):
        if isinstance(fields, UnreadableInputError):
            content.unreadable.append((f"line {line}", fields))
            continue
        row = _item(names, roles, fields, hash_user)
        playlist_names.add(row.pop("playlist_name", ""))
        rows.append(row)

    name = playlist_names.pop() if len(playlist_names) == 1 else ""
    content.playlists.append(
        Playlist(
            playlist_id=playlist_id,
            observed_at=shown_at,
            source_system=SOURCE_SYSTEM,
            terms_of_use=TERMS_OF_USE,
            name=name or file_name,
            is_name_of_file=not name,
            item_count=len(rows),
        )
    )
    content.items = items_from_rows(rows)
    return content


def _find_header(text: str) -> tuple[list[str], str] | None:
    """The column names and the delimiter, None where the columns of a playlist are not among them."""
    for delimiter in DELIMITERS:
        try:
            names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        roles = {ROLES.get(header_key(name)) for name in names}
        if "track_uri" in roles and roles & {"track_name", "artist_names"}:
            return names, delimiter
    return None


def _roles(names: list[str]) -> list[str | None]:
    """The role of each column; of two columns with one role the first has it."""
    roles: list[str | None] = []
    for name in names:
        role = ROLES.get(header_key(name))
        roles.append(role if role not in roles else None)
    return roles


class _Lines:
    """The lines of a text, to be read by a CSV reader that can be sent back to an earlier one."""

    def __init__(self, text: str) -> None:
        self._lines = list(io.StringIO(text, newline=""))
        self.next_line = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.next_line >= len(self._lines):
            raise StopIteration
        self.next_line += 1
        return self._lines[self.next_line - 1]


def _records(
    text: str, delimiter: str, needed: int, width: int
) -> Iterator[tuple[int, list[str] | UnreadableInputError]]:
    """Every record below the header with the line it begins on, or why it is none.

    A row may lack trailing columns that have no role: exporters leave audio features out where
    Spotify has none. An unclosed quote makes its line unreadable; reading goes on with the next.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    next(reader)
    while True:
        line = lines.next_line + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problem = "no CSV record"
        else:
            if needed <= len(fields) <= width:
                yield line, fields
                continue
            if not any(field.strip() for field in fields):
                continue
            problem = f"{len(fields)} fields where the header has {width}"
        lines.next_line = line
        yield line, UnreadableInputError("bad_row", problem)


def _item(
    names: list[str], roles: list[str | None], fields: list[str], hash_user: HashUser
) -> dict[str, Any]:
    """One row of `playlist_tracks` without its key, and the `playlist_name` where a column says it."""
    said: dict[str, str] = {}
    other: dict[str, str] = {}
    for index, (name, role, field) in enumerate(zip(names, roles, fields, strict=False)):
        if role is not None:
            said[role] = field
        elif field.strip():
            label = name.strip() or f"column {index + 1}"
            label = label if label not in other else f"{label} ({index + 1})"
            other[label] = (user_hash(field, hash_user) or "") if is_person(name) else field

    uri = spotify_uri(said.get("track_uri"), "track")
    name = said.get("track_name") or None
    item: dict[str, Any] = {
        "track_uri": uri,
        "track_name": name,
        "item_type": item_type(uri, name),
        "album_uri": spotify_uri(said.get("album_uri"), "album"),
        "album_name": said.get("album_name") or None,
        "isrc": _unless_missing(said.get("isrc")),
        "release_date": _unless_missing(said.get("release_date")),
        "added_by_hash": user_hash(said.get("added_by", ""), hash_user),
        **_artists(said.get("artist_uris", ""), said.get("artist_names", "")),
    }
    for role, cast in _CASTS.items():
        value = _unless_missing(said.get(role))
        item[role] = cast(value) if value is not None else None
        if value is not None and item[role] is None:
            other[names[roles.index(role)]] = value
    item["other_fields"] = json_text(other)
    if said.get("playlist_name", "").strip():
        item["playlist_name"] = said["playlist_name"]
    return item


def _unless_missing(value: str | None) -> str | None:
    return None if value is None or value.strip().lower() in MISSING_TEXTS else value.strip()


def _artists(uris: str, names: str) -> dict[str, str | None]:
    """First artist and, where there are several, the whole text, of a row's artist columns.

    The number of URIs decides where names are split ("Tyler, The Creator" is one artist). Without
    URIs only a semicolon, or a comma that no space follows, is sure to separate; a text that
    cannot be split for sure stays whole.
    """
    listed = [uri for uri in _URI_LIST.split(uris.strip()) if uri.lower() not in MISSING_TEXTS]
    splits = [names.split(";"), _UNESCAPED_COMMA.split(names), [names]]
    if listed:
        parts = next((split for split in splits if len(split) == len(listed)), [names])
    elif ";" in names:
        parts = splits[0]
    else:
        parts = _TIGHT_COMMA.split(names)
    first = parts[0].replace("\\,", ",").strip()
    several = len(listed) > 1 or len(parts) > 1
    return {
        "artist_uri": spotify_uri(listed[0], "artist") if listed else None,
        "artist_name": first or None,
        "all_artist_uris": uris if len(listed) > 1 else None,
        "all_artist_names": names if several and names else None,
    }

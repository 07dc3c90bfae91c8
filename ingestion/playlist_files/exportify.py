"""Reading the CSV files that Exportify and its relatives write, one playlist a file.

Column sets, languages and separators differ by version and by what people did to the file since;
a column is told by its name (`exportify_headers`). Text that a column cannot hold stays, under
its own header, in `other_fields`.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import starmap
from typing import Any

import pyarrow as pa

from ingestion.inputs import UnreadableInputError
from ingestion.playlist_files.exportify_headers import ROLES, header_key
from ingestion.playlist_files.kinds import EXPORTIFY_CSV
from ingestion.playlist_files.rows import ITEM_COLUMNS, Content, Items, Playlist
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
_ARTIST_COLUMNS = ("artist_uri", "artist_name", "all_artist_uris", "all_artist_names")

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
    records: list[list[str]] = []
    for line, fields in _records(text, delimiter, needed, len(names)):
        if isinstance(fields, UnreadableInputError):
            content.unreadable.append((f"line {line}", fields))
        else:
            records.append(fields + [""] * (len(names) - len(fields)))
    columns = list(zip(*records, strict=True)) if records else [()] * len(names)
    said = {role: column for role, column in zip(roles, columns, strict=True) if role is not None}

    content.items = _items(names, roles, columns, hash_user)
    playlist_names = {name.strip() for name in said.get("playlist_name", ())}
    name = playlist_names.pop() if len(playlist_names) == 1 else ""
    content.playlists.append(
        Playlist(
            playlist_id=playlist_id,
            observed_at=shown_at,
            source_system=SOURCE_SYSTEM,
            terms_of_use=TERMS_OF_USE,
            name=name or file_name,
            is_name_of_file=not name,
            item_count=len(records),
        )
    )
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


def _items(
    names: list[str], roles: list[str | None], columns: Sequence[Sequence[str]], hash_user: HashUser
) -> Items:
    """The columns of `playlist_tracks` from those of the CSV, all of one length."""
    count = len(columns[0])
    said = {role: column for role, column in zip(roles, columns, strict=True) if role is not None}
    nothing = ("",) * count
    other: list[dict[str, str]] = [{} for _ in range(count)]
    items: dict[str, Sequence] = {}

    for role, cast in _CASTS.items():
        if role not in said:
            continue
        items[role] = _each(said[role], lambda value, cast=cast: cast(_unless_missing(value)))
        for fields, value, kept in zip(other, said[role], items[role], strict=True):
            if kept is None and _unless_missing(value) is not None:
                fields[names[roles.index(role)]] = value
    for index, (name, role, column) in enumerate(zip(names, roles, columns, strict=True)):
        if role is None or role == "playlist_name":
            _keep(other, index, name.strip(), column, hash_user)

    uris = _each(said.get("track_uri", nothing), lambda value: spotify_uri(value, "track"))
    track_names = [name or None for name in said.get("track_name", nothing)]
    artists = zip(said.get("artist_uris", nothing), said.get("artist_names", nothing), strict=True)
    items |= dict(zip(_ARTIST_COLUMNS, zip(*starmap(_artists, artists), strict=True), strict=False))
    items |= {
        "track_uri": uris,
        "track_name": track_names,
        "item_type": list(map(item_type, uris, track_names)),
        "album_uri": _each(said.get("album_uri", nothing), lambda value: spotify_uri(value, "album")),
        "album_name": [name or None for name in said.get("album_name", nothing)],
        "isrc": _each(said.get("isrc", nothing), _unless_missing),
        "release_date": _each(said.get("release_date", nothing), _unless_missing),
        "added_by_hash": _each(said.get("added_by", nothing), lambda value: user_hash(value, hash_user)),
        "other_fields": [json_text(fields) for fields in other],
    }
    return {name: pa.array(values, ITEM_COLUMNS[name]) for name, values in items.items()}


def _each(column: Sequence[str], cast: Callable[[str], Any]) -> list:
    """`cast` of every value; of values that come again (users, days, albums) it is asked once."""
    results = {value: cast(value) for value in set(column)}
    return [results[value] for value in column]


def _keep(
    other: list[dict[str, str]], index: int, name: str, column: Sequence[str], hash_user: HashUser
) -> None:
    """Put a column that has no home into `other`, under its name or, lacking that, its number."""
    label = name or f"column {index + 1}"
    names_person = is_person(name)
    for fields, value in zip(other, column, strict=True):
        if value.strip():
            free = label if label not in fields else f"{label} ({index + 1})"
            fields[free] = (user_hash(value, hash_user) or "") if names_person else value


def _unless_missing(value: str) -> str | None:
    value = value.strip()
    return None if value.lower() in MISSING_TEXTS else value


def _artists(uris: str, names: str) -> tuple[str | None, str | None, str | None, str | None]:
    """First artist's URI and name and, where there are several, the whole texts, of one row.

    The number of URIs decides where names are split ("Tyler, The Creator" is one artist). Without
    URIs only a semicolon, or a comma that no space follows, is sure to separate; a text that
    cannot be split for sure stays whole.
    """
    listed = [uri for uri in _URI_LIST.split(uris.strip()) if uri.lower() not in MISSING_TEXTS]
    parts = [names]
    if len(listed) > 1:
        splits = (names.split(";"), _UNESCAPED_COMMA.split(names))
        parts = next((split for split in splits if len(split) == len(listed)), parts)
    elif not listed:
        parts = names.split(";") if ";" in names else _TIGHT_COMMA.split(names)
    first = parts[0].replace("\\,", ",").strip()
    several = len(listed) > 1 or len(parts) > 1
    return (
        spotify_uri(listed[0], "artist") if listed else None,
        first or None,
        uris if len(listed) > 1 else None,
        names if several and names else None,
    )

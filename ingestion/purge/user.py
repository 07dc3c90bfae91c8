"""What names a user of Spotify: in a text, in rows, in an archived answer; and the same without the user.

Only the rules are here; the package applies them to all that there is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.config import Settings
from ingestion.errors import ConfigError
from ingestion.spotify.answers import OWN_PLAYLISTS
from ingestion.spotify.journal import Entry

REMOVED = "removed"
"""What stands in a text in place of the user."""

LABEL_DIGITS = 16
"""Of the hash, what stands for an account in the ids of playlists from account exports."""

_USER = re.compile(r"(?:spotify:user:|https?://[^/]+/(?:v1/)?users?/)?([^\s/:?#]+)(?:[/?#]\S*)?")

_PLAYLIST = re.compile(r"(playlists?(?:[/:]|%3[Aa]))([0-9A-Za-z]{22})")

_ID_IN_ANSWER = re.compile(r"(?:[/:\"]|%3[Aa])([0-9A-Za-z]{22})")

_GONE = object()
"""In place of a value of an answer that goes with its place in a list."""


@dataclass(frozen=True)
class User:
    """A user, by id and keyed hash, and the ids of the playlists that they own."""

    id: str = field(repr=False)
    hash: str
    owned: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str, settings: Settings) -> "User":
        """The user that an id, a URI or a link names. Raises ConfigError where it names none."""
        found = _USER.fullmatch(text.strip())
        if found is None:
            raise ConfigError(f"{text!r} names no user; accepted are an id, spotify:user:ID, or a link")
        user_id = unquote(found[1])
        return cls(user_id, settings.hash_user(user_id))

    @property
    def label(self) -> str:
        """What stands for the user in the ids of playlists from their account exports."""
        return self.hash[:LABEL_DIGITS]

    @property
    def spellings(self) -> list[str]:
        """The id, and as it stands in links."""
        return sorted({self.id, quote(self.id, safe="")})

    def owns(self, playlist_id: str) -> bool:
        """Whether a playlist is theirs."""
        return playlist_id in self.owned or playlist_id.startswith(f"account:{self.label}:")

    def taken_out(self, text: str) -> str:
        """A text without the hash, and without links and URIs to the user and to their playlists."""
        text = self._reference.sub(lambda match: f"{match[1] or ''}{REMOVED}", text)
        return _PLAYLIST.sub(lambda match: match[1] + REMOVED if match[2] in self.owned else match[0], text)

    @cached_property
    def _reference(self) -> re.Pattern[str]:
        ids = "|".join(map(re.escape, self.spellings))
        return re.compile(
            rf"{self.label}[0-9a-f]*"
            rf"|((?:spotify(?::|%3[Aa])user(?::|%3[Aa])|/users?/))(?:{ids})(?![^\s/:?#&<>,;()\"'\[\]{{}}])"
        )


def naming(user: User, rows: pa.Table) -> np.ndarray:
    """For each row, whether it names the user or is of a playlist of theirs."""
    found = np.zeros(rows.num_rows, bool)
    for column in rows.schema:
        if pa.types.is_string(column.type):
            found |= _matching(user, column.name, rows.column(column.name))
    return found


def rows_without(user: User, rows: pa.Table) -> pa.Table:
    """Rows but for those of the user's playlists; hashes are NULL in them and texts without the user."""
    for name in filter(is_playlist_id, rows.schema.names):
        rows = rows.filter(pa.array(~_matching(user, name, rows.column(name))))
    for place, column in enumerate(rows.schema):
        if not pa.types.is_string(column.type):
            continue
        values = rows.column(place)
        is_affected = _matching(user, column.name, values)
        if not is_affected.any():
            continue
        cleaned = [
            value if not affected else None if column.name.endswith("_hash") else user.taken_out(value)
            for value, affected in zip(values.to_pylist(), is_affected, strict=True)
        ]
        rows = rows.set_column(place, column, pa.array(cleaned, column.type))
    return rows


def _matching(user: User, name: str, values: pa.ChunkedArray) -> np.ndarray:
    """For each value of a column, whether it names the user; of playlist ids, whether it is theirs."""
    encoded = values.dictionary_encode().combine_chunks()
    texts = encoded.dictionary
    if is_playlist_id(name):
        matches = [user.owns(text) for text in texts.to_pylist()]
    else:
        matches = np.zeros(len(texts), bool)
        for part in (user.label, *user.spellings, "playlist"):
            for place in np.flatnonzero(pc.match_substring(texts, part)):
                text = texts[place].as_py()
                matches[place] |= user.taken_out(text) != text
    return np.append(matches, False)[encoded.indices.fill_null(len(texts)).to_numpy()].astype(bool)


def is_playlist_id(column: str) -> bool:
    """Whether a column says of which playlist a row is."""
    return column == "playlist_id" or column.endswith("_playlist_id")


def entry_without(user: User, entry: Entry) -> Entry | None:
    """An archived answer without the user; None where it is of a playlist of theirs."""
    kind, _, id_ = entry.subject.partition(":")
    if kind == "playlist" and user.owns(id_):
        return None
    body = entry.body
    if body and (entry.kind == OWN_PLAYLISTS or _may_name(user, body)):
        answer = orjson.loads(body)
        cleaned = _without(user, answer)
        if cleaned != answer:
            body = orjson.dumps(cleaned).decode()
    return replace(entry, url=user.taken_out(entry.url), body=body)


def owned_in_entry(user: User, entry: Entry) -> Iterator[str]:
    """The ids of the user's playlists in an archived answer."""
    if _may_name(user, entry.body):
        yield from _owned(user, orjson.loads(entry.body))


def _may_name(user: User, body: str) -> bool:
    """Whether it is worth to look into an answer, at user objects and at texts in it; quick."""
    return (
        "\\u" in body
        or any(one in body for one in user.spellings)
        or (bool(user.owned) and any(id_ in user.owned for id_ in _ID_IN_ANSWER.findall(body)))
    )


def _owned(user: User, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if _is_user(user, value.get("owner")) and isinstance(value.get("id"), str):
            yield value["id"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _owned(user, one)


def _without(user: User, value: Any) -> Any:
    if isinstance(value, str):
        return user.taken_out(value)
    if isinstance(value, list):
        return [cleaned for one in value if (cleaned := _without(user, one)) is not _GONE]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "playlist" and user.owns(str(value.get("id"))):
        return _GONE
    if _is_user(user, value):
        return None
    return {key: None if (cleaned := _without(user, one)) is _GONE else cleaned for key, one in value.items()}


def _is_user(user: User, value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("id") == user.id
        and (value.get("type", "user") == "user" or "display_name" in value)
    )

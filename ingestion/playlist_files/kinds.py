"""What a file is, told by its bytes: a zip, a JSON document of one of two kinds, or text that may be CSV.

File names never decide, since people rename what they download.
"""

import json
import re
from typing import Any

import orjson

from ingestion.inputs import UnreadableInputError

MPD_SLICE = "mpd_slice"
EXPORTIFY_CSV = "exportify_csv"
ACCOUNT_EXPORT = "account_export"
OTHER = "other"
"""A file that belongs to an account export and holds no playlists."""

ZIP_MAGIC = b"PK"

_JSON_START = re.compile(rb"\s*[\[{]")
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")

_MPD_KEYS = frozenset({"pid", "num_tracks", "num_holdouts", "num_samples"})
_ACCOUNT_KEYS = frozenset({"items", "lastModifiedDate", "numberOfFollowers", "collaborators"})


def utf8(data: bytes) -> bytes:
    """`data` as UTF-8 without a byte-order mark; UTF-16 is told by its mark.

    Raises UnreadableInputError: `empty_file`, or `not_utf8` for any other encoding.
    """
    if data.startswith(_UTF16_BOMS):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise UnreadableInputError("not_utf8", f"broken UTF-16 at byte {error.start}") from None
    data = data.removeprefix(_UTF8_BOM)
    if not data or data.isspace():
        raise UnreadableInputError("empty_file", "nothing but white space")
    return data


def require_utf8(data: bytes) -> str:
    """`data` decoded; raises UnreadableInputError `not_utf8`."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UnreadableInputError("not_utf8", f"byte {error.start} is not UTF-8") from None


def is_json(data: bytes) -> bool:
    """Whether UTF-8 text begins as a JSON object or array does."""
    return _JSON_START.match(data) is not None


def parse_json(data: bytes) -> Any:
    """The document in `data` (UTF-8); NaN and Infinity become None, lone surrogates a replacement character.

    Raises UnreadableInputError: `truncated_json`, `invalid_json` or `not_utf8`, never quoting the content.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        ends_early = "end of data" in error.msg
    if ends_early:
        raise UnreadableInputError("truncated_json", f"the text ends early, at {where}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if error.end == len(data) and "end of data" in error.reason:
            raise UnreadableInputError("truncated_json", "the text ends within a character") from None
        raise UnreadableInputError("not_utf8", f"byte {error.start} is not UTF-8") from None
    # Only what Python's own json module writes and orjson refuses is worth a second, slower parse.
    if any(sign in text for sign in ("NaN", "Infinity", "\\ud", "\\uD")):
        try:
            return _storable(json.loads(text, parse_constant=lambda _: None))
        except (ValueError, RecursionError):
            pass
    raise UnreadableInputError("invalid_json", f"no JSON at {where}")


def _storable(value: Any) -> Any:
    """`value` with every lone surrogate replaced, which neither Arrow nor UTF-8 can hold."""
    if isinstance(value, str):
        return value.translate(_SURROGATES)
    if isinstance(value, list):
        return [_storable(entry) for entry in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(entry) for key, entry in value.items()}
    return value


def kind_of_document(document: Any) -> str | None:
    """MPD_SLICE or ACCOUNT_EXPORT for a parsed JSON document, None where it is neither.

    Both are `{"playlists": [...]}`: the playlists' own keys tell them apart, by majority, since
    single playlists may be damaged; where there are none, a slice shows by its `info`.
    """
    if not isinstance(document, dict) or not isinstance(document.get("playlists"), list):
        return None
    votes = sum(_vote(playlist) for playlist in document["playlists"])
    if votes:
        return MPD_SLICE if votes > 0 else ACCOUNT_EXPORT
    info = document.get("info")
    if isinstance(info, dict) and not info.keys().isdisjoint({"slice", "generated_on", "version"}):
        return MPD_SLICE
    # An account without playlists exports an empty list and nothing beside it.
    return ACCOUNT_EXPORT if not document["playlists"] and len(document) == 1 else None


def _vote(playlist: Any) -> int:
    """1 where an object looks like a slice's playlist, -1 like an account export's, 0 like neither."""
    if not isinstance(playlist, dict):
        return 0
    if not _ACCOUNT_KEYS.isdisjoint(playlist):
        return -1
    return 1 if "tracks" in playlist or not _MPD_KEYS.isdisjoint(playlist) else 0

"""Lenient casts of what playlist files hold: numbers as floats or text, times, flags, Spotify URIs.

Every cast answers None for what it cannot read and never raises. No files and no tables here.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

import orjson

INT64_LIMIT = 2**63
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS_FROM = 10**11
"""An epoch number this large (year 5138 in seconds, 1973 in milliseconds) is in milliseconds."""

MISSING_TEXTS = frozenset({"", "null", "undefined", "none", "nan", "n/a"})
"""Texts that stand for "no value" in columns that hold no free text; exporters print null that way."""

_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_SPOTIFY_LINK = re.compile(
    r"https?://(?:open|play)\.spotify\.com/(?:intl-[\w-]+/|embed/)*(\w+)/([0-9A-Za-z]+)", re.ASCII
)


def whole_number(value: Any) -> int | None:
    """`value` (a number, or its text) as a 64-bit integer; a fraction is cut off."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.strip()
        try:
            value = int(digits) if digits.lstrip("+-").isdigit() else float(digits)
        except ValueError:
            return None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) and -INT64_LIMIT <= value < INT64_LIMIT else None


def small_number(value: Any) -> int | None:
    """`value` as an integer that fits 32 bits."""
    number = whole_number(value)
    return number if number is not None and -(2**31) <= number < 2**31 else None


def text(value: Any) -> str | None:
    """`value` as text: strings as they stand, numbers printed, all else None."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def flag(value: Any) -> bool | None:
    """`value` as a boolean: a JSON boolean, 0 or 1, or the text of either."""
    if isinstance(value, bool):
        return value
    word = text(value)
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
        word.strip().lower() if word is not None else ""
    )


def timestamp(value: Any) -> datetime | None:
    """`value` as a UTC time: ISO 8601 text (no offset: UTC; no time: midnight) or an epoch number."""
    if isinstance(value, str):
        value = value.strip()
        if not (value.isdigit() and len(value) > len("20241231")):
            try:
                moment = datetime.fromisoformat(value)
                return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            except (ValueError, OverflowError):
                return None
    number = whole_number(value)
    if number is None:
        return None
    try:
        return EPOCH + (
            timedelta(milliseconds=number) if abs(number) >= MILLISECONDS_FROM else timedelta(seconds=number)
        )
    except OverflowError:
        return None


def spotify_uri(value: Any, kind: str) -> str | None:
    """A URI, link or bare 22-character id as a URI; `kind` (track, artist, album) is what a bare id names.

    Text of any other form stays as it is, so that nothing the source said is lost.
    """
    if not isinstance(value, str):
        return None
    value = value.strip()
    if value.startswith("spotify:"):
        return value
    if value.lower() in MISSING_TEXTS:
        return None
    if _SPOTIFY_ID.fullmatch(value):
        return f"spotify:{kind}:{value}"
    link = _SPOTIFY_LINK.match(value)
    return f"spotify:{link[1]}:{link[2]}" if link else value


def item_type(uri: str | None, name: str | None) -> str:
    """track, episode, local or unavailable; a named item that shows no URI is a track."""
    if uri is None:
        return "track" if name else "unavailable"
    if uri.startswith("spotify:episode:"):
        return "episode"
    return "local" if uri.startswith("spotify:local:") else "track"


def local_file_parts(uri: str) -> dict[str, Any]:
    """Names and length in a `spotify:local:artist:album:title:seconds` URI; {} where it has another form."""
    parts = uri.split(":")
    if len(parts) != 6:
        return {}
    artist, album, title = (unquote_plus(part) or None for part in parts[2:5])
    seconds = whole_number(parts[5])
    return {
        "artist_name": artist,
        "album_name": album,
        "track_name": title,
        "duration_ms": seconds * 1000 if seconds and 0 < seconds < 10**9 else None,
    }


def json_text(fields: Mapping[str, Any]) -> str | None:
    """`fields` as JSON text, keys sorted; None where there are none."""
    if not fields:
        return None
    try:
        return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # a number beyond 64 bits, which only Python's own json module prints
        return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

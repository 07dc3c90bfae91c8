"""Playlist ids as people have them: bare, as a URI, or as a link copied from the app."""

import re
from collections.abc import Iterable
from hashlib import blake2b

from ingestion.errors import ConfigError

_WRAPPING = " \t\r\n\f\v\u00a0\u200b\ufeff\"'`\u2018\u2019\u201c\u201d<>"
_ID = re.compile("[0-9A-Za-z]{22}")
_PLAYLIST = re.compile(
    r"""
    (?: (?i:spotify) : (?: user : [^:\s]+ : )? playlist :
      | (?: (?i:https?) : // )? (?: (?i:(?:open|play)\.spotify\.com) / (?: (?:intl-[a-z-]+|embed) / )*
                                  | (?i:api\.spotify\.com) /v1/ )
        (?: users? / [^/\s]+ / )? playlists? /
    )?
    ([0-9A-Za-z]{22})
    (?: /(?:tracks|items) )? /? (?: [?#]\S* )?
    """,
    re.VERBOSE | re.ASCII,
)
_COMMENT = re.compile(r"(?:^|\s)#.*", re.DOTALL)
_SHOWN_CHARACTERS = 200


def is_spotify_id(text: str) -> bool:
    """Whether a text has the form of Spotify's ids: 22 letters and digits."""
    return _ID.fullmatch(text) is not None


def is_in_shard(id_: str, shard: tuple[int, int]) -> bool:
    """Whether an id is in the i-th of n shares (`shard`, 1 <= i <= n): every id is in one of them."""
    index, count = shard
    return int.from_bytes(blake2b(id_.encode(), digest_size=8).digest()) % count == index - 1


def playlist_id(text: str) -> str:
    """The 22-character id in a bare id, a `spotify:` URI, or a link to a playlist.

    White space and quotes around it, the country and user parts of older links, a trailing slash
    and what follows `?` do not matter. Raises ConfigError for any other text.
    """
    found = _PLAYLIST.fullmatch(text.strip(_WRAPPING))
    if found is None:
        shown = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
        raise ConfigError(
            f"{shown!r} names no playlist; accepted are an id of 22 letters and digits, "
            "spotify:playlist:ID, or a link such as https://open.spotify.com/playlist/ID"
        )
    return found[1]


def playlist_ids(lines: Iterable[str]) -> list[str]:
    """The ids in `lines`, one a line, in their order and each once.

    Blank lines are passed over, and so is what follows a `#` at the start of a line or after white
    space. Raises ConfigError that names the line, counted from 1.
    """
    ids: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        entry = _COMMENT.sub("", line.lstrip("\ufeff"))
        if not entry.strip(_WRAPPING):
            continue
        try:
            ids[playlist_id(entry)] = None
        except ConfigError as error:
            raise ConfigError(f"line {number}: {error}") from None
    return list(ids)

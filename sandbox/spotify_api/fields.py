"""The `fields` filter of playlists: `name,items(item(id,name)),next` and `items.item.id`."""

import re
from typing import Any

from sandbox.spotify_api.messages import ApiError

_TOKEN = re.compile(r"[!\w]+|[(),.]")


def filtered(value: Any, fields: str) -> Any:
    """What of the JSON value the filter names; lists are filtered item by item.

    `!name` keeps all but that name. Raises ApiError (400) for brackets that do not match.
    """
    tokens = _TOKEN.findall(fields)
    wanted = _parse_list(tokens)
    if tokens:
        raise ApiError(400, "Invalid fields filter")
    return _apply(value, wanted)


def _parse_list(tokens: list[str]) -> dict[str, dict]:
    wanted: dict[str, dict] = {}
    while tokens and tokens[0] != ")":
        name = tokens.pop(0)
        if name == ",":
            continue
        _merge(wanted.setdefault(name, {}), _parse_below(tokens))
    return wanted


def _parse_below(tokens: list[str]) -> dict[str, dict]:
    if tokens[:1] == ["."]:
        tokens.pop(0)
        if not tokens:
            raise ApiError(400, "Invalid fields filter")
        return {tokens.pop(0): _parse_below(tokens)}
    if tokens[:1] == ["("]:
        tokens.pop(0)
        below = _parse_list(tokens)
        if not tokens:
            raise ApiError(400, "Invalid fields filter")
        tokens.pop(0)
        return below
    return {}


def _merge(into: dict[str, dict], other: dict[str, dict]) -> None:
    for name, below in other.items():
        _merge(into.setdefault(name, {}), below)


def _apply(value: Any, wanted: dict[str, dict]) -> Any:
    if not wanted:
        return value
    if isinstance(value, list):
        return [_apply(item, wanted) for item in value]
    if not isinstance(value, dict):
        return value
    unwanted = {name[1:] for name in wanted if name.startswith("!")}
    if unwanted:
        return {name: item for name, item in value.items() if name not in unwanted}
    return {name: _apply(value[name], below) for name, below in wanted.items() if name in value}

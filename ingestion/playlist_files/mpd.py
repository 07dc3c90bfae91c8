"""Reading slices of the Million Playlist Dataset, and JSON files in its form.

A slice is `{"info": {...}, "playlists": [{"pid", "name", "tracks": [...], ...}]}`. All tracks of
a slice are taken apart column by column, which is several times faster than row by row; a column
is cast value by value only where its types are not what the dataset's description promises.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.inputs import UnreadableInputError
from ingestion.playlist_files.kinds import MPD_SLICE
from ingestion.playlist_files.rows import ITEM_COLUMNS, Content, Items, Playlist
from ingestion.playlist_files.users import HashUser, without_people
from ingestion.playlist_files.values import (
    flag,
    item_type,
    json_text,
    spotify_uri,
    text,
    timestamp,
    whole_number,
)

SOURCE_SYSTEM = "mpd"
TERMS_OF_USE = "mpd_research"

TEXT_COLUMNS = ("track_name", "artist_name", "album_name")
URI_COLUMNS = {"track_uri": "track", "artist_uri": "artist", "album_uri": "album"}
Leftovers = defaultdict[int, dict[str, Any]]
"""What of a track (by its place among all) no column holds."""

TRACK_KEYS = ("pos", "duration_ms", *TEXT_COLUMNS, *URI_COLUMNS)


def slice_name(document: dict, stem: str) -> str:
    """The slice's own name, or the stem of the file's name where it does not say."""
    info = document.get("info")
    name = text(info.get("slice")) if isinstance(info, dict) else None
    return name.strip() if name and name.strip() else stem


def read_slice(document: dict, stem: str, shown_at: datetime, hash_user: HashUser) -> Content:
    """The playlists of a slice; `shown_at` stands in where the slice does not say when it was made.

    A playlist without a pid or a track list, or whose pid came before, is unreadable by itself.
    """
    info = document.get("info")
    generated_on = info.get("generated_on") if isinstance(info, dict) else None
    # The challenge set of the same publishers carries its date beside the playlists.
    observed_at = timestamp(generated_on) or timestamp(document.get("date")) or shown_at
    slice_ = slice_name(document, stem)

    content = Content(MPD_SLICE, slice_name=slice_)
    objects: dict[str, dict] = {}
    for index, candidate in enumerate(document["playlists"]):
        try:
            playlist_id = f"mpd:{slice_}:{_pid(candidate)}"
            if playlist_id in objects:
                raise UnreadableInputError("duplicate_playlist", f"{playlist_id} came before in this file")
        except UnreadableInputError as error:
            content.unreadable.append((f"playlists[{index}]", error))
        else:
            objects[playlist_id] = candidate

    track_lists = [playlist["tracks"] for playlist in objects.values()]
    content.items = _columns(track_lists, hash_user)
    for playlist_id, playlist in objects.items():
        content.playlists.append(
            Playlist(
                playlist_id=playlist_id,
                observed_at=observed_at,
                source_system=SOURCE_SYSTEM,
                terms_of_use=TERMS_OF_USE,
                name=text(playlist.get("name")),
                description=text(playlist.get("description")),
                is_collaborative=flag(playlist.get("collaborative")),
                follower_count=whole_number(playlist.get("num_followers")),
                edit_count=whole_number(playlist.get("num_edits")),
                declared_track_count=whole_number(playlist.get("num_tracks")),
                modified_at=timestamp(playlist.get("modified_at")),
                item_count=len(playlist["tracks"]),
            )
        )
    return content


def _pid(candidate: Any) -> str:
    """The pid as text (whole numbers print the same however they were written)."""
    if not isinstance(candidate, dict):
        raise UnreadableInputError("invalid_playlist", "not an object")
    pid = candidate.get("pid")
    number = whole_number(pid)
    name = str(number) if number is not None else (pid.strip() if isinstance(pid, str) else "")
    if not name:
        raise UnreadableInputError("invalid_playlist", "no pid")
    if not isinstance(candidate.get("tracks"), list):
        raise UnreadableInputError("invalid_playlist", f"pid {name} has no list of tracks")
    return name


def _columns(track_lists: list[list], hash_user: HashUser) -> Items:
    """Columns of `playlist_tracks` over all tracks of all playlists, one playlist after the other.

    A track that is no object becomes an unavailable item at its place.
    """
    tracks = list(chain.from_iterable(track_lists))
    if set(map(type, tracks)) - {dict}:
        tracks = [track if type(track) is dict else {} for track in tracks]
    leftovers: Leftovers = defaultdict(dict)
    values = _values(tracks)
    ordered = _by_pos(tracks, values["pos"], [len(track_list) for track_list in track_lists], leftovers)
    if ordered is not tracks:
        tracks, values = ordered, _values(ordered)

    columns = {name: _column(values, name, text, leftovers) for name in TEXT_COLUMNS}
    for name, kind in URI_COLUMNS.items():
        uris = _column(values, name, text, leftovers)
        if not _all_of_kind(uris, kind):
            uris = pa.array([spotify_uri(uri, kind) for uri in uris.to_pylist()], pa.string())
        columns[name] = uris
    columns["duration_ms"] = _column(values, "duration_ms", whole_number, leftovers)
    uris = columns["track_uri"]
    if uris.null_count == 0 and _all_of_kind(uris, "track"):
        columns["item_type"] = pa.repeat("track", len(tracks))
    else:
        named = zip(uris.to_pylist(), columns["track_name"].to_pylist(), strict=True)
        columns["item_type"] = pa.array([item_type(uri, name) for uri, name in named], pa.string())

    for key in set().union(*tracks).difference(TRACK_KEYS):
        for index, track in enumerate(tracks):
            if track.get(key) is not None:
                leftovers[index][key] = track[key]
    if leftovers:
        texts: list[str | None] = [None] * len(tracks)
        for index, fields in leftovers.items():
            texts[index] = json_text(without_people(fields, hash_user))
        columns["other_fields"] = pa.array(texts, pa.string())
    return columns


def _values(tracks: list[dict]) -> dict[str, Sequence]:
    """What the tracks say under each of the known keys, None where one says nothing.

    All keys of a track at once: its object is then looked up in memory once, not eight times.
    """
    try:
        by_track = list(map(itemgetter(*TRACK_KEYS), tracks))
    except KeyError:
        return {key: [track.get(key) for track in tracks] for key in TRACK_KEYS}
    return dict(
        zip(TRACK_KEYS, zip(*by_track, strict=True) if tracks else [()] * len(TRACK_KEYS), strict=True)
    )


def _column(
    all_values: dict[str, Sequence], key: str, cast: Callable[[Any], Any], leftovers: Leftovers
) -> pa.Array:
    """The values of one key over all tracks; what `cast` cannot read is left over as it stood.

    Arrow refuses any value of another type (numbers with a fraction excepted, which it cuts
    off as `whole_number` does), and only then are the values cast one by one.
    """
    try:
        return pa.array(all_values[key], ITEM_COLUMNS[key])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass
    values = list(all_values[key])
    for index, value in enumerate(values):
        values[index] = cast(value)
        if values[index] is None and value is not None:
            leftovers[index][key] = value
    return pa.array(values, ITEM_COLUMNS[key])


def _all_of_kind(uris: pa.Array, kind: str) -> bool:
    """Whether every URI that is there is one of this kind already."""
    return pc.all(pc.starts_with(uris, f"spotify:{kind}:"), min_count=0).as_py()


def _by_pos(tracks: list[dict], given: Sequence, counts: list[int], leftovers: Leftovers) -> list[dict]:
    """The tracks, those of each playlist sorted by `pos` where every track has one of its own.

    A `pos` with gaps (the challenge set leaves tracks out) is left over, for the rank does not show it.
    """
    if list(given) == list(chain.from_iterable(map(range, counts))):
        return tracks
    ordered: list[dict] = []
    for count in counts:
        start = len(ordered)
        shown = [whole_number(value) for value in given[start : start + count]]
        ranks = range(count)
        if None not in shown and len(set(shown)) == count:
            ranks = sorted(ranks, key=shown.__getitem__)
        for rank, place in enumerate(ranks):
            ordered.append(tracks[start + place])
            if shown[place] is not None and shown[place] != rank:
                leftovers[start + rank]["pos"] = shown[place]
    return ordered

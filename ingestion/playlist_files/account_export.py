"""Reading the playlists of a Spotify account-data export, zipped or unpacked.

A playlist in an export has no id. It is named by account, name and, from the second playlist of
one name on, its number among them; the numbers run over all playlist files of the export in the
order of their names (Playlist2.json before Playlist10.json). All playlist files in one folder
are one export, so two exports of one account belong in two folders or two zips. The numbers of
a file depend on the files before it: an export is to be replaced as a whole.
"""

import re
from collections import Counter
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ingestion.inputs import UnreadableInputError
from ingestion.playlist_files.kinds import ACCOUNT_EXPORT, kind_of_document, parse_json, utf8
from ingestion.playlist_files.rows import Content, Playlist, items_from_rows
from ingestion.playlist_files.users import HashUser, hash_references, without_people
from ingestion.playlist_files.values import (
    item_type,
    json_text,
    local_file_parts,
    spotify_uri,
    text,
    timestamp,
    whole_number,
)

SOURCE_SYSTEM = "account_export"
TERMS_OF_USE = "own_data"
USER_FILE = "userdata.json"

HEAD_BYTES = 64 * 1024
"""How much of a sibling file is looked at before it is parsed: the first playlist's keys lie within."""

_PLAYLISTS_FIRST = re.compile(rb"\s*\{\s*\"playlists\"\s*:\s*\[")

Names = Counter[str]
"""How many playlists of each name came before, in one export."""


def natural_order(name: str) -> list[str | int]:
    """A sort key that counts digits as numbers: Playlist2 comes before Playlist10."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def username(data: bytes) -> str | None:
    """The user id in the bytes of a Userdata.json, None where it shows none."""
    try:
        document = parse_json(utf8(data))
    except UnreadableInputError:
        return None
    name = text(document.get("username")) if isinstance(document, dict) else None
    return name.strip() or None if name else None


def account_label(user: str | None, container: str, hash_user: HashUser) -> str:
    """What stands for the account in playlist ids: its hashed user id, else where the export lies."""
    return hash_user(user)[:16] if user else container


def read_export(
    document: dict, account: str, names: Names, shown_at: datetime, hash_user: HashUser
) -> Content:
    """The playlists of one Playlist*.json; `names` is counted on.

    `shown_at` is when the export was made. A playlist without an item list is unreadable by itself.
    """
    content = Content(ACCOUNT_EXPORT)
    rows: list[dict[str, Any]] = []
    for index, candidate in enumerate(document["playlists"]):
        try:
            listed = _listed(candidate)
        except UnreadableInputError as error:
            content.unreadable.append((f"playlists[{index}]", error))
            continue
        name = text(candidate.get("name"))
        number = _count(names, name)
        rows += [_item(item, hash_user) for item in listed]
        collaborators = candidate.get("collaborators")
        content.playlists.append(
            Playlist(
                playlist_id=f"account:{account}:{name or ''}" + (f":{number}" if number > 1 else ""),
                observed_at=shown_at,
                source_system=SOURCE_SYSTEM,
                terms_of_use=TERMS_OF_USE,
                name=name,
                description=text(candidate.get("description")),
                is_collaborative=bool(collaborators) if isinstance(collaborators, list) else None,
                follower_count=whole_number(candidate.get("numberOfFollowers")),
                modified_at=timestamp(candidate.get("lastModifiedDate")),
                item_count=len(listed),
            )
        )
    content.items = items_from_rows(rows)
    return content


def count_names(document: dict, names: Names) -> None:
    """Count the playlists of a file on, as `read_export` would, without reading their items."""
    for candidate in document["playlists"]:
        try:
            _listed(candidate)
        except UnreadableInputError:
            continue
        _count(names, text(candidate.get("name")))


def _count(names: Names, name: str | None) -> int:
    names[name or ""] += 1
    return names[name or ""]


def _listed(candidate: Any) -> list:
    """The item list of a playlist object; `tracks` is what older exports called it."""
    if not isinstance(candidate, dict):
        raise UnreadableInputError("invalid_playlist", "not an object")
    listed = candidate.get("items", candidate.get("tracks"))
    if not isinstance(listed, list):
        raise UnreadableInputError("invalid_playlist", "no list of items")
    return listed


def _item(item: Any, hash_user: HashUser) -> dict[str, Any]:
    """One row of `playlist_tracks`, without its key; an entry that names nothing is unavailable."""
    if not isinstance(item, dict):
        return {"item_type": "unavailable"}
    held = {key: value for key, value in item.items() if isinstance(value, dict)}
    known = next((key for key in ("track", "episode", "localTrack", "audiobook") if held.get(key)), None)
    if known is None and "trackName" in item:  # older exports list the tracks themselves
        known, held = "track", {"track": {key: item[key] for key in item if key != "addedDate"}}
    if known is None:
        known = next((key for key in held if held[key]), None)
    fields = dict(held.get(known) or {})

    def take(*keys: str) -> str | None:
        return next((value for key in keys if (value := text(fields.pop(key, None))) is not None), None)

    uri = spotify_uri(
        take("trackUri", "episodeUri", "uri", "chapterUri", "audiobookUri", "localTrackUri"),
        "episode" if known == "episode" else "track",
    )
    row = {
        "track_uri": uri,
        "track_name": take("trackName", "episodeName", "name", "chapterName", "audiobookName"),
        "artist_name": take("artistName"),
        "album_name": take("albumName"),
        "added_at": timestamp(item.get("addedDate")),
    }
    if known == "localTrack" or (uri or "").startswith("spotify:local:"):
        row |= {key: value for key, value in local_file_parts(uri or "").items() if not row.get(key)}
        row["item_type"] = "local"
    elif known in ("episode", "audiobook"):
        row["item_type"] = "episode"
    else:
        row["item_type"] = item_type(uri, row["track_name"])
    fields = {key: value for key, value in fields.items() if value is not None}
    row["other_fields"] = json_text(without_people(fields, hash_user))
    return row


class UnpackedExports:
    """Account and numbering of exports that lie unpacked in folders, found by looking at sibling files.

    Every file of a folder counts, also those that are not inputs of this unit, so that what a
    file's playlists are called does not depend on how files are grouped into units.
    """

    def __init__(self, root: Path, hash_user: HashUser) -> None:
        self._root = root
        self._hash_user = hash_user
        self._accounts: dict[PurePosixPath, str] = {}
        self._names: dict[PurePosixPath, dict[str, Names]] = {}

    def account(self, folder: PurePosixPath) -> str:
        """The account label of the export in `folder` (relative to the root, '.' is the root)."""
        if folder not in self._accounts:
            files = (self._root / folder).iterdir()
            found = (entry.read_bytes() for entry in sorted(files) if entry.name.lower() == USER_FILE)
            user = next(filter(None, map(username, found)), None)
            self._accounts[folder] = account_label(user, str(folder), self._hash_user)
        return self._accounts[folder]

    def names_before(self, path: PurePosixPath) -> Names:
        """The playlist names in the playlist files that come before `path` in its folder."""
        return Names(self._by_file(path.parent).get(path.name, Names()))

    def is_export(self, folder: PurePosixPath) -> bool:
        """Whether an account's playlist file lies in `folder`."""
        return bool(self._by_file(folder))

    def _by_file(self, folder: PurePosixPath) -> dict[str, Names]:
        if folder not in self._names:
            names = Names()
            self._names[folder] = {}
            entries = [entry for entry in (self._root / folder).iterdir() if entry.suffix.lower() == ".json"]
            for entry in sorted(entries, key=lambda entry: (natural_order(entry.name), entry.name)):
                document = None if entry.name.startswith(".") else self._playlist_document(entry)
                if document is not None:
                    self._names[folder][entry.name] = Names(names)
                    count_names(document, names)
        return self._names[folder]

    def _playlist_document(self, entry: Path) -> dict | None:
        """The document in `entry` where that is an account's playlist file."""
        try:
            with entry.open("rb") as file:
                head = utf8(file.read(HEAD_BYTES))
                # Slices may lie in their thousands in one folder: only what can be an export is parsed.
                if not _PLAYLISTS_FIRST.match(head) or b'"pid"' in head:
                    return None
            document = parse_json(hash_references(utf8(entry.read_bytes()), self._hash_user))
        except (OSError, UnreadableInputError):
            return None
        return document if kind_of_document(document) == ACCOUNT_EXPORT else None

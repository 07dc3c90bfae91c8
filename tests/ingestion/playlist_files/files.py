"""Small playlist files: builders of their content, every odd case one change away from a sound file."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

WRITTEN_AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
USER = "jane.d%C3%B6e_77"
PLAIN_USER = "jane.döe_77"

EXPORTIFY_HEADER = (
    "Track URI", "Track Name", "Artist URI(s)", "Artist Name(s)", "Album URI", "Album Name",
    "Album Artist URI(s)", "Album Artist Name(s)", "Album Release Date", "Album Image URL",
    "Disc Number", "Track Number", "Track Duration (ms)", "Track Preview URL", "Explicit",
    "Popularity", "ISRC", "Added By", "Added At",
)  # fmt: skip


def hash_user(user: str) -> str:
    """A stand-in for the keyed hash; stays recognisable as one."""
    return hashlib.blake2b(user.encode(), key=b"test", digest_size=32).hexdigest()


def as_bytes(content: Any) -> bytes:
    """Bytes as they are, text in UTF-8, anything else as JSON."""
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def mpd_track(number: int, **changes: Any) -> dict:
    """A track as a slice holds it; a change to `...` takes the key out."""
    track = {
        "pos": number,
        "artist_name": f"Artist {number}",
        "track_uri": f"spotify:track:{number:022}",
        "artist_uri": f"spotify:artist:{number:022}",
        "track_name": f"Track {number}",
        "album_uri": f"spotify:album:{number:022}",
        "duration_ms": 200_000 + number,
        "album_name": f"Album {number}",
        **changes,
    }
    return {key: value for key, value in track.items() if value is not ...}


def mpd_playlist(pid: Any = 0, tracks: Any = 2, **changes: Any) -> dict:
    """A playlist of a slice; `tracks` is their list, or how many to make."""
    tracks = [mpd_track(number) for number in range(tracks)] if isinstance(tracks, int) else tracks
    playlist = {
        "name": f"Playlist {pid}",
        "collaborative": "false",
        "pid": pid,
        "modified_at": 1493424000,
        "num_tracks": len(tracks) if isinstance(tracks, list) else 0,
        "num_albums": 2,
        "num_followers": 3,
        "num_edits": 6,
        "duration_ms": 400_000,
        "num_artists": 2,
        "tracks": tracks,
        **changes,
    }
    return {key: value for key, value in playlist.items() if value is not ...}


def mpd_slice(*playlists: Any, **info: Any) -> dict:
    """A slice of the playlists given."""
    return {
        "info": {
            "generated_on": "2017-12-03 08:41:42.057563",
            "slice": "0-999",
            "version": "v1",
            **info,
        },
        "playlists": list(playlists),
    }


def account_item(number: int = 0, **changes: Any) -> dict:
    """An item of an account export's playlist."""
    return {
        "track": {
            "trackName": f"Track {number}",
            "artistName": f"Artist {number}",
            "albumName": f"Album {number}",
            "trackUri": f"spotify:track:{number:022}",
        },
        "episode": None,
        "audiobook": None,
        "localTrack": None,
        "addedDate": "2024-02-03",
        **changes,
    }


def account_playlist(name: Any = "Road trip", items: Any = 1, **changes: Any) -> dict:
    """A playlist of an account export; `items` is their list, or how many to make."""
    items = [account_item(number) for number in range(items)] if isinstance(items, int) else items
    return {
        "name": name,
        "lastModifiedDate": "2024-03-04",
        "collaborators": [],
        "items": items,
        "description": None,
        "numberOfFollowers": 5,
        **changes,
    }


def csv_text(*rows: Any, header: Any = EXPORTIFY_HEADER, end: str = "\n", delimiter: str = ",") -> str:
    """A CSV with every field quoted, as Exportify writes it; a row is a list, or its line as text."""
    lines = [
        row
        if isinstance(row, str)
        else delimiter.join('"' + str(value).replace('"', '""') + '"' for value in row)
        for row in (header, *rows)
    ]
    return "".join(line + end for line in lines)


def csv_row(number: int = 0, **changes: str) -> list[str]:
    """A row under EXPORTIFY_HEADER; changes are given by column name, `_` for a blank."""
    row = {
        "Track URI": f"spotify:track:{number:022}",
        "Track Name": f"Track {number}",
        "Artist URI(s)": f"spotify:artist:{number:022}",
        "Artist Name(s)": f"Artist {number}",
        "Album URI": f"spotify:album:{number:022}",
        "Album Name": f"Album {number}",
        "Album Release Date": "2001-03",
        "Disc Number": "1",
        "Track Number": "7",
        "Track Duration (ms)": "198093",
        "Explicit": "true",
        "Popularity": "42",
        "ISRC": "UK4UP1300002",
        "Added By": f"spotify:user:{USER}",
        "Added At": "2020-07-19T09:24:39Z",
        **changes,
    }
    return [row.get(name, "") for name in EXPORTIFY_HEADER]

"""Writes one day's playlists as the three kinds of file that people hold.

`mpd.slice.*.json` are slices of the Million Playlist Dataset, `exportify/*.csv` exports of several
versions of Exportify, `my_spotify_data.zip` one listener's account-data export. Each playlist goes
to the kind that its `file_kind` names, with exactly the items it has at the end of that day.
"""

import csv
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

from sandbox.model import Episode, FileKind, LocalFile, Playlist, PlaylistItem, SpotifyArtist, Track
from sandbox.sound import audio_features
from sandbox.world import World

SLICE_SIZE = 100
"""Playlists in a slice; genuine ones hold 1,000."""
EXPORTIFY_FOLDER = "exportify"
ACCOUNT_ZIP = "my_spotify_data.zip"
ACCOUNT_FOLDER = "Spotify Account Data"
ACCOUNT_FILE_SIZE = 25
"""Playlists in one Playlist<N>.json: two files for the world's account."""
OBSERVED_AT = time(23, 0)
"""Time of day, UTC, at which the day's files are made."""


def write_playlist_files(world: World, folder: Path, day: date) -> None:
    """The day's playlists in all three formats, below `folder`, which is made where missing.

    The files' modification time is the day's `OBSERVED_AT`. Raises ValueError for a day that is
    not one of the world's.
    """
    if day not in world.days:
        raise ValueError(f"{day} is not one of the world's days, {world.days[0]} to {world.days[-1]}")
    playlists: dict[FileKind, list[Playlist]] = {"mpd": [], "exportify": [], "account": []}
    for playlist in world.playlists_on(day):
        playlists[playlist.file_kind].append(playlist)
    files = {
        **_slices(world, playlists["mpd"], day),
        **_exports(world, playlists["exportify"], day),
        ACCOUNT_ZIP: _account_zip(world, playlists["account"], day),
    }
    observed_at = datetime.combine(day, OBSERVED_AT, UTC).timestamp()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (observed_at, observed_at))


def file_name(playlist: Playlist, day: date) -> str:
    """The file that holds the playlist on that day, relative to the folder of playlist files."""
    if playlist.file_kind == "mpd":
        return _slice_name(playlist.file_number // SLICE_SIZE)
    if playlist.file_kind == "account":
        return ACCOUNT_ZIP
    slug = re.sub(r"[^\w-]+", "_", playlist.versions[day].name.lower()).strip("_")
    # An emoji leaves no trace in the slug: the number keeps two such names apart.
    return f"{EXPORTIFY_FOLDER}/{slug}-{playlist.file_number}.csv"


# --- Million Playlist Dataset ---


def _slice_name(number: int) -> str:
    return f"mpd.slice.{number * SLICE_SIZE}-{(number + 1) * SLICE_SIZE - 1}.json"


def _slices(world: World, playlists: list[Playlist], day: date) -> dict[str, bytes]:
    by_slice: dict[int, list[dict]] = {}
    for playlist in playlists:
        number = playlist.file_number // SLICE_SIZE
        by_slice.setdefault(number, []).append(_slice_entry(world, playlist, day))
    return {
        _slice_name(number): _json(
            {
                "info": {
                    "generated_on": f"{day} {OBSERVED_AT}.000000",
                    "slice": _slice_name(number).split(".")[2],
                    "version": "v1",
                },
                "playlists": entries,
            }
        )
        for number, entries in by_slice.items()
    }


def _slice_entry(world: World, playlist: Playlist, day: date) -> dict:
    version = playlist.versions[day]
    tracks = [_slice_track(world, position, item) for position, item in enumerate(version.items)]
    entry = {
        "name": version.name,
        "collaborative": str(playlist.is_collaborative).lower(),
        "pid": playlist.file_number,
        "modified_at": int(version.modified_at.timestamp()),
        "num_tracks": len(tracks),
        "num_albums": len({track["album_uri"] for track in tracks}),
        "num_artists": len({track["artist_uri"] for track in tracks}),
        "num_followers": playlist.follower_counts[day],
        "num_edits": 1 + sum(change.day <= day for change in playlist.changes),
        "duration_ms": sum(track["duration_ms"] for track in tracks),
        "tracks": tracks,
    }
    # Genuine slices leave the key out where there is no description.
    return entry | ({"description": version.description} if version.description else {})


def _slice_track(world: World, position: int, item: PlaylistItem) -> dict:
    track = world.thing(item.uri)
    artist, album = world.spotify_artists[track.artist_ids[0]], world.albums[track.album_id]
    return {
        "pos": position,
        "artist_name": artist.name,
        "track_uri": track.uri,
        "artist_uri": f"spotify:artist:{artist.artist_id}",
        "track_name": track.name,
        "album_uri": f"spotify:album:{album.album_id}",
        "duration_ms": track.duration_ms,
        "album_name": album.name,
    }


# --- Exportify ---

_FEATURE_COLUMNS = {
    "Danceability": "danceability",
    "Energy": "energy",
    "Key": "key",
    "Loudness": "loudness",
    "Mode": "mode",
    "Speechiness": "speechiness",
    "Acousticness": "acousticness",
    "Instrumentalness": "instrumentalness",
    "Liveness": "liveness",
    "Valence": "valence",
    "Tempo": "tempo",
    "Time Signature": "time_signature",
}

_OLD_HEADER = (
    "Spotify URI",
    "Track Name",
    "Artist Name",
    "Album Name",
    "Disc Number",
    "Track Number",
    "Track Duration (ms)",
    "Added By",
    "Added At",
)
_HEADER = (
    "Track URI",
    "Track Name",
    "Artist URI(s)",
    "Artist Name(s)",
    "Album URI",
    "Album Name",
    "Album Artist URI(s)",
    "Album Artist Name(s)",
    "Album Release Date",
    "Album Image URL",
    "Disc Number",
    "Track Number",
    "Track Duration (ms)",
    "Track Preview URL",
    "Explicit",
    "Popularity",
    "ISRC",
    "Added By",
    "Added At",
)
_NEWEST_HEADER = (
    "Track URI",
    "Track Name",
    "Album Name",
    "Artist Name(s)",
    "Release Date",
    "Duration (ms)",
    "Popularity",
    "Explicit",
    "Added By",
    "Added At",
    "Genres",
    "Record Label",
    *_FEATURE_COLUMNS,
)

EXPORTIFY_VERSIONS = (
    (_OLD_HEADER, ", ", "utf-8"),
    (tuple(column for column in _HEADER if column != "ISRC"), ", ", "utf-8"),
    (_HEADER, ", ", "utf-8"),
    ((*_HEADER, *_FEATURE_COLUMNS), ", ", "utf-8-sig"),
    (_NEWEST_HEADER, ";", "utf-8-sig"),
)
"""Versions of the exporter: columns, what stands between several artists, encoding."""


def _exports(world: World, playlists: list[Playlist], day: date) -> dict[str, bytes]:
    files = {}
    for playlist in playlists:
        header, separator, encoding = EXPORTIFY_VERSIONS[playlist.file_number % len(EXPORTIFY_VERSIONS)]
        text = io.StringIO()
        writer = csv.DictWriter(text, header, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(_export_row(world, item, separator) for item in playlist.versions[day].items)
        files[file_name(playlist, day)] = text.getvalue().encode(encoding)
    return files


def _export_row(world: World, item: PlaylistItem, separator: str) -> dict[str, str | int | float]:
    """Every column of every version; a version's header picks its own."""
    thing = world.thing(item.uri)
    row: dict[str, str | int | float] = {
        "Track Name": thing.name,
        "Explicit": "false",
        "Added By": f"spotify:user:{item.added_by or ''}",
        "Added At": f"{item.added_at:%Y-%m-%dT%H:%M:%SZ}" if item.added_at else "",
    }
    names = {
        "Track URI": item.uri,
        "Spotify URI": item.uri,
        "Duration (ms)": thing.duration_ms,
        "Track Duration (ms)": thing.duration_ms,
    }
    if isinstance(thing, Track):
        row |= _export_track(world, thing, separator)
    elif isinstance(thing, Episode):
        row |= {"Album Name": thing.show_name}
    elif isinstance(thing, LocalFile):
        row |= {
            "Artist Name(s)": thing.artist_name,
            "Artist Name": thing.artist_name,
            "Album Name": thing.album_name,
        }
    return row | names


def _export_track(world: World, track: Track, separator: str) -> dict[str, str | int | float]:
    artists = [world.spotify_artists[artist_id] for artist_id in track.artist_ids]
    album = world.albums[track.album_id]
    album_artists = [world.spotify_artists[artist_id] for artist_id in album.artist_ids]
    features = audio_features(track)
    artist_names = separator.join(artist.name for artist in artists)
    return {
        "Artist URI(s)": _artist_uris(artists, separator),
        "Artist Name(s)": artist_names,
        "Artist Name": artist_names,
        "Album URI": f"spotify:album:{album.album_id}",
        "Album Name": album.name,
        "Album Artist URI(s)": _artist_uris(album_artists, separator),
        "Album Artist Name(s)": separator.join(artist.name for artist in album_artists),
        "Album Release Date": album.release_date,
        "Release Date": album.release_date,
        "Album Image URL": f"https://i.scdn.co/image/{album.album_id}",
        "Disc Number": track.disc_number,
        "Track Number": track.track_number,
        "Explicit": str(track.is_explicit).lower(),
        "Popularity": track.popularity,
        "ISRC": track.isrc or "",
        "Genres": ",".join(artists[0].genres),
        "Record Label": album.label,
        **{column: features[name] for column, name in _FEATURE_COLUMNS.items()},
    }


def _artist_uris(artists: list[SpotifyArtist], separator: str) -> str:
    return separator.join(f"spotify:artist:{artist.artist_id}" for artist in artists)


# --- account data ---


def _account_zip(world: World, playlists: list[Playlist], day: date) -> bytes:
    files = {
        f"Playlist{number + 1}.json": {
            "playlists": [_account_entry(world, playlist, day) for playlist in some]
        }
        for number, some in enumerate(_in_runs(playlists, ACCOUNT_FILE_SIZE))
    }
    files["Userdata.json"] = {
        "username": world.account.user_id,
        "email": "listener@example.org",
        "country": "SE",
        "birthdate": "1990-01-01",
        "creationTime": "2014-03-09",
    }
    files["Follow.json"] = {
        "userIsFollowing": list(world.users)[1:6],
        "followerCount": 5,
        "followingUsersCount": 5,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{ACCOUNT_FOLDER}/{name}", (day.year, day.month, day.day, 23, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, _json(content))
    return buffer.getvalue()


def _account_entry(world: World, playlist: Playlist, day: date) -> dict:
    version = playlist.versions[day]
    return {
        "name": version.name,
        "lastModifiedDate": f"{version.modified_at:%Y-%m-%d}",
        "collaborators": [],
        "items": [_account_item(world, item) for item in version.items],
        "description": version.description or None,
        "numberOfFollowers": playlist.follower_counts[day],
    }


def _account_item(world: World, item: PlaylistItem) -> dict:
    entry: dict[str, dict | str | None] = {"track": None, "episode": None, "localTrack": None}
    if item.kind == "track":
        track = world.thing(item.uri)
        entry["track"] = {
            "trackName": track.name,
            "artistName": world.spotify_artists[track.artist_ids[0]].name,
            "albumName": world.albums[track.album_id].name,
            "trackUri": item.uri,
        }
    elif item.kind == "episode":
        episode = world.thing(item.uri)
        entry["episode"] = {
            "episodeName": episode.name,
            "showName": episode.show_name,
            "episodeUri": item.uri,
        }
    elif item.kind == "local":
        entry["localTrack"] = {"uri": item.uri}
    entry["addedDate"] = f"{item.added_at:%Y-%m-%d}" if item.added_at else None
    return entry


# --- shared ---


def _json(content: dict) -> bytes:
    return json.dumps(content, indent=4, ensure_ascii=False).encode()


def _in_runs(playlists: list[Playlist], size: int) -> Iterator[list[Playlist]]:
    for start in range(0, len(playlists), size):
        yield playlists[start : start + size]

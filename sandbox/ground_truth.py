"""Writes what is true in a world as Parquet files, for tests to compare a warehouse with.

| file | one row per |
|-|-|
| track_mapping | song of the dataset and Spotify track that are, or could be taken for, the same |
| artist_mapping | artist of the dataset and the same artist on Spotify |
| playlists | playlist, with the file that holds it on its last day |
| playlist_days | playlist and day on which it exists: the version it then has |
| playlist_items | playlist, version and position |
| reference_songs | song of the dataset: what the side files add to it |
| reference_tags | song of the dataset and tag |
| reference_artists | artist of a song of the dataset: coordinates and the term that the side files add |
| playlist_changes | edit of a playlist's items, in order (`sequence` counts within the playlist, from 0) |
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sandbox.model import Playlist, PlaylistVersion
from sandbox.playlist_files import file_name
from sandbox.reference_facts import ReferenceFacts, duplicate_of, genre_of, make_reference_facts
from sandbox.world import World

_REAL, _LONG = pa.float64(), pa.int64()
_TEXT, _INT, _BOOL, _DAY = pa.string(), pa.int32(), pa.bool_(), pa.date32()
_TIME = pa.timestamp("us", tz="UTC")

SCHEMAS = {
    "track_mapping": {
        "msd_track_id": _TEXT,
        "spotify_track_id": _TEXT,
        "is_match": _BOOL,
        "matches_exactly": _BOOL,
        "relation": _TEXT,
        "noise": pa.list_(_TEXT),
    },
    "artist_mapping": {"msd_artist_id": _TEXT, "spotify_artist_id": _TEXT, "noise": pa.list_(_TEXT)},
    "playlists": {
        "playlist_id": _TEXT,
        "owner_id": _TEXT,
        "is_collaborative": _BOOL,
        "is_public": _BOOL,
        "file_kind": _TEXT,
        "file_number": _INT,
        "file_path": _TEXT,
        "first_day": _DAY,
        "last_day": _DAY,
    },
    "playlist_days": {
        "observed_on": _DAY,
        "playlist_id": _TEXT,
        "snapshot_id": _TEXT,
        "modified_at": _TIME,
        "name": _TEXT,
        "description": _TEXT,
        "has_cover": _BOOL,
        "follower_count": _INT,
        "item_count": _INT,
    },
    "playlist_items": {
        "playlist_id": _TEXT,
        "snapshot_id": _TEXT,
        "position": _INT,
        "kind": _TEXT,
        "uri": _TEXT,
        "added_at": _TIME,
        "added_by": _TEXT,
    },
    "playlist_changes": {
        "playlist_id": _TEXT,
        "sequence": _INT,
        "changed_on": _DAY,
        "change": _TEXT,
        "uri": _TEXT,
        "added_at": _TIME,
        "added_by": _TEXT,
        "from_position": _INT,
        "to_position": _INT,
    },
    "reference_songs": {
        "msd_track_id": _TEXT,
        "is_mismatched": _BOOL,
        "duplicate_of_msd_track_id": _TEXT,
        "release_year": _INT,
        "genre": _TEXT,
        "minority_genre": _TEXT,
        "genre_source": _TEXT,
        "musixmatch_track_id": _LONG,
        "shs_work_id": _LONG,
        "shs_performance_id": _LONG,
        "play_count": _LONG,
        "listener_count": _LONG,
    },
    "reference_tags": {"msd_track_id": _TEXT, "tag": _TEXT, "weight": _REAL},
    "reference_artists": {
        "msd_artist_id": _TEXT,
        "latitude": _REAL,
        "longitude": _REAL,
        "added_term": _TEXT,
    },
}
"""Columns of each file. Positions count from 0; NULL is what a world has as None."""


def write_ground_truth(world: World, folder: Path) -> None:
    """`<table>.parquet` for each table of `SCHEMAS`, below `folder`, which is made where missing."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {
        "track_mapping": (
            (
                pair.msd_track_id,
                pair.spotify_track_id,
                pair.is_match,
                pair.matches_exactly,
                pair.relation,
                list(pair.noise),
            )
            for pair in world.track_pairs
        ),
        "artist_mapping": (
            (pair.msd_artist_id, pair.spotify_artist_id, list(pair.noise)) for pair in world.artist_pairs
        ),
        "playlists": (_playlist(playlist) for playlist in world.playlists),
        "playlist_days": _per_playlist(world, _days),
        "playlist_items": _per_playlist(world, _items),
        "playlist_changes": _per_playlist(world, _changes),
    }
    facts = make_reference_facts(world)
    rows |= {
        "reference_songs": _reference_songs(world, facts),
        "reference_tags": _reference_tags(world, facts),
        "reference_artists": _reference_artists(world, facts),
    }
    for name, columns in SCHEMAS.items():
        schema = pa.schema(list(columns.items()))
        by_column = list(zip(*rows[name], strict=True)) or [()] * len(schema)
        arrays = [pa.array(values, type_) for values, type_ in zip(by_column, schema.types, strict=True)]
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), folder / f"{name}.parquet")


def _per_playlist(world: World, rows_of) -> Iterator[tuple]:
    for playlist in world.playlists:
        yield from rows_of(playlist)


def _playlist(playlist: Playlist) -> tuple:
    first_day, last_day = min(playlist.versions), max(playlist.versions)
    return (
        playlist.playlist_id,
        playlist.owner_id,
        playlist.is_collaborative,
        playlist.is_public,
        playlist.file_kind,
        playlist.file_number,
        file_name(playlist, last_day),
        first_day,
        last_day,
    )


def _days(playlist: Playlist) -> Iterator[tuple]:
    for day, version in playlist.versions.items():
        yield (
            day,
            playlist.playlist_id,
            version.snapshot_id,
            version.modified_at,
            version.name,
            version.description,
            version.has_cover,
            playlist.follower_counts[day],
            len(version.items),
        )


def _items(playlist: Playlist) -> Iterator[tuple]:
    different: dict[str, PlaylistVersion] = {
        version.snapshot_id: version for version in playlist.versions.values()
    }
    for version in different.values():
        for position, item in enumerate(version.items):
            yield (
                playlist.playlist_id,
                version.snapshot_id,
                position,
                item.kind,
                item.uri,
                item.added_at,
                item.added_by,
            )


def _changes(playlist: Playlist) -> Iterator[tuple]:
    for sequence, change in enumerate(playlist.changes):
        yield (
            playlist.playlist_id,
            sequence,
            change.day,
            change.kind,
            change.item.uri,
            change.item.added_at,
            change.item.added_by,
            change.from_position,
            change.to_position,
        )


def _reference_songs(world: World, facts: ReferenceFacts) -> Iterator[tuple]:
    mismatched = set(facts.mismatched) - facts.accepted
    duplicates = duplicate_of(world, facts)
    plays: dict[str, list[int]] = defaultdict(list)
    for _, song_id, count in facts.listens:
        plays[song_id].append(count)
    for song in world.songs:
        track = song.track_id
        annotation, label = genre_of(facts, track) or (None, None)
        yield (
            track,
            track in mismatched,
            duplicates.get(track),
            facts.years.get(track),
            label and label.genre,
            label and (label.minority_genre or None),
            annotation and f"tagtraum_{annotation}",
            facts.musixmatch_ids.get(track),
            *facts.works.get(track, (None, None)),
            sum(plays[song.song_id]),
            len(plays[song.song_id]),
        )


def _reference_tags(world: World, facts: ReferenceFacts) -> Iterator[tuple]:
    for song in world.songs:
        for tag, weight in facts.tags.get(song.track_id, {}).items():
            yield song.track_id, tag, weight


def _reference_artists(world: World, facts: ReferenceFacts) -> Iterator[tuple]:
    artists = {song.artist.artist_id: song.artist for song in world.songs}
    for id_, artist in artists.items():
        place = facts.locations.get(id_, (artist.latitude, artist.longitude))
        yield (
            id_,
            *(None if degrees != degrees else degrees for degrees in place),
            facts.added_terms.get(id_),
        )

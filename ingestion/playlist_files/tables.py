"""Raw tables of playlist files: every state of a playlist that a file has shown.

A state is keyed by (playlist_id, snapshot_id); snapshot_id is a hash of the playlist's
own content, so that the same state read twice, from one file or two, is one state.
A row of `playlist_observations` says on which day which state was seen in which file.
"""

import pyarrow as pa

from ingestion.tables import (
    FILES,
    QUARANTINED_INPUTS,
    UTC_TIMESTAMP,
    RawTable,
    columns,
    key_columns,
)

PLAYLISTS = RawTable(
    "playlists",
    pa.schema(
        key_columns(playlist_id=pa.string(), snapshot_id=pa.string())
        + columns(
            name=pa.string(),
            description=pa.string(),
            is_collaborative=pa.bool_(),
            follower_count=pa.int64(),
            edit_count=pa.int64(),
            declared_track_count=pa.int64(),
            item_count=pa.int64(),
            modified_at=UTC_TIMESTAMP,
            source_system=pa.string(),
            terms_of_use=pa.string(),
        )
    ),
    primary_key=("playlist_id", "snapshot_id"),
)

PLAYLIST_TRACKS = RawTable(
    "playlist_tracks",
    pa.schema(
        key_columns(playlist_id=pa.string(), snapshot_id=pa.string(), position=pa.int32())
        + columns(
            item_type=pa.string(),
            track_uri=pa.string(),
            track_name=pa.string(),
            artist_uri=pa.string(),
            artist_name=pa.string(),
            all_artist_uris=pa.string(),
            all_artist_names=pa.string(),
            album_uri=pa.string(),
            album_name=pa.string(),
            duration_ms=pa.int64(),
            isrc=pa.string(),
            release_date=pa.string(),
            popularity=pa.int32(),
            is_explicit=pa.bool_(),
            added_at=UTC_TIMESTAMP,
            added_by_hash=pa.string(),
            other_fields=pa.string(),
        )
    ),
    primary_key=("playlist_id", "snapshot_id", "position"),
)
"""Items in playlist order, position from 0. item_type: track, episode, local or unavailable.

`artist_*` is the first artist; `all_artist_*` the source's text where it names several.
`added_by_hash` is a keyed HMAC of the user id, which itself is never stored.
`other_fields` is JSON text: the columns of an export that have no column here.
"""

PLAYLIST_OBSERVATIONS = RawTable(
    "playlist_observations",
    pa.schema(
        key_columns(playlist_id=pa.string(), observed_on=pa.date32(), file_path=pa.string())
        + columns(snapshot_id=pa.string(), observed_at=UTC_TIMESTAMP)
    ),
    primary_key=("playlist_id", "observed_on", "file_path"),
)

PLAYLIST_TRACK_CHANGES = RawTable(
    "playlist_track_changes",
    pa.schema(
        key_columns(playlist_id=pa.string(), seen_on=pa.date32(), change_number=pa.int32())
        + columns(
            change=pa.string(),
            item_type=pa.string(),
            track_uri=pa.string(),
            from_position=pa.int32(),
            to_position=pa.int32(),
            added_at=UTC_TIMESTAMP,
            added_by_hash=pa.string(),
            from_snapshot_id=pa.string(),
            snapshot_id=pa.string(),
            last_seen_before_on=pa.date32(),
            source_system=pa.string(),
            terms_of_use=pa.string(),
        )
    ),
    primary_key=("playlist_id", "seen_on", "change_number"),
)
"""Changes that retention has kept, since it removed a state they were derived from."""

TABLES = (
    FILES,
    PLAYLISTS,
    PLAYLIST_TRACKS,
    PLAYLIST_OBSERVATIONS,
    PLAYLIST_TRACK_CHANGES,
    QUARANTINED_INPUTS,
)

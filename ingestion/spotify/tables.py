"""Raw tables of Spotify's Web API: what an answer said, by state and by day.

A playlist's state is keyed by (playlist_id, snapshot_id) and never changes; an observation says on
which day which state was seen. Tracks, albums and artists have no version: they are keyed by the day
of the answer and by whether it was the object itself or its copy inside another one (`is_full`),
which lacks fields. NULL is what the answer did not say; `unavailable_fields` tells
the fields that this kind of app is never shown from those that Spotify left empty.
No user id is stored, only its keyed hash. Days and times are UTC.
"""

import pyarrow as pa

from ingestion.tables import QUARANTINED_INPUTS, UTC_TIMESTAMP, RawTable, columns, key_columns

PROVENANCE = columns(source_system=pa.string(), terms_of_use=pa.string())

PLAYLISTS = RawTable(
    "playlists",
    pa.schema(
        key_columns(playlist_id=pa.string(), snapshot_id=pa.string())
        + columns(
            name=pa.string(),
            description=pa.string(),
            owner_id_hash=pa.string(),
            is_owned_by_spotify=pa.bool_(),
            is_public=pa.bool_(),
            is_collaborative=pa.bool_(),
            declared_track_count=pa.int64(),
            item_count=pa.int64(),
            image_url=pa.string(),
            read_at=UTC_TIMESTAMP,
        )
        + PROVENANCE
    ),
    primary_key=("playlist_id", "snapshot_id"),
)
"""`declared_track_count` is the answer's total, `item_count` the items read; NULL where the items
are not shown to this app."""

PLAYLIST_TRACKS = RawTable(
    "playlist_tracks",
    pa.schema(
        key_columns(playlist_id=pa.string(), snapshot_id=pa.string(), position=pa.int32())
        + columns(
            item_type=pa.string(),
            track_uri=pa.string(),
            track_id=pa.string(),
            track_name=pa.string(),
            artist_name=pa.string(),
            album_name=pa.string(),
            duration_ms=pa.int64(),
            added_at=UTC_TIMESTAMP,
            added_by_hash=pa.string(),
        )
    ),
    primary_key=("playlist_id", "snapshot_id", "position"),
)
"""Items in playlist order, position from 0. item_type: track, episode, local, unavailable, or the
answer's own word where it is another. Names are those of the item, for what has no id to look up."""

PLAYLIST_OBSERVATIONS = RawTable(
    "playlist_observations",
    pa.schema(
        key_columns(playlist_id=pa.string(), observed_on=pa.date32(), seen_in=pa.string())
        + columns(
            snapshot_id=pa.string(),
            is_available=pa.bool_(),
            follower_count=pa.int64(),
            observed_at=UTC_TIMESTAMP,
        )
    ),
    primary_key=("playlist_id", "observed_on", "seen_in"),
)
"""The last look of each day. seen_in: `playlist`, or `list`, the list of a user's playlists, which tells
no followers. `is_available` is false where the playlist was gone, without a state then."""

PLAYLIST_TRACK_CHANGES = RawTable(
    "playlist_track_changes",
    pa.schema(
        key_columns(playlist_id=pa.string(), seen_on=pa.date32(), change_number=pa.int32())
        + columns(
            change=pa.string(),
            item_type=pa.string(),
            track_uri=pa.string(),
            track_id=pa.string(),
            from_position=pa.int32(),
            to_position=pa.int32(),
            added_at=UTC_TIMESTAMP,
            added_by_hash=pa.string(),
            from_snapshot_id=pa.string(),
            snapshot_id=pa.string(),
            last_seen_before_on=pa.date32(),
        )
    ),
    primary_key=("playlist_id", "seen_on", "change_number"),
)
"""What entered, left or moved between two states of which retention has removed one, kept before it went.
`snapshot_id` is the later state, first seen on `seen_on`, `from_snapshot_id` the earlier one, last seen on
`last_seen_before_on`. Positions are those in the two states, NULL where the item is not in one."""

TRACKS = RawTable(
    "tracks",
    pa.schema(
        key_columns(track_id=pa.string(), observed_on=pa.date32(), is_full=pa.bool_())
        + columns(
            name=pa.string(),
            album_id=pa.string(),
            isrc=pa.string(),
            ean=pa.string(),
            upc=pa.string(),
            duration_ms=pa.int64(),
            is_explicit=pa.bool_(),
            is_playable=pa.bool_(),
            disc_number=pa.int32(),
            track_number=pa.int32(),
            popularity=pa.int32(),
            available_markets=pa.string(),
            linked_from_track_id=pa.string(),
            observed_at=UTC_TIMESTAMP,
        )
        + PROVENANCE
    ),
    primary_key=("track_id", "observed_on", "is_full"),
)
"""`available_markets`: two-letter codes, sorted, joined by commas; '' is none, NULL is not told."""

ALBUMS = RawTable(
    "albums",
    pa.schema(
        key_columns(album_id=pa.string(), observed_on=pa.date32(), is_full=pa.bool_())
        + columns(
            name=pa.string(),
            album_type=pa.string(),
            release_date=pa.string(),
            release_date_precision=pa.string(),
            total_tracks=pa.int32(),
            label=pa.string(),
            upc=pa.string(),
            popularity=pa.int32(),
            available_markets=pa.string(),
            image_url=pa.string(),
            observed_at=UTC_TIMESTAMP,
        )
        + PROVENANCE
    ),
    primary_key=("album_id", "observed_on", "is_full"),
)

ARTISTS = RawTable(
    "artists",
    pa.schema(
        key_columns(artist_id=pa.string(), observed_on=pa.date32(), is_full=pa.bool_())
        + columns(
            name=pa.string(),
            popularity=pa.int32(),
            follower_count=pa.int64(),
            image_url=pa.string(),
            observed_at=UTC_TIMESTAMP,
        )
        + PROVENANCE
    ),
    primary_key=("artist_id", "observed_on", "is_full"),
)

TRACK_ARTISTS = RawTable(
    "track_artists",
    pa.schema(
        key_columns(track_id=pa.string(), observed_on=pa.date32(), is_full=pa.bool_(), position=pa.int32())
        + columns(artist_id=pa.string(), artist_name=pa.string())
    ),
    primary_key=("track_id", "observed_on", "is_full", "position"),
)

ALBUM_ARTISTS = RawTable(
    "album_artists",
    pa.schema(
        key_columns(album_id=pa.string(), observed_on=pa.date32(), is_full=pa.bool_(), position=pa.int32())
        + columns(artist_id=pa.string(), artist_name=pa.string())
    ),
    primary_key=("album_id", "observed_on", "is_full", "position"),
)

ARTIST_GENRES = RawTable(
    "artist_genres",
    pa.schema(
        key_columns(artist_id=pa.string(), observed_on=pa.date32(), position=pa.int32())
        + columns(genre=pa.string())
    ),
    primary_key=("artist_id", "observed_on", "position"),
)

AUDIO_FEATURES = RawTable(
    "audio_features",
    pa.schema(
        key_columns(track_id=pa.string())
        + columns(
            acousticness=pa.float64(),
            danceability=pa.float64(),
            energy=pa.float64(),
            instrumentalness=pa.float64(),
            liveness=pa.float64(),
            loudness=pa.float64(),
            speechiness=pa.float64(),
            tempo=pa.float64(),
            valence=pa.float64(),
            key=pa.int32(),
            mode=pa.int32(),
            time_signature=pa.int32(),
            duration_ms=pa.int64(),
            observed_at=UTC_TIMESTAMP,
        )
        + PROVENANCE
    ),
    primary_key=("track_id",),
)

EXTRACTION_LOG = RawTable(
    "extraction_log",
    pa.schema(
        key_columns(run_id=pa.string(), event_number=pa.int32())
        + columns(
            logged_at=UTC_TIMESTAMP,
            event=pa.string(),
            endpoint=pa.string(),
            http_status=pa.int32(),
            detail=pa.string(),
        )
    ),
    primary_key=("run_id", "event_number"),
)
"""What an operator asks about a run. event: started, probed, endpoint_off, refused (one thing), unreadable,
failed (without an answer, or the run as a whole), partial, ended."""

TRACK_SEARCHES = RawTable(
    "track_searches",
    pa.schema(
        key_columns(msd_track_id=pa.string(), observed_on=pa.date32())
        + columns(
            query=pa.string(),
            outcome=pa.string(),
            result_count=pa.int32(),
            observed_at=UTC_TIMESTAMP,
        )
        + PROVENANCE
    ),
    primary_key=("msd_track_id", "observed_on"),
)
"""Songs of the Million Song Dataset that were searched for. `query` is the last one that was asked. outcome:
found, nothing_found, refused (by Spotify, this query alone), unreadable."""

TRACK_SEARCH_RESULTS = RawTable(
    "track_search_results",
    pa.schema(
        key_columns(msd_track_id=pa.string(), observed_on=pa.date32(), position=pa.int32())
        + columns(track_id=pa.string())
    ),
    primary_key=("msd_track_id", "observed_on", "position"),
)
"""What a search found, in Spotify's order, position from 0. The tracks themselves are in `tracks`."""

UNAVAILABLE_FIELDS = RawTable(
    "unavailable_fields",
    pa.schema(key_columns(object_type=pa.string(), field=pa.string(), observed_on=pa.date32())),
    primary_key=("object_type", "field", "observed_on"),
)
"""Fields that full objects of a type did not carry at all on that day: not available to this app."""

TABLES = (
    PLAYLISTS,
    PLAYLIST_TRACKS,
    PLAYLIST_OBSERVATIONS,
    PLAYLIST_TRACK_CHANGES,
    TRACKS,
    ALBUMS,
    ARTISTS,
    TRACK_ARTISTS,
    ALBUM_ARTISTS,
    ARTIST_GENRES,
    AUDIO_FEATURES,
    TRACK_SEARCHES,
    TRACK_SEARCH_RESULTS,
    EXTRACTION_LOG,
    UNAVAILABLE_FIELDS,
    QUARANTINED_INPUTS,
)

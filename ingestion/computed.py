"""The source that is computed from the warehouse itself, and its raw tables: matching's pairs.

Who computes it reads the warehouse, writes the lake, and is loaded like any other (`matching/`). Similarities
lie in 0..1, 1 for equal. A difference is the track's value minus the song's. NULL is what one side does not
say. No titles and no names: what a song or a track is called stands where it came from.
"""

import pyarrow as pa

from ingestion.source import Source
from ingestion.tables import UTC_TIMESTAMP, RawTable, columns, key_columns

SONG_CANDIDATES = RawTable(
    "song_candidates",
    pa.schema(
        key_columns(msd_track_id=pa.string(), track_key=pa.string())
        + columns(
            found_by=pa.string(),
            title_similarity=pa.float64(),
            full_title_similarity=pa.float64(),
            artist_similarity=pa.float64(),
            guest_similarity=pa.float64(),
            release_similarity=pa.float64(),
            duration_difference_seconds=pa.float64(),
            year_difference=pa.int32(),
            song_versions=pa.string(),
            track_versions=pa.string(),
            song_editions=pa.string(),
            track_editions=pa.string(),
        )
    ),
    primary_key=("msd_track_id", "track_key"),
)
"""One row per song and track that may be the same recording.

`track_key` is that of `int_tracks_deduplicated`. `found_by` names the ways that led to the pair, in
alphabetical order with spaces between: `artist` (the artists' names are alike, and so are the titles),
`title` (equal titles and near lengths, by whomever), `isrc` (the ISRC of a track found otherwise),
`search` (Spotify's answer when asked for the song). `title_similarity` compares titles without guests,
brackets and tags, `full_title_similarity` the whole ones; titles that name different numbers (parts,
volumes) or say something else in brackets are at most 0.75 alike. `artist_similarity` is that of the
song's artist and the most similar artist of the track: 1 for equal names, at most 0.98 where articles,
accents, spaces or the order of words differ, and at least 0.9 where one names the other beside somebody
else. `guest_similarity` is that of guests: 0 where one side alone names any, NULL where neither does.
`*_versions` are tags that make another recording (live, remix, acoustic ...), `*_editions` those that do
not (remaster, mono, bonus ...): words in alphabetical order with spaces between, '' for none. A release
that is a concert as a whole makes all on it live.
"""

ARTIST_CANDIDATES = RawTable(
    "artist_candidates",
    pa.schema(
        key_columns(msd_artist_id=pa.string(), artist_key=pa.string()) + columns(name_similarity=pa.float64())
    ),
    primary_key=("msd_artist_id", "artist_key"),
)
"""One row per artist of either side whose names are alike, by the most alike of their names.

`artist_key` is that of `int_tracks_deduplicated`.
"""

RUNS = RawTable(
    "runs",
    pa.schema(
        key_columns(run_id=pa.string())
        + columns(
            started_at=UTC_TIMESTAMP,
            ended_at=UTC_TIMESTAMP,
            matcher_version=pa.int32(),
            song_count=pa.int64(),
            track_count=pa.int64(),
            candidate_count=pa.int64(),
            skipped_pair_count=pa.int64(),
        )
    ),
    primary_key=("run_id",),
)
"""The run that found the candidates that the other tables hold. `skipped_pair_count` are pairs not compared
because so many songs and tracks share a title that all with all would never end; only the nearest were."""

MATCHING = Source("matching", (SONG_CANDIDATES, ARTIST_CANDIDATES, RUNS))

"""Raw tables of the Million Song Dataset, named as its own getters name them.

Source of the columns: the `songs` tables of a song file (33 scalar getters, and the
two columns without a getter) and its artist arrays. Values are as in the file;
NaN, which HDF5 has no other way to say, is NULL. Of one track id several files can hold songs, which are
extracted in any order: raw keeps them all, and staging chooses by what the files say of themselves.
"""

import pyarrow as pa

from ingestion.tables import FILES, QUARANTINED_INPUTS, RawTable, columns, key_columns

SONGS = RawTable(
    "songs",
    pa.schema(
        key_columns(track_id=pa.string(), is_summary=pa.bool_())
        + columns(
            song_id=pa.string(),
            title=pa.string(),
            release=pa.string(),
            genre=pa.string(),
            year=pa.int32(),
            artist_id=pa.string(),
            artist_mbid=pa.string(),
            artist_name=pa.string(),
            artist_location=pa.string(),
            artist_latitude=pa.float64(),
            artist_longitude=pa.float64(),
            artist_familiarity=pa.float64(),
            artist_hotttnesss=pa.float64(),
            artist_7digitalid=pa.int32(),
            artist_playmeid=pa.int32(),
            release_7digitalid=pa.int32(),
            track_7digitalid=pa.int32(),
            song_hotttnesss=pa.float64(),
            duration=pa.float64(),
            end_of_fade_in=pa.float64(),
            start_of_fade_out=pa.float64(),
            tempo=pa.float64(),
            loudness=pa.float64(),
            key=pa.int32(),
            key_confidence=pa.float64(),
            mode=pa.int32(),
            mode_confidence=pa.float64(),
            time_signature=pa.int32(),
            time_signature_confidence=pa.float64(),
            danceability=pa.float64(),
            energy=pa.float64(),
            analysis_sample_rate=pa.int32(),
            audio_md5=pa.string(),
            analyzer_version=pa.string(),
            file_path=pa.string(),
            source_system=pa.string(),
            terms_of_use=pa.string(),
        )
    ),
    primary_key=("track_id", "is_summary"),
    is_kept_per_unit=True,
)
"""`is_summary`: read from a summary file, which repeats the songs of other files without their arrays."""

ARTIST_TERMS = RawTable(
    "artist_terms",
    pa.schema(
        key_columns(track_id=pa.string(), position=pa.int32())
        + columns(term=pa.string(), weight=pa.float64(), frequency=pa.float64())
    ),
    primary_key=("track_id", "position"),
    is_kept_per_unit=True,
)
"""Echo Nest terms of the song's artist, as its song file holds them; position from 0."""

SIMILAR_ARTISTS = RawTable(
    "similar_artists",
    pa.schema(
        key_columns(track_id=pa.string(), position=pa.int32()) + columns(similar_artist_id=pa.string())
    ),
    primary_key=("track_id", "position"),
    is_kept_per_unit=True,
)

ARTIST_MBTAGS = RawTable(
    "artist_mbtags",
    pa.schema(
        key_columns(track_id=pa.string(), position=pa.int32())
        + columns(tag=pa.string(), tag_count=pa.int32())
    ),
    primary_key=("track_id", "position"),
    is_kept_per_unit=True,
)
"""MusicBrainz tags of the song's artist; position from 0."""

TABLES = (FILES, SONGS, ARTIST_TERMS, SIMILAR_ARTISTS, ARTIST_MBTAGS, QUARANTINED_INPUTS)

"""Raw tables of side files, one per kind of file or of table in a database.

Values are as in the file. A line's number is part of its row's key: a file that names a track twice
keeps both lines, and staging decides. `row_id` is the same for a row of a database.
"""

import pyarrow as pa

from ingestion.tables import FILES, QUARANTINED_INPUTS, RawTable, columns, key_columns

LINE, ROW = "line_number", "row_id"


def _table(name: str, keys: tuple[str, ...], number: str | None = LINE, **types: pa.DataType) -> RawTable:
    """A table keyed by text columns and, where lines or rows are numbered, by that number."""
    key = {column: pa.string() for column in keys} | ({number: pa.int64()} if number else {})
    provenance = columns(source_system=pa.string(), terms_of_use=pa.string())
    return RawTable(name, pa.schema(key_columns(**key) + columns(**types) + provenance), tuple(key))


_TEXT, _INT, _LONG, _REAL = pa.string(), pa.int32(), pa.int64(), pa.float64()

MISMATCHES = _table("mismatches", ("song_id", "track_id"), song_text=_TEXT, track_text=_TEXT)
"""sid_mismatches.txt: pairs of a song and a track that were found to be different things."""

ACCEPTED_MATCHES = _table("accepted_matches", ("song_id", "track_id"), song_text=_TEXT, track_text=_TEXT)
"""sid_matches_manually_accepted.txt: those of the mismatches that somebody found to be none."""

DUPLICATES = _table("duplicates", ("track_id",), clique_line_number=_LONG, clique_text=_TEXT)
"""msd_duplicates.txt: tracks of one clique have the line number of its heading in common."""

UNIQUE_TRACKS = _table("unique_tracks", ("track_id",), song_id=_TEXT, artist_name=_TEXT, title=_TEXT)

TRACK_YEARS = _table("track_years", ("track_id",), year=_INT, artist_name=_TEXT, title=_TEXT)

ARTIST_LOCATIONS = _table(
    "artist_locations", ("artist_id",), latitude=_REAL, longitude=_REAL, track_id=_TEXT, artist_name=_TEXT
)

GENRES = _table("genres", ("annotation", "track_id"), genre=_TEXT, minority_genre=_TEXT)
"""tagtraum's .cls files; `annotation` says which: cd1, cd2, cd2c, or '' where the file does not tell."""

MUSIXMATCH_MATCHES = _table(
    "musixmatch_matches",
    ("track_id",),
    artist_name=_TEXT,
    title=_TEXT,
    musixmatch_track_id=_LONG,
    musixmatch_artist_name=_TEXT,
    musixmatch_title=_TEXT,
)

SONG_PLAYS = _table(
    "song_plays",
    ("source_root", "file_path", "song_id"),
    None,
    play_count=_LONG,
    listener_count=_LONG,
    content_digest=_TEXT,
    first_listen_digest=_TEXT,
)
"""Totals per song of one file of LISTENS that was read to its end.

The digests say which files are copies: `content_digest` is of the totals and the listeners, in whatever
order and packing; `first_listen_digest` of who listened to what in the first line, which a cut copy has too.
"""

LISTENS = RawTable(
    "listens",
    pa.schema(key_columns(listener_id=_TEXT, song_id=_TEXT) + columns(play_count=_INT)),
    primary_key=("listener_id", "song_id"),
)
"""train_triplets.txt: how often a listener, under the publisher's anonymous id, played a song.

These rows stay in the lake: 48 million of them, and the warehouse needs their totals.
"""

SONGS = _table(
    "songs",
    ("track_id",),
    ROW,
    title=_TEXT,
    song_id=_TEXT,
    release=_TEXT,
    artist_id=_TEXT,
    artist_mbid=_TEXT,
    artist_name=_TEXT,
    duration=_REAL,
    artist_familiarity=_REAL,
    artist_hotttnesss=_REAL,
    year=_LONG,
    track_7digitalid=_LONG,
    shs_perf=_LONG,
    shs_work=_LONG,
)
"""The table of track_metadata.db."""

ARTIST_TERMS = _table("artist_terms", ("artist_id", "term"), ROW)

ARTIST_MBTAGS = _table("artist_mbtags", ("artist_id", "mbtag"), ROW)

SIMILAR_ARTISTS = _table("similar_artists", ("artist_id", "similar_artist_id"), ROW)

TRACK_TAGS = _table("track_tags", ("track_id", "tag_name"), ROW, value=_REAL)
"""lastfm_tags.db: what listeners at Last.fm tagged a track with; `value` from 0 to 100."""

TABLES = (
    FILES,
    MISMATCHES,
    ACCEPTED_MATCHES,
    DUPLICATES,
    UNIQUE_TRACKS,
    TRACK_YEARS,
    ARTIST_LOCATIONS,
    GENRES,
    MUSIXMATCH_MATCHES,
    SONG_PLAYS,
    SONGS,
    ARTIST_TERMS,
    ARTIST_MBTAGS,
    SIMILAR_ARTISTS,
    TRACK_TAGS,
    QUARANTINED_INPUTS,
)

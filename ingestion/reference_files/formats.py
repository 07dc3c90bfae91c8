"""The kinds of text side file: what a line of each looks like, and which kind some lines are of.

A kind is told by its lines, since people rename what they download. The forms are those of the
publishers (docs/decisions/0013 names them); a line in another form goes to quarantine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.reference_files import tables
from ingestion.reference_files.lines import SEPARATOR, WRITTEN_SEPARATOR, Lines
from ingestion.tables import RawTable

TRACK_ID, SONG_ID, ARTIST_ID = (f"{prefix}[A-Z0-9]{{16}}" for prefix in ("TR", "SO", "AR"))

_COMMENT = r"^\s*(#.*)?$"
"""What carries nothing in any of the files: a comment, or nothing at all."""

_REAL = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[nN][aA][nN]"
_FIELD = f"[^{SEPARATOR}]*"

_SHOWN_CHARACTERS = 100
"""Of a line in quarantine: enough to recognise it by."""

GENRE_ANNOTATION = re.compile(r"cd(1|2c|2)(?![a-z0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class LineFormat:
    """A kind of text file.

    `pattern` (RE2) is a whole line, its named groups are columns of `table`; `form` says the same to
    people. A kind without a table is known and holds nothing that is not elsewhere. `heading` is a
    line that the lines after it belong to, up to one of another form; `passed_over` one that carries
    nothing.
    """

    kind: str
    table: RawTable | None
    form: str
    pattern: str
    source_system: str = "msd"
    terms_of_use: str = "msd_research"
    heading: str | None = None
    passed_over: str = _COMMENT


def _separated(*columns: str, **patterns: str) -> str:
    """A line of texts with <SEP> between them, in the patterns given or in any form."""
    return "^" + SEPARATOR.join(f"(?P<{name}>{patterns.get(name, _FIELD)})" for name in columns) + "$"


_PAIR = f"<(?P<song_id>{SONG_ID}) (?P<track_id>{TRACK_ID})> ?(?P<song_text>.*?)  !=  (?P<track_text>.*)$"

MISMATCHES = LineFormat(
    "sid_mismatches",
    tables.MISMATCHES,
    "ERROR: <song_id track_id> artist  -  title  !=  artist  -  title",
    f"^ERROR: {_PAIR}",
)
ACCEPTED_MATCHES = LineFormat(
    "sid_matches_manually_accepted",
    tables.ACCEPTED_MATCHES,
    "< ERROR: <song_id track_id> artist  -  title  !=  artist  -  title",
    f"^< ERROR: {_PAIR}",
    passed_over=r"^\s*(#.*|[0-9]+(,[0-9]+)?[acd][0-9]+(,[0-9]+)?|---)?$",  # it is what diff printed
)
DUPLICATES = LineFormat(
    "msd_duplicates",
    tables.DUPLICATES,
    "track_id, below a line that begins with % or a negative number",
    f"^(?P<track_id>{TRACK_ID})(?: .*)?$",
    heading=r"^\s*(?P<clique_text>(?:%|-[0-9]).*)$",
)
UNIQUE_TRACKS = LineFormat(
    "unique_tracks",
    tables.UNIQUE_TRACKS,
    "track_id<SEP>song_id<SEP>artist<SEP>title",
    _separated("track_id", "song_id", "artist_name", "title", track_id=TRACK_ID, song_id=SONG_ID),
)
TRACK_YEARS = LineFormat(
    "tracks_per_year",
    tables.TRACK_YEARS,
    "year<SEP>track_id<SEP>artist<SEP>title",
    _separated("year", "track_id", "artist_name", "title", year="[0-9]{4}", track_id=TRACK_ID),
)
ARTIST_LOCATIONS = LineFormat(
    "artist_location",
    tables.ARTIST_LOCATIONS,
    "artist_id<SEP>latitude<SEP>longitude<SEP>track_id<SEP>artist",
    _separated(
        "artist_id",
        "latitude",
        "longitude",
        "track_id",
        "artist_name",
        artist_id=ARTIST_ID,
        latitude=_REAL,
        longitude=_REAL,
        track_id=TRACK_ID,
    ),
)
GENRES = LineFormat(
    "tagtraum_genres",
    tables.GENRES,
    "track_id, genre and perhaps a minority genre, between tabs",
    f"^(?P<track_id>{TRACK_ID})\t(?P<genre>[^\t]+)(?:\t(?P<minority_genre>[^\t]*))?$",
    "tagtraum",
    "tagtraum_research",
)
MUSIXMATCH_MATCHES = LineFormat(
    "mxm_779k_matches",
    tables.MUSIXMATCH_MATCHES,
    "track_id<SEP>artist<SEP>title<SEP>mxm_tid<SEP>artist<SEP>title",
    _separated(
        "track_id",
        "artist_name",
        "title",
        "musixmatch_track_id",
        "musixmatch_artist_name",
        "musixmatch_title",
        track_id=TRACK_ID,
        musixmatch_track_id="[0-9]{1,18}",
    ),
    "musixmatch",
    "musixmatch_research",
)
LISTENS = LineFormat(
    "train_triplets",
    tables.LISTENS,
    "listener (40 hexadecimal digits), song_id and number of plays, between tabs",
    f"^(?P<listener_id>[0-9a-f]{{40}})\t(?P<song_id>{SONG_ID})\t(?P<play_count>[0-9]{{1,9}})$",
    "taste_profile",
    "taste_profile_research",
)
KNOWN_ELSEWHERE = (
    LineFormat(
        "unique_artists",
        None,
        "artist_id<SEP>mbid<SEP>track_id<SEP>artist",
        _separated(
            "artist_id",
            "mbid",
            "track_id",
            "artist_name",
            artist_id=ARTIST_ID,
            mbid="[0-9a-f-]*",
            track_id=TRACK_ID,
        ),
    ),
    LineFormat(
        "shs_dataset",
        None,
        "track_id<SEP>artist_id<SEP>performance",
        _separated("track_id", "artist_id", "performance", track_id=TRACK_ID, artist_id=ARTIST_ID),
    ),
    LineFormat(
        "mxm_dataset",
        None,
        "track_id,mxm_tid,word:count,...",
        f"^{TRACK_ID},(?P<musixmatch_track_id>[0-9]+)(?:,[0-9]+:[0-9]+)*$",
    ),
)
"""Files that lie beside the others: recognised, so that nobody has to wonder, and not read."""

WORD_LISTS = re.compile(r"(?:subset_)?(unique_terms|unique_mbtags)\.txt", re.IGNORECASE)
"""Lists of all terms and of all tags, among the files that the dataset comes with: their lines are words like
any others, so that only their names tell them."""

FORMATS = (
    MISMATCHES,
    ACCEPTED_MATCHES,
    DUPLICATES,
    UNIQUE_TRACKS,
    TRACK_YEARS,
    ARTIST_LOCATIONS,
    GENRES,
    MUSIXMATCH_MATCHES,
    LISTENS,
    *KNOWN_ELSEWHERE,
)

SAMPLE_LINES = 200
"""Lines with content that a file's kind is told by: its beginning may be damaged, or not what we think."""


def recognise(lines: Lines) -> LineFormat | None:
    """The kind that most of a file's first lines are of; None where they are of none."""
    content = lines.texts.filter(pc.invert(pc.match_substring_regex(lines.texts, _COMMENT)).fill_null(False))
    sample = content.slice(length=SAMPLE_LINES)
    votes = {format_: _matches(sample, format_.pattern) for format_ in FORMATS}
    best = max(votes, key=votes.get)
    return best if votes[best] else None


def known_by_name(name: str) -> LineFormat | None:
    """A file that holds nothing new and that its lines do not tell; None for any other."""
    found = WORD_LISTS.fullmatch(name)
    return LineFormat(found[1].lower(), None, "a word", "^.*$") if found else None


def _matches(texts: pa.Array, pattern: str) -> int:
    return pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0


def genre_annotation(name: str, lines: Lines) -> str:
    """Which of tagtraum's annotations a file holds: by its name, else its comments; '' if neither tells."""
    comments = lines.texts.filter(pc.starts_with(lines.texts, "#").fill_null(False)).slice(length=50)
    for text in (name, *comments.to_pylist()):
        if found := GENRE_ANNOTATION.search(text):
            return f"cd{found[1].lower()}"
    return ""


Rejected = tuple[int, str, str]
"""A line that cannot be taken in: its number, a reason and a detail."""


class LineParser:
    """Turns the lines of one file into rows of its kind's table; remembers the heading it is below.

    `constants` are columns that are the same for the whole file.
    """

    def __init__(self, format_: LineFormat, constants: dict[str, Any]) -> None:
        self._format, self._table = format_, format_.table
        provenance = {"source_system": format_.source_system, "terms_of_use": format_.terms_of_use}
        known = format_.table.schema.names
        self._constants = {name: value for name, value in (provenance | constants).items() if name in known}
        self._heading: dict[str, Any] = {}

    def parse(self, lines: Lines) -> tuple[pa.Table, list[Rejected], int]:
        """The rows that the lines are, the first of those that are none, and how many these are in all."""
        fields = pc.extract_regex(lines.texts, self._format.pattern)
        numbers = pa.array(range(lines.first_number, lines.first_number + len(lines.texts)), pa.int64())
        columns = {field.name: column for field, column in zip(fields.type, fields.flatten(), strict=True)}
        is_row = fields.is_valid()
        expected = is_row
        if self._format.heading:
            columns |= self._below(lines, numbers, is_row)
            is_heading = pc.match_substring_regex(lines.texts, self._format.heading).fill_null(False)
            is_row = pc.and_(is_row, columns["clique_line_number"].is_valid())
            expected = pc.or_(is_row, is_heading)
        columns |= {tables.LINE: numbers} if tables.LINE in self._table.schema.names else {}
        rows = pa.table(columns).filter(is_row)
        for name, value in self._constants.items():
            type_ = self._table.schema.field(name).type
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, type_), rows.num_rows))
        rows = rows.select(self._table.schema.names).cast(self._table.schema)
        rows = _without_nan(rows)
        if pc.all(expected).as_py():
            return rows, [], 0
        bad = pc.invert(pc.or_(expected, self._is_passed_over(lines.texts)))
        return rows, list(self._rejected(lines, bad)), pc.sum(bad).as_py() or 0

    def _is_passed_over(self, texts: pa.Array) -> pa.Array:
        return pc.match_substring_regex(texts, self._format.passed_over).fill_null(False)

    def _below(self, lines: Lines, numbers: pa.Array, is_row: pa.Array) -> dict[str, pa.Array]:
        """For each line the heading it is below: its line number and the columns that it names.

        Any line but a row or one that is passed over ends what is below a heading: what follows a line
        that cannot be understood must not count to the heading above. A heading that is not UTF-8
        is one by its first characters.
        """
        texts = _with_undecodable(lines)
        is_within = pc.or_(is_row, self._is_passed_over(texts))
        found = pc.extract_regex(texts, self._format.heading)
        own = {field.name: column for field, column in zip(found.type, found.flatten(), strict=True)}
        own = {name: pc.utf8_ltrim(column, "%") for name, column in own.items()}
        own["clique_line_number"] = pc.if_else(found.is_valid(), numbers, pa.scalar(None, pa.int64()))
        # The last line at or above each that is a heading or ends one; NULL where these lines have none.
        places = pa.array(range(len(lines.texts)), pa.int64())
        last = pc.fill_null_forward(pc.if_else(is_within, pa.scalar(None, pa.int64()), places))
        below = {}
        for name, column in own.items():
            before = pa.scalar(self._heading.get(name), column.type)
            below[name] = pc.if_else(last.is_valid(), column.take(last), before)
        if len(lines.texts):
            self._heading = {name: column[-1].as_py() for name, column in below.items()}
        return below

    def _rejected(self, lines: Lines, bad: pa.Array) -> Iterator[Rejected]:
        for place in pc.indices_nonzero(bad).slice(length=MAX_REJECTED).to_pylist():
            number = lines.first_number + place
            if place in lines.undecodable:
                text = shown(lines.undecodable[place])
                yield number, "not_utf8", f"line {number} is not UTF-8: {text}"
            else:
                text = shown(lines.texts[place].as_py())
                yield number, "malformed_line", f"line {number} is not {self._format.form}: {text}"


def _without_nan(rows: pa.Table) -> pa.Table:
    """The rows with NULL for NaN, which says the same."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_floating(field.type):
            numbers = pc.if_else(pc.is_nan(rows[field.name]), pa.scalar(None, field.type), rows[field.name])
            rows = rows.set_column(place, field, numbers)
    return rows


def _with_undecodable(lines: Lines) -> pa.Array:
    """The lines, those that are not UTF-8 with U+FFFD in them."""
    if not lines.undecodable:
        return lines.texts
    is_undecodable = np.zeros(len(lines.texts), bool)
    is_undecodable[list(lines.undecodable)] = True
    replacements = pa.array(lines.undecodable.values(), pa.string())
    return pc.replace_with_mask(lines.texts, pa.array(is_undecodable), replacements)


def shown(line: str) -> str:
    """The beginning of a line (SEPARATOR between its fields), as it is written."""
    return line.replace(SEPARATOR, WRITTEN_SEPARATOR.decode())[:_SHOWN_CHARACTERS]


MAX_REJECTED = 100
"""Lines of one file that are named in quarantine; the others are counted in one row."""

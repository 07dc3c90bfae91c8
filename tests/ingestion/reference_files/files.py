"""Small side files in the forms of their publishers, every odd case one change away from a sound file."""

import hashlib
import sqlite3
from pathlib import Path

SEP = "<SEP>"


def track(number: int) -> str:
    """The track id of a number."""
    return f"TR{number:016d}"


def song(number: int) -> str:
    """The song id of a number."""
    return f"SO{number:016d}"


def artist(number: int) -> str:
    """The artist id of a number."""
    return f"AR{number:016d}"


def listener(number: int) -> str:
    """The anonymous id of a listener."""
    return hashlib.sha1(str(number).encode()).hexdigest()


def mismatch(number: int = 1, left: str = "Björk  -  Jóga", right: str = "Muse  -  Uno") -> str:
    """A line of sid_mismatches.txt."""
    return f"ERROR: <{song(number)} {track(number)}> {left}  !=  {right}"


LINES = {
    "sid_mismatches": [mismatch(1), mismatch(2)],
    "sid_matches_manually_accepted": ["2d1", f"< {mismatch(1)}", "# a remark", "7,8d5", f"< {mismatch(3)}"],
    "msd_duplicates": [
        "# duplicates",
        "%1 Two of a kind",
        track(1),
        track(2),
        "%2 Three",
        track(3),
        track(4),
        track(5),
    ],
    "unique_tracks": [f"{track(n)}{SEP}{song(n)}{SEP}Artist {n}{SEP}Titel ü {n}" for n in (1, 2, 3)],
    "tracks_per_year": [f"199{n}{SEP}{track(n)}{SEP}Artist {n}{SEP}Title {n}" for n in (1, 2)],
    "artist_location": [f"{artist(n)}{SEP}{n}.5{SEP}-{n}.25{SEP}{track(n)}{SEP}Artist {n}" for n in (1, 2)],
    "tagtraum_genres": ["# genres", f"{track(1)}\tRock", f"{track(2)}\tPop\tRnB"],
    "mxm_779k_matches": [
        *["# heading"] * 18,
        f"{track(1)}{SEP}Artist{SEP}Title{SEP}4711{SEP}ARTIST{SEP}TITLE",
        f"{track(2)}{SEP}A{SEP}T{SEP}4712{SEP}A{SEP}T",
    ],
    "train_triplets": [
        f"{listener(1)}\t{song(1)}\t3",
        f"{listener(1)}\t{song(2)}\t1",
        f"{listener(2)}\t{song(1)}\t10",
    ],
}
"""Lines of each kind, as it is published."""

RECORDS = {
    "sid_mismatches": 2,
    "sid_matches_manually_accepted": 2,
    "msd_duplicates": 5,
    "unique_tracks": 3,
    "tracks_per_year": 2,
    "artist_location": 2,
    "tagtraum_genres": 2,
    "mxm_779k_matches": 2,
    "train_triplets": 3,
}
"""How many records these are."""

DATABASES = {
    "track_metadata": [
        "create table songs (track_id text primary key, title text, song_id text, release text,"
        " artist_id text, artist_mbid text, artist_name text, duration real, artist_familiarity real,"
        " artist_hotttnesss real,"
        " year int, track_7digitalid int, shs_perf int, shs_work int)",
        f"insert into songs values ('{track(1)}', 'Jóga', '{song(1)}', 'Homogenic', '{artist(1)}', 'mbid',"
        " 'Björk', 300.5, 0.5, 0.25, 1997, 77, -1, 0)",
        f"insert into songs values ('{track(2)}', 'Uno', '{song(2)}', '', '{artist(2)}', '',"
        " 'Muse', 217.25, null, null, 0, 78, 12, 34)",
    ],
    "artist_term": [
        "create table artists (artist_id text primary key)",
        "create table artist_term (artist_id text, term text)",
        "create table artist_mbtag (artist_id text, mbtag text)",
        f"insert into artist_term values ('{artist(1)}', 'pop'), ('{artist(1)}', 'électro')",
        f"insert into artist_mbtag values ('{artist(1)}', 'icelandic')",
    ],
    "artist_similarity": [
        "create table artists (artist_id text primary key)",
        "create table similarity (target text, similar text)",
        f"insert into similarity values ('{artist(1)}', '{artist(2)}'), ('{artist(1)}', '{artist(3)}')",
    ],
    "lastfm_tags": [
        "create table tids (tid text)",
        "create table tags (tag text)",
        "create table tid_tag (tid int, tag int, val float)",
        f"insert into tids values ('{track(1)}'), ('{track(2)}')",
        "insert into tags values ('rock'), ('80s'), ('ambiént')",
        "insert into tid_tag values (1, 1, 100), (1, 3, 12.5), (2, 2, 40)",
    ],
}
"""Statements that make each kind of database."""


def text(lines: list[str], end: str = "\n") -> bytes:
    """Lines as the bytes of a file."""
    return "".join(line + end for line in lines).encode()


def write_database(path: Path, statements: list[str]) -> None:
    """A database made by some statements."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()

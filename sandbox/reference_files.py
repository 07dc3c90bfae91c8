"""Writes the side files of the Million Song Dataset for a world, in the forms of their publishers."""

import io
import os
import sqlite3
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime, time
from pathlib import Path

from sandbox.model import Artist, Song
from sandbox.reference_facts import ReferenceFacts, make_reference_facts
from sandbox.world import World

SEP = "<SEP>"
ZIPPED_AT = (2012, 1, 1, 0, 0, 0)


def write_reference_files(world: World, folder: Path) -> None:
    """Twelve kinds of side file below `folder`, which is made where missing."""
    facts = make_reference_facts(world)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "unique_tracks.txt": _unique_tracks(world, facts),
        "tracks_per_year.txt": _tracks_per_year(world, facts),
        "artist_location.txt": _artist_locations(world, facts),
        "sid_mismatches.txt": (f"{line}\n" for line in _mismatches(world, facts).values()),
        "sid_matches_manually_accepted.txt": _accepted(world, facts),
        "msd_duplicates.txt": _duplicates(facts),
        "mxm_779k_matches.txt": _musixmatch(world, facts),
        **{f"msd_tagtraum_{name}.cls": _genres(facts, name) for name in facts.genres},
    }
    files = {name: "".join(lines).encode() for name, lines in texts.items()}
    files["train_triplets.txt.zip"] = _zipped("train_triplets.txt", _listens(facts))
    databases = {
        "track_metadata.db": _track_metadata(world, facts),
        "artist_term.db": _artist_term(world, facts),
        "artist_similarity.db": _artist_similarity(world),
        "lastfm_tags.db": _lastfm_tags(facts),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    for name, (statements, rows) in databases.items():
        _write_database(folder / name, statements, rows)
    published_at = datetime.combine(world.days[0], time(), UTC).timestamp()
    for path in folder.iterdir():
        os.utime(path, (published_at, published_at))


Rows = dict[str, list[tuple]]
"""Rows to insert, by table."""


def _write_database(path: Path, statements: list[str], rows: Rows) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    for table, values in rows.items():
        places = ", ".join("?" * len(values[0]))
        connection.executemany(f"insert into {table} values ({places})", values)
    connection.commit()
    connection.close()


def _zipped(name: str, lines: Iterable[str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, ZIPPED_AT), "".join(lines), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _artists(world: World) -> list[Artist]:
    """The artists of the world's songs, by id."""
    artists = {song.artist.artist_id: song.artist for song in world.songs}
    return [artists[id_] for id_ in sorted(artists)]


def _unique_tracks(world: World, facts: ReferenceFacts) -> Iterable[str]:
    for song in world.songs:
        yield f"{song.track_id}{SEP}{song.song_id}{SEP}{song.artist_name}{SEP}{song.title}\n"
    for one in facts.strangers:
        yield f"{one.track_id}{SEP}{one.song_id}{SEP}{one.artist_name}{SEP}{one.title}\n"


def _tracks_per_year(world: World, facts: ReferenceFacts) -> Iterable[str]:
    songs = {song.track_id: song for song in world.songs}
    for track, year in sorted(facts.years.items(), key=lambda entry: (entry[1], entry[0])):
        yield f"{year}{SEP}{track}{SEP}{songs[track].artist_name}{SEP}{songs[track].title}\n"


def _artist_locations(world: World, facts: ReferenceFacts) -> Iterable[str]:
    first_songs: dict[str, Song] = {}
    for song in world.songs:
        first_songs.setdefault(song.artist.artist_id, song)
    for artist in _artists(world):
        latitude, longitude = facts.locations.get(artist.artist_id, (artist.latitude, artist.longitude))
        if latitude == latitude and longitude == longitude:
            track = first_songs[artist.artist_id].track_id
            fields = (artist.artist_id, f"{latitude}", f"{longitude}", track, artist.name)
            yield f"{SEP.join(fields)}\n"


def _mismatches(world: World, facts: ReferenceFacts) -> dict[str, str]:
    """The line of each mismatched track."""
    described = {song.track_id: (song.song_id, song.artist_name, song.title) for song in world.songs}
    described |= {one.track_id: (one.song_id, one.artist_name, one.title) for one in facts.strangers}
    lines = {}
    for number, track in enumerate(facts.mismatched):
        song, artist, title = described[track]
        other = "  -  " if number % 10 == 0 else f"Someone Else  -  Another Song {number}"
        lines[track] = f"ERROR: <{song} {track}> {artist}  -  {title}  !=  {other}"
    return lines


def _accepted(world: World, facts: ReferenceFacts) -> Iterable[str]:
    lines = _mismatches(world, facts)
    for number, track in enumerate(facts.mismatched):
        if track in facts.accepted:
            yield f"{number + 1}d{number}\n< {lines[track]}\n"


def _duplicates(facts: ReferenceFacts) -> Iterable[str]:
    yield "# Tracks that are the same recording, a clique below each line that begins with %\n#\n"
    for number, clique in enumerate(facts.cliques):
        yield f"%{number} of {len(clique)}\n" + "".join(f"{track}\n" for track in clique)


def _musixmatch(world: World, facts: ReferenceFacts) -> Iterable[str]:
    songs = {song.track_id: (song.artist_name, song.title) for song in world.songs}
    yield "# comment\n" * 18
    for track, number in facts.musixmatch_ids.items():
        artist, title = songs.get(track, ("Stranger", "Song without a file"))
        fields = (track, artist, title, str(number), artist.upper(), title.upper())
        yield f"{SEP.join(fields)}\n"


def _genres(facts: ReferenceFacts, annotation: str) -> Iterable[str]:
    yield f"# Genre annotations {annotation.upper()}\n# track id, genre, minority genre\n"
    for track, label in facts.genres[annotation].items():
        yield "\t".join(filter(None, (track, label.genre, label.minority_genre))) + "\n"


def _listens(facts: ReferenceFacts) -> Iterable[str]:
    for listener, song, plays in facts.listens:
        yield f"{listener}\t{song}\t{plays}\n"


def _track_metadata(world: World, facts: ReferenceFacts) -> tuple[list[str], Rows]:
    nothing = (0, -1)
    songs = [
        (
            *(song.track_id, song.title, song.song_id, song.release, song.artist.artist_id, song.artist.mbid),
            *(song.artist_name, song.duration, song.artist.familiarity, song.artist.hotttnesss),
            *(song.year, song.track_7digitalid, *facts.works.get(song.track_id, nothing)[::-1]),
        )
        for song in world.songs
    ]
    songs += [
        (
            *(one.track_id, one.title, one.song_id, "", one.artist_id, "", one.artist_name, 200.5, 0.5, 0.5),
            *(0, -1, *facts.works.get(one.track_id, nothing)[::-1]),
        )
        for one in facts.strangers
    ]
    table = (
        "create table songs (track_id text primary key, title text, song_id text, release text, "
        "artist_id text, artist_mbid text, artist_name text, duration real, artist_familiarity real, "
        "artist_hotttnesss real, year int, track_7digitalid int, shs_perf int, shs_work int)"
    )
    return [table], {"songs": songs}


def _artist_term(world: World, facts: ReferenceFacts) -> tuple[list[str], Rows]:
    terms, mbtags = [], []
    for artist in _artists(world):
        names = [term.term for term in artist.terms]
        if (added := facts.added_terms.get(artist.artist_id)) is not None:
            names.append(added)
        terms += [(artist.artist_id, name) for name in names]
        mbtags += [(artist.artist_id, tag.tag) for tag in artist.mbtags]
    tables = [
        "create table artists (artist_id text primary key)",
        "create table artist_term (artist_id text, term text)",
        "create table artist_mbtag (artist_id text, mbtag text)",
    ]
    return tables, {
        "artists": [(artist.artist_id,) for artist in _artists(world)],
        "artist_term": terms,
        "artist_mbtag": mbtags,
    }


def _artist_similarity(world: World) -> tuple[list[str], Rows]:
    similar = [(artist.artist_id, other) for artist in _artists(world) for other in artist.similar_artist_ids]
    tables = [
        "create table artists (artist_id text primary key)",
        "create table similarity (target text, similar text)",
    ]
    return tables, {
        "artists": [(artist.artist_id,) for artist in _artists(world)],
        "similarity": similar,
    }


def _lastfm_tags(facts: ReferenceFacts) -> tuple[list[str], Rows]:
    tracks = list(facts.tags)
    tags = sorted({tag for of_track in facts.tags.values() for tag in of_track})
    numbers = {tag: number for number, tag in enumerate(tags, 1)}
    tables = [
        "create table tids (tid text)",
        "create table tags (tag text)",
        "create table tid_tag (tid int, tag int, val float)",
    ]
    return tables, {
        "tids": [(track,) for track in tracks],
        "tags": [(tag,) for tag in tags],
        "tid_tag": [
            (number, numbers[tag], weight)
            for number, track in enumerate(tracks, 1)
            for tag, weight in facts.tags[track].items()
        ],
    }

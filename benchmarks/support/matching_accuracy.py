"""How right matching is: worlds of the sandbox, each in a warehouse of its own, against their truth.

A world's songs and all of its tracks take the way that real ones take: lake, raw tables, dbt, matching, dbt.
What is accepted is then compared with what the world knows to be the same recording.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.support.warehouses import scratch_settings
from ingestion.computed import MATCHING
from ingestion.config import Settings
from ingestion.lake import Lake, unit_id
from ingestion.load import load, prepare
from ingestion.msd import MSD
from ingestion.source import Source
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from ingestion.tables import RawTable
from matching import MODELS_READ
from matching.run import match
from sandbox.world import World, generate_world

REPOSITORY = Path(__file__).resolve().parents[2]

DBT = "from dbt.cli.main import cli; cli()"
"""The dbt of the running interpreter, whatever is on PATH."""

READ_BY_MATCHING = tuple(f"+{name}" for _, name in MODELS_READ)
MAPS = ("+map_song_tracks", "+map_artists", "+fct_song_match_candidates")

EXACT_MATCH = """
select songs.msd_track_id, tracks.spotify_track_id
from {{ ref('int_songs_enriched') }} as songs
inner join {{ ref('int_tracks_deduplicated') }} as tracks
    on tracks.normalised_title = {{ normalise_text('songs.title') }}
    and tracks.normalised_artist_name = {{ normalise_text('songs.artist_name') }}
"""
"""The baseline: title and artist are equal, once normalised."""

Pair = tuple[str, str]


@dataclass
class Hits:
    """Of so many true pairs and so many accepted ones, how many are both."""

    true: int = 0
    accepted: int = 0
    both: int = 0

    def add(self, true: set[Pair], accepted: set[Pair]) -> None:
        """Count some more pairs."""
        self.true += len(true)
        self.accepted += len(accepted)
        self.both += len(true & accepted)

    @property
    def precision(self) -> float:
        """Share of the accepted that are true."""
        return self.both / self.accepted

    @property
    def recall(self) -> float:
        """Share of the true that are accepted."""
        return self.both / self.true


@dataclass
class Kind:
    """Of so many pairs of one kind, how many are accepted."""

    pairs: int = 0
    accepted: int = 0


@dataclass
class Accuracy:
    """What matching came to over some worlds.

    `noises` count the true pairs by what differs between the sides ('none' where nothing does), `relations`
    the others by what they are; a pair with several noises counts for each. `unrelated` are accepted
    pairs of different works. `bands` count accepted pairs by confidence band.
    """

    matching: Hits = field(default_factory=Hits)
    exact: Hits = field(default_factory=Hits)
    candidates: Hits = field(default_factory=Hits)
    artists: Hits = field(default_factory=Hits)
    noises: dict[str, Kind] = field(default_factory=dict)
    relations: dict[str, Kind] = field(default_factory=dict)
    bands: dict[str, Hits] = field(default_factory=dict)
    unrelated: int = 0


def measure_accuracy(seeds: Sequence[int], folder: Path) -> Accuracy:
    """Match the worlds of these seeds, in folders of their own below `folder`."""
    result = Accuracy()
    for seed in seeds:
        world = generate_world(seed)
        home = folder / f"world-{seed}"
        settings = build_warehouse(world, home)
        _compare(result, world, settings, _dbt(home, "compile", "--quiet", "--inline", EXACT_MATCH))
    return result


def build_warehouse(world: World, home: Path) -> Settings:
    """A warehouse with the world's songs and all of its tracks, matched and decided."""
    settings = scratch_settings(home)
    prepare(settings, SOURCES)
    _write(settings, MSD, _song_rows(world))
    _write(settings, SPOTIFY, _track_rows(world))
    shutil.copyfile(REPOSITORY / "profiles.example.yml", home / "profiles.yml")
    untested = ("build", "--quiet", "--exclude-resource-type", "test", "unit_test", "--select")
    _dbt(home, *untested, *READ_BY_MATCHING)
    match(settings)
    load(settings, MATCHING)
    _dbt(home, *untested, *MAPS, "--exclude", *READ_BY_MATCHING)
    return settings


def _compare(result: Accuracy, world: World, settings: Settings, exact_match: str) -> None:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:

        def pairs(query: str) -> set[Pair]:
            return set(connection.execute(query).fetchall())

        accepted = pairs("select msd_track_id, spotify_track_id from marts.map_song_tracks")
        candidates = pairs("select msd_track_id, spotify_track_id from marts.fct_song_match_candidates")
        artists = pairs("select msd_artist_id, spotify_artist_id from marts.map_artists")
        exact = pairs(exact_match)
        of_band: dict[str, set[Pair]] = {}
        for band, *pair in connection.execute(
            "select confidence_band, msd_track_id, spotify_track_id from marts.map_song_tracks"
        ).fetchall():
            of_band.setdefault(band, set()).add(tuple(pair))
    known = {(pair.msd_track_id, pair.spotify_track_id): pair for pair in world.track_pairs}
    true = {ids for ids, pair in known.items() if pair.is_match}
    result.matching.add(true, accepted)
    result.exact.add(true, exact)
    result.candidates.add(true, candidates)
    result.artists.add({(pair.msd_artist_id, pair.spotify_artist_id) for pair in world.artist_pairs}, artists)
    for band, of_this in of_band.items():
        result.bands.setdefault(band, Hits()).add(true & of_this, of_this)
    for ids, pair in known.items():
        kinds, names = result.relations, (pair.relation,)
        if pair.is_match:
            kinds, names = result.noises, pair.noise or ("none",)
        for name in names:
            kind = kinds.setdefault(name, Kind())
            kind.pairs += 1
            kind.accepted += ids in accepted
    result.unrelated += len(accepted - known.keys())


def _dbt(home: Path, *arguments: str) -> str:
    """What a dbt command prints; raises RuntimeError with it where the command fails."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WAREHOUSE_", "REDSHIFT_", "DBT_"))
    }
    folders = ("--profiles-dir", home, "--target-path", home / "target", "--log-path", home / "logs")
    done = subprocess.run(
        [sys.executable, "-c", DBT, *arguments, *map(str, folders), "--target", "duckdb"],
        cwd=REPOSITORY,
        env={**kept, "WAREHOUSE_DATA_DIR": str(home), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"dbt {arguments[0]}: {done.stdout}{done.stderr}")
    return done.stdout


# --- a world as rows of raw tables ---

Rows = dict[str, list[dict]]


def _write(settings: Settings, source: Source, rows: Rows) -> None:
    """Load rows by way of the lake, as one unit."""
    inputs = [{"world": True}]
    with Lake(settings.lake_url).write_unit(
        source.name, unit_id(source.name, 1, inputs), "benchmark", inputs
    ) as writer:
        for table in source.tables:
            if table.name in rows:
                writer.write(table, _table(table, rows[table.name]))
    load(settings, source)


def _table(table: RawTable, rows: list[dict]) -> pa.Table:
    names = set(table.schema.names)
    return table.from_rows([{name: row[name] for name in row.keys() & names} for row in rows])


def _song_rows(world: World) -> Rows:
    file = {"source_root": "world", "file_path": "songs"}
    return {
        "files": [{**file, "modified_at": datetime(2026, 1, 1, tzinfo=UTC)}],
        "songs": [
            {
                **{name: None if value != value else value for name, value in song.columns().items()},
                **file,
                "is_summary": False,
                "source_system": "msd",
                "terms_of_use": "msd",
            }
            for song in world.songs
        ],
    }


def _track_rows(world: World) -> Rows:
    day = world.days[-1]
    seen = {"observed_on": day, "is_full": True, "source_system": "spotify_api", "terms_of_use": "spotify"}
    artists, albums, tracks = world.spotify_artists, world.albums, world.tracks

    def credits(things: dict, key: str) -> Iterator[dict]:
        for id_, thing in things.items():
            for position, artist in enumerate(thing.artist_ids):
                name = artists[artist].name
                yield {key: id_, "position": position, "artist_id": artist, "artist_name": name, **seen}

    return {
        "artists": [{"artist_id": id_, "name": artist.name, **seen} for id_, artist in artists.items()],
        "albums": [
            {
                "album_id": id_,
                "name": album.name,
                "album_type": album.album_type,
                "release_date": album.release_date,
                "release_date_precision": album.release_date_precision,
                **seen,
            }
            for id_, album in albums.items()
        ],
        "album_artists": [*credits(albums, "album_id")],
        "tracks": [
            {
                "track_id": id_,
                "name": track.name,
                "album_id": track.album_id,
                "isrc": track.isrc,
                "duration_ms": track.duration_ms,
                **seen,
            }
            for id_, track in tracks.items()
        ],
        "track_artists": [*credits(tracks, "track_id")],
    }

"""A run of matching: what the warehouse holds now, its candidates into the lake, and from there into raw."""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np

from ingestion.computed import ARTIST_CANDIDATES, MATCHING, RUNS, SONG_CANDIDATES
from ingestion.config import Settings
from ingestion.lake import DoneRecord, Lake, UnitWriter
from ingestion.progress import Progress
from ingestion.rewriting import lake_to_rewrite
from matching.candidates import NO_PAIRS, Pairs, find_candidates
from matching.catalogue import numbered, read_catalogue
from matching.features import SongFeatures, artist_candidates
from matching.reading import Input, read_input

log = logging.getLogger(__name__)

MATCHER_VERSION = 2
"""Goes up when the matcher would find other candidates in the same input: the next run then finds them."""

UNIT_ID = "candidates"
"""The one unit of matching in the lake: every run that finds anything else writes its next revision."""


@dataclass(frozen=True)
class MatchingResult:
    """What a run came to. One that `was_current` found its input as the last run did, and wrote nothing."""

    songs: int
    tracks: int
    song_candidates: int
    artist_candidates: int
    skipped_pairs: int
    was_current: bool


def match(settings: Settings) -> MatchingResult:
    """Write the candidates of what the warehouse holds to the lake, unless the lake has them already.

    Raises LoadError where the warehouse cannot be read or dbt has not built what is read, and LakeError where
    another run has written meanwhile. Loading is left to the loader.
    """
    settings.activate()
    started_at = datetime.now(UTC)
    given = read_input(settings)
    inputs = [{"digest": given.digest(), "matcher_version": MATCHER_VERSION}]
    last = _last_run(Lake(settings.lake_url))
    if last is not None and last.inputs == inputs:
        (run,) = _rows_of(Lake(settings.lake_url), last)
        log.info("matching: songs and tracks are those of the last run: its candidates hold")
        return _result(run, last, was_current=True)
    log.info("matching: %s songs, %s tracks", f"{len(given.songs):,}", f"{len(given.tracks):,}")
    with Progress("read titles and names", None, "texts") as progress:
        catalogue = read_catalogue(given, progress)
    with Progress("match songs", None, "songs") as progress:
        candidates = find_candidates(catalogue, searched(given), progress)
    features = SongFeatures(given, catalogue, candidates)
    with lake_to_rewrite(settings, MATCHING) as lake:
        with (
            _next_revision(lake, inputs) as writer,
            Progress("compare", len(candidates.song), "pairs") as progress,
        ):
            for rows in features.rows():
                writer.write(SONG_CANDIDATES, rows)
                progress.advance(rows.num_rows)
            writer.write(ARTIST_CANDIDATES, artist_candidates(given, catalogue, candidates.names))
            run = {
                "run_id": str(uuid.uuid4()),
                "started_at": started_at,
                "ended_at": datetime.now(UTC),
                "matcher_version": MATCHER_VERSION,
                "song_count": given.songs.num_rows,
                "track_count": given.tracks.num_rows,
                "candidate_count": len(candidates.song),
                "skipped_pair_count": candidates.skipped,
            }
            writer.write(RUNS, RUNS.from_rows([run]))
        return _result(run, _last_run(lake), was_current=False)


def _last_run(lake: Lake) -> DoneRecord | None:
    if UNIT_ID not in lake.done_unit_ids(MATCHING.name):
        return None
    return lake.done_record(MATCHING.name, UNIT_ID)


def _rows_of(lake: Lake, unit: DoneRecord) -> list[dict]:
    return [
        row
        for part in unit.parts
        if part.table == RUNS.name
        for batch in lake.read_part(part)
        for row in batch.to_pylist()
    ]


def _next_revision(lake: Lake, inputs: list[dict]) -> UnitWriter:
    """The revision after the one that counts; all of its rows take the place of all of that one's."""
    code_version = version("music-warehouse")
    last = _last_run(lake)
    if last is None:
        return lake.write_unit(MATCHING.name, UNIT_ID, code_version, inputs)
    return lake.rewrite_unit(last, inputs=inputs, code_version=code_version, extracted_at=datetime.now(UTC))


def _result(run: dict, unit: DoneRecord, was_current: bool) -> MatchingResult:
    return MatchingResult(
        run["song_count"],
        run["track_count"],
        run["candidate_count"],
        unit.rows(ARTIST_CANDIDATES.name),
        run["skipped_pair_count"],
        was_current,
    )


def searched(given: Input) -> Pairs:
    """The pairs that Spotify's search gave, of songs and tracks that the warehouse holds."""
    if not given.found.num_rows:
        return NO_PAIRS
    (song_ids, asked), songs = numbered([given.songs["msd_track_id"], given.found["msd_track_id"]])
    (track_ids, answered), tracks = numbered(
        [given.tracks["spotify_track_id"], given.found["spotify_track_id"]]
    )
    song_of = _places(song_ids, len(songs))[asked]
    track_of = _places(track_ids, len(tracks))[answered]
    known = (song_of >= 0) & (track_of >= 0)
    return Pairs(song_of[known], track_of[known])


def _places(numbers: np.ndarray, count: int) -> np.ndarray:
    """Where each number stands; -1 for those that stand nowhere."""
    places = np.full(count + 1, -1, dtype=np.int64)
    places[numbers] = np.arange(len(numbers))
    places[-1] = -1
    return places

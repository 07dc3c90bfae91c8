"""Slices of the Million Playlist Dataset, from bytes on disk to committed raw rows.

Slices are made in the full size (1,000 playlists, 66,000 items, 34 MB of indented JSON). Extraction and
loading run as an operator runs them, one process each: `ingestion.extract.extract` to the lake,
then `ingestion.load.load` into a fresh warehouse. Counted is CPU time, user and system, of all
threads of both: reading, parsing, snapshot ids, Parquet, hashes, merging, committing and
closing the database. Not counted: starting Python, importing libraries, making the slices. The
files were just written, so they come from the page cache. The baseline is the standard
library's `json.loads` of one slice's bytes, which yields no rows yet.

- mpd_slices_per_core: playlists per CPU second over all slices. Goal: at least 1,000.
- mpd_slices_to_json_loads: the same against json.loads.
- mpd_extract_per_core, mpd_load_per_core: the same for each of the two processes.
- mpd_slices_memory: peak memory of the larger process with all slices, against one. Goal: at most
  1.15 times.
- mpd_extract_memory, mpd_load_memory: the same for each of the two processes.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import Measured, measure
from benchmarks.support.warehouses import counting, scratch_settings

PER_CORE_GOAL = 1_000
MEMORY_GOAL = 1.15
"""Flat, but for what the allocators keep."""


@dataclass(frozen=True)
class Run:
    """One way of some slices from bytes to raw rows."""

    playlists: int
    extraction: Measured
    loading: Measured

    @property
    def cpu_seconds(self) -> float:
        return self.extraction.cpu_seconds + self.loading.cpu_seconds

    @property
    def peak_bytes(self) -> int:
        return max(self.extraction.peak_bytes, self.loading.peak_bytes)


PARTS = {"extract": attrgetter("extraction"), "load": attrgetter("loading")}


def main() -> None:
    """Measure and print the figures."""
    size = sizes(__doc__, playlists=(1_000, 20), slices=(50, 3), repetitions=(3, 1))
    parses, singles, runs = [], [], []
    with tempfile.TemporaryDirectory(prefix="mpd-slices-") as scratch:
        folder = Path(scratch)
        files = measure(writing, folder, size.slices, size.playlists).result
        for _ in range(size.repetitions):
            parses.append(measure(parsing, files[0]))
            singles.append(_run(folder, files[:1], size.playlists))
            runs.append(_run(folder, files, size.playlists))

    unit = "playlists/CPU s"
    rate = median(run.playlists / run.cpu_seconds for run in runs)
    report(figure("mpd_slices_per_core", rate, unit, at_least=PER_CORE_GOAL))
    parse_rates = [size.playlists / parse.cpu_seconds for parse in parses]
    ratio = median(
        run.playlists / run.cpu_seconds / rate for run, rate in zip(runs, parse_rates, strict=True)
    )
    report(figure("mpd_slices_to_json_loads", rate, unit, baseline=median(parse_rates), ratio=ratio))
    for name, part in PARTS.items():
        rate = median(run.playlists / part(run).cpu_seconds for run in runs)
        report(figure(f"mpd_{name}_per_core", rate, unit))
    _report_memory("mpd_slices_memory", runs, singles, lambda run: run.peak_bytes, at_most=MEMORY_GOAL)
    for name, part in PARTS.items():
        _report_memory(f"mpd_{name}_memory", runs, singles, lambda run, part=part: part(run).peak_bytes)


def _report_memory(
    name: str, runs: list[Run], fewer: list[Run], peak: Callable[[Run], int], **goal: float
) -> None:
    value, baseline = (median(map(peak, some)) / 1e6 for some in (runs, fewer))
    report(figure(name, value, "MB", baseline=baseline, **goal))


def _run(folder: Path, files: list[Path], playlists: int) -> Run:
    """Bring the files, `playlists` in each, into a warehouse of their own, and check that they arrived."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        home, inputs = Path(scratch, "home"), Path(scratch, "inputs")
        inputs.mkdir()
        for file in files:
            os.link(file, inputs / file.name)
        run = Run(len(files) * playlists, measure(extracting, inputs, home), measure(loading, home))
        arrived = measure(counting, home, ["raw_playlist_files.playlists"]).result
    if arrived != run.playlists:
        raise RuntimeError(f"{arrived:,} of {run.playlists:,} playlists arrived")
    return run


def writing(folder: Path, slices: int, playlists: int) -> Callable[[], list[Path]]:
    """Work that writes the slices and returns their paths."""
    from benchmarks.support.mpd_files import write_slice

    return lambda: [write_slice(folder, number, playlists) for number in range(slices)]


def parsing(file: Path) -> Callable[[], None]:
    """Work that parses the bytes of a file with the standard library, and drops the result."""
    content = file.read_bytes()

    def parse() -> None:
        json.loads(content)

    return parse


def extracting(inputs: Path, home: Path) -> Callable[[], None]:
    """Work that extracts the folder `inputs` to the lake in `home`."""
    from ingestion.extract import extract
    from ingestion.playlist_files import PLAYLIST_FILES

    settings = scratch_settings(home)

    def work() -> None:
        extract(settings, PLAYLIST_FILES, inputs)

    return work


def loading(home: Path) -> Callable[[], None]:
    """Work that loads the lake in `home` into its warehouse."""
    from ingestion.load import load
    from ingestion.playlist_files import PLAYLIST_FILES

    settings = scratch_settings(home)

    def work() -> None:
        load(settings, PLAYLIST_FILES)

    return work


if __name__ == "__main__":
    main()

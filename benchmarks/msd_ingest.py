"""Song files of the Million Song Dataset, from files in folders to committed raw rows, stage by stage.

Files are made in the layout and size of genuine ones (250 kB), all different, and were just written, so they
come from the page cache. Counted is CPU time, user and system, of one process for each stage; a stage's
share is what it takes beyond those before it: `list` finds the files and makes units of them, `read` opens
each and reads its first 48 KiB, `decode` makes Arrow batches of the raw tables, `write` puts these into
the lake as Parquet with done-records, `load` merges them into a fresh warehouse. Not counted: starting
Python, importing libraries.

- msd_ingest: songs per CPU second, all stages together, with all that the raw tables hold: the scalars, the
  artist's terms, similar artists and tags. There is no form of fewer.
- msd_ingest_list, _read, _decode, _write, _load: each stage's share of the time.
- msd_ingest_arrays: songs per CPU second with all 21 arrays, from files to finished parts in the lake,
  where arrays stay.
- msd_ingest_memory: peak memory of an extraction of many reads, the same files linked again and again,
  against one of few; that of the process that listed and shared them out, or of a reading
  process where one had more. Goal: at most 1.10 times.
"""

import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import measure
from benchmarks.support.warehouses import counting, scratch_settings

if TYPE_CHECKING:
    from ingestion.source import Source

MEMORY_GOAL = 1.10
FIRST_BYTES = 48 * 1024
STAGES = ("list", "read", "decode", "write", "load")


def main() -> None:
    """Measure and print the figures."""
    size = sizes(__doc__, songs=(6_000, 20), repetitions=(3, 1), reads=(20_000, 20), more_reads=(200_000, 40))
    runs: dict[str, list[float]] = {stage: [] for stage in STAGES}
    arrays: list[float] = []
    with tempfile.TemporaryDirectory(prefix="msd-ingest-") as scratch:
        folder = Path(scratch)
        files = measure(writing, folder / "songs", size.songs).result
        for repetition in range(size.repetitions):
            home = folder / f"home-{repetition}"
            seconds = {
                "list": measure(listing, folder / "songs").cpu_seconds,
                "read": measure(touching, folder / "songs").cpu_seconds,
                "decode": measure(decoding, folder / "songs").cpu_seconds,
                "write": measure(extracting, folder / "songs", home).cpu_seconds,
            }
            for stage, earlier in (("write", "decode"), ("decode", "read"), ("read", "list")):
                seconds[stage] -= seconds[earlier]
            seconds["load"] = measure(loading, home).cpu_seconds
            arrived = measure(counting, home, ["raw_msd.songs"]).result
            if arrived != size.songs:
                raise RuntimeError(f"{arrived:,} of {size.songs:,} songs arrived")
            arrays.append(measure(extracting_arrays, folder / "songs", home).cpu_seconds)
            for stage in STAGES:
                runs[stage].append(seconds[stage])
        peaks = []
        for reads in (size.reads, size.more_reads):
            measure(linking, files, folder / f"links-{reads}", reads)
            run = measure(extracting_side_by_side, folder / f"links-{reads}", folder / f"home-{reads}")
            peaks.append(max(run.peak_bytes, run.result) / 1e6)

    totals = [sum(run) for run in zip(*runs.values(), strict=True)]
    report(figure("msd_ingest", median(size.songs / total for total in totals), "songs/CPU s"))
    for stage in STAGES:
        share = median(seconds / total for seconds, total in zip(runs[stage], totals, strict=True))
        report(figure(f"msd_ingest_{stage}", 100 * share, "% of the time"))
    report(figure("msd_ingest_arrays", median(size.songs / seconds for seconds in arrays), "songs/CPU s"))
    report(figure("msd_ingest_memory", peaks[1], "MB", baseline=peaks[0], at_most=MEMORY_GOAL))


def writing(folder: Path, songs: int) -> Callable[[], list[Path]]:
    """Work that writes the files and returns their paths."""
    from benchmarks.support.msd_files import write_song_files

    return lambda: write_song_files(folder, songs, songs)


def linking(files: list[Path], folder: Path, reads: int) -> Callable[[], None]:
    """Work that makes so many links to the files."""
    from benchmarks.support.msd_files import repeat_song_files

    return lambda: repeat_song_files(files, folder, reads)


def listing(folder: Path) -> Callable[[], None]:
    """Work that finds the files and makes units of them."""
    from ingestion.msd import MSD
    from ingestion.units import Unit

    def work() -> None:
        for files in MSD.units(MSD.place(folder)):
            Unit.of(MSD, files)

    return work


def touching(folder: Path) -> Callable[[], None]:
    """Work that lists the files and reads the beginning of each."""
    from ingestion.msd import MSD
    from ingestion.units import Unit

    place = MSD.place(folder)

    def work() -> None:
        for files in MSD.units(place):
            Unit.of(MSD, files)
            for _, content in place.contents(files):
                content.read(0, FIRST_BYTES)

    return work


def decoding(folder: Path) -> Callable[[], None]:
    """Work that lists the files and reads them into Arrow batches."""
    from ingestion.msd import MSD
    from ingestion.units import Unit

    place = MSD.place(folder)

    def work() -> None:
        for files in MSD.units(place):
            Unit.of(MSD, files)
            for _ in MSD.read_unit(place, files, str):
                pass

    return work


def extracting(folder: Path, home: Path) -> Callable[[], None]:
    """Work that extracts the folder to the lake in `home`, in this process."""
    from ingestion.msd import MSD

    return _extracting(MSD, folder, home)


def extracting_arrays(folder: Path, home: Path) -> Callable[[], None]:
    """Work that extracts the folder's arrays to the lake in `home`, in this process."""
    from ingestion.msd.arrays import MSD_ARRAYS

    return _extracting(MSD_ARRAYS, folder, home)


def _extracting(source: "Source", folder: Path, home: Path) -> Callable[[], None]:
    from dataclasses import replace

    from ingestion.extract import extract

    settings = scratch_settings(home)
    in_this_process = replace(source, may_crash=False)

    def work() -> None:
        extract(settings, in_this_process, folder)

    return work


def extracting_side_by_side(folder: Path, home: Path) -> Callable[[], int]:
    """Work that extracts the folder as an operator does; returns the peak of its largest reading process."""
    from ingestion.extract import extract
    from ingestion.msd import MSD

    settings = scratch_settings(home)

    def work() -> int:
        extract(settings, MSD, folder)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024

    return work


def loading(home: Path) -> Callable[[], None]:
    """Work that loads the lake in `home` into its warehouse."""
    from ingestion.load import load
    from ingestion.msd import MSD

    settings = scratch_settings(home)

    def work() -> None:
        load(settings, MSD)

    return work


if __name__ == "__main__":
    main()

"""train_triplets.txt, the largest side file, from bytes on disk to finished parts in the lake.

A file is made in the published form: each listener's listens together, 48 songs of 384,546 each; a fifth
of the published size. The extraction runs as an operator runs it, in a process of its own: reading,
recognising, taking apart, Parquet, plays and listeners per song, hashes. Counted is CPU time of all threads.
Not counted: starting Python, importing libraries, making the file, which was just written and so comes from
the page cache. The baseline of the rate is pyarrow's CSV reader over the same bytes, which checks and writes
nothing.

- side_files_listens_per_core: listens per CPU second.
- side_files_memory: peak memory with all listens, against a quarter of them, which is enough to name every
  song. Goal: at most 1.15 times.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import Measured, measure
from benchmarks.support.warehouses import scratch_settings

SONGS = 384_546
"""Songs in the published file; the totals of each are held in memory."""

MEMORY_GOAL = 1.15


def main() -> None:
    """Measure and print the figures."""
    size = sizes(__doc__, listeners=(200_000, 400), songs_per_listener=(48, 12), repetitions=(2, 1))
    quarters, wholes, parses = [], [], []
    with tempfile.TemporaryDirectory(prefix="side-files-") as scratch:
        folder = Path(scratch)
        quarter, whole = (folder / name for name in ("quarter", "whole"))
        measure(writing, quarter, size.listeners // 4, size.songs_per_listener)
        listens = measure(writing, whole, size.listeners, size.songs_per_listener).result
        for repetition in range(size.repetitions):
            parses.append(measure(parsing, whole))
            quarters.append(measure(extracting, quarter, folder / f"quarter-{repetition}"))
            wholes.append(measure(extracting, whole, folder / f"whole-{repetition}"))
            if wholes[-1].result != listens:
                raise RuntimeError(f"{wholes[-1].result:,} of {listens:,} listens are in the lake")
    rates = [listens / run.cpu_seconds for run in wholes]
    baselines = [listens / run.cpu_seconds for run in parses]
    ratio = median(rate / baseline for rate, baseline in zip(rates, baselines, strict=True))
    name, unit = "side_files_listens_per_core", "listens/CPU s"
    report(figure(name, median(rates), unit, baseline=median(baselines), ratio=ratio))
    peak, baseline = (_peak_megabytes(runs) for runs in (wholes, quarters))
    report(figure("side_files_memory", peak, "MB", baseline=baseline, at_most=MEMORY_GOAL))


def _peak_megabytes(runs: list[Measured]) -> float:
    return median(run.peak_bytes for run in runs) / 1e6


def writing(folder: Path, listeners: int, songs_per_listener: int) -> Callable[[], int]:
    """Work that writes the file into `folder` and returns its listens."""
    import hashlib

    import numpy as np

    def write() -> int:
        folder.mkdir()
        random = np.random.default_rng(1)
        listens = 0
        with (folder / "train_triplets.txt").open("w") as file:
            for number in range(listeners):
                listener = hashlib.sha1(str(number).encode()).hexdigest()
                songs = np.unique(random.integers(0, SONGS, songs_per_listener)).tolist()
                plays = random.geometric(0.4, len(songs)).tolist()
                file.writelines(
                    f"{listener}\tSOABCDE128F{song:07X}\t{count}\n"
                    for song, count in zip(songs, plays, strict=True)
                )
                listens += len(songs)
        return listens

    return write


def parsing(folder: Path) -> Callable[[], None]:
    """Work that parses the file's bytes and drops what it finds."""
    import pyarrow.csv

    read = pyarrow.csv.ReadOptions(column_names=["listener_id", "song_id", "play_count"], use_threads=False)
    parse = pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False)

    def work() -> None:
        for _ in pyarrow.csv.open_csv(folder / "train_triplets.txt", read_options=read, parse_options=parse):
            pass

    return work


def extracting(folder: Path, home: Path) -> Callable[[], int]:
    """Work that extracts the folder to the lake in `home` and returns the listens in it."""
    from ingestion.extract import extract
    from ingestion.reference_files import REFERENCE_FILES

    settings = scratch_settings(home)
    return lambda: extract(settings, REFERENCE_FILES, folder).rows["listens"]


if __name__ == "__main__":
    main()

"""Song files of the Million Song Dataset, from files on disk to values in memory.

Files are made in the byte layout and size of genuine ones (250 kB) and were just written, so they come
from the page cache. Counted is CPU time of one process, user and system, of opening, reading,
inflating, decoding and closing; the figures are medians of runs that take turns. The baseline is PyTables
with one getter per field, each of which looks up its table and reads its column or array, as the
dataset's own getters do.

- msd_read_scalars: songs per CPU second with the 33 scalars. Goal: at least 300 times the baseline.
- msd_read_scalars_zlib: the same where no faster library than zlib is installed.
- msd_read_scalars_to_files: the first against merely opening the same files, reading 48 KiB and closing
  them. Goal: at least 0.15.
- msd_read_artists: with the artist's terms, similar artists and MusicBrainz tags, which the raw tables need.
- msd_read_arrays: with all 21 arrays. Goal: at least 20 times the baseline.
- msd_read_arrays_zlib: the same where no faster library than zlib is installed.
- msd_read_fallback: the 33 scalars of files that today's PyTables has rewritten, whose layout is another,
  read with h5py. Goal: at least 12 times the baseline on the same files.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import measure

FIRST_BYTES = 48 * 1024


DIFFERENT_SONGS = 50
"""Further files are copies, which a reader cannot know."""


def main() -> None:
    """Measure and print the figures."""
    size = sizes(__doc__, files=(1_000, 4), passes=(10, 1), baseline_files=(50, 2), repetitions=(5, 1))
    with tempfile.TemporaryDirectory(prefix="msd-read-") as scratch:
        files, rewritten = measure(writing, Path(scratch), size.files, size.baseline_files).result
        few = files[: size.baseline_files]
        ways = {
            "scalars": (reading, files, size.passes, "SCALARS"),
            "scalars_zlib": (reading, files, size.passes, "SCALARS", True),
            "artists": (reading, files, max(size.passes // 2, 1), "ARTISTS"),
            "arrays": (reading, files, 1, "ARRAYS"),
            "arrays_zlib": (reading, files, 1, "ARRAYS", True),
            "fallback": (reading, rewritten, size.passes, "SCALARS", False, "hdf5"),
            "touched": (touching, files, size.passes),
            "getters_scalars": (getting, few, "SCALARS"),
            "getters_artists": (getting, few, "ARTISTS"),
            "getters_arrays": (getting, few, "ARRAYS"),
            "getters_fallback": (getting, rewritten, "SCALARS"),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(size.repetitions):
            for name, (prepare, *arguments) in ways.items():
                measured = measure(prepare, *arguments)
                rates[name].append(measured.result / measured.cpu_seconds)

    for name, baseline, goal in (
        ("scalars", "getters_scalars", 300),
        ("scalars_zlib", "getters_scalars", None),
        ("scalars", "touched", 0.15),
        ("artists", "getters_artists", None),
        ("arrays", "getters_arrays", 20),
        ("arrays_zlib", "getters_arrays", None),
        ("fallback", "getters_fallback", 12),
    ):
        report(
            figure(
                f"msd_read_{name}_to_files" if baseline == "touched" else f"msd_read_{name}",
                median(rates[name]),
                "songs/CPU s",
                baseline=median(rates[baseline]),
                ratio=median(one / other for one, other in zip(rates[name], rates[baseline], strict=True)),
                **({"at_least": goal} if goal else {}),
            )
        )


def writing(folder: Path, files: int, rewritten: int) -> Callable[[], tuple[list[Path], list[Path]]]:
    """Work that writes files of the genuine layout, rewrites some of them, and returns the paths of both."""
    from benchmarks.support.msd_files import rewrite_song_files, write_song_files

    def write() -> tuple[list[Path], list[Path]]:
        written = write_song_files(folder / "genuine", files, DIFFERENT_SONGS)
        return written, rewrite_song_files(written[:rewritten], folder / "rewritten")

    return write


def reading(
    files: list[Path], passes: int, tier_name: str, only_zlib: bool = False, read_by: str = "fixed_offsets"
) -> Callable[[], int]:
    """Work that reads every file so many times and returns how many songs that were."""
    if only_zlib:
        sys.modules["deflate"] = sys.modules["isal"] = None  # as if they were not installed
    from ingestion.msd import inflate
    from ingestion.msd.content import Content, LocalFile
    from ingestion.msd.read import read_songs
    from ingestion.msd.songs import Tier

    if only_zlib == (inflate.LIBRARY != "zlib"):
        raise RuntimeError(f"chunks are inflated with {inflate.LIBRARY}")

    def contents() -> Iterator[tuple[Path, Content]]:
        for _ in range(passes):
            for path in files:
                with LocalFile(path) as content:
                    yield path, content

    def read() -> int:
        songs = 0
        for part in read_songs(contents(), Tier[tier_name]):
            if part.read_by != read_by:
                raise RuntimeError(f"{part.files[0]} was read by {part.read_by}")
            songs += len(part.songs)
        return songs

    return read


def touching(files: list[Path], passes: int) -> Callable[[], int]:
    """Work that opens each file, reads 48 KiB and closes it."""

    def touch() -> int:
        for _ in range(passes):
            for path in files:
                descriptor = os.open(path, os.O_RDONLY)
                os.read(descriptor, FIRST_BYTES)
                os.close(descriptor)
        return passes * len(files)

    return touch


def getting(files: list[Path], tier_name: str) -> Callable[[], int]:
    """Work that reads each file with PyTables, field by field."""
    import tables

    from ingestion.msd.layout import ARRAYS, PARALLEL, ROW_TYPES
    from ingestion.msd.songs import ARRAYS_OF, SCALARS, Tier

    columns = [(group, name) for group, row in ROW_TYPES.items() for name in row.names if name in SCALARS]
    # The two columns for which the dataset has no getter.
    columns = [(group, name) for group, name in columns if name not in ("genre", "analyzer_version")]
    arrays = [(ARRAYS[name].group, name, PARALLEL.get(name, name)) for name in ARRAYS_OF[Tier[tier_name]]]

    def get_scalar(h5: tables.File, group: str, name: str) -> object:
        return getattr(getattr(h5.root, group).songs.cols, name)[0]

    def get_array(h5: tables.File, group: str, name: str, indexed: str) -> object:
        start = get_scalar(h5, group, f"idx_{indexed}")
        if getattr(h5.root, group).songs.nrows != 1:
            raise RuntimeError(f"{h5.filename} is no single-song file")
        return getattr(getattr(h5.root, group), name)[start:]

    def get() -> int:
        for path in files:
            with tables.open_file(str(path)) as h5:
                for column in columns:
                    get_scalar(h5, *column)
                for array in arrays:
                    get_array(h5, *array)
        return len(files)

    return get


if __name__ == "__main__":
    main()

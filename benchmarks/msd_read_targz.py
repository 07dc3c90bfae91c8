"""Song files straight out of a .tar.gz, from the archive's bytes to decoded songs.

Files are made in the layout and size of genuine ones (250 kB), all different, in an archive as GNU tar and
gzip make it, which was just written, so it comes from the page cache. It is read from end to end in one
process, again and again; counted is CPU time, user and system. The baseline inflates the same bytes
with the same library, block by block, and drops them.

- msd_read_targz: songs per CPU second, the 33 scalars of each. Goal: at least 0.75 of merely inflating.
- msd_read_targz_rows: the same to Arrow batches of all raw tables, with terms, similar artists and tags.
- msd_read_targz_zlib: as the first, where no faster library than zlib inflates archive and songs.
- msd_read_targz_memory: peak memory of the process with the larger number of reads, against the smaller.
  Goal: at most 1.10 times.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import measure

GOAL = 0.75
MEMORY_GOAL = 1.10


def main() -> None:
    """Measure and print the figures."""
    size = sizes(
        __doc__,
        songs=(1_000, 20),
        passes=(2, 1),
        repetitions=(5, 1),
        reads=(20_000, 20),
        more_reads=(200_000, 40),
    )
    with tempfile.TemporaryDirectory(prefix="msd-read-targz-") as scratch:
        archive = Path(scratch, "songs.tar.gz")
        measure(writing, archive, size.songs)
        for name, read, only_zlib in (
            ("msd_read_targz", reading, False),
            ("msd_read_targz_rows", reading_rows, False),
            ("msd_read_targz_zlib", reading, True),
        ):
            reads, inflates = [], []
            for _ in range(size.repetitions):
                inflates.append(measure(inflating, archive, size.passes, only_zlib))
                reads.append(measure(read, archive, size.passes, only_zlib))
                if reads[-1].result != size.songs * size.passes:
                    raise RuntimeError(f"{reads[-1].result:,} songs were read")
            songs = size.songs * size.passes
            report(
                figure(
                    name,
                    median(songs / run.cpu_seconds for run in reads),
                    "songs/CPU s",
                    baseline=median(songs / run.cpu_seconds for run in inflates),
                    ratio=median(
                        inflate.cpu_seconds / read.cpu_seconds
                        for inflate, read in zip(inflates, reads, strict=True)
                    ),
                    **({"at_least": GOAL} if name == "msd_read_targz" else {}),
                )
            )
        few, many = (
            measure(reading_rows, archive, count // size.songs, False).peak_bytes / 1e6
            for count in (size.reads, size.more_reads)
        )
        report(figure("msd_read_targz_memory", many, "MB", baseline=few, at_most=MEMORY_GOAL))


def writing(archive: Path, songs: int) -> Callable[[], None]:
    """Work that writes the archive."""
    from benchmarks.support.msd_files import write_archive, write_song_files

    def write() -> None:
        write_archive(write_song_files(archive.parent / "songs", songs, songs), archive)

    return write


def inflating(path: Path, passes: int, only_zlib: bool) -> Callable[[], None]:
    """Work that inflates the archive so many times."""
    _use(only_zlib)
    from ingestion.msd.archive import Inflated

    def inflate() -> None:
        for _ in range(passes):
            with path.open("rb", buffering=0) as file:
                for _ in Inflated(file).blocks():
                    pass

    return inflate


def reading(path: Path, passes: int, only_zlib: bool) -> Callable[[], int]:
    """Work that reads the scalars of all songs so many times, and returns how many songs it read."""
    _use(only_zlib)
    from ingestion.msd.archive import Archive, contents_of
    from ingestion.msd.read import read_songs
    from ingestion.msd.songs import Tier

    archive = Archive.at(path)

    def read() -> int:
        return sum(
            len(found.files)
            for _ in range(passes)
            for found in read_songs(contents_of(archive.read().members()), Tier.SCALARS)
        )

    return read


def reading_rows(path: Path, passes: int, only_zlib: bool) -> Callable[[], int]:
    """Work that makes rows of the archive's songs so many times, and returns how many songs it gave."""
    _use(only_zlib)
    from itertools import chain, islice

    from ingestion.msd import MSD
    from ingestion.msd.archive import Archive

    archive = Archive.at(path)

    def read() -> int:
        songs = 0
        for _ in range(passes):
            members = archive.read().members()
            while first := next(members, None):
                unit = archive.next_unit(chain([first], islice(members, MSD.files_per_unit - 1)))
                for table, batch in MSD.read_unit(unit, (), str):
                    songs += batch.num_rows if table.name == "songs" else 0
        return songs

    return read


def _use(only_zlib: bool) -> None:
    if only_zlib:
        sys.modules["deflate"] = sys.modules["isal"] = None  # as if they were not installed


if __name__ == "__main__":
    main()

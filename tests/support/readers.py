"""Readers at work: threads that read again and again while something is published."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PAUSE_SECONDS = 0.5
"""Between two readings of one reader: who publishes needs some of the machine too."""


@dataclass
class Readers:
    """What readers saw: one list per reader, in the order of reading, and every error."""

    seen_by_reader: list[list[int]]
    errors: list[BaseException] = field(default_factory=list)

    @property
    def seen(self) -> list[int]:
        """All that was seen, lowest first."""
        return sorted(value for seen in self.seen_by_reader for value in seen)

    def until_each_has_read_again(self) -> None:
        """Wait until each reader has begun and ended a reading since now, or has failed."""
        before = [len(seen) for seen in self.seen_by_reader]
        while not self.errors and any(
            len(seen) < count + 2 for seen, count in zip(self.seen_by_reader, before, strict=True)
        ):
            time.sleep(0.01)


@contextmanager
def reading(read: Callable[[], int], count: int) -> Iterator[Readers]:
    """So many readers that each `read` on and on; they have stopped when the block is left."""
    readers, is_over = Readers([[] for _ in range(count)]), threading.Event()

    def go_on(seen: list[int]) -> None:
        try:
            while not is_over.is_set():
                seen.append(read())
                time.sleep(PAUSE_SECONDS)
        except BaseException as error:
            readers.errors.append(error)

    threads = [threading.Thread(target=go_on, args=(seen,)) for seen in readers.seen_by_reader]
    for thread in threads:
        thread.start()
    try:
        yield readers
    finally:
        is_over.set()
        for thread in threads:
            thread.join()

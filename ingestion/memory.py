"""What the process does with freed memory. Nothing here holds data."""

import ctypes
import os
import sys
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
"""Parameters of glibc's mallopt(3)."""

TRIM_THRESHOLD = 1 << 30
"""Free bytes at the end of the heap that make it shrink: more than a batch of any kind takes."""


def use_one_heap() -> None:
    """Have all that the process allocates in one heap; to be called before Arrow is imported.

    As they come, Arrow's allocator and the C library each keep freed memory for every thread that
    asked for some, and dlt starts new threads at every step, so that a load's peak grew with the
    number of its packages. One arena for all threads and Arrow on the C library's allocator end that
    (docs/decisions/0008). What is freed stays there for the next batch: large blocks that come from the
    kernel each time, every page of them cleared, took a tenth of the CPU time of extracting and loading
    slices. Where the C library is not glibc, only Arrow's part has an effect.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if sys.platform == "win32":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD)


def give_back_what_is_free() -> None:
    """Give the free part of the heap back, before work that takes its memory elsewhere."""
    with suppress(AttributeError, TypeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)

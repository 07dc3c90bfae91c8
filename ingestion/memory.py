"""What the process does with freed memory. Nothing here holds data."""

import ctypes
import os
import sys

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Parameters of glibc's mallopt(3)."""

MMAP_THRESHOLD = 1 << 20
"""Blocks of this many bytes go back when freed. With 1 << 22 the loader's peak was 15 MB higher."""


def give_back_what_is_freed() -> None:
    """Let the process shrink again after a large batch; to be called before Arrow is imported.

    As they come, Arrow's allocator and the C library each keep freed memory for every thread that
    asked for some, and dlt starts new threads at every step, so that a load's peak grew with the
    number of its packages. One arena for all threads and Arrow on the C library's allocator end that
    (docs/decisions/0008). Where the C library is not glibc, only Arrow's part has an effect.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if sys.platform == "win32":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD)

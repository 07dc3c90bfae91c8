"""Measuring work in a process of its own: wall time, CPU time of all its threads, peak memory."""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Measured:
    """What one piece of work cost.

    Times in seconds, without the start of the process and its preparation; `cpu_seconds` is user and
    system time of all threads and child processes. `peak_bytes` is the largest resident size
    of the process over its whole life, libraries included.
    """

    result: Any
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(prepare: Callable[..., Callable[[], Any]], *arguments: Any) -> Measured:
    """Call `prepare(*arguments)` in a fresh process and measure the work that it returns.

    `prepare` is a function of a module: it imports libraries and finds its input, uncounted. The
    result of the work must be picklable. What either raises is raised here.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, prepare, arguments).result()


def _measured(prepare: Callable[..., Callable[[], Any]], arguments: tuple) -> Measured:
    work = prepare(*arguments)
    cpu, wall = _cpu_seconds(), time.perf_counter()
    result = work()
    wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
    return Measured(result, wall, cpu, _peak_bytes())


def _peak_bytes() -> int:
    """This process's own peak: Linux counts a parent's size into its child's `ru_maxrss`."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)

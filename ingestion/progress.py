"""Progress of long work: a bar on a terminal, a line in the log every few seconds elsewhere."""

import logging
import sys
import time
from contextlib import AbstractContextManager

from tqdm import tqdm

log = logging.getLogger(__name__)

LOG_EVERY_SECONDS = 10.0


class Progress(AbstractContextManager):
    """Counts `unit`s (songs, files) done out of `total`, with rate and remaining time.

    A total of None is not known yet: `expect` says it. `unit_scale` shows millions as M.
    """

    def __init__(self, name: str, total: int | None, unit: str, unit_scale: bool = False) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            desc=name,
            unit=unit if unit_scale else f" {unit}",
            unit_scale=unit_scale,
            disable=not self._on_terminal,
            dynamic_ncols=True,
        )
        self._unit_scale = unit_scale
        self._name, self._total, self._unit = name, total, unit
        self._started = self._last_logged = time.monotonic()
        self._done = self._skipped = 0

    def skip(self, count: int) -> None:
        """Count some as done before: they say nothing of the rate."""
        self._done += count
        self._skipped += count
        if self._on_terminal:
            self._bar.initial += count
            self._bar.update(count)

    def expect(self, total: int) -> None:
        """Set what there is to do, where it is only known by and by."""
        self._total = self._bar.total = total

    def advance(self, count: int) -> None:
        """Count some more as done."""
        self._done += count
        self._bar.update(count)
        now = time.monotonic()
        if not self._on_terminal and now - self._last_logged >= LOG_EVERY_SECONDS:
            self._log(now)

    def __exit__(self, *exception) -> None:
        self._bar.close()
        if not self._on_terminal:
            self._log(time.monotonic())

    def _log(self, now: float) -> None:
        self._last_logged = now
        line = tqdm.format_meter(
            self._done,
            self._total,
            now - self._started,
            unit=self._unit if self._unit_scale else f" {self._unit}",
            unit_scale=self._unit_scale,
            bar_format="{r_bar}",
            initial=self._skipped,
        )
        log.info("%s: %s", self._name, line.removeprefix("| "))

"""Limits over a rolling window of time: the rate limit and the daily quota."""

import math
from collections import deque
from collections.abc import Callable
from threading import Lock

RATE_WINDOW = 30
QUOTA_WINDOW = 86_400
"""Seconds."""


class RollingLimit:
    """At most `limit` requests in any `window` seconds; None for no limit. Refused ones do not count."""

    def __init__(self, limit: int | None, window: float, clock: Callable[[], float]) -> None:
        self.limit = limit
        self._window, self._clock = window, clock
        self._taken: deque[float] = deque()
        self._lock = Lock()

    def take(self) -> int:
        """Counts a request and gives 0, or gives the whole seconds until there is room for one."""
        with self._lock:
            if self.limit is None:
                return 0
            now = self._clock()
            while self._taken and self._taken[0] <= now - self._window:
                self._taken.popleft()
            if len(self._taken) < self.limit:
                self._taken.append(now)
                return 0
            oldest = self._taken[-self.limit] if self.limit else now
            return max(1, math.ceil(oldest + self._window - now))

    def reset(self) -> None:
        """Forgets the requests counted so far."""
        with self._lock:
            self._taken.clear()

"""A clock that tests turn by hand."""

from datetime import UTC, datetime, timedelta


class SimulatedClock:
    """Tells the time it was set to: an aware datetime in UTC. `clock.now` stands in for a time function."""

    def __init__(self, start: datetime) -> None:
        self.set(start)

    def now(self) -> datetime:
        """The simulated time."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Let time pass; returns the new time. Raises ValueError for a step back."""
        if by < timedelta(0):
            raise ValueError(f"time does not go back by {-by}: set() the clock instead")
        self._now += by
        return self._now

    def set(self, to: datetime) -> None:
        """Set the time, forth or back. Raises ValueError for a time without a zone."""
        if to.utcoffset() is None:
            raise ValueError(f"{to} has no time zone")
        self._now = to.astimezone(UTC)

"""The simulated clock shows the time it was given, in UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.clock import SimulatedClock

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


def test_it_stands_still_until_it_is_turned():
    clock = SimulatedClock(START)
    assert clock.now() == clock.now() == START


def test_it_advances_by_the_time_that_passes():
    clock = SimulatedClock(START)
    assert clock.advance(timedelta(hours=1)) == START + timedelta(hours=1) == clock.now()


def test_it_does_not_advance_backwards():
    clock = SimulatedClock(START)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == START


def test_it_can_be_set_forth_and_back():
    clock = SimulatedClock(START)
    clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime(2020, 1, 1, tzinfo=UTC)


def test_it_shows_utc_whatever_zone_it_was_set_in():
    clock = SimulatedClock(START.astimezone(ZoneInfo("Europe/Berlin")))
    assert clock.now() == START
    assert clock.now().tzinfo is UTC


def test_an_hour_across_a_change_to_summer_time_is_an_hour():
    clock = SimulatedClock(START.astimezone(ZoneInfo("Europe/Berlin")))
    assert clock.advance(timedelta(hours=1)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        SimulatedClock(datetime(2026, 1, 1))

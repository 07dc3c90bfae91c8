"""The forecast of the next run's end, from the lengths of the last."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.forecast import forecast

START, READY_BY = datetime(2026, 7, 2, 4, tzinfo=UTC), datetime(2026, 7, 2, 7, tzinfo=UTC)


def expected(*minutes: int) -> float:
    lengths = [timedelta(minutes=each) for each in minutes]
    return forecast(lengths, START, READY_BY).length / timedelta(minutes=1)


def test_runs_of_one_length_stay_at_it():
    assert expected(*[60] * 20) == 60


def test_growth_goes_on_and_warns_the_day_before():
    assert expected(*range(100, 170, 5)) == 170
    lengths = [timedelta(minutes=each) for each in range(107, 177, 5)]
    assert lengths[-1] < timedelta(hours=3)
    assert not forecast([*lengths, timedelta(minutes=177)], START, READY_BY).is_in_time
    assert forecast(lengths, START, READY_BY).is_in_time


def test_one_freak_run_is_forgiven_two_are_not_and_the_last_never_is():
    assert expected(*[60] * 5, 300, *[60] * 8) == 60
    assert expected(*[60] * 4, 300, 300, *[60] * 8) == 300
    assert expected(*[60] * 13, 300) == 300


def test_shrinking_is_no_promise_and_a_fortnight_is_enough():
    assert expected(90, 80, 70) == 80
    assert expected(500, 500, *[60] * 14) == 60


def test_without_a_run_there_is_no_forecast():
    with pytest.raises(ValueError, match="no run"):
        expected()

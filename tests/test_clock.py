"""Time may run faster, and never backwards."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aftersales.clock import FastClock, SystemClock

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_an_hour_passes_in_a_second() -> None:
    ticks = iter([100.0, 100.0, 101.0, 101.5])
    clock = FastClock(3600, NOON, lambda: next(ticks))

    assert [clock(), clock(), clock()] == [NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=1, minutes=30)]


def test_waiting_takes_as_much_less() -> None:
    assert FastClock(3600, NOON).real_seconds(timedelta(hours=2)) == 2.0
    assert SystemClock().real_seconds(timedelta(hours=2)) == 7200.0


def test_both_tell_an_instant_in_utc() -> None:
    jakarta = timezone(timedelta(hours=7))

    assert SystemClock()().tzinfo is UTC
    assert FastClock(1, NOON.astimezone(jakarta), lambda: 0.0)() == NOON
    assert FastClock(1, NOON.astimezone(jakarta))().tzinfo is UTC


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_time_does_not_stand_still(speed: float) -> None:
    with pytest.raises(ValueError, match="does not stand still"):
        FastClock(speed, NOON)

"""Time may run faster, and never backwards."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aftersales.clock import FastClock, SharedClock, SystemClock

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


class Shared:
    """A clock elsewhere, the way to it, and what a host counts by."""

    def __init__(self) -> None:
        self.now, self.ticks, self.there, self.back = NOON, 100.0, 0.0, 0.0

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.ticks += seconds

    async def ask(self) -> datetime:
        self.pass_(self.there)
        told = self.now
        self.pass_(self.back)
        return told

    def clock(self) -> SharedClock:
        return SharedClock(self.ask, lambda: self.ticks)


async def test_all_go_by_the_time_of_the_one_they_ask_and_count_on_between() -> None:
    shared = Shared()
    clock = shared.clock()

    await clock.look()
    assert clock() == NOON
    shared.pass_(30)
    assert clock() == NOON + timedelta(seconds=30)


async def test_an_answer_that_was_long_on_its_way_moves_nothing() -> None:
    shared = Shared()
    clock = shared.clock()
    await clock.look()

    shared.back = 0.8
    await clock.look()

    assert clock() == shared.now, "and not 0.4 s behind, as half of the way would have it"


async def test_a_better_answer_mends_the_first(caplog: pytest.LogCaptureFixture) -> None:
    shared = Shared()
    shared.back = 0.8
    clock = shared.clock()
    await clock.look()
    assert abs(shared.now - clock()) == timedelta(seconds=0.4)

    shared.back = 0.0
    await clock.look()

    assert clock() == shared.now
    assert caplog.messages == []


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
async def test_what_must_be_so_is_heeded_however_long_it_took_and_told(
    jump: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    shared = Shared()
    clock = shared.clock()
    await clock.look()

    shared.now += jump
    shared.there = shared.back = 0.5
    await clock.look()

    assert clock() == shared.now
    assert "3600.000 s" in caplog.text

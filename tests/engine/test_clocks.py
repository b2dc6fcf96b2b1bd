"""When clocks run out: the worked cases, working days, changing clocks, pause and resume."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales.engine.clocks import Calendar, Unit, due, remaining, resume, warnings

HOUR, CAL_DAY, WORK_DAY = Unit.HOUR, Unit.CAL_DAY, Unit.WORK_DAY
WEEKDAYS, EVERY_DAY = frozenset(range(5)), frozenset(range(7))
JAKARTA = Calendar(ZoneInfo("Asia/Jakarta"), WEEKDAYS, frozenset())
LONDON = Calendar(ZoneInfo("Europe/London"), EVERY_DAY, frozenset())
NEW_YORK = Calendar(ZoneInfo("America/New_York"), WEEKDAYS, frozenset())


def at(text: str, calendar: Calendar = JAKARTA) -> datetime:
    """Wall-clock time of the calendar's zone, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=calendar.zone).astimezone(UTC)


# fmt: off
WORKED_CASES = [
    pytest.param("2025-03-03 10:00", 6,  CAL_DAY,  "2025-03-09 10:00", id="case 1: raise, non-Mall"),
    pytest.param("2025-03-03 10:00", 15, CAL_DAY,  "2025-03-18 10:00", id="case 1: raise, Mall"),
    pytest.param("2025-03-06 09:00", 2,  CAL_DAY,  "2025-03-08 09:00", id="case 2: first review"),
    pytest.param("2025-03-07 15:00", 10, CAL_DAY,  "2025-03-17 15:00", id="case 3: drop-off"),
    pytest.param("2025-03-14 11:00", 2,  WORK_DAY, "2025-03-18 11:00", id="case 4: back on a Friday"),
    pytest.param("2025-03-15 11:00", 2,  WORK_DAY, "2025-03-18 11:00", id="case 4: back on a Saturday"),
    pytest.param("2025-03-08 09:00", 2,  WORK_DAY, "2025-03-11 09:00", id="case 5: ship out"),
    pytest.param("2025-03-10 16:00", 3,  CAL_DAY,  "2025-03-13 16:00", id="case 6: speedy, not received"),
    pytest.param("2025-03-13 16:00", 7,  CAL_DAY,  "2025-03-20 16:00", id="case 6: appeal window"),
    pytest.param("2025-03-08 09:00", 14, CAL_DAY,  "2025-03-22 09:00", id="case 15: self-arranged"),
    pytest.param("2025-03-12 09:00", 10, CAL_DAY,  "2025-03-22 09:00", id="case 18: drop-off anew"),
    pytest.param("2025-03-12 09:00", 48, HOUR,     "2025-03-14 09:00", id="7.4: hours are exact"),
]
# fmt: on


@pytest.mark.parametrize(("start", "value", "unit", "expected"), WORKED_CASES)
def test_a_worked_case_is_due_when_the_model_says(start: str, value: int, unit: Unit, expected: str) -> None:
    assert due(at(start), value, unit, JAKARTA) == at(expected)


@pytest.mark.parametrize(
    ("start", "value", "expected"),
    [
        ("2025-04-17 12:00", 1, "2025-04-22 12:00"),  # Good Friday, weekend, Easter Monday
        ("2025-04-18 12:00", 1, "2025-04-22 12:00"),  # starting on a holiday takes nothing away
        ("2025-04-16 12:00", 2, "2025-04-22 12:00"),
    ],
)
def test_holidays_are_no_working_days(start: str, value: int, expected: str) -> None:
    easter = Calendar(LONDON.zone, WEEKDAYS, {date(2025, 4, 18), date(2025, 4, 21)})

    assert due(at(start, easter), value, WORK_DAY, easter) == at(expected, easter)


def test_saturday_counts_where_it_is_worked() -> None:
    six_days = Calendar(JAKARTA.zone, frozenset(range(6)), frozenset())

    assert due(at("2025-03-14 11:00"), 2, WORK_DAY, six_days) == at("2025-03-17 11:00")


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        pytest.param("2025-03-07T15:00:00Z", "2025-03-10T14:00:00Z", id="forward: 10:00 stays 10:00"),
        pytest.param("2025-10-31T14:00:00Z", "2025-11-03T15:00:00Z", id="back: 10:00 stays 10:00"),
    ],
)
def test_a_working_day_keeps_the_wall_clock_time_when_clocks_change(start: str, expected: str) -> None:
    found = due(datetime.fromisoformat(start), 1, WORK_DAY, NEW_YORK)

    assert found == datetime.fromisoformat(expected)


def test_a_time_that_the_clock_skips_is_read_by_the_offset_before() -> None:
    # in London there is no 01:30 on 30 March 2025
    assert due(at("2025-03-29 01:30", LONDON), 1, WORK_DAY, LONDON) == at("2025-03-30 02:30", LONDON)


def test_a_time_that_comes_twice_means_the_first() -> None:
    # in London it is 01:30 twice on 26 October 2025, first in summer time
    found = due(at("2025-10-25 01:30", LONDON), 1, WORK_DAY, LONDON)

    assert found == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)


def test_the_second_of_two_like_hours_starts_a_clock_like_the_first() -> None:
    second = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)

    assert due(second, 1, WORK_DAY, LONDON) == at("2025-10-27 01:30", LONDON)


def test_a_calendar_day_is_24_hours_though_the_clocks_change() -> None:
    start = at("2025-03-29 12:00", LONDON)

    assert due(start, 1, CAL_DAY, LONDON) - start == timedelta(hours=24)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2025-03-06 09:00", "2025-03-08 23:59:59"),
        ("2025-03-06 00:00", "2025-03-08 23:59:59"),
        ("2025-03-06 23:59:59", "2025-03-08 23:59:59"),
        ("2025-03-06 23:59:59.500000", "2025-03-08 23:59:59.500000"),
    ],
)
def test_the_end_of_the_day_is_local_and_never_earlier(start: str, expected: str) -> None:
    assert due(at(start), 2, CAL_DAY, JAKARTA, end_of_day=True) == at(expected)


def test_the_end_of_a_day_that_ends_twice_is_the_later() -> None:
    # in Asuncion midnight became 23:00 again on 23 March 2024
    asuncion = Calendar(ZoneInfo("America/Asuncion"), EVERY_DAY, frozenset())

    found = due(datetime(2024, 3, 22, 12, tzinfo=UTC), 1, CAL_DAY, asuncion, end_of_day=True)

    assert found == datetime(2024, 3, 24, 3, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("unit", Unit)
def test_answers_are_in_utc_whatever_zone_was_asked_in(unit: Unit) -> None:
    start = datetime(2025, 3, 14, 11, tzinfo=JAKARTA.zone)

    found = due(start, 2, unit, JAKARTA)

    assert found.tzinfo is UTC
    assert found == due(start.astimezone(UTC), 2, unit, JAKARTA)


def test_a_time_without_a_zone_is_refused() -> None:
    naive, aware = datetime(2025, 3, 3), datetime(2025, 3, 3, tzinfo=UTC)

    for ask in (
        lambda: due(naive, 1, HOUR, JAKARTA),
        lambda: remaining(naive, aware),
        lambda: remaining(aware, naive),
        lambda: resume(timedelta(), naive),
        lambda: warnings(naive, [timedelta(hours=1)], aware),
        lambda: warnings(aware, [timedelta(hours=1)], naive),
    ):
        with pytest.raises(ValueError, match="has no zone"):
            ask()


@pytest.mark.parametrize("workdays", [frozenset[int](), frozenset({0, 7})])
def test_a_calendar_without_working_days_is_refused(workdays: frozenset[int]) -> None:
    with pytest.raises(ValueError, match="needs working days"):
        Calendar(UTC, workdays, frozenset())


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        (timedelta(hours=10), timedelta(hours=10)),
        (timedelta(seconds=1, microseconds=1), timedelta(seconds=2)),
        (timedelta(microseconds=1), timedelta(seconds=1)),
        (timedelta(), timedelta()),
        (timedelta(microseconds=-1), timedelta()),
        (timedelta(days=-3), timedelta()),
    ],
)
def test_a_pause_keeps_whole_seconds_and_never_less_than_were_left(left: timedelta, kept: timedelta) -> None:
    now = at("2025-03-06 09:00")

    assert remaining(now + left, now) == kept


@pytest.mark.parametrize(
    ("left", "given_back"),
    [
        (timedelta(hours=10), timedelta(hours=10)),
        (timedelta(minutes=59), timedelta(hours=1)),
        (timedelta(), timedelta(hours=1)),
    ],
)
def test_a_resumed_clock_has_what_it_had_and_at_least_an_hour(left: timedelta, given_back: timedelta) -> None:
    now = at("2025-03-06 09:00")

    assert resume(left, now) - now == given_back


def test_a_rule_may_give_more_than_an_hour_on_resuming() -> None:
    # C14: a withdrawn dispute leaves at least 24 hours
    now = at("2025-03-06 09:00")

    assert resume(timedelta(hours=3), now, at_least=timedelta(hours=24)) == now + timedelta(hours=24)


def test_warnings_are_those_to_come_in_order_each_once() -> None:
    due_at, hours = at("2025-03-08 09:00"), [timedelta(hours=hours) for hours in (1, 24, 6, 6)]

    found = warnings(due_at, hours, after=due_at - timedelta(hours=24))

    assert found == (due_at - timedelta(hours=6), due_at - timedelta(hours=1))


INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
SPANS = st.timedeltas(timedelta(), timedelta(days=30))
ZONES = st.sampled_from(["Asia/Jakarta", "Europe/London", "America/New_York", "Australia/Lord_Howe"])
CALENDARS = st.builds(
    Calendar,
    ZONES.map(ZoneInfo),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.frozensets(st.dates(date(2020, 1, 1), date(2035, 1, 1)), max_size=20),
)


@given(INSTANTS, st.integers(1, 30), CALENDARS)
def test_exactly_so_many_working_days_have_ended(start: datetime, value: int, calendar: Calendar) -> None:
    found = due(start, value, WORK_DAY, calendar)

    first, last = start.astimezone(calendar.zone).date(), found.astimezone(calendar.zone).date()
    days = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert sum(calendar.works(day) for day in days) == value
    assert calendar.works(last)


@given(INSTANTS, st.integers(1, 30), CALENDARS)
def test_one_more_working_day_is_later(start: datetime, value: int, calendar: Calendar) -> None:
    assert start < due(start, value, WORK_DAY, calendar) < due(start, value + 1, WORK_DAY, calendar)


@given(INSTANTS, INSTANTS, st.integers(1, 30), st.frozensets(st.integers(0, 6), min_size=1))
def test_who_starts_no_later_is_due_no_later(
    one: datetime, other: datetime, value: int, workdays: frozenset[int]
) -> None:
    # where clocks never change; elsewhere an hour that comes twice has no such order
    calendar = Calendar(JAKARTA.zone, workdays, frozenset())

    first, second = (due(start, value, WORK_DAY, calendar) for start in sorted([one, other]))

    assert first <= second


@given(INSTANTS, SPANS, SPANS)
def test_a_pause_never_makes_a_clock_run_out_early(start: datetime, left: timedelta, pause: timedelta) -> None:
    kept = remaining(start + left, start)

    resumed = resume(kept, start + pause)

    assert resumed >= start + left + pause
    assert resumed - (start + pause) >= timedelta(hours=1)

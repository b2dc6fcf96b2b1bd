"""When a clock runs out: exact days, working days, pause and resume (section 7.4 of the model)."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum


class Unit(Enum):
    HOUR = "HOUR"
    CAL_DAY = "CAL_DAY"
    WORK_DAY = "WORK_DAY"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A market's zone and its working days.

    Args:
        workdays: Monday is 0.
    """

    zone: tzinfo
    workdays: frozenset[int]
    holidays: Container[date]

    def __post_init__(self) -> None:
        # else the search for the next working day would never end
        if not self.workdays or not self.workdays <= frozenset(range(7)):
            raise ValueError("a calendar needs working days, from 0 for Monday to 6 for Sunday")

    def works(self, day: date) -> bool:
        return day.weekday() in self.workdays and day not in self.holidays


SECOND = timedelta(seconds=1)
END_OF_DAY = time(23, 59, 59)


def due(start: datetime, value: int, unit: Unit, calendar: Calendar, end_of_day: bool = False) -> datetime:
    """When a clock of `value` units, started at `start`, runs out. At that very instant it is too late.

    Args:
        end_of_day: give the rest of the local day too, until 23:59:59.
    """
    at = _run_out(_utc(start), value, unit, calendar)
    return _end_of_day(at, calendar.zone) if end_of_day else at


def remaining(due_at: datetime, now: datetime) -> timedelta:
    """What a paused clock keeps: whole seconds, never negative, rounded up so that a pause costs no time."""
    left = _utc(due_at) - _utc(now)
    return max(-(-left // SECOND) * SECOND, timedelta())


def resume(remaining: timedelta, now: datetime, at_least: timedelta = timedelta(hours=1)) -> datetime:
    """When a clock that goes on now runs out. Whoever owes it gets `at_least` to act."""
    return _utc(now) + max(remaining, at_least)


def warnings(due_at: datetime, offsets: Iterable[timedelta], after: datetime) -> tuple[datetime, ...]:
    """The instants, later than `after` and in order, at which the clock warns."""
    return tuple(sorted({at for offset in offsets if (at := _utc(due_at) - offset) > _utc(after)}))


def _run_out(start: datetime, value: int, unit: Unit, calendar: Calendar) -> datetime:
    match unit:
        case Unit.HOUR:
            return start + timedelta(hours=value)
        case Unit.CAL_DAY:
            # exactly 24 hours each, also where the zone's clocks are put forward or back
            return start + timedelta(hours=24 * value)
        case Unit.WORK_DAY:
            return _after_work_days(start, value, calendar) if value else start


def _after_work_days(start: datetime, value: int, calendar: Calendar) -> datetime:
    local = start.astimezone(calendar.zone)
    day, left = local.date(), value
    while left:
        day += timedelta(days=1)
        left -= calendar.works(day)
    return _at(day, local.time(), calendar.zone)


def _at(day: date, wall: time, zone: tzinfo) -> datetime:
    # RFC 5545: a time that comes twice means the first; one that is skipped is read by the offset
    # before the jump, so 02:30 becomes 03:30. Both are what fold=0 says.
    return datetime.combine(day, wall.replace(fold=0), zone).astimezone(UTC)


def _end_of_day(at: datetime, zone: tzinfo) -> datetime:
    # fold=1, because this rounds up; max, because of the day's last fraction of a second
    end = datetime.combine(at.astimezone(zone).date(), END_OF_DAY.replace(fold=1), zone)
    return max(end.astimezone(UTC), at)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"{at} has no zone")
    return at.astimezone(UTC)

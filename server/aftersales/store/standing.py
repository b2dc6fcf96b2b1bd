"""How the record stands: what waits, and for how long. Of each no more is counted than a person could look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..watching.looking import Found, one
from .database import Database, Statement
from .values import instant, micros

# What is looked up follows the indexes of what waits, and ends here: a figure of 10,000 means so many or more.
MOST = 10_000

_OVERDUE = """SELECT COUNT(*), MIN(wake_at) FROM (
    SELECT wake_at FROM deadlines WHERE wake_at IS NOT NULL AND parked_at IS NULL AND wake_at <= ?
    ORDER BY wake_at LIMIT ?) AS s"""
_PARKED = "SELECT COUNT(*) FROM (SELECT 1 FROM deadlines WHERE parked_at IS NOT NULL LIMIT ?) AS s"
_TO_PAY = """SELECT COUNT(*), COUNT(asked_at), MIN(next_try_at) FROM (
    SELECT asked_at, next_try_at FROM refunds WHERE next_try_at IS NOT NULL AND stuck_at IS NULL
    ORDER BY next_try_at LIMIT ?) AS s"""
_STUCK = "SELECT COUNT(*) FROM (SELECT 1 FROM refunds WHERE stuck_at IS NOT NULL LIMIT ?) AS s"
_UNREAD = "SELECT processed_at FROM events WHERE serial > ? ORDER BY serial LIMIT 1"

NO_TIME = timedelta()


@dataclass(frozen=True, slots=True)
class Standing:
    """
    Args:
        overdue: clocks that have warned or run out, and time has not acted.
        overdue_for: how long the oldest of them has waited.
        parked: clocks that a person must look at.
        pending: refunds to be paid, or to be tried again.
        unknown: refunds of which the provider was asked, and has not said what became of them.
        stuck: refunds that a person must look at, whatever else they are.
        unpaid_for: how long the oldest refund that could be tried has waited for it.
        unread_for: how long the first line of the log that the feed has not read has been there.
    """

    overdue: int
    overdue_for: timedelta
    parked: int
    pending: int
    unknown: int
    stuck: int
    unpaid_for: timedelta
    unread_for: timedelta


async def standing(database: Database, now: datetime, serial: int | None) -> Standing:
    """One batch.

    Args:
        serial: up to where the feed has read the log; None: it has not begun.
    """
    unread = [] if serial is None else [Statement(_UNREAD, (serial,))]
    [late], [parked], [to_pay], [stuck], *lines = await database.read(
        Statement(_OVERDUE, (micros(now), MOST)), Statement(_PARKED, (MOST,)),
        Statement(_TO_PAY, (MOST,)), Statement(_STUCK, (MOST,)), *unread,
    )  # fmt: skip
    since = lines[0][0] if lines and lines[0] else (None,)
    return Standing(
        late[0], _since(late[1], now), parked[0], to_pay[0] - to_pay[1], to_pay[1], stuck[0],
        _since(to_pay[2], now), _since(since[0], now),
    )  # fmt: skip


def figures(standing: Standing, seconds: Callable[[timedelta], float]) -> Sequence[Found]:
    """What the record says of itself: the same at every process that shares it, but for the feed's.

    Args:
        seconds: how long a span is to people, whose clock may not run as fast.
    """
    refunds = {"pending": standing.pending, "unknown": standing.unknown, "stuck": standing.stuck}
    # fmt: off
    return (
        one("deadlines_overdue",
            "Clocks that time should have acted on by now; 10000 is that many or more.", standing.overdue),
        one("deadlines_overdue_seconds",
            "How long the oldest of them has waited.", seconds(standing.overdue_for)),
        one("deadlines_parked",
            "Clocks whose act failed until it was given up: a person must look.", standing.parked),
        Found("refunds",
              "Refunds that are not settled.", [((state,), count) for state, count in refunds.items()], ("state",)),
        one("refunds_overdue_seconds",
            "How long the oldest refund that could be tried has waited for it.", seconds(standing.unpaid_for)),
        one("feed_lag_seconds",
            "How long the first line that this process has not read has been in the log.",
            seconds(standing.unread_for)),
    )
    # fmt: on


def _since(at: int | None, now: datetime) -> timedelta:
    return max(NO_TIME, now - instant(at)) if at is not None else NO_TIME

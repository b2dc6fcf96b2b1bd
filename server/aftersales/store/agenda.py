"""What time has to do: clocks that warn or run out, in order, and those that a person must look at."""

from dataclasses import dataclass
from datetime import datetime

from .database import Database, Row, Statement
from .leases import taking
from .now import DATABASE_NOW
from .values import instant, micros

_COLUMNS = ("id", "request_id", "key", "due_at", "wake_at")
_AWAKE = "FROM deadlines WHERE wake_at IS NOT NULL AND parked_at IS NULL"
_DUE = f"SELECT {', '.join(_COLUMNS)} {_AWAKE}"

# Longer than a batch takes. Who takes some and dies makes them late by as much.
LEASE_MICROS = 3_000_000


def _take(until: str) -> str:
    return taking(
        "deadlines",
        _COLUMNS,
        "wake_at",
        # of a request's clocks the earliest only: what it does may stop the next
        f"t.wake_at <= {until} AND t.wake_at IS NOT NULL AND t.parked_at IS NULL AND NOT EXISTS (SELECT 1"
        " FROM deadlines e WHERE e.request_id = t.request_id AND e.wake_at IS NOT NULL AND e.parked_at IS NULL"
        " AND (e.wake_at, e.id) < (t.wake_at, t.id))"
        f" AND (t.claimed_until IS NULL OR t.claimed_until <= {DATABASE_NOW})",
        f"claimed_until = {DATABASE_NOW} + {LEASE_MICROS}",
    )


_TAKE = _take("?")
# Nothing fires before its time by the clock that all share, whatever ours shows.
_TAKE_BY_DATABASE = _take(f"LEAST(?, {DATABASE_NOW})")

_NEXT = Statement(f"SELECT wake_at {_AWAKE} ORDER BY wake_at, id LIMIT 1")
_NEXT_FREE = Statement(
    f"SELECT wake_at {_AWAKE} AND (claimed_until IS NULL OR claimed_until <= {DATABASE_NOW})"
    " ORDER BY wake_at, id LIMIT 1"
)


def next_wake(shared: bool) -> Statement:
    """Of no row or one: when a clock that nobody looks after next wants to be looked at."""
    return _NEXT_FREE if shared else _NEXT


@dataclass(frozen=True, slots=True)
class Due:
    """A clock to look at.

    Args:
        wake_at: since when; a warning's own instant.
        warning: it only warns; otherwise it has run out, at `due_at`.
    """

    deadline_id: str
    request_id: str
    key: str
    due_at: datetime
    wake_at: datetime
    warning: bool


@dataclass(frozen=True, slots=True)
class Parked:
    """A clock whose act failed until it was given up: nothing moves it on but a person."""

    deadline_id: str
    request_id: str
    key: str
    due_at: datetime | None
    tries: int
    parked_at: datetime
    text: str


class Agenda:
    database: Database

    async def due(self, now: datetime, limit: int = 100) -> list[Due]:
        """Clocks that want to be looked at by now, the earliest first."""
        [rows] = await self.database.read(
            Statement(f"{_DUE} AND wake_at <= ? ORDER BY wake_at, id LIMIT ?", (micros(now), limit))
        )
        return [_due(row) for row in rows]

    async def take_due(self, now: datetime, limit: int = 100, *, by_database: bool = False) -> list[Due]:
        """As `due`, of clocks that nobody else looks after; where others may, they are ours for some seconds.

        Args:
            by_database: whether they must be due by the database's own time, too.
        """
        if not self.database.shared:
            return await self.due(now, limit)
        take = _TAKE_BY_DATABASE if by_database else _TAKE
        [rows] = await self.database.write(Statement(take, (micros(now), limit)))
        return sorted(map(_due, rows), key=lambda due: (due.wake_at, due.deadline_id))

    async def next_wake(self) -> datetime | None:
        """When a clock that nobody looks after next wants to be looked at; None if none runs."""
        [rows] = await self.database.read(next_wake(self.database.shared))
        return instant(rows[0][0]) if rows else None

    async def failed_once(self, deadline_id: str, text: str, again_at: datetime) -> int:
        """Its act failed: look again at `again_at`.

        Returns:
            How often it has failed so far; 0 if it no longer runs.
        """
        [rows] = await self.database.write(
            Statement(
                "UPDATE deadlines SET tries = tries + 1, fault_text = ?, wake_at = ?, claimed_until = NULL"
                " WHERE id = ? AND wake_at IS NOT NULL RETURNING tries",
                (text, micros(again_at), deadline_id),
            )
        )
        return int(rows[0][0]) if rows else 0

    async def park(self, deadline_id: str, text: str, at: datetime) -> None:
        """Look at it no more, until a person has."""
        await self.database.write(
            Statement(
                "UPDATE deadlines SET parked_at = ?, fault_text = ? WHERE id = ?",
                (micros(at), text, deadline_id),
            )
        )

    async def unpark(self, deadline_id: str) -> bool:
        """A person has looked: try it again, from the first. False if it was not parked."""
        [rows] = await self.database.write(
            Statement(
                "UPDATE deadlines SET parked_at = NULL, fault_text = NULL, tries = 0"
                " WHERE id = ? AND parked_at IS NOT NULL RETURNING id",
                (deadline_id,),
            )
        )
        return bool(rows)

    async def parked(self, limit: int = 100) -> list[Parked]:
        """Clocks that a person must look at, the longest waiting first."""
        [rows] = await self.database.read(
            Statement(
                "SELECT id, request_id, key, due_at, tries, parked_at, fault_text FROM deadlines"
                " WHERE parked_at IS NOT NULL ORDER BY parked_at, id LIMIT ?",
                (limit,),
            )
        )
        return [
            Parked(
                id,
                request_id,
                key,
                instant(due_at) if due_at else None,
                tries,
                instant(parked_at),
                text or "",
            )
            for id, request_id, key, due_at, tries, parked_at, text in rows
        ]


def _due(row: Row) -> Due:
    id, request_id, key, due_at, wake_at = row
    return Due(id, request_id, key, instant(due_at), instant(wake_at), wake_at < due_at)

"""What time has to do: clocks that warn or run out, in order, and those that a person must look at."""

from dataclasses import dataclass
from datetime import datetime

from .database import Database, Row, Statement
from .values import instant, micros

_DUE = "SELECT id, request_id, key, due_at, wake_at FROM deadlines WHERE wake_at IS NOT NULL AND parked_at IS NULL"


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

    async def next_wake(self) -> datetime | None:
        """When a clock next wants to be looked at; None if none runs."""
        [rows] = await self.database.read(Statement(f"{_DUE} ORDER BY wake_at, id LIMIT 1"))
        return _due(rows[0]).wake_at if rows else None

    async def failed_once(self, deadline_id: str, text: str, again_at: datetime) -> int:
        """Its act failed: look again at `again_at`.

        Returns:
            How often it has failed so far; 0 if it no longer runs.
        """
        [rows] = await self.database.write(
            Statement(
                "UPDATE deadlines SET tries = tries + 1, fault_text = ?, wake_at = ?"
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

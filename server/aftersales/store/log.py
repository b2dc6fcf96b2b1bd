"""The log of events: history, stream and audit are read from here."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..engine.vocabulary import Party
from .columns import COLUMNS, select
from .database import Database, Row, Statement, padded
from .values import from_json, instant, party

MOST_MISSED = 100
SETTLING_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One line of the log.

    Args:
        serial: the order of writing, with gaps; for reading everything, not for cursors of a shop.
        position: without a gap within the shop.
        sequence: without a gap within the request.
        version: the request's after this event.
        processed_at: when the server acted, if later than `at`.
        was: what filters look at, as it was before the change (`engine.filter.then`); only on its first event.
    """

    serial: int
    shop_id: str
    position: int
    request_id: str
    sequence: int
    version: int
    type: str
    rule: str
    at: datetime
    processed_at: datetime
    party: Party
    actor_id: str
    client: str
    action: str
    from_stage: str | None
    to_stage: str
    note: str
    data: Mapping[str, Any]
    deadline_id: str | None
    was: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return f"ev_{self.request_id.partition('_')[2]}_{self.sequence}"


@dataclass(frozen=True, slots=True)
class Missed:
    """What was written since a follower's place in the log.

    Args:
        lines: how many, counted up to one more than was asked for.
        since: when the oldest of them was written; None: there is none.
        cut: lines are missing between the place and the oldest that is there.
    """

    lines: int
    since: datetime | None
    cut: bool = False


class Log:
    def __init__(self, database: Database) -> None:
        self.database = database

    async def history(
        self, request_ids: Sequence[str], first: int = 20, after_sequence: int | None = None
    ) -> dict[str, list[LoggedEvent]]:
        """The latest events of each request, newest first.

        Args:
            first: how many of each.
            after_sequence: go on after this one, that is with older ones.
        """
        asked, args = padded(request_ids)
        # sequences have no gap, so the latest so many are a range and need no counting
        newest = "r.sequence + 1" if after_sequence is None else "?"
        until = [] if after_sequence is None else [after_sequence]
        [rows] = await self.database.read(
            Statement(
                f"{select('events', 'e')} JOIN requests r ON r.id = e.request_id WHERE r.id IN ({asked})"
                f" AND e.sequence < {newest} AND e.sequence >= {newest} - ? ORDER BY e.request_id, e.sequence DESC",
                [*args, *until, *until, first],
            )
        )
        found: dict[str, list[LoggedEvent]] = {id: [] for id in request_ids}
        for row in rows:
            found[row[3]].append(_event(row))
        return found

    async def of_appeals(
        self, request_ids: Sequence[str], first: int, after_sequence: int | None = None
    ) -> dict[str, list[LoggedEvent]]:
        """The latest events of each request's appeal, newest first; arguments as of `history`."""
        asked, args = padded(request_ids)
        until, bound = ("", []) if after_sequence is None else (" AND sequence < ?", [after_sequence])
        about = (
            "(type LIKE 'Appeal%' OR type LIKE 'Compensation%' OR deadline_id IN"
            f" (SELECT id FROM deadlines WHERE request_id IN ({asked}) AND subject_id LIKE 'ap!_%' ESCAPE '!'))"
        )
        place = "ROW_NUMBER() OVER (PARTITION BY request_id ORDER BY sequence DESC) AS place"
        columns = ", ".join(COLUMNS["events"])
        [rows] = await self.database.read(
            Statement(
                f"SELECT {columns} FROM (SELECT {columns}, {place} FROM events WHERE request_id IN ({asked})"
                f" AND {about}{until}) AS s WHERE place <= ? ORDER BY request_id, sequence DESC",
                [*args, *args, *bound, first],
            )
        )
        found: dict[str, list[LoggedEvent]] = {id: [] for id in request_ids}
        for row in rows:
            found[row[3]].append(_event(row))
        return found

    async def events(self, ids: Sequence[str]) -> list[LoggedEvent]:
        """The events by their ids, as far as they are there."""
        statements = []
        for id in ids:
            request, _, sequence = id.removeprefix("ev_").rpartition("_")
            if sequence.isdecimal() and len(sequence) <= 9:
                args = (f"rq_{request}", int(sequence))
                statements.append(Statement(f"{select('events')} WHERE request_id = ? AND sequence = ?", args))
        if not statements:
            return []
        return [_event(row) for rows in await self.database.read(*statements) for row in rows]

    async def missed(self, request_id: str, from_version: int, limit: int = MOST_MISSED) -> list[LoggedEvent]:
        """What became of a request after a version, oldest first."""
        [rows] = await self.database.read(
            Statement(
                f"{select('events')} WHERE request_id = ? AND version > ? ORDER BY sequence LIMIT ?",
                (request_id, from_version, limit),
            )
        )
        return [_event(row) for row in rows]

    async def since(self, positions: Mapping[str, int], limit: int = 500) -> list[LoggedEvent]:
        """The next events of some shops, each after its position; in order within a shop, and as they were written.

        Returns:
            At most `limit`; if so many, there may be more.
        """
        if not positions:
            return []
        each = f"SELECT * FROM ({select('events')} WHERE shop_id = ? AND position > ? ORDER BY position LIMIT ?) AS s"
        read = await self.database.read(
            *(Statement(each, (shop, position, limit)) for shop, position in positions.items())
        )
        rows = sorted(row for part in read for row in part)
        return [_event(row) for row in rows[:limit]]

    async def after(self, serial: int, limit: int = 500, buyer_id: str | None = None) -> list[LoggedEvent]:
        """The next events of all shops, or of one buyer's requests, as they were written."""
        # committed beside a transaction that still runs and may yet write before it: told once that one has ended
        for wait in (*SETTLING_SECONDS, None):
            read = await self._after(serial, limit, buyer_id)
            settled = [row[:-1] for row in read if row[-1]]
            if settled or not read or wait is None:
                break
            await asyncio.sleep(wait)
        return [_event(row) for row in settled]

    async def _after(self, serial: int, limit: int, buyer_id: str | None) -> list[Row]:
        """Lines, and of each whether all that may be written before it is there."""
        after, order, args = _after(serial, buyer_id)
        [rows] = await self.database.read(
            Statement(
                f"SELECT {', '.join(COLUMNS['events'])}, serial < log_horizon() FROM events"
                f" WHERE {after} ORDER BY {order} LIMIT ?",
                (*args, limit),
            )
        )
        return rows

    async def positions(self, shop_ids: Sequence[str]) -> dict[str, int]:
        """Where each shop's log ends; 0 where it is empty or there is no such shop."""
        return (await self.ends(shop_ids))[1]

    async def ends(self, shop_ids: Sequence[str]) -> tuple[int, dict[str, int]]:
        """Which log it is, and where each shop's ends; of a restored one, or of one that another server has taken over
        and may have lost its last lines, the first is another."""
        asked, args = padded(shop_ids)
        [rows] = await self.database.read(
            Statement(
                "SELECT (SELECT log_epoch()), shops.id, sequence FROM (SELECT 1) AS once"
                f" LEFT JOIN shops ON shops.id IN ({asked})",
                args,
            )
        )
        return int(rows[0][0]), dict.fromkeys(shop_ids, 0) | {id: end for _, id, end in rows if id is not None}

    async def last_serial(self) -> int:
        """Where the whole log ends, as far as nothing can be written before it any more."""
        return (await self.end())[1]

    async def end(self) -> tuple[int, int]:
        """Which log it is, as `ends` has it, and its last serial."""
        [rows] = await self.database.read(
            Statement("SELECT log_epoch(), COALESCE(MAX(serial), 0) FROM events WHERE serial < log_horizon()")
        )
        return int(rows[0][0]), int(rows[0][1])

    async def missed_of(self, positions: Mapping[str, int], most: int) -> Missed:
        """What was written to some shops, each after its position."""
        each = "SELECT position, processed_at FROM events WHERE shop_id = ? AND position > ? ORDER BY position LIMIT 1"
        asked, args = padded(list(positions))
        ends, *firsts = await self.database.read(
            Statement(f"SELECT id, sequence FROM shops WHERE id IN ({asked})", args),
            *(Statement(each, place) for place in positions.items()),
        )
        lines = sum(max(0, end - positions[shop]) for shop, end in ends)
        oldest = [row[1] for rows in firsts for row in rows]
        # positions have no gap: what does not follow at once was cut off
        gaps = any(rows and rows[0][0] > told + 1 for rows, told in zip(firsts, positions.values(), strict=True))
        return Missed(min(lines, most + 1), instant(min(oldest)) if oldest else None, gaps)

    async def missed_after(self, serial: int, most: int, buyer_id: str | None = None) -> Missed:
        """What was written to all shops, or of one buyer's requests, after a serial."""
        after, order, args = _after(serial, buyer_id)
        first, [[lines]] = await self.database.read(
            Statement(f"SELECT processed_at FROM events WHERE {after} ORDER BY {order} LIMIT 1", args),
            # in order, so that it is read from an index, whatever the planner thinks of how many there are
            Statement(
                f"SELECT COUNT(*) FROM (SELECT 1 FROM events WHERE {after} ORDER BY {order} LIMIT ?) AS s",
                (*args, most + 1),
            ),
        )
        return Missed(int(lines), instant(first[0][0]) if first else None)


def _after(serial: int, buyer_id: str | None) -> tuple[str, str, tuple[Any, ...]]:
    """What is written after a serial: a condition, its order, and their arguments."""
    if buyer_id is None:
        return "serial > ?", "serial", (serial,)
    # by way of the buyer's few requests: the sign keeps a planner from reading through the log of all others
    return "serial > ? AND request_id IN (SELECT id FROM requests WHERE buyer_id = ?)", "+serial", (serial, buyer_id)


def _event(row: Row) -> LoggedEvent:
    (
        serial, shop_id, position, request_id, sequence, version, type, rule, at, processed_at,
        by, actor_id, client, action, from_stage, to_stage, note, data, deadline_id, was,
    ) = row  # fmt: skip
    return LoggedEvent(
        serial, shop_id, position, request_id, sequence, version, type, rule, instant(at), instant(processed_at),
        party(by), actor_id, client, action, from_stage, to_stage, note, from_json(data), deadline_id,
        None if was is None else from_json(was),
    )  # fmt: skip

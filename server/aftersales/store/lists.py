"""Pages and counts of requests. Each page is a few index ranges, cut where the last one ended, never an offset.

Shop, status, kind, party and deadline are found by an index; what else a filter asks is looked at row by
row within those ranges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import product
from math import prod

from ..engine.filter import Filter, objections
from ..engine.refusal import Problem, Refused
from ..engine.vocabulary import Status
from .cursors import decoded, encoded
from .database import Database, Statement, padded
from .values import micros
from .where import Condition, OneOf, choices, conditions, joined, whole

MOST_ROWS = 100
# so that even with every list of the filter full, a statement stays below the 32,766 arguments that SQLite takes
MOST_RANGES = 40


class Sort(Enum):
    NEXT_DEADLINE = "NEXT_DEADLINE"
    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    AMOUNT_DESC = "AMOUNT_DESC"


EVERY_STATUS = tuple(status.value for status in Status)

# The column, whether the greatest comes first, and what may stand before it in an index of `models.Request`.
# fmt: off
ORDERS = {
    Sort.NEXT_DEADLINE: ("next_due_at", False, ("shop_id", "status", "kind", "waiting_for")),
    Sort.CREATED_DESC:  ("created_at",  True,  ("shop_id", "status")),
    Sort.UPDATED_DESC:  ("updated_at",  True,  ("shop_id", "status")),
    Sort.AMOUNT_DESC:   ("refund_max",  True,  ("shop_id",)),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Page:
    """Ids in the order asked for, each with its cursor."""

    ids: tuple[str, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True, slots=True)
class Count:
    """How many requests stand at a status and wait for a party; `overdue`: whose clock has run out."""

    status: Status
    waiting_for: str | None
    count: int
    overdue: int


class Lists:
    def __init__(self, database: Database) -> None:
        self.database = database

    async def page(self, filter: Filter, sort: Sort, first: int, after: str | None = None, *, now: datetime) -> Page:
        """
        Args:
            first: 1 to 100.
            after: a cursor of this list, as sorted now.

        Raises:
            Refused: INVALID_INPUT for `first`, a cursor that is not one of this list, or a filter that costs too much.
        """
        _check(filter)
        if not 1 <= first <= MOST_ROWS:
            raise Refused([Problem("INVALID_INPUT", "Ask for 1 to {most}.", "first", most=MOST_ROWS)])
        statement = _page_statement(
            filter, sort, first + 1, decoded(after, sort.value) if after is not None else None, now
        )
        [rows] = await self.database.read(statement) if statement else [[]]
        shown = rows[:first]
        return Page(
            tuple(id for _, id in shown),
            tuple(encoded(sort.value, value, id) for value, id in shown),
            len(rows) > first,
            after is not None,
        )

    async def total(self, filter: Filter, *, now: datetime) -> int:
        """How many match. As dear as there are many: ask only when it is shown."""
        _check(filter)
        where = whole(filter, now)
        [rows] = await self.database.read(Statement(f"SELECT COUNT(*) FROM requests{where.sql}", where.args))
        return int(rows[0][0])

    async def of_orders(self, order_ids: Sequence[str], filter: Filter, most: int = MOST_ROWS) -> dict[str, list[str]]:
        """The ids of each order's requests that match, newest first, at most so many of each."""
        asked, args = padded(order_ids)
        where = joined([Condition(f"order_id IN ({asked})", args), *(choice.condition for choice in choices(filter))])
        place = "ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY created_at DESC, id DESC)"
        [rows] = await self.database.read(
            Statement(
                f"SELECT order_id, id FROM (SELECT order_id, id, {place} AS place FROM requests{where.sql}) AS s"
                " WHERE place <= ? ORDER BY order_id, place",
                [*where.args, most],
            )
        )
        found: dict[str, list[str]] = {id: [] for id in order_ids}
        for order_id, id in rows:
            found[order_id].append(id)
        return found

    async def counts(self, filter: Filter, *, now: datetime) -> list[Count]:
        """How many match, by status and whose turn it is."""
        _check(filter)
        where = whole(filter, now)
        [rows] = await self.database.read(
            Statement(
                "SELECT status, waiting_for, COUNT(*), SUM(CASE WHEN next_due_at <= ? THEN 1 ELSE 0 END)"
                f" FROM requests{where.sql} GROUP BY status, waiting_for ORDER BY status, COALESCE(waiting_for, '')",
                [micros(now), *where.args],
            )
        )
        return [Count(Status(status), waiting_for, count, overdue) for status, waiting_for, count, overdue in rows]


def _check(filter: Filter) -> None:
    if problems := tuple(objections(filter)):
        raise Refused(problems)


def _page_statement(
    filter: Filter, sort: Sort, rows: int, after: tuple[int, str] | None, now: datetime
) -> Statement | None:
    """The ranges that the filter and the order make, merged; None if nothing can match."""
    column, descending, leading = ORDERS[sort]
    way, beyond = ("DESC", "<") if descending else ("ASC", ">")
    split, rest = _split(list(choices(filter)), leading)
    others = [choice.condition for choice in rest] + list(conditions(filter, now))
    if after is not None:
        others.append(Condition(f"({column}, id) {beyond} (?, ?)", after))
    each = [joined([*equal, *others]) for equal in product(*(choice.each for choice in split))]
    return ranges("requests", f"{column}, id", each, way, rows)


def ranges(table: str, columns: str, each: Sequence[Condition], way: str, rows: int) -> Statement | None:
    """The first rows of several ranges of an index, merged by their first two columns; None if there is no range."""
    column, *_ = columns.split(",")
    parts = [
        Statement(
            f"SELECT {columns} FROM {table}{where.sql} ORDER BY {column} {way}, id {way} LIMIT ?", [*where.args, rows]
        )
        for where in each
    ]
    if len(parts) < 2:
        return parts[0] if parts else None
    return Statement(
        f"{' UNION ALL '.join(f'SELECT * FROM ({part.sql}) AS s' for part in parts)} ORDER BY 1 {way}, 2 {way} LIMIT ?",
        [*(arg for part in parts for arg in part.args), rows],
    )


def _split(choices: list[OneOf], leading: tuple[str, ...]) -> tuple[list[OneOf], list[OneOf]]:
    """Which choices become a range for each value, and which are looked at row by row.

    A database does not merge ranges of an ordered index by itself: it would read all that match, to sort it.
    """
    named = {choice.column: choice for choice in choices}
    if "buyer_id" in named or len(named["shop_id"].values if "shop_id" in named else ()) > MOST_RANGES:
        # a buyer's own are few; and of that many shops one reads on, rather than jump
        return [], choices
    if "shop_id" in named and "status" in leading and not named.keys().isdisjoint(leading[2:]):
        # kind and party stand behind the status in the index
        named.setdefault("status", OneOf("status", EVERY_STATUS))
    split: list[OneOf] = []
    for column in leading:
        if column in named and prod(len(choice.values) for choice in (*split, named[column])) <= MOST_RANGES:
            split.append(named.pop(column))
    return split, list(named.values())

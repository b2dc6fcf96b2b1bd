"""Pages of appeals, by what is due next; their requests are read like any others."""

from collections.abc import Iterator, Sequence
from itertools import product

from ..engine.filter import MOST_VALUES
from ..engine.refusal import Problem, Refused
from .cursors import decoded, encoded
from .database import Database, Statement
from .lists import MOST_RANGES, MOST_ROWS, Page, ranges
from .where import Condition, OneOf, joined

SORT = "APPEALS"


class Appeals:
    def __init__(self, database: Database) -> None:
        self.database = database

    async def page(
        self, shops: frozenset[str] | None, statuses: frozenset[str] | None, first: int, after: str | None = None
    ) -> Page:
        """The ids of the requests that are appealed, in the order of what is due next.

        Args:
            shops: as far as the caller may see them; None: all.

        Raises:
            Refused: INVALID_INPUT for `first`, a cursor that is not one of this list, or too many values.
        """
        if problems := tuple(_objections(shops, statuses, first)):
            raise Refused(problems)
        split, others = _chosen(shops, statuses)
        if after is not None:
            others.append(Condition("(next_due_at, id) > (?, ?)", decoded(after, SORT)))
        each = [joined([*equal, *others]) for equal in product(*(choice.each for choice in split))]
        statement = ranges("appeals", "next_due_at, id, request_id", each, "ASC", first + 1)
        [rows] = await self.database.read(statement) if statement else [[]]
        shown = rows[:first]
        cursors = tuple(encoded(SORT, due_at, id) for due_at, id, _ in shown)
        return Page(tuple(row[2] for row in shown), cursors, len(rows) > first, after is not None)

    async def total(self, shops: frozenset[str] | None, statuses: frozenset[str] | None) -> int:
        """How many there are. As dear as there are many: ask only when it is shown."""
        split, others = _chosen(shops, statuses)
        where = joined([*(choice.condition for choice in split), *others])
        [rows] = await self.database.read(Statement(f"SELECT COUNT(*) FROM appeals{where.sql}", where.args))
        return int(rows[0][0])


def _chosen(shops: frozenset[str] | None, statuses: frozenset[str] | None) -> tuple[list[OneOf], list[Condition]]:
    """What becomes a range of an index for each value, and what is looked at row by row."""
    named = [("shop_id", shops), ("stage", statuses)]
    choices = [OneOf(column, tuple(sorted(values))) for column, values in named if values is not None]
    split: list[OneOf] = []
    rest: list[Condition] = []
    ranges_so_far = 1
    for choice in choices:
        if ranges_so_far * len(choice.values) <= MOST_RANGES:
            ranges_so_far *= len(choice.values)
            split.append(choice)
        else:
            rest.append(choice.condition)
    return split, rest


def _objections(
    shops: Sequence[str] | frozenset[str] | None, statuses: frozenset[str] | None, first: int
) -> Iterator[Problem]:
    if not 1 <= first <= MOST_ROWS:
        yield Problem("INVALID_INPUT", "Ask for 1 to {most}.", "first", most=MOST_ROWS)
    if len(statuses or ()) > MOST_VALUES:
        yield Problem("INVALID_INPUT", "Give at most {most} values.", "statuses", most=MOST_VALUES)

"""A filter as SQL: the twin of `engine.filter.matches`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..engine.filter import URGENT_WITHIN, WARNING_WITHIN, Filter, Urgency
from .columns import NEVER
from .database import padded
from .values import json, micros


@dataclass(frozen=True, slots=True)
class Condition:
    sql: str
    args: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column has one of some values: a condition, or as many ranges of an index."""

    column: str
    values: tuple[str, ...]

    @property
    def condition(self) -> Condition:
        asked, args = padded(self.values)
        return Condition(f"{self.column} IN ({asked})", args)

    @property
    def each(self) -> list[Condition]:
        return [Condition(f"{self.column} = ?", (value,)) for value in self.values]


def joined(conditions: Iterable[Condition]) -> Condition:
    """All of them, as a WHERE clause; empty if there are none."""
    conditions = list(conditions)
    sql = " AND ".join(condition.sql for condition in conditions)
    return Condition(f" WHERE {sql}" if sql else "", [arg for condition in conditions for arg in condition.args])


def choices(filter: Filter) -> Iterator[OneOf]:
    """What the filter says by naming values."""
    named = {
        "shop_id": filter.shops,
        "buyer_id": None if filter.scope_buyer is None else {filter.scope_buyer},
        "status": None if filter.statuses is None else {status.value for status in filter.statuses},
        "kind": filter.kinds,
        "waiting_for": None if filter.waiting_for is None else {filter.waiting_for.title},
        "stage": filter.stages,
        "reason": filter.reasons,
        "appeal_status": filter.appeal_statuses,
    }
    for column, values in named.items():
        if values is not None:
            yield OneOf(column, tuple(sorted(values)))


def conditions(filter: Filter, now: datetime) -> Iterator[Condition]:
    """What the filter says otherwise."""
    if filter.tags is not None:
        yield _any(Condition("tags LIKE ? ESCAPE '!'", (f"%{escaped(json(tag))}%",)) for tag in sorted(filter.tags))
    if filter.disputed is not None:
        yield Condition(f"dispute_status {'=' if filter.disputed else '<>'} 'OPEN'")
    if filter.due_before is not None:
        yield Condition("next_due_at < ?", (micros(filter.due_before),))
    if filter.urgency is not None:
        yield _any(_urgency(urgency, now) for urgency in sorted(filter.urgency, key=lambda urgency: urgency.value))
    for column, sign, at in (
        ("created_at", ">=", filter.created_after),
        ("created_at", "<", filter.created_before),
        ("updated_at", ">=", filter.updated_after),
    ):
        if at is not None:
            yield Condition(f"{column} {sign} ?", (micros(at),))
    if filter.order_number is not None:
        yield Condition("order_id IN (SELECT id FROM orders WHERE number = ?)", (filter.order_number,))
    for word in filter.words:
        yield Condition("search LIKE ? ESCAPE '!'", (f"%{escaped(word)}%",))


def whole(filter: Filter, now: datetime) -> Condition:
    """The filter as one WHERE clause."""
    return joined([*(choice.condition for choice in choices(filter)), *conditions(filter, now)])


def escaped(text: str) -> str:
    """Text that LIKE takes as it is."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _any(conditions: Iterable[Condition]) -> Condition:
    conditions = list(conditions) or [Condition("1 = 0")]
    return Condition(
        f"({' OR '.join(condition.sql for condition in conditions)})",
        [arg for condition in conditions for arg in condition.args],
    )


def _urgency(urgency: Urgency, now: datetime) -> Condition:
    at, urgent, warning = micros(now), micros(now + URGENT_WITHIN), micros(now + WARNING_WITHIN)
    # fmt: off
    above, up_to = {
        Urgency.OVERDUE: (-NEVER,  at),
        Urgency.URGENT:  (at,      urgent),
        Urgency.WARNING: (urgent,  warning),
        Urgency.CALM:    (warning, NEVER),
    }[urgency]
    # fmt: on
    return Condition("(next_due_at > ? AND next_due_at <= ?)", (above, up_to))

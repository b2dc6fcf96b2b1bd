"""Which requests somebody wants to see: the filter of lists and streams. `store/lists.py` says the same in SQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from .refusal import Problem
from .request import Request
from .vocabulary import Party, Status

URGENT_WITHIN = timedelta(hours=6)
WARNING_WITHIN = timedelta(hours=24)

MOST_VALUES = 100
MOST_WORDS = 10
LONGEST_TEXT = 200


class Urgency(Enum):
    """How near the next deadline is. A request that no clock presses is calm."""

    CALM = "CALM"
    WARNING = "WARNING"
    URGENT = "URGENT"
    OVERDUE = "OVERDUE"


@dataclass(frozen=True, slots=True)
class Filter:
    """All that is given must hold; of several values of one kind, any. None asks nothing, an empty set finds nothing.

    Args:
        scope_shops, scope_buyer: what the caller may see at all; both None: everything.
        appeal_statuses: as the API names them.
        disputed: whether a dispute is open.
        due_before: a clock runs out before this instant.
        created_after, updated_after: at this instant or later.
        created_before: earlier than this instant.
        text: words, all of which must occur in number, order number, product names or note.
    """

    scope_shops: frozenset[str] | None = None
    scope_buyer: str | None = None
    shop_ids: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    statuses: frozenset[Status] | None = None
    stages: frozenset[str] | None = None
    reasons: frozenset[str] | None = None
    tags: frozenset[str] | None = None
    waiting_for: Party | None = None
    due_before: datetime | None = None
    urgency: frozenset[Urgency] | None = None
    appeal_statuses: frozenset[str] | None = None
    disputed: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    order_number: str | None = None
    text: str | None = None

    @property
    def shops(self) -> frozenset[str] | None:
        """The shops that can match: those asked for, as far as they may be seen; None: every shop."""
        if self.scope_shops is None or self.shop_ids is None:
            return self.shop_ids if self.scope_shops is None else self.scope_shops
        return self.scope_shops & self.shop_ids

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.text or "").lower().split()))


@dataclass(frozen=True, slots=True)
class Facets:
    """What a filter looks at."""

    shop_id: str
    buyer_id: str
    order_number: str
    search: str
    reason: str
    created_at: datetime
    kind: str
    status: Status
    stage: str
    tags: frozenset[str]
    waiting_for: Party | None
    next_due_at: datetime | None
    appeal_status: str
    disputed: bool
    updated_at: datetime


def facets(request: Request) -> Facets:
    clock = request.next_clock
    return Facets(
        request.order.shop.id, request.order.buyer_id, request.order.number, search(request), request.reason,
        request.created_at, request.kind, request.stage.status, request.stage.name, request.tags, request.waits_for,
        clock.due_at if clock else None, request.appeal_status, request.dispute_status == "OPEN", request.updated_at,
    )  # fmt: skip


def search(request: Request) -> str:
    """What `text` is looked for in: lower case."""
    lines = (request.order.line(line.order_line_id) for line in request.lines)
    return " ".join(
        [request.number, request.order.number, *(line.product_name for line in lines if line), request.note]
    ).lower()


def was(before: Request) -> dict[str, Any]:
    """The facets that a change may change, as JSON values: by them a stream tells who loses sight."""
    seen = facets(before)
    return {
        "kind": seen.kind,
        "status": seen.status.value,
        "stage": seen.stage,
        "tags": sorted(seen.tags),
        "waitingFor": seen.waiting_for.title if seen.waiting_for else None,
        "nextDueAt": seen.next_due_at.isoformat() if seen.next_due_at else None,
        "appealStatus": seen.appeal_status,
        "disputed": seen.disputed,
        "updatedAt": seen.updated_at.isoformat(),
    }


def then(now: Facets, was: Mapping[str, Any]) -> Facets:
    """The facets before a change: what `was` kept, and of the request as it is what never changes."""
    return replace(
        now,
        kind=was["kind"],
        status=Status(was["status"]),
        stage=was["stage"],
        tags=frozenset(was["tags"]),
        waiting_for=Party[was["waitingFor"]] if was["waitingFor"] else None,
        next_due_at=datetime.fromisoformat(was["nextDueAt"]) if was["nextDueAt"] else None,
        appeal_status=was["appealStatus"],
        disputed=was["disputed"],
        updated_at=datetime.fromisoformat(was["updatedAt"]),
    )


def urgency(due_at: datetime | None, now: datetime) -> Urgency:
    if due_at is None or due_at > now + WARNING_WITHIN:
        return Urgency.CALM
    if due_at <= now:
        return Urgency.OVERDUE
    return Urgency.URGENT if due_at <= now + URGENT_WITHIN else Urgency.WARNING


def matches(filter: Filter, seen: Request | Facets, now: datetime) -> bool:
    if isinstance(seen, Request):
        seen = facets(seen)
    return (
        _any(filter.shops, seen.shop_id)
        and filter.scope_buyer in (None, seen.buyer_id)
        and _any(filter.kinds, seen.kind)
        and _any(filter.statuses, seen.status)
        and _any(filter.stages, seen.stage)
        and _any(filter.reasons, seen.reason)
        and (filter.tags is None or not filter.tags.isdisjoint(seen.tags))
        and filter.waiting_for in (None, seen.waiting_for)
        and (filter.due_before is None or (seen.next_due_at is not None and seen.next_due_at < filter.due_before))
        and (filter.urgency is None or urgency(seen.next_due_at, now) in filter.urgency)
        and _any(filter.appeal_statuses, seen.appeal_status)
        and filter.disputed in (None, seen.disputed)
        and (filter.created_after is None or seen.created_at >= filter.created_after)
        and (filter.created_before is None or seen.created_at < filter.created_before)
        and (filter.updated_after is None or seen.updated_at >= filter.updated_after)
        and filter.order_number in (None, seen.order_number)
        and all(word in seen.search for word in filter.words)
    )


def _any(wanted: frozenset[Any] | None, value: Any) -> bool:
    return wanted is None or value in wanted


def objections(filter: Filter) -> Iterator[Problem]:
    """A filter that costs more than a list should: too many values, or too long ones."""
    for field in fields(filter):
        value = getattr(filter, field.name)
        if not isinstance(value, frozenset) or field.name == "scope_shops":
            continue
        where = f"filter.{_camel(field.name)}"
        if len(value) > MOST_VALUES:
            yield Problem("INVALID_INPUT", "Give at most {most} values.", where, most=MOST_VALUES)
        if any(isinstance(one, str) and len(one) > LONGEST_TEXT for one in value):
            yield Problem("INVALID_INPUT", "Say it in at most {limit} characters.", where, limit=LONGEST_TEXT)
    if len(filter.text or "") > LONGEST_TEXT or len(filter.words) > MOST_WORDS:
        yield Problem(
            "INVALID_INPUT", "Search for at most {most} words of together {longest} characters.", "filter.text",
            most=MOST_WORDS, longest=LONGEST_TEXT,
        )  # fmt: skip


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)

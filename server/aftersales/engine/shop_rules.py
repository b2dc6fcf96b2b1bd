"""A seller's own rules (RO2): data, that say which requests are granted as soon as they are made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from .money import Money
from .reasons import REASONS, Reason, ReasonClass
from .refusal import Problem
from .request import Request
from .vocabulary import DELIVERED, ON_ITS_WAY, OrderState, Party

MOST_RULES = 50
MOST_VALUES = 50
NAME_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Conditions:
    """All must hold; an empty one asks nothing.

    Args:
        reasons: the buyer's reason is one of these.
        order_states: the order stands at one of these.
        maximum: what could be refunded is at most this.
        categories: every product that is claimed is of one of these.
        evidence: the buyer has shown something.
        change_of_mind: a change of mind may be granted too.
    """

    reasons: frozenset[str] = frozenset()
    order_states: frozenset[OrderState] = frozenset()
    maximum: Money | None = None
    categories: frozenset[str] = frozenset()
    evidence: bool = False
    change_of_mind: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    shop_id: str
    name: str
    active: bool
    conditions: Conditions
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str


def matches(conditions: Conditions, request: Request, reasons: Mapping[str, Reason] = REASONS) -> bool:
    return not any(failing(conditions, request, reasons))


def failing(
    conditions: Conditions, request: Request, reasons: Mapping[str, Reason] = REASONS,
    stood: frozenset[OrderState] = frozenset(),
) -> Iterator[str]:  # fmt: skip
    """The conditions that do not hold, by name.

    Args:
        reasons: those of the request's kind.
        stood: where the order may have stood when that counts; empty: where it stands.
    """
    stood = stood or frozenset({request.order.state})
    known, lines = reasons.get(request.reason), (request.order.line(line.order_line_id) for line in request.lines)
    if conditions.reasons and request.reason not in conditions.reasons:
        yield "reasons"
    if conditions.order_states and not stood & conditions.order_states:
        yield "orderStates"
    if conditions.maximum is not None and not _within(request.refund_max, conditions.maximum):
        yield "maximum"
    if conditions.categories and not all(line and line.category in conditions.categories for line in lines):
        yield "categories"
    if conditions.evidence and not any(item.by is Party.BUYER for item in request.evidence):
        yield "evidence"
    if not conditions.change_of_mind and known is not None and known.kind is ReasonClass.CHANGE_OF_MIND:
        yield "changeOfMind"


def stood_at(request: Request, reasons: Mapping[str, Reason] = REASONS) -> frozenset[OrderState]:
    """Where the order may have stood when the request was made: the marketplace has moved it on since."""
    order, reason = request.order, reasons.get(request.reason)
    if order.state is OrderState.AWAITING_COLLECTION:
        return frozenset({order.state})
    claimable = reason.order_states if reason else ON_ITS_WAY | DELIVERED
    if order.state in ON_ITS_WAY or (order.delivered_at is not None and order.delivered_at > request.created_at):
        return ON_ITS_WAY
    # nobody may have said when it came: then the reason tells
    return DELIVERED if order.delivered_at is not None else claimable


def _within(amount: Money, most: Money) -> bool:
    return amount.currency == most.currency and amount <= most


def misnamed(name: str) -> Iterator[Problem]:
    if not 1 <= len(name.strip()) <= NAME_LIMIT:
        yield _wrong("name", "Give a name of 1 to {limit} characters.", limit=NAME_LIMIT)


def objections(conditions: Conditions, reasons: frozenset[str], digits: int | None) -> Iterator[Problem]:
    """Everything about conditions that cannot be.

    Args:
        reasons: those of the kinds that rules can grant.
        digits: decimals of the maximum's currency; None if there is no such currency.
    """
    unknown = sorted(conditions.reasons - reasons)
    for field, values in (("reasons", conditions.reasons), ("categories", conditions.categories)):
        if len(values) > MOST_VALUES:
            yield _wrong(f"conditions.{field}", "Give at most {limit} of them.", limit=MOST_VALUES)
    for reason in unknown[:MOST_VALUES]:
        yield _wrong(
            "conditions.reasons", "There is no reason {reason} that a rule can grant.", reason=reason[:NAME_LIMIT]
        )
    if any(len(category) > NAME_LIMIT for category in conditions.categories):
        yield _wrong("conditions.categories", "Say it in at most {limit} characters.", limit=NAME_LIMIT)
    if conditions.maximum is not None:
        yield from _unfit_maximum(conditions.maximum, digits)


def _unfit_maximum(most: Money, digits: int | None) -> Iterator[Problem]:
    where = "conditions.maximum"
    if digits is None:
        yield _wrong(where, "There is no currency {currency}.", currency=most.currency[:NAME_LIMIT])
    elif not most > Money.zero(most.currency):
        yield _wrong(where, "Give more than 0.")
    elif most.amount != round(most.amount, digits):
        yield _wrong(where, "{currency} has {digits} decimals.", currency=most.currency, digits=digits)


def _wrong(field: str, message: str, **facts: object) -> Problem:
    return Problem("INVALID_INPUT", message, field, guard="G_INPUT", **facts)

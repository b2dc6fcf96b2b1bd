"""What the doors take: one input each, checked for form before anything is looked up."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry

from ..engine.money import Money
from ..engine.refusal import Problem
from ..engine.vocabulary import ClaimLine, Party
from ..marketplace.scans import LONGEST
from .enums import DisputeSide

TEXT_LIMIT = 5000
# A parcel that no scan could name would never arrive.
LIMITS = {"carrier": LONGEST, "tracking": LONGEST}
# Control characters but tab and line ends, and halves of surrogate pairs: no database takes them, no person types them.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@strawberry.input(description="An amount in the order's currency.")
class MoneyInput:
    amount: Decimal = strawberry.field(description="Exact, as text, with at most the currency's decimals.")
    currency: str = strawberry.field(description="Three letters, by ISO 4217.")


@strawberry.input(description="Units of one order line.")
class ClaimLineInput:
    order_line_id: strawberry.ID = strawberry.field(description="One of the order's `lines`.")
    quantity: int = strawberry.field(description="How many units, of those bought.")


@strawberry.input(description="Another variation for the units of one line.")
class WantedInput:
    order_line_id: strawberry.ID = strawberry.field(description="One of the lines that are claimed.")
    sku_id: str = strawberry.field(description="The variation that is wanted instead.")


def wanted(input: Sequence[WantedInput]) -> dict[str, Any]:
    """The details of a request for other variations."""
    return {"wanted": [{"orderLineId": str(each.order_line_id), "skuId": each.sku_id} for each in input]}


@strawberry.input
class MutationInput:
    idempotency_key: str = strawberry.field(
        description="Made by you, new for each intention. The same key and input again: the same answer, and "
        "nothing done twice."
    )


@strawberry.input
class OpenInput(MutationInput):
    """What every claim says. Kinds inherit it and add what only they ask."""

    order_id: strawberry.ID = strawberry.field(description="What it is about.")
    lines: list[ClaimLineInput] = strawberry.field(description="What is claimed: at least one line, each once.")
    reason: str = strawberry.field(description="The handle of one of `eligibility.reasons`.")
    note: str | None = strawberry.field(default=None, description="A word with it, at most 500 characters.")
    evidence_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Files of yours, linked or uploaded."
    )


@strawberry.input
class DecisionInput(MutationInput):
    """What every decision about an existing request says."""

    request_id: strawberry.ID = strawberry.field(description="Of the request.")
    expected_version: int = strawberry.field(
        description="The version you saw. If the record has moved on, you are told what you missed."
    )
    note: str | None = strawberry.field(default=None, description="A word with it, at most 500 characters.")


@strawberry.input
class AppealInput(MutationInput):
    """What every act on an appeal says."""

    appeal_id: strawberry.ID = strawberry.field(description="Of the appeal.")
    expected_version: int = strawberry.field(
        description="The version you saw. If the record has moved on, you are told what you missed."
    )
    note: str | None = strawberry.field(default=None, description="A word with it, at most 500 characters.")


BASE = frozenset(
    {
        "appeal_id",
        "wanted",
        "idempotency_key",
        "request_id",
        "order_id",
        "lines",
        "reason",
        "expected_version",
        "note",
        "evidence_ids",
        "return_method",
    }
)


def unfit(input: Any) -> Iterator[Problem]:
    """Everything about the form of an input that cannot be taken, at once."""
    for path, value in _leaves(asdict(input)):
        if isinstance(value, str):
            if _UNFIT.search(value):
                yield Problem("INVALID_INPUT", "Leave out control characters.", path, guard="G_INPUT")
            elif len(value) > (limit := LIMITS.get(path, TEXT_LIMIT)):
                yield Problem(
                    "INVALID_INPUT", "Say it in at most {limit} characters.", path, guard="G_INPUT", limit=limit
                )
    key = getattr(input, "idempotency_key", "-")
    if not 1 <= len(key) <= 255:
        yield Problem("INVALID_INPUT", "Give a key of 1 to 255 characters.", "idempotencyKey", guard="G_INPUT")
    for name in ("lines", "evidence_ids", "wanted"):
        if len(getattr(input, name, None) or ()) > 100:
            yield Problem("INVALID_INPUT", "Give at most {limit} of them.", camel(name), guard="G_INPUT", limit=100)


def fingerprint(input: Any) -> str:
    """The same for the same wish, whatever order its fields came in. The key itself is no part of it."""
    told = {name: value for name, value in asdict(input).items() if name != "idempotency_key"}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=_plain).encode()).hexdigest()


def given(input: Any) -> dict[str, Any]:
    """What an act brings beyond what every decision says, as the engine's own values."""
    extra = {field.name: getattr(input, field.name) for field in fields(input) if field.name not in BASE}
    if (reason := getattr(input, "reason", None)) is not None:
        extra["reason"] = reason
    if (others := getattr(input, "wanted", None)) is not None:
        extra["details"] = wanted(others)
    return {name: _value(value) for name, value in extra.items() if value is not None}


def claim_lines(input: OpenInput | Any) -> tuple[ClaimLine, ...]:
    return tuple(ClaimLine(str(line.order_line_id), line.quantity) for line in input.lines)


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def money_given(value: MoneyInput | None) -> Money | None:
    return Money(value.amount, value.currency.upper()) if value else None


def _value(value: Any) -> Any:
    if isinstance(value, DisputeSide):
        return Party[value.value]
    return money_given(value) if isinstance(value, MoneyInput) else value


def _plain(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{camel(name)}" if path else camel(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{index}")
    else:
        yield path, value

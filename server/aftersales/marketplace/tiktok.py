"""Returns as the marketplace's own API exports them: read tolerantly, kept raw, nothing lost.

docs/import.md says in words what is read here. What is missing or empty is unknown; what is there and cannot be read
goes to a person, with the record as it came.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from ..engine.cases import DECIDED_BUYER, DECIDED_SELLER, UNDER_REVIEW, WITHDRAWN
from ..engine.money import Money
from ..engine.reasons import REASONS
from ..engine.refusal import Problem
from ..engine.vocabulary import Party, ReturnMethod
from .fields import SKEW, Fault, Fields, Read, currency, mark, text
from .statuses import INSPECTS, canonical

MOST_UNITS = 10_000
MOST_MONEY = Decimal(10**13)
MOST_CODE = 80
# 5138 in seconds, 1973 in milliseconds: between them no record was ever made.
MILLISECONDS = 10**11

_AMOUNT = re.compile(r"(\d{1,13})(?:\.(\d{1,6}))?", re.ASCII)

DISPUTES = {
    "IN_PROGRESS": UNDER_REVIEW.name,
    "SUPPORT_BUYER": DECIDED_BUYER.name,
    "SUPPORT_SELLER": DECIDED_SELLER.name,
    "CLOSED": WITHDRAWN.name,
}
REASON_OF = {reason.external: code for code, reason in REASONS.items() if reason.external}
BEARERS = {
    "buyer_paid_return_shipping_fee": Party.BUYER,
    "platform_paid_return_shipping_fee": Party.PLATFORM,
    "seller_paid_return_shipping_fee": Party.SELLER,
}

Digits = Callable[[str], int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """One unit that is returned; `refund` is None where the record does not say."""

    sku_id: str
    product_name: str
    variation_name: str | None
    seller_sku: str | None
    refund: Money | None


@dataclass(frozen=True, slots=True)
class Return:
    """One record, read.

    Args:
        type, status: as the marketplace spells them.
        inspects: it says that the parcel waits for the seller's look.
        dispute: the stage of the dispute beside it; empty: none.
        shipping: (who paid, how much) for the way back.
        refund: all that is refunded; None where the record does not say.
    """

    id: str
    order_number: str
    type: str
    status: str
    reason: str
    reason_known: bool
    note: str
    created_at: datetime
    updated_at: datetime
    currency: str
    refund: Money | None
    items: tuple[Item, ...]
    inspects: bool
    method: ReturnMethod | None
    carrier: str | None
    tracking: str | None
    deadline: datetime | None
    dispute: str
    shipping: tuple[tuple[Party, Money], ...]
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file.

    Args:
        place: its line, or its number in the document.
        id: the marketplace's own; empty: it has none, and cannot be kept.
        raw: as it came, in JSON.
        told: None if anything is wrong; `problems` says what.
    """

    place: int
    id: str
    raw: str
    status: str
    updated_at: datetime | None
    told: Return | None
    problems: tuple[Problem, ...] = ()


def records(document: object) -> Iterator[object]:
    """The records of an envelope, of a list of envelopes or records, or of one record alone.

    Raises:
        ValueError: an envelope says that the call had failed, or it is none of these.
    """
    if isinstance(document, list):
        for part in document:
            yield from records(part)
    elif not isinstance(document, Mapping):
        raise ValueError("this is no record of a return")
    elif "return_id" not in document and isinstance(data := document.get("data"), Mapping):
        if document.get("code") not in (0, "0", None):
            raise ValueError(f"this answer is no success: {str(document.get('message'))[:200]}")
        listed = data.get("return_orders")
        if not isinstance(listed, list):
            raise ValueError("data.return_orders is no list")
        yield from listed
    else:
        yield document


def read(document: object, place: int, digits: Digits, now: datetime) -> Record:
    """Never raises, whatever the record is like."""
    problems: list[Problem] = []
    told = _given(document)
    fields = Fields(told if isinstance(document, Mapping) else document, "record", problems)
    id = fields.take("return_id", ident, "", needed=True)
    status = fields.take("return_status", text(MOST_CODE), "", needed=True)
    updated_at = maybe(fields, "update_time", _past(now), needed=True)
    raw = json.dumps(document, default=str) if id else ""
    found = _return(fields, told, id, status, updated_at, digits, now, problems)
    return Record(place, id, raw, status, updated_at, None if problems else found, tuple(problems))


def _return(
    fields: Fields, told: Mapping[str, Any], id: str, status: str, updated_at: datetime | None, digits: Digits,
    now: datetime, problems: list[Problem],
) -> Return | None:  # fmt: skip
    paid_in = _currency(told, digits, problems)
    money = amount(paid_in, digits)
    refund = Fields(_given(told.get("refund_amount")), "record.refund_amount", problems)
    reason = fields.take("return_reason", text(MOST_CODE * 2), "")
    created_at = maybe(fields, "create_time", _past(now)) or updated_at
    answers = list(_answers(told, problems))
    rma = str(told.get("rma_status") or "")
    tracking, carrier = _words(fields, "return_tracking_number"), _words(fields, "return_provider_name")
    order_number = fields.take("order_id", ident, "", needed=True)
    type = fields.take("return_type", text(MOST_CODE), "", needed=True)
    total, items = maybe(refund, "refund_total", money), tuple(_items(told, money, problems))
    dispute, shipping = _dispute(told, problems), tuple(_shipping(told, money, problems))
    previous, next = maybe(fields, "pre_return_id", ident), maybe(fields, "next_return_id", ident)
    note = fields.take("return_reason_text", text(2000), "")
    if problems or updated_at is None or created_at is None:
        return None
    return Return(
        id=id, order_number=order_number, type=type.strip().upper(), status=status,
        reason=REASON_OF.get(reason, "other"), reason_known=reason in REASON_OF, note=note[:500],
        created_at=min(created_at, updated_at), updated_at=updated_at, currency=paid_in, refund=total, items=items,
        inspects=bool(INSPECTS & {canonical(rma), *(action for action, _ in answers)}), method=_method(told),
        carrier=carrier, tracking=tracking, deadline=min((at for _, at in answers if at), default=None),
        dispute=dispute, shipping=shipping, previous=previous, next=next,
    )  # fmt: skip


def maybe(fields: Fields, name: str, read: Read[T], *, needed: bool = False) -> T | None:
    """What is there, as it is read."""
    found: T | None = fields.take(name, read, None, needed=needed)
    return found


def _given(told: object) -> dict[str, Any]:
    """The fields that say something: exports leave the others empty."""
    if not isinstance(told, Mapping):
        return {}
    return {str(name): value for name, value in told.items() if value not in (None, "", [], {})}


def _objects(told: Mapping[str, Any], name: str, problems: list[Problem]) -> Iterator[tuple[Mapping[str, Any], Fields]]:
    """Each object of a list, and the same as fields."""
    listed = told.get(name)
    if listed is None:
        return
    if not isinstance(listed, list) or len(listed) > MOST_UNITS:
        problems.append(_problem(f"record.{name}", "Give a list of 1 to {most}.", most=MOST_UNITS))
        return
    for index, one in enumerate(listed):
        if not isinstance(one, Mapping):
            problems.append(_problem(f"record.{name}.{index}", "Give an object here."))
        else:
            yield one, Fields(_given(one), f"record.{name}.{index}", problems)


def _items(told: Mapping[str, Any], money: Read[Money], problems: list[Problem]) -> Iterator[Item]:
    if told.get("return_line_items") is None:
        problems.append(_problem("record.return_line_items", "This is missing."))
    for item, fields in _objects(told, "return_line_items", problems):
        sku_id = fields.take("sku_id", ident, "", needed=True)
        paid = Fields(_given(item.get("refund_amount")), "record.return_line_items.refund_amount", problems)
        yield Item(
            sku_id, fields.take("product_name", text(500), sku_id), _words(fields, "sku_name"),
            _words(fields, "seller_sku"), maybe(paid, "refund_total", money),
        )  # fmt: skip


def _answers(told: Mapping[str, Any], problems: list[Problem]) -> Iterator[tuple[str, datetime | None]]:
    """What the seller must do, and until when."""
    for _, fields in _objects(told, "seller_next_action_response", problems):
        yield fields.take("action", text(MOST_CODE), "").strip().upper(), maybe(fields, "deadline", moment)


def _shipping(told: Mapping[str, Any], money: Read[Money], problems: list[Problem]) -> Iterator[tuple[Party, Money]]:
    paid: dict[Party, Money] = {}
    for _, fields in _objects(told, "shipping_fee_amount", problems):
        for name, party in BEARERS.items():
            fee = maybe(fields, name, money)
            if fee:
                paid[party] = paid[party] + fee if party in paid else fee
    yield from paid.items()


def _currency(told: Mapping[str, Any], digits: Digits, problems: list[Problem]) -> str:
    """The one that any of its amounts is in: there is but one."""
    items = told.get("return_line_items")
    parts = [told.get("refund_amount"), *(one.get("refund_amount") for one in _mappings(items))]
    parts += [part for name in ("discount_amount", "shipping_fee_amount") for part in _mappings(told.get(name))]
    named = {
        part["currency"] for part in _mappings(parts) if isinstance(part.get("currency"), str) and part["currency"]
    }
    if len(named) == 1 and isinstance(known := currency(digits)(named.pop()), str):
        return known
    problems.append(_problem("record.refund_amount.currency", "Give a currency as its three letters, such as IDR."))
    return ""


def _mappings(listed: object) -> list[Mapping[str, Any]]:
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _method(told: Mapping[str, Any]) -> ReturnMethod | None:
    handover = re.sub(r"[\s_]+", "", str(told.get("handover_method") or "")).upper()
    if str(told.get("shipment_type") or "").strip().upper() == "BUYER_ARRANGE":
        return ReturnMethod.SELF_ARRANGED
    return {"DROPOFF": ReturnMethod.DROP_OFF, "PICKUP": ReturnMethod.PICK_UP}.get(handover)


def _dispute(told: Mapping[str, Any], problems: list[Problem]) -> str:
    said = str(told.get("arbitration_status") or "").strip().upper()
    if said and said not in DISPUTES:
        problems.append(_problem("record.arbitration_status", "Choose one of: {allowed}.", allowed=", ".join(DISPUTES)))
    return DISPUTES.get(said, "")


def _words(fields: Fields, name: str) -> str | None:
    """A text where there is one: numbers are words here, too."""
    return maybe(fields, name, lambda value: text(500)(str(value) if isinstance(value, int) else value))


def ident(value: object) -> str | Fault:
    """An id: digits, at times as a number."""
    if type(value) is int:
        value = str(value) if 0 <= value < 10**64 else ""
    return mark(value)


def moment(value: object) -> datetime | Fault:
    """Unix seconds, or milliseconds: the magnitude tells which."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,16}", value, re.ASCII):
        value = int(value)
    if type(value) is not int or not 0 < value < 10**15:
        return Fault("Give a time as Unix seconds.")
    try:
        seconds, milliseconds = divmod(value, 1000) if value >= MILLISECONDS else (value, 0)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError, OSError):
        return Fault("Give a time as Unix seconds.")


def _past(now: datetime) -> Read[datetime]:
    def read(value: object) -> datetime | Fault:
        found = moment(value)
        if isinstance(found, datetime) and found > now + SKEW:
            return Fault("This is in the future. Is its offset right?")
        return found

    return read


def amount(paid_in: str, digits: Digits) -> Read[Money]:
    """A decimal text, or a number that was never a float."""

    def read(value: object) -> Money | Fault:
        if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)) or not paid_in:
            return Fault('Give an amount of 0 or more as text, such as "12500" or "12.50".')
        if isinstance(value, Decimal) and value.is_finite() and abs(value) <= MOST_MONEY:
            # a number means what it says, however many zeros it is written with
            whole = value.to_integral_value()
            value = int(whole) if whole == value else value
        found = _AMOUNT.fullmatch(str(value))
        if found is None or Decimal(found[0]) > MOST_MONEY:
            return Fault('Give an amount of 0 or more as text, such as "12500" or "12.50".')
        if len(found[2] or "") > digits(paid_in):
            return Fault("{currency} has {digits} decimals.", {"currency": paid_in, "digits": digits(paid_in)})
        return Money(Decimal(found[0]), paid_in)

    return read


def _problem(path: str, message: str, **facts: Any) -> Problem:
    return Problem("INVALID_INPUT", message, path, guard="G_INPUT", **facts)

"""What the marketplace says of a shop or an order, from JSON's values to ours, or everything that is wrong with it.

docs/import.md is this module in words.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from ..engine.money import Money
from ..engine.refusal import Problem
from ..engine.vocabulary import OrderState, Shop, ShopKind
from ..markets import MARKETS
from ..store.imports import ImportedLine, ImportedOrder
from .fields import Fields, Read, amount, currency, flag, instant, known, mark, one_of, text, whole, zone

MOST_LINES = 200
MOST_UNITS = 10_000
# A hundredth of what the database can hold: what is refunded adds up within it.
MOST_MONEY = 10**13

HAS_ARRIVED = frozenset({OrderState.DELIVERED, OrderState.COMPLETED, OrderState.CANCELED})

Digits = Callable[[str], int]


class Fulfilment(Enum):
    """Who sends the goods: the platform's carriers, or the seller's own."""

    PLATFORM = "PLATFORM"
    SELLER = "SELLER"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read.

    Args:
        place: the line of the file, or the index in the list.
        path: where it stands, for problems.
        name: the order's number, or the shop's id, as the marketplace writes it; empty if that is what is wrong.
        told: None if anything is wrong.
    """

    place: int
    path: str
    name: str
    told: Shop | ImportedOrder | None
    problems: tuple[Problem, ...] = ()


def line_row(line: bytes, place: int, digits: Digits, now: datetime) -> Row:
    """A line of an order file: `{"shop": {…}}` or `{"order": {…}}`."""
    try:
        row = json.loads(line.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return unread(place, "This is not JSON: {fault}.", fault=str(error)[:200])
    match row:
        case {"order": told} if len(row) == 1:
            return order_row(told, place, "order", digits, now)
        case {"shop": told} if len(row) == 1:
            return shop_row(told, place, "shop")
    return unread(place, "Give a row as one of: {forms}.", forms='{"shop": {…}}, {"order": {…}}')


def unread(place: int, message: str, **facts: Any) -> Row:
    """A row that is none."""
    return Row(place, "", "", None, (Problem("INVALID_INPUT", message, guard="G_INPUT", **facts),))


def shop_row(told: object, place: int, path: str) -> Row:
    problems: list[Problem] = []
    fields = Fields(told, path, problems)
    market = fields.take("market", known(MARKETS), "", needed=True)
    shop = Shop(
        id=shop_id(fields.take("id", mark, "", needed=True)),
        name=fields.take("name", text(200), "", needed=True),
        market=market,
        kind=fields.take("kind", one_of(ShopKind), ShopKind.NON_MALL, needed=True),
        timezone=fields.take("timezone", zone, MARKETS[market].zone.key if market else ""),
        return_address=fields.take("returnAddress", flag, True),
        open=fields.take("open", flag, True),
    )
    fields.end()
    return Row(place, path, _name(told, "id"), None if problems else shop, tuple(problems))


def order_row(told: object, place: int, path: str, digits: Digits, now: datetime) -> Row:
    problems: list[Problem] = []
    fields = Fields(told, path, problems)
    paid_in = fields.take("currency", currency(digits), "", needed=True)
    money, nothing = amount(paid_in, digits(paid_in) if paid_in else None), Money.zero(paid_in)
    buyer, at = fields.inner("buyer"), instant(now)
    lines = tuple(_line(line, money, nothing) for line in fields.each("lines", MOST_LINES))
    shipping = fields.take("shippingPaid", money, nothing)
    order = ImportedOrder(
        shop_id=shop_id(fields.take("shopId", mark, "", needed=True)),
        number=fields.take("number", mark, "", needed=True),
        buyer_id=f"by_{buyer.take('id', mark, '', needed=True)}",
        buyer_name=buyer.take("name", text(200), None),
        currency=paid_in,
        state=fields.take("state", one_of(OrderState), OrderState.UNPAID, needed=True),
        placed_at=fields.take("placedAt", at, now, needed=True),
        delivered_at=fields.take("deliveredAt", at, None),
        total=sum((_paid(line) for line in lines), shipping),
        shipping_paid=shipping,
        fulfilment=fields.take("fulfilment", one_of(Fulfilment), Fulfilment.PLATFORM).value,
        lines=lines,
    )
    # checked, so that a file of today is good when it begins to matter, for goods that are sent anew
    fields.take("shippingOption", text(100), None)
    _hold_together(order, fields, money, all_sound=not problems)
    buyer.end()
    fields.end()
    return Row(place, path, _name(told, "number"), None if problems else order, tuple(problems))


def _line(fields: Fields, money: Read[Money], nothing: Money) -> ImportedLine:
    line = ImportedLine(
        sku_id=fields.take("skuId", mark, "", needed=True),
        seller_sku=fields.take("sellerSku", text(200), None),
        product_id=fields.take("productId", mark, ""),
        product_name=fields.take("productName", text(500), "", needed=True),
        variation_name=fields.take("variationName", text(500), None),
        category=fields.take("category", text(200), None),
        quantity=fields.take("quantity", whole(1, MOST_UNITS), 1, needed=True),
        unit_paid=fields.take("unitPaid", money, nothing, needed=True),
        tax=fields.take("tax", money, nothing),
        platform_discount=fields.take("platformDiscount", money, nothing),
        seller_discount=fields.take("sellerDiscount", money, nothing),
        returnable=fields.take("returnable", flag, True),
        change_of_mind_ok=fields.take("changeOfMindOk", flag, True),
        preorder=fields.take("preorder", flag, False),
        taken_down=fields.take("takenDown", flag, False),
    )
    fields.end()
    return line


def _hold_together(order: ImportedOrder, fields: Fields, money: Read[Money], *, all_sound: bool) -> None:
    """What each field alone cannot show."""
    if order.delivered_at and fields.sound("state") and order.state not in HAS_ARRIVED:
        fields.wrong("deliveredAt", "An order that is {state} has not been delivered.", state=order.state.value)
    elif order.delivered_at and fields.sound("placedAt") and order.delivered_at < order.placed_at:
        fields.wrong("deliveredAt", "An order is delivered after it is placed.")
    total = fields.take("total", money, order.total)
    if all_sound and total != order.total:
        fields.wrong("total", "Lines, taxes and shipping add up to {sum}.", sum=order.total)
    if all_sound and order.total.amount > MOST_MONEY:
        fields.wrong("lines", "An order is worth at most {most}.", most=MOST_MONEY)


def _paid(line: ImportedLine) -> Money:
    return Money(line.unit_paid.amount * line.quantity, line.unit_paid.currency) + line.tax


def shop_id(marketplace_id: str) -> str:
    return f"sh_{marketplace_id}"


def _name(told: object, field: str) -> str:
    """By what a person finds the row again, even if it is refused."""
    name = mark(told.get(field)) if isinstance(told, dict) else ""
    return name if isinstance(name, str) else ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a field that is there twice, nobody could say which one was meant."""
    told = dict(pairs)
    if len(told) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)[:80]} is there twice")
    return told


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")

"""Shops and orders as an integration gives them: ids and numbers are the marketplace's own. See docs/import.md."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry

from ..engine.vocabulary import OrderState, ShopKind
from ..marketplace.rows import Fulfilment
from .inputs import MutationInput, camel

strawberry.enum(Fulfilment, description="Who sends the goods: the platform's carriers, or the seller's own.")


@strawberry.input(description="A shop as the marketplace knows it; its id is the marketplace's own.")
class ShopInput:
    id: str
    name: str
    market: str = strawberry.field(description="Two letters, such as ID.")
    kind: ShopKind
    timezone: str | None = strawberry.field(default=None, description="Left out: the market's.")
    return_address: bool = strawberry.field(default=True, description="Whether goods can come back to it.")
    open: bool = True


@strawberry.input
class OrderBuyerInput:
    id: str
    name: str | None = None


@strawberry.input(description="Amounts are in the order's currency; tax and discounts are of the whole line.")
class OrderLineInput:
    sku_id: str
    seller_sku: str | None = None
    product_id: str | None = None
    product_name: str
    variation_name: str | None = None
    category: str | None = None
    quantity: int
    unit_paid: Decimal = strawberry.field(description="What the buyer paid for one unit, tax aside.")
    tax: Decimal | None = None
    platform_discount: Decimal | None = None
    seller_discount: Decimal | None = None
    returnable: bool = True
    change_of_mind_ok: bool = True
    preorder: bool = False


@strawberry.input(description="An order as the marketplace knows it; ids are the marketplace's own.")
class OrderInput:
    number: str
    shop_id: str
    buyer: OrderBuyerInput
    currency: str
    state: OrderState
    placed_at: datetime
    delivered_at: datetime | None = None
    fulfilment: Fulfilment = Fulfilment.PLATFORM
    shipping_option: str | None = None
    shipping_paid: Decimal | None = None
    total: Decimal | None = strawberry.field(
        default=None, description="If given, it must be what the lines and the shipping make."
    )
    lines: list[OrderLineInput] = strawberry.field(
        description="A line is known by its place: keep their order, and add new ones at the end."
    )


@strawberry.input
class OrdersImportInput(MutationInput):
    shops: list[ShopInput] = strawberry.field(default_factory=list, description="At most 100, before the orders.")
    orders: list[OrderInput] = strawberry.field(
        description="At most 500; a file of any size goes by `aftersales import`."
    )


def plain(input: ShopInput | OrderInput) -> Any:
    """An input as the JSON that a file would have, so that one reader judges both."""
    return _plain(asdict(input))


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {camel(name): _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
    return value

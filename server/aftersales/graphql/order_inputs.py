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
    id: str = strawberry.field(description="The marketplace's own.")
    name: str = strawberry.field(description="As buyers know it.")
    market: str = strawberry.field(description="Two letters, such as ID.")
    kind: ShopKind = strawberry.field(description="Malls have policies of their own.")
    timezone: str | None = strawberry.field(default=None, description="Left out: the market's.")
    return_address: bool = strawberry.field(default=True, description="Whether goods can come back to it.")
    open: bool = strawberry.field(default=True, description="False once the platform has closed it.")


@strawberry.input(description="Who bought.")
class OrderBuyerInput:
    id: str = strawberry.field(description="The marketplace's own.")
    name: str | None = strawberry.field(default=None, description="To be written on a parcel.")


@strawberry.input(description="Amounts are in the order's currency; tax and discounts are of the whole line.")
class OrderLineInput:
    sku_id: str = strawberry.field(description="The variation that was bought.")
    seller_sku: str | None = strawberry.field(default=None, description="The seller's own name for it.")
    product_id: str | None = strawberry.field(default=None, description="The product whose variation it is.")
    product_name: str = strawberry.field(description="As it was sold.")
    variation_name: str | None = strawberry.field(default=None, description="Colour, size and the like.")
    category: str | None = strawberry.field(
        default=None, description="The marketplace's own; some policies ask for it."
    )
    quantity: int = strawberry.field(description="Units bought.")
    unit_paid: Decimal = strawberry.field(description="What the buyer paid for one unit, tax aside.")
    tax: Decimal | None = strawberry.field(default=None, description="What the buyer paid in tax.")
    platform_discount: Decimal | None = strawberry.field(default=None, description="Borne by the platform.")
    seller_discount: Decimal | None = strawberry.field(default=None, description="Borne by the seller.")
    returnable: bool = strawberry.field(default=True, description="Whether it may come back at all.")
    change_of_mind_ok: bool = strawberry.field(
        default=True, description="Whether it may come back though nothing is wrong with it."
    )
    preorder: bool = strawberry.field(default=False, description="Whether it was sold before it was there.")
    taken_down: bool = strawberry.field(
        default=False, description="Whether the platform's enforcement took the product off sale."
    )


@strawberry.input(description="An order as the marketplace knows it; ids are the marketplace's own.")
class OrderInput:
    number: str = strawberry.field(description="Unique within the shop.")
    shop_id: str = strawberry.field(description="Of a shop that is known, or among `shops`.")
    buyer: OrderBuyerInput = strawberry.field(description="Who bought.")
    currency: str = strawberry.field(description="Three letters, by ISO 4217.")
    state: OrderState = strawberry.field(description="How far it has come.")
    placed_at: datetime = strawberry.field(description="When the buyer ordered.")
    delivered_at: datetime | None = strawberry.field(default=None, description="When it arrived.")
    fulfilment: Fulfilment = strawberry.field(default=Fulfilment.PLATFORM, description="Who sends the goods.")
    shipping_option: str | None = strawberry.field(default=None, description="As the marketplace calls it.")
    shipping_paid: Decimal | None = strawberry.field(
        default=None, description="What the buyer paid for it, in the order's currency."
    )
    total: Decimal | None = strawberry.field(
        default=None, description="If given, it must be what the lines and the shipping make."
    )
    lines: list[OrderLineInput] = strawberry.field(
        description="A line is known by its place: keep their order, and add new ones at the end."
    )


@strawberry.input(description="Shops and orders, as the marketplace knows them.")
class OrdersImportInput(MutationInput):
    shops: list[ShopInput] = strawberry.field(default_factory=list, description="At most 100, before the orders.")
    orders: list[OrderInput] = strawberry.field(
        description="At most 100; a file of any size goes by `aftersales import`."
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

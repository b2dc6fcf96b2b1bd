"""What the marketplace told us: shops, buyers, orders and their lines; and money, as all of them write it."""

from __future__ import annotations

import copy
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry
from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern

from ..engine import vocabulary
from ..engine.money import Money as EngineMoney
from ..markets import digits
from .context import Context
from .directives import PAGE
from .scalars import Cursor

if TYPE_CHECKING:
    # made of requests, and read by strawberry when the schema is built
    from .connections import RequestConnection
    from .seller_refunds import SellerRefund


@strawberry.interface(description="Whatever has an id: `node` finds it again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Global and opaque: never parse it.")


@strawberry.type(description="An exact amount in one currency.")
class Money:
    amount: Decimal = strawberry.field(description="Exact, as text.")
    currency: str = strawberry.field(description="Three letters, by ISO 4217.")

    @strawberry.field(description="As people of that locale write it, for example `Rp12.500`.")
    def formatted(self, locale: str | None = None) -> str:
        spoken = _locale(locale)
        pattern = _pattern(spoken, digits(self.currency))
        return str(pattern.apply(self.amount, spoken, currency=self.currency, currency_digits=False))


def money(of: EngineMoney | None) -> Money | None:
    return None if of is None else Money(amount=of.amount, currency=of.currency)


def sure(of: EngineMoney) -> Money:
    return Money(amount=of.amount, currency=of.currency)


@strawberry.type(description="A shop of a seller.")
class Shop(Node):
    name: str = strawberry.field(description="As buyers know it.")
    market: str = strawberry.field(description="The country it sells in: two letters, by ISO 3166.")
    kind: vocabulary.ShopKind = strawberry.field(description="Malls have policies of their own.")
    timezone: str = strawberry.field(description="IANA name, for showing times.")


@strawberry.type(description="The name is shown to those who must write it on a parcel, and to the buyer.")
class Buyer:
    id: strawberry.ID = strawberry.field(description="The same for all requests of one buyer.")
    name: str | None = strawberry.field(description="Null for staff who have nothing to send, and for carriers.")


@strawberry.type(description="What was bought, on one line of an order.")
class OrderLine:
    id: strawberry.ID = strawberry.field(description="Names the line in a claim.")
    sku_id: str = strawberry.field(description="The variation, by the marketplace's own id.")
    product_name: str = strawberry.field(description="As it was sold.")
    variation_name: str | None = strawberry.field(description="Colour, size and the like.")
    category: str | None = strawberry.field(description="The marketplace's own; some policies ask for it.")
    quantity: int = strawberry.field(description="Units bought.")
    unit_paid: Money = strawberry.field(description="What the buyer paid for one unit, tax aside.")
    returnable: bool = strawberry.field(description="Whether it may come back at all.")


@strawberry.type(description="What the marketplace told us of an order.")
class Order(Node):
    of: strawberry.Private[vocabulary.Order]
    context: strawberry.Private[Context]
    number: str = strawberry.field(description="The marketplace's own.")
    state: vocabulary.OrderState = strawberry.field(description="How far it has come, as the marketplace tells it.")
    placed_at: datetime = strawberry.field(description="When the buyer ordered.")
    delivered_at: datetime | None = strawberry.field(description="When it arrived: the time to claim runs from here.")
    stub: bool = strawberry.field(
        description="It is known only from a return that was brought in; what it says of itself may be a part."
    )

    @strawberry.field(description="Who sold it.")
    def shop(self) -> Shop:
        return shop(self.context, self.of.shop)

    @strawberry.field(description="All that the buyer paid, shipping included.")
    def total(self) -> Money:
        return sure(self.of.total)

    @strawberry.field(description="In the marketplace's order.")
    def lines(self) -> list[OrderLine]:
        return [order_line(line) for line in self.of.lines]

    @strawberry.field(description="What the seller gave back unasked, latest first, at most a hundred.")
    async def refunds(self) -> list[Annotated[SellerRefund, strawberry.lazy(".seller_refunds")]]:
        from .seller_refunds import seller_refund

        found = await self.context.loaders.seller_refunds.load(self.of.id)
        return [seller_refund(self.context, of, self.of) for of in found]

    @strawberry.field(
        description="The requests on this order that the caller may see, newest first.", directives=[PAGE]
    )
    async def requests(
        self, first: int = 20, after: Cursor | None = None
    ) -> Annotated[RequestConnection, strawberry.lazy(".connections")]:
        from .connections import requests_of_order

        return await requests_of_order(self.context, self.of.id, first, after)


def _locale(given: str | None) -> Locale:
    try:
        return Locale.parse((given or "en").replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale("en")


def _pattern(spoken: Locale, decimals: int) -> NumberPattern:
    """How the locale writes money, with the decimals of our own table: CLDR still gives the rupiah two."""
    pattern: NumberPattern = copy.copy(spoken.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    return pattern


def shop(context: Context, of: vocabulary.Shop) -> Shop:
    if (known := context.cache.get(("shop", of.id))) is None:
        known = context.cache["shop", of.id] = Shop(
            id=strawberry.ID(of.id), name=of.name, market=of.market, kind=of.kind, timezone=of.timezone
        )
    return known


def order(context: Context, of: vocabulary.Order) -> Order:
    return Order(
        of=of, context=context, id=strawberry.ID(of.id), number=of.number, state=of.state, placed_at=of.placed_at,
        delivered_at=of.delivered_at, stub=of.stub,
    )  # fmt: skip


def order_line(of: vocabulary.OrderLine) -> OrderLine:
    return OrderLine(
        id=strawberry.ID(of.id), sku_id=of.sku_id, product_name=of.product_name,
        variation_name=of.variation_name, category=of.category, quantity=of.quantity, unit_paid=sure(of.unit_paid),
        returnable=of.returnable,
    )  # fmt: skip

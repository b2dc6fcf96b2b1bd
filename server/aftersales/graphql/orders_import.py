"""Orders come in: each row of the call judged for itself, and the call remembered by its key."""

from __future__ import annotations

from collections.abc import Iterator

import strawberry
from strawberry.dataloader import DataLoader

from ..audit import audited
from ..engine import refusal
from ..engine.refusal import Refused
from ..engine.rights import may_see
from ..engine.vocabulary import Order
from ..marketplace.importing import Outcome, RowResult, as_they_are, import_rows, may_import, may_import_for
from ..marketplace.rows import Row, order_row, shop_row
from ..store.keys import Key
from ..store.ledger import KeyTaken
from ..store.marketplace import remember
from .context import Context, Info
from .keys import at_most, key_of, reused, unfit_call
from .order_inputs import OrdersImportInput, plain
from .orders import Order as OrderType
from .orders import order as order_type
from .problems import Problem, told

MOST_ORDERS = 100
MOST_SHOPS = 100

strawberry.enum(Outcome, name="ImportOutcome", description="What this call did with a row; UNCHANGED when replayed.")


@strawberry.type(description="What became of one shop.")
class ShopImportResult:
    index: int = strawberry.field(description="Of the shop in `input.shops`.")
    outcome: Outcome = strawberry.field(description="Whether it was written.")
    problems: list[Problem] = strawberry.field(description="Why it was refused.")


@strawberry.type(description="What became of one order.")
class OrderImportResult:
    context: strawberry.Private[Context]
    orders: strawberry.Private[DataLoader[str, Order | None]]
    order_id: strawberry.Private[str | None]
    index: int = strawberry.field(description="Of the order in `input.orders`.")
    number: str = strawberry.field(description="As it was given.")
    outcome: Outcome = strawberry.field(description="Whether it was written.")
    problems: list[Problem] = strawberry.field(description="Why it was refused.")

    @strawberry.field(description="The order as it is now; null if there is none that the caller may see.")
    async def order(self) -> OrderType | None:
        found = await self.orders.load(self.order_id) if self.order_id else None
        return order_type(self.context, found) if found else None


@strawberry.type(
    description="A refused row changes nothing and does not stop the others. `problems` are of the whole call."
)
class OrdersImportPayload:
    shops: list[ShopImportResult] = strawberry.field(description="One for each shop, in their order.")
    results: list[OrderImportResult] = strawberry.field(description="One for each order, in their order.")
    problems: list[Problem] = strawberry.field(description="What is wrong with the whole call.")
    replayed: bool = strawberry.field(description="True when the key was used before: then nothing was done again.")


async def import_orders(info: Info, input: OrdersImportInput) -> OrdersImportPayload:
    context, key = info.context, key_of(info, input)
    try:
        if problems := (*may_import(context.actor), *unfit_call(input), *_too_many(input)):
            raise Refused(problems)
        replayed = await _used_before(context, key)
    except Refused as refused:
        told_all = await told(context, refused.problems, None)
        return OrdersImportPayload(shops=[], results=[], problems=told_all, replayed=False)
    shops, orders = await _brought(context, input, write=not replayed)
    if not replayed:
        await _keep(context, key)
        audited(context.actor, "ordersImport", f"{_written(shops)} shops and {_written(orders)} orders written")
    return await _payload(context, shops, orders, replayed=replayed)


def _written(rows: list[RowResult]) -> int:
    return sum(row.outcome in (Outcome.CREATED, Outcome.UPDATED) for row in rows)


def _too_many(input: OrdersImportInput) -> Iterator[refusal.Problem]:
    yield from at_most(MOST_ORDERS, input.orders, "orders")
    yield from at_most(MOST_SHOPS, input.shops, "shops")


async def _used_before(context: Context, key: Key) -> bool:
    """
    Raises:
        Refused: KEY_REUSED.
    """
    found = await context.desk.ledger.remembered(key, context.now - key.lifetime)
    if found and found.fingerprint != key.fingerprint:
        raise Refused([reused(found.created_at)])
    return found is not None


async def _keep(context: Context, key: Key) -> None:
    # after the import, not with it: cut off in between, the retry finds everything unchanged
    try:
        await remember(context.desk.ledger.database, key, context.now)
    except KeyTaken:
        # the same call at the same time has remembered it; one of the two has changed nothing
        return


async def _brought(
    context: Context, input: OrdersImportInput, *, write: bool
) -> tuple[list[RowResult], list[RowResult]]:
    ledger, now, may = context.desk.ledger, context.now, may_import_for(context.actor)
    shops = [shop_row(plain(shop), index, f"shops.{index}") for index, shop in enumerate(input.shops)]
    orders = [
        order_row(plain(order), index, f"orders.{index}", ledger.digits, now)
        for index, order in enumerate(input.orders)
    ]

    async def bring(rows: list[Row]) -> list[RowResult]:
        return await import_rows(ledger, rows, now, may) if write else await as_they_are(ledger, rows, may)

    return await bring(shops), await bring(orders)


async def _payload(
    context: Context, shops: list[RowResult], orders: list[RowResult], *, replayed: bool
) -> OrdersImportPayload:
    context.forget()
    loader = DataLoader(load_fn=lambda ids: _visible(context, ids))
    return OrdersImportPayload(
        shops=[
            ShopImportResult(index=row.place, outcome=row.outcome, problems=await told(context, row.problems, None))
            for row in shops
        ],
        results=[
            OrderImportResult(
                context=context, orders=loader, order_id=row.id, index=row.place, number=row.name, outcome=row.outcome,
                problems=await told(context, row.problems, None),
            )
            for row in orders
        ],
        problems=[],
        replayed=replayed,
    )  # fmt: skip


async def _visible(context: Context, ids: list[str]) -> list[Order | None]:
    found = await context.desk.ledger.orders(ids)
    seen = {id: order for id, order in found.items() if may_see(context.actor, order.shop.id, order.buyer_id)}
    return [seen.get(id) for id in ids]

"""A whole server in the process of a test: its database a file that goes with it, its clock and its bank the test's."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import strawberry

from ..engine.money import Money
from ..engine.request import Request
from ..engine.vocabulary import Actor, Order, OrderState, Party, Shop, ShopKind
from ..graphql.context import context_for
from ..graphql.documents import Documents
from ..graphql.operations import Operations
from ..graphql.schema import build_schema
from ..registry import Plugin, Registry
from ..running import Running, build
from ..settings import Settings
from ..store.imports import ImportedLine, ImportedOrder
from . import places
from .fakes import Bank, FakeClock, Shelf

SHOP = Shop("sh_1", "Toko", "ID", ShopKind.MALL, "Asia/Jakarta")
ALL = frozenset({"*"})

BUYER = Actor(Party.BUYER, "by_1")
SELLER = Actor(Party.SELLER, "st_1", frozenset({SHOP.id}), ALL)
AGENT = Actor(Party.PLATFORM, "ag_1", grants=ALL)
CARRIER = Actor(Party.CARRIER, "ca_1")


@dataclass
class Home:
    """What `house` gives: the running server, and short ways to bring orders in, to ask, and to let time go by."""

    running: Running
    clock: FakeClock
    bank: Bank
    shelf: Shelf

    @cached_property
    def operations(self) -> Operations:
        return operations_of(self.running.registry)

    async def ask(self, document: str, actor: Actor | None, **variables: Any) -> dict[str, Any]:
        """The answer to a query or a mutation. Mistakes in asking fail the test; problems are part of the answer."""
        context = context_for(self.running.house, actor, "en")
        result = await self.operations.execute(self.operations.prepare(document, None, variables), context)
        assert not result.errors, result.errors
        assert result.data is not None
        return result.data

    async def follow(self, document: str, actor: Actor, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
        """The answers to a subscription."""
        context = context_for(self.running.house, actor, "en")
        answers = await self.operations.subscribe(self.operations.prepare(document, None, variables), context)
        assert isinstance(answers, AsyncGenerator), answers
        async with aclosing(answers):
            async for answer in answers:
                assert not answer.errors, answer.errors
                yield answer.data or {}

    async def order(
        self,
        *lines: ImportedLine,
        number: str = "1001",
        state: OrderState = OrderState.DELIVERED,
        shop: Shop = SHOP,
        buyer_id: str = BUYER.id,
        buyer_name: str | None = None,
        shipping: int = 0,
        total: int | None = None,
    ) -> Order:
        """An order that came in from the marketplace, delivered a day ago unless it is on its way.

        Args:
            total: what was paid for it in all; None: for its lines and the shipping.
        """
        lines = lines or (line(),)
        arrived = self.clock() - timedelta(days=1) if state is OrderState.DELIVERED else None
        paid = sum((each.unit_paid.amount * each.quantity + each.tax.amount for each in lines), Decimal(shipping))
        paid = paid if total is None else Decimal(total)
        imported = ImportedOrder(
            shop.id, number, buyer_id, "IDR", state, self.clock() - timedelta(days=5), arrived,
            Money(paid, "IDR"), idr(shipping), lines, buyer_name,
        )  # fmt: skip
        ledger = self.running.desk.ledger
        await ledger.import_shops([shop])
        await ledger.import_orders([imported], self.clock())
        order = await ledger.order(imported.id)
        assert order is not None
        return order

    async def request(self, request_id: str) -> Request:
        """The request as it stands."""
        request = await self.running.desk.ledger.request(request_id)
        assert request is not None
        return request

    async def pass_time(self, **span: float) -> None:
        """Let time go by as it does for a server that is awake: each clock acts at its own instant."""
        until = self.clock() + timedelta(**span)
        await self.running.tender.tend()
        while (at := await self.running.tender.next_instant()) is not None and at <= until:
            self.clock.now = max(at, self.clock.now)
            await self.running.tender.tend()
        self.clock.now = until


@asynccontextmanager
async def house(
    path: Path | None = None,
    *,
    plugins: Sequence[object] = (),
    policies: Path | None = None,
    only: frozenset[str] | None = None,
    clock: FakeClock | None = None,
    bank: Bank | None = None,
    shelf: Shelf | None = None,
) -> AsyncIterator[Home]:
    """A server with all installed plugins. Streams run; time acts only when the test lets it.

    Args:
        path: of its database, made if there is none; else one that is thrown away.
        plugins: more of them, as objects with hooks.
        policies: a folder of them, read beside ours.
        only: the installed plugins that it runs, as `AFTERSALES_PLUGINS` does; None: all.
    """
    clock, bank, shelf = clock or FakeClock(), bank or Bank(), shelf or Shelf()
    beside = (bank, *plugins, shelf)
    given = [Plugin(f"{type(plugin).__name__}_{index}", "0", plugin) for index, plugin in enumerate(beside)]
    with TemporaryDirectory() as folder:
        path = path or Path(folder) / "aftersales.sqlite3"
        settings = Settings(
            database=await places.place(path), evidence=f"file://{path.with_suffix('.evidence')}", heartbeat_seconds=1,
            policies=policies, plugins=only,
        )  # fmt: skip
        running = await build(settings, clock=clock, plugins=given)
        await running.house.feed.begin()
        feed = asyncio.create_task(running.house.feed.run())
        try:
            yield Home(running, clock, bank, shelf)
        finally:
            feed.cancel()
            with suppress(asyncio.CancelledError):
                await feed
            await running.close()


def line(quantity: int = 1, paid: int = 100_000, **changes: Any) -> ImportedLine:
    """A line of an order, in rupiahs. `paid` is for each unit."""
    return ImportedLine(**{
        "sku_id": "sku_1", "product_name": "Headset", "quantity": quantity, "unit_paid": idr(paid), "tax": idr(0),
        "platform_discount": idr(0), "seller_discount": idr(0), **changes,
    })  # fmt: skip


def idr(amount: int) -> Money:
    return Money(Decimal(amount), "IDR")


def operations_of(registry: Registry) -> Operations:
    """What a server with these plugins can be asked. Schema and documents are shared with all who have the same."""
    with_types = (plugin for plugin in registry.plugins if plugin.types)
    schema, documents = _known(tuple(replace(plugin, types=()) for plugin in with_types))
    operations = Operations(schema)
    operations.documents = documents
    return operations


@lru_cache(maxsize=8)
def _known(plugins: tuple[Plugin, ...]) -> tuple[strawberry.Schema, Documents]:
    """The same plugins make the same schema. Making it and reading documents takes longer than all else of a house."""
    schema = build_schema(Registry(plugins))
    return schema, Operations(schema).documents

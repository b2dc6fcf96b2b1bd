"""A whole server in process: a real database, real plugins, a clock that stands until it is set."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from graphql import ExecutionResult

from aftersales.engine.money import Money
from aftersales.engine.vocabulary import Actor, OrderState, Party, Shop, ShopKind
from aftersales.graphql.context import context_for
from aftersales.hookspecs import Payment, PaymentOutcome, hookimpl
from aftersales.registry import Plugin
from aftersales.running import Running, build
from aftersales.settings import Settings
from aftersales.store.imports import ImportedLine, ImportedOrder, order_line_id
from aftersales.testing import places
from aftersales.testing.house import operations_of

# A Monday, 10:00 in Jakarta.
MONDAY = datetime(2025, 3, 3, 3, 0, tzinfo=UTC)

JAKARTA = Shop("sh_jakarta", "Toko Jakarta", "ID", ShopKind.NON_MALL, "Asia/Jakarta")
BANGKOK = Shop("sh_bangkok", "Bangkok Store", "TH", ShopKind.MALL, "Asia/Bangkok")

BUYER = Actor(Party.BUYER, "by_ani")
OTHER_BUYER = Actor(Party.BUYER, "by_budi")
SELLER = Actor(Party.SELLER, "st_owner", frozenset({JAKARTA.id}), frozenset({"*"}))
OTHER_SELLER = Actor(Party.SELLER, "st_other", frozenset({BANGKOK.id}), frozenset({"*"}))
AGENT = Actor(Party.PLATFORM, "ag_dewi")
CARRIER = Actor(Party.CARRIER, "ca_feed")

PAYLOAD = """
    replayed
    request { id number version status stage { handle } }
    problems { __typename code message path retryable }
"""

# Mutations that share an input type.
INPUTS = {
    **dict.fromkeys(("requestCancel", "requestPlatformApprove", "requestRefundWithoutReturn"), "RequestActInput"),
    **dict.fromkeys(("requestRetryRefund", "requestClose"), "RequestActInput"),
    **dict.fromkeys(("returnMarkReceived", "returnAcceptPackage"), "RequestActInput"),
    **dict.fromkeys(("requestEdit", "requestResubmit"), "RequestReplaceInput"),
    "returnUploadTracking": "TrackingInput",
}


def staff(*grants: str) -> Actor:
    return Actor(Party.SELLER, "st_clerk", frozenset({JAKARTA.id}), frozenset(grants))


class StandingClock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


class PaysAtOnce:
    """A gateway with a ledger of its own: what it has paid, it has paid once."""

    def __init__(self) -> None:
        self.paid: dict[str, Payment] = {}

    async def pay(self, payment: Payment) -> PaymentOutcome:
        self.paid.setdefault(payment.id, payment)
        return PaymentOutcome.PAID

    async def find(self, payment_id: str) -> PaymentOutcome:
        return PaymentOutcome.PAID if payment_id in self.paid else PaymentOutcome.FAILED

    @hookimpl
    def aftersales_refund_gateway(self, shop: Shop) -> "PaysAtOnce":
        return self


class Server:
    """What a test asks and moves."""

    def __init__(self, running: Running, clock: StandingClock, gateway: PaysAtOnce) -> None:
        self.running = running
        self.clock = clock
        self.gateway = gateway
        self.operations = operations_of(running.registry)
        self.keys = 0

    async def run(self, document: str, actor: Actor | None, language: str = "en", **variables: Any) -> ExecutionResult:
        prepared = self.operations.prepare(document, None, variables)
        return await self.operations.execute(prepared, context_for(self.running.house, actor, language))

    async def ask(self, document: str, actor: Actor | None, language: str = "en", **variables: Any) -> Any:
        """The data of an operation that must succeed."""
        result = await self.run(document, actor, language, **variables)
        assert result.errors is None, result.errors
        return result.data

    async def follow(self, document: str, actor: Actor, **variables: Any) -> AsyncIterator[ExecutionResult]:
        prepared = self.operations.prepare(document, None, variables)
        stream = await self.operations.subscribe(prepared, context_for(self.running.house, actor, "en"))
        assert not isinstance(stream, ExecutionResult), stream.errors
        return stream

    async def do(self, mutation: str, actor: Actor, fields: str = "", **input: Any) -> Any:
        """One mutation about a request, with a new key unless one is given."""
        self.keys += 1
        input.setdefault("idempotencyKey", f"key-{self.keys}")
        type = INPUTS.get(mutation, mutation[0].upper() + mutation[1:] + "Input")
        document = f"mutation($input: {type}!) {{ {mutation}(input: $input) {{ {fields or PAYLOAD} }} }}"
        return (await self.ask(document, actor, input=input))[mutation]

    async def time_passes(self, **span: float) -> None:
        self.clock.passes(**span)
        await self.running.tender.tend()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    path, gateway, clock = tmp_path / "server.sqlite3", PaysAtOnce(), StandingClock(MONDAY)
    evidence = f"file://{path.with_suffix('.evidence')}"
    settings = Settings(database=await places.place(path), evidence=evidence, heartbeat_seconds=1.0)
    running = await build(settings, clock=clock, plugins=[Plugin("test", "1.0", gateway)])
    await running.desk.ledger.import_shops([JAKARTA, BANGKOK])
    yield Server(running, clock, gateway)
    await running.close()


def rupiah(amount: int) -> Money:
    return Money(Decimal(amount), "IDR")


Bring = Callable[..., Awaitable[ImportedOrder]]


@pytest.fixture
def bring(server: Server) -> Bring:
    """Imports an order: two headsets at 100.000, a cable at 50.000, shipping 10.000, delivered yesterday."""

    async def imported(
        number: str = "1001",
        shop: Shop = JAKARTA,
        buyer: Actor = BUYER,
        state: OrderState = OrderState.DELIVERED,
        delivered: datetime | None = MONDAY - timedelta(days=1),
        lines: tuple[ImportedLine, ...] | None = None,
    ) -> ImportedOrder:
        zero = rupiah(0)
        lines = lines or (
            ImportedLine("sku-headset", "Headset", 2, rupiah(100_000), zero, zero, zero, category="electronics"),
            ImportedLine("sku-cable", "Cable", 1, rupiah(50_000), zero, zero, zero),
        )
        paid = sum((line.unit_paid.amount * line.quantity for line in lines), Decimal(10_000))
        order = ImportedOrder(
            shop.id, number, buyer.id, "IDR", state, MONDAY - timedelta(days=4),
            delivered if state is OrderState.DELIVERED else None, Money(paid, "IDR"), rupiah(10_000), lines, "Ani",
        )  # fmt: skip
        await server.running.desk.ledger.import_orders([order], server.clock())
        return order

    return imported


def line(order: ImportedOrder, position: int = 0, quantity: int = 1) -> dict[str, Any]:
    return {"orderLineId": order_line_id(order.id, position), "quantity": quantity}


Open = Callable[..., Awaitable[Any]]


@pytest.fixture
def opened(server: Server, bring: Bring) -> Open:
    """A request that stands, by the way of its own mutation; answers with the payload's request."""

    async def open(
        kind: str = "refundOnly", number: str = "1001", buyer: Actor = BUYER, shop: Shop = JAKARTA, **input: Any
    ) -> Any:
        order = await bring(number, shop, buyer)
        reason = {"refundOnly": "not_received", "returnRefund": "wrong_size"}[kind]
        claim = {"orderId": order.id, "lines": [line(order)], "reason": reason} | input
        payload = await server.do(f"{kind}Open", buyer, **claim)
        assert payload["problems"] == [], payload
        return payload["request"]

    return open

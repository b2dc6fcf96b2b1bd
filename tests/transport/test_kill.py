"""`kill -9` in the midst of mutations and of the tender: nothing acknowledged is lost, nothing fires or pays twice."""

import asyncio
import random
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.processes import Process, telling
from tests.transport.mortal import BASE, SPEED

from aftersales.engine.money import Money
from aftersales.engine.vocabulary import OrderState, Shop, ShopKind
from aftersales.markets import digits
from aftersales.settings import DEVELOPMENT_SECRET
from aftersales.store.imports import ImportedLine, ImportedOrder, order_line_id
from aftersales.store.ledger import Ledger
from aftersales.store.urls import open_database
from aftersales.testing import places
from aftersales.transport.tokens import mint

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "schema" / "operations"
ORDERS, CLIENTS, DEATHS = 90, 6, 4
# What one who died was about to pay waits for as long, where processes share a record. At the usual minute that alone
# takes longer than all the rest; at this it is still longer than a payment takes.
LEASE_SECONDS = 3
SHOP = Shop("sh_mortal", "Mortal", "ID", ShopKind.MALL, "Asia/Jakarta")

Ask = Callable[[str], list[Any]]


async def recorded(folder: Path) -> str:
    """Where the record is."""
    return await places.place(folder / "record.sqlite3")


async def prepare(folder: Path) -> list[ImportedOrder]:
    database = await open_database(await recorded(folder))
    ledger = Ledger(database, lambda kind, stage: None, digits)
    await ledger.import_shops([SHOP])
    zero, price = Money(Decimal(0), "IDR"), Money(Decimal(1000), "IDR")
    # how long there is to ask is not at stake here, and on a busy machine two weeks pass before all have asked
    placed, delivered = BASE - timedelta(days=2), BASE + timedelta(days=30)
    orders = [
        ImportedOrder(
            SHOP.id, str(number), "by_ani", "IDR", OrderState.DELIVERED, placed, delivered, price, zero,
            (ImportedLine("sku", "Thing", 1, price, zero, zero, zero),),
        )
        for number in range(ORDERS)
    ]  # fmt: skip
    await ledger.import_orders(orders, BASE)
    await database.close()
    return orders


@dataclass
class Mortal:
    """The server process, and what it has promised so far."""

    folder: Path
    port: int
    began: float = field(default_factory=time.time)
    process: Process | None = None
    life: ExitStack = field(default_factory=ExitStack)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def live(self) -> None:
        life = telling(
            "tests.transport.mortal", str(self.folder), await recorded(self.folder), str(self.port), str(self.began),
            str(SPEED), str(LEASE_SECONDS),
        )  # fmt: skip
        self.process, lines = self.life.enter_context(life)
        async with asyncio.timeout(30):
            first = await asyncio.to_thread(lines.readline)
        assert first.startswith("ready"), first
        self.up.set()

    async def die(self) -> None:
        assert self.process is not None
        self.up.clear()
        self.process.kill()
        await asyncio.to_thread(self.process.wait)


@asynccontextmanager
async def mortal(folder: Path, port: int) -> AsyncIterator[Mortal]:
    server = Mortal(folder, port)
    with server.life:
        await server.live()
        yield server


def token(party: str, sub: str, **more: Any) -> dict[str, str]:
    claims = {"sub": sub, "party": party, **more}
    return {"authorization": f"Bearer {mint(DEVELOPMENT_SECRET, claims, timedelta(hours=1), now=datetime.now(UTC))}"}


BUYER, SELLER = token("buyer", "ani"), token("seller", "owner", shops=["mortal"], grants=["*"])


async def insist(server: Mortal, http: httpx.AsyncClient, name: str, who: dict[str, str], input: dict[str, Any]) -> Any:
    """Send the same with the same key until there is an answer, whoever dies in between."""
    document = (OPERATIONS / f"{name}.graphql").read_text()
    while True:
        await server.up.wait()
        try:
            answer = await http.post("/graphql", json={"query": document, "variables": {"input": input}}, headers=who)
            answer.raise_for_status()
        except httpx.HTTPError:
            # dead, or dying: whether it was done, only the same key can tell
            await asyncio.sleep(0)
            continue
        [payload] = answer.json()["data"].values()
        server.acknowledged[input["idempotencyKey"]] = payload
        return payload


async def client(server: Mortal, http: httpx.AsyncClient, orders: list[ImportedOrder], chance: random.Random) -> None:
    for order in orders:
        claim = {
            "idempotencyKey": f"open-{order.number}", "orderId": order.id, "reason": "not_received",
            "lines": [{"orderLineId": order_line_id(order.id, 0), "quantity": 1}],
        }  # fmt: skip
        payload = await insist(server, http, "RefundOnlyOpen", BUYER, claim)
        assert payload["problems"] == []
        if chance.random() < 0.5:
            decision = {
                "idempotencyKey": f"yes-{order.number}",
                "requestId": payload["request"]["id"],
                "expectedVersion": 1,
            }
            payload = await insist(server, http, "RefundOnlyApprove", SELLER, decision)
            # silence may have been faster
            assert {problem["code"] for problem in payload["problems"]} <= {"VERSION_CONFLICT", "DEADLINE_PASSED"}


async def until(condition: Any, seconds: float) -> None:
    """Asked again and again, on a thread so that the clients go on."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):
            pass


@pytest.mark.usefixtures("_own_databases")
async def test_whatever_dies_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path, unused_tcp_port: int) -> None:
    orders = await prepare(tmp_path)
    chance = random.Random(7)
    async with (
        mortal(tmp_path, unused_tcp_port) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}", timeout=10) as http,
    ):
        clients = [
            asyncio.create_task(client(server, http, orders[number::CLIENTS], random.Random(number)))
            for number in range(CLIENTS)
        ]
        for _ in range(DEATHS):
            promised = len(server.acknowledged) + chance.randint(8, 25)
            await until(lambda: len(server.acknowledged) >= promised or all(task.done() for task in clients), 60)  # noqa: B023
            await server.die()
            await server.live()
        await asyncio.gather(*clients)
        record = await recorded(tmp_path)
        with reading(record) as ask:
            await until(lambda: all_ended(ask), 60)

    check(record, tmp_path, server.acknowledged)


@contextmanager
def reading(url: str) -> Iterator[Ask]:
    """By one connection for all that is asked: to be let in takes longer than an answer."""
    if url.startswith("postgres"):
        with psycopg.connect(url, autocommit=True) as server:
            yield lambda sql: server.execute(sql.encode()).fetchall()
        return
    file = f"{Path(url.removeprefix('sqlite://')).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(file, uri=True, check_same_thread=False)) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


def rows(url: str, sql: str) -> list[Any]:
    with reading(url) as ask:
        return ask(sql)


def all_ended(ask: Ask) -> bool:
    counted = "SELECT COUNT(*), COUNT(*) FILTER (WHERE status = 'COMPLETED') FROM requests"
    return ask(counted) == [(ORDERS, ORDERS)]


def check(record: str, folder: Path, acknowledged: dict[str, dict[str, Any]]) -> None:
    versions = dict(rows(record, "SELECT id, version FROM requests"))
    events = rows(record, "SELECT request_id, sequence, version, type, rule FROM events ORDER BY request_id, sequence")
    refunds = rows(record, "SELECT id, request_id, status FROM refunds")
    paid = rows(f"sqlite://{folder / 'provider.sqlite3'}", "SELECT id, request_id FROM payments")

    # nothing that was acknowledged is missing, and no key made two requests
    for key, payload in acknowledged.items():
        assert versions[payload["request"]["id"]] >= payload["request"]["version"], key
    assert len(versions) == ORDERS
    # nothing fired twice: one approval, by a person or by silence, and one end of each clock
    for type in ("RequestApproved", "RequestCompleted", "RefundCreated", "RefundPaid"):
        assert Counter(event[0] for event in events if event[3] == type) == Counter(versions.keys()), type
    assert {event[4] for event in events if event[3] == "RequestApproved"} == {"RO1", "C17"}
    # nothing paid twice, and the provider knows what we know
    assert {(id, request) for id, request, status in refunds if status == "PAID"} == set(paid)
    assert len(paid) == ORDERS
    # both numberings are without a gap
    for request_id in versions:
        assert [event[1] for event in events if event[0] == request_id] == list(
            range(1, sum(event[0] == request_id for event in events) + 1)
        )
    positions = [position for (position,) in rows(record, "SELECT position FROM events ORDER BY position")]
    assert positions == list(range(1, len(positions) + 1))

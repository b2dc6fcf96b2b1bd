"""PostgreSQL slow, silent or gone: everybody hears so in time, and all goes on by itself once it is back."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    parse,
    type_from_ast,
)
from graphql.language import OperationDefinitionNode
from tests.graphql.server import BUYER, JAKARTA, MONDAY, PaysAtOnce, StandingClock
from tests.processes import run
from tests.store.wire import Wire
from tests.transport.test_kill import token
from tests.transport.test_live import by_events, by_socket
from tests.transport.world import listening

from aftersales.asgi import create_app
from aftersales.engine.money import Money
from aftersales.engine.vocabulary import OrderState
from aftersales.evidence.addresses import Use
from aftersales.graphql.schema import build_schema
from aftersales.registry import Plugin
from aftersales.running import Running, build
from aftersales.settings import Settings
from aftersales.store.imports import ImportedLine, ImportedOrder, order_line_id
from aftersales.testing import places

pytestmark = [pytest.mark.engine("postgres"), pytest.mark.usefixtures("_own_databases")]

ROOT = Path(__file__).parents[2]
OPERATIONS = {path.stem: path.read_text() for path in sorted((ROOT / "schema" / "operations").glob("*.graphql"))}
STREAMED = "RequestStream"
# What a server knows by itself.
KNOWN = {
    "typename": "{ __typename }",
    "schema": "{ __schema { queryType { name } } }",
    "Plugins": OPERATIONS["Plugins"],
}
PASSING = {"BUSY", "OUTCOME_UNKNOWN"}
AGENT, ANI = token("platform", "dewi"), token("buyer", "ani")
OWNER = token("seller", "owner", shops=["jakarta"], grants=["*"])


@dataclass
class Far:
    """A server whose database is at the other end of a wire."""

    url: str
    http: httpx.AsyncClient
    wire: Wire
    running: Running
    clock: StandingClock

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def ask(self, document: str, who: dict[str, str], **variables: Any) -> httpx.Response:
        body = {"query": document, "variables": variables}
        return await self.http.post("/graphql", json=body, headers=who)

    async def until(self, status: int, seconds: float) -> None:
        """Until it is ready, or is not."""
        async with asyncio.timeout(seconds):
            while (await self.http.get("/readyz")).status_code != status:
                continue

    async def orders(self, count: int) -> list[ImportedOrder]:
        zero, price = Money(Decimal(0), "IDR"), Money(Decimal(1000), "IDR")
        orders = [
            ImportedOrder(
                JAKARTA.id, str(number), BUYER.id, "IDR", OrderState.DELIVERED, MONDAY, MONDAY, price, zero,
                (ImportedLine("sku", "Thing", 1, price, zero, zero, zero),),
            )
            for number in range(count)
        ]  # fmt: skip
        await self.running.desk.ledger.import_orders(orders, MONDAY)
        return orders


@asynccontextmanager
async def far(tmp_path: Path, **options: Any) -> AsyncIterator[Far]:
    clock = StandingClock(MONDAY)
    async with Wire(await places.place(tmp_path / "gone.sqlite3")) as wire:
        settings = Settings(database=wire.url, evidence=f"file://{tmp_path / 'gone.evidence'}", **options)
        running = await build(settings, clock=clock, plugins=[Plugin("test", "1.0", PaysAtOnce())])
        await running.desk.ledger.import_shops([JAKARTA])
        async with (
            listening(create_app(running)) as url,
            httpx.AsyncClient(base_url=url, timeout=30, limits=httpx.Limits(max_connections=200)) as http,
        ):
            yield Far(url, http, wire, running, clock)
            await wire.cut()
            await wire.mend()


def variables(schema: GraphQLSchema, document: str) -> dict[str, Any]:
    """Something for all that must be given."""
    operation = next(node for node in parse(document).definitions if isinstance(node, OperationDefinitionNode))
    types = {
        node.variable.name.value: type_from_ast(schema, node.type) for node in operation.variable_definitions or ()
    }
    return {name: something(type.of_type) for name, type in types.items() if isinstance(type, GraphQLNonNull)}


def something(type: Any) -> Any:
    match type:
        case GraphQLNonNull():
            return something(type.of_type)
        case GraphQLList():
            return [something(type.of_type)]
        case GraphQLEnumType():
            return next(iter(type.values))
        case GraphQLInputObjectType():
            if type.is_one_of:
                name, field = next(iter(type.fields.items()))
                return {name: something(field.type)}
            needed = {name: field.type for name, field in type.fields.items() if isinstance(field.type, GraphQLNonNull)}
            return {name: something(kind) for name, kind in needed.items()}
    return SCALARS[type.name]


SCALARS: dict[str, Any] = {
    "ID": "rq_0197a000000070008000000000000000", "String": "one", "Int": 1, "Boolean": True, "Float": 1.0,
    "Decimal": "1", "CurrencyCode": "IDR", "DateTime": "2025-03-03T03:00:00Z", "URL": "https://files.example/a.png",
    "MarketCode": "ID", "CountryCode": "ID",
}  # fmt: skip


async def ask_all(server: Far) -> dict[str, tuple[httpx.Response, float]]:
    """Every published operation, each by somebody else; a few at once, so that none waits for this machine."""
    places = asyncio.Semaphore(4)
    schema = build_schema(server.running.registry)._schema

    async def one(name: str, document: str) -> tuple[httpx.Response, float]:
        who, given = token("platform", name), variables(schema, document)
        async with places:
            began = time.monotonic()
            return await server.ask(document, who, **given), time.monotonic() - began

    documents = {name: text for name, text in (OPERATIONS | KNOWN).items() if name != STREAMED}
    answers = await asyncio.gather(*(one(name, text) for name, text in documents.items()))
    return dict(zip(documents, answers, strict=True))


def codes(answer: httpx.Response) -> set[str]:
    return {error["extensions"]["code"] for error in answer.json().get("errors", [])}


@pytest.mark.quiet
@pytest.mark.parametrize("how", ["silent", "gone"])
async def test_every_operation_hears_in_time_that_it_must_come_again(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with far(tmp_path) as server:
        before = await ask_all(server)
        if how == "silent":
            server.wire.dumb = True
        else:
            await server.wire.cut()
        caplog.clear()
        began = time.monotonic()
        first, second = await ask_all(server), await ask_all(server)
        alive = await server.http.get("/healthz")
        await server.until(503, 5)
        lasted = time.monotonic() - began
        said = [record for record in caplog.records if record.levelno >= logging.WARNING]
        if how == "silent":
            await server.wire.cut()
        await server.wire.mend()
        await server.until(200, 6)
        after = await ask_all(server)

    assert max(seconds for _, seconds in first.values()) < 5
    # now that it is known to be away
    assert max(seconds for _, seconds in second.values()) < 1
    for name, (answer, _) in (*first.items(), *second.items()):
        if codes(answer) & PASSING:
            told = answer.status_code, answer.headers.get("retry-after"), codes(answer) - PASSING
            assert told == (503, "1", set()), (name, answer.text)
        else:
            # it is known without the database, or wrong by itself
            assert answer.json().get("data") == before[name][0].json().get("data"), name
    assert all(not codes(answers[name][0]) for answers in (first, second) for name in KNOWN)
    busy = [name for name, (answer, _) in second.items() if codes(answer) == {"BUSY"}]
    assert len(busy) > len(OPERATIONS) / 2, busy
    assert alive.status_code == 200
    assert all(record.exc_info is None or "feed" in record.name for record in said), [r.getMessage() for r in said]
    assert len(said) < 5 + 2 * lasted, [record.getMessage() for record in said]
    assert {name: codes(answer) for name, (answer, _) in after.items()} == {
        name: codes(answer) for name, (answer, _) in before.items()
    }


@pytest.mark.quiet
async def test_an_operation_of_several_batches_does_not_wait_for_each(tmp_path: Path) -> None:
    async with far(tmp_path) as server:
        [order] = await server.orders(1)
        claim = {
            "idempotencyKey": "one", "orderId": order.id, "reason": "not_received",
            "lines": [{"orderLineId": order_line_id(order.id, 0), "quantity": 1}],
        }  # fmt: skip
        # one batch has time, a second has not
        server.wire.late = 2.5
        began = time.monotonic()
        answer = await server.ask(OPERATIONS["RefundOnlyOpen"], ANI, input=claim)
        took = time.monotonic() - began
        server.wire.late = 0.0
        await server.until(200, 6)
        again = await server.ask(OPERATIONS["RefundOnlyOpen"], ANI, input=claim)

    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1"), (answer.text, took)
    assert codes(answer) <= PASSING
    assert took < 5
    # whatever came of it, the same key settles it
    assert again.json()["data"]["refundOnlyOpen"]["problems"] == []


async def test_beyond_the_queue_it_is_told_at_once(tmp_path: Path) -> None:
    async with far(tmp_path, database_connections=1, database_waiting=3) as server:
        count = OPERATIONS["Counts"]
        schema = build_schema(server.running.registry)._schema
        await server.ask(count, AGENT, **variables(schema, count))
        server.wire.dumb = True
        waiting = [
            asyncio.create_task(server.ask(count, token("platform", str(number)), **variables(schema, count)))
            for number in range(30)
        ]
        async with asyncio.timeout(2):
            told, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            while len(told := {task for task in waiting if task.done()}) < 20:
                await asyncio.wait(set(waiting) - told, return_when=asyncio.FIRST_COMPLETED)
        answers = [task.result() for task in told]
        await asyncio.wait(waiting)

    assert {(answer.status_code, answer.headers.get("retry-after")) for answer in answers} == {(503, "1")}


async def heard(items: AsyncIterator[Any], wanted: set[str]) -> tuple[list[Any], set[str]]:
    """Until the requests are all told of as approved; which they are, and what was said."""
    said, left = [], set(wanted)
    async for item in items:
        said.append(item)
        if item.get("event", {}).get("type") == "RequestApproved":
            left.discard(item["request"]["id"])
        if not left:
            break
    return said, left


@pytest.mark.parametrize("door", [by_socket, by_events])
@pytest.mark.parametrize("how", ["silent", "gone"])
async def test_streams_miss_nothing_and_time_acts_once_it_is_back(tmp_path: Path, how: str, door: Any) -> None:
    async with far(tmp_path, database_seconds=3.0, heartbeat_seconds=1.0) as server:
        orders = await server.orders(2)
        async with door(server.port, OWNER) as items:
            ready = await anext(items)
            ids = {await opened(server, order) for order in orders}
            if how == "silent":
                server.wire.dumb = True
            else:
                await server.wire.cut()
            # both have run out, and nobody can act on it
            server.clock.passes(days=3)
            await server.until(503, 8)
            if how == "silent":
                await server.wire.cut()
            await server.wire.mend()
            async with asyncio.timeout(20):
                said, left = await heard(items, ids)

    assert ready["__typename"] == "StreamReady"
    assert left == set()
    events = [item["event"]["id"] for item in said if "event" in item]
    for id in ids:
        own = [int(event.rpartition("_")[2]) for event in events if event.startswith(f"ev_{id.partition('_')[2]}_")]
        assert own == list(range(1, len(own) + 1))


async def opened(server: Far, order: ImportedOrder) -> str:
    claim = {
        "idempotencyKey": order.number, "orderId": order.id, "reason": "not_received",
        "lines": [{"orderLineId": order_line_id(order.id, 0), "quantity": 1}],
    }  # fmt: skip
    answer = (await server.ask(OPERATIONS["RefundOnlyOpen"], ANI, input=claim)).json()
    assert answer["data"]["refundOnlyOpen"]["problems"] == [], json.dumps(answer)
    return str(answer["data"]["refundOnlyOpen"]["request"]["id"])


@pytest.mark.parametrize("how", ["silent", "gone"])
async def test_who_starts_without_it_is_told_so(tmp_path: Path, how: str) -> None:
    async with Wire(await places.place(tmp_path / "gone.sqlite3")) as wire:
        settings = {"AFTERSALES_DATABASE": wire.url, "AFTERSALES_EVIDENCE": f"file://{tmp_path / 'gone.evidence'}"}
        if how == "silent":
            wire.dumb = True
        else:
            await wire.cut()
        began = time.monotonic()
        told = await asyncio.to_thread(run, "serve", settings=settings)
        took = time.monotonic() - began
        await wire.cut()
        await wire.mend()

    assert told.returncode == 1
    assert "cannot be opened: " in told.stderr
    assert "Traceback" not in told.stderr
    # most of it is Python's, on a busy machine
    assert took < 120


async def test_a_new_stream_and_a_file_are_told_to_come_again(tmp_path: Path) -> None:
    async with far(tmp_path) as server:
        await server.wire.cut()
        await server.until(503, 5)
        file = server.running.house.locker.addresses.made(Use.DOWNLOAD, "evi_1", MONDAY + timedelta(minutes=1))
        photo = await server.http.get(file)
        events = await server.http.post(
            "/graphql", json={"query": OPERATIONS[STREAMED]}, headers={**OWNER, "accept": "text/event-stream"}
        )
        await server.wire.mend()

    assert (photo.status_code, photo.headers["retry-after"], codes(photo)) == (503, "1", {"BUSY"})
    [data] = [line.removeprefix("data: ") for line in events.text.splitlines() if line.startswith("data: {")]
    assert json.loads(data)["errors"][0]["extensions"] == {"code": "BUSY", "retryable": True}

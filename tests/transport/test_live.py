"""A real server, a real WebSocket, a real event stream: a seller sleeps, and the board hears of it in time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.transport.mortal import BASE, SPEED
from tests.transport.test_kill import BUYER, OPERATIONS, SELLER, Mortal, insist, mortal, prepare
from websockets.asyncio.client import connect

from aftersales.store.imports import ImportedOrder, order_line_id

STREAM = (OPERATIONS / "RequestStream.graphql").read_text()


@asynccontextmanager
async def by_socket(port: int, who: dict[str, str], after: str | None = None) -> AsyncIterator[AsyncIterator[Any]]:
    async with connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        await socket.send(json.dumps({"type": "connection_init", "payload": who}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        payload = {"query": STREAM, "variables": {"after": after}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))

        async def items() -> AsyncIterator[Any]:
            async for message in socket:
                told = json.loads(message)
                assert told["type"] in ("next", "ping"), told
                if told["type"] == "next":
                    yield told["payload"]["data"]["requestStream"]

        yield items()


@asynccontextmanager
async def by_events(port: int, who: dict[str, str], after: str | None = None) -> AsyncIterator[AsyncIterator[Any]]:
    headers = {**who, "accept": "text/event-stream"}
    body = {"query": STREAM, "variables": {"after": after}}
    async with (
        httpx.AsyncClient(timeout=30) as http,
        http.stream("POST", f"http://127.0.0.1:{port}/graphql", json=body, headers=headers) as answer,
    ):

        async def items() -> AsyncIterator[Any]:
            async for line in answer.aiter_lines():
                if line.startswith("data: ") and line != "data: ":
                    yield json.loads(line.removeprefix("data: "))["data"]["requestStream"]

        yield items()


async def heard_until(items: AsyncIterator[Any], type: str) -> list[Any]:
    heard = []
    async with asyncio.timeout(30):
        async for item in items:
            if "event" in item:
                heard.append(item)
                if item["event"]["type"] == type:
                    return heard
    raise AssertionError(f"the stream ended before {type}")


async def claimed(server: Mortal, http: httpx.AsyncClient, order: ImportedOrder) -> Any:
    claim = {
        "idempotencyKey": f"open-{order.number}", "orderId": order.id, "reason": "not_received",
        "lines": [{"orderLineId": order_line_id(order.id, 0), "quantity": 1}],
    }  # fmt: skip
    return (await insist(server, http, "RefundOnlyOpen", BUYER, claim))["request"]


def real_time(server: Mortal, at: datetime) -> float:
    return server.began + (at - BASE) / timedelta(seconds=1) / SPEED


@pytest.mark.usefixtures("_own_databases")
async def test_a_seller_sleeps_and_the_board_hears_it_within_a_second(tmp_path: Path, unused_tcp_port: int) -> None:
    orders = await prepare(tmp_path)
    async with (
        mortal(tmp_path, unused_tcp_port) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}", timeout=10) as http,
        by_socket(unused_tcp_port, SELLER) as socket,
        by_events(unused_tcp_port, SELLER) as events,
    ):
        assert (await anext(socket))["__typename"] == "StreamReady"
        assert (await anext(events))["__typename"] == "StreamReady"

        request = await claimed(server, http, orders[0])
        heard = await heard_until(socket, "RequestApproved")
        late = time.time()
        same = await heard_until(events, "RequestApproved")

    due = datetime.fromisoformat(request["nextDeadline"]["dueAt"])
    assert datetime.fromisoformat(heard[-1]["event"]["at"]) == due
    assert 0 <= late - real_time(server, due) < 1
    assert [item["event"]["id"] for item in heard] == [item["event"]["id"] for item in same]


@pytest.mark.usefixtures("_own_databases")
async def test_a_client_cut_off_for_a_while_resumes_and_misses_nothing(tmp_path: Path, unused_tcp_port: int) -> None:
    orders = await prepare(tmp_path)
    async with (
        mortal(tmp_path, unused_tcp_port) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}", timeout=10) as http,
    ):
        async with by_socket(unused_tcp_port, SELLER) as socket:
            await anext(socket)
            first = await claimed(server, http, orders[0])
            heard = await heard_until(socket, "DeadlineStarted")
        # nobody listens: the server even dies and comes again
        second = await claimed(server, http, orders[1])
        await server.die()
        await server.live()
        decision = {"idempotencyKey": "yes", "requestId": first["id"], "expectedVersion": 1}
        await insist(server, http, "RefundOnlyApprove", SELLER, decision)
        async with by_events(unused_tcp_port, SELLER, after=heard[-1]["cursor"]) as events:
            assert (await anext(events))["__typename"] == "StreamReady"
            while not {first["id"], second["id"]} <= ended(heard):
                heard += await heard_until(events, "RequestCompleted")

    ids = [item["event"]["id"] for item in heard]
    assert len(ids) == len(set(ids))
    for request in (first["id"], second["id"]):
        own = [int(id.rpartition("_")[2]) for id in ids if id.startswith(f"ev_{request.partition('_')[2]}_")]
        assert own == list(range(1, len(own) + 1))


def ended(heard: list[Any]) -> set[str]:
    return {item["request"]["id"] for item in heard if item["event"]["type"] == "RequestCompleted"}

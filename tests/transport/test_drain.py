"""Told to stop, a process ends what it has begun, takes up nothing, and sends its streams to another one."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.processes import Server, serving
from tests.transport.many import claim, opened, port, sequences, shared
from tests.transport.test_kill import SELLER
from tests.transport.test_live import by_events, by_socket, heard_until
from websockets.exceptions import ConnectionClosedError

pytestmark = pytest.mark.usefixtures("_own_databases")


async def rest(items: AsyncIterator[Any], heard: list[Any]) -> int | None:
    """Listens to the end. The code that closed it, if one did."""
    try:
        async for item in items:
            heard.append(item)
    except ConnectionClosedError as closed:
        return closed.rcvd.code if closed.rcvd else None
    return None


async def until_ready_is(http: httpx.AsyncClient, server: Server, status: int) -> httpx.Response:
    async with asyncio.timeout(10):
        while True:
            answer = await http.get(httpx.URL(server.url).join("/readyz"))
            if answer.status_code == status:
                return answer


@pytest.mark.engine("postgres")  # a file has one process
async def test_nothing_is_lost_when_one_of_two_is_told_to_stop(tmp_path: Path) -> None:
    settings, orders = await shared(tmp_path, 3)
    settings["AFTERSALES_DATABASE_SECONDS"] = "30"
    with serving(settings=settings) as going, serving(settings=settings) as staying:
        # each request by a connection of its own, as a balancer's look is
        limits = httpx.Limits(max_keepalive_connections=0)
        async with (
            httpx.AsyncClient(timeout=60, limits=limits) as http,
            await psycopg.AsyncConnection.connect(settings["AFTERSALES_DATABASE"]) as keeps,
        ):
            by_door: dict[Any, list[Any]] = {by_socket: [], by_events: []}
            async with by_socket(port(going.url), SELLER) as socket, by_events(port(going.url), SELLER) as events:
                assert (await anext(socket))["__typename"] == (await anext(events))["__typename"] == "StreamReady"
                first = opened(await claim(http, going.url, orders[0]))
                by_door[by_socket] += await heard_until(socket, "DeadlineStarted")
                by_door[by_events] += await heard_until(events, "DeadlineStarted")
                # one that is under way, and waits for a lock
                await keeps.execute("LOCK TABLE requests IN EXCLUSIVE MODE")
                under_way = asyncio.create_task(claim(http, going.url, orders[1]))
                await waits_for_a_lock(settings["AFTERSALES_DATABASE"])

                going.process.send_signal(signal.SIGTERM)
                ready = await until_ready_is(http, going, 503)
                new = await claim(http, going.url, orders[2])
                alive = await http.get(httpx.URL(going.url).join("/healthz"))
                ends = [await rest(socket, by_door[by_socket]), await rest(events, by_door[by_events])]
            assert not under_way.done()
            await keeps.rollback()
            second = opened(await under_way)
            status = await asyncio.to_thread(going.process.wait, 20)

            third = opened(await claim(http, staying.url, orders[2]))
            for door, heard in by_door.items():
                async with door(port(staying.url), SELLER, after=heard[-1]["cursor"]) as items:
                    assert (await anext(items))["__typename"] == "StreamReady"
                    while not sequences(heard, third):
                        heard += await heard_until(items, "DeadlineStarted")

    assert ready.json() == {"ready": False, "server": "is about to stop"}
    assert (new.status_code, new.headers["retry-after"], new.headers["connection"]) == (503, "1", "close")
    assert new.json()["errors"][0]["extensions"] == {"code": "BUSY", "retryable": True}
    assert alive.status_code == 200
    assert ends == [1012, None]
    assert status == 0
    for heard in by_door.values():
        for request in (first, second, third):
            assert sequences(heard, request) == list(range(1, len(sequences(heard, request)) + 1)) != []


async def waits_for_a_lock(url: str) -> None:
    waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection, asyncio.timeout(10):
        while await (await connection.execute(waiting)).fetchone() == (0,):
            continue


async def test_with_notice_it_goes_on_until_a_balancer_has_looked(tmp_path: Path) -> None:
    settings, orders = await shared(tmp_path, 2)
    settings["AFTERSALES_NOTICE_SECONDS"] = "600"
    with serving(settings=settings) as server:
        async with httpx.AsyncClient(timeout=60) as http:
            server.process.send_signal(signal.SIGTERM)
            ready = await until_ready_is(http, server, 503)
            served = await claim(http, server.url, orders[0])
        server.process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(server.process.wait, 20)

    assert (ready.status_code, served.status_code) == (503, 200)
    assert (opened(served)[:3], served.headers["connection"]) == ("rq_", "close")
    # a second word ends it at once
    assert status == 0

"""A thousand who follow the real stream and vanish without a word: nothing of them is left, and nobody else notices."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.transport.test_websocket import dialed
from tests.transport.world import listening, until

from aftersales.asgi import create_app, transport_settings
from aftersales.cli.tokens import made
from aftersales.running import Running, build
from aftersales.settings import Settings
from aftersales.testing import places
from aftersales.transport.gate import Gate

OWN = "a secret of our own, of 32 bytes or more"
STREAM = (Path(__file__).parents[2] / "schema" / "operations" / "RequestStream.graphql").read_text()
PEOPLE, AT_ONCE = 1_000, 100


@dataclass(frozen=True)
class Real:
    """The whole server, listening."""

    url: str
    gate: Gate
    running: Running
    token: str

    @property
    def socket(self) -> str:
        return self.url.replace("http", "ws", 1)

    @property
    def left(self) -> tuple[int, int, int]:
        """Followers of the feed, open streams, and callers who have one."""
        return (self.running.house.feed.followers, self.gate.streams.taken, len(self.gate.connections.of))


@pytest.fixture
async def real(_own_databases: None, tmp_path: Path) -> AsyncIterator[Real]:
    database, evidence = await places.place(tmp_path / "real.sqlite3"), f"file://{tmp_path / 'real.evidence'}"
    settings = Settings(database=database, evidence=evidence, secret=OWN, streams_of_one=10_000, budget=10_000_000)
    running = await build(settings)
    app = create_app(running)
    who = {"sub": "st_1", "party": "seller", "shops": ["sh_1"], "grants": ["*"]}
    token = made(settings, who, timedelta(hours=1))
    async with app.router.lifespan_context(app), listening(app, transport_settings(settings)) as url:
        yield Real(url + "/graphql", app.state.gate, running, token)


@asynccontextmanager
async def by_socket(real: Real) -> AsyncIterator[Any]:
    async with dialed(real) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {real.token}"}}))
        payload = {"query": STREAM, "variables": {}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        assert json.loads(await socket.recv())["payload"]["data"]["requestStream"]["__typename"] == "StreamReady"
        yield socket.transport


@asynccontextmanager
async def by_events(real: Real) -> AsyncIterator[Any]:
    url, body = httpx.URL(real.url), json.dumps({"query": STREAM}).encode()
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        b"POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"
        b"authorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b" % (real.token.encode(), len(body), body)
    )
    await reader.readuntil(b"StreamReady")
    yield writer.transport
    writer.close()


@pytest.mark.parametrize("way", [by_socket, by_events])
async def test_a_thousand_followers_who_vanish_leave_nothing_behind(real: Real, way: Any) -> None:
    async def vanish(together: asyncio.Barrier) -> None:
        async with way(real) as transport:
            await together.wait()
            transport.abort()

    async def crowd(together: asyncio.Barrier) -> None:
        async with asyncio.TaskGroup() as people:
            for _ in range(AT_ONCE):
                people.create_task(vanish(together))
            await until(lambda: together.n_waiting == AT_ONCE, 60)
            assert real.left == (AT_ONCE, AT_ONCE, 1)
            await together.wait()

    await until(lambda: real.left == (0, 0, 0))
    tasks = len(asyncio.all_tasks())
    for _ in range(PEOPLE // AT_ONCE):
        await crowd(asyncio.Barrier(AT_ONCE + 1))

    await until(lambda: real.left == (0, 0, 0))
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
    gc.collect()
    kinds = [type(thing).__name__ for thing in gc.get_objects()]
    assert not {"Socket", "EventStream", "Follower"} & set(kinds)

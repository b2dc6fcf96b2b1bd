"""Servers on one PostgreSQL, each of which may be killed, and clients that go to any of them, as behind a balancer."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.processes import Process, telling
from tests.transport.test_kill import OPERATIONS
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

# Silence lasts some fifteen seconds.
SPEED = 12_000.0
STREAM = (OPERATIONS / "RequestStream.graphql").read_text()
# What says that the same is to be sent again.
AGAIN = {"BUSY", "OUTCOME_UNKNOWN", "TIMEOUT", "UNAVAILABLE"}
BACK_SECONDS = 2.0
AWAY = (OSError, ConnectionClosed, InvalidHandshake, TimeoutError, EOFError)


@dataclass
class Cluster:
    """Server processes by port, and what they have promised so far."""

    folder: Path
    record: str
    ports: Sequence[int]
    began: float = field(default_factory=time.time)
    up: dict[int, tuple[Process, ExitStack]] = field(default_factory=dict)
    any_up: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    told_again: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(11))

    async def live(self, port: int) -> None:
        life = ExitStack()
        process, lines = life.enter_context(
            telling("tests.transport.mortal", str(self.folder), self.record, str(port), str(self.began), str(SPEED))
        )
        async with asyncio.timeout(120):
            first = await asyncio.to_thread(lines.readline)
        assert first.startswith("ready"), first
        self.up[port] = process, life
        self.any_up.set()

    async def die(self, port: int) -> None:
        process, life = self.up.pop(port)
        if not self.up:
            self.any_up.clear()
        process.kill()
        await asyncio.to_thread(life.close)

    async def any(self) -> int:
        await self.any_up.wait()
        return self.chance.choice(list(self.up))

    async def insist(self, http: httpx.AsyncClient, name: str, who: dict[str, str], input: dict[str, Any]) -> Any:
        """Send the same with the same key, to any of them, until there is an answer; whoever dies in between."""
        document = (OPERATIONS / f"{name}.graphql").read_text()
        while True:
            asked = {"query": document, "variables": {"input": input}}
            try:
                answer = await http.post(f"http://127.0.0.1:{await self.any()}/graphql", json=asked, headers=who)
            except httpx.TransportError:
                await asyncio.sleep(0)
                continue
            said = answer.json()
            codes = {error["extensions"]["code"] for error in said.get("errors", ())}
            payloads = list((said.get("data") or {}).values())
            codes |= {problem["code"] for payload in payloads if payload for problem in payload["problems"]}
            if answer.status_code == 503 or codes & AGAIN:
                self.told_again.extend(codes)
                await asyncio.sleep(0)
                continue
            assert answer.status_code == 200, said
            assert not said.get("errors"), said
            self.acknowledged[input["idempotencyKey"]] = payloads[0]
            self.news.set()
            return payloads[0]

    async def until(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Looked at again whenever a stream or a client has heard something."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def cluster(folder: Path, record: str, ports: Sequence[int]) -> AsyncIterator[Cluster]:
    servers = Cluster(folder, record, ports)
    try:
        await asyncio.gather(*map(servers.live, ports))
        yield servers
    finally:
        await asyncio.gather(*map(servers.die, list(servers.up)))


@dataclass
class Follower:
    """One stream, resumed with its last cursor on any server whenever the one it was on has gone.

    Args:
        heard: each event's id and type, as they came.
        resumed: how often it came back.
    """

    servers: Cluster
    who: dict[str, str]
    after: str | None = None
    heard: list[tuple[str, str]] = field(default_factory=list)
    resumed: int = -1
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Until canceled."""
        while True:
            port = await self.servers.any()
            try:
                async with connect(
                    f"ws://127.0.0.1:{port}/graphql",
                    subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
                    open_timeout=30, ping_interval=None,
                ) as socket:  # fmt: skip
                    await self._listen(socket)
            except AWAY:
                pass
            # as clients do, so that they do not all come back at once
            await asyncio.sleep(self.servers.chance.uniform(0, BACK_SECONDS))

    async def _listen(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "connection_init", "payload": self.who}))
        async with asyncio.timeout(30):
            assert json.loads(await socket.recv())["type"] == "connection_ack"
        asked = {"query": STREAM, "variables": {"after": self.after}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": asked}))
        async for message in socket:
            told = json.loads(message)
            if told["type"] in ("error", "complete"):
                # it is to come again: elsewhere, or a little later
                assert told["type"] == "complete" or told["payload"][0]["extensions"]["code"] in AGAIN, told
                return
            if told["type"] == "next":
                self._take(told["payload"]["data"]["requestStream"])

    def _take(self, item: dict[str, Any]) -> None:
        assert item["__typename"] != "StreamReset", item
        self.after = item["cursor"]
        if item["__typename"] == "StreamReady":
            self.resumed += 1
            self.ready.set()
        if "event" in item:
            self.heard.append((item["event"]["id"], item["event"]["type"]))
            self.servers.news.set()

    def heard_of(self, type: str) -> int:
        return len({id for id, told in self.heard if told == type})

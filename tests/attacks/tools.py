"""What attackers use: raw connections, floods of requests, and a tally of what came back."""

import asyncio
import json
import os
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TEXT, MORE, CLOSE, PING = 0x81, 0x00, 0x88, 0x89
FIRST = 0x01
SOCKET = {
    "connection": "upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-protocol": "graphql-transport-ws",
}
# What a server that has had enough does to a connection.
CUT = (ConnectionError, asyncio.IncompleteReadError, BrokenPipeError)


@dataclass
class Attacker:
    """
    Args:
        tokens: of whom it has got hold, by the names of the demo.
        seconds: how long it goes on.
        saw: what the server did, and how often.
    """

    url: str
    tokens: dict[str, str]
    seconds: float
    saw: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.end = time.monotonic() + self.seconds

    @property
    def going_on(self) -> bool:
        return time.monotonic() < self.end

    @property
    def buyer(self) -> dict[str, str]:
        return self.as_("buyer")

    def as_(self, who: str) -> dict[str, str]:
        token = next(token for name, token in self.tokens.items() if name.startswith(who))
        return {"authorization": f"Bearer {token}"}

    # ------------------------------------------------------------ HTTP

    async def connect(self) -> "Line":
        return Line(*await asyncio.open_connection(self.host, self.port))

    async def flood(self, requests: Sequence[bytes], lines: int = 8) -> None:
        """Sends them in turn over so many connections, each again as soon as it has been answered."""
        await asyncio.gather(*(self._flood_line(requests, number) for number in range(lines)))

    async def _flood_line(self, requests: Sequence[bytes], number: int) -> None:
        line: Line | None = None
        while self.going_on:
            number += 1
            try:
                line = line or await self.connect()
                line.writer.write(requests[number % len(requests)])
                self.saw[await line.answer()] += 1
            except CUT:
                self.saw["cut"] += 1
            else:
                if not line.closing:
                    continue
            if line:
                line.writer.transport.abort()
            line = None

    def post(self, body: Any, headers: dict[str, str] | None = None) -> bytes:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return request("POST", "/graphql", {"content-type": "application/json", **(headers or {})}, content)

    def documents(self, *texts: str, headers: dict[str, str] | None = None, **more: Any) -> list[bytes]:
        return [self.post({"query": text, **more}, headers) for text in texts]

    # ------------------------------------------------------------ WebSocket

    @asynccontextmanager
    async def socket(self, headers: dict[str, str] | None = None, init: bool = True) -> AsyncIterator["Socket"]:
        line = await self.connect()
        try:
            line.writer.write(request("GET", "/graphql", SOCKET, b""))
            status = await line.head()
            if status != 101:
                self.saw[str(status)] += 1
                raise ConnectionError
            socket = Socket(line)
            if init:
                socket.send({"type": "connection_init", "payload": headers or {}})
            yield socket
        finally:
            line.writer.transport.abort()

    async def crowd(self, number: int, one: Callable[[], Awaitable[None]]) -> None:
        """So many at once, each cut off when the time is over."""

        async def bounded() -> None:
            with suppress(TimeoutError, *CUT):
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + self.seconds):
                    await one()

        await asyncio.gather(*(bounded() for _ in range(number)))


def request(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
    told = {"host": "x", **headers}
    if body or method in ("POST", "PUT"):
        told["content-length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    closing: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    async def head(self) -> int:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.closing = self.headers.get("connection") == "close"
        return int(lines[0].split()[1])

    async def answer(self) -> str:
        """The status, and the code of the first error."""
        status = await self.head()
        body = await self.reader.readexactly(int(self.headers.get("content-length", "0")))
        return " ".join(filter(None, (str(status), code(body))))


def code(body: bytes) -> str:
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(body)
        errors = told["errors"] if "errors" in told else problems(told["data"])
        return str(errors[0].get("extensions", errors[0])["code"])
    return ""


def problems(data: Any) -> list[Any]:
    """Of the first mutation."""
    (first, *_) = data.values()
    return list(first["problems"])


@dataclass
class Socket:
    line: Line

    def send(self, message: Any) -> None:
        self.raw(TEXT, json.dumps(message).encode())

    def raw(self, kind: int, data: bytes = b"") -> None:
        self.line.writer.write(frame(kind, data))

    async def drained(self) -> None:
        await self.line.writer.drain()

    async def hear(self) -> tuple[int, bytes]:
        """The next frame: what it is, and what it holds."""
        first, size = await self.line.reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self.line.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.line.reader.readexactly(8))
        return first, await self.line.reader.readexactly(size)

    async def ending(self, saw: Counter[str]) -> None:
        """Reads until the server ends it, and notes what was said on the way."""
        while True:
            kind, data = await self.hear()
            if kind == CLOSE:
                (number,) = struct.unpack("!H", data[:2])
                saw[f"closed {number}"] += 1
                return
            if kind == TEXT:
                message = json.loads(data)
                saw[message["type"]] += 1
                if message["type"] == "error":
                    saw[message["payload"][0]["extensions"]["code"]] += 1


def frame(kind: int, data: bytes = b"") -> bytes:
    mask = os.urandom(4)
    if len(data) < 126:
        size = bytes([0x80 | len(data)])
    elif len(data) < 65_536:
        size = b"\xfe" + struct.pack("!H", len(data))
    else:
        size = b"\xff" + struct.pack("!Q", len(data))
    repeated = (mask * (len(data) // 4 + 1))[: len(data)]
    masked = (int.from_bytes(data) ^ int.from_bytes(repeated)).to_bytes(len(data)) if data else b""
    return bytes([kind]) + size + mask + masked


def subscribe(id: str, query: str, **variables: Any) -> dict[str, Any]:
    return {"id": id, "type": "subscribe", "payload": {"query": query, "variables": variables}}

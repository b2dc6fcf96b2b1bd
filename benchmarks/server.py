"""A server in a process of its own: started, asked over a few connections, watched, and stopped."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
import psutil

START_SECONDS = 30
SETTLING_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU of the server's process, all its threads, user and system together."""

    operations: int
    cpu_seconds: float

    @property
    def milliseconds(self) -> float:
        return self.cpu_seconds / self.operations * 1_000


class Server:
    """
    Args:
        which: as `benchmarks.served` calls it.
        path: the file it serves, or the URL of what it serves; it is changed.
    """

    def __init__(self, which: str, path: Path | str, connections: int) -> None:
        self.which = which
        self.path = path
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.served", which, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        address = urlsplit(self._process.stdout.readline().strip())
        if address.port is None:
            raise RuntimeError(f"the {which} server did not start")
        self.port = address.port
        self._count = connections
        self._connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._watched = psutil.Process(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(START_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()

    async def hang_up(self) -> None:
        """Before the loop ends in which it was asked."""
        while self._connections:
            _, writer = self._connections.pop()
            writer.close()
            await writer.wait_closed()

    def settled_bytes(self) -> int:
        """What it holds at rest, once what its start left behind is gone."""
        time.sleep(SETTLING_SECONDS)
        return self.busy_bytes

    @property
    def busy_bytes(self) -> int:
        return int(self._watched.memory_info().rss)

    @property
    def cpu_seconds(self) -> float:
        times = self._watched.cpu_times()
        return float(times.user + times.system)

    async def ask(self, request: bytes) -> dict[str, Any]:
        reader, writer = (await self._connected())[0]
        data: dict[str, Any] = orjson.loads(await _exchange(reader, writer, request))
        return data

    async def measure(self, make: Callable[[], bytes], seconds: float, most: int) -> Spent:
        """Ask over all connections at once until the time is over, or so often. What is asked is made beforehand."""
        ready = [make() for _ in range(most)][::-1]
        connections = await self._connected()
        before, ends = self.cpu_seconds, time.monotonic() + seconds
        done = sum(await asyncio.gather(*(_until(ends, ready, *connection) for connection in connections)))
        return Spent(done, self.cpu_seconds - before)

    async def _connected(self) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        while len(self._connections) < self._count:
            self._connections.append(await asyncio.open_connection("127.0.0.1", self.port))
        return self._connections


async def _until(ends: float, ready: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    done = 0
    while ready and time.monotonic() < ends:
        answer = await _exchange(reader, writer, ready.pop())
        if b'"errors":' in answer or b'"code":' in answer:
            raise RuntimeError(answer[:1_000].decode())
        done += 1
    return done


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    start = head.index(b"content-length:") + len(b"content-length:")
    return await reader.readexactly(int(head[start : head.index(b"\r\n", start)]))

"""What one server process takes: memory at rest, under load and with streams, CPU for each thing it does, connections.

`--only sqlite` or `postgres`. The database is filled, and served as `aftersales serve` does.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import uvloop

from .asking import Asking
from .data import SHOPS, fill, shop_id
from .durable import filled
from .server import Server

STREAMS = (100, 500)
SECONDS = 3.0
CONNECTIONS = 8
MB = 1_000_000


class Streams:
    """Of sellers, five to a shop at the most; counts the lines that are told."""

    def __init__(self, asking: Asking, port: int) -> None:
        self._asking, self._port = asking, port
        self.lines = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def grow(self, count: int) -> None:
        while len(self.tasks) < count:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(self._asking.stream(shop_id(len(self.tasks) % SHOPS)))
            await reader.readuntil(b"StreamReady")
            self.tasks.append(asyncio.create_task(self._hear(reader, writer)))

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"event: next")
            self.lines += 1


async def measured(server: Server, path: Path) -> None:
    asking = Asking(path)
    streams = Streams(asking, server.port)
    print(f"{'at rest':<26}{server.settled_bytes() / MB:>7.0f} MB")
    for name, most in (("page", 2_000), ("detail", 5_000), ("approve", 1_000)):
        spent = await server.measure(asking.asks[name], SECONDS, most)
        rate = f"{spent.operations / SECONDS:>6.0f}/s {spent.milliseconds:>7.2f} ms of CPU each"
        print(f"{f'after {name}s':<26}{server.busy_bytes / MB:>7.0f} MB{rate}")
    for count in STREAMS:
        await streams.grow(count)
        before, told, cpu = server.busy_bytes, streams.lines, server.cpu_seconds
        quiet = await _resting(server)
        spent = await server.measure(asking.asks["approve"], SECONDS, 1_000)
        await asyncio.sleep(1)  # what is still on its way
        lines = streams.lines - told
        print(
            f"{f'with {count} streams':<26}{before / MB:>7.0f} MB  at rest {quiet:.1%} of a core;"
            f" {spent.operations / SECONDS:.0f} approvals/s tell {lines / spent.operations:.0f} lines each,"
            f" {(server.cpu_seconds - cpu) * 1_000 / max(spent.operations, 1):.2f} ms of CPU an approval;"
            f" then {server.busy_bytes / MB:.0f} MB"
        )
    for task in streams.tasks:
        task.cancel()


async def _resting(server: Server) -> float:
    before = server.cpu_seconds
    await asyncio.sleep(SECONDS)
    return (server.cpu_seconds - before) / SECONDS


def connections(url: str) -> None:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            # who listens asks for a sign of life now and then
            "SELECT count(*), count(*) FILTER (WHERE query ILIKE 'listen%%' OR query = 'SELECT 1')"
            " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert rows is not None
    each = [process for process in psutil.Process().children(recursive=True) if process.name() == "postgres"]
    own = sum(process.memory_full_info().uss for process in each)
    print(f"{'connections':<26}{rows[0]:>7}     of which listen: {rows[1]}; PostgreSQL's own memory {own / MB:.0f} MB")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=("sqlite", "postgres"), default=["sqlite", "postgres"])
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="aftersales-footprint-") as folder:
        path = Path(folder) / "filled.sqlite3"
        now = datetime.now(UTC)
        fill(path, now)
        if "sqlite" in args.only:
            print("\nOn SQLite")
            copy = Path(shutil.copy(path, path.with_name("served.sqlite3")))
            with Server("ours", f"sqlite://{copy}", CONNECTIONS) as server:
                uvloop.run(measured(server, path))
        if "postgres" in args.only:
            print("\nOn PostgreSQL")
            with filled(now) as url, Server("ours", url, CONNECTIONS) as server:
                uvloop.run(measured(server, path))
                connections(url)


if __name__ == "__main__":
    main(sys.argv[1:])

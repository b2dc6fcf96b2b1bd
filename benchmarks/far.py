"""What a mutation takes when PostgreSQL is far away: a real server, real HTTP, and a wire that keeps all it carries."""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from statistics import median

import httpx
from psycopg.conninfo import conninfo_to_dict

from aftersales.engine.money import Money
from aftersales.engine.vocabulary import OrderState, Shop, ShopKind
from aftersales.markets import digits
from aftersales.settings import DEVELOPMENT_SECRET
from aftersales.store.imports import ImportedLine, ImportedOrder, order_line_id
from aftersales.store.ledger import Ledger
from aftersales.store.migrate import migrate
from aftersales.store.urls import open_database
from aftersales.transport.tokens import mint

from .postgres import server

OPERATIONS = Path(__file__).parents[1] / "schema" / "operations"
MOST_MS = 350


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.far", description=__doc__)
    parser.add_argument("--milliseconds", type=float, default=50.0, help="on the way there, and on the way back")
    parser.add_argument("--writers", type=int, default=8, help="that write at once, each in a shop of its own")
    parser.add_argument("--mutations", type=int, default=40, help="of each writer: half open, half approve")
    parser.add_argument("--folder", help="where the database lies meanwhile")
    args = parser.parse_args(argv)
    with server(args.folder) as url:
        return asyncio.run(_compared(url, args))


async def _compared(url: str, args: argparse.Namespace) -> int:
    orders = await _prepared(url, args.writers, args.mutations + 4)
    found: dict[float, list[float]] = {}
    for milliseconds in (0.0, args.milliseconds):
        async with wire(url, milliseconds / 1_000) as far:
            process = served(far)
            # aside, as the wire is carried here
            address = await asyncio.to_thread(process.__enter__)
            try:
                each = args.mutations // 2 + 1
                found[milliseconds] = await _measured(address, [[own.pop() for _ in range(each)] for own in orders])
            finally:
                await asyncio.to_thread(process.__exit__, None, None, None)
    near, far_ms = found[0.0], found[args.milliseconds]
    trips = (median(far_ms) - median(near)) / (2 * args.milliseconds)
    print(f"{args.writers} writers, {len(near)} mutations each time")
    for name, ms in (("near", near), (f"{args.milliseconds:g} ms each way", far_ms)):
        print(f"  {name:<20} p50 {median(ms):6.1f} ms, p99 {ms[int(len(ms) * 0.99)]:6.1f} ms")
    missed = median(far_ms) > MOST_MS
    print(f"  round trips {trips:.2f}; p50 at most {MOST_MS} ms: {'missed' if missed else 'met'}")
    return int(missed)


async def _prepared(url: str, writers: int, count: int) -> list[list[ImportedOrder]]:
    await migrate(url)
    database = await open_database(url)
    ledger = Ledger(database, lambda kind, stage: None, digits)
    now = datetime.now(UTC)
    await ledger.import_shops(
        [Shop(f"sh_{number}", f"Shop {number}", "ID", ShopKind.MALL, "Asia/Jakarta") for number in range(writers)]
    )
    zero, price = Money(Decimal(0), "IDR"), Money(Decimal(1000), "IDR")
    line = ImportedLine("sku", "Thing", 1, price, zero, zero, zero)
    orders = [
        [
            ImportedOrder(
                f"sh_{writer}", f"{writer}-{number}", f"by_{writer}", "IDR", OrderState.DELIVERED,
                now - timedelta(days=2), now - timedelta(days=1), price, zero, (line,),
            )
            for number in range(count)
        ]
        for writer in range(writers)
    ]  # fmt: skip
    for own in orders:
        await ledger.import_orders(own, now)
    await database.close()
    return orders


async def _measured(address: str, orders: list[list[ImportedOrder]]) -> list[float]:
    """Milliseconds of each mutation, in order."""
    async with httpx.AsyncClient(timeout=30) as http:
        taken = await asyncio.gather(*(_writer(http, address, number, own) for number, own in enumerate(orders)))
    return sorted(one for some in taken for one in some)


async def _writer(http: httpx.AsyncClient, address: str, number: int, orders: list[ImportedOrder]) -> list[float]:
    buyer = _token("buyer", f"{number}")
    seller = _token("seller", f"owner-{number}", shops=[f"{number}"], grants=["*"])
    keys, taken = count(), []

    async def ask(name: str, who: dict[str, str], **input: object) -> str:
        document = (OPERATIONS / f"{name}.graphql").read_text()
        variables = {"input": {"idempotencyKey": f"{address}-{number}-{next(keys)}", **input}}
        began = time.monotonic()
        answer = await http.post(address, json={"query": document, "variables": variables}, headers=who)
        taken.append((time.monotonic() - began) * 1_000)
        [payload] = answer.json()["data"].values()
        if payload["problems"]:
            raise SystemExit(payload["problems"])
        return str(payload["request"]["id"])

    for order in orders:
        line = {"orderLineId": order_line_id(order.id, 0), "quantity": 1}
        id = await ask("RefundOnlyOpen", buyer, orderId=order.id, reason="not_received", lines=[line])
        await ask("RefundOnlyApprove", seller, requestId=id, expectedVersion=1)
    # connections, statements and documents are prepared by the first
    return taken[2:]


def _token(party: str, sub: str, **more: object) -> dict[str, str]:
    claims = {"sub": sub, "party": party, **more}
    return {"authorization": f"Bearer {mint(DEVELOPMENT_SECRET, claims, timedelta(hours=1), now=datetime.now(UTC))}"}


@contextmanager
def served(url: str) -> Iterator[str]:
    """The address of `aftersales serve` on this database."""
    settings = {
        "AFTERSALES_DATABASE": url,
        "AFTERSALES_EVIDENCE": f"file://{tempfile.gettempdir()}/aftersales-benchmark-evidence",
    }
    command = [sys.executable, "-m", "aftersales", "serve", "--port", "0"]
    process = subprocess.Popen(
        command, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        found = next((match for line in process.stdout if (match := re.match(r"Ready at (\S+)", line))), None)
        if found is None:
            raise SystemExit("the server did not start")
        yield found[1]
    finally:
        process.terminate()
        process.wait(60)


@asynccontextmanager
async def wire(url: str, seconds: float) -> AsyncIterator[str]:
    """The URL of the same database, by a wire that keeps each chunk so long, in both directions."""
    to = conninfo_to_dict(url)
    tasks: set[asyncio.Task[None]] = set()

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_unix_connection(f"{to['host']}/.s.PGSQL.5432")
        for source, sink in ((reader, asks), (answers, writer)):
            task = asyncio.create_task(carried(source, sink, seconds))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(joined, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield f"postgres://{to['user']}@127.0.0.1:{port}/{to['dbname']}?sslmode=disable&gssencmode=disable"
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def carried(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    while chunk := await source.read(65_536):
        loop.call_later(seconds, sink.write, chunk)
    loop.call_later(seconds, sink.close)


if __name__ == "__main__":
    sys.exit(main())

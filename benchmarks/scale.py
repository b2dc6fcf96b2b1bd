"""What one PostgreSQL carries of ours, with every commit on the disk: the figures that docs/scale.md multiplies.

Sizes, commits, changes, deadlines, notices, feed; `--only` some of them.
"""

import argparse
import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import uvloop
from tests.embedded import programs

from aftersales.engine.request import Request
from aftersales.engine.rights import may_see
from aftersales.engine.vocabulary import Actor, Party
from aftersales.feed import Feed, Follower
from aftersales.registry import Plugin
from aftersales.running import Running, build
from aftersales.settings import Settings

from .data import REQUESTS, SHOPS, UNCLAIMED, shop_id
from .durable import filled
from .provider import SlowProvider

WRITERS = (1, 2, 4, 8, 16)
LISTENERS = (0, 10, 100)
FOLLOWERS = 500
SECONDS = 3.0
LINES = 20_000
DUE = 2_000

_SIZES = """
    SELECT relname, n_live_tup, pg_table_size(relid), pg_indexes_size(relid) FROM pg_stat_user_tables
    WHERE n_live_tup > 0 ORDER BY pg_total_relation_size(relid) DESC
"""
_INDEXES = """
    SELECT relname, indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes
    ORDER BY pg_relation_size(indexrelid) DESC LIMIT 12
"""
_MADE_DUE = """
    UPDATE deadlines SET due_at = now_us - 60000000, wake_at = now_us - 60000000
    FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us) AS clock
    WHERE id IN (SELECT id FROM deadlines WHERE status = 'RUNNING' AND key = 'review.first' ORDER BY id DESC LIMIT %s)
"""
_PENDING = """
    SELECT id, shop_id, version FROM requests WHERE kind = 'refund_only' AND status = 'PENDING_REVIEW' ORDER BY id
"""


def sizes(url: str) -> None:
    """Bytes of each table and of its indexes, by row and by request."""
    print(f"\n{'bytes':<18}{'rows':>9}{'a row':>8}{'indexes':>9}{'a request':>11}")
    every = 0.0
    with psycopg.connect(url) as connection:
        for table, rows, data, indexes in connection.execute(_SIZES):
            # orders that nobody has claimed yet are there too
            each = (data + indexes) / (REQUESTS + UNCLAIMED if table in {"orders", "order_lines"} else REQUESTS)
            every += each
            print(f"{table:<18}{rows:>9}{data / rows:>8.0f}{indexes / rows:>9.0f}{each:>11.0f}")
        print(f"{'all':<18}{'':>26}{every:>11.0f}")
        for table, index, size in connection.execute(_INDEXES):
            print(f"{table:<18}{index:<60}{size / 1_000_000:>7.1f} MB")


def commits(url: str) -> None:
    """Transactions of one inserted row: how often the disk can be flushed, and how well writers share a flush."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE flushed (at timestamptz NOT NULL DEFAULT now(), body text NOT NULL)")
    print(f"\n{'writers':<18}{'commits/s':>10}{'ms each':>9}")
    for writers in WRITERS:
        rate = benched(url, "INSERT INTO flushed (body) VALUES (repeat('x', 500))", writers)
        print(f"{writers:<18}{rate:>10.0f}{writers / rate * 1_000:>9.2f}")


def notices(url: str) -> None:
    """Notices a second by eight who tell, each in a transaction of its own, while so many listen."""
    print(f"\n{'listeners':<18}{'told/s':>10}{'heard/s':>10}")
    for listeners in LISTENERS:
        with ExitStack() as stack:
            heard = [Ear(url) for _ in range(listeners)]
            for ear in heard:
                stack.callback(ear.close)
            rate = benched(url, "SELECT pg_notify('aftersales', 'from one of many processes')", 8)
            print(f"{listeners:<18}{rate:>10.0f}{sum(ear.count for ear in heard) / SECONDS:>10.0f}")


class Ear:
    """Listens on a connection of its own."""

    def __init__(self, url: str) -> None:
        self.count = 0
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("LISTEN aftersales")
        self._thread = Thread(target=self._hear, daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        for _ in self._connection.notifies(timeout=SECONDS + 1):
            self.count += 1

    def close(self) -> None:
        self._thread.join()
        self._connection.close()


def benched(url: str, sql: str, clients: int) -> float:
    """Transactions a second of this statement."""
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    with TemporaryDirectory() as folder:
        script = Path(folder) / "script.sql"
        script.write_text(f"{sql};\n")
        command: list[str | Path] = [
            programs() / "pgbench", "-n", "-M", "prepared", "-f", script, "-c", str(clients), "-j", "2",
            "-T", str(int(SECONDS)), "-h", options["host"][0], "-U", options["user"][0], parts.path[1:],
        ]  # fmt: skip
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", told)
    assert found is not None, told
    return float(found[1])


def changes(url: str) -> None:
    """Approvals by the desk of one process: read, decided, and written with events, clocks and refund at once."""
    print(f"\n{'writers':<18}{'changes/s':>10}{'ms each':>9}{'CPU ms: ours':>14}{'database':>10}{'WAL bytes':>11}")
    with psycopg.connect(url, autocommit=True) as connection:
        asked = iter(connection.execute(_PENDING).fetchall())
        for writers in WRITERS:
            start = _wal(connection)
            done, seconds, ours, database = uvloop.run(_approved(url, asked, writers))
            wal = (_wal(connection) - start) / done
            print(
                f"{writers:<18}{done / seconds:>10.0f}{writers * seconds / done * 1_000:>9.2f}"
                f"{ours / done:>14.2f}{database / done:>10.2f}{wal:>11.0f}"
            )


def _wal(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()
    assert row is not None
    return int(row[0])


class Spent:
    """Milliseconds of CPU of this process, and of the database's together."""

    def __init__(self) -> None:
        me = psutil.Process()
        self.ours = _cpu(me)
        self.each = {child.pid: _cpu(child) for child in me.children(recursive=True) if child.name() == "postgres"}

    def since(self, before: "Spent") -> tuple[float, float]:
        """Of a database process that has ended meanwhile, nothing."""
        database = sum(cpu - before.each.get(pid, 0.0) for pid, cpu in self.each.items())
        return self.ours - before.ours, database


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system) * 1_000


async def _approved(url: str, asked: Iterator[tuple[str, str, int]], writers: int) -> tuple[int, float, float, float]:
    """Changes, seconds, and milliseconds of CPU of this process and of the database."""
    running = await opened(url)
    done = 0

    async def write(ends: float) -> None:
        nonlocal done
        while time.monotonic() < ends:
            id, shop, version = next(asked)
            actor = Actor(Party.SELLER, "st_1", frozenset({shop}), frozenset("*"))
            await running.desk.act(id, "approve", actor, expected=version)
            done += 1

    await asyncio.gather(*(write(time.monotonic() + 0.3) for _ in range(writers)))  # connections are made
    done, before, began = 0, Spent(), time.monotonic()
    await asyncio.gather(*(write(began + SECONDS) for _ in range(writers)))
    seconds, spent = time.monotonic() - began, Spent().since(before)
    await running.close()
    return done, seconds, *spent


async def opened(url: str) -> Running:
    settings = Settings(database=url, database_connections=max(WRITERS))
    return await build(settings, plugins=[Plugin("slow", "1.0", SlowProvider())])


def deadlines(url: str) -> None:
    """What follows when the seller's silence approves, by the tender of one process, batch by batch."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_MADE_DUE, (DUE,))
        start, lines = _wal(connection), _lines(connection)
        seconds, ours, database = uvloop.run(_fired(url))
        wal, told = (_wal(connection) - start) / DUE, (_lines(connection) - lines) / DUE
        print(f"\n{'deadlines':<18}{'each/s':>10}{'lines':>9}{'CPU ms: ours':>14}{'database':>10}{'WAL bytes':>11}")
        print(f"{DUE:<18}{DUE / seconds:>10.0f}{told:>9.1f}{ours / DUE:>14.2f}{database / DUE:>10.2f}{wal:>11.0f}")


def _lines(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM events").fetchone()
    assert row is not None
    return int(row[0])


async def _fired(url: str) -> tuple[float, float, float]:
    running = await opened(url)
    before, began, left = Spent(), time.monotonic(), DUE
    while left > 0:
        # without what is paid then: the provider takes its time
        left -= await running.tender._fire_due()
    seconds, spent = time.monotonic() - began, Spent().since(before)
    await running.close()
    return seconds, *spent


def feed(url: str) -> None:
    """Lines of the log that one process reads, with their requests, and hands to those of 500 who may see them."""
    uvloop.run(_followed(url))


async def _followed(url: str) -> None:
    running = await opened(url)
    log = running.house.log
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT serial FROM events ORDER BY serial DESC OFFSET %s LIMIT 1", (LINES,)
        ).fetchone()
        assert row is not None
    print(f"\n{'followers':<18}{'lines/s':>10}{'handed/s':>10}{'CPU ms a line':>15}")
    for followers in (1, SHOPS, FOLLOWERS):
        reader = Feed(log.after, log.last_serial, running.desk.ledger.requests, capacity=LINES)
        reader.serial = row[0]
        with ExitStack() as stack:
            queues = [
                stack.enter_context(reader.follow(seen_by(number), shops=[shop_id(number % SHOPS)]))
                for number in range(followers)
            ]
            before, began = _cpu(psutil.Process()), time.monotonic()
            await reader._catch_up()
            seconds, spent = time.monotonic() - began, _cpu(psutil.Process()) - before
            handed = sum([await _taken(queue) for queue in queues])
        print(f"{followers:<18}{LINES / seconds:>10.0f}{handed / seconds:>10.0f}{spent / LINES:>15.3f}")
    await running.close()


def seen_by(number: int) -> Callable[[Request], bool]:
    """What a stream of one shop's seller looks at, line for line."""
    actor = Actor(Party.SELLER, f"st_{number}", frozenset({shop_id(number % SHOPS)}), frozenset("*"))
    return lambda request: may_see(actor, request.order.shop.id, request.order.buyer_id)


async def _taken(queue: Follower) -> int:
    taken = 0
    while not queue.idle:
        await queue.next(0)
        taken += 1
    return taken


PARTS = {
    "sizes": sizes,
    "commits": commits,
    "changes": changes,
    "deadlines": deadlines,
    "notices": notices,
    "feed": feed,
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS), help="these parts")
    args = parser.parse_args(argv)
    with filled() as url:
        for part in args.only:
            PARTS[part](url)


if __name__ == "__main__":
    main(sys.argv[1:])

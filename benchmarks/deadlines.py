"""How fast what is due is done, on PostgreSQL: a backlog after downtime, then a steady rate; beside plain SQL.

The plain program writes the same rows for each clock, set by set, and decides nothing: no rule, no plugin, no policy.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import uvloop
from psycopg.conninfo import conninfo_to_dict

from aftersales.registry import Plugin
from aftersales.running import Running, build
from aftersales.settings import Settings
from aftersales.store.columns import COLUMNS
from aftersales.store.migrate import migrate

from .data import MORE
from .due import due
from .plain_sql import fire_all
from .postgres import server
from .provider import SlowProvider
from .rows import SECOND, by_table

LATE_MS, FIRST_SECONDS = 100, 1.0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deadlines", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="clocks that are due at once")
    parser.add_argument("--rate", type=int, default=100, help="clocks a second that become due after that")
    parser.add_argument("--seconds", type=int, default=20, help="of that rate")
    parser.add_argument("--folder", help="where the database lies meanwhile")
    parser.add_argument(
        "--database", help="the URL of a server to use instead of one of its own; databases are made in it"
    )
    args = parser.parse_args(argv)
    with given(args.database) if args.database else server(args.folder) as url:
        now = datetime.now(UTC)
        with made(url, "backlog", args.count, lambda: past(now, args.count)) as backlog:
            with copied(url, backlog, "plain") as plain:
                plain_seconds = fire_all(plain)
            ours = uvloop.run(caught_up(backlog, args.count))
        # far enough ahead for the rows to be there before the first is due
        start = timedelta(seconds=15 + args.rate * args.seconds // 2_000)
        with made(url, "steady", args.rate * args.seconds, lambda: ahead(start, args.rate)) as steady:
            late = uvloop.run(kept_up(steady, args.rate * args.seconds))
    return told(args, ours, plain_seconds, late)


@contextmanager
def given(url: str) -> Iterator[str]:
    yield url


def past(now: datetime, count: int) -> Iterator[int]:
    """One a millisecond, the last a minute ago."""
    last = int(now.timestamp() - 60) * SECOND
    return (last - (count - number) * 1_000 for number in range(count))


def ahead(start: timedelta, rate: int) -> Iterator[int]:
    first = int((datetime.now(UTC) + start).timestamp() * SECOND)
    return (first + number * SECOND // rate for number in range(sys.maxsize))


@contextmanager
def made(url: str, name: str, count: int, instants: Callable[[], Iterator[int]]) -> Iterator[str]:
    """A database with so many clocks."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    place = url_of(url, name)
    try:
        asyncio.run(migrate(place))
        rows = by_table(due(datetime.now(UTC), count, instants()))
        with psycopg.connect(place) as connection:
            connection.execute("SET session_replication_role = replica")
            for table, found in rows.items():
                columns = ", ".join((*COLUMNS[table], *MORE.get(table, ())))
                with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    for row in found:
                        copy.write_row(row)
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        yield place
    finally:
        dropped(url, name)


@contextmanager
def copied(url: str, place: str, name: str) -> Iterator[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {conninfo_to_dict(place)['dbname']}")
    try:
        yield url_of(url, name)
    finally:
        dropped(url, name)


def dropped(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def url_of(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{'?' if query else ''}{query}"


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """
    Args:
        first: seconds from the start of the server until the first was done.
        seconds: until all were.
        cpu: seconds of this process.
        statements, hops: to the database, in all.
    """

    first: float
    seconds: float
    cpu: float
    statements: int
    hops: int


class Counting:
    """Counts what goes to the database, and passes it on."""

    def __init__(self, running: Running) -> None:
        self.statements = self.hops = 0
        database: Any = running.database
        database.read, database.write = self._counted(database.read), self._counted(database.write)

    def _counted(self, passed_on: Any) -> Any:
        async def counted(*statements: Any) -> Any:
            self.hops += 1
            self.statements += len(statements)
            return await passed_on(*statements)

        return counted


async def started(place: str) -> Running:
    settings = Settings(database=place, evidence=f"file://{tempfile.gettempdir()}/aftersales-benchmark-evidence")
    return await build(settings, plugins=[Plugin("slow", "1.0", SlowProvider())])


async def caught_up(place: str, count: int) -> CaughtUp:
    began = time.monotonic()
    running = await started(place)
    counting = Counting(running)
    cpu = time.process_time()
    first: list[float] = []

    class Heard:
        def announce(self, changes: object) -> None:
            first.append(time.monotonic() - began)

    running.desk.announces.append(Heard())
    await running.tender.tend()
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    await running.close()
    if (done := ended(place)) != count:
        raise SystemExit(f"{done} of {count} were done")
    return CaughtUp(first[0], seconds, cpu, counting.statements, counting.hops)


async def kept_up(place: str, count: int) -> list[float]:
    """How late each was, in milliseconds, in order."""
    running = await started(place)
    loops = [asyncio.create_task(loop) for loop in running.loops().values()]
    async with asyncio.timeout(600):
        # seldom, as what is measured shares the machine with this
        while await asyncio.to_thread(ended, place) < count:  # noqa: ASYNC110 - the log tells, whoever writes it
            await asyncio.sleep(1)
    for loop in loops:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
    await running.close()
    with psycopg.connect(place) as connection:
        rows = connection.execute("SELECT processed_at - at FROM events WHERE type = 'DeadlineExpired'").fetchall()
    return sorted(late / 1_000 for (late,) in rows)


def ended(place: str) -> int:
    with psycopg.connect(place) as connection:
        row = connection.execute("SELECT COUNT(*) FROM events WHERE type = 'DeadlineExpired'").fetchone()
    return row[0] if row else 0


def told(args: argparse.Namespace, ours: CaughtUp, plain: float, late: list[float]) -> int:
    """The figures; 1 if a target is missed."""
    p50, p99 = (late[int(len(late) * part)] for part in (0.5, 0.99))
    ours_rate, plain_rate = args.count / ours.seconds, args.count / plain
    print(f"{args.count} due at once")
    print(f"  ours        {ours_rate:>10,.0f} a second, all after {ours.seconds:.1f} s; first after {ours.first:.2f} s")
    print(
        f"  plain SQL   {plain_rate:>10,.0f} a second, all after {plain:.1f} s; {plain_rate / ours_rate:.1f} times ours"
    )
    print(f"  for each    {ours.statements / args.count:.2f} statements, {ours.hops / args.count:.4f} round trips,"
          f" {ours.cpu / args.count * 1_000:.2f} ms of our CPU")  # fmt: skip
    print(f"{args.rate} a second for {args.seconds} s")
    print(f"  late by     p50 {p50:.1f} ms, p99 {p99:.1f} ms, at most {late[-1]:.1f} ms")
    missed = [
        *(["p99 of lateness"] if p99 >= LATE_MS else []),
        *(["first after a restart"] if ours.first >= FIRST_SECONDS else []),
        *(["something fired early"] if late[0] < 0 else []),
    ]
    print(f"missed: {', '.join(missed)}" if missed else "every target is met")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())

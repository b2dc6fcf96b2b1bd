"""A PostgreSQL as one runs it for real, every commit on the disk, filled with the rows of the benchmarks."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random

import psycopg
from psycopg.sql import SQL, Identifier

from aftersales.store.columns import COLUMNS
from aftersales.store.migrate import migrate

from .data import MORE, SEED, made
from .postgres import server
from .rows import Row, by_table

# Of one transaction: it may write so many lines of the log and no more.
TOGETHER = 50_000
# Each after those it refers to.
ORDER = (
    "shops", "orders", "order_lines", "terms", "requests", "request_lines", "deadlines", "refunds", "evidence",
    "request_evidence", "events",
)  # fmt: skip


@contextmanager
def filled(now: datetime | None = None, name: str = "filled") -> Iterator[str]:
    """The URL of a database with 100 shops and 20,000 requests, on a server of its own."""
    with server() as first:
        with psycopg.connect(first, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        url = first.replace("/postgres?", f"/{name}?")
        asyncio.run(migrate(url))
        rows = by_table(made(now or datetime.now(UTC), Random(SEED)))
        assert rows.keys() == set(ORDER)
        with psycopg.connect(url, autocommit=True) as connection:
            for table in ORDER:
                for start in range(0, len(rows[table]), TOGETHER):
                    _copied(connection, table, rows[table][start : start + TOGETHER])
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        yield url


def _copied(connection: psycopg.Connection, table: str, rows: Sequence[Row]) -> None:
    columns = (*COLUMNS[table], *MORE.get(table, ()))
    # the database numbers the log
    known = columns[1:] if table == "events" else columns
    names = SQL(", ").join(map(Identifier, known))
    with connection.cursor().copy(SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), names)) as copy:
        for row in rows:
            copy.write_row(row[-len(known) :])

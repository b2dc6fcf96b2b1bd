"""What migrating takes on PostgreSQL: the migrations, and beneath them a groundwork that only PostgreSQL needs.

The groundwork is laid anew after each migration: columns hold what they hold on SQLite, where text sorts by its bytes
and nothing is cut to a length, and lines of the log are numbered in an order that a reader can rely on (ADR 0020).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

# Lines that one transaction may write, as a power of two.
LINES = 16

# Any number, as long as it is always the same: whoever migrates holds it.
MIGRATING = 0x6166746572

_MIGRATIONS = """
    CREATE TABLE IF NOT EXISTS tortoise_migrations (
        app text NOT NULL, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (app, name)
    )
"""
_APPLY = "INSERT INTO tortoise_migrations (app, name) VALUES (%s, %s)"
_TABLES = "SELECT to_regclass('tortoise_migrations') IS NOT NULL"
_APPLIED = "SELECT name FROM tortoise_migrations WHERE app = %s ORDER BY name"

# Columns that hold less than on SQLite, or sort otherwise, and what they are to be.
_NARROW = """
    SELECT c.relname, a.attname, CASE WHEN a.attcollation = 0 THEN 'bigint' ELSE 'text COLLATE "C"' END
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname = ANY(%s)
    AND a.attnum > 0 AND NOT a.attisdropped AND (
        a.atttypid IN ('int4'::regtype, 'int2'::regtype, 'varchar'::regtype)
        OR a.attcollation NOT IN (0, 'pg_catalog."C"'::regcollation)
    )
    ORDER BY 1, 2
"""

_FUNCTIONS = """
CREATE OR REPLACE FUNCTION alone(name text) RETURNS void LANGUAGE sql AS
    $$ SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) $$;

CREATE OR REPLACE FUNCTION log_base() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT {base}::bigint $$;

CREATE OR REPLACE FUNCTION log_horizon() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT (log_base() + pg_snapshot_xmin(pg_current_snapshot())::text::bigint) << {lines} $$;

CREATE OR REPLACE FUNCTION log_serial() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE line bigint := COALESCE(NULLIF(current_setting('aftersales.line', true), ''), '0')::bigint;
BEGIN
    IF line >> {lines} > 0 THEN RAISE 'one transaction writes % lines of the log', line; END IF;
    PERFORM set_config('aftersales.line', (line + 1)::text, true);
    RETURN ((log_base() + pg_current_xact_id()::text::bigint) << {lines}) + line;
END $$;

ALTER TABLE events ALTER COLUMN serial SET DEFAULT log_serial();
"""

# Transactions are counted by the server that runs: after a restore into another, its count may be behind the log.
_BEHIND = f"""
    SELECT COALESCE((SELECT MAX(serial) >> {LINES} FROM events), 0), log_base(),
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""


async def applied(url: str, app: str) -> list[str]:
    """The migrations that were applied, by name."""
    async with connected(url) as connection:
        return await _applied(connection, app)


async def _applied(connection: psycopg.AsyncConnection, app: str) -> list[str]:
    [there] = await _one(connection, _TABLES)
    rows = await (await connection.execute(_APPLIED, (app,))).fetchall() if there else []
    return [name for (name,) in rows]


async def apply(
    connection: psycopg.AsyncConnection, app: str, names: list[str], sql_of: Callable[[str], Awaitable[list[str]]]
) -> None:
    """Apply what of these migrations is not: each with the note of it as one transaction."""
    await connection.execute(_MIGRATIONS)
    for name in names:
        if name in await _applied(connection, app):
            continue
        async with connection.transaction():
            for sql in await sql_of(name):
                await connection.execute(sql.encode())
            await connection.execute(_APPLY, (app, name))


async def unlaid(url: str, tables: list[str]) -> bool:
    """Whether the groundwork is missing, in part or as a whole, in a database that is migrated."""
    async with connected(url) as connection:
        [there] = await _one(connection, "SELECT to_regprocedure('log_serial()') IS NOT NULL")
        if not there or await (await connection.execute(_NARROW, (tables,))).fetchone():
            return True
        return _base(*await _one(connection, _BEHIND)) is not None


@asynccontextmanager
async def alone(url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """While it lasts, nobody else migrates this database, from this machine or another."""
    async with connected(url) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATING,))
        yield connection


async def lay(connection: psycopg.AsyncConnection, tables: list[str]) -> None:
    """Lay the groundwork; where it is laid, nothing changes."""
    async with connection.transaction():
        for table, column, type in await (await connection.execute(_NARROW, (tables,))).fetchall():
            await connection.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE {type}')
        [there] = await _one(connection, "SELECT to_regprocedure('log_base()') IS NOT NULL")
        base = (await _one(connection, "SELECT log_base()"))[0] if there else 0
        await connection.execute(_FUNCTIONS.format(base=base, lines=LINES))
        ahead = _base(*await _one(connection, _BEHIND))
        if ahead is not None:
            await connection.execute(_FUNCTIONS.format(base=ahead, lines=LINES))


def _base(last: int, base: int, next_transaction: int) -> int | None:
    """What must be added to this server's count of transactions so that it goes on behind the log; None: it does."""
    return last - next_transaction + 1 if last >= base + next_transaction else None


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    connection = await psycopg.AsyncConnection.connect(make_conninfo(url, connect_timeout=5), autocommit=True)
    async with connection:
        yield connection


async def _one(connection: psycopg.AsyncConnection, sql: str) -> tuple[Any, ...]:
    row = await (await connection.execute(sql)).fetchone()
    assert row is not None
    return row

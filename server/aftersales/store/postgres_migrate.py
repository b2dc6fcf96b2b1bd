"""What migrating takes on PostgreSQL: the migrations, and beneath them a groundwork that only PostgreSQL needs.

The groundwork numbers lines of the log in an order that a reader can rely on (ADR 0020). Traffic goes on meanwhile, and
waits for no lock longer than `LOCK_SECONDS` (ADR 0022).
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from .postgres_steps import Index, Steps, steps

log = logging.getLogger("aftersales.store")

# Lines that one transaction may write, as a power of two.
LINES = 16

# Any number, as long as it is always the same: whoever migrates holds it.
MIGRATING = 0x6166746572
LOOK_SECONDS = 0.1
_ALONE = f"SELECT pg_try_advisory_lock({MIGRATING})"

# All traffic of a table queues behind who waits for its lock: so long at a time, and then others go first.
LOCK_SECONDS = 2.0
LOCK_TRIES = 30
PAUSE_SECONDS = (0.5, 2.0)
# What only changes the catalogue takes milliseconds. What takes longer is no such thing, and is undone.
WORK_SECONDS = 5.0
# After a deadlock a part of it may be left, invalid.
INDEX_TRIES = 3

_MIGRATIONS = """
    CREATE TABLE IF NOT EXISTS tortoise_migrations (
        app text NOT NULL, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (app, name)
    )
"""
_APPLY = "INSERT INTO tortoise_migrations (app, name) VALUES (%s, %s)"
_VALID = """
    SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = %s AND i.indrelid = to_regclass(%s)
"""
_OLDEST = """
    SELECT pid, application_name, state, xact_start FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    ORDER BY xact_start LIMIT 1
"""
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

CREATE OR REPLACE FUNCTION log_epoch() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(concat_ws(' ',
        (SELECT system_identifier FROM pg_control_system()),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END
    ), 0) & 2147483647
$$;

CREATE OR REPLACE FUNCTION log_serial() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE line bigint := COALESCE(NULLIF(current_setting('aftersales.line', true), ''), '0')::bigint;
BEGIN
    IF line >> {lines} > 0 THEN RAISE 'one transaction writes % lines of the log', line; END IF;
    PERFORM set_config('aftersales.line', (line + 1)::text, true);
    RETURN ((log_base() + pg_current_xact_id()::text::bigint) << {lines}) + line;
END $$;
"""

_NUMBERED = """
    SELECT EXISTS (
        SELECT FROM pg_attrdef d
        WHERE d.adrelid = to_regclass('events') AND pg_get_expr(d.adbin, d.adrelid) = 'log_serial()'
    )
"""
_LAID = f"""
    SELECT to_regprocedure('log_horizon()') IS NOT NULL AND to_regprocedure('log_epoch()') IS NOT NULL
        AND to_regprocedure('alone(text)') IS NOT NULL AND ({_NUMBERED})
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
    connection: psycopg.AsyncConnection,
    app: str,
    names: list[str],
    written: Callable[[], Awaitable[Mapping[str, list[str]]]],
) -> None:
    """Apply what of these migrations is not.

    Each is one transaction with the note of it. Where it makes indexes of tables that were there before, they come
    after it, one by one, and the note last: cut off in between, the next try goes on with those that are missing.

    Args:
        written: the SQL of each; it takes long to make, and is asked for only if one is left.

    Raises:
        LockNotAvailable: somebody kept a table locked all the time.
    """
    await connection.execute(_MIGRATIONS)
    done = await _applied(connection, app)
    left = [name for name in names if name not in done]
    sql_of = await written() if left else {}
    for name in left:
        each = steps(sql_of[name])
        if not each.indexes:
            await _together(connection, each, (app, name))
            continue
        begun = f"{app}.begun"
        if name not in await _applied(connection, begun):
            await _together(connection, each, (begun, name))
        for index in each.indexes:
            await _make(connection, index)
        await connection.execute(_APPLY, (app, name))


async def _together(connection: psycopg.AsyncConnection, each: Steps, note: tuple[str, str]) -> None:
    async def run() -> None:
        for sql in each.together:
            await connection.execute(sql.encode())
        await connection.execute(_APPLY, note)

    await _briefly(connection, len(each.locked), run)


async def _briefly(connection: psycopg.AsyncConnection, tables: int, run: Callable[[], Awaitable[None]]) -> None:
    """One transaction that locks so many tables, and makes nobody wait for longer than `LOCK_SECONDS` in all."""
    for left in reversed(range(LOCK_TRIES)):
        try:
            async with connection.transaction():
                # it holds one while it waits for the next
                await connection.execute(f"SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000 / max(1, tables))}")
                await connection.execute(f"SET LOCAL statement_timeout = {int(WORK_SECONDS * 1000)}")
                await run()
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if not left:
                raise
            log.warning("a table is in use; it is tried again, and others go first. The oldest transaction: %s",
                        await (await connection.execute(_OLDEST)).fetchone())  # fmt: skip
            await asyncio.sleep(random.uniform(*PAUSE_SECONDS))


async def _make(connection: psycopg.AsyncConnection, index: Index) -> None:
    """Beside the traffic. It waits for transactions that were there before it, and nobody waits for it."""
    await connection.execute("SET lock_timeout = 0")
    await connection.execute("SET statement_timeout = 0")
    for left in reversed(range(INDEX_TRIES)):
        found = await (await connection.execute(_VALID, (index.name, index.table))).fetchone()
        if found == (True,):
            return
        if found == (False,):
            # of a try that was cut off: it costs every write, and serves no read
            await connection.execute(f'DROP INDEX CONCURRENTLY "{index.name}"'.encode())
        try:
            await connection.execute(index.sql.encode())
            return
        except psycopg.errors.DeadlockDetected:
            if not left:
                raise


async def unlaid(url: str, tables: list[str]) -> bool:
    """Whether the groundwork is missing, in part or as a whole, in a database that is migrated."""
    async with connected(url) as connection:
        return not await _laid(connection) or _base(*await _one(connection, _BEHIND)) is not None


@asynccontextmanager
async def alone(url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """While it lasts, nobody else migrates this database, from this machine or another."""
    async with connected(url) as connection:
        # asked for again and again: who waits within a statement is waited for by whoever makes an index
        while not (await _one(connection, _ALONE))[0]:  # noqa: ASYNC110 - another machine has no event for us
            await asyncio.sleep(LOOK_SECONDS)
        yield connection


async def lay(connection: psycopg.AsyncConnection, tables: list[str]) -> None:
    """Lay the groundwork; where it is laid, no table is touched."""

    async def run() -> None:
        numbered = (await _one(connection, _NUMBERED))[0]
        if not numbered:
            # by a release that had narrow columns; as long as nobody could write a line, they cost nothing to widen
            for table, column, type in await (await connection.execute(_NARROW, (tables,))).fetchall():
                await connection.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE {type}')
        [there] = await _one(connection, "SELECT to_regprocedure('log_base()') IS NOT NULL")
        base = (await _one(connection, "SELECT log_base()"))[0] if there else 0
        await connection.execute(_FUNCTIONS.format(base=base, lines=LINES))
        if not numbered:
            await connection.execute("ALTER TABLE events ALTER COLUMN serial SET DEFAULT log_serial()")
        ahead = _base(*await _one(connection, _BEHIND))
        if ahead is not None:
            await connection.execute(_FUNCTIONS.format(base=ahead, lines=LINES))

    await _briefly(connection, 1, run)


async def _laid(connection: psycopg.AsyncConnection) -> bool:
    return bool((await _one(connection, _LAID))[0])


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

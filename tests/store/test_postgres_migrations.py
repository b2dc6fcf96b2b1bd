"""The schema on PostgreSQL: that of the models, wide as on SQLite, sorted by bytes, and made once by however many."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from tests.postgres import Postgres, drop, new_database
from tests.processes import run
from tests.store.builders import world
from tests.store.test_migrations import LATEST, tables

from aftersales.store.database import Statement
from aftersales.store.log import Log
from aftersales.store.migrate import GROUNDWORK, migrate, schema_state

pytestmark = pytest.mark.engine("postgres")  # of SQLite: test_migrations

DUMPED = """
    SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || COALESCE(' ' || l.collname, '') || COALESCE(' ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND c.relkind IN ('r', 'i') ORDER BY 1
"""

# What a table that is rewritten has anew.
FILES = "SELECT relname, relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"


@pytest.fixture
def url(engine: Postgres) -> Iterator[str]:
    url = new_database(migrated=False)
    yield url
    drop(url)


@pytest.fixture
def migrated(engine: Postgres) -> Iterator[str]:
    """A copy of a database that was migrated from nothing."""
    url = new_database()
    yield url
    drop(url)


def dumped(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [line for (line,) in connection.execute(DUMPED)]


async def test_a_new_database_is_brought_to_the_schema_of_this_release(url: str) -> None:
    state = await schema_state(url)
    assert (state.current, state.needed, state.fits) == (None, LATEST, False)

    before = await migrate(url)

    assert before == state
    after = await schema_state(url)
    assert (after.current, after.pending, after.fits, after.advice) == (LATEST, (), True, "")


async def test_migrating_twice_changes_nothing(migrated: str) -> None:
    made = dumped(migrated)

    assert (await migrate(migrated)).fits

    assert dumped(migrated) == made


def test_machines_that_migrate_at_once_all_succeed(url: str) -> None:
    with ThreadPoolExecutor() as pool:
        each = [pool.submit(run, "migrate", "--database", url) for _ in range(3)]

    assert [told.result().returncode for told in each] == [0, 0, 0]
    assert asyncio.run(schema_state(url)).fits


async def test_the_tables_have_the_columns_of_the_models(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        found = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name <> 'tortoise_migrations'"
        ).fetchall()

    assert {table: {column for other, column in found if other == table} for table, _ in found} == tables()


async def test_no_column_is_narrower_or_sorted_otherwise_than_on_sqlite(migrated: str) -> None:
    ours = [line for line in dumped(migrated) if line.partition(".")[0] in tables()]

    kinds = {line.split(" ", 1)[1].split(" nextval")[0] for line in ours}

    assert {kind.split("::")[0].split(" 0")[0] for kind in kinds} <= {
        "bigint", "text C", "boolean", "boolean false", "text C ''", "bigint log_serial()",
    }  # fmt: skip


async def test_a_lost_groundwork_is_told_and_laid_again_without_touching_a_table(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("DROP FUNCTION log_horizon()")
        files = connection.execute(FILES).fetchall()

    assert (await schema_state(migrated)).pending == (GROUNDWORK,)
    await migrate(migrated)

    assert (await schema_state(migrated)).fits
    with psycopg.connect(migrated) as connection:
        assert connection.execute(FILES).fetchall() == files


async def test_a_try_that_was_cut_off_is_gone_on_with(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        # the second of the migrations finds the name of its last index taken
        connection.execute("CREATE TABLE away (id int)")
        connection.execute("CREATE INDEX idx_refunds_stuck_at ON away (id)")

    with pytest.raises(psycopg.errors.DuplicateTable):
        await migrate(url)
    assert (await schema_state(url)).current == "0001_initial"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE away")
        # and what it had made is not valid, as after a try that was killed in the midst of it
        connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_deadlines_wake_at'::regclass"
        )
    await migrate(url)

    assert (await schema_state(url)).fits
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT COUNT(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


async def test_a_log_that_was_restored_into_another_server_goes_on_behind_its_end(migrated: str) -> None:
    async with world(migrated) as w:
        await w.open(await w.order("1"))
        # as if the server that wrote it had counted far more transactions than this one
        await w.ledger.database.write(Statement("UPDATE events SET serial = serial + 1000000000000"))

    assert (await schema_state(migrated)).pending == (GROUNDWORK,)
    await migrate(migrated)

    assert (await schema_state(migrated)).fits
    async with world(migrated) as w:
        w.number_from(100)
        log = Log(w.ledger.database)
        end = await log.last_serial()
        request = await w.open(await w.order("2"))
        assert [event.request_id for event in await log.after(end)] == [request.id] * 2

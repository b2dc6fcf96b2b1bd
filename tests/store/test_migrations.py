"""The schema: made by migrations, the same as the models, the same as the columns that SQL names."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.processes import run
from tortoise import Model, Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector

from aftersales.store import models
from aftersales.store.columns import ASIDE, COLUMNS
from aftersales.store.migrate import APP, config, migrate, schema_state
from aftersales.store.urls import UnsupportedDatabase
from aftersales.testing.places import on_sqlite

pytestmark = pytest.mark.engine("sqlite")  # of PostgreSQL: test_postgres_migrations

BEFORE, LATEST = "0004_erasures", "0005_claims"


def tables() -> dict[str, set[str]]:
    """The columns of each table as the models have them."""
    # those that refer to another table are there only once both have met
    Tortoise.init_models([models], APP)
    found = [
        each
        for each in vars(models).values()
        if isinstance(each, type) and issubclass(each, Model) and each is not Model
    ]
    return {model._meta.db_table: set(model._meta.fields_db_projection.values()) for model in found}


async def test_a_new_database_is_brought_to_the_schema_of_this_release(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'new' / 's.db'}"
    state = await schema_state(url)
    assert (state.current, state.needed, state.fits) == (None, LATEST, False)
    assert "aftersales migrate" in state.advice

    before = await migrate(url)

    assert before == state
    after = await schema_state(url)
    assert (after.current, after.pending, after.fits, after.advice) == (LATEST, (), True, "")


async def test_asking_for_the_state_makes_no_file(tmp_path: Path) -> None:
    await schema_state(f"sqlite://{tmp_path / 's.db'}")

    assert os.listdir(tmp_path) == []


async def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    url = await on_sqlite(tmp_path / "s.db")
    with sqlite3.connect(tmp_path / "s.db") as connection:
        made = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()

    assert (await migrate(url)).fits

    with sqlite3.connect(tmp_path / "s.db") as connection:
        assert connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == made


def test_two_processes_that_migrate_at_once_both_succeed(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(run, "migrate", "--database", f"sqlite://{tmp_path}/s.db") for _ in range(2)]

    assert [told.result().returncode for told in both] == [0, 0]
    assert asyncio.run(schema_state(f"sqlite://{tmp_path}/s.db")).fits


async def test_an_older_schema_is_told_from_ours(tmp_path: Path) -> None:
    url = await on_sqlite(tmp_path / "s.db")
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("DELETE FROM tortoise_migrations WHERE name = ?", (LATEST,))

    state = await schema_state(url)

    assert (state.current, state.pending, state.fits) == (BEFORE, (LATEST,), False)


async def test_a_later_schema_fits_as_it_only_adds(tmp_path: Path) -> None:
    url = await on_sqlite(tmp_path / "s.db")
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute(
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('aftersales', '9999_later', '')"
        )

    state = await schema_state(url)

    assert (state.fits, state.unknown) == (True, ("9999_later",))


async def test_another_database_is_refused() -> None:
    with pytest.raises(UnsupportedDatabase):
        await migrate("mysql://host/db")


async def test_the_migrations_lead_to_the_models(tmp_path: Path) -> None:
    settings = config(tmp_path / "s.db")
    await Tortoise.init(config=settings, init_connections=False)

    left = await MigrationAutodetector(Tortoise.apps, settings["apps"]).changes()

    assert left == []


async def test_the_tables_have_the_columns_of_the_models(tmp_path: Path) -> None:
    await on_sqlite(tmp_path / "s.db")
    with sqlite3.connect(tmp_path / "s.db") as connection:
        made = {table: {row[1] for row in connection.execute(f"PRAGMA table_info({table})")} for table in tables()}

    assert made == tables()


def test_sql_names_every_column_of_every_table_once() -> None:
    assert {table: {*COLUMNS[table], *ASIDE.get(table, ())} for table in COLUMNS} == tables()
    assert [table for table in COLUMNS if set(COLUMNS[table]) & set(ASIDE.get(table, ()))] == []


async def test_no_docstring_of_a_model_cuts_the_sql_made_of_it() -> None:
    cut = [name for name, each in vars(models).items() if isinstance(each, type) and ";" in (each.__doc__ or "")]

    assert cut == []


def test_a_server_that_fits_its_database_never_loads_tortoise() -> None:
    program = (
        "import sys; from aftersales.store import ledger, lists, log, migrate, urls;"
        " sys.exit(any(name.startswith(('tortoise', 'aiosqlite')) for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", program]).returncode == 0

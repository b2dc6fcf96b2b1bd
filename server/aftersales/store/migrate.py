"""Brings a database to the schema of this release, and tells how far one is."""

import sqlite3
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from .columns import COLUMNS
from .urls import is_postgres, path_of

APP = "aftersales"
_MIGRATIONS = "aftersales.store.migrations"
# Beneath the migrations on PostgreSQL, and laid with them: `postgres_migrate`.
GROUNDWORK = "groundwork"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """
    Args:
        current: the last migration that was applied; None for a new database.
        needed: the last one that this release knows.
        pending: those to be applied, in order.
        unknown: applied by a later release.
    """

    current: str | None
    needed: str
    pending: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether this release can work with the database. A later one only adds, so that both can run at once."""
        return not self.pending

    @property
    def advice(self) -> str:
        """What to do, in words; empty if it fits."""
        if self.fits:
            return ""
        if self.pending == (GROUNDWORK,):
            return "The database lacks its groundwork, or was restored from another server. Run: aftersales migrate"
        current = self.current or "nothing"
        return f"The database is at {current}, this release needs {self.needed}. Run: aftersales migrate"


async def schema_state(url: str) -> SchemaState:
    """How far the database is. Makes no file.

    Raises:
        UnsupportedDatabase: for a URL this release does not speak to.
    """
    ours = known()
    if is_postgres(url):
        from . import postgres_migrate as postgres

        applied = await postgres.applied(url, APP)
        beneath = [GROUNDWORK] if applied and await postgres.unlaid(url, list(COLUMNS)) else []
    else:
        applied, beneath = _applied(path_of(url)), []
    return SchemaState(
        applied[-1] if applied else None,
        ours[-1],
        (*(name for name in ours if name not in applied), *beneath),
        tuple(name for name in applied if name not in ours),
    )


async def migrate(url: str) -> SchemaState:
    """Apply what is pending; safe to run twice, also at once.

    Returns:
        The state before.

    Raises:
        UnsupportedDatabase: for a URL this release does not speak to.
    """
    before = await schema_state(url)
    if not before.pending:
        return before
    if is_postgres(url):
        from . import postgres_migrate as postgres

        async with postgres.alone(url) as connection:
            await postgres.apply(connection, APP, known(), postgres_sql)
            await postgres.lay(connection, list(COLUMNS))
    else:
        path = path_of(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _Alone(path):
            await _apply(_sqlite(path))
    return before


async def _apply(connection: dict[str, Any]) -> None:
    # Tortoise is heavy, and a server that fits its database never needs it
    from tortoise import Tortoise
    from tortoise.migrations.api import migrate as apply

    try:
        await apply(config=_config(connection))
    finally:
        await Tortoise.close_connections()


async def postgres_sql() -> dict[str, list[str]]:
    """The SQL of each migration. Tortoise writes it down and never connects.

    In one pass: its own `sqlmigrate` begins each at the first, and makes ready for queries what only stands for a
    table. Both together take three times as long.
    """
    from tortoise.backends.psycopg.client import PsycopgClient
    from tortoise.connection import ConnectionHandler
    from tortoise.migrations.migration import Migration
    from tortoise.migrations.schema_editor import PsycopgSchemaEditor
    from tortoise.migrations.schema_generator.state import State
    from tortoise.migrations.schema_generator.state_apps import StateApps

    # of no connection, so that nothing is made ready for queries
    state, client = State({}, StateApps({}, ConnectionHandler())), PsycopgClient(connection_name="store")
    written: dict[str, list[str]] = {}
    for name in known():
        migration: Migration = import_module(f"{_MIGRATIONS}.{name}").Migration(name, APP)
        editor = PsycopgSchemaEditor(client, atomic=False, collect_sql=True)
        state = await migration.apply(state, schema_editor=editor, collect_sql=True)
        written[name] = editor.collected_sql
    return written


def config(path: Path) -> dict[str, Any]:
    """How Tortoise is to see us on SQLite."""
    return _config(_sqlite(path))


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "engine": "tortoise.backends.sqlite",
        "credentials": {"file_path": str(path), "busy_timeout": 60_000},
    }


def _config(connection: dict[str, Any]) -> dict[str, Any]:
    return {
        "connections": {"store": connection},
        "apps": {
            APP: {
                "models": ["aftersales.store.models"],
                "default_connection": "store",
                "migrations": _MIGRATIONS,
            }
        },
    }


class _Alone:
    """While it lasts, no other process migrates this database: Tortoise itself takes no lock."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")

    def __enter__(self) -> None:
        self._lock = sqlite3.connect(self._path, timeout=60, isolation_level=None)
        self._lock.execute("BEGIN EXCLUSIVE")

    def __exit__(self, *_: object) -> None:
        # the empty file stays: whoever waits for it would lose it
        self._lock.close()


def known() -> list[str]:
    names = (entry.name for entry in files(_MIGRATIONS).iterdir())
    return sorted(name.removesuffix(".py") for name in names if name[0].isdigit() and name.endswith(".py"))


def _applied(path: Path) -> list[str]:
    if not path.exists():
        return []
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT name FROM tortoise_migrations WHERE app = ? ORDER BY name", (APP,)).fetchall()
    except sqlite3.OperationalError:
        # a file without the table: nothing was ever applied
        return []
    finally:
        connection.close()
    return [row[0] for row in rows]

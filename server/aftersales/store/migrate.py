"""Brings a database to the schema of this release, and tells how far one is."""

import sqlite3
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from .urls import path_of

APP = "aftersales"


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
        current = self.current or "nothing"
        return f"The database is at {current}, this release needs {self.needed}. Run: aftersales migrate"


async def schema_state(url: str) -> SchemaState:
    """How far the database is. Makes no file.

    Raises:
        UnsupportedDatabase: for a URL this release does not speak to.
    """
    applied, known = _applied(path_of(url)), _known()
    return SchemaState(
        applied[-1] if applied else None,
        known[-1],
        tuple(name for name in known if name not in applied),
        tuple(name for name in applied if name not in known),
    )


async def migrate(url: str) -> SchemaState:
    """Apply what is pending; safe to run twice, also at once.

    Returns:
        The state before.

    Raises:
        UnsupportedDatabase: for a URL this release does not speak to.
    """
    before = await schema_state(url)
    if before.pending:
        await _apply(path_of(url))
    return before


async def _apply(path: Path) -> None:
    # Tortoise is heavy, and a server that fits its database never needs it
    from tortoise import Tortoise
    from tortoise.migrations.api import migrate as apply

    path.parent.mkdir(parents=True, exist_ok=True)
    with _Alone(path):
        try:
            await apply(config=config(path))
        finally:
            await Tortoise.close_connections()


def config(path: Path) -> dict[str, Any]:
    """How Tortoise is to see us."""
    return {
        "connections": {
            "sqlite": {
                "engine": "tortoise.backends.sqlite",
                "credentials": {"file_path": str(path), "busy_timeout": 60_000},
            }
        },
        "apps": {
            APP: {
                "models": ["aftersales.store.models"],
                "default_connection": "sqlite",
                "migrations": "aftersales.store.migrations",
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


def _known() -> list[str]:
    names = (entry.name for entry in files("aftersales.store.migrations").iterdir())
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

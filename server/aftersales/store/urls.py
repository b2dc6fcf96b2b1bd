"""Which database a URL means."""

from pathlib import Path
from urllib.parse import urlsplit

from .database import Database
from .sqlite import WAITING, SqliteDatabase


class UnsupportedDatabase(Exception):
    """The URL names a database that this release does not speak to; the server does not start."""


def path_of(url: str) -> Path:
    """The file of a `sqlite://` URL: `sqlite://aftersales.db` beside us, `sqlite:///var/lib/aftersales.db` at the root.

    Raises:
        UnsupportedDatabase: for any other URL.
    """
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql"):
        raise UnsupportedDatabase("PostgreSQL comes with a later release; use sqlite://FILE for now.")
    if scheme != "sqlite" or not rest or ":memory:" in rest:
        raise UnsupportedDatabase(f"{_shown(url)!r} is no database we know; use sqlite://FILE.")
    return Path(rest)


async def open_database(url: str, *, waiting: int = WAITING) -> Database:
    """
    Raises:
        UnsupportedDatabase: for anything but `sqlite://FILE`.
    """
    return await SqliteDatabase.open(path_of(url), waiting=waiting)


def _shown(url: str) -> str:
    """The URL without what may be a password."""
    parts = urlsplit(url)
    return url if parts.password is None else url.replace(parts.password, "***")

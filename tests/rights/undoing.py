"""What somebody tries is undone, so that the next finds all as it was; far cheaper than a house for each."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from aftersales.testing.house import Home


@contextmanager
def undone(home: Home) -> Iterator[None]:
    """The database and the shelf of a house end as they began. Nobody may follow it meanwhile."""
    path = home.running.settings.database.removeprefix("sqlite://")
    held, let_go, ledger = dict(home.shelf.held), list(home.shelf.let_go), home.running.desk.ledger
    terms = ledger._terms.copy()  # which policies it knows to be written
    with closing(sqlite3.connect(":memory:")) as kept, closing(sqlite3.connect(path)) as database:
        database.backup(kept)
        before = version(database)
        try:
            yield
        finally:
            if version(database) != before:
                kept.backup(database)
            home.shelf.held, home.shelf.let_go, ledger._terms = held, let_go, terms


def version(database: sqlite3.Connection) -> int:
    """Another one, as soon as anybody else has written."""
    return int(database.execute("PRAGMA data_version").fetchone()[0])

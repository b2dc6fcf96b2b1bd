"""The whole record of a house, kept and put back: far cheaper than a house for each thing that is tried."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from tests.postgres import LOOSE

from aftersales.store.columns import COLUMNS
from aftersales.store.urls import is_postgres, path_of
from aftersales.testing.house import Home


@contextmanager
def undone(home: Home) -> Iterator[None]:
    """The record and the shelf of a house end as they began. Nobody may follow it meanwhile."""
    held, let_go = dict(home.shelf.held), list(home.shelf.let_go)
    with closing(record_of(home)) as record:
        try:
            yield
        finally:
            if record.written():
                record.put_back()
            home.shelf.held, home.shelf.let_go = held, let_go


class Record(ABC):
    """What the database of a house holds, to be put back as it was when it was last kept."""

    def __init__(self, home: Home) -> None:
        self._ledger = home.running.desk.ledger
        self.keep()

    def keep(self) -> None:
        self._keep()
        self._terms = self._ledger._terms.copy()  # which terms the server knows to be written
        self._version = self._counted()

    def put_back(self) -> None:
        self._put_back()
        self._ledger._terms = self._terms.copy()
        self._version = self._counted()

    def written(self) -> bool:
        """Whether anybody may have written since it was kept, or put back."""
        return self._counted() != self._version

    @abstractmethod
    def content(self) -> Mapping[str, list[Any]]:
        """The rows of each table."""

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _keep(self) -> None: ...

    @abstractmethod
    def _put_back(self) -> None: ...

    @abstractmethod
    def _counted(self) -> int:
        """Another number as soon as anybody else has committed anything."""


def record_of(home: Home) -> Record:
    url = home.running.settings.database
    return OnPostgres(home, url) if is_postgres(url) else OnSqlite(home, url)


class OnSqlite(Record):
    def __init__(self, home: Home, url: str) -> None:
        self.file, self.kept = sqlite3.connect(path_of(url)), sqlite3.connect(":memory:")
        self.file.execute("PRAGMA synchronous = OFF")
        super().__init__(home)

    def content(self) -> Mapping[str, list[Any]]:
        return {table: self.file.execute(f"SELECT * FROM {table}").fetchall() for table in COLUMNS}

    def close(self) -> None:
        self.file.close()
        self.kept.close()

    def _keep(self) -> None:
        self.file.backup(self.kept)

    def _put_back(self) -> None:
        self.kept.backup(self.file)

    def _counted(self) -> int:
        return int(self.file.execute("PRAGMA data_version").fetchone()[0])


class OnPostgres(Record):
    def __init__(self, home: Home, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        super().__init__(home)

    def content(self) -> Mapping[str, list[Any]]:
        return {table: sorted(rows.splitlines()) for table, rows in self._copied().items()}

    def close(self) -> None:
        self.connection.close()

    def _keep(self) -> None:
        self.kept = self._copied()

    def _put_back(self) -> None:
        there = self._copied()
        changed = [table for table in COLUMNS if there[table] != self.kept[table]]
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute(LOOSE + "".join(f"DELETE FROM {table};" for table in changed))
            for table in changed:
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(self.kept[table])

    def _copied(self) -> dict[str, bytes]:
        with self.connection.cursor() as cursor:
            return {table: _copy(cursor, table) for table in COLUMNS}

    def _counted(self) -> int:
        # of the whole server: whoever writes elsewhere on it only makes us look in vain
        row = self.connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
        assert row
        return int(row[0])


def _copy(cursor: psycopg.Cursor[Any], table: str) -> bytes:
    with cursor.copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(copy)

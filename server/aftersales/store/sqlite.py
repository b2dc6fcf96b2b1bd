"""SQLite as a `Database`: one thread that writes, two that read, each with a connection of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import TypeVar, TypeVarTuple

from .database import Load, Row, Statement, StoreBusy, StoreClosed, StoreFull, Waited, nobody_told

READERS = 2
WAITING = 1_000
PATIENCE_SECONDS = 5.0
CACHED_STATEMENTS = 512
ENDLESS = 2**63 - 1

# SQLite's own steps between two looks whether the batch is still wanted: about a millisecond of its work.
STEPS_BETWEEN_LOOKS = 20_000

Answer = TypeVar("Answer")
Args = TypeVarTuple("Args")
Batch = Callable[[sqlite3.Connection, Sequence[Statement]], list[list[Row]]]


class Lane:
    """A thread with its connection, and how many wait for it.

    Work that nobody waits for any more is not begun, and when it has begun, SQLite stops in the middle of it.
    """

    def __init__(self, name: str, most_waiting: int, waited: Waited = nobody_told) -> None:
        self.waiting = 0  # the one that is at work included
        self._waited = waited
        self._at: threading.Event | None = None  # set once nobody wants the batch that the thread is at
        self._most = most_waiting
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None

    async def open(self, path: Path, read_only: bool, patience_seconds: float) -> None:
        self._connection = await self._call(_connect, path, read_only, patience_seconds)
        self._connection.set_progress_handler(self._unwanted, STEPS_BETWEEN_LOOKS)

    async def run(self, batch: Batch, statements: Sequence[Statement]) -> list[list[Row]]:
        if self._connection is None:
            raise StoreClosed("The database is closed.")
        if self.waiting >= self._most:
            raise StoreBusy(f"{self.waiting} batches wait already.")
        self.waiting += 1
        unwanted = threading.Event()
        try:
            # if this task is canceled, a batch that has begun is undone as a whole on its thread
            return await self._call(self._run, unwanted, batch, self._connection, statements, perf_counter())
        except asyncio.CancelledError:
            unwanted.set()
            raise
        except sqlite3.OperationalError as error:
            match error.sqlite_errorcode & 0xFF:
                case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                    raise StoreBusy("Another process keeps the database to itself.") from error
                case sqlite3.SQLITE_FULL:
                    raise StoreFull("There is no room on the database's disk.") from error
            raise
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._call(connection.close)
        self._thread.shutdown(wait=False)

    def _run(
        self, unwanted: threading.Event, batch: Batch, connection: sqlite3.Connection, statements: Sequence[Statement],
        asked: float,
    ) -> list[list[Row]]:  # fmt: skip
        self._waited(perf_counter() - asked)
        self._at = unwanted
        try:
            return batch(connection, statements)
        finally:
            self._at = None

    def _unwanted(self) -> bool:
        """Whether SQLite shall stop where it is."""
        return self._at is not None and self._at.is_set()

    async def _call(self, function: Callable[[*Args], Answer], *args: *Args) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)


class SqliteDatabase:
    """Made by `open`."""

    shared = False

    def __init__(self, writer: Lane, readers: Sequence[Lane]) -> None:
        self._writer = writer
        self._readers = readers

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        readers: int = READERS,
        waiting: int = WAITING,
        patience_seconds: float = PATIENCE_SECONDS,
        waited: Waited = nobody_told,
    ) -> SqliteDatabase:
        """Open the file, made if there is none.

        Args:
            waiting: batches that may wait for one thread; one more is refused with `StoreBusy`.
            patience_seconds: how long another process may keep the database to itself.
        """
        writer = Lane("sqlite-write", waiting, waited)
        lanes = [Lane(f"sqlite-read-{number}", waiting, waited) for number in range(readers)]
        # the writer first: it makes the file, and readers cannot
        await writer.open(Path(path), False, patience_seconds)
        for lane in lanes:
            await lane.open(Path(path), True, patience_seconds)
        return cls(writer, lanes)

    async def read(self, *statements: Statement) -> list[list[Row]]:
        lane = min(self._readers, key=lambda lane: lane.waiting)
        return await lane.run(_read, statements)

    async def write(self, *statements: Statement) -> list[list[Row]]:
        return await self._writer.run(_write, statements)

    async def scrub(self) -> None:
        """The write-ahead log has copies of pages as they were: its end is moved into the file, and it is emptied.

        While somebody reads an older state it cannot be emptied whole; the next scrubbing, or the next start, does it.
        """
        await self._writer.run(_scrub, ())

    def load(self) -> Load:
        counts = [lane.waiting for lane in (*self._readers, self._writer)]
        return Load(sum(count > 0 for count in counts), sum(max(0, count - 1) for count in counts))

    async def close(self) -> None:
        for lane in (*self._readers, self._writer):
            await lane.close()


def _connect(path: Path, read_only: bool, patience_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=patience_seconds,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
    )
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
    # as PostgreSQL has them (`postgres_migrate`): here one writes at a time, so that nobody need wait for another
    connection.create_function("alone", 1, lambda _: None)
    connection.create_function("log_horizon", 0, lambda: ENDLESS, deterministic=True)
    # nobody puts another file in its place while it is open; a copy has another (`backup`)
    [epoch] = connection.execute("PRAGMA user_version").fetchone()
    connection.create_function("log_epoch", 0, lambda: epoch, deterministic=True)
    # FULL, because in WAL mode NORMAL may lose what was acknowledged when the power fails
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # what is erased must not be found in the file's empty places
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _read(connection: sqlite3.Connection, statements: Sequence[Statement]) -> list[list[Row]]:
    if len(statements) == 1:
        return [connection.execute(statements[0].sql, statements[0].args).fetchall()]
    connection.execute("BEGIN")
    try:
        return [connection.execute(statement.sql, statement.args).fetchall() for statement in statements]
    finally:
        connection.execute("COMMIT")


def _write(connection: sqlite3.Connection, statements: Sequence[Statement]) -> list[list[Row]]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        answers = [_execute(connection, statement) for statement in statements]
        connection.execute("COMMIT")
        return answers
    except BaseException:
        # a full disk may have undone the transaction already
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _scrub(connection: sqlite3.Connection, _: Sequence[Statement]) -> list[list[Row]]:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return []


def _execute(connection: sqlite3.Connection, statement: Statement) -> list[Row]:
    cursor = connection.execute(statement.sql, statement.args)
    returned = cursor.fetchall() if cursor.description else []
    touched = len(returned) if cursor.description else cursor.rowcount
    if statement.rows is not None and touched != statement.rows:
        raise statement.refusal(touched)
    return returned

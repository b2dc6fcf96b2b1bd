"""What the store asks of a database: batches of statements, each batch whole or not at all."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

Row = tuple[Any, ...]


class StoreBusy(Exception):
    """Too many batches wait already, or another process holds the database; nothing was done. Try again."""


class StoreFull(StoreBusy):
    """There is no room on the database's disk: nothing was done, and the same will go well once there is."""


class OutcomeUnknown(Exception):
    """The connection was lost while the database was told to commit: it may have, or not. The key settles it."""


class StoreClosed(Exception):
    """The database was closed, or is about to be; nothing was done."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, with `?` for each argument.

    Args:
        rows: how many rows a write must touch; None: any number.
        otherwise: what to raise when it touches more or fewer. The whole batch is then undone.
    """

    sql: str
    args: Sequence[Any] = ()
    rows: int | None = None
    otherwise: Callable[[], Exception] | None = None

    def refusal(self, touched: int | str = "other") -> Exception:
        if self.otherwise:
            return self.otherwise()
        return RuntimeError(f"{touched} rows instead of {self.rows}: {self.sql}")


class Patience:
    """What the batches of one operation may wait for the database in all; those side by side are counted once.

    One slow batch is bounded by itself. Ten of them, each a little faster than that, are what a caller waits for.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._under_way = 0
        self._since = 0.0

    @contextmanager
    def batch(self) -> Iterator[float]:
        """While one is under way. Gives the seconds that are left to it.

        Raises:
            StoreBusy: none are.
        """
        clock = asyncio.get_running_loop().time
        if not self._under_way:
            self._since = clock()
        left = self._left - (clock() - self._since)
        if left <= 0:
            raise StoreBusy("The operation has waited long enough for the database.")
        self._under_way += 1
        try:
            yield left
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._left -= clock() - self._since

    def ends(self) -> None:
        """What the operation has left running, if anything, waits as if it were nobody's."""
        self._left = float("inf")


_patience: ContextVar[Patience | None] = ContextVar("patience", default=None)


@contextmanager
def patient(seconds: float) -> Iterator[None]:
    """All that is asked of the database inside is one operation: it waits so long, over all its batches."""
    patience = Patience(seconds)
    token = _patience.set(patience)
    try:
        yield
    finally:
        patience.ends()
        _patience.reset(token)


@contextmanager
def under_way(seconds: float) -> Iterator[float]:
    """A batch. Gives the loop's time at which it must have ended.

    Raises:
        StoreBusy: the operation that it is of has waited long enough.
    """
    clock = asyncio.get_running_loop().time
    if (patience := _patience.get()) is None:
        yield clock() + seconds
        return
    with patience.batch() as left:
        yield clock() + min(seconds, left)


#: Is told, in seconds, how long a batch has waited for its connection. From any thread.
Waited = Callable[[float], None]


def nobody_told(seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a database is kept by this process.

    Args:
        in_use: connections, or threads, at work.
        waiting: batches that wait for one.
    """

    in_use: int
    waiting: int


class Database(Protocol):
    """A batch costs one hop. Whoever stops waiting for it leaves nothing half done behind.

    Args:
        shared: whether other processes write to it, too.

    Raises:
        StoreBusy: the queue is full, or another process keeps the database to itself; it cannot be reached.
        OutcomeUnknown: of `write`, where the database is reached by a network.
        StoreClosed: after `close`.
    """

    @property
    def shared(self) -> bool: ...

    async def read(self, *statements: Statement) -> list[list[Row]]:
        """The rows of each statement, all of one instant."""
        ...

    async def write(self, *statements: Statement) -> list[list[Row]]:
        """One transaction, durable once this returns. Rows are what RETURNING gives."""
        ...

    async def scrub(self) -> None:
        """Let what was overwritten lie nowhere any more, as far as that is ours to do."""
        ...

    async def close(self) -> None:
        """Let what has begun end, then let go of the database."""
        ...

    def load(self) -> Load: ...


def alone(name: str) -> Statement:
    """Whoever writes under the same name waits until this batch has ended, wherever it runs."""
    return Statement("SELECT alone(?)", (name,))


def marks(count: int) -> str:
    """`?, ?, ?`"""
    return ", ".join("?" * count)


SIZES = (1, 2, 5, 10, 20, 50, 100)


def padded(values: Sequence[Any]) -> tuple[str, list[Any]]:
    """A list for IN, filled up to one of a few lengths, so that few texts of a statement exist.

    Returns:
        Its question marks, and the arguments: the last one repeats.
    """
    size = next((size for size in SIZES if size >= len(values)), -(-len(values) // 100) * 100)
    filler = [values[-1] if values else None] * (size - len(values))
    return marks(size), [*values, *filler]

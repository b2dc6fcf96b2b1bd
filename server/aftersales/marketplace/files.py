"""Imports an order file of any size: read in passing, a few hundred rows at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import BinaryIO

from ..store.ledger import Ledger
from .importing import RowResult, import_rows
from .rows import Digits, Row, line_row, unread

MOST_BYTES = 1_000_000
BATCH = 500
# Whatever the rows are like, no more of the file than this is held at once.
BATCH_BYTES = 4_000_000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


async def import_file(
    source: Path | BinaryIO, ledger: Ledger, clock: Callable[[], datetime]
) -> AsyncIterator[RowResult]:
    """Each row's result as soon as it is written, in the order of the file. Blank lines have none.

    Stopped on its way, it has done what it has told; the whole file again changes nothing of that.

    Args:
        source: a file, or what is open to read bytes, and stays open.

    Raises:
        OSError: the file cannot be read.
    """
    lines = _lines(source)
    # reading and parsing on a thread: this loop may be serving others
    while rows := await asyncio.to_thread(_batch, lines, ledger.digits, clock()):
        for result in await import_rows(ledger, rows, clock()):
            yield result


def _batch(lines: Iterator[tuple[int, bytes | None]], digits: Digits, now: datetime) -> list[Row]:
    rows: list[Row] = []
    size = 0
    for place, line in lines:
        if line is None:
            rows.append(unread(place, "A line has at most {most} bytes.", most=MOST_BYTES))
        elif line.strip():
            rows.append(line_row(line, place, digits, now))
            size += len(line)
        if len(rows) == BATCH or size >= BATCH_BYTES:
            break
    return rows


def _lines(source: Path | BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield from _numbered(stream)
    else:
        yield from _numbered(source)


def _numbered(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines, counted from 1; None for one that is too long."""
    for number in count(1):
        line = stream.readline(MOST_BYTES + 1)
        if not line:
            return
        whole = len(line) <= MOST_BYTES or line.endswith(b"\n")
        if not whole:
            _skip(stream)
        yield number, (line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line) if whole else None


def _skip(stream: BinaryIO) -> None:
    while (rest := stream.readline(MOST_BYTES)) and not rest.endswith(b"\n"):
        pass

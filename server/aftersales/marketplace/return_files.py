"""The records of an export: one a line, read in passing, or all in one document."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from .tiktok import records

# A record a line: no line is longer. One document: all of it is held at once.
MOST_LINE = 16_000_000
MOST_DOCUMENT = 256_000_000


class TooLarge(ValueError):
    """One document that cannot be held at once."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What should have been a record, and cannot be read at all."""

    fault: str


def documents(source: Path | BinaryIO) -> Iterator[tuple[int, object]]:
    """Each record as JSON has it, with its line, or its number in the document.

    Raises:
        OSError: the file cannot be read.
        TooLarge: it is one document, and too large to be held at once.
    """
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield from _records(stream)
    else:
        yield from _records(source)


def _records(stream: BinaryIO) -> Iterator[tuple[int, object]]:
    """The records of a file: one a line, or all in one document. The first line tells which."""
    first = _next_line(stream)
    if isinstance(_parsed(first), Mapping):
        yield from _lines(first, stream)
        return
    whole = first + stream.read(MOST_DOCUMENT + 1 - len(first))
    document = _parsed(whole) if len(whole) <= MOST_DOCUMENT else None
    if (document is None or isinstance(document, Unread)) and isinstance(_parsed(_second(whole)), Mapping):
        # one record a line after all: only the first of them is damaged
        yield from _lines(first, _Again(whole[len(first) :], stream))
        return
    if document is None:
        raise TooLarge(f"one document has at most {MOST_DOCUMENT:,} bytes; write one record a line instead")
    if whole.strip():
        yield from enumerate(_unpacked(document), 1)


def _next_line(stream: BinaryIO) -> bytes:
    """The first line that says something."""
    while (line := stream.readline(MOST_LINE + 1)) and not line.strip():
        pass
    return line.removeprefix(b"\xef\xbb\xbf")


def _second(whole: bytes) -> bytes:
    lines = BytesIO(whole)
    lines.readline()
    return next((line for line in lines if line.strip()), b"")


class _Readable(Protocol):
    def readline(self, most: int, /) -> bytes: ...


class _Again:
    """A stream of which the beginning was read already."""

    def __init__(self, beginning: bytes, rest: BinaryIO) -> None:
        self._beginning, self._rest = BytesIO(beginning), rest

    def readline(self, most: int, /) -> bytes:
        line = self._beginning.readline(most)
        whole = line.endswith(b"\n") or len(line) == most
        return line if whole else line + self._rest.readline(most - len(line))


def _lines(first: bytes, stream: _Readable) -> Iterator[tuple[int, object]]:
    place, line = 1, first
    while line:
        if len(line) > MOST_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(MOST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield place, Unread(f"a line has at most {MOST_LINE:,} bytes")
        elif line.strip():
            for record in _unpacked(_parsed(line)):
                yield place, record
        place, line = place + 1, stream.readline(MOST_LINE + 1)


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text.decode(), parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return Unread(str(error)[:200])


def _unpacked(document: object) -> Iterator[object]:
    if isinstance(document, Unread):
        yield document
        return
    try:
        yield from records(document)
    except (ValueError, RecursionError) as error:
        yield Unread(str(error)[:200])


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")

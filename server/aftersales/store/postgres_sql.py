"""Our SQL as PostgreSQL takes it: `$1` for each `?`, and a row count that undoes the batch when it is another."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

CACHED_TEXTS = 2_000

# What a check that fails raises: PostgreSQL's own `division_by_zero`. No statement of ours divides.
WRONG_COUNT = "22012"

_MARK = re.compile(r"'[^']*'|\?")
_GIVES_ROWS = re.compile(r"\A\s*(SELECT|WITH)\b|\bRETURNING\b")

INT8, BOOL, FLOAT8, UNKNOWN = 20, 16, 701, 0


@lru_cache(CACHED_TEXTS)
def translated(sql: str, rows: int | None) -> str:
    """
    Args:
        rows: as of `Statement`. The check is part of the statement, so that COMMIT can be sent along with it and
            no lock is held while an answer travels.
    """
    numbered = _numbered(sql)
    if rows is None:
        return numbered
    checked = f"1 / ((SELECT COUNT(*) FROM touched) = {rows})::int"
    if _GIVES_ROWS.search(sql):
        # looked at beside the rows and not in them, so that it is also where there are none
        found = "SELECT touched.* FROM (SELECT 1) once LEFT JOIN touched ON true"
        return f"WITH touched AS ({numbered}) {found} WHERE {checked} = 1"
    return f"WITH touched AS ({numbered} RETURNING 1) SELECT {checked}"


@lru_cache(CACHED_TEXTS)
def gives_rows(sql: str) -> bool:
    """Whether what it answers are the caller's rows, and not only the check's."""
    return _GIVES_ROWS.search(sql) is not None


def _numbered(sql: str) -> str:
    count = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal count
        if found[0] != "?":
            return found[0]
        count += 1
        return f"${count}"

    return _MARK.sub(mark, sql)


def encoded(args: Sequence[Any]) -> list[bytes | None]:
    """Arguments as text.

    Raises:
        ValueError: a text holds a NUL, which PostgreSQL keeps in none.
        TypeError: for a type that the store never writes.
    """
    return [_encoded(arg) for arg in args]


def types(args: Sequence[Any]) -> list[int]:
    """Their types: text takes that of its place, numbers are wide, so that one too great for a column is compared."""
    return [_TYPES.get(type(arg), UNKNOWN) for arg in args]


_TYPES = {bool: BOOL, int: INT8, float: FLOAT8}


def _encoded(arg: Any) -> bytes | None:
    match arg:
        case None:
            return None
        case bool():
            return b"t" if arg else b"f"
        case str():
            if "\0" in arg:
                raise ValueError("A text with a NUL cannot be kept.")
            return arg.encode()
        case int() | float():
            return repr(arg).encode()
    raise TypeError(f"{type(arg).__name__} is no type of the store's.")

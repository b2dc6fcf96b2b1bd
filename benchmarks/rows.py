"""Rows on their way into tables."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

Row = tuple[Any, ...]

SECOND = 1_000_000
HOUR = 3_600 * SECOND


def by_table(rows: Iterable[tuple[str, Row]]) -> dict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for table, row in rows:
        found[table].append(row)
    return found

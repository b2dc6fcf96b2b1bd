"""The benchmarks write rows past the ledger: they must keep up with its columns."""

from datetime import UTC, datetime
from itertools import islice
from random import Random

import pytest
from benchmarks.data import MORE, SEED, made

from aftersales.store.columns import COLUMNS


@pytest.mark.engine("sqlite")  # no record is kept here
def test_the_rows_of_the_benchmarks_have_every_column() -> None:
    rows = list(islice(made(datetime(2025, 3, 3, tzinfo=UTC), Random(SEED)), 5_000))

    widths = {table: {len(row) for other, row in rows if other == table} for table in {table for table, _ in rows}}

    assert widths == {table: {len(COLUMNS[table]) + len(MORE.get(table, ()))} for table in widths}
    assert {"orders", "requests", "deadlines", "events"} <= set(widths)

"""The benchmarks write rows past the ledger, and answer past the schema: they must keep up with both."""

import asyncio
import shutil
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from benchmarks.asking import Asking
from benchmarks.compared import compare
from benchmarks.data import MORE, SEED, SHOPS, fill, made
from benchmarks.server import Server

from aftersales.store.columns import COLUMNS


@pytest.mark.engine("sqlite")  # no record is kept here
def test_the_rows_of_the_benchmarks_have_every_column() -> None:
    rows = list(islice(made(datetime(2025, 3, 3, tzinfo=UTC), Random(SEED)), 5_000))

    widths = {table: {len(row) for other, row in rows if other == table} for table in {table for table, _ in rows}}

    assert widths == {table: {len(COLUMNS[table]) + len(MORE.get(table, ()))} for table in widths}
    assert {"orders", "requests", "deadlines", "events"} <= set(widths)


@pytest.mark.engine("sqlite")  # which is what the bare application knows
def test_the_bare_application_answers_and_writes_as_the_server_does(tmp_path: Path) -> None:
    filled = tmp_path / "filled.sqlite3"
    fill(filled, requests=2 * SHOPS, unclaimed=SHOPS)
    ours, bare = (Path(shutil.copy(filled, tmp_path / f"{which}.sqlite3")) for which in ("ours", "bare"))

    with Server("ours", ours, 1) as server, Server("bare", bare, 1) as least:
        asyncio.run(compare((server, Asking(filled)), (least, Asking(filled))))

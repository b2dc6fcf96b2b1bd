"""SQLite as a database: batches whole or not at all, one instant each, and an honest no when there is too much."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aftersales.store.database import Statement, StoreBusy, StoreClosed, StoreFull
from aftersales.store.sqlite import SqliteDatabase
from aftersales.store.urls import UnsupportedDatabase, open_database
from aftersales.store.watched import Watched
from aftersales.watching.watch import Watch

pytestmark = pytest.mark.engine("sqlite")  # of PostgreSQL: test_postgres

COUNT = Statement("SELECT COUNT(*) FROM t")
SLOW = Statement(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT SUM(i) FROM n"
)


async def opened(tmp_path: Path, **options: Any) -> SqliteDatabase:
    database = await SqliteDatabase.open(tmp_path / "t.db", **options)
    await database.write(Statement("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)"))
    return database


def inserted(n: int) -> Statement:
    return Statement("INSERT INTO t (n) VALUES (?) RETURNING id", (n,))


async def test_a_batch_answers_with_the_rows_of_each_statement(tmp_path: Path) -> None:
    database = await opened(tmp_path)

    written = await database.write(inserted(7), inserted(8))
    read = await database.read(COUNT, Statement("SELECT n FROM t ORDER BY n"))

    assert (written, read) == ([[(1,)], [(2,)]], [[(2,)], [(7,), (8,)]])
    await database.close()


async def test_a_write_that_touches_other_rows_than_it_must_undoes_the_whole_batch(tmp_path: Path) -> None:
    database = await opened(tmp_path)

    with pytest.raises(LookupError):
        await database.write(inserted(1), Statement("UPDATE t SET n = 2 WHERE id = 99", (), 1, LookupError))

    assert await database.read(COUNT) == [[(0,)]]
    assert await database.write(inserted(1)) == [[(1,)]]
    await database.close()


async def test_a_fault_in_the_midst_undoes_the_whole_batch(tmp_path: Path) -> None:
    database = await opened(tmp_path)

    with pytest.raises(sqlite3.OperationalError):
        await database.write(inserted(1), Statement("INSERT INTO nowhere VALUES (1)"))

    assert await database.read(COUNT) == [[(0,)]]
    await database.close()


async def test_readers_cannot_write(tmp_path: Path) -> None:
    database = await opened(tmp_path)

    with pytest.raises(sqlite3.OperationalError):
        await database.read(inserted(1))

    assert await database.read(COUNT) == [[(0,)]]
    await database.close()


async def test_who_stops_waiting_leaves_no_half_batch_and_no_broken_connection(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    writes = [asyncio.create_task(database.write(inserted(n), SLOW, inserted(-n))) for n in range(1, 9)]
    reads = [asyncio.create_task(database.read(SLOW, COUNT)) for _ in range(8)]

    await asyncio.sleep(0)
    for task in (*writes, *reads):
        task.cancel()
    await asyncio.gather(*writes, *reads, return_exceptions=True)
    await database.write(inserted(100), inserted(-100))
    [rows], [sums] = await database.read(Statement("SELECT COUNT(*) % 2 FROM t"), Statement("SELECT SUM(n) FROM t"))

    assert (rows, sums) == ((0,), (0,))
    await database.close()


async def test_too_many_who_wait_are_refused_at_once(tmp_path: Path) -> None:
    database = await opened(tmp_path, waiting=2)

    done = await asyncio.gather(*(database.write(SLOW, inserted(n)) for n in range(5)), return_exceptions=True)

    assert [type(answer) for answer in done].count(StoreBusy) == 3
    assert await database.read(COUNT) == [[(2,)]]
    await database.close()


async def test_a_closed_database_says_so(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    await database.close()

    with pytest.raises(StoreClosed):
        await database.read(COUNT)


async def test_what_was_acknowledged_is_in_the_file_after_a_clean_close(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    await asyncio.gather(*(database.write(inserted(n)) for n in range(50)))
    await database.close()

    again = await SqliteDatabase.open(tmp_path / "t.db")

    assert await again.read(COUNT) == [[(50,)]]
    await again.close()


async def test_the_file_is_kept_safe_from_a_power_cut(tmp_path: Path) -> None:
    database = await opened(tmp_path)

    read = await database.read(
        Statement("PRAGMA journal_mode"), Statement("PRAGMA synchronous"), Statement("PRAGMA foreign_keys")
    )

    assert read == [[("wal",)], [(2,)], [(1,)]]
    await database.close()


async def test_a_read_sees_one_instant_though_another_process_writes(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITES_PAIRS, str(tmp_path / "t.db"), stdout=subprocess.PIPE
    )
    assert writer.stdout
    await writer.stdout.readline()

    odd = [await database.read(COUNT, SLOW, COUNT) for _ in range(20)]
    writer.kill()
    await writer.communicate()

    assert [read for read in odd if read[0] != read[2] or read[0][0][0] % 2] == []
    await database.close()


async def test_a_database_that_another_keeps_to_itself_is_busy_and_then_free_again(tmp_path: Path) -> None:
    database = await opened(tmp_path, patience_seconds=0.01)
    other = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreBusy):
        await database.write(inserted(1))
    other.execute("ROLLBACK")
    other.close()

    assert await database.write(inserted(1)) == [[(1,)]]
    await database.close()


async def test_a_full_disk_is_told_once_and_writing_goes_on_once_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Watched(await opened(tmp_path), Watch())
    [[(pages,)]] = await database.read(Statement("PRAGMA page_count"))
    # as a disk of so many pages has it
    await database.write(Statement(f"PRAGMA max_page_count = {pages}"))

    for _ in range(2):
        with pytest.raises(StoreFull):
            await database.write(inserted(1), MUCH)
        assert await database.read(COUNT) == [[(0,)]]
    await database.write(Statement(f"PRAGMA max_page_count = {pages + 100}"))

    assert await database.write(inserted(1), MUCH) == [[(1,)], []]
    assert [record.getMessage() for record in caplog.records] == [
        "the database's disk is full: nothing can be written until there is room",
        "the database's disk has room again",
    ]
    await database.close()


MUCH = Statement("INSERT INTO t (n) VALUES (zeroblob(100000))")
WRITES_PAIRS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
print("ready", flush=True)
while True:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO t (n) VALUES (0)")
    connection.execute("INSERT INTO t (n) VALUES (0)")
    connection.execute("COMMIT")
"""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:secret@host/db", "use sqlite://FILE"),
        ("sqlite://", "use sqlite://FILE"),
        ("sqlite://:memory:", "use sqlite://FILE"),
        ("shop.db", "use sqlite://FILE"),
    ],
)
async def test_a_url_of_another_database_is_refused_in_words_without_its_password(url: str, said: str) -> None:
    with pytest.raises(UnsupportedDatabase) as refused:
        await open_database(url)

    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


ENDLESS = Statement("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n")
ENDLESS_WRITE = Statement(
    "INSERT INTO t (n) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0"
)


async def test_what_nobody_waits_for_any_more_is_stopped_in_the_middle(tmp_path: Path) -> None:
    database = await opened(tmp_path, readers=1)
    reads = asyncio.create_task(database.read(ENDLESS))
    writes = asyncio.create_task(database.write(inserted(1), ENDLESS_WRITE))
    await both_are_at_work(database)

    for task in (reads, writes):
        task.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(reads, writes, return_exceptions=True)
        await database.write(inserted(7))
        rows = await database.read(COUNT)

    assert (reads.cancelled(), writes.cancelled()) == (True, True)
    assert rows == [[(1,)]]
    await database.close()


async def both_are_at_work(database: SqliteDatabase) -> None:
    lanes = (*database._readers, database._writer)
    async with asyncio.timeout(10):
        while not all(lane._at for lane in lanes):  # noqa: ASYNC110 - no time passes here, only turns of the loop
            await asyncio.sleep(0)

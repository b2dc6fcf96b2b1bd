"""PostgreSQL as a database: whole or not at all over a network that fails, every wait bounded, few round trips."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.postgres import Postgres, drop, new_database
from tests.store.wire import Wire

from aftersales.store.database import OutcomeUnknown, Statement, StoreBusy, StoreClosed, StoreFull, patient
from aftersales.store.postgres import PostgresDatabase
from aftersales.store.postgres_pool import CONNECTING

pytestmark = pytest.mark.engine("postgres")  # of SQLite: test_database

COUNT = Statement("SELECT COUNT(*) FROM t")
ENDLESS = Statement("SELECT 1 FROM pg_sleep(60)")
RUNNING = Statement(
    "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%'"
    " AND datname = current_database() AND pid <> pg_backend_pid()"
)
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def url(engine: Postgres) -> Iterator[str]:
    url = new_database(migrated=False)
    yield url
    drop(url)


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[PostgresDatabase]:
    database = await PostgresDatabase.open(url, **options)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresDatabase]:
    async with opened(url, connections=4) as database:
        await database.write(Statement("CREATE TABLE t (id bigserial PRIMARY KEY, n bigint UNIQUE)"))
        yield database


def inserted(n: int) -> Statement:
    return Statement("INSERT INTO t (n) VALUES (?)", (n,), 1)


async def test_a_batch_answers_with_the_rows_of_each_statement(database: PostgresDatabase) -> None:
    written = await database.write(
        inserted(7), Statement("INSERT INTO t (n) VALUES (?), (?) RETURNING n", (8, None), 2)
    )
    read = await database.read(COUNT, Statement("SELECT n, n > ?, ? FROM t ORDER BY n", (7, "what's ? here")))

    assert written == [[], [(8,), (None,)]]
    assert read == [[(3,)], [(7, False, "what's ? here"), (8, True, "what's ? here"), (None, None, "what's ? here")]]


@pytest.mark.parametrize(
    "statement",
    [
        Statement("UPDATE t SET n = 2 WHERE id = 99", (), 1, LookupError),
        Statement("UPDATE t SET n = 2 WHERE id = 99 RETURNING n", (), 1, LookupError),
        Statement("SELECT 1 FROM t WHERE id = 99", (), 1, LookupError),
        Statement("INSERT INTO t (n) VALUES (5), (6)", (), 1, LookupError),
    ],
)
async def test_a_write_that_touches_other_rows_than_it_must_undoes_the_whole_batch(
    database: PostgresDatabase, statement: Statement
) -> None:
    for _ in range(2):
        with pytest.raises(LookupError):
            await database.write(inserted(1), statement, inserted(2))

    assert await database.read(COUNT) == [[(0,)]]
    assert await database.write(inserted(1)) == [[]]


async def test_a_fault_in_the_midst_undoes_the_whole_batch(database: PostgresDatabase) -> None:
    with pytest.raises(Exception, match="nowhere"):
        await database.write(inserted(1), Statement("INSERT INTO nowhere VALUES (1)"))

    assert await database.read(COUNT) == [[(0,)]]


async def test_what_is_no_text_to_postgres_is_refused_and_harms_nothing(database: PostgresDatabase) -> None:
    with pytest.raises(ValueError, match="NUL"):
        await database.write(inserted(1), Statement("SELECT ?", ("a\0b",)))

    assert await database.read(COUNT) == [[(0,)]]


async def test_readers_cannot_write(database: PostgresDatabase) -> None:
    with pytest.raises(Exception, match="read-only"):
        await database.read(COUNT, Statement("INSERT INTO t (n) VALUES (1)"))

    assert await database.read(COUNT) == [[(0,)]]


async def test_a_batch_is_one_round_trip_whatever_comes_of_it(url: str, database: PostgresDatabase) -> None:
    async with Wire(url) as wire, opened(wire.url, connections=1) as far:
        trips = {}
        for name, batch in {
            "a read": far.read(COUNT),
            "a read of much": far.read(*[COUNT] * 20),
            "a write": far.write(*[inserted(n) for n in range(20)]),
            "the same again, prepared": far.write(*[inserted(n) for n in range(20, 40)]),
            "one that is refused": far.write(inserted(50), Statement("DELETE FROM t WHERE n = 99", (), 1, LookupError)),
        }.items():
            before = wire.trips
            await asyncio.gather(batch, return_exceptions=True)
            trips[name] = wire.trips - before

    assert set(trips.values()) == {1}, trips
    assert await database.read(COUNT) == [[(40,)]]


async def test_two_who_lock_crosswise_both_get_through(database: PostgresDatabase) -> None:
    await database.write(inserted(1), inserted(2))
    add = "UPDATE t SET n = n + 10 WHERE id = ?"
    wait = Statement("SELECT 1 FROM pg_sleep(0.05)")

    await asyncio.gather(
        database.write(Statement(add, (1,), 1), wait, Statement(add, (2,), 1)),
        database.write(Statement(add, (2,), 1), wait, Statement(add, (1,), 1)),
    )

    assert await database.read(Statement("SELECT n FROM t ORDER BY n")) == [[(21,), (22,)]]


async def test_a_column_that_becomes_another_is_read_on(url: str, database: PostgresDatabase) -> None:
    everything = Statement("SELECT * FROM t")
    async with opened(url, connections=1) as one:
        await one.read(everything)
        await database.write(inserted(1), Statement("ALTER TABLE t ADD COLUMN more bigint"))

        assert await one.read(everything) == [[(1, 1, None)]]


async def test_who_stops_waiting_stops_the_server_too(database: PostgresDatabase) -> None:
    for batch in (database.write(inserted(1), ENDLESS), database.read(COUNT, ENDLESS)):
        task = asyncio.create_task(batch)
        while await database.read(RUNNING) == [[(0,)]]:
            continue

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while await database.read(RUNNING) != [[(0,)]]:
            continue

    assert await database.read(COUNT) == [[(0,)]]
    # every connection is good for more, and there is room for four again
    assert await asyncio.gather(*(database.write(inserted(n)) for n in range(4))) == [[[]]] * 4


async def test_what_takes_too_long_is_stopped_and_told_as_not_done(url: str, database: PostgresDatabase) -> None:
    async with opened(url, seconds=0.1) as hasty:
        with pytest.raises(StoreBusy):
            await hasty.write(inserted(1), ENDLESS)

    assert await database.read(COUNT) == [[(0,)]]


async def test_a_row_that_another_keeps_locked_is_not_waited_for_forever(url: str, database: PostgresDatabase) -> None:
    await database.write(inserted(1))
    keeps = asyncio.create_task(database.write(Statement("UPDATE t SET n = 2", (), 1), ENDLESS))
    while await database.read(RUNNING) == [[(0,)]]:
        continue

    async with opened(url, seconds=0.1) as hasty:
        with pytest.raises(StoreBusy):
            await hasty.write(Statement("UPDATE t SET n = 3", (), 1))

    keeps.cancel()
    await asyncio.gather(keeps, return_exceptions=True)


async def test_too_many_who_wait_are_refused_at_once_and_the_others_wait_their_time(
    url: str, database: PostgresDatabase
) -> None:
    async with opened(url, connections=1, waiting=2) as small:
        holds = asyncio.create_task(small.read(Statement("SELECT 1 FROM pg_sleep(0.1)")))
        await asyncio.sleep(0)
        waits = [asyncio.create_task(small.read(COUNT)) for _ in range(2)]
        await asyncio.sleep(0)

        with pytest.raises(StoreBusy, match="wait already"):
            await small.read(COUNT)
        assert await asyncio.gather(holds, *waits) == [[[(1,)]], [[(0,)]], [[(0,)]]]

        endless = asyncio.create_task(small.read(ENDLESS))
        await asyncio.sleep(0)
        with pytest.raises(StoreBusy, match="came free in time"), patient(0.01):
            await small.read(COUNT)
        endless.cancel()
        await asyncio.gather(endless, return_exceptions=True)


async def test_a_full_disk_is_told_as_that_and_nothing_is_done(database: PostgresDatabase) -> None:
    # PostgreSQL's own code for it, said by the server itself
    full = Statement("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$")

    with pytest.raises(StoreFull, match="no room"):
        await database.write(inserted(1), full)

    assert await database.read(COUNT) == [[(0,)]]
    assert await database.write(inserted(1)) == [[]]


async def test_an_operation_waits_no_longer_for_many_slow_batches_than_for_one(
    url: str, database: PostgresDatabase
) -> None:
    began, slow = time.monotonic(), Statement("SELECT 1 FROM pg_sleep(0.2)")
    done: list[Any] = []

    async def operation() -> None:
        with patient(1):
            while True:
                # side by side they count once
                done.append(await asyncio.gather(database.read(slow), database.read(slow)))

    with pytest.raises(StoreBusy):
        await operation()
    assert len(done) in (1, 2, 3, 4)
    assert 0.6 < time.monotonic() - began < 5
    # what comes after it has time of its own
    assert await database.read(COUNT) == [[(0,)]]


async def test_while_it_is_away_nobody_waits_and_one_looks_whether_it_is_back(
    url: str, database: PostgresDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    async with Wire(url) as wire, opened(wire.url, connections=4, seconds=1) as far:
        wire.dumb = True
        with pytest.raises(StoreBusy, match="not answered within"):
            await far.read(COUNT)

        began = time.monotonic()
        told = await asyncio.gather(*(far.read(COUNT) for _ in range(500)), return_exceptions=True)
        took = time.monotonic() - began
        await wire.cut()
        joined = wire.joined
        await wire.mend()
        back = await until_answered(far)

    assert {type(error) for error in told} == {StoreBusy}
    assert took < 0.5
    assert back == [[(0,)]]
    # one that looks, and one for who asked
    assert wire.joined - joined <= 3
    assert [record.getMessage().split(":")[0][:20] for record in caplog.records] == [
        "the database is away",
        "the database is back",
    ]


async def test_who_come_back_together_open_few_connections_at_a_time(url: str, database: PostgresDatabase) -> None:
    async with Wire(url) as wire, opened(wire.url, connections=20) as far:
        wire.dumb = True
        asks = [asyncio.create_task(far.read(COUNT)) for _ in range(20)]
        # long enough for all of them to have come
        for _ in range(20):
            await database.read(COUNT)
        at_once = wire.joined
        wire.dumb = False
        for ask in asks:
            ask.cancel()
        await asyncio.gather(*asks, return_exceptions=True)

    assert at_once == 1 + CONNECTING


async def until_answered(database: PostgresDatabase) -> list[list[Any]]:
    """It is found again by itself; how soon, chance has a part in."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await database.read(COUNT)
            except StoreBusy:
                await asyncio.sleep(0)


async def test_a_closed_database_lets_what_has_begun_end_and_says_so_to_others(url: str) -> None:
    async with opened(url) as database:
        begun = asyncio.create_task(database.read(Statement("SELECT 1 FROM pg_sleep(0.05)")))
        await asyncio.sleep(0)
        await database.close()

        assert await begun == [[(1,)]]
        with pytest.raises(StoreClosed):
            await database.read(COUNT)


async def test_after_the_server_has_cut_every_connection_reads_go_on(url: str, database: PostgresDatabase) -> None:
    async with opened(url, connections=3) as other:
        await asyncio.gather(*(other.read(COUNT) for _ in range(3)))
        await database.write(Statement(OTHERS))

        assert await asyncio.gather(*(other.read(COUNT) for _ in range(6))) == [[[(0,)]]] * 6


def test_what_was_opened_in_one_loop_goes_on_in_the_next(url: str) -> None:
    async def ask(database: PostgresDatabase) -> list[list[Any]]:
        return await database.read(Statement("SELECT 1"))

    database = asyncio.run(PostgresDatabase.open(url))

    assert asyncio.run(ask(database)) == [[(1,)]]
    with asyncio.Runner() as runner:
        assert runner.run(ask(database)) == [[(1,)]]
        runner.run(database.close())


async def test_a_server_that_is_away_is_told_at_once_and_found_again_when_it_is_back(
    url: str, database: PostgresDatabase
) -> None:
    async with Wire(url) as wire, opened(wire.url) as far:
        await wire.cut()

        for batch in (far.read(COUNT), far.read(COUNT, COUNT)):
            with pytest.raises(StoreBusy, match="cannot be reached"):
                await batch
        await wire.mend()
        await until_answered(far)

        assert await far.write(inserted(1)) == [[]]


async def test_whose_commit_is_not_answered_learns_that_the_outcome_is_unknown(
    url: str, database: PostgresDatabase
) -> None:
    async with Wire(url) as wire, opened(wire.url) as far:
        await far.write(inserted(1))
        # what we say still goes out, and no answer comes back
        wire.deaf = True
        write = asyncio.create_task(far.write(inserted(2)))
        while await database.read(COUNT) == [[(1,)]]:
            continue
        await wire.cut()

        with pytest.raises(OutcomeUnknown):
            await write

    assert await database.read(COUNT) == [[(2,)]]


async def test_a_black_hole_holds_nobody_for_long(url: str, database: PostgresDatabase) -> None:
    async with Wire(url) as wire, opened(wire.url, seconds=0.3) as far:
        wire.dumb = True

        with pytest.raises(OutcomeUnknown):
            await far.write(inserted(1))
    async with Wire(url) as wire, opened(wire.url, seconds=0.3) as far:
        wire.dumb = True

        with pytest.raises(StoreBusy, match="not answered within"):
            await far.read(COUNT)

    assert await database.read(COUNT) == [[(0,)]]


async def test_statements_without_end_do_not_pile_up_at_the_server(url: str, database: PostgresDatabase) -> None:
    async with opened(url, connections=1) as one:
        for number in range(600):
            await one.read(Statement(f"SELECT {number}"))
        [[(kept,)]] = await one.read(Statement("SELECT COUNT(*) FROM pg_prepared_statements"))

    assert kept <= 501

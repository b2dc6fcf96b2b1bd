"""The order of the log where many write at once: nothing is stepped over, and by shop and as a whole it is one order.

Transactions are held open by hand here, so that they end in another order than they began.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from tests.store.builders import World, world

from aftersales.store.database import Statement
from aftersales.store.log import Log, LoggedEvent
from aftersales.testing import places

pytestmark = pytest.mark.engine("postgres")  # on SQLite one writes at a time

# One line of the log, as `writing` writes it: the shop's turn first.
LINE = """
    INSERT INTO events (
        shop_id, position, request_id, sequence, version, type, rule, at, processed_at, party, actor_id, client, action,
        to_stage, note, data
    ) VALUES (
        %(shop)s, (SELECT sequence FROM shops WHERE id = %(shop)s), %(request)s,
        (SELECT MAX(sequence) + 1 FROM events WHERE request_id = %(request)s), 1, 'Noted', '', 0, 0, 'SYSTEM', '', '',
        'note', '', '', '{}'
    )
"""


class Hand:
    """A transaction that writes lines when it is told to."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self.connection = connection

    async def begin(self, shop: str) -> None:
        await self.connection.execute("SELECT alone(%s)", (shop,))
        # as a key or an order is: before the log, and enough to have a number
        await self.connection.execute("INSERT INTO terms VALUES (gen_random_uuid(), '')")

    async def write(self, request: str, shop: str) -> None:
        await self.connection.execute("UPDATE shops SET sequence = sequence + 1 WHERE id = %s", (shop,))
        await self.connection.execute(LINE, {"shop": shop, "request": request})

    async def commit(self) -> None:
        await self.connection.commit()


@asynccontextmanager
async def hand(url: str) -> AsyncIterator[Hand]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield Hand(connection)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    return await places.place(tmp_path / "s.db")


@pytest.fixture
async def w(url: str) -> AsyncIterator[World]:
    async with world(url) as w:
        yield w


async def test_a_reader_waits_for_whoever_may_still_write_before_what_is_there(w: World, url: str) -> None:
    first, second = [(await w.open(await w.order(str(number), f"sh_{number}"))).id for number in (1, 2)]
    log = Log(w.ledger.database)
    start = await log.last_serial()
    async with hand(url) as slow, hand(url) as fast:
        await slow.begin("sh_1")
        await slow.write(first, "sh_1")
        await fast.begin("sh_2")
        await fast.write(second, "sh_2")
        await fast.commit()

        # the later one is there, and not yet told: its reader would never hear of the earlier one
        assert (await log.after(start), await log.last_serial()) == ([], start)
        assert [event.position for event in await log.since({"sh_2": 2})] == [3]
        await slow.commit()

        assert [event.request_id for event in await log.after(start)] == [first, second]


async def test_who_began_first_and_writes_last_is_not_stepped_over_either(w: World, url: str) -> None:
    first, second = [(await w.open(await w.order(str(number), f"sh_{number}"))).id for number in (1, 2)]
    log = Log(w.ledger.database)
    start = await log.last_serial()
    async with hand(url) as slow, hand(url) as fast:
        await slow.begin("sh_1")
        await fast.begin("sh_2")
        await fast.write(second, "sh_2")
        await fast.commit()
        before = await log.after(start)
        await slow.write(first, "sh_1")
        await slow.commit()

        assert [event.request_id for event in (*before, *await log.after(start))] == [first, second]


async def test_within_a_shop_the_order_of_all_is_the_order_of_the_shop(w: World, url: str) -> None:
    held, free = [await w.open(await w.order(number)) for number in ("1", "2")]
    waiting = Statement("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")

    async def writes_beside() -> None:
        async with hand(url) as beside:
            await beside.begin("sh_1")
            await beside.write(free.id, "sh_1")
            await beside.commit()

    async with hand(url) as keeps:
        await keeps.connection.execute("SELECT 1 FROM requests WHERE id = %s FOR UPDATE", (held.id,))
        # it has begun to write, and comes to the log only once its request is let go
        early = asyncio.create_task(w.act(held, "approve"))
        while await w.ledger.database.read(waiting) == [[(0,)]]:
            continue
        late = asyncio.create_task(writes_beside())
        while not late.done() and await w.ledger.database.read(waiting) != [[(2,)]]:
            continue
    await asyncio.gather(early, late)

    positions = [line.position for line in await Log(w.ledger.database).after(0)]
    assert positions == list(range(1, len(positions) + 1))


async def test_whoever_follows_many_writers_hears_every_line_once_and_in_order(w: World, url: str) -> None:
    writers = [World(w.ledger) for _ in range(4)]
    log, told, done = Log(w.ledger.database), list[LoggedEvent](), asyncio.Event()

    async def write(lane: int, writer: World) -> None:
        writer.number_from(lane * 1_000)
        for number in range(12):
            request = await writer.open(await writer.order(f"{lane}-{number}", f"sh_{(lane + number) % 2 + 1}"))
            await writer.act(request, "approve")

    async def follow() -> None:
        last = 0
        while True:
            ended = done.is_set()
            lines = await log.after(last, 7)
            told.extend(lines)
            last = lines[-1].serial if lines else last
            if ended and not lines:
                return

    follower = asyncio.create_task(follow())
    await asyncio.gather(*(write(lane, writer) for lane, writer in enumerate(writers)))
    done.set()
    await follower

    written = await log.since({"sh_1": 0, "sh_2": 0}, 10_000)
    assert len(written) == 4 * 12 * 6
    assert sorted(line.id for line in told) == sorted(line.id for line in written)
    for shop in ("sh_1", "sh_2"):
        positions = [line.position for line in told if line.shop_id == shop]
        assert positions == list(range(1, len(positions) + 1))


async def test_a_line_is_numbered_within_its_transaction(w: World, url: str) -> None:
    await w.open(await w.order())
    [one, two] = await Log(w.ledger.database).after(0)

    assert (two.serial - one.serial, one.serial % 2**16) == (1, 0)

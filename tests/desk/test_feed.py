"""Who follows hears each line of the log once and in order; who lags is told so; who is not told finds out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from tests.desk.acts import opened, rejected
from tests.desk.conftest import Another

from aftersales import feed as feeds
from aftersales.engine.request import Request
from aftersales.feed import Feed, Follower, Lagged, Told
from aftersales.store.log import LoggedEvent
from aftersales.testing import Home
from aftersales.testing.house import BUYER, SHOP


def everything(request: Request) -> bool:
    return True


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[Feed]:
    await feed.begin()
    loop = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop


def feed_of(home: Home, capacity: int = feeds.QUEUE) -> Feed:
    lines = home.running.house.log
    return Feed(lines.after, lines.last_serial, home.running.desk.ledger.requests, capacity)


async def taken(follower: Follower, count: int) -> list[Told]:
    told = [await follower.next(10) for _ in range(count)]
    return [each for each in told if each is not None]


async def logged(home: Home, after: int = 0) -> list[LoggedEvent]:
    return await home.running.house.log.after(after, 10_000)


def serials(told: Sequence[Told]) -> list[int]:
    return [each.event.serial for each in told]


async def test_each_follower_gets_each_line_once_and_in_order(home: Home) -> None:
    with home.running.house.feed.follow(everything) as one, home.running.house.feed.follow(everything) as other:
        requests = [await opened(home) for _ in range(5)]
        await asyncio.gather(*(rejected(home, request) for request in requests))
        lines = [line.serial for line in await logged(home)]

        heard = [serials(await taken(follower, len(lines))) for follower in (one, other)]

        assert heard == [lines, lines]
        assert lines == sorted(set(lines))
        assert await one.next(0) is None


async def test_a_follower_hears_only_what_it_wants(home: Home) -> None:
    with home.running.house.feed.follow(lambda request: request.stage.name == "rejected") as follower:
        await opened(home)
        request = await rejected(home, await opened(home))

        told = await follower.next(10)

        assert told is not None
        assert told.request.id == request.id


async def test_who_follows_a_shop_or_a_buyer_is_asked_about_nothing_else(home: Home) -> None:
    asked: list[tuple[str, str]] = []
    elsewhere = await home.order(number="E", shop=replace(SHOP, id="sh_else"))

    def wants(of: str) -> Callable[[Request], bool]:
        def asks(request: Request) -> bool:
            asked.append((of, request.order.shop.id))
            return True

        return asks

    async with running(feed_of(home)) as feed:
        with (
            feed.follow(wants("shop"), shops=[SHOP.id]) as of_shop,
            feed.follow(wants("buyer"), buyer_id=BUYER.id) as of_buyer,
            feed.follow(wants("nobody"), buyer_id="by_nobody"),
            feed.follow(wants("none"), shops=[]),
        ):
            await opened(home)
            await opened(home, elsewhere)
            feed.announce(())
            heard = await taken(of_buyer, 4), await taken(of_shop, 2)

    lines = [line.serial for line in await logged(home)]
    assert [serials(some) for some in heard] == [lines, lines[:2]]
    assert set(asked) == {("shop", SHOP.id), ("buyer", SHOP.id), ("buyer", "sh_else")}


async def test_a_follower_that_lags_is_told_so_and_the_others_go_on(home: Home) -> None:
    async with running(feed_of(home, capacity=4)) as feed:
        with feed.follow(everything) as slow, feed.follow(everything) as quick:
            heard = []
            for _ in range(4):
                await opened(home)
                feed.announce(())
                heard += serials(await taken(quick, 2))

            assert heard == [line.serial for line in await logged(home)][-8:]
            with pytest.raises(Lagged):
                await slow.next(10)
            with pytest.raises(Lagged):
                await slow.next(10)


async def test_what_another_process_wrote_is_found_without_being_told(
    home: Home, server: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "POLL_SECONDS", 0.05)
    async with server() as other:
        with other.running.house.feed.follow(everything) as follower:
            request = await opened(home)

            told = await taken(follower, 2)

        assert [each.request.id for each in told] == [request.id] * 2


async def test_a_log_that_cannot_be_read_costs_time_and_no_line(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "RETRY_SECONDS", 0.01)
    log, faults = home.running.house.log, [OSError("disk"), OSError("disk")]

    async def read(serial: int, limit: int) -> Sequence[LoggedEvent]:
        if faults:
            raise faults.pop()
        return await log.after(serial, limit)

    async with running(Feed(read, log.last_serial, home.running.desk.ledger.requests)) as feed:
        with feed.follow(everything) as follower:
            before = await log.last_serial()
            await opened(home)
            feed.announce(())

            heard = serials(await taken(follower, 2))

        assert heard == [line.serial for line in await logged(home, before)]
        assert faults == []


async def test_more_lines_than_are_read_at_once_all_arrive(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "BATCH", 3)
    with home.running.house.feed.follow(everything) as follower:
        await asyncio.gather(*[opened(home, await home.order(number=f"M{n}")) for n in range(5)])

        heard = serials(await taken(follower, 10))

        assert heard == [line.serial for line in await logged(home)]


async def test_followers_are_told_when_the_server_goes_down(home: Home) -> None:
    feed = feed_of(home)
    with feed.follow(everything) as follower:
        async with running(feed):
            await opened(home)
            feed.announce(())
            await taken(follower, 2)
            waiting = asyncio.ensure_future(follower.next(10))

        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_a_feed_stops_at_once_though_it_has_just_been_nudged(home: Home) -> None:
    feed = feed_of(home)
    await feed.begin()
    loop = asyncio.create_task(feed.run())
    with feed.follow(everything) as follower:
        await opened(home)
        feed.announce(())
        # once it has handed out the last line, it waits
        await taken(follower, 2)

        feed.announce(())
        loop.cancel()

        _, running_still = await asyncio.wait([loop], timeout=5)
        assert not running_still


@pytest.mark.engine("postgres")  # a file has one server
async def test_what_another_process_commits_is_heard_without_looking(
    server: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "POLL_SECONDS", 600.0)
    async with server() as ours, server() as theirs:
        hints = [asyncio.create_task(run()) for home in (ours, theirs) for run in home.running.shared.values()]
        with ours.running.house.feed.follow(everything) as follower:
            # what is told before we listen is found when we begin to
            for number in range(3):
                request = await opened(theirs)
                told = await taken(follower, 2)
                assert [each.event.request_id for each in told] == [request.id] * 2, number
        for task in hints:
            task.cancel()
        await asyncio.gather(*hints, return_exceptions=True)

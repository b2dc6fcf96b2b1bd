"""The stream: ready first, then every line in order, resumable from any cursor, narrowed by filter and rights."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from graphql import ExecutionResult
from tests.graphql.server import AGENT, BANGKOK, BUYER, JAKARTA, OTHER_BUYER, OTHER_SELLER, SELLER, Open, Server

from aftersales.engine.vocabulary import Actor
from aftersales.feed import QUEUE
from aftersales.graphql.masking import GraphQLErrors

STREAM = """
subscription($filter: RequestFilter, $after: Cursor) {
  requestStream(filter: $filter, after: $after) {
    __typename
    ... on StreamReady { cursor heartbeatSeconds }
    ... on StreamHeartbeat { cursor }
    ... on StreamReset { cursor reason }
    ... on RequestChanged { cursor event { type sequence version rule } request { id version stage { handle } } }
    ... on DeadlineChanged { cursor event { type sequence version } deadline { handle dueAt status } request { id } }
    ... on RequestLeft { cursor requestId }
  }
}
"""


@pytest.fixture
async def feed(server: Server) -> AsyncIterator[None]:
    await server.running.house.feed.begin()
    task = asyncio.create_task(server.running.house.feed.run())
    yield
    task.cancel()


async def item(stream: AsyncIterator[ExecutionResult]) -> Any:
    async with asyncio.timeout(5):
        result = await anext(stream)
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data["requestStream"]


async def handed_out(server: Server) -> None:
    """Until the feed has read all of the log."""
    last = await server.running.house.log.last_serial()
    async with asyncio.timeout(10):
        while (server.running.house.feed.serial or 0) < last:  # noqa: ASYNC110 - the feed tells nobody that it has
            await asyncio.sleep(0)


async def items(stream: AsyncIterator[ExecutionResult], count: int) -> list[Any]:
    return [await item(stream) for _ in range(count)]


pytestmark = pytest.mark.usefixtures("feed")


async def test_ready_comes_first_and_then_what_happens(server: Server, opened: Open) -> None:
    stream = await server.follow(STREAM, SELLER)
    ready = await item(stream)

    request = await opened()
    created, started = await items(stream, 2)

    assert ready["__typename"] == "StreamReady"
    assert created["event"] == {"type": "RequestCreated", "sequence": 1, "version": 1, "rule": "C1"}
    assert created["request"]["id"] == request["id"]
    assert started["__typename"] == "DeadlineChanged"
    assert started["deadline"] == {"handle": "review.first", "dueAt": "2025-03-05T03:00:00Z", "status": "RUNNING"}


async def test_silence_approves_at_the_instant_and_the_board_hears_it(server: Server, opened: Open) -> None:
    request = await opened()
    stream = await server.follow(STREAM, SELLER)
    await item(stream)

    await server.time_passes(days=2, hours=3)
    heard = await items(stream, 8)

    by_type = {line["event"]["type"]: line for line in heard}
    assert by_type["RequestApproved"]["event"]["rule"] == "C17"
    assert by_type["DeadlineExpired"]["deadline"]["status"] == "EXPIRED"
    history = await server.ask(
        "query($id: ID!) { request(by: {id: $id}) { history(first: 50) { nodes { type at processedAt } } } }", SELLER,
        id=request["id"],
    )  # fmt: skip
    approved = next(e for e in history["request"]["history"]["nodes"] if e["type"] == "RequestApproved")
    assert approved["at"] == "2025-03-05T03:00:00Z"
    assert approved["processedAt"] == "2025-03-05T06:00:00Z"


async def test_a_client_that_was_cut_off_misses_nothing(server: Server, opened: Open) -> None:
    stream = await server.follow(STREAM, SELLER)
    cursor = (await item(stream))["cursor"]
    request = await opened()
    heard = [await item(stream)]
    cursor = heard[-1]["cursor"]
    await stream.aclose()  # type: ignore[attr-defined]

    await server.do("refundOnlyApprove", SELLER, requestId=request["id"], expectedVersion=1)
    await server.running.tender.tend()
    resumed = await server.follow(STREAM, SELLER, after=cursor)
    ready, *rest = await items(resumed, 9)

    assert ready["__typename"] == "StreamReady"
    assert [line["event"]["sequence"] for line in heard + rest] == list(range(1, 10))


@pytest.mark.parametrize("who", [SELLER, AGENT], ids=["by shops", "by the whole log"])
async def test_more_at_once_than_a_queue_holds_is_taken_from_the_log(server: Server, opened: Open, who: Actor) -> None:
    stream = await server.follow(STREAM, who)
    await item(stream)

    requests = [await opened(number=f"M{number}") for number in range(QUEUE // 2 + 20)]
    await handed_out(server)
    heard = await items(stream, 2 * len(requests))
    request = await opened(number="M")
    heard += await items(stream, 2)

    assert [(line["request"]["id"], line["event"]["sequence"]) for line in heard] == [
        (request["id"], sequence) for request in [*requests, request] for sequence in (1, 2)
    ]


async def test_the_page_and_the_stream_leave_no_gap(server: Server, opened: Open) -> None:
    page = await server.ask("{ requests { streamCursor nodes { id } } }", SELLER)
    request = await opened()

    stream = await server.follow(STREAM, SELLER, after=page["requests"]["streamCursor"])
    _, created = await items(stream, 2)

    assert page["requests"]["nodes"] == []
    assert created["request"]["id"] == request["id"]


async def test_a_row_that_leaves_the_filter_is_said_to_leave(server: Server, opened: Open) -> None:
    request = await opened()
    stream = await server.follow(STREAM, SELLER, filter={"statuses": ["PENDING_REVIEW"]})
    await item(stream)

    await server.do(
        "requestReject", SELLER, requestId=request["id"], expectedVersion=1, reason="unclear_or_no_evidence"
    )
    left = await item(stream)

    assert left["__typename"] == "RequestLeft"
    assert left["requestId"] == request["id"]


async def test_a_row_that_enters_the_filter_is_shown(server: Server, opened: Open) -> None:
    request = await opened()
    stream = await server.follow(STREAM, SELLER, filter={"statuses": ["REJECTED"]})
    await item(stream)

    await server.do(
        "requestReject", SELLER, requestId=request["id"], expectedVersion=1, reason="unclear_or_no_evidence"
    )
    shown = await item(stream)

    assert shown["event"]["type"] == "RequestRejected"
    assert shown["request"]["stage"]["handle"] == "rejected"


@pytest.mark.parametrize("stranger", [OTHER_SELLER, OTHER_BUYER], ids=["another shop", "another buyer"])
async def test_nobody_hears_of_what_is_not_theirs(server: Server, opened: Open, stranger: Any) -> None:
    stream = await server.follow(STREAM, stranger)
    await item(stream)

    await opened()
    mine = await opened(number="2002", buyer=OTHER_BUYER, shop=BANGKOK)
    heard = await item(stream)

    assert heard["request"]["id"] == mine["id"]


async def test_the_platform_and_a_buyer_follow_across_shops(server: Server, opened: Open) -> None:
    everywhere, own = await server.follow(STREAM, AGENT), await server.follow(STREAM, BUYER)
    await items(everywhere, 1)
    cursor = (await item(own))["cursor"]

    first = await opened(shop=JAKARTA)
    other = await opened(number="2002", buyer=OTHER_BUYER, shop=JAKARTA)
    second = await opened(number="3003", shop=BANGKOK)
    heard = await items(everywhere, 6)
    resumed = await server.follow(STREAM, BUYER, after=cursor)
    again = (await items(resumed, 5))[1:]

    assert [line["request"]["id"] for line in heard[::2]] == [first["id"], other["id"], second["id"]]
    assert [line["request"]["id"] for line in again] == [first["id"]] * 2 + [second["id"]] * 2
    assert [line["request"]["id"] for line in await items(own, 4)] == [first["id"]] * 2 + [second["id"]] * 2


async def test_a_quiet_stream_says_that_it_lives(server: Server, opened: Open) -> None:
    stream = await server.follow(STREAM, SELLER)
    await item(stream)

    beat = await item(stream)

    assert beat["__typename"] == "StreamHeartbeat"


async def test_a_cursor_of_another_log_is_reset_and_a_forged_one_refused(server: Server, opened: Open) -> None:
    await opened()
    here = (await item(await server.follow(STREAM, AGENT)))["cursor"]
    ahead = await server.follow(STREAM, AGENT, after="eyJzIjo0NjExNjg2MDE4NDI3Mzg3OTA0fQ")

    reset = await item(ahead)

    assert reset["__typename"] == "StreamReset"
    assert reset["reason"] == "CURSOR_EXPIRED"
    assert reset["cursor"] == here
    forged = await server.follow(STREAM, AGENT, after="!!!")
    with pytest.raises(GraphQLErrors) as refused:
        await anext(forged)
    assert [error.extensions["code"] for error in refused.value.errors if error.extensions] == ["INVALID_INPUT"]


WHO = [SELLER, AGENT, BUYER]


async def reset_or_told(server: Server, who: Actor, after: str) -> list[Any]:
    """Why it was reset, or the sequences of what was missed."""
    # all that was missed comes before the first heartbeat, however soon that is due
    server.running = replace(server.running, house=replace(server.running.house, heartbeat_seconds=0.1))
    stream = await server.follow(STREAM, who, after=after)
    first = await item(stream)
    if first["__typename"] == "StreamReset":
        return [first["reason"]]
    heard = []
    while (line := await item(stream))["__typename"] != "StreamHeartbeat":
        heard.append(line["event"]["sequence"])
    return heard


@pytest.mark.parametrize("who", WHO, ids=["a shop", "the platform", "a buyer"])
async def test_an_older_cursor_begins_anew_and_a_younger_one_misses_nothing(
    server: Server, opened: Open, who: Actor
) -> None:
    old = (await item(await server.follow(STREAM, who)))["cursor"]
    request = await opened()
    young = (await item(await server.follow(STREAM, who)))["cursor"]
    server.clock.passes(days=1)
    await server.do("requestCancel", BUYER, requestId=request["id"], expectedVersion=1)
    server.clock.passes(days=1)

    assert await reset_or_told(server, who, old) == [1, 2, 3, 4, 5]
    server.running = replace(server.running, house=replace(server.running.house, stream_age=timedelta(days=1, hours=1)))
    assert await reset_or_told(server, who, old) == ["CURSOR_EXPIRED"]
    assert await reset_or_told(server, who, young) == [3, 4, 5]
    server.clock.passes(days=30)
    now = (await item(await server.follow(STREAM, who)))["cursor"]
    # of whatever age it is, where nothing was missed nothing is to be told
    assert await reset_or_told(server, who, now) == []


@pytest.mark.parametrize("who", WHO, ids=["a shop", "the platform", "a buyer"])
async def test_more_lines_than_a_stream_makes_up_for_are_not_read(server: Server, opened: Open, who: Actor) -> None:
    server.running = replace(server.running, house=replace(server.running.house, stream_lines=3))
    old = (await item(await server.follow(STREAM, who)))["cursor"]
    await opened()
    young = (await item(await server.follow(STREAM, who)))["cursor"]
    # of another buyer in the same shop: the shop and the platform have missed it, this buyer has not
    await opened(number="2002", buyer=OTHER_BUYER)

    assert await reset_or_told(server, who, old) == ([1, 2] if who is BUYER else ["CURSOR_EXPIRED"])
    assert await reset_or_told(server, who, young) == ([] if who is BUYER else [1, 2])

"""Server-sent events: `next` and `complete`, signs of life, and an end for those who leave."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.transport.world import NOW, SECRET, Door, serving, token, until

from aftersales.transport.auth import Authenticator, AuthSettings
from aftersales.transport.limits import TransportSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_is_a_row_of_next_and_a_complete(door: Door, method: str) -> None:
    async with streaming(door, "subscription { three }", method=method) as answer:
        events = [event async for event in heard(answer)]

    assert answer.headers["content-type"] == "text/event-stream"
    assert events == [
        ("next", {"data": {"three": 1}}),
        ("next", {"data": {"three": 2}}),
        ("next", {"data": {"three": 3}}),
        ("complete", None),
    ]


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("{ hello }", {"hello": "Hello you"}),
        ("mutation { bump { nothing } }", "DOCUMENT_INVALID"),
        ("{ hell }", "DOCUMENT_INVALID"),
        ("{", "SYNTAX_ERROR"),
    ],
)
async def test_one_result_is_one_next_and_a_mistake_is_told_within_the_stream(
    door: Door, query: str, result: object
) -> None:
    async with streaming(door, query) as answer:
        (name, told), end = [event async for event in heard(answer)]

    assert (answer.status_code, name, end) == (200, "next", ("complete", None))
    assert told.get("data") == result or told["errors"][0]["extensions"]["code"] == result


async def test_a_mutation_may_ask_for_a_stream_by_post(door: Door) -> None:
    async with streaming(door, "mutation { bump }") as answer:
        (_, told), _ = [event async for event in heard(answer)]

    assert told["data"] == {"bump": door.world.count}


async def test_a_source_that_fails_is_masked_and_ends_the_stream(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    async with streaming(door, "subscription { breaks }") as answer:
        events = [event async for event in heard(answer)]

    number = events[1][1]["errors"][0]["extensions"]["id"]
    assert events[0] == ("next", {"data": {"breaks": 1}})
    assert events[1][1]["errors"][0]["message"] == f"Internal error {number}"
    assert events[2] == ("complete", None)
    assert number in caplog.text
    assert "hunter2" in caplog.text


async def test_what_is_not_a_graphql_request_is_no_stream(door: Door) -> None:
    async with httpx.AsyncClient() as client:
        headers = {"accept": "text/event-stream", "content-type": "application/json"}
        answer = await client.post(door.url, content=b"[]", headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json; charset=utf-8")


async def test_events_come_as_they_happen_and_the_source_ends_when_the_caller_leaves(door: Door) -> None:
    async with streaming(door, "subscription { ticks }") as answer:
        events = heard(answer)
        await until(lambda: len(door.world.listeners) == 1)
        door.world.tell(1)
        first = await anext(events)
        door.world.tell(2)
        second = await anext(events)

    assert [first, second] == [("next", {"data": {"ticks": 1}}), ("next", {"data": {"ticks": 2}})]
    await until(lambda: not door.world.listeners and door.gate.streams.taken == 0)


async def test_a_quiet_stream_shows_that_it_lives() -> None:
    async with (
        serving(TransportSettings(heartbeat_seconds=0.01)) as door,
        streaming(door, "subscription { ticks }") as answer,
    ):
        lines = answer.aiter_lines()
        signs = [await anext(lines) for _ in range(6)]

    assert signs == [":", "", ":", "", ":", ""]


async def test_a_stream_ends_with_the_token_it_stands_on() -> None:
    # the clock stands still at a fifth of a second before the end
    just_before = NOW + timedelta(hours=1) - timedelta(seconds=0.2)
    settings = AuthSettings(secret=SECRET, skew=timedelta(0))
    who = Authenticator(settings, clock=lambda: just_before)

    async with (
        serving(authenticate=who) as door,
        streaming(door, "subscription { ticks }", authorization=f"Bearer {token()}") as answer,
    ):
        events = [event async for event in heard(answer)]

    assert events[0][1]["errors"][0]["extensions"] == {"code": "TOKEN_EXPIRED"}
    assert events[1] == ("complete", None)


async def test_one_stream_too_many_is_told_to_come_back() -> None:
    async with (
        serving(TransportSettings(streams=1)) as door,
        streaming(door, "subscription { ticks }"),
        streaming(door, "subscription { ticks }") as second,
    ):
        assert (second.status_code, second.headers["retry-after"]) == (503, "1")


async def test_a_reader_that_does_not_read_is_cut_and_costs_no_memory() -> None:
    async with serving(TransportSettings(send_seconds=0.1)) as door:
        url = httpx.URL(door.url)
        _, writer = await asyncio.open_connection(url.host, url.port, limit=1)
        writer.write(b"GET /graphql?query=subscription%7Bendless(size:100000)%7D HTTP/1.1\r\nhost: x\r\n")
        writer.write(b"accept: text/event-stream\r\n\r\n")
        await until(lambda: door.gate.streams.taken == 1)

        await until(lambda: door.gate.streams.taken == 0)
        writer.close()


async def test_a_server_that_stops_ends_its_streams_at_once() -> None:
    async with asyncio.timeout(5):
        async with serving() as door:
            stream = streaming(door, "subscription { ticks }")
            answer = await stream.__aenter__()
            await until(lambda: len(door.world.listeners) == 1)
        events = [event async for event in heard(answer)]
        await stream.__aexit__(None, None, None)

    assert events == []
    assert not door.world.listeners


@asynccontextmanager
async def streaming(
    door: Door, query: str, *, method: str = "POST", authorization: str = ""
) -> AsyncIterator[httpx.Response]:
    asked: dict[str, Any] = {"params" if method == "GET" else "json": {"query": query}}
    headers = {"accept": "text/event-stream", "authorization": authorization}
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream(method, door.url, headers=headers, **asked) as answer,
    ):
        if answer.status_code != 200:
            await answer.aread()
        yield answer


async def heard(answer: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """Events as a browser would dispatch them; comments are not events."""
    name, data = "", None
    async for line in answer.aiter_lines():
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            data = value.strip()
        elif not line and data is not None:
            yield name, json.loads(data) if data else None
            name, data = "", None

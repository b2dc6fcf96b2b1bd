"""What an operation costs is known before it runs, shown with its answer, and taken from its caller's budget."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.transport.test_sse import heard, streaming
from tests.transport.test_websocket import INIT, dialed, end, opened, subscribe, tell
from tests.transport.world import NOW, Door, serving, token, until

from aftersales.transport.auth import Claims
from aftersales.transport.budget import MOST_CALLERS, Budgets, network
from aftersales.transport.caller import Caller
from aftersales.transport.limits import TransportSettings
from aftersales.transport.refusal import Turned

SMALL = TransportSettings(budget=10, budget_per_second=2)


class Seconds:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def person(sub: str = "s1", party: str = "seller", address: str = "10.0.0.1") -> Caller:
    return Caller(Claims(sub, party, frozenset(), frozenset(), NOW + timedelta(hours=1)), {}, address)


def stranger(address: str) -> Caller:
    return Caller(None, {}, address)


def test_what_is_spent_comes_back_and_never_more_than_all_of_it() -> None:
    clock = Seconds()
    budgets = Budgets(SMALL, clock)

    first = budgets.spend(person(), 7)
    clock.now += 2
    second = budgets.spend(person(), 7)
    clock.now += 3_600
    third = budgets.spend(person(), 1)

    assert [balance.remaining for balance in (first, second, third)] == [3, 0, 9]


def test_who_has_spent_it_is_told_when_to_come_and_nothing_is_taken() -> None:
    clock = Seconds()
    budgets = Budgets(SMALL, clock)
    budgets.spend(person(), 9)

    with pytest.raises(Turned) as refused:
        budgets.spend(person(), 6)
    clock.now += 2.5
    balance = budgets.spend(person(), 6)

    told = refused.value
    assert (told.status, dict(told.headers)[b"retry-after"]) == (429, b"3")
    assert told.error.extensions == {
        "code": "BUDGET_SPENT",
        "cost": {"requested": 6, "remaining": 1, "capacity": 10, "refillPerSecond": 2},
        "retryable": True,
        "retryAfter": 3,
    }
    assert balance.remaining == 0


def test_each_has_their_own_and_a_stranger_that_of_their_network() -> None:
    budgets = Budgets(SMALL, Seconds())
    callers = (
        person("s1"), person("s2"), person("s1", party="buyer"),
        stranger("10.0.0.1"), stranger("2001:db8::1"), stranger(""),
    )  # fmt: skip

    for caller in callers:
        budgets.spend(caller, 10)

    for caller in (*callers, replace(person("s1"), address="10.9.9.9"), stranger("2001:db8::ffff:2")):
        with pytest.raises(Turned):
            budgets.spend(caller, 1)


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_an_address_is_known_by_its_network(address: str, known_as: str) -> None:
    assert network(address) == known_as


def test_the_memory_of_who_has_spent_has_an_end() -> None:
    budgets = Budgets(SMALL, Seconds())

    for n in range(MOST_CALLERS + 10):
        budgets.spend(person(f"s{n}"), 1)

    assert len(budgets.known) == MOST_CALLERS


# ---------------------------------------------------------------- by every door


async def post(door: Door, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(door.url, json={"query": query, "variables": variables}, headers=headers)


def known(door: Door, *documents: str) -> None:
    """As if they had been asked for before: reading a new one costs something too."""
    for document in documents:
        door.gate.operations.documents.document(document, None)


async def test_an_answer_says_what_it_cost_and_what_is_left() -> None:
    async with serving(SMALL) as door:
        known(door, "{ a: hello b: hello }", "mutation { nothing: __typename }")
        first = await post(door, "{ a: hello b: hello }")
        second = await post(door, "mutation { nothing: __typename }")

    assert first.json()["extensions"]["cost"] == {
        "requested": 2, "remaining": 8, "capacity": 10, "refillPerSecond": 2,
    }  # fmt: skip
    assert first.headers["ratelimit-policy"] == '"cost";q=10;w=5'
    assert first.headers["ratelimit"] == '"cost";r=8;t=1'
    assert second.json()["extensions"]["cost"]["requested"] == 0


async def test_a_spent_budget_is_a_429_by_http_and_nothing_runs() -> None:
    async with serving(TransportSettings(budget=12, budget_per_second=1)) as door:
        await post(door, "mutation { bump }")
        refused = await post(door, "mutation { bump }")
        by_stream = await post(door, "mutation { bump }", accept="text/event-stream")
        another = await post(door, "mutation { bump }", authorization=f"Bearer {token()}")

        assert door.world.count == 2
    assert (refused.status_code, by_stream.status_code, another.status_code) == (429, 429, 200)
    assert refused.json()["errors"][0]["extensions"]["code"] == "BUDGET_SPENT"
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["ratelimit-policy"] == '"cost";q=12;w=12'


async def test_a_spent_budget_is_an_error_of_one_operation_on_a_socket() -> None:
    async with serving(TransportSettings(budget=21, budget_per_second=1)) as door, opened(door) as socket:
        known(door, "subscription { ticks }", "mutation { bump }")
        await tell(socket, subscribe("1", "subscription { ticks }"))
        await until(lambda: len(door.world.listeners) == 1)
        await tell(socket, subscribe("2", "mutation { bump }"), subscribe("3", "mutation { bump }"))
        told = [json.loads(await socket.recv()) for _ in range(3)]
        door.world.tell(1)
        alive = json.loads(await socket.recv())

        assert door.world.count == 1
    ((id, payload),) = [(message["id"], message["payload"]) for message in told if message["type"] == "error"]
    (answer,) = [message["payload"] for message in told if message["type"] == "next"]
    assert id in ("2", "3")
    assert payload[0]["extensions"]["code"] == "BUDGET_SPENT"
    assert answer["extensions"]["cost"]["requested"] == 10
    assert alive == {"id": "1", "type": "next", "payload": {"data": {"ticks": 1}}}


async def test_a_new_document_is_read_at_its_callers_expense() -> None:
    long = "{ hello } #" + "x" * 200
    async with serving(TransportSettings(budget=15, budget_per_second=1)) as door:
        first = await post(door, long)
        again = await post(door, long)
        other = await post(door, long + "y")

    assert [answer.status_code for answer in (first, again, other)] == [200, 200, 429]
    assert first.json()["extensions"]["cost"]["remaining"] == 15 - 10 - 1


async def test_many_who_bring_the_same_new_document_have_it_read_once() -> None:
    async with serving(TransportSettings(operations_of_one=100)) as door:
        answers = await asyncio.gather(*(post(door, "{ hello } # the same for all of them") for _ in range(40)))

        assert not door.gate.reading
    assert {answer.status_code for answer in answers} == {200}


async def test_what_costs_too_much_at_once_is_refused_whatever_the_budget() -> None:
    async with serving(TransportSettings(cost=3)) as door:
        fine = await post(door, "{ a: hello b: hello c: hello }")
        dear = await post(door, "{ a: hello b: hello c: hello d: hello }", accept="application/graphql-response+json")

    assert fine.status_code == 200
    assert dear.status_code == 400
    assert dear.json()["errors"][0]["extensions"] == {
        "code": "COST_TOO_HIGH", "cost": {"requested": 4, "maximum": 3},
    }  # fmt: skip


# ---------------------------------------------------------------- connections of one caller


async def test_one_caller_has_so_many_sockets_and_others_have_theirs() -> None:
    mine = {**INIT, "payload": {"authorization": f"Bearer {token(sub='s1')}"}}
    theirs = {**INIT, "payload": {"authorization": f"Bearer {token(sub='s2')}"}}
    async with serving(TransportSettings(streams_of_one=1)) as door, dialed(door) as first:
        await tell(first, mine)
        assert json.loads(await first.recv())["type"] == "connection_ack"
        async with dialed(door) as second:
            await tell(second, mine)
            closed = await end(second)
        async with dialed(door) as other:
            await tell(other, theirs)
            assert json.loads(await other.recv())["type"] == "connection_ack"
        await first.close()
        await until(lambda: not door.gate.connections.of)
        async with dialed(door) as again:
            await tell(again, mine)
            assert json.loads(await again.recv())["type"] == "connection_ack"

    assert closed == (1013, "You have 1 streams open. Close one, or try again in a second.")


async def test_one_caller_has_so_many_event_streams() -> None:
    async with serving(TransportSettings(streams_of_one=1)) as door:
        async with streaming(door, "subscription { ticks }") as first:
            await until(lambda: len(door.world.listeners) == 1)
            async with streaming(door, "subscription { ticks }") as second:
                told = second.json()
            door.world.tell(1)
            alive = await anext(heard(first))
        await until(lambda: not door.gate.connections.of)

    assert (second.status_code, second.headers["retry-after"]) == (429, "1")
    assert told["errors"][0]["extensions"]["code"] == "TOO_MANY_CONNECTIONS"
    assert alive == ("next", {"data": {"ticks": 1}})


async def test_one_connection_too_many_is_closed_at_once_and_the_others_stay() -> None:
    async with serving(TransportSettings(connections=3)) as door:
        url = httpx.URL(door.url)
        open = [await asyncio.open_connection(url.host, url.port) for _ in range(3)]
        for _, writer in open:
            writer.write(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n")
        answers = [await reader.readuntil(b"\r\n") for reader, _ in open]
        reader, writer = await asyncio.open_connection(url.host, url.port)
        with pytest.raises(ConnectionResetError):
            await gone(reader)
        for _, each in (*open, (reader, writer)):
            each.close()

    assert {answer.split()[1] for answer in answers} == {b"404"}


async def gone(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(10):
        if not await reader.read(100):
            raise ConnectionResetError

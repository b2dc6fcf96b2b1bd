"""graphql-transport-ws: every close code, neighbours that survive, and nothing left behind."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from tests.transport.world import HOUR, NOW, SECRET, Door, serving, token, until
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from aftersales.transport.auth import Authenticator, AuthSettings, Claims
from aftersales.transport.keys import KeysUnavailable
from aftersales.transport.limits import TransportSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

INIT = {"type": "connection_init"}
PROTOCOL = "graphql-transport-ws"


def subscribe(id: str, query: str, **payload: Any) -> dict[str, Any]:
    return {"type": "subscribe", "id": id, "payload": {"query": query, **payload}}


TICKS = subscribe("t", "subscription { ticks }")

HELLO = {"query": "{ hello }"}

# fmt: off
CLOSES: dict[str, tuple[int, list[Any]]] = {
    #                                  code  what is sent
    "no JSON":                        (4400, ["{"]),
    "no object":                      (4400, ["[]"]),
    "no type":                        (4400, [{}]),
    "a type of the old protocol":     (4400, [INIT, {"type": "start", "id": "1", "payload": HELLO}]),
    "a type only we may send":        (4400, [INIT, {"type": "next", "id": "1", "payload": {}}]),
    "bytes":                          (4400, [b"{}"]),
    "a lone surrogate":               (4400, ['{"type":"ping","payload":{"a":"\\ud800"}}']),
    "lists without end":              (4400, ["[" * 100_000]),
    "init with a text":               (4400, [{"type": "connection_init", "payload": "x"}]),
    "ping with a list":               (4400, [{"type": "ping", "payload": []}]),
    "subscribe without an id":        (4400, [INIT, {"type": "subscribe", "payload": HELLO}]),
    "subscribe with an empty id":     (4400, [INIT, {"type": "subscribe", "id": "", "payload": HELLO}]),
    "subscribe with a number as id":  (4400, [INIT, {"type": "subscribe", "id": 1, "payload": HELLO}]),
    "subscribe without payload":      (4400, [INIT, {"type": "subscribe", "id": "1"}]),
    "subscribe without query":        (4400, [INIT, {"type": "subscribe", "id": "1", "payload": {}}]),
    "variables in a list":            (4400, [INIT, subscribe("1", "{ hello }", variables=[])]),
    "a name that is no text":         (4400, [INIT, subscribe("1", "{ hello }", operationName=1)]),
    "extensions in words":            (4400, [INIT, subscribe("1", "{ hello }", extensions="x")]),
    "complete without an id":         (4400, [INIT, {"type": "complete"}]),
    "a token in a list":              (4400, [{**INIT, "payload": {"authorization": []}}]),
    "subscribe before init":          (4401, [TICKS]),
    "a token that is no good":        (4403, [{**INIT, "payload": {"authorization": "Bearer x"}}]),
    "a token that is none of ours":   (4403, [{**INIT, "payload": {"Authorization": "Basic x"}}]),
    "the same id twice":              (4409, [INIT, TICKS, TICKS]),
    "init twice":                     (4429, [INIT, INIT]),
    "a message too long":             (1009, [INIT, {"type": "ping", "payload": {"a": "x" * 1_000_001}}]),
}
# fmt: on


@pytest.mark.parametrize("case", CLOSES)
async def test_each_breach_of_the_protocol_has_its_close_code(door: Door, case: str) -> None:
    code, messages = CLOSES[case]

    async with dialed(door) as socket:
        for message in messages:
            await socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
        closed = await end(socket)

    assert closed[0] == code
    await until(lambda: not door.world.listeners and door.gate.streams.taken == 0)


async def test_who_never_says_who_they_are_is_closed_with_4408() -> None:
    async with serving(TransportSettings(init_seconds=0.05)) as door, dialed(door) as socket:
        assert await end(socket) == (4408, "Connection initialisation timeout")


async def test_a_token_that_has_run_out_says_so(door: Door) -> None:
    old = token(now=NOW - 2 * HOUR)

    async with dialed(door) as socket:
        await tell(socket, {**INIT, "payload": {"authorization": f"Bearer {old}"}})

        assert await end(socket) == (4419, "Token expired")


async def test_a_socket_ends_with_the_token_it_stands_on() -> None:
    just_before = NOW + timedelta(hours=1) - timedelta(seconds=0.2)
    who = Authenticator(AuthSettings(secret=SECRET, skew=timedelta(0)), clock=lambda: just_before)

    async with serving(authenticate=who) as door, dialed(door) as socket:
        await tell(socket, {**INIT, "payload": {"authorization": f"Bearer {token()}"}}, TICKS)
        acknowledged = await hear(socket)

        assert acknowledged == {"type": "connection_ack"}
        assert await end(socket) == (4419, "Token expired")
        await until(lambda: not door.world.listeners)


async def test_a_token_that_cannot_be_checked_is_asked_to_come_back() -> None:
    class Away:
        async def __call__(self, authorization: str | None, /) -> Claims | None:
            raise KeysUnavailable

        def known(self, authorization: str | None, /) -> str:
            return ""

        def seconds_left(self, claims: Claims, /) -> float:
            return 1.0

    async with serving(authenticate=Away()) as door, dialed(door) as socket:
        await tell(socket, INIT)

        assert (await end(socket))[0] == 1013


@pytest.mark.parametrize("offered", [[], ["graphql-ws"]])
async def test_no_other_protocol_is_spoken(door: Door, offered: list[str]) -> None:
    async with connect(door.socket, subprotocols=[Subprotocol(name) for name in offered] or None) as socket:
        assert await end(socket) == (4406, "Subprotocol not acceptable")


@pytest.mark.parametrize(
    ("origin", "allowed", "welcome"),
    [
        (None, frozenset(), True),
        ("http://{host}", frozenset(), True),
        ("http://evil.example", frozenset(), False),
        ("null", frozenset(), False),
        ("http://board.example", frozenset({"http://board.example"}), True),
        ("http://evil.example", frozenset({"*"}), True),
    ],
)
async def test_pages_of_foreign_origins_stay_outside(
    origin: str | None, allowed: frozenset[str], welcome: bool
) -> None:
    async with serving(TransportSettings(origins=allowed)) as door:
        host = door.socket.split("/")[2]
        headers = {"origin": origin.format(host=host)} if origin else {}
        try:
            async with dialed(door, headers):
                welcomed = True
        except InvalidStatus as refused:
            welcomed = refused.response.status_code != 403

    assert welcomed is welcome


async def test_one_socket_too_many_is_told_to_come_back() -> None:
    async with serving(TransportSettings(streams=1)) as door, dialed(door):
        with pytest.raises(InvalidStatus) as refused:
            await connect(door.socket, subprotocols=[Subprotocol(PROTOCOL)])

    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["retry-after"] == "1"


# ---------------------------------------------------------------- what is said


async def test_a_ping_is_answered_at_any_time_and_a_pong_is_heard(door: Door) -> None:
    async with dialed(door) as socket:
        await tell(socket, {"type": "ping"}, {"type": "pong"}, {"type": "ping", "payload": {"a": 1}}, INIT)

        assert [await hear(socket) for _ in range(3)] == [
            {"type": "pong"},
            {"type": "pong", "payload": {"a": 1}},
            {"type": "connection_ack"},
        ]


async def test_queries_and_mutations_are_answered_once(door: Door) -> None:
    async with opened(door) as socket:
        await tell(socket, subscribe("q", "query($n: String!) { hello(name: $n) }", variables={"n": "Ä"}))
        query = [await hear(socket), await hear(socket)]
        await tell(socket, subscribe("m", "mutation { bump }"))
        mutation = [await hear(socket), await hear(socket)]

    assert query == [next_("q", hello="Hello Ä"), {"type": "complete", "id": "q"}]
    assert mutation == [next_("m", bump=door.world.count), {"type": "complete", "id": "m"}]


async def test_an_id_is_free_again_once_its_operation_is_complete(door: Door) -> None:
    async with opened(door) as socket:
        for _ in range(3):
            await tell(socket, subscribe("1", "subscription { three }"))
            told = [await hear(socket) for _ in range(4)]

            assert told == [*(next_("1", three=n) for n in (1, 2, 3)), {"type": "complete", "id": "1"}]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "SYNTAX_ERROR"),
        ("{ hell }", "DOCUMENT_INVALID"),
        ("query ($n: Int!) { total(count: $n) }", "VARIABLES_INVALID"),
        ("query A { hello } query B { hello }", "UNKNOWN_OPERATION"),
        ("{ node" + " { node" * 20 + " { id }" + " }" * 21, "DOCUMENT_TOO_COMPLEX"),
        ("{ " + "hello " * 5_000 + "}", "SYNTAX_ERROR"),
    ],
)
async def test_a_bad_document_is_an_error_of_its_own_and_leaves_its_neighbours_alone(
    door: Door, query: str, code: str
) -> None:
    async with opened(door) as socket:
        await tell(socket, TICKS, subscribe("bad", query))
        error = await hear(socket)
        await until(lambda: len(door.world.listeners) == 1)
        door.world.tell(7)
        neighbour = await hear(socket)

    assert (error["type"], error["id"]) == ("error", "bad")
    assert error["payload"][0]["extensions"]["code"] == code
    assert neighbour == next_("t", ticks=7)
    await until(lambda: not door.world.listeners)


async def test_a_source_that_fails_is_masked_and_ends_with_an_error(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(door) as socket:
        await tell(socket, subscribe("b", "subscription { breaks }"), subscribe("q", "{ fails }"))
        told = [await hear(socket) for _ in range(4)]

    errors = [message["payload"][0] for message in told if message["type"] == "error"]
    assert next_("b", breaks=1) in told
    assert [error["message"] for error in errors] == [f"Internal error {errors[0]['extensions']['id']}"]
    assert errors[0]["extensions"]["id"] in caplog.text
    assert "hunter2" not in str(told)


async def test_an_item_that_the_database_has_no_time_for_is_not_told_in_part_but_to_be_asked_for_again(
    door: Door,
) -> None:
    async with opened(door) as socket:
        await tell(socket, subscribe("s", "subscription { requests { more } }"))
        first, second = await hear(socket), await hear(socket)

    assert first == next_("s", requests={"more": "there"})
    assert (second["type"], second["id"]) == ("error", "s")
    assert [error["extensions"] for error in second["payload"]] == [{"code": "BUSY", "retryable": True}]


async def test_one_operation_too_many_is_an_error_of_its_own() -> None:
    async with serving(TransportSettings(subscriptions=2)) as door, opened(door) as socket:
        await tell(socket, *(subscribe(id, "subscription { ticks }") for id in "abc"))
        error = await hear(socket)
        await until(lambda: len(door.world.listeners) == 2)

    assert (error["type"], error["id"]) == ("error", "c")
    assert error["payload"][0]["extensions"] == {"code": "TOO_MANY_OPERATIONS"}


async def test_a_complete_ends_the_operation_without_an_answer(door: Door) -> None:
    async with opened(door) as socket:
        await tell(socket, TICKS, subscribe("w", "{ waits }"))
        await until(lambda: len(door.world.listeners) == 1 and door.world.waiting == 1)
        complete = [{"type": "complete", "id": id} for id in ("t", "w", "never heard of")]
        await tell(socket, *complete, {"type": "ping"})

        assert await hear(socket) == {"type": "pong"}
        await until(lambda: not door.world.listeners and door.world.waiting == 0)


async def test_who_brings_a_token_is_known_to_every_operation(door: Door) -> None:
    by_payload = {**INIT, "payload": {"authorization": f"Bearer {token('platform', 'ag_1')}"}}
    by_header = {"authorization": f"Bearer {token('partner', 'pa_1')}"}

    async with dialed(door) as socket:
        await tell(socket, by_payload, subscribe("1", "{ me }"))
        first = [await hear(socket), await hear(socket)][1]
    async with dialed(door, by_header) as socket:
        await tell(socket, INIT, subscribe("1", "{ me }"))
        second = [await hear(socket), await hear(socket)][1]

    assert first == next_("1", me="platform ag_1")
    assert second == next_("1", me="partner pa_1")


# ---------------------------------------------------------------- what is left behind


async def test_a_thousand_who_vanish_leave_nothing_behind() -> None:
    async with serving() as door:
        before = len(asyncio.all_tasks())
        for _ in range(10):
            await asyncio.gather(*(vanish(door) for _ in range(100)))
        await until(lambda: not door.world.listeners and door.gate.streams.taken == 0)
        await until(lambda: len(asyncio.all_tasks()) <= before)
        gc.collect()

        assert not [thing for thing in gc.get_objects() if type(thing).__name__ == "Socket"]


async def test_a_mutation_of_one_who_vanished_is_seen_to_its_end(door: Door) -> None:
    before = door.world.count
    async with opened(door) as socket:
        await tell(socket, subscribe("m", "mutation { bump(wait: true) }"))
        await until(lambda: door.world.waiting == 1)
        socket.transport.abort()
    await until(lambda: door.gate.streams.taken == 0)
    door.world.go_on.set()

    await until(lambda: door.world.count == before + 1 and not door.gate.mutations)


async def test_a_reader_that_does_not_read_is_cut() -> None:
    async with serving(TransportSettings(send_seconds=0.1)) as door, opened(door) as socket:
        await tell(socket, subscribe("e", "subscription { endless(size: 100000) }"))
        # the client library stops reading once 16 messages wait to be fetched
        await until(lambda: door.gate.streams.taken == 0)
        socket.transport.abort()


async def vanish(door: Door) -> None:
    async with opened(door) as socket:
        await tell(socket, TICKS, subscribe("q", "{ hello }"))
        await hear(socket)
        socket.transport.abort()


def next_(id: str, **data: object) -> dict[str, Any]:
    return {"type": "next", "id": id, "payload": {"data": data}}


@asynccontextmanager
async def dialed(door: Any, headers: dict[str, str] | None = None) -> AsyncIterator[ClientConnection]:
    spoken = [Subprotocol(PROTOCOL)]
    async with connect(
        door.socket, subprotocols=spoken, compression=None, additional_headers=headers, proxy=None
    ) as socket:
        yield socket


@asynccontextmanager
async def opened(door: Door) -> AsyncIterator[ClientConnection]:
    async with dialed(door) as socket:
        await tell(socket, INIT)
        assert await hear(socket) == {"type": "connection_ack"}
        yield socket


async def tell(socket: ClientConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> Any:
    """The next message; what an operation has cost is looked at in test_budget."""
    message = json.loads(await asyncio.wait_for(socket.recv(), 10))
    if isinstance(message.get("payload"), dict):
        message["payload"].pop("extensions", None)
    return message


async def end(socket: ClientConnection) -> tuple[int | None, str | None]:
    await asyncio.wait_for(socket.wait_closed(), 10)
    return socket.close_code, socket.close_reason

"""GraphQL over HTTP: statuses, media types, methods, and what becomes of those who leave."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from graphql import parse
from tests.transport.world import HOUR, NOW, Door, serving, token, until

from aftersales.transport.auth import Claims
from aftersales.transport.caller import Caller
from aftersales.transport.keys import KeysUnavailable
from aftersales.transport.limits import TransportSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
COUNTED = "query ($n: Int!) { total(count: $n) }"
DEEP = "{ node" + " { node" * 16 + " { id }" + " }" * 17

# fmt: off
STATUSES = {
    #                           JSON  RESPONSE  data   body
    "a sound query":            (200, 200,      True,  {"query": "{ hello }"}),
    "nulls for what may be":    (200, 200,      True,  {"query": "{ hello }", "variables": None}),
    "more than we know":        (200, 200,      True,  {"query": "{ hello }", "doc_id": 7}),
    "a field that failed":      (200, 294,      True,  {"query": "{ fails }"}),
    "all that failed":          (200, 294,      True,  {"query": "{ mustNotFail }"}),
    "no syntax":                (200, 400,      False, {"query": "{"}),
    "no such field":            (200, 400,      False, {"query": "{ hell }"}),
    "no such operation":        (200, 400,      False, {"query": "query A { hello }", "operationName": "B"}),
    "which operation":          (200, 400,      False, {"query": "query A { hello } query B { hello }"}),
    "a variable of wrong type": (200, 400,      False, {"query": COUNTED, "variables": {"n": "x"}}),
    "too deep":                 (200, 400,      False, {"query": DEEP}),
    "no query":                 (400, 400,      False, {"qeury": "{ hello }"}),
    "a query that is no text":  (400, 400,      False, {"query": 1}),
    "variables in a list":      (400, 400,      False, {"query": "{ hello }", "variables": [1]}),
    "a name that is no text":   (400, 400,      False, {"query": "{ hello }", "operationName": 1}),
    "extensions in words":      (400, 400,      False, {"query": "{ hello }", "extensions": "x"}),
    "a batch":                  (400, 400,      False, [{"query": "{ hello }"}]),
}
# fmt: on


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
@pytest.mark.parametrize("case", STATUSES)
async def test_the_status_tells_what_became_of_an_operation(door: Door, case: str, accept: str) -> None:
    as_json, as_response, has_data, body = STATUSES[case]

    answer = await post(door, json=body, accept=accept)

    assert answer.status_code == (as_json if accept == JSON else as_response)
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    assert ("data" in answer.json()) is has_data
    assert all(error["message"] for error in answer.json().get("errors", []))


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (None, RESPONSE),
        ("*/*", JSON),
        ("application/*", JSON),
        (f"{RESPONSE}, {JSON}", JSON),
        (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
        (f"{RESPONSE}, */*", RESPONSE),
        (f"{RESPONSE};q=0, */*;q=0.1", JSON),
        ("text/html, */*;q=0.8", JSON),
        (f"{JSON};q=nan, {RESPONSE};q=0.1", RESPONSE),
    ],
)
async def test_the_answer_is_of_the_kind_most_wanted(door: Door, accept: str | None, given: str) -> None:
    answer = await post(door, json={"query": "{ hello }"}, accept=accept)

    assert answer.headers["content-type"] == f"{given}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/plain", "image/*", f"{JSON};q=0", "*/*;q=0"])
async def test_who_wants_what_we_lack_is_told_what_we_have(door: Door, accept: str) -> None:
    answer = await post(door, json={"query": "{ hello }"}, accept=accept)

    assert answer.status_code == 406
    assert RESPONSE in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_only_plain_json_in_utf_8_is_taken(door: Door, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(door.url, content=b'{"query":"{hello}"}', headers=headers)

    assert answer.status_code == 415


async def test_a_query_may_come_by_get(door: Door) -> None:
    given = {
        "query": "query Q($n: String!) { hello(name: $n) }",
        "variables": '{"n":"Ä"}',
        "operationName": "",
    }

    answer = await get(door, given)

    assert answer.json()["data"] == {"hello": "Hello Ä"}
    assert answer.headers["cache-control"] == "no-store"


async def test_a_mutation_never_comes_by_get(door: Door) -> None:
    before = door.world.count

    answers = [await get(door, {"query": "mutation { bump }"}, accept=accept) for accept in (JSON, "text/event-stream")]

    assert [answer.status_code for answer in answers] == [405, 405]
    assert {answer.headers["allow"] for answer in answers} == {"POST"}
    assert door.world.count == before


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("query={hello}&query={hello}", 400),
        ("query={hello}&variables=[", 400),
        ("query={hello}&variables=[]", 400),
        ("query=%ff", 400),
        ("&".join(f"a{n}=1" for n in range(30)), 400),
        ("query=" + "x" * 20_000, 414),
    ],
)
async def test_a_query_string_is_read_strictly(door: Door, query: str, status: int) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{door.url}?{query}")

    assert answer.status_code == status
    assert answer.json()["errors"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_told_which_to_use(door: Door, method: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.request(method, door.url)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_the_path_is_exact_and_never_redirects(door: Door) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(door.url + "/", json={"query": "{ hello }"})

    assert answer.status_code == 404


async def test_a_subscription_needs_a_stream(door: Door) -> None:
    answer = await post(door, json={"query": "subscription { three }"})

    assert answer.status_code == 406


async def test_a_fault_of_ours_is_a_number_in_the_answer_and_a_story_in_the_log(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await post(door, json={"query": "{ fails mustNotFail }"})

    errors = answer.json()["errors"]
    assert [error["path"] for error in errors] == [["fails"], ["mustNotFail"]]
    assert all(error["message"] == f"Internal error {error['extensions']['id']}" for error in errors)
    assert all(error["extensions"]["id"] in caplog.text for error in errors)
    assert "hunter2" in caplog.text
    assert "hunter2" not in answer.text


async def test_what_a_resolver_says_to_the_caller_reaches_the_caller(door: Door) -> None:
    answer = await post(door, json={"query": "{ refuses }"})

    assert answer.json()["errors"][0]["message"] == "Not today."
    assert answer.json()["errors"][0]["extensions"] == {"code": "NOT_TODAY"}


def broken(caller: Caller) -> None:
    raise RuntimeError("the password is hunter2")


async def test_a_context_that_cannot_be_made_is_a_masked_500(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as door:
        door.gate.make_context = broken
        answer = await post(door, json={"query": "{ hello }"})

    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["errors"][0]["extensions"]["id"] in caplog.text


# ---------------------------------------------------------------- who is asking


async def test_who_has_no_token_is_a_stranger(door: Door) -> None:
    answer = await post(door, json={"query": "{ me }"})

    assert answer.json()["data"] == {"me": "a stranger"}


async def test_who_has_a_token_is_known(door: Door) -> None:
    answer = await post(door, json={"query": "{ me }"}, authorization=f"bearer {token('buyer', 'by_7')}")

    assert answer.json()["data"] == {"me": "buyer by_7"}


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Bearer nonsense", "TOKEN_INVALID"),
        ("Basic YTpi", "TOKEN_INVALID"),
        (f"Bearer {token(now=NOW - 3 * HOUR)}", "TOKEN_EXPIRED"),
    ],
)
async def test_a_bad_token_is_a_401_and_not_a_stranger(door: Door, authorization: str, code: str) -> None:
    answer = await post(door, json={"query": "{ me }"}, authorization=authorization)

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == code
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


async def test_a_token_that_cannot_be_checked_is_a_503(door: Door) -> None:
    class Away:
        async def __call__(self, authorization: str | None, /) -> Claims | None:
            raise KeysUnavailable

        def known(self, authorization: str | None, /) -> str:
            return ""

        def seconds_left(self, claims: Claims, /) -> float:
            return 1.0

    async with serving(authenticate=Away()) as door:
        answer = await post(door, json={"query": "{ me }"}, authorization="Bearer x")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_strangers_may_be_kept_from_the_schema() -> None:
    query = {"query": "query { ...q } fragment q on Query { shown: __schema { types { name } } }"}

    async with serving(TransportSettings(strangers_introspect=False)) as door:
        closed = await post(door, json=query)
        open = await post(door, json=query, authorization=f"Bearer {token()}")

    assert closed.json()["errors"][0]["extensions"] == {"code": "INTROSPECTION_CLOSED"}
    assert open.json()["data"]["shown"]["types"]


# ---------------------------------------------------------------- how much, and how long


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_not_taken(chunked: bool) -> None:
    async def in_chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 10_000

    body = in_chunks() if chunked else b"x" * 300_000
    async with serving(TransportSettings(body_bytes=100_000)) as door, httpx.AsyncClient() as client:
        answer = await client.post(door.url, content=body, headers={"content-type": JSON})

    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


async def test_a_body_that_dawdles_is_cut() -> None:
    async with serving(TransportSettings(body_seconds=0.05)) as door:
        reader, writer = await dialed(door)
        writer.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n")
        writer.write(b"content-length: 30\r\n\r\n{")
        answer = await asyncio.wait_for(reader.read(), 10)
        await hung_up(writer)

    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", b"POST /graphql HTTP/1.1\r\nhost: x\r\n"])
async def test_a_head_that_dawdles_is_cut(sent: bytes) -> None:
    async with serving(TransportSettings(head_seconds=0.05)) as door:
        reader, writer = await dialed(door)
        writer.write(sent)
        answer = await asyncio.wait_for(reader.read(), 10)
        await hung_up(writer)

    assert answer == b""


async def test_a_second_request_that_dawdles_on_the_same_connection_is_cut() -> None:
    async with serving(TransportSettings(head_seconds=0.05)) as door:
        reader, writer = await dialed(door)
        writer.write(b"GET /graphql?query={hello} HTTP/1.1\r\nhost: x\r\n\r\nGET /graph")
        answer = await asyncio.wait_for(reader.read(), 10)
        await hung_up(writer)

    assert answer.count(b"HTTP/1.1 200 ") == 1


async def test_a_head_without_end_is_cut() -> None:
    async with serving(TransportSettings(head_bytes=10_000)) as door:
        reader, writer = await dialed(door)
        writer.write(b"GET /graphql HTTP/1.1\r\nx: " + b"x" * 20_000)
        answer = await asyncio.wait_for(reader.read(), 10)
        await hung_up(writer)

    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_one_operation_too_many_is_told_to_come_back() -> None:
    async with serving(TransportSettings(operations=1)) as door:
        first = asyncio.create_task(post(door, json={"query": "{ waits }"}))
        await until(lambda: door.world.waiting == 1)
        second = await post(door, json={"query": "{ hello }"})
        door.world.go_on.set()

        assert (await first).json()["data"] == {"waits": "done"}
        assert (second.status_code, second.headers["retry-after"]) == (503, "1")
        assert door.gate.places.taken == 0


async def test_a_query_that_takes_too_long_is_ended() -> None:
    async with serving(TransportSettings(operation_seconds=0.05)) as door:
        answer = await post(door, json={"query": "{ waits }"})

        assert answer.status_code == 503
        assert answer.json()["errors"][0]["extensions"] == {"code": "TOO_SLOW"}
        assert door.world.waiting == 0


async def test_a_mutation_that_takes_too_long_goes_on_and_its_outcome_is_called_unknown() -> None:
    async with serving(TransportSettings(operation_seconds=0.05)) as door:
        answer = await post(door, json={"query": "mutation { bump(wait: true) }"})
        waiting = door.world.waiting
        door.world.go_on.set()
        await door.gate.settle()

        assert answer.json()["errors"][0]["extensions"] == {"code": "OUTCOME_UNKNOWN"}
        assert (waiting, door.world.count) == (1, 1)
        assert not door.gate.mutations


async def test_a_mutation_that_never_ends_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(TransportSettings(operation_seconds=0.05, mutation_seconds=0.1)) as door:
        answer = await post(door, json={"query": "mutation { bump(wait: true) }"})
        await until(lambda: not door.gate.mutations)

        assert answer.json()["errors"][0]["extensions"] == {"code": "OUTCOME_UNKNOWN"}
        assert (door.world.count, door.gate.places.taken) == (0, 0)
    assert "nobody waits for any more was ended" in caplog.text


async def test_a_query_of_one_who_left_is_ended() -> None:
    async with serving(TransportSettings(patience_seconds=0)) as door:
        _, writer = await asked(door, "{ waits }")
        await until(lambda: door.world.waiting == 1)
        await hung_up(writer)

        await until(lambda: door.world.waiting == 0 and door.gate.places.taken == 0)


async def test_a_mutation_of_one_who_left_is_seen_to_its_end() -> None:
    async with serving(TransportSettings(patience_seconds=0)) as door:
        _, writer = await asked(door, "mutation { bump(wait: true) }")
        await until(lambda: door.world.waiting == 1)
        await hung_up(writer)
        door.world.go_on.set()

        await until(lambda: door.world.count == 1 and door.gate.places.taken == 0)


# ---------------------------------------------------------------- hostile bytes

# fmt: off
HOSTILE = {
    "invalid UTF-8":          b'{"query":"{hello(name:\\"\xff\\")}"}',
    "a byte order mark":      b'\xef\xbb\xbf{"query":"{hello}"}',
    "a null in a list":       b"[null]",
    "a bare number":          b"1",
    "nothing":                b"",
    "lists without end":      b"[" * 100_000,
    "objects without end":    b'{"query":' * 100_000,
    "a lone surrogate":       b'{"query":"{hello}","variables":{"a":"\\ud800"}}',
    "not a number":           b'{"query":"{hello}","variables":{"a":NaN}}',
    "bytes of gzip":          b"\x1f\x8b\x08\x00",
}
# fmt: on


@pytest.mark.parametrize("case", HOSTILE)
async def test_hostile_bytes_get_a_plain_400(door: Door, case: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(door.url, content=HOSTILE[case], headers={"content-type": JSON})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] in ("JSON_INVALID", "PARAMETERS_INVALID")


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        (b'{"a": "\\u0000"}', "VARIABLES_INVALID"),
        (b'{"a": {"b": ["\\u0000"]}}', "VARIABLES_INVALID"),
        (b'{"\\u0000": 1}', "VARIABLES_INVALID"),
        (b'{"a": ' + b"[" * 50 + b"]" * 50 + b"}", "VARIABLES_TOO_LARGE"),
        (b'{"a": [' + b"1," * 30_000 + b"1]}", "VARIABLES_TOO_LARGE"),
    ],
)
async def test_hostile_variables_are_refused_before_any_type_sees_them(door: Door, variables: bytes, code: str) -> None:
    body = b'{"query":"{hello}","variables":' + variables + b"}"

    async with httpx.AsyncClient() as client:
        answer = await client.post(door.url, content=body, headers={"content-type": JSON})

    assert answer.json()["errors"][0]["extensions"]["code"] == code


async def test_a_number_of_ten_thousand_digits_is_a_mistake_not_a_fault(door: Door) -> None:
    digits = "9" * 10_000
    query = b'{"query":"%b","variables":{"n":%b}}' % (COUNTED.encode(), digits.encode())
    headers = {"content-type": JSON, "accept": RESPONSE}

    async with httpx.AsyncClient() as client:
        as_variable = await client.post(door.url, content=query, headers=headers)
    as_literal = await post(door, json={"query": f"{{ total(count: {digits}) }}"}, accept=RESPONSE)

    assert (as_variable.status_code, as_literal.status_code) == (400, 400)
    assert "Internal" not in as_variable.text + as_literal.text


# ---------------------------------------------------------------- helpers


async def post(door: Door, *, json: Any, accept: str | None = JSON, authorization: str | None = None) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        del client.headers["accept"]
        headers = {"accept": accept, "authorization": authorization}
        return await client.post(door.url, json=json, headers={k: v for k, v in headers.items() if v})


async def get(door: Door, given: dict[str, str], accept: str = JSON) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(door.url, params=given, headers={"accept": accept})


async def dialed(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = httpx.URL(door.url)
    return await asyncio.open_connection(url.host, url.port)


async def asked(door: Door, query: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Sends a query by hand, so that the connection can be dropped before the answer."""
    parse(query)
    body = f'{{"query":"{query}"}}'.encode()
    reader, writer = await dialed(door)
    writer.write(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n")
    writer.write(b"content-length: %d\r\n\r\n" % len(body) + body)
    return reader, writer


async def hung_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()

"""The known attacks on GraphQL servers, each with what this one may answer. `docs/security.md` explains them."""

import asyncio
import base64
import itertools
import json
import zlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from graphql import get_introspection_query

from .tools import CUT, FIRST, MORE, PING, SOCKET, TEXT, Attacker, Line, Socket, code, request, subscribe

Attack = Callable[[Attacker], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Move:
    """
    Args:
        answers: what the server may do; at least one of them, and nothing else.
    """

    attack: Attack
    answers: frozenset[str]


MOVES: dict[str, Move] = {}

# What anybody hears who has asked too much, and what an answer to a harmless question is.
SPENT = frozenset({"429 BUDGET_SPENT", "429 TOO_MANY_AT_ONCE", "503 BUSY"})


def move(*answers: str, spent: bool = False) -> Callable[[Attack], Attack]:
    def note(attack: Attack) -> Attack:
        name = attack.__name__.replace("_", " ")
        MOVES[name] = Move(attack, frozenset(answers) | (SPENT if spent else frozenset()))
        return attack

    return note


def repeated(text: str, times: int) -> str:
    return " ".join(text.format(n=n) for n in range(times))


# ---------------------------------------------------------------- documents


@move("400 DOCUMENT_TOO_COMPLEX", spent=True)
async def alias_overload(by: Attacker) -> None:
    await by.flood(by.documents(f"{{ me {{ {repeated('a{n}: id', 400)} }} }}", headers=by.buyer))


@move("400 DOCUMENT_TOO_COMPLEX", spent=True)
async def directive_overload(by: Attacker) -> None:
    await by.flood(by.documents(f"{{ me {{ id {'@skip(if: false)' * 200} }} }}", headers=by.buyer))


@move("400 SYNTAX_ERROR", spent=True)
async def field_duplication(by: Attacker) -> None:
    await by.flood(by.documents(f"{{ me {{ {'id ' * 10_000} }} }}", headers=by.buyer))


@move("400 DOCUMENT_TOO_COMPLEX", spent=True)
async def many_fields_at_the_root(by: Attacker) -> None:
    await by.flood(by.documents(f"{{ {repeated('a{n}: me {{ id }}', 40)} }}", headers=by.buyer))


@move("400 DOCUMENT_TOO_COMPLEX", spent=True)
async def deep_nesting(by: Attacker) -> None:
    deep = "order { requests { nodes { " * 25 + "id" + " } } }" * 25
    await by.flood(by.documents(f"{{ requests {{ nodes {{ {deep} }} }} }}", headers=by.buyer))


@move("400 DOCUMENT_INVALID", spent=True)
async def circular_fragments(by: Attacker) -> None:
    cycle = "{ me { ...a } } fragment a on Viewer { ...b } fragment b on Viewer { ...a id }"
    await by.flood(by.documents(cycle, headers=by.buyer))


@move("400 DOCUMENT_TOO_COMPLEX", spent=True)
async def doubling_fragments(by: Attacker) -> None:
    links = repeated("fragment f{n} on Viewer {{ a: shops {{ ...g{n} }} b: shops {{ ...g{n} }} }}", 40)
    links += repeated("fragment g{n} on Shop {{ ...h{n} ...h{n} }}", 40)
    chain = " ".join(f"fragment h{n} on Shop {{ id ...h{n + 1} ...h{n + 1} }}" for n in range(60))
    await by.flood(
        by.documents(f"{{ me {{ ...f0 }} }} {links} {chain} fragment h60 on Shop {{ id }}", headers=by.buyer)
    )


@move("400 DOCUMENT_INVALID", "400 DOCUMENT_TOO_COMPLEX", spent=True)
async def overlapping_fields(by: Attacker) -> None:
    fragments = repeated("fragment f{n} on Viewer {{ id party grants shops {{ id }} }}", 120)
    await by.flood(by.documents(f"{{ me {{ {repeated('...f{n}', 120)} }} }} {fragments}", headers=by.buyer))


@move("400 SYNTAX_ERROR", "400 DOCUMENT_TOO_LARGE", "413 BODY_TOO_LARGE", spent=True)
async def a_document_of_a_megabyte(by: Attacker) -> None:
    sizes = (40_000, 400_000, 900_000, 1_200_000)
    await by.flood(by.documents(*("{" + " a" * (size // 2) + "}" for size in sizes), headers=by.buyer), lines=4)


@move("400 SYNTAX_ERROR", spent=True)
async def comments_without_end(by: Attacker) -> None:
    await by.flood(by.documents("#\n" * 24_000 + "{ me { id } }", headers=by.buyer))


@move("200", spent=True)
async def ever_new_documents(by: Attacker) -> None:
    many = [f"{{ a{n}: me {{ id {repeated(f'b{n}x{{n}}: party', 40)} }} }}" for n in range(3_000)]
    await by.flood(by.documents(*many, headers=by.buyer))


@move("400 PARAMETERS_INVALID")
async def batches(by: Attacker) -> None:
    await by.flood([by.post([{"query": "{ me { id } }"}] * 1_000, by.buyer)])


@move("200 NOT_FOUND", spent=True)
async def one_mutation_under_many_names(by: Attacker) -> None:
    act = 'm{n}: requestCancel(input: {{idempotencyKey: "k{n}", requestId: "rq_no", expectedVersion: 1}}) {{ problems {{ code }} }}'  # noqa: E501
    await by.flood(by.documents(f"mutation {{ {repeated(act, 20)} }}", headers=by.buyer))


@move("200", spent=True)
async def the_whole_schema_again_and_again(by: Attacker) -> None:
    await by.flood(by.documents(get_introspection_query()))


@move("400 DOCUMENT_INVALID", "400 COST_TOO_HIGH", spent=True)
async def the_schema_within_itself(by: Attacker) -> None:
    nested = "name"
    for _ in range(6):
        nested = f"name fields {{ name type {{ {nested} }} }}"
    many = repeated("a{n}: __schema {{ types {{ name fields {{ name args {{ name }} }} }} }}", 15)
    await by.flood(by.documents(f"{{ __schema {{ types {{ {nested} }} }} }}", f"{{ {many} }}"))


@move("400 DOCUMENT_INVALID", spent=True)
async def guessing_at_names(by: Attacker) -> None:
    await by.flood(by.documents(*(f"{{ reques{letter} {{ id }} }}" for letter in "abcdefgh"), headers=by.buyer))


# ---------------------------------------------------------------- what is dear


@move("200", "400 COST_TOO_HIGH", spent=True)
async def the_dearest_pages(by: Attacker) -> None:
    row = "id number stage { label } lines { orderLine { productName } } deadlines { id } history(first: 20) { nodes { id } } money { maximum { amount } }"  # noqa: E501
    page = f"requests(first: 100) {{ totalCount nodes {{ {row} }} }}"
    within = f"requests(first: 100) {{ nodes {{ order {{ requests(first: 100) {{ nodes {{ {row} }} }} }} }} }}"
    await by.flood(by.documents(f"{{ {page} }}", f"{{ {within} }}", headers=by.as_("seller")))


@move("200", spent=True)
async def every_filter_and_sort(by: Attacker) -> None:
    query = "query($s: RequestSort!, $t: String!) { requests(first: 100, sort: $s, filter: {text: $t}) { totalCount nodes { id } } requestCounts { count } }"  # noqa: E501
    sorts = ("NEXT_DEADLINE", "CREATED_DESC", "UPDATED_DESC", "AMOUNT_DESC")
    texts = ("%" * 50, "_" * 50, "a", "AS-")
    asked = [by.documents(query, headers=by.as_("agent"), variables={"s": s, "t": t}) for s in sorts for t in texts]
    await by.flood([request for row in asked for request in row])


@move("294 INVALID_INPUT", "400 VARIABLES_INVALID", spent=True)
async def forged_cursors(by: Attacker) -> None:
    query = "query($c: Cursor!) { requests(after: $c) { nodes { id } } }"
    cursors = ("", "x", "a" * 5_000, base64.b64encode(b'{"n": 1}').decode(), base64.b64encode(b"[" * 9_000).decode())
    asked = [by.documents(query, headers=by.buyer, variables={"c": cursor}) for cursor in cursors]
    await by.flood([request for row in asked for request in row])


@move("200 NOT_FOUND", spent=True)
async def ever_new_idempotency_keys(by: Attacker) -> None:
    act = "mutation($i: RequestActInput!) { requestCancel(input: $i) { problems { code } } }"
    inputs = ({"idempotencyKey": f"{n}-{'k' * 100}", "requestId": "rq_no", "expectedVersion": 1} for n in range(3_000))
    asked = [by.documents(act, headers=by.buyer, variables={"i": given}) for given in inputs]
    await by.flood([request for row in asked for request in row])


# ---------------------------------------------------------------- variables and bodies

WITH_IDS = "query($i: [ID!]!) { nodes(ids: $i) { id } }"


@move("400 VARIABLES_TOO_LARGE", "413 BODY_TOO_LARGE", spent=True)
async def a_million_ids(by: Attacker) -> None:
    sizes = (1_100, 200_000, 1_000_000)
    asked = [by.documents(WITH_IDS, headers=by.buyer, variables={"i": ["1"] * size}) for size in sizes]
    await by.flood([request for row in asked for request in row], lines=4)


@move("400 JSON_INVALID", "400 VARIABLES_TOO_LARGE", spent=True)
async def json_within_json(by: Attacker) -> None:
    deep = [b'{"query":"{ me { id } }","variables":{"a":' + b"[" * size + b"]" * size + b"}}" for size in (60, 100_000)]
    await by.flood([by.post(body, by.buyer) for body in deep])


@move("400 VARIABLES_TOO_LARGE", "400 VARIABLES_INVALID", "294 INVALID_INPUT", "400 JSON_INVALID", "200", spent=True)
async def monstrous_values(by: Attacker) -> None:
    query = "query($i: ID!, $n: Int) { node(id: $i) { id } requests(first: $n) { nodes { id } } }"
    given: list[Any] = [
        {"i": "x" * 900_000}, {"i": "\0"}, {"i": "\u202e" * 10_000}, {"i": "a\u0301" * 50_000}, {"i": "x", "n": 10**30},
    ]  # fmt: skip
    asked = [by.documents(query, headers=by.buyer, variables=variables)[0] for variables in given]
    digits = (
        b'{"query":"query($n: Int) { requests(first: $n) { nodes { id } } }","variables":{"n":' + b"9" * 10_000 + b"}}"
    )
    surrogate = b'{"query":"{ me { id } }","variables":{"a":"\\ud800"}}'
    await by.flood([*asked, by.post(digits, by.buyer), by.post(surrogate, by.buyer)], lines=4)


@move("413 BODY_TOO_LARGE", "cut")
async def a_body_of_a_hundred_megabytes(by: Attacker) -> None:
    async def one() -> None:
        while by.going_on:
            line = await by.connect()
            head = {"host": "x", "content-type": "application/json", "transfer-encoding": "chunked"}
            line.writer.write(
                b"POST /graphql HTTP/1.1\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in head.items())
            )
            line.writer.write(b"\r\n")
            chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
            try:
                for _ in range(1_600):
                    line.writer.write(chunk)
                    await line.writer.drain()
                by.saw["taken"] += 1
            except CUT:
                by.saw[await heard(line)] += 1
            line.writer.transport.abort()

    await by.crowd(4, one)


async def heard(line: Line) -> str:
    """What was answered before the line was cut, if it can still be read."""
    try:
        return await line.answer()
    except CUT:
        return "cut"


@move("415 NOT_JSON")
async def gzip_bombs(by: Attacker) -> None:
    bomb = zlib.compress(b" " * 50_000_000, 9)
    packed = {"content-encoding": "gzip", **by.buyer}
    await by.flood([by.post(bomb, packed), by.post(bomb, packed | {"content-encoding": "deflate"})], lines=4)


@move("415 NOT_JSON", "405 MUTATION_BY_GET", "405 METHOD_NOT_ALLOWED")
async def forms_of_foreign_pages(by: Attacker) -> None:
    act = "mutation { requestCancel(input: {}) { replayed } }"
    simple = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "")
    by_get = "mutation%20%7B%20__typename%20%7D"
    await by.flood([
        *(by.post({"query": act}, {"content-type": kind}) for kind in simple),
        request("GET", f"/graphql?query={by_get}", {}, b""),
        request("PUT", "/graphql", {}, b"{}"),
    ])  # fmt: skip


# ---------------------------------------------------------------- who is asking


@move("401 TOKEN_INVALID")
async def guessed_and_forged_tokens(by: Attacker) -> None:
    head, claims, signature = by.as_("seller")["authorization"].removeprefix("Bearer ").split(".")
    none = part({"alg": "none", "typ": "JWT"})
    other = part({"alg": "RS256", "typ": "JWT"})
    kid = part({"alg": "HS256", "kid": "../../dev/null"})
    agent = part({"aud": "aftersales", "sub": "x", "party": "platform", "exp": 9_999_999_999})
    forged = (
        f"{none}.{claims}.", f"{none}.{agent}.", f"{other}.{claims}.{signature}", f"{kid}.{claims}.{signature}",
        f"{head}.{agent}.{signature}", f"{head}.{claims}.", "a.b.c", "x" * 7_000,
    )  # fmt: skip
    await by.flood(by_each(by, [{"authorization": f"Bearer {token}"} for token in forged]))


def part(of: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(of).encode()).rstrip(b"=").decode()


def by_each(by: Attacker, headers: list[dict[str, str]]) -> list[bytes]:
    return [by.documents("{ me { id } }", headers=each)[0] for each in headers]


@move("403 ADDRESS_INVALID", "404", "403")
async def addresses_of_evidence(by: Attacker) -> None:
    paths = (
        "/evidence/../../etc/passwd", "/evidence/..%2f..%2fetc%2fpasswd", "/evidence/ev_1",
        "/evidence/ev_1?until=9999999999&signature=" + "0" * 64, "/evidence/ev_1?" + "a=b&" * 2_000,
    )  # fmt: skip
    await by.flood([request("GET", path, {}, b"") for path in paths] + [request("PUT", paths[3], {}, b"x" * 100_000)])


@move("403 FOREIGN_ORIGIN")
async def sockets_of_foreign_pages(by: Attacker) -> None:
    await by.flood([request("GET", "/graphql", SOCKET | {"origin": "https://evil.example"}, b"")])


# ---------------------------------------------------------------- slow ones


@move("cut", "408 BODY_TOO_SLOW", "still waiting")
async def slow_heads_and_bodies(by: Attacker) -> None:
    """Cut after ten seconds, which this does not wait for: how, tests/transport/test_http.py shows."""
    head = request("POST", "/graphql", {"content-type": "application/json"}, b" " * 1_000)[:-1_000]

    async def one(sent: bytes) -> None:
        line = await by.connect()
        for byte in itertools.chain(sent, itertools.repeat(32)):
            line.writer.write(bytes([byte]))
            if not by.going_on:
                break
            await asyncio.sleep(0.1)
        by.saw["still waiting"] += 1
        line.writer.transport.abort()

    await asyncio.gather(by.crowd(150, lambda: one(head[:30])), by.crowd(150, lambda: one(head)))


@move("still open", "cut")
async def idle_connections(by: Attacker) -> None:
    lines = [await by.connect() for _ in range(1_000)]
    await asyncio.sleep(max(0.0, by.end - asyncio.get_running_loop().time()))
    for line in lines:
        by.saw["cut" if line.reader.at_eof() else "still open"] += 1
        line.writer.transport.abort()


@move("200", "still waiting", "cut", spent=True)
async def answers_that_nobody_reads(by: Attacker) -> None:
    big = by.documents(get_introspection_query())[0]

    async def one() -> None:
        reader, writer = await asyncio.open_connection(by.host, by.port, limit=1)
        line = Line(reader, writer)
        line.writer.write(big * 5)
        await asyncio.sleep(by.seconds)
        by.saw["still waiting"] += 1
        line.writer.transport.abort()

    await by.crowd(50, one)
    by.saw["still waiting"] += 1


# ---------------------------------------------------------------- sockets

STREAM = "subscription { requestStream { __typename } }"


@move("connection_ack", "next", "error", "TOO_MANY_OPERATIONS", "BUDGET_SPENT", "TOO_MANY_AT_ONCE", "BUSY")
async def subscriptions_on_one_socket(by: Attacker) -> None:
    async with by.socket(by.buyer) as socket:
        for n in range(5_000):
            socket.send(subscribe(str(n), STREAM))
        await by.crowd(1, lambda: socket.ending(by.saw))


@move("connection_ack", "next", "error", "BUDGET_SPENT", "TOO_MANY_AT_ONCE", "BUSY", "closed 1013", "503", "cut")
async def many_sockets_of_one_caller(by: Attacker) -> None:
    async def one() -> None:
        async with by.socket(by.buyer) as socket:
            socket.send(subscribe("1", STREAM))
            await socket.ending(by.saw)

    await by.crowd(400, one)


@move("connection_ack", "next", "complete", "error", "BUDGET_SPENT", "TOO_MANY_AT_ONCE", "BUSY")
async def subscribing_and_leaving(by: Attacker) -> None:
    async def churn(socket: Socket) -> None:
        for n in itertools.count():
            socket.send(subscribe(str(n), STREAM))
            socket.send({"id": str(n), "type": "complete"})
            await socket.drained()
            await asyncio.sleep(0)

    async def one() -> None:
        async with by.socket(by.buyer) as socket:
            await asyncio.gather(socket.ending(by.saw), churn(socket))

    await by.crowd(4, one)


@move("silence", "503", "closed 4408")
async def sockets_that_never_say_who_they_are(by: Attacker) -> None:
    async def one() -> None:
        async with by.socket(init=False) as socket:
            by.saw["silence"] += 1
            await socket.ending(by.saw)

    await by.crowd(800, one)


@move("connection_ack", "cut", "pong")
async def pings_without_end(by: Attacker) -> None:
    async def by_frame() -> None:
        """Whoever does not read the pongs is cut."""
        async with by.socket(by.buyer) as socket:
            while not socket.line.writer.transport.is_closing():
                for _ in range(200):
                    socket.raw(PING, b"x" * 100)
                await asyncio.sleep(0)
            by.saw["cut"] += 1

    async def by_message() -> None:
        async def ping(socket: Socket) -> None:
            while True:
                socket.send({"type": "ping", "payload": {"a": "x" * 500}})
                await socket.drained()
                await asyncio.sleep(0)

        async with by.socket(by.buyer) as socket:
            await asyncio.gather(socket.ending(by.saw), ping(socket))

    await asyncio.gather(by.crowd(4, by_frame), by.crowd(4, by_message))


@move("cut", "closed 1009", "closed 4400", "closed 1007", "closed 1002", "connection_ack")
async def frames_that_are_no_messages(by: Attacker) -> None:
    floods: list[list[tuple[int, bytes]]] = [
        [(FIRST, b"")] + [(MORE, b"")] * 3_000,
        [(TEXT, b"\xff\xfe")],
        [(0x82, b"{}")],
        [(TEXT, b"{" * 100_000)],
        [(TEXT, b"x" * 1_100_000)],
        [(0x0F, b"")],
        [(TEXT, b'{"type":"subscribe","id":"1","payload":[]}')],
    ]

    async def one(frames: list[tuple[int, bytes]]) -> None:
        while by.going_on:
            async with by.socket() as socket:
                try:
                    for kind, data in frames:
                        socket.raw(kind, data)
                    await socket.drained()
                    await socket.ending(by.saw)
                except CUT:
                    by.saw["cut"] += 1

    await asyncio.gather(*(by.crowd(1, lambda frames=frames: one(frames)) for frames in floods))  # type: ignore[misc]


@move("429 TOO_MANY_CONNECTIONS", "200 stream", spent=True)
async def event_streams_of_one_caller(by: Attacker) -> None:
    asked = by.post({"query": STREAM}, {"accept": "text/event-stream", **by.buyer})

    async def one() -> None:
        line = await by.connect()
        line.writer.write(asked)
        status = await line.head()
        if status == 200:
            by.saw["200 stream"] += 1
            await line.reader.read()
        else:
            body = await line.reader.readexactly(int(line.headers["content-length"]))
            by.saw[f"{status} {code(body)}"] += 1
        line.writer.transport.abort()

    await by.crowd(300, one)

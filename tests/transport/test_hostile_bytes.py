"""Bytes that are no HTTP, frames that are no WebSocket: refused in the protocol's own words, and nobody else hears."""

import asyncio
import json
import struct
from typing import Any

import httpx
import pytest
from tests.transport.test_floods import HANDSHAKE, frame
from tests.transport.world import Door, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

GET = b"GET /graphql?query={hello} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
POST = b"POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
BODY = b'{"query":"{hello}"}'
FORM = POST.replace(b"application/json", b"multipart/form-data; boundary=x")
PART = b'--x\r\ncontent-disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
OPERATIONS = PART % (b"operations", b"", b'{"query":"{hello}","variables":{"f":null}}')
LENGTH = b"content-length: %d\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"


def with_length(head: bytes, body: bytes) -> bytes:
    return head + LENGTH % len(body) + b"\r\n" + body


def asked(query: bytes) -> bytes:
    return GET.replace(b"query={hello}", query) + b"\r\n"


# fmt: off
REQUESTS: dict[str, tuple[int, bytes]] = {
    "a good one":                     (200, GET + b"\r\n"),
    "a good one in chunks":           (200, POST + CHUNKED + b"13\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk of no size":             (400, POST + CHUNKED + b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk of less than nothing":   (400, POST + CHUNKED + b"-1\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk longer than said":       (400, POST + CHUNKED + b"2\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk of 2 to the 64":         (400, POST + CHUNKED + b"1" + b"0" * 16 + b"\r\n" + BODY),
    "a length and chunks":            (400, POST + LENGTH % 4 + CHUNKED + b"13\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunks that are not the last":   (400, POST + b"transfer-encoding: chunked, gzip\r\n\r\n" + BODY),
    "two lengths":                    (400, POST + LENGTH % 4 + with_length(b"", BODY)),
    "a length in words":              (400, POST + b"content-length: many\r\n\r\n" + BODY),
    "a length below nothing":         (400, POST + b"content-length: -1\r\n\r\n" + BODY),
    "a length past all counting":     (400, POST + b"content-length: " + b"9" * 40 + b"\r\n\r\n" + BODY),
    "a head of 70 kB":                (431, GET + b"x: " + b"x" * 70_000 + b"\r\n\r\n"),
    "a thousand headers":             (200, GET + b"".join(b"x-%d: y\r\n" % n for n in range(1_000)) + b"\r\n"),
    "ten thousand headers":           (431, GET + b"".join(b"x-%d: y\r\n" % n for n in range(10_000)) + b"\r\n"),
    "a header without a name":        (400, GET + b": x\r\n\r\n"),
    "a header with a NUL":            (400, GET + b"x: a\0b\r\n\r\n"),
    "a header named with a blank":    (400, GET + b"x : y\r\n\r\n"),
    "no such method":                 (400, GET.replace(b"GET", b"BREW") + b"\r\n"),
    "a method that is known":         (405, GET.replace(b"GET", b"PROPFIND") + b"\r\n"),
    "no such protocol":               (400, GET.replace(b"HTTP/1.1", b"HTTP/9.9") + b"\r\n"),
    "no HTTP at all":                 (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200),
    "a NUL in the path":              (400, GET.replace(b"/graphql", b"/gra\0phql") + b"\r\n"),
    "a NUL in disguise":              (404, GET.replace(b"/graphql", b"/graphql%00") + b"\r\n"),
    "no UTF-8 in the path":           (404, GET.replace(b"/graphql", b"/%ff%fe") + b"\r\n"),
    "steps upwards":                  (404, GET.replace(b"/graphql", b"/graphql/../../etc/passwd") + b"\r\n"),
    "half a per cent":                (400, asked(b"query=%7Bhello%7D%")),
    "per cent of no number":          (400, asked(b"query=%zz")),
    "a NUL in the document":          (400, asked(b"query=%7Bhello%7D%00")),
    "half a pair in the document":    (400, asked(b"query=%ed%a0%80")),
    "half a pair in variables":       (400, asked(b"query={hello}&variables=%7B%22a%22:%22%5Cud800%22%7D")),
    "a form":                         (415, with_length(FORM, OPERATIONS + b"--x--\r\n")),
    "a form without a boundary":      (415, with_length(FORM.replace(b"; boundary=x", b""), OPERATIONS)),
    "a form of thousands of parts":   (415, with_length(FORM, PART % (b"a", b"", b"") * 5_000 + b"--x--\r\n")),
    "a form with a path":             (415, with_length(FORM, PART % (b"0", b'; filename="../../etc/passwd"', b"x"))),
    "a form with a NUL for a name":   (415, with_length(FORM, PART % (b"0", b'; filename="a\0.jpg"', b"x"))),
    "a form with a map to nowhere":   (415, with_length(FORM, OPERATIONS + PART % (b"map", b"", b'{"0":["a.b.c"]}'))),
}
# fmt: on


@pytest.mark.parametrize("case", REQUESTS)
async def test_bytes_that_are_no_request_are_refused_and_the_next_one_is_served(door: Door, case: str) -> None:
    status, sent = REQUESTS[case]

    answer = await exchanged(door, sent)

    assert answer.split(b"\r\n")[0].split()[1:2] == [b"%d" % status], answer[:200]
    await is_well(door)


def told(*messages: Any) -> bytes:
    texts = (message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages)
    return b"".join(large(0x81, text) for text in texts)


def large(kind: int, data: bytes) -> bytes:
    """A frame of any size; the mask changes nothing."""
    if len(data) < 65_536:
        return frame(kind, data)
    return bytes([kind, 0xFF]) + struct.pack("!Q", len(data)) + b"\0\0\0\0" + data


def asking(id: str, payload: Any) -> dict[str, Any]:
    return {"type": "subscribe", "id": id, "payload": payload}


HELLO = {"query": "{ hello }"}
TWICE = b'{"type":"subscribe","id":"1","id":null,"payload":{"query":"{hello}"}}'
INIT = {"type": "connection_init"}

# fmt: off
FRAMES: dict[str, tuple[int, bytes]] = {
    "a reserved bit":                 (1002, frame(0xC1, b"{}")),
    "a kind of frame of the future":  (1002, frame(0x83, b"{}")),
    "a control of the future":        (1002, frame(0x8B)),
    "no mask":                        (1002, b"\x81\x02{}"),
    "a long ping":                    (1002, frame(0x89, b"x" * 126)),
    "a ping in pieces":               (1002, frame(0x09)),
    "the rest of nothing":            (1002, frame(0x80, b"{}")),
    "a message within a message":     (1002, frame(0x01, b"{") + frame(0x81, b"}")),
    "a frame of 2 to the 63":         (1009, b"\x81\xff" + b"\xff" * 8 + b"mask"),
    "a frame of 2 to the 62":         (1009, b"\x81\xff\x40" + b"\0" * 7 + b"mask"),
    "no UTF-8":                       (1007, frame(0x81, b"\xff\xfe")),
    "half a goodbye":                 (1002, frame(0x88, b"\x03")),
    "a goodbye of no such code":      (1002, frame(0x88, struct.pack("!H", 1005))),
    "a message of bytes":             (4400, frame(0x82, b'{"type":"ping"}')),
    "an id of a megabyte":            (1009, told(INIT, asking("x" * 1_000_000, HELLO))),
    "an id of half a megabyte":       (4400, told(INIT, asking("x" * 500_000, HELLO))),
    "a payload in a list":            (4400, told(INIT, asking("1", [HELLO]))),
    "a payload of a number":          (4400, told(INIT, asking("1", 1))),
    "a type in a list":               (4400, told({"type": ["ping"]})),
    "twice a type, the last is none": (4400, told(b'{"type":"connection_init","type":"start"}')),
    "twice an id, the last is none":  (4400, told(INIT, TWICE)),
    "twice init":                     (4429, told(b'{"type":"x","type":"connection_init"}', INIT)),
}
# fmt: on


@pytest.mark.parametrize("case", FRAMES)
async def test_frames_that_are_no_message_close_the_socket_with_their_code(door: Door, case: str) -> None:
    code, sent = FRAMES[case]

    assert await goodbye(door, sent) == code
    await until(lambda: not door.gate.streams.taken)
    await is_well(door)


async def exchanged(door: Door, sent: bytes) -> bytes:
    """All that is answered until the connection is closed."""
    url, answer = httpx.URL(door.url), b""
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        async with asyncio.timeout(10):
            writer.write(sent)
            while piece := await reader.read(65_536):
                answer += piece
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    return answer


async def goodbye(door: Door, sent: bytes) -> int:
    """The code of the frame that closes the socket, whatever is said before."""
    url = httpx.URL(door.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        async with asyncio.timeout(10):
            writer.write(HANDSHAKE)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            writer.write(sent)
            while True:
                kind, size = await reader.readexactly(2)
                said = await reader.readexactly(size if size < 126 else int.from_bytes(await reader.readexactly(2)))
                if kind == 0x88:
                    return int.from_bytes(said[:2])
    finally:
        writer.transport.abort()


async def is_well(door: Door) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(door.url, json={"query": "{ hello }"})
    assert answer.json()["data"] == {"hello": "Hello you"}
    assert not door.gate.places.taken

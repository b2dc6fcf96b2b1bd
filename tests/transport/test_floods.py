"""What a connection may not do to us below GraphQL: fragments and pings without end."""

import asyncio
import os
import struct

import httpx
import pytest
from tests.transport.world import Door, serving, until

from aftersales.transport.limits import TransportSettings

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
FIRST, MORE, PING = 0x01, 0x00, 0x89


def frame(kind: int, data: bytes = b"") -> bytes:
    mask = os.urandom(4)
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
    return bytes([kind]) + size + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))


@pytest.mark.parametrize(
    "flood", [frame(FIRST) + frame(MORE) * 2_000, frame(0x81, b"\xff")], ids=["fragments without end", "no text"]
)
async def test_fragments_without_end_and_bytes_that_are_no_text_end_the_connection(flood: bytes) -> None:
    async with serving() as door:
        reader, writer = await shaken(door)
        writer.write(flood)
        left = await asyncio.wait_for(ended(reader), 10)
        writer.close()

        assert len(left) < 100
        await until(lambda: door.gate.streams.taken == 0)


async def test_pings_from_one_who_does_not_read_the_pongs_end_the_connection() -> None:
    async with serving(TransportSettings(init_seconds=60)) as door:
        _, writer = await shaken(door)
        pings = frame(PING, b"x" * 100) * 1_000
        async with asyncio.timeout(30):
            while door.gate.streams.taken:
                writer.write(pings)
                await asyncio.sleep(0)
        writer.transport.abort()


async def shaken(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = httpx.URL(door.url)
    # with a limit of one byte the reader stops reading at once
    reader, writer = await asyncio.open_connection(url.host, url.port, limit=1)
    writer.write(HANDSHAKE)
    await until(lambda: door.gate.streams.taken == 1)
    return reader, writer


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that came after the handshake."""
    text = b""
    try:
        while part := await reader.read(1_000):
            text += part
    except ConnectionResetError:
        pass
    return text.partition(b"\r\n\r\n")[2]

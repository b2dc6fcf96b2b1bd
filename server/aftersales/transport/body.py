"""Reads the body of a POST: only JSON, only so much, and only for so long."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.types import Receive

from .limits import TransportSettings
from .refusal import CLOSE, Turned

SPILL_SECONDS = 1.0
SPILL_TIMES = 4


class Left(Exception):
    """The caller hung up; nobody is there to be answered."""


async def read(headers: Mapping[bytes, bytes], receive: Receive, settings: TransportSettings) -> bytes:
    """
    Raises:
        Turned: 415, 413 or 408.
        Left: when the caller does.
    """
    only_json(headers)
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or int(announced[:19]) > settings.body_bytes:
        raise too_large(settings)
    try:
        async with asyncio.timeout(settings.body_seconds):
            return await all_of(receive, settings)
    except TimeoutError:
        raise Turned(408, "BODY_TOO_SLOW", "The body did not come in time.", headers=(CLOSE,)) from None


async def spill(receive: Receive, most: int) -> None:
    """Lets a caller finish who is still sending what we do not want.

    Closing at once would reset the connection, and the answer that says why would be lost with it.

    Args:
        most: bytes; it goes on for a second at most, however many there are.
    """
    spilled = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(SPILL_SECONDS):
            while spilled < most:
                message = await receive()
                spilled += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


async def all_of(receive: Receive, settings: TransportSettings) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        body += message.get("body", b"")
        # counted as it comes, since a chunked body announces nothing
        if len(body) > settings.body_bytes:
            raise too_large(settings)
        if not message.get("more_body", False):
            return bytes(body)


def only_json(headers: Mapping[bytes, bytes]) -> None:
    """Any other type could be sent by a foreign page without being asked first (CSRF)."""
    media, *parameters = headers.get(b"content-type", b"").lower().split(b";")
    charsets = {
        value.strip().strip(b'"')
        for name, _, value in (parameter.partition(b"=") for parameter in parameters)
        if name.strip() == b"charset"
    }
    if media.strip() != b"application/json" or not charsets <= {b"utf-8", b"utf8"}:
        raise Turned(415, "NOT_JSON", "Send application/json in UTF-8.", headers=(CLOSE,))
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        # a small body may unfold into a large one
        raise Turned(415, "NOT_JSON", "Send the body uncompressed.", headers=(CLOSE,))


def too_large(settings: TransportSettings) -> Turned:
    message = f"Send a body of at most {settings.body_bytes} bytes."
    return Turned(413, "BODY_TOO_LARGE", message, headers=(CLOSE,))

"""Answers as bytes, and the status that goes with each."""

from collections.abc import Iterable

import orjson
from graphql import ExecutionResult, GraphQLError
from starlette.types import Send

from ..graphql.masking import passing
from ..graphql.sharing import ToldToMany
from .accept import Media

# Never kept by anyone in between: an answer is one caller's, at one moment.
EVERY = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), (b"vary", b"accept"))
PARTIAL = 294  # the specification's own status for data and errors together


def encoded(result: ExecutionResult) -> bytes:
    """What a resolver made of data and errors. Everything that leaves by any door is written here."""
    if isinstance(result, ToldToMany):
        if result.wire is None:
            result.wire = _written(result)
        return result.wire
    return _written(result)


def _written(result: ExecutionResult) -> bytes:
    fields: dict[str, object] = {"data": result.data}
    if result.errors:
        fields["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        fields["extensions"] = result.extensions
    return orjson.dumps(fields)


def encoded_errors(errors: Iterable[GraphQLError]) -> bytes:
    """An operation that was not run has no `data`, not even null."""
    return orjson.dumps({"errors": [error.formatted for error in errors]})


def status_of(result: ExecutionResult, media: Media) -> int:
    return PARTIAL if result.errors and media is Media.RESPONSE else 200


def came_to_nothing(result: ExecutionResult) -> bool:
    """Whether the database had no time for any of it: what stands in front of us may ask elsewhere, or later."""
    nothing = not result.data or all(value is None for value in result.data.values())
    return nothing and bool(result.errors) and all(map(passing, result.errors or ()))


def status_of_errors(media: Media) -> int:
    """A GraphQL mistake in a sound HTTP request. Callers of plain JSON only trust a 200."""
    return 400 if media is Media.RESPONSE else 200


async def send_whole(
    send: Send,
    status: int,
    media: Media,
    body: bytes,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    *,
    last: bool = True,
) -> None:
    """
    Args:
        last: otherwise the caller has all of it, but the exchange stays open until `send_end`.
    """
    length = (b"content-length", b"%d" % len(body))
    start = [(b"content-type", media.header), length, *EVERY, *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body, "more_body": not last})


async def send_end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b""})

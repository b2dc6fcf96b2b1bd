"""GraphQL over server-sent events, one operation for each connection ("distinct connections")."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import Any

from graphql import GraphQLError, OperationType
from starlette.types import Receive, Scope, Send

from aftersales.graphql.masking import GraphQLErrors, internal
from aftersales.graphql.operations import Prepared

from .accept import Media
from .answer import EVERY, encoded, encoded_errors
from .attendance import departure
from .budget import Balance
from .caller import Caller
from .gate import Gate
from .leaving import leaving
from .refusal import Turned

HEADERS = (
    (b"content-type", Media.STREAM.header),
    (b"x-accel-buffering", b"no"),  # or nginx keeps events until it has a bufferful
    *EVERY,
)
COMPLETE = b"event: complete\ndata:\n\n"  # without the empty data a browser would not hear it
SIGN_OF_LIFE = b":\n\n"

Charged = tuple[Prepared, Balance]


class EventStream:
    """
    Args:
        seconds: until the caller's token expires; None for a stranger.
    """

    def __init__(self, gate: Gate, send: Send, *, seconds: float | None) -> None:
        self.gate = gate
        self.settings = gate.settings
        self.send = send
        self.seconds = seconds

    async def run(self, prepared: Charged | GraphQLErrors, asking: Caller, scope: Scope, receive: Receive) -> None:
        await self.send({"type": "http.response.start", "status": 200, "headers": [*HEADERS]})
        await self._write(SIGN_OF_LIFE)
        ends = [self._events(prepared, asking), self._pulse(), departure(receive)]
        if not isinstance(prepared, GraphQLErrors) and prepared[0].kind is OperationType.SUBSCRIPTION:
            # cut without `complete`, after which clients come again; any other operation has an end of its own
            ends.append(self._leaves(scope))
        if self.seconds is not None:
            ends.append(self._expiry(self.seconds))
        with suppress(TimeoutError):  # of a reader that does not read
            await first_of(*ends)
            await self._write(b"", more=False)

    async def _events(self, prepared: Charged | GraphQLErrors, asking: Caller) -> None:
        try:
            if isinstance(prepared, GraphQLErrors):
                raise prepared
            operation, balance = prepared
            async with aclosing(self.gate.follow(operation, asking, balance)) as results:
                async for result in results:
                    await self._next(encoded(result))
        except GraphQLErrors as mistakes:
            await self._end(mistakes.errors)
        except Turned as no:
            await self._end([no.error])
        except TimeoutError:
            raise
        except Exception as error:
            await self._end([internal(error)])
        else:
            await self._write(COMPLETE)

    async def _leaves(self, scope: Scope) -> None:
        await leaving(scope).wait()

    async def _pulse(self) -> None:
        """Shows proxies, and us, that the other side still listens."""
        while True:
            await asyncio.sleep(self.settings.heartbeat_seconds)
            await self._write(SIGN_OF_LIFE)

    async def _expiry(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._end([GraphQLError("The token has expired.", extensions={"code": "TOKEN_EXPIRED"})])

    async def _end(self, errors: list[GraphQLError]) -> None:
        self.gate.erred(errors)
        await self._next(encoded_errors(errors))
        await self._write(COMPLETE)

    async def _next(self, data: bytes) -> None:
        await self._write(b"event: next\ndata: " + data + b"\n\n")

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(self.settings.send_seconds):
            await self.send({"type": "http.response.body", "body": data, "more_body": more})


async def first_of(*works: Coroutine[Any, Any, object]) -> None:
    """Runs all until one ends, and ends the others. Raises what that one raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()

"""One open WebSocket: who is behind it, and the operations it carries."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, aclosing
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.types import Receive, Scope, Send

from aftersales.graphql.masking import GraphQLErrors, internal
from aftersales.watching.handling import begin_part

from .answer import encoded
from .auth import Authenticate, Claims, Unauthorized
from .caller import Caller, caller
from .gate import Gate
from .keys import KeysUnavailable
from .leaving import gone_soon, leaving
from .messages import Ended, Message, authorization, heard
from .params import Params
from .refusal import Turned

SUBPROTOCOL = "graphql-transport-ws"


class Gone(Exception):
    """The other side is no longer there, or no longer reads."""


class Socket:
    """Hears messages one after another; each operation is a task of its own.

    There is no queue of outgoing messages: what is sent goes to the transport, and when its buffer of 64
    kB is full every operation waits, so that a slow reader slows its own subscriptions and costs no more
    memory than that. A reader that takes nothing for `send_seconds` is cut.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, gate: Gate, authenticate: Authenticate) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.gate = gate
        self.settings = gate.settings
        self.authenticate = authenticate
        self.asked_in = False
        self.places = ExitStack()
        self.caller: Caller | None = None  # known once the connection is acknowledged
        self.operations: dict[str, asyncio.Task[None]] = {}
        self.streams: set[asyncio.Task[None] | None] = set()
        self.leaving = leaving(scope)
        self.farewell: asyncio.Task[None] | None = None
        self.over = False

    async def run(self) -> None:
        try:
            # one clock: first for connection_init, then for the token it brought
            async with asyncio.timeout(self.settings.init_seconds) as self.clock:
                self.leaving.calls.add(self._leave)
                await self._listen()
        except TimeoutError:
            await self._close(*(TOKEN_EXPIRED if self.caller else INIT_TIMEOUT))
        except Ended as end:
            await self._close(end.code, end.reason)
        except Gone:
            pass
        finally:
            await self._stop()

    def _leave(self) -> None:
        self.farewell = asyncio.create_task(self._part())

    async def _part(self) -> None:
        """Queries and mutations are answered first; streams are good until then, and go on elsewhere."""
        if whole := set(self.operations.values()) - self.streams:
            await asyncio.wait(whole)
        await self._close(*RESTART)
        self.clock.reschedule(0)  # wakes the listener

    async def _listen(self) -> None:
        while True:
            event = await self.receive()
            if event["type"] == "websocket.disconnect":
                raise Gone
            await self._hear(heard(event, self.settings.message_bytes))
            await asyncio.sleep(0)  # messages that have come already are no reason to keep others waiting

    async def _hear(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                await self._welcome(message.payload or {})
            case "subscribe":
                await self._subscribe(message.id, message.params)
            case "complete":
                self._complete(message.id)
            case "ping":
                payload = {} if message.payload is None else {"payload": message.payload}
                await self._tell(orjson.dumps({"type": "pong", **payload}))

    async def _welcome(self, payload: Mapping[str, Any]) -> None:
        if self.asked_in:
            raise Ended(4429, "Too many initialisation requests")
        self.asked_in = True
        claims = await self._claims(payload)
        self.clock.reschedule(self._until(claims))
        asking = caller(self.scope, claims)
        try:
            self.places.enter_context(self.gate.connections.one(asking))
        except Turned as no:
            # a code that clients come back after, each later than before
            raise Ended(1013, str(no)) from None
        self.caller = asking
        await self._tell(b'{"type":"connection_ack"}')

    async def _claims(self, payload: Mapping[str, Any]) -> Claims | None:
        try:
            return await self.authenticate(authorization(payload, self.scope))
        except Unauthorized as no:
            if no.code == "TOKEN_EXPIRED":
                raise Ended(*TOKEN_EXPIRED) from None
            raise Ended(4403, f"Forbidden: {no.code}") from None
        except KeysUnavailable:
            raise Ended(1013, "Tokens cannot be checked just now") from None

    def _until(self, claims: Claims | None) -> float | None:
        if claims is None:
            return None
        return asyncio.get_running_loop().time() + self.authenticate.seconds_left(claims)

    async def _subscribe(self, id: str, given: Params) -> None:
        if self.caller is None:
            raise Ended(4401, "Unauthorized")
        if id in self.operations:
            raise Ended(4409, f"Subscriber for {id} already exists")
        if len(self.operations) >= self.settings.subscriptions:
            return await self._error(id, [too_many(self.settings.subscriptions)])
        self.operations[id] = asyncio.create_task(self._operate(id, given, self.caller))

    def _complete(self, id: str) -> None:
        if operation := self.operations.pop(id, None):
            operation.cancel()

    async def _operate(self, id: str, given: Params, asking: Caller) -> None:
        begin_part()
        try:
            await self._answer(id, given, asking)
        except Gone:
            return  # the listener hears of it too, and ends the rest
        finally:
            self.streams.discard(asyncio.current_task())
            if self.operations.get(id) is asyncio.current_task():
                del self.operations[id]

    async def _answer(self, id: str, given: Params, asking: Caller) -> None:
        try:
            prepared = await self.gate.admit(given, asking)
            if self.leaving.is_set():
                raise gone_soon()
            if prepared.kind is OperationType.SUBSCRIPTION:
                self.streams.add(asyncio.current_task())
            balance = self.gate.charge(prepared, asking)
            async with aclosing(self.gate.follow(prepared, asking, balance)) as results:
                async for result in results:
                    await self._next(id, result)
        except Gone:
            raise
        except GraphQLErrors as mistakes:
            await self._error(id, mistakes.errors)
        except Turned as no:
            await self._error(id, [no.error])
        except Exception as error:
            await self._error(id, [internal(error)])
        else:
            await self._tell(orjson.dumps({"id": id, "type": "complete"}))

    async def _next(self, id: str, result: ExecutionResult) -> None:
        await self._tell(b'{"id":%b,"type":"next","payload":%b}' % (orjson.dumps(id), encoded(result)))

    async def _error(self, id: str, errors: Sequence[GraphQLError]) -> None:
        self.gate.erred(errors)
        payload = [error.formatted for error in errors]
        await self._tell(orjson.dumps({"id": id, "type": "error", "payload": payload}))

    async def _tell(self, text: bytes) -> None:
        if self.over:
            raise Gone
        try:
            async with asyncio.timeout(self.settings.send_seconds):
                await self.send({"type": "websocket.send", "text": text.decode()})
        except TimeoutError:
            self.over = True
            self.clock.reschedule(0)  # wakes the listener
            raise Gone from None
        except (OSError, RuntimeError):
            # how servers say that the connection was lost, or closed under our hands
            raise Gone from None

    async def _close(self, code: int, reason: str) -> None:
        if self.over:
            return
        self.over = True
        short = reason.encode()[:120].decode(errors="ignore")  # a close frame holds no more
        try:
            await self.send({"type": "websocket.close", "code": code, "reason": short})
        except (OSError, RuntimeError):
            return  # closed by the other side meanwhile

    async def _stop(self) -> None:
        self.over = True
        self.leaving.calls.discard(self._leave)
        self.places.close()
        tasks = list(self.operations.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def too_many(most: int) -> GraphQLError:
    message = f"At most {most} operations at once on one connection."
    return GraphQLError(message, extensions={"code": "TOO_MANY_OPERATIONS"})


# Clients come back after it, and find another process.
RESTART = (1012, "Service restart")
INIT_TIMEOUT = (4408, "Connection initialisation timeout")
# A code of our own: 4401 is for those who never said who they are, and clients do not come back after it. After this
# one they do, with the token that they have then.
TOKEN_EXPIRED = (4419, "Token expired")

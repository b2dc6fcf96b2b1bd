"""What a server that is told to stop does until it has: what was begun ends, nothing new begins, streams go elsewhere.

It listens on meanwhile. A door that is shut is told to a balancer as a fault, and to some callers as nothing at all; an
answer says that nothing was done, that this process will not do it, and that another one does.
"""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .accept import Media
from .answer import encoded_errors, send_end, send_whole
from .body import spill
from .refusal import CLOSE, SOON, Turned

# What looks whether we live must not take us for dead before we are.
ANSWERED = ("/healthz", "/readyz")
SPILL_BYTES = 1_000_000


class Leaving(asyncio.Event):
    """Set once nothing new may begin. Each connection has it in its scope.

    Args of its own:
        announced: whether the server says already that it is not ready, and still does all that it is asked.
        calls: what those who wait for it without a task of their own want done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.announced = False
        self.calls: set[Callable[[], None]] = set()

    def set(self) -> None:
        self.announced = True
        super().set()
        for call in tuple(self.calls):
            call()


def leaving(scope: Scope) -> Leaving:
    """Of this server; where nobody launched it, one that never is."""
    found: Leaving | None = scope.get("state", {}).get("draining")
    return found or Leaving()


def until_told(app: ASGIApp) -> ASGIApp:
    """The application, until its server leaves."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        going = scope.get("state", {}).get("draining")
        if going is None or scope["type"] == "lifespan":
            return await app(scope, receive, send)
        if going.is_set() and scope["path"] not in ANSWERED:
            return await turn_away(scope, receive, send)

        async def said(message: Message) -> None:
            if message["type"] == "http.response.start" and going.announced:
                # whoever keeps connections is to keep this one no longer
                message["headers"] = [*message.get("headers", ()), CLOSE]
            await send(message)

        await app(scope, receive, said if scope["type"] == "http" else send)

    return served


async def turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    text = encoded_errors([gone_soon().error])
    if scope["type"] == "http":
        await send_whole(send, 503, Media.JSON, text, (SOON, CLOSE), last=False)
        # a caller that still speaks would not hear us
        await spill(receive, SPILL_BYTES)
        return await send_end(send)
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        return await send({"type": "websocket.close", "code": 1012})
    headers = [(b"content-type", Media.JSON.header), SOON, CLOSE]
    await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": text})


def gone_soon() -> Turned:
    message = "This process is about to stop, and has done nothing. Ask again: another one answers."
    return Turned(503, "BUSY", message, headers=(SOON, CLOSE), retryable=True)

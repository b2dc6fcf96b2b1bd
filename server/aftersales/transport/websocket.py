"""GraphQL over WebSocket, by the protocol `graphql-transport-ws` and no other."""

import logging

from starlette.types import Receive, Scope, Send

from .answer import encoded_errors
from .auth import Authenticate
from .gate import Gate
from .refusal import Turned
from .socket import SUBPROTOCOL, Socket

log = logging.getLogger("aftersales.websocket")


class GraphQLOverWebSocket:
    """An ASGI application for the one path: the handshake. What follows is a `Socket`."""

    def __init__(self, gate: Gate, authenticate: Authenticate) -> None:
        self.gate = gate
        self.authenticate = authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect, the only thing that can come first
        try:
            self._known_origin(dict(scope["headers"]))
            with self.gate.streams:
                await self._converse(scope, receive, send)
        except Turned as no:
            await reject(no, scope, send)
        except (OSError, RuntimeError) as error:
            # how servers say that the other side left while hands were being shaken
            log.debug("a WebSocket was lost: %r", error)

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if SUBPROTOCOL not in scope["subprotocols"]:
            # accepted first, for only then can a close code say what was wrong
            await send({"type": "websocket.accept"})
            reason = "Subprotocol not acceptable"
            return await send({"type": "websocket.close", "code": 4406, "reason": reason})
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        await Socket(scope, receive, send, gate=self.gate, authenticate=self.authenticate).run()

    def _known_origin(self, headers: dict[bytes, bytes]) -> None:
        """Browsers let any page open a WebSocket to anyone; only its Origin tells which page it was."""
        origin = headers.get(b"origin", b"").decode("latin-1")
        if not origin or "*" in self.gate.settings.origins or origin in self.gate.settings.origins:
            return
        if origin.partition("://")[2] != headers.get(b"host", b"").decode("latin-1"):
            raise Turned(403, "FOREIGN_ORIGIN", "This page may not connect here.")


async def reject(no: Turned, scope: Scope, send: Send) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        return await send({"type": "websocket.close", "code": 1008})
    headers = [(b"content-type", b"application/json; charset=utf-8"), *no.headers]
    await send({"type": "websocket.http.response.start", "status": no.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": encoded_errors([no.error])})

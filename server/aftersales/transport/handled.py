"""Says of every request which one it is: to the log, and to the caller."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aftersales.watching.handling import current, handling

REQUEST_ID = b"x-request-id"
BEGINS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


class Handled:
    """Around the application. The request's own task ends with it, and with that task what is known of it here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        given = parent = b""
        for name, value in scope["headers"]:
            if name == REQUEST_ID:
                given = value
            elif name == b"traceparent":
                parent = value
        handled = handling(given.decode("latin-1"), parent.decode("latin-1"))
        header = REQUEST_ID, handled.request_id.encode()

        async def answer(message: Message) -> None:
            if message["type"] in BEGINS:
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        token = current.set(handled)
        try:
            await self.app(scope, receive, answer)
        finally:
            current.reset(token)

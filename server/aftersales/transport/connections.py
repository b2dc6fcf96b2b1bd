"""uvicorn's connections, less patient: with callers who are slow to ask, and with those who flood."""

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from .leaving import until_told
from .limits import TransportSettings
from .pace import Pace

MOST_FRAGMENTS = 1_000
MOST_PINGS = 100  # in a second
PIECE = 8_192
# Between two turns of new sockets. The threads that read for others must come to their interpreter meanwhile, which one
# who is busy lets go for half a millisecond at a time: without it, a crowd that connects holds up a page for 0.4 s.
PAUSE_SECONDS = 0.004

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)  # fmt: skip


class Config(uvicorn.Config):
    """uvicorn's configuration, which every connection is given, with our limits in it."""

    def __init__(self, app: ASGIApp, limits: TransportSettings, **named: Any) -> None:
        super().__init__(forgiving(until_told(app)), **named)
        self.limits = limits
        self.pace = Pace(PAUSE_SECONDS)


def forgiving(app: ASGIApp) -> ASGIApp:
    """What is said to one who is gone is lost, as uvicorn has it too; but uvloop closes before it tells uvicorn."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        async def said(message: Message) -> None:
            try:
                await send(message)
            except RuntimeError as error:
                if "the handler is closed" not in str(error):
                    raise

        await app(scope, receive, said if scope["type"] == "http" else send)

    return served


class HeadTooLarge(Exception):
    """Tells the parser to stop."""


class HTTPConnection(HttpToolsProtocol):
    """Cuts a caller whose request line and headers take too long, or too much.

    uvicorn waits for them without end; the time between requests it watches itself.
    """

    config: Config
    head_timer: asyncio.TimerHandle | None = None
    head_bytes = 0
    too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.config.limits.connections:
            # not even an answer: each would cost more than the one who comes too much
            transport.abort()
            return
        self._head_begins()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_ends()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.head_timer is not None:
            self.head_bytes += len(data)
            if self.head_bytes > self.config.limits.head_bytes:
                self._head_ends()
                self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.head_timer is None:
            self._head_begins()

    def handle_websocket_upgrade(self) -> None:
        # a board that comes back with a thousand others costs a millisecond each
        self.transport.pause_reading()
        self.config.pace.do(self._upgrade)

    def _upgrade(self) -> None:
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()
            self.transport.resume_reading()

    def on_headers_complete(self) -> None:
        self._head_ends()
        # one that came whole in a single piece was never counted
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.config.limits.head_bytes:
            self.too_large = True
            raise HeadTooLarge
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self.too_large:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def _refuse_head(self) -> None:
        self.transport.write(TOO_LARGE)
        self.transport.close()

    def _head_begins(self) -> None:
        self.head_bytes = 0
        self.head_timer = self.loop.call_later(self.config.limits.head_seconds, self.transport.close)

    def _head_ends(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None


class WebSocketConnection(WebSocketsSansIOProtocol):
    """Refuses the floods that a limit on message bytes does not see, and reads on only as far as was heard.

    uvicorn takes apart all that has come at once, which may be thousands of messages. Here it is given a piece in each
    turn of the loop, and none while messages still wait to be heard.
    """

    unread = b""
    coming = False
    pings = 0
    pings_since = 0.0

    def data_received(self, data: bytes) -> None:
        if not self.unread and len(data) <= PIECE:
            return super().data_received(data)
        self.unread += data
        self.transport.pause_reading()
        self._soon()

    def _soon(self) -> None:
        if not self.coming:
            self.coming = True
            self.loop.call_soon(self._piece)

    def _piece(self) -> None:
        self.coming = False
        if self.read_paused or self.transport.is_closing():
            return
        piece, self.unread = self.unread[:PIECE], self.unread[PIECE:]
        super().data_received(piece)
        if self.unread:
            self._soon()
        elif not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            if self.unread:
                self._soon()
            else:
                self.transport.resume_reading()
        return message

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MOST_FRAGMENTS:
            # fragments may be empty, and each costs as much as a small message
            return self._drop()
        super().handle_cont(event)

    def handle_ping(self) -> None:
        now = self.loop.time()
        if now - self.pings_since > 1:
            self.pings, self.pings_since = 0, now
        self.pings += 1
        if self.pings > MOST_PINGS or not self.writable.is_set():
            # nobody needs so many; and some who send them do not read the pongs
            return self._drop()
        super().handle_ping()

    def _drop(self, *_: Any) -> None:
        self.frames, self.unread = [], b""
        self.transport.abort()

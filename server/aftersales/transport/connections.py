"""uvicorn's connections, less patient: with callers who are slow to ask, and with those who flood."""

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from .limits import TransportSettings

MOST_FRAGMENTS = 1_000

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)  # fmt: skip


class Config(uvicorn.Config):
    """uvicorn's configuration, which every connection is given, with our limits in it."""

    def __init__(self, app: ASGIApp, limits: TransportSettings, **named: Any) -> None:
        super().__init__(app, **named)
        self.limits = limits


class HTTPConnection(HttpToolsProtocol):
    """Cuts a caller whose request line and headers take too long, or too much.

    uvicorn waits for them without end; the time between requests it watches itself.
    """

    config: Config
    head_timer: asyncio.TimerHandle | None = None
    head_bytes = 0

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
                self.transport.write(TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.head_timer is None:
            self._head_begins()

    def on_headers_complete(self) -> None:
        self._head_ends()
        super().on_headers_complete()

    def _head_begins(self) -> None:
        self.head_bytes = 0
        self.head_timer = self.loop.call_later(self.config.limits.head_seconds, self.transport.close)

    def _head_ends(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None


class WebSocketConnection(WebSocketsSansIOProtocol):
    """Refuses the two floods that a limit on message bytes does not see."""

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MOST_FRAGMENTS:
            # fragments may be empty, and each costs as much as a small message
            return self._drop()
        super().handle_cont(event)

    def handle_ping(self) -> None:
        if not self.writable.is_set():
            # pings without end from one who does not read the pongs
            return self._drop()
        super().handle_ping()

    def _drop(self, *_: Any) -> None:
        self.frames = []
        self.transport.abort()

"""Starts and stops the server: uvicorn's own parts, with the limits it leaves to others."""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from .connections import Config, HTTPConnection, WebSocketConnection
from .leaving import Leaving
from .limits import TransportSettings
from .listening import address, bound
from .stack import big_stack

# For what is left once the time to drain is over, to hear that it is.
LAST_SECONDS = 1
LOOK_SECONDS = 0.05
THEIR_FAULT = ("Invalid UTF-8 sequence", "ASGI callable returned without completing", "Invalid HTTP request")
# How long a thread that is busy keeps others waiting. SQLite's threads let go at each row: at the usual 5 ms, a page
# of a hundred rows would wait half a second while something large is done aside.
TURN_SECONDS = 0.0005
OBJECTS_BETWEEN_LOOKS = 10_000
# Of such looks, until it looks at what they left. A large document is full of circles, and to look at ten times as much
# of it at once holds everybody up for a third of a second.
LOOKS_TO_A_SECOND_ONE = 3


def serve(
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    settings: TransportSettings = TransportSettings(),  # noqa: B008 - frozen
    ready: Callable[[str], None] = lambda address: None,
    supervised: bool = False,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains as the settings say, and returns. A second signal ends it at once.

    Args:
        port: 0 for any that is free.
        ready: called with the address once connections are taken.
        supervised: as one of several on the same address, whose parent alone says when to stop, and how fast.
    """
    hush_uvicorn()
    lift_file_limit()
    calm_collector()
    sys.setswitchinterval(TURN_SECONDS)
    listener = bound(host, port, shared=supervised)
    server = Server(config(app, settings), lambda: ready(address(listener)), supervised)
    big_stack(server.run)(sockets=[listener])


def config(app: ASGIApp, settings: TransportSettings) -> Config:
    return Config(
        app,
        settings,
        http=HTTPConnection,
        ws=WebSocketConnection,
        lifespan="on",
        log_config=None,
        access_log=False,  # a query string may hold what a log must not
        server_header=False,
        proxy_headers=False,
        ws_max_size=settings.message_bytes,
        ws_per_message_deflate=False,  # costs more CPU and memory for each socket than the rest of it
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=LAST_SECONDS,
    )


class Server(uvicorn.Server):
    """Tells when it is up, and goes only when what was begun has ended."""

    config: Config

    def __init__(self, config: Config, ready: Callable[[], None] = lambda: None, supervised: bool = False) -> None:
        super().__init__(config)
        self.ready = ready
        self.supervised = supervised
        self.draining = Leaving()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # every connection gets a copy of this state with its scope
        self.lifespan.state["draining"] = self.draining
        self.ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal ends at once. uvicorn would raise it again at the end; here `serve` returns."""
        if self.supervised:
            # a terminal, or whoever ends a group, tells each of us besides the parent
            self.should_exit = self.should_exit or sig == signal.SIGTERM
            return
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        limits = self.config.limits
        self.draining.announced = True
        await self._passes(limits.notice_seconds, lambda: False)
        begun = set(self.server_state.tasks)
        self.draining.set()
        await self._passes(limits.drain_seconds, lambda: all(task.done() for task in begun))
        await super().shutdown(sockets)

    async def _passes(self, seconds: float, enough: Callable[[], bool]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.force_exit and not enough():  # noqa: ASYNC110 - a signal may come, which has no event
                    await asyncio.sleep(LOOK_SECONDS)


def lift_file_limit() -> None:
    """Every connection is an open file, and the usual soft limit of 1024 ends the service at 1024 of them."""
    if sys.platform == "win32":
        return
    import resource  # which Windows has not

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def hush_uvicorn() -> None:
    """What a caller does wrong, or that they left, is no error of ours, and they must not fill our log with it."""
    logging.getLogger("uvicorn.error").addFilter(lambda record: not str(record.msg).startswith(THEIR_FAULT))


def calm_collector() -> None:
    """A page makes twenty thousand objects that live until it is written, and hardly a cycle among them.

    Looking for garbage after every 700 costs a fifth of the page; and what was made at start stays anyway.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, LOOKS_TO_A_SECOND_ONE)

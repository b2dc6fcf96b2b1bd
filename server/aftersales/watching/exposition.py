"""Shows the figures at an address of their own, from a thread of its own: also while the loop is held up or drains."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable, Iterable
from socketserver import TCPServer
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

log = logging.getLogger("aftersales.watching")

PATH = "/metrics"
# Processes of one machine are given the same port: each takes the first that is free from there on.
PORTS = 64
AGAIN_SECONDS = 1.0
# That a reader may take to ask, and to take the answer.
READER_SECONDS = 10.0
POLL_SECONDS = 0.1

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Handler(WSGIRequestHandler):
    timeout = READER_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what is asked may be anything."""


class Listener(ThreadingWSGIServer):
    allow_reuse_address = True
    request_queue_size = 16

    def server_bind(self) -> None:
        # as the classes above do, but for asking the network what this machine is called
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()[:2]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("somebody who asked for figures has left", exc_info=True)


class Listener6(Listener):
    address_family = socket.AF_INET6


async def exposed(registry: CollectorRegistry, host: str, port: int) -> None:
    """Until canceled. An address that cannot be had stops nobody from serving: it is logged and tried again.

    Args:
        port: the first to try; 0 for any that is free.
    """
    listener = await _opened(registry, host, port)
    shown = f"[{host}]" if ":" in host else host
    log.info("figures are at http://%s:%s%s", shown, listener.server_port, PATH)
    thread = Thread(target=listener.serve_forever, args=(POLL_SECONDS,), name="figures", daemon=True)
    thread.start()
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.to_thread(listener.shutdown)
        listener.server_close()


async def _opened(registry: CollectorRegistry, host: str, port: int) -> Listener:
    told = False
    while True:
        try:
            return _first_free(registry, host, port)
        except OSError as error:
            if not told:
                log.error("figures cannot be shown at %s:%s: %s", host, port, os.strerror(error.errno or 0))
            told = True
        await asyncio.sleep(AGAIN_SECONDS)


def _first_free(registry: CollectorRegistry, host: str, port: int) -> Listener:
    kind = Listener6 if ":" in host else Listener
    *others, last = range(port, min(port + PORTS, 65_536)) if port else (0,)
    for candidate in others:
        try:
            return _listener(registry, host, candidate, kind)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return _listener(registry, host, last, kind)


def _listener(registry: CollectorRegistry, host: str, port: int, kind: type[Listener]) -> Listener:
    listener = make_server(host, port, only_here(make_wsgi_app(registry)), kind, Handler)
    assert isinstance(listener, Listener)
    return listener


def only_here(figures: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The library's application answers at every path."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"Figures are at /metrics.\n"]
        return figures(environ, start_response)

    return answer

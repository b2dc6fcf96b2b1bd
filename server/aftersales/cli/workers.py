"""Serves: in this process, or by several on one address, which this one then only looks after."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import random
import secrets
import signal
import socket
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from ..settings import PREFIX, CannotStart, Settings
from ..store.urls import is_postgres
from ..transport.limits import TransportSettings
from ..transport.listening import reserved
from . import logs

log = logging.getLogger("aftersales.workers")

NOT_TO_BE_HAD = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)
# Until one that has ended is started again: at once, if it has served for a while; else later each time.
FIRST_PAUSE_SECONDS, PAUSE_SECONDS = 0.5, 30.0
STEADY_SECONDS = 60.0
# So many in a row that did not come up, while none is up: what stands against them will not go away by itself.
GIVE_UP = 5
# Beyond notice and drain: until plugins and the database are closed.
CLOSING_SECONDS = 20.0

# Each starts anew: what a fork would share are locks and sockets, and this process serves nobody anyhow.
SPAWN = multiprocessing.get_context("spawn")


def serve(args: Namespace, settings: Settings) -> int:
    port = settings.port if args.port is None else args.port
    workers = args.workers or settings.workers
    settings = replace(settings, host=args.host or settings.host, port=port, workers=workers)
    if settings.production and (args.demo or args.speed != 1):
        raise CannotStart(f"{PREFIX}MODE is production: there is no demo there, and time passes as it does.")
    if workers == 1:
        # here, as it has the whole server behind it, which a process that looks after others has no need of
        from .serving import serve_alone

        return serve_alone(args, settings)
    only_where_many_can(args, settings)
    logs.configure(settings)
    with told_of_the_address(settings), reserved(settings.host, settings.port) as (address, port):
        return Workers(with_one_key(replace(settings, port=port)), address).run()


def only_where_many_can(args: Namespace, settings: Settings) -> None:
    """
    Raises:
        CannotStart.
    """
    if args.demo or args.speed != 1:
        raise CannotStart("A demo, and a time of its own, have one process. Take --workers away.")
    if not is_postgres(settings.database):
        raise CannotStart(
            f"A SQLite file is served by one process. Take --workers and {PREFIX}WORKERS away, or name a PostgreSQL in"
            f" {PREFIX}DATABASE."
        )
    if sys.platform != "linux":
        raise CannotStart(
            "Only Linux shares connections to one address among processes. Start several, each on a port of its own,"
            " and put a balancer before them."
        )


def with_one_key(settings: Settings) -> Settings:
    """What one worker signs, all take."""
    if settings.signing_secret is not None:
        return settings
    return replace(settings, address_secret=secrets.token_urlsafe(32))


@contextmanager
def told_of_the_address(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in NOT_TO_BE_HAD:
            raise
        raise CannotStart(
            f"{settings.host}:{settings.port} cannot be listened on: {os.strerror(error.errno)}."
        ) from error


class Worker:
    """A place for one process, and the process in it, if there is one.

    Args:
        first: says for all what they have in common.
    """

    def __init__(self, settings: Settings, *, first: bool) -> None:
        self.settings, self.first = settings, first
        self.process: SpawnProcess | None = None
        self.news: Connection | None = None
        self.up = False
        self.failures = 0
        self.since = 0.0
        self.again_at: float | None = None

    def start(self) -> None:
        self.news, theirs = SPAWN.Pipe(duplex=False)
        self.process = SPAWN.Process(target=work, args=(self.settings, theirs, self.first), name="aftersales-worker")
        self.process.start()
        theirs.close()
        self.up, self.since, self.again_at = False, time.monotonic(), None

    def hear(self) -> str | None:
        """What it says once: that it is up, by silence, or what stands against it."""
        assert self.news is not None
        try:
            said: str | None = self.news.recv()
            self.up = said is None
        except EOFError:
            said = "it ended without a word"
        self.news.close()
        self.news = None
        return said

    def bury(self) -> int:
        """Its exit status. It is started again in a while."""
        assert self.process is not None
        self.process.join()
        status = self.process.exitcode or 0
        self.process.close()
        self.process = None
        steady = self.up and time.monotonic() - self.since > STEADY_SECONDS
        self.failures = 0 if steady else self.failures + 1
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1), PAUSE_SECONDS) if self.failures else 0
        self.again_at, self.up = time.monotonic() + random.uniform(pause / 2, pause), False
        return status


class Workers:
    """Keeps so many of them up, until it is told to stop."""

    def __init__(self, settings: Settings, address: str) -> None:
        self.address = address
        self.workers = [Worker(settings, first=number == 0) for number in range(settings.workers)]
        self.patience = settings.notice_seconds + settings.drain_seconds + CLOSING_SECONDS
        self.signals = 0
        self.said_ready = False
        self.reason = ""
        self.vain = 0

    def run(self) -> int:
        """
        Raises:
            CannotStart: they do not come up.
        """
        wakes, waker = socket.socketpair()
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)
        try:
            # first one: what stands against it stands against all, and is said once
            self.workers[0].start()
            while not self.signals:
                self._look(wakes)
                self._start_those_due()
            return self._stop(wakes)
        finally:
            for worker in self.workers:
                if worker.process is not None:
                    worker.process.kill()

    def _told(self, number: int, frame: object) -> None:
        self.signals += 1

    def _look(self, wakes: socket.socket, until: float | None = None) -> None:
        """Wait until something happens, and see to it."""
        due = [worker.again_at for worker in self.workers if worker.again_at is not None and until is None]
        ends = [*due, *([until] if until else [])]
        news = {worker.news: worker for worker in self.workers if worker.news is not None}
        dead = {worker.process.sentinel: worker for worker in self.workers if worker.process is not None}
        happened = wait([*news, *dead, wakes], max(0, min(ends) - time.monotonic()) if ends else None)
        for what in happened:
            if what is wakes:
                wakes.recv(100)
            elif isinstance(what, Connection):
                self._heard(news[what].hear())
        for what in happened:
            if isinstance(what, int):
                self._ended(dead[what])

    def _heard(self, said: str | None) -> None:
        if said is not None:
            self.reason, self.vain = said, self.vain + 1
            return
        self.vain = 0
        if not self.said_ready and all(worker.up for worker in self.workers):
            self.said_ready = True
            print(f"Ready at {self.address}{TransportSettings().path}", flush=True)

    def _ended(self, worker: Worker) -> None:
        if worker.news is not None:
            self._heard(worker.hear())
        was_up, status = worker.up, worker.bury()
        if self.signals:
            return
        if not was_up and not self.said_ready:
            raise CannotStart(self.reason)
        if self.vain >= GIVE_UP and not any(worker.up for worker in self.workers):
            raise CannotStart(f"No worker comes up any more: {self.reason}")
        log.error("a worker ended (%s) and is started again%s", status, "" if was_up else f": {self.reason}")

    def _start_those_due(self) -> None:
        if self.signals or not (self.said_ready or self.workers[0].up):
            return
        for worker in self.workers:
            if worker.process is None and (worker.again_at is None or worker.again_at <= time.monotonic()):
                worker.start()

    def _stop(self, wakes: socket.socket) -> int:
        """All drain at once. A second signal, or too long a wait, ends them."""
        end = time.monotonic() + self.patience
        for worker in self.workers:
            if worker.process is not None:
                worker.process.terminate()
        while any(worker.process is not None for worker in self.workers):
            if self.signals > 1 or time.monotonic() >= end:
                log.error("workers that had not ended were killed")
                return 1
            self._look(wakes, end)
        return 0


def work(settings: Settings, up: Connection, first: bool) -> None:
    """The life of one worker: it says once that it is up, or why not, and ends when it is told to, or left alone."""
    # the parent alone is asked to stop, also by a terminal that tells the whole group
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    logs.configure(settings)

    from .faults import told
    from .serving import serve_beside

    def ready() -> None:
        up.send(None)
        up.close()

    try:
        with told_of_the_address(settings):
            serve_beside(settings, ready, first=first)
    except Exception as error:
        if up.closed or not (sentences := told(error)):
            raise
        up.send("\n".join(sentences))
        sys.exit(1)


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    # as if it had told us: what was begun ends
    os.kill(os.getpid(), signal.SIGTERM)

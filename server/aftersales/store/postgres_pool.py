"""A bounded number of sessions, and a bounded number of those who wait for one, each for a bounded time.

When the database is away nobody waits for it: all are told so at once, and one looks whether it is back.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import perf_counter

import psycopg

from .database import Load, Statement, StoreBusy, StoreClosed, Waited, nobody_told
from .postgres_session import Failed, Lost, Session

log = logging.getLogger("aftersales.store")

# To have a new connection, of each host that the URL names, and in all. A database that is there takes a hundredth.
HOST_SECONDS, CONNECT_SECONDS = 2, 4.0
# How many are opened at once: when it is back, so is every process that waited for it.
CONNECTING = 2
# Between two looks whether it is back: at first soon, as it may have been one connection only.
FIRST_LOOK_SECONDS, LOOK_SECONDS = 0.1, 2.0
SAYS = Statement("SELECT 1")


class Pool:
    """
    Args:
        waiting: how many may wait for a session; one more is refused at once.
        waited: is told how long each did, whether in vain or not.
    """

    def __init__(self, conninfo: str, most: int, waiting: int, waited: Waited = nobody_told) -> None:
        self._waited = waited
        self._conninfo, self._most, self._waiting = conninfo, most, waiting
        self._idle: list[Session] = []
        self._used: set[Session] = set()
        self._queue: deque[asyncio.Future[Session | None]] = deque()
        self._taken = 0
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._all_back = asyncio.Event()
        self._doors = asyncio.Semaphore(CONNECTING)
        self._away: str | None = None
        self._looks: asyncio.Task[None] | None = None

    async def take(self, until: float) -> Session:
        """A session that is good as far as we know; to be given to `free` afterwards.

        Args:
            until: by the loop's time.

        Raises:
            StoreBusy: too many wait, none came free in time, or the database is away.
            StoreClosed.
        """
        began = perf_counter()
        try:
            return await self._take(until)
        finally:
            self._waited(perf_counter() - began)

    def load(self) -> Load:
        return Load(self._taken, len(self._queue))

    async def _take(self, until: float) -> Session:
        if self._closed:
            raise StoreClosed("The database is closed.")
        await self._at_home()
        self._only_if_there()
        if self._taken < self._most:
            self._taken += 1
            return await self._own(until)
        if len(self._queue) >= self._waiting:
            raise StoreBusy(f"{len(self._queue)} batches wait already.")
        turn: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout_at(until):
                session = await asyncio.shield(turn)
        except BaseException as error:
            self._not_waited_for(turn)
            if isinstance(error, TimeoutError):
                raise StoreBusy("No connection came free in time.") from None
            raise
        if session is None:
            return await self._own(until)
        self._used.add(session)
        return session

    async def free(self, session: Session) -> None:
        """Give it back, or let go of it if it is lost."""
        self._used.discard(session)
        # what was open while the database was away may be good, or never answer again
        kept = not session.lost and not self._closed and self._away is None
        try:
            if not kept:
                await session.close()
        finally:
            self._pass_on(session if kept else None)

    def is_away(self, why: str) -> None:
        """Nobody waits for it any more, until it is seen to be back."""
        if self._away is not None or self._closed:
            return
        self._away = why
        log.error("the database is away: %s", why)
        self._turn_out(partial(StoreBusy, f"The database cannot be reached: {why}"))
        self._looks = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Let what has begun end; who only waits is told."""
        self._closed = True
        if self._looks is not None:
            self._looks.cancel()
            await asyncio.wait({self._looks})
        self._turn_out(partial(StoreClosed, "The database is closed."))
        while self._idle:
            await self._idle.pop().close()
        if self._taken:
            await self._all_back.wait()

    async def _at_home(self) -> None:
        """A server is built in one loop and runs in another: what the first has opened is of no use to the second."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            idle, self._idle, self._loop, self._all_back = self._idle, [], loop, asyncio.Event()
            self._doors = asyncio.Semaphore(CONNECTING)
            self._away = self._looks = None
            for session in idle:
                await session.close()

    def _only_if_there(self) -> None:
        if self._away is not None:
            raise StoreBusy(f"The database cannot be reached: {self._away}")

    async def _own(self, until: float) -> Session:
        """One that is idle, else a new one. Whoever fails to get one makes room for the next."""
        try:
            session = await self._idle_one() or await self._new(until)
        except BaseException:
            self._pass_on(None)
            raise
        self._used.add(session)
        return session

    async def _idle_one(self) -> Session | None:
        while self._idle:
            session = self._idle.pop()
            if not session.lost:
                return session
            await session.close()
        return None

    async def _new(self, until: float) -> Session:
        try:
            async with asyncio.timeout_at(until), self._doors:
                # those who stood in line before may have found out
                self._only_if_there()
                return await self._connected()
        except TimeoutError:
            raise StoreBusy("No connection could be opened in time.") from None
        except (psycopg.OperationalError, OSError) as error:
            # one that has no room for more may yet answer those who are in
            if all(session.lost for session in self._used):
                self.is_away(str(error))
            raise StoreBusy(f"The database cannot be reached: {error}") from error

    async def _connected(self) -> Session:
        """
        Raises:
            OperationalError, OSError.
        """
        try:
            async with asyncio.timeout(CONNECT_SECONDS) as limit:
                return await Session.opened(self._conninfo)
        except TimeoutError as error:
            if limit.expired():
                raise OSError(f"no connection within {CONNECT_SECONDS:g} s") from error
            raise

    async def _look(self) -> None:
        """Now and then, each process at times of its own."""
        began, wait = asyncio.get_running_loop().time(), FIRST_LOOK_SECONDS
        while self._idle:
            await self._idle.pop().close()
        while True:
            await asyncio.sleep(random.uniform(wait / 2, wait))
            if await self._answers():
                break
            wait = min(2 * wait, LOOK_SECONDS)
        self._away = None
        log.warning("the database is back after %.1f s", asyncio.get_running_loop().time() - began)

    async def _answers(self) -> bool:
        try:
            session = await self._connected()
        except (psycopg.OperationalError, OSError):
            return False
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await session.run(None, [SAYS])
        except (Failed, Lost, TimeoutError):
            return False
        finally:
            await session.close()
        return True

    def _turn_out(self, why: Callable[[], Exception]) -> None:
        """All who wait."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_exception(why())
                turn.exception()

    def _pass_on(self, session: Session | None) -> None:
        """The place, with its session if it is good, to who waits longest."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(session)
                return
        self._taken -= 1
        if session is not None:
            self._idle.append(session)
        if self._closed and not self._taken:
            self._all_back.set()

    def _not_waited_for(self, turn: asyncio.Future[Session | None]) -> None:
        """A turn that came while its owner left goes to the next."""
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._pass_on(turn.result())
            return
        turn.cancel()
        with suppress(ValueError):
            self._queue.remove(turn)

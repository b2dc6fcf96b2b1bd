"""A bounded number of sessions, and a bounded number of those who wait for one, each for a bounded time."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from time import perf_counter

import psycopg

from .database import Load, StoreBusy, StoreClosed, Waited, nobody_told
from .postgres_session import Session


class Pool:
    """
    Args:
        waiting: how many may wait for a session; one more is refused at once.
        seconds: how long each may.
        waited: is told how long each did, whether in vain or not.
    """

    def __init__(self, conninfo: str, most: int, waiting: int, seconds: float, waited: Waited = nobody_told) -> None:
        self._waited = waited
        self._conninfo, self._most, self._waiting, self._seconds = conninfo, most, waiting, seconds
        self._idle: list[Session] = []
        self._queue: deque[asyncio.Future[Session | None]] = deque()
        self._taken = 0
        self._closed = False
        self._all_back = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def take(self) -> Session:
        """A session that is good as far as we know; to be given to `free` afterwards.

        Raises:
            StoreBusy: too many wait, none came free in time, or the database cannot be reached.
            StoreClosed.
        """
        began = perf_counter()
        try:
            return await self._take()
        finally:
            self._waited(perf_counter() - began)

    def load(self) -> Load:
        return Load(self._taken, len(self._queue))

    async def _take(self) -> Session:
        if self._closed:
            raise StoreClosed("The database is closed.")
        await self._at_home()
        if self._taken < self._most:
            self._taken += 1
            return await self._own()
        if len(self._queue) >= self._waiting:
            raise StoreBusy(f"{len(self._queue)} batches wait already.")
        turn: asyncio.Future[Session | None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._seconds):
                session = await asyncio.shield(turn)
        except BaseException as error:
            self._not_waited_for(turn)
            if isinstance(error, TimeoutError):
                raise StoreBusy(f"No connection came free within {self._seconds:g} s.") from None
            raise
        return session or await self._own()

    async def free(self, session: Session) -> None:
        """Give it back, or let go of it if it is lost."""
        kept = not session.lost and not self._closed
        if not kept:
            await session.close()
        self._pass_on(session if kept else None)

    async def close(self) -> None:
        """Let what has begun end; who only waits is told."""
        self._closed = True
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_exception(StoreClosed("The database is closed."))
                turn.exception()
        while self._idle:
            await self._idle.pop().close()
        if self._taken:
            await self._all_back.wait()

    async def _at_home(self) -> None:
        """A server is built in one loop and runs in another: what the first has opened is of no use to the second."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            idle, self._idle, self._loop, self._all_back = self._idle, [], loop, asyncio.Event()
            for session in idle:
                await session.close()

    async def _own(self) -> Session:
        """One that is idle, else a new one. Whoever fails to get one makes room for the next."""
        try:
            while self._idle:
                session = self._idle.pop()
                if not session.lost:
                    return session
                await session.close()
            async with asyncio.timeout(self._seconds):
                return await Session.opened(self._conninfo)
        except (psycopg.OperationalError, TimeoutError, OSError) as error:
            self._pass_on(None)
            raise StoreBusy(f"The database cannot be reached: {error}") from error
        except BaseException:
            self._pass_on(None)
            raise

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

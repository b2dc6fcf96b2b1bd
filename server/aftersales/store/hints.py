"""Tells other processes on a PostgreSQL that something was committed. Only a hint: who hears none looks by itself."""

import asyncio
import logging
import random
from collections.abc import Callable
from uuid import uuid4

import psycopg

from .database import Database, Statement, StoreBusy
from .postgres_migrate import connected

log = logging.getLogger("aftersales.hints")

CHANNEL = "aftersales"
# What is committed meanwhile is told at once: each telling takes a lock that all commits of the server share.
TOGETHER_SECONDS = 0.01
# Until a lost connection is tried anew, each process at times of its own; at most so much, after a few tries.
RETRY_SECONDS, MOST_SECONDS = 1.0, 5.0
# A connection that says nothing may be dead without our knowing: after so much silence it is asked.
SILENT_SECONDS, ANSWER_SECONDS = 5.0, 5.0


class Hints:
    """
    Args:
        heard: called when another process has committed something, or may have.
        silent: after so many seconds without a word the connection is asked whether it lives.
    """

    def __init__(self, url: str, database: Database, heard: Callable[[], None], silent: float = SILENT_SECONDS) -> None:
        self._silent = silent
        self._url, self._database, self._heard = url, database, heard
        self._own = uuid4().hex
        self._said = asyncio.Event()

    def announce(self, changes: object) -> None:
        self._said.set()

    async def run(self) -> None:
        """Until canceled. What fails is tried again, and nobody misses it but for a second."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._tell())
            both.create_task(self._listen())

    async def _tell(self) -> None:
        while True:
            await self._said.wait()
            self._said.clear()
            try:
                # outside the transaction that wrote
                await self._database.read(Statement(f"SELECT pg_notify('{CHANNEL}', ?)", (self._own,)))
            except StoreBusy as busy:
                # the others look by themselves; and what keeps the database busy, the store has said
                log.debug("the other processes could not be told: %s", busy)
            except Exception as error:
                log.warning("the other processes could not be told: %s", error)
            await asyncio.sleep(TOGETHER_SECONDS)

    async def _listen(self) -> None:
        deaf, wait = False, RETRY_SECONDS
        while True:
            try:
                async with connected(self._url) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}".encode())
                    if deaf:
                        log.warning("the other processes are heard again")
                    deaf, wait = False, RETRY_SECONDS
                    await self._hear(connection)
            except (psycopg.OperationalError, OSError) as error:
                if not deaf:
                    log.warning("the other processes cannot be heard: %s", error)
                deaf = True
            await asyncio.sleep(random.uniform(wait / 2, wait))
            wait = min(2 * wait, MOST_SECONDS)

    async def _hear(self, connection: psycopg.AsyncConnection) -> None:
        """
        Raises:
            OperationalError, TimeoutError: the connection is lost, or nobody answers at its other end.
        """
        while True:
            # whatever was told before we listened, or while we asked
            self._heard()
            async for notice in connection.notifies(timeout=self._silent):
                if notice.payload != self._own:
                    self._heard()
            async with asyncio.timeout(ANSWER_SECONDS):
                await connection.execute(b"SELECT 1")

"""Tells other processes on a PostgreSQL that something was committed. Only a hint: who hears none looks by itself."""

import asyncio
import logging
from collections.abc import Callable
from uuid import uuid4

import psycopg

from .database import Database, Statement
from .postgres_migrate import connected

log = logging.getLogger("aftersales.hints")

CHANNEL = "aftersales"
# What is committed meanwhile is told at once: each telling takes a lock that all commits of the server share.
TOGETHER_SECONDS = 0.01
RETRY_SECONDS = 1.0


class Hints:
    """
    Args:
        heard: called when another process has committed something, or may have.
    """

    def __init__(self, url: str, database: Database, heard: Callable[[], None]) -> None:
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
            except Exception as error:
                log.warning("the other processes could not be told: %s", error)
            await asyncio.sleep(TOGETHER_SECONDS)

    async def _listen(self) -> None:
        while True:
            try:
                async with connected(self._url) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}".encode())
                    # whatever was told before we listened
                    self._heard()
                    async for notice in connection.notifies():
                        if notice.payload != self._own:
                            self._heard()
            except psycopg.OperationalError as error:
                log.warning("the other processes cannot be heard: %s", error)
            await asyncio.sleep(RETRY_SECONDS)

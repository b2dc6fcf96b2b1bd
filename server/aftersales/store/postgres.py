"""PostgreSQL as a `Database`: each batch is one transaction and, as a rule, one round trip."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .database import Load, OutcomeUnknown, Row, Statement, StoreBusy, StoreFull, Waited, nobody_told, under_way
from .postgres_pool import HOST_SECONDS, Pool
from .postgres_session import READS, WRITES, Failed, Lost, Session
from .postgres_sql import WRONG_COUNT
from .urls import CONNECTIONS, SECONDS, WAITING

TRIES = 4
# Of what a batch may take: to stop it, and to hear what came of it.
STOPPING_SECONDS = 1.0

# Nothing was done, and the same may go well at once: serialization, deadlock.
AGAIN = {"40001", "40P01"}
# The same, by another connection: what this one has prepared, a migration or a pooler in between has outdated.
OUTDATED = {"0A000", "26000"}
# Nothing was done, and the same may go well later: a limit of time, of connections or of locks.
LATER = {"57014", "55P03", "53300", "53200", "25P03", "25P04"}
# Nothing was done, as the server's disk has no room.
FULL = "53100"
# Nothing was done, and this connection is of no more use: the server goes down, or has become a standby.
ELSEWHERE = {"57P01", "57P02", "57P03", "57P05", "25006"}


class PostgresDatabase:
    """Made by `open`."""

    shared = True

    def __init__(self, pool: Pool, seconds: float) -> None:
        self._pool = pool
        self._seconds = seconds
        self._left: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls, url: str, *, connections: int = CONNECTIONS, waiting: int = WAITING, seconds: float = SECONDS,
        waited: Waited = nobody_told,
    ) -> PostgresDatabase:  # fmt: skip
        """
        Args:
            connections: at once, at most.
            waiting: batches that may wait for one of them; one more is refused with `StoreBusy`.
            seconds: that a batch may take, with all that it waits for.

        Raises:
            StoreBusy: the database cannot be reached.
        """
        database = cls(Pool(conninfo(url, seconds), connections, waiting, waited), seconds)
        try:
            await database.read(Statement("SELECT 1"))
        except BaseException:
            await database.close()
            raise
        return database

    async def read(self, *statements: Statement) -> list[list[Row]]:
        # one statement sees one instant by itself
        return await self._tried(READS if len(statements) > 1 else None, statements)

    async def write(self, *statements: Statement) -> list[list[Row]]:
        return await self._tried(WRITES, statements)

    async def scrub(self) -> None:
        """Nothing: the server's own vacuum clears away what rows were, and its log goes with the time it is kept."""

    def load(self) -> Load:
        return self._pool.load()

    async def close(self) -> None:
        if self._left:
            await asyncio.wait(self._left)
        await self._pool.close()

    async def _tried(self, begin: bytes | None, statements: Sequence[Statement]) -> list[list[Row]]:
        with under_way(self._seconds) as until:
            for left in reversed(range(TRIES)):
                try:
                    return await self._run(begin, statements, until)
                except Lost as lost:
                    if lost.unknown:
                        raise OutcomeUnknown("The connection was lost before the database had said whether.") from lost
                    if not left:
                        raise StoreBusy("The database cannot be reached.") from lost
                except Failed as failed:
                    if failed.code not in AGAIN | OUTDATED or not left:
                        raise _told(failed) from failed.error
                    # two that stood in each other's way should not meet again
                    await asyncio.sleep(random.uniform(0, 0.02))
        raise AssertionError("the last try either answers or raises")

    async def _run(self, begin: bytes | None, statements: Sequence[Statement], until: float) -> list[list[Row]]:
        session = await self._pool.take(until)
        left = until - asyncio.get_running_loop().time()
        running = asyncio.create_task(session.run(begin, statements))
        try:
            done, _ = await asyncio.wait({running}, timeout=max(left - STOPPING_SECONDS, left / 2))
            # too long: what came of it is known only if the server says so in time
            ended = done or await _stopped(session, running)
        except asyncio.CancelledError:
            self._leave(session, running)
            raise
        if not ended:
            self._pool.is_away("It does not answer.")
        await self._over(session, running)
        if ended:
            return running.result()
        if begin is WRITES:
            raise Lost(unknown=True)
        raise StoreBusy(f"The database has not answered within {left:g} s.")

    async def _over(self, session: Session, running: asyncio.Task[Any]) -> None:
        if not running.done():
            await session.close()
            running.cancel()
            await asyncio.wait({running})
        error = None if running.cancelled() else running.exception()
        if not isinstance(error, Failed | None) or (isinstance(error, Failed) and error.code in ELSEWHERE | OUTDATED):
            await session.close()
        await self._pool.free(session)

    def _leave(self, session: Session, running: asyncio.Task[Any]) -> None:
        """Nobody waits for it any more: stop it at the server. Whole or not at all, as it happens to be."""

        async def stop() -> None:
            await _stopped(session, running)
            await self._over(session, running)

        task = asyncio.create_task(stop())
        self._left.add(task)
        task.add_done_callback(self._left.discard)


async def _stopped(session: Session, running: asyncio.Task[Any]) -> bool:
    """Ask the server to stop it. Whether it has ended by then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(STOPPING_SECONDS):
            with suppress(psycopg.Error):
                # one that cannot be asked is away, which the pool says
                await session.cancel()
            await asyncio.wait({running})
    return running.done()


def conninfo(url: str, seconds: float) -> str:
    """The URL with what bounds each wait, unless the URL itself says otherwise."""
    given = conninfo_to_dict(url)
    milliseconds = int(seconds * 1000)
    options = (
        f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        f" -c idle_in_transaction_session_timeout={milliseconds} -c jit=off -c TimeZone=UTC"
    )
    ours: dict[str, str | int] = {
        "connect_timeout": HOST_SECONDS,
        "application_name": "aftersales",
        "keepalives_idle": 30,
        "tcp_user_timeout": 2 * milliseconds,
    }
    return make_conninfo("", **{**ours, **given, "options": f"{options} {given.get('options', '')}"})


def _told(failed: Failed) -> Exception:
    statement, code = failed.statement, failed.code
    if statement is not None and statement.rows is not None and code == WRONG_COUNT:
        return statement.refusal()
    if code == FULL:
        return StoreFull(f"There is no room on the database's disk: {failed}")
    if code in LATER | ELSEWHERE | AGAIN | OUTDATED:
        return StoreBusy(f"The database had no time for it: {failed}")
    return failed.error

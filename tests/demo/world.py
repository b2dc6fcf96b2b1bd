"""A demo's world in process, at an instant of one's choice."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from aftersales.demo.history import Almanac
from aftersales.demo.making import built, make
from aftersales.running import Running
from aftersales.settings import Settings
from aftersales.store.database import Database, Statement


async def made(folder: Path, now: datetime, seed: int = 2) -> Path:
    path = folder / "demo.sqlite3"
    await make(path, Settings(), seed, now)
    return path


@asynccontextmanager
async def taken_up(path: Path, now: datetime) -> AsyncIterator[tuple[Running, Almanac]]:
    almanac = Almanac(now)
    running = await built(Settings(database=f"sqlite://{path}"), almanac)
    try:
        yield running, almanac
    finally:
        await running.close()


async def rows(database: Database, sql: str, *args: Any) -> list[tuple[Any, ...]]:
    [found] = await database.read(Statement(sql, args))
    return found


@contextmanager
def logged(name: str, times: int) -> Iterator[asyncio.Event]:
    """Set once the logger has said so many things."""
    enough, logger, heard = asyncio.Event(), logging.getLogger(name), []

    def hear(record: logging.LogRecord) -> bool:
        heard.append(record)
        if len(heard) >= times:
            enough.set()
        return False

    logger.addFilter(hear)
    try:
        yield enough
    finally:
        logger.removeFilter(hear)

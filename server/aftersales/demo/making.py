"""Makes the demo's world as a database: in a process of its own, whose memory ends with it."""

import asyncio
import logging
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from ..running import Running, build
from ..settings import CannotStart, Settings
from ..store.database import Statement
from ..store.migrate import migrate
from ..store.urls import open_database, path_of
from ..tender import Clock
from .catalog import UNPAYABLE
from .gateway import DemoGateway, demo_plugin
from .history import Almanac, History
from .people import buyer_id

SEED = 2
FILE = "demo.sqlite3"


async def make_apart(path: Path, seed: int = SEED) -> None:
    """As `make`, without what it takes: the server stays as small as one that found its world ready.

    Raises:
        CannotStart: it went wrong; the other process has said how.
    """
    maker = await asyncio.create_subprocess_exec(sys.executable, "-m", __package__, str(path), str(seed))
    try:
        if await maker.wait():
            raise CannotStart("The demo's world could not be made.")
    finally:
        if maker.returncode is None:
            maker.terminate()
            await maker.wait()


async def make(path: Path, settings: Settings, seed: int = SEED, now: datetime | None = None) -> None:
    """In a folder beside it, and moved when it is whole: if this is killed on its way, all begins anew.

    Args:
        now: when the past ends; now, if not given.
    """
    folder = path.with_name(path.name + ".making")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    unfinished, now = folder / FILE, now or datetime.now(UTC)
    url = f"sqlite://{unfinished}"
    await migrate(url)
    almanac = Almanac(now)
    running = await built(replace(settings, database=url, evidence=None), almanac)
    try:
        await running.database.write(*CARELESS)
        with _hushed("aftersales.tender"):
            await History(running.desk, running.tender, almanac, Random(seed), now).make()
    finally:
        await running.close()
    book_of(unfinished).replace(book_of(path))
    unfinished.replace(path)
    shutil.rmtree(folder, ignore_errors=True)


# What is thrown away unless it is whole need not be safe on the disk after each act: a slow one would take ten times
# as long. The setting does not hold within a transaction, so it is put between two.
CARELESS = (Statement("COMMIT"), Statement("PRAGMA synchronous = OFF"), Statement("BEGIN IMMEDIATE"))


async def built(settings: Settings, clock: Clock) -> Running:
    """The server of a demo: its gateway has a book of its own, beside the database."""
    book = await open_database(f"sqlite://{book_of(path_of(settings.database))}")
    gateway = await DemoGateway.open(book, frozenset({buyer_id(UNPAYABLE)}))
    return await build(settings, clock=clock, plugins=[demo_plugin(gateway)], closing=[gateway.close])


def book_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}.payments{path.suffix}")


@contextmanager
def _hushed(name: str) -> Iterator[None]:
    """In the past some refunds failed, as they should; nobody need be alarmed."""
    logger = logging.getLogger(name)
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False

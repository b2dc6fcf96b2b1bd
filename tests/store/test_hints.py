"""Hints between processes: heard again by itself, also after a connection that went silent without a word."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from tests.store.wire import Wire
from tests.transport.world import until

from aftersales.store.hints import CHANNEL, Hints
from aftersales.store.urls import open_database
from aftersales.testing import places

pytestmark = pytest.mark.engine("postgres")  # a file has one process


@pytest.fixture
async def url(_own_databases: None, tmp_path: Path) -> str:
    return await places.place(tmp_path / "hints.sqlite3")


@pytest.mark.parametrize("how", ["silent", "gone"])
async def test_whoever_was_lost_is_heard_again(url: str, how: str) -> None:
    heard = asyncio.Event()
    database = await open_database(url)
    async with Wire(url) as wire, await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
        listening = asyncio.create_task(Hints(wire.url, database, heard.set, silent=0.1).run())
        async with asyncio.timeout(30):
            await heard.wait()
            joined = wire.joined
            if how == "silent":
                # the old connection stays as it is: open, and nobody at its other end
                wire.deaf = True
                await until(lambda: wire.joined > joined)
                wire.deaf = False
            else:
                await wire.cut()
                await wire.mend()
            # what is told before it listens again, it looks for by itself
            heard.clear()
            await heard.wait()
            heard.clear()
            await other.execute(f"NOTIFY {CHANNEL}, 'another'".encode())
            await heard.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    await database.close()

"""What a caller is told when the database does not answer: never a no that may be a yes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.graphql.server import BUYER, JAKARTA, MONDAY, SELLER, Bring, Open, PaysAtOnce, Server, StandingClock
from tests.store.wire import Wire

from aftersales.registry import Plugin
from aftersales.running import build
from aftersales.settings import Settings
from aftersales.store.database import Statement
from aftersales.store.urls import open_database
from aftersales.testing import places

pytestmark = pytest.mark.engine("postgres")  # SQLite answers, or the process is gone

APPROVE = """
    mutation($input: RefundOnlyApproveInput!) { refundOnlyApprove(input: $input) { replayed request { version } } }
"""
APPROVED = Statement("SELECT COUNT(*) FROM requests WHERE version = 2")


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    async with Wire(await places.place(tmp_path / "far.sqlite3")) as wire:
        yield wire


@pytest.fixture
async def server(wire: Wire, tmp_path: Path) -> AsyncIterator[Server]:
    gateway, clock = PaysAtOnce(), StandingClock(MONDAY)
    settings = Settings(database=wire.url, evidence=f"file://{tmp_path / 'far.evidence'}", database_connections=2)
    running = await build(settings, clock=clock, plugins=[Plugin("test", "1.0", gateway)])
    await running.desk.ledger.import_shops([JAKARTA])
    yield Server(running, clock, gateway)
    await running.close()


async def test_a_commit_whose_answer_was_lost_is_unknown_and_its_key_settles_it(
    server: Server, opened: Open, wire: Wire, tmp_path: Path
) -> None:
    request = await opened()
    decision = {"requestId": request["id"], "expectedVersion": 1, "idempotencyKey": "yes"}
    beside = await open_database(await places.place(tmp_path / "far.sqlite3"))

    # lost from the moment at which the change is sent: what was read before has come
    wire.deaf_from = b"READ WRITE"
    lost = asyncio.create_task(server.run(APPROVE, SELLER, input=decision))
    while await beside.read(APPROVED) == [[(0,)]]:
        continue
    await wire.cut()
    told = await lost
    await wire.mend()
    again = await server.ask(APPROVE, SELLER, input=decision)

    assert told.errors
    assert told.errors[0].extensions == {"code": "OUTCOME_UNKNOWN", "retryable": True}
    assert again["refundOnlyApprove"] == {"replayed": True, "request": {"version": 2}}
    await beside.close()


async def test_a_database_that_is_away_is_busy_and_back_again(
    server: Server, opened: Open, bring: Bring, wire: Wire
) -> None:
    request = await opened()
    document = "query($id: ID!) { request(by: {id: $id}) { version } }"

    await wire.cut()
    away = await server.run(document, BUYER, id=request["id"])
    await wire.mend()
    async with asyncio.timeout(10):
        # it is found again by itself
        while (back := await server.run(document, BUYER, id=request["id"])).errors:
            continue

    assert away.errors
    assert away.errors[0].extensions == {"code": "BUSY", "retryable": True}
    assert away.errors[0].message == "The server cannot do this now, and did nothing of it. Ask again in a moment."
    assert back.data == {"request": {"version": 1}}

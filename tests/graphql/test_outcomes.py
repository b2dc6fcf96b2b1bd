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
SHOWN_WITH_HISTORY = """
    mutation($input: RefundOnlyApproveInput!) {
        refundOnlyApprove(input: $input) { replayed request { version history { nodes { type } } } }
    }
"""
AGAIN = {
    "en": "The server cannot do this now. Ask again in a moment, with the same idempotencyKey if any.",
    "id": "Server tidak dapat melakukannya sekarang. Kirim ulang yang sama sebentar lagi,"
    " dengan idempotencyKey yang sama jika ada.",
}
VERSION = "query($id: ID!) { request(by: {id: $id}) { version } }"
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


async def test_what_was_done_and_cannot_be_shown_is_not_told_as_undone(
    server: Server, opened: Open, wire: Wire
) -> None:
    request = await opened()
    decision = {"requestId": request["id"], "expectedVersion": 1, "idempotencyKey": "yes"}

    wire.deaf_from = b"FROM events"
    telling = asyncio.create_task(server.run(SHOWN_WITH_HISTORY, SELLER, "id", input=decision))
    async with asyncio.timeout(10):
        while not wire.deaf:  # noqa: ASYNC110 - the wire has no event
            await asyncio.sleep(0)
    await wire.cut()
    told = await telling
    await wire.mend()
    async with asyncio.timeout(10):
        while (await server.run(VERSION, SELLER, id=request["id"])).errors:
            continue
    again = (await server.ask(SHOWN_WITH_HISTORY, SELLER, input=decision))["refundOnlyApprove"]

    assert told.errors
    assert (told.errors[0].extensions, told.errors[0].message) == ({"code": "BUSY", "retryable": True}, AGAIN["id"])
    assert (again["replayed"], again["request"]["version"]) == (True, 2)


@pytest.mark.parametrize("language", AGAIN)
async def test_a_database_that_is_away_is_busy_and_back_again(
    server: Server, opened: Open, bring: Bring, wire: Wire, language: str
) -> None:
    request = await opened()

    await wire.cut()
    away = await server.run(VERSION, BUYER, language, id=request["id"])
    await wire.mend()
    async with asyncio.timeout(10):
        # it is found again by itself
        while (back := await server.run(VERSION, BUYER, id=request["id"])).errors:
            continue

    assert away.errors
    assert away.errors[0].extensions == {"code": "BUSY", "retryable": True}
    assert away.errors[0].message == AGAIN[language]
    assert back.data == {"request": {"version": 1}}

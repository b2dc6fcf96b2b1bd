"""How often a mutation goes to a database that is far away: three times at the very most."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.graphql.server import BUYER, JAKARTA, MONDAY, SELLER, Bring, PaysAtOnce, Server, StandingClock, line
from tests.store.wire import Wire

from aftersales.registry import Plugin
from aftersales.running import build
from aftersales.settings import Settings
from aftersales.testing import places

pytestmark = pytest.mark.engine("postgres")  # SQLite is no way off

MOST = 3


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    async with Wire(await places.place(tmp_path / "far.sqlite3")) as wire:
        yield wire


@pytest.fixture
async def server(wire: Wire, tmp_path: Path) -> AsyncIterator[Server]:
    """As the one of this folder, behind a wire that is counted on."""
    gateway, clock = PaysAtOnce(), StandingClock(MONDAY)
    settings = Settings(database=wire.url, evidence=f"file://{tmp_path / 'far.evidence'}", database_connections=1)
    running = await build(settings, clock=clock, plugins=[Plugin("test", "1.0", gateway)])
    await running.desk.ledger.import_shops([JAKARTA])
    yield Server(running, clock, gateway)
    await running.close()


async def test_a_mutation_goes_to_the_database_and_back_three_times_at_most(
    server: Server, bring: Bring, wire: Wire
) -> None:
    trips: dict[str, int] = {}

    async def act(of: str, mutation: str, actor: Any, **input: Any) -> Any:
        before = wire.trips
        payload = await server.do(mutation, actor, **input)
        trips[of] = wire.trips - before
        return payload

    for time in ("first", "again"):
        order = await bring(time)
        claim = {"orderId": order.id, "lines": [line(order)], "reason": "not_received"}
        request = (await act(f"{time} open", "refundOnlyOpen", BUYER, **claim))["request"]
        decision = {"requestId": request["id"], "expectedVersion": 1, "idempotencyKey": f"yes-{time}"}
        await act(f"{time} approve", "refundOnlyApprove", SELLER, **decision)
        replayed = await act(f"{time} replay", "refundOnlyApprove", SELLER, **decision)
        assert replayed["replayed"]

    # read and write; and for a replay: read, refused by what stands, the key, the record
    assert trips == {
        "first open": 2, "first approve": 2, "first replay": 3,
        "again open": 2, "again approve": 2, "again replay": 3,
    }  # fmt: skip
    assert max(trips.values()) <= MOST

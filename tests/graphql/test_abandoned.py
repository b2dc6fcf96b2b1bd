"""An operation that is ended takes its work in the database with it."""

import asyncio

import pytest
from tests.graphql.server import BUYER, Open, Server
from tests.transport.world import until

from aftersales.store.database import Statement
from aftersales.store.sqlite import SqliteDatabase
from aftersales.store.watched import Watched

pytestmark = pytest.mark.engine("sqlite")  # it counts SQLite's threads; of PostgreSQL: tests/store/test_postgres

ENDLESS = Statement("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n")


@pytest.mark.parametrize(
    "query",
    [
        "query($id: ID!) { request(by: {id: $id}) { number } }",
        "query($id: ID!) { node(id: $id) { id } }",
        "query($id: ID!) { requests { nodes { id } streamCursor totalCount } node(id: $id) { id } }",
    ],
)
async def test_what_an_ended_operation_waits_for_is_not_done(server: Server, opened: Open, query: str) -> None:
    id = (await opened())["id"]
    watched = server.running.database
    assert isinstance(watched, Watched)
    database = watched._database
    assert isinstance(database, SqliteDatabase)

    def waiting() -> int:
        return sum(lane.waiting for lane in database._readers)

    # both readers are at something that never ends, so that whatever else is asked for has to wait
    busy = [asyncio.create_task(database.read(ENDLESS)) for _ in database._readers]
    await until(lambda: all(lane._at for lane in database._readers))
    asked = asyncio.create_task(server.run(query, BUYER, id=id))
    await until(lambda: waiting() > len(busy))
    asked.cancel()
    await until(lambda: waiting() == len(busy))

    for task in busy:
        task.cancel()
    assert (await server.ask(query, BUYER, id=id)).keys()
    assert asked.cancelled()

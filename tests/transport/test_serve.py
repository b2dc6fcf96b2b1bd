"""The server as it is started: ready, asked, followed, told to stop, killed, and started again."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from tests.processes import Server, serving

Copy = Callable[[], tuple[str, ...]]

STREAM = """
    subscription {
      requestStream {
        __typename
        ... on StreamReady { serverTime }
        ... on RequestChanged { event { type } request { number } }
        ... on DeadlineChanged { event { type } request { number } }
      }
    }
"""


@pytest.fixture(scope="module")
def demo(demo_copy: Copy) -> Iterator[Server]:
    """In a hurry, so that something happens."""
    with serving("--speed", "3600", *demo_copy()) as server:
        yield server


def ask(server: Server, name: str | None, query: str, **variables: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {server.tokens[name]}"} if name else {}
    answer = httpx.post(server.url, json={"query": query, "variables": variables}, headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def heard(server: Server, name: str) -> AsyncIterator[dict[str, Any]]:
    """What a follower hears."""
    headers = {"authorization": f"Bearer {server.tokens[name]}", "accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(timeout=30) as client,
        client.stream("POST", server.url, json={"query": STREAM}, headers=headers) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                yield orjson.loads(line.removeprefix("data: "))["data"]["requestStream"]


def test_the_demo_needs_nothing_and_says_where_it_is_and_whom_one_may_be(demo: Server) -> None:
    assert demo.url.startswith("http://127.0.0.1:")
    assert f"Try it in a browser: {demo.url}" in demo.said
    assert [name.split(":")[0] for name in demo.tokens] == ["seller", "seller", "buyer", "agent", "partner", "carrier"]


@pytest.mark.parametrize(
    ("name", "viewer"),
    [
        ("buyer: Dewi", {"party": "BUYER", "id": "by_dewi", "shops": []}),
        ("seller: Mawar Official", {"party": "SELLER", "id": "st_mawar", "shops": [{"market": "ID", "kind": "MALL"}]}),
        ("seller: Siam Outdoor", {"party": "SELLER", "id": "st_siam", "shops": [{"market": "TH", "kind": "NON_MALL"}]}),
        ("agent: Bima", {"party": "PLATFORM", "id": "ag_bima", "shops": []}),
        ("carrier: JNE", {"party": "CARRIER", "id": "ca_jne", "shops": []}),
    ],
)
def test_a_token_is_somebody(demo: Server, name: str, viewer: dict[str, Any]) -> None:
    told = ask(demo, name, "{ me { party id shops { market kind } } }")

    assert told["data"] == {"me": viewer}


def test_each_sees_what_is_theirs(demo: Server) -> None:
    count = "{ requests(first: 1) { totalCount nodes { order { shop { id } } } } }"

    seen = {name: ask(demo, name, count)["data"]["requests"] for name in demo.tokens}

    assert seen["seller: Siam Outdoor"]["nodes"][0]["order"]["shop"]["id"] == "sh_siam"
    assert 0 < seen["buyer: Dewi"]["totalCount"] < seen["seller: Mawar Official"]["totalCount"]
    assert seen["seller: Mawar Official"]["totalCount"] < seen["agent: Bima"]["totalCount"]


def test_a_stranger_may_read_the_schema_and_nothing_else(demo: Server) -> None:
    assert ask(demo, None, "{ __schema { queryType { name } } }")["data"]["__schema"]["queryType"]["name"] == "Query"
    assert ask(demo, None, "{ me { id } }")["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_the_page_to_try_things_on_knows_the_tokens(demo: Server) -> None:
    root = demo.url.removesuffix("/graphql")

    page = httpx.get(demo.url, headers={"accept": "text/html"}).text
    start = httpx.get(f"{root}/page/start.json").json()

    assert "page/main.js" in page
    assert [name for name, _ in start["people"]] == list(demo.tokens)
    assert [id for order in start["orders"] for id in order] == [
        line.strip() for line in demo.said if line.startswith(("  or_", "  ol_"))
    ]
    assert "@contributedBy" in httpx.get(f"{root}/page/schema.graphql").text
    assert httpx.get(f"{root}/").headers["location"] == "/graphql"


def test_it_says_that_it_is_alive_and_ready(demo: Server) -> None:
    root = demo.url.removesuffix("/graphql")

    alive, ready = httpx.get(f"{root}/healthz"), httpx.get(f"{root}/readyz")

    assert (alive.status_code, alive.json()) == (200, {"alive": True})
    assert (ready.status_code, ready.json()) == (200, {"ready": True})


async def test_the_stream_is_never_silent_and_time_flies(demo: Server) -> None:
    async with asyncio.timeout(60):
        items = [item async for item in first(heard(demo, "agent: Bima"), 4)]
        again = [item async for item in first(heard(demo, "agent: Bima"), 1)]

    assert items[0]["__typename"] == again[0]["__typename"] == "StreamReady"
    assert all(item["__typename"] in ("RequestChanged", "DeadlineChanged", "AppealChanged") for item in items[1:])
    passed = datetime.fromisoformat(again[0]["serverTime"]) - datetime.fromisoformat(items[0]["serverTime"])
    assert passed.total_seconds() > 60


async def first(items: AsyncIterator[dict[str, Any]], count: int) -> AsyncIterator[dict[str, Any]]:
    async for item in items:
        yield item
        count -= 1
        if not count:
            return


def test_told_to_stop_it_ends_in_peace_and_is_taken_up_where_it_was_left(demo_copy: Copy) -> None:
    args = ("--speed", "3600", *demo_copy())
    newest = "{ requests(first: 1, sort: CREATED_DESC) { nodes { id createdAt } } }"
    with serving(*args) as server:
        before = ask(server, "agent: Bima", newest)["data"]["requests"]["nodes"][0]
        status = server.end()
    left = sorted(os.listdir(Path(args[-1].removeprefix("sqlite://")).parent))

    with serving(*args) as server:
        found = ask(server, "agent: Bima", "query ($id: ID!) { node(id: $id) { id } }", id=before["id"])
        assert any("taken up where it was left" in line for line in server.said)

    assert status == 0
    assert left == ["demo.evidence", "demo.payments.sqlite3", "demo.sqlite3"]
    assert found["data"] == {"node": {"id": before["id"]}}


@pytest.mark.skipif(os.name == "nt", reason="a process cannot be killed that way there")
def test_killed_and_started_again_it_pays_nothing_twice(demo_copy: Copy) -> None:
    args = ("--speed", "20000", *demo_copy())
    path = Path(args[-1].removeprefix("sqlite://"))
    for _ in range(3):
        with serving(*args) as server:
            ask(server, "agent: Bima", "{ me { id } }")
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()

    with (
        closing(sqlite3.connect(path)) as ours,
        closing(sqlite3.connect(path.with_name("demo.payments.sqlite3"))) as book,
    ):
        paid = {id for (id,) in ours.execute("SELECT id FROM refunds WHERE status = 'PAID' AND amount > 0")}
        known = {id for (id,) in book.execute("SELECT id FROM payments WHERE asked = 1")}
        twice = book.execute("SELECT id FROM payments WHERE asked > 1").fetchall()
        assert ours.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    assert twice == []
    assert paid <= known


def test_a_fresh_default_database_is_made_by_itself(tmp_path: Path) -> None:
    with serving(folder=tmp_path, cold=True) as server:
        told = ask(server, None, "{ __typename }")
        status = server.end()

    assert told["data"] == {"__typename": "Query"}
    assert status == 0
    assert (tmp_path / "aftersales.sqlite3").exists()


def test_without_a_name_the_demo_leaves_nothing_behind_and_the_files_of_others_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    settings = {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "AFTERSALES_EVIDENCE": f"file://{theirs}"}

    with serving("--demo", settings=settings) as server:
        there = os.listdir(tmp_path)
        [folder] = tmp_path.glob("aftersales-demo-*")
        beside = [path.name for path in folder.glob("*.evidence")]
        ended = server.end()

    assert there == [folder.name]
    assert (beside, ended) == (["demo.evidence"], 0)
    assert list(tmp_path.iterdir()) == []

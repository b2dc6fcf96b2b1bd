"""The figures as Prometheus finds them: who may read them, what they count, and what they say when things are gone."""

import asyncio
import json
import re
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from tests.processes import Server, serving
from tests.store.wire import Wire
from tests.transport.test_logs import BUYER, CANARY, NOTE, World, astray, lived, token

from aftersales.engine.refusal import CODES as PROBLEMS
from aftersales.running import build
from aftersales.settings import Settings
from aftersales.store.urls import path_of
from aftersales.testing import places
from aftersales.transport.codes import CODES
from aftersales.watching.exposition import exposed
from aftersales.watching.looking import Looking, one

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"figures are at (http://[^\s\"]+)")

Figures = dict[str, dict[tuple[tuple[str, str], ...], float]]


def address(server: Server) -> str:
    [url] = [found[1] for line in server.said if (found := SHOWN.search(line))]
    return url


def read(text: str) -> Figures:
    """Values by the name of the sample and its labels, in the order of their names."""
    figures: Figures = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            figures.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return figures


def looked(server: Server) -> Figures:
    return read(httpx.get(address(server), timeout=5).text)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("figures")
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"me-1": "query WhoAmI { me { id } }"}))
    settings = {"AFTERSALES_METRICS_PORT": "0", "AFTERSALES_DOCUMENTS": str(manifest)}
    with serving(folder=folder, settings=settings) as server:
        yield World(server, f"sqlite://{folder / 'aftersales.sqlite3'}")


@pytest.fixture(scope="module")
def after(world: World) -> Figures:
    """A request was opened and refused, everything was asked wrongly, and a trusted document was asked for."""
    lived(world)
    astray(world)
    world.post({"documentId": "me-1"}, token(BUYER))
    world.post({"query": f"query {CANARY} {{ me {{ id }} }}"}, token(BUYER))
    return looked(world.server)


def test_they_are_shown_at_an_address_of_their_own_and_nowhere_else(world: World) -> None:
    beside = address(world.server)

    assert beside.startswith("http://127.0.0.1:")
    assert httpx.get(beside).headers["content-type"].startswith("text/plain; version=0.0.4")
    assert httpx.get(beside.replace("/metrics", "/")).status_code == 404
    assert httpx.get(world.server.url.replace("/graphql", "/metrics")).status_code == 404


def test_nobody_listens_unless_it_is_set(tmp_path: Path) -> None:
    with serving(folder=tmp_path) as server:
        assert not [line for line in server.said if SHOWN.search(line)]


def test_transitions_problems_and_errors_are_counted_by_our_own_words(after: Figures) -> None:
    assert after["aftersales_transitions_total"] == {(("kind", "refund_only"), ("rule", "C1")): 1}
    assert after["aftersales_problems_total"] == {(("code", "DUPLICATE"),): 1}
    errors = {dict(labels)["code"] for labels in after["aftersales_errors_total"]}
    assert {"TOKEN_INVALID", "TOKEN_EXPIRED", "JSON_INVALID", "DOCUMENT_INVALID", "NOT_JSON"} <= errors
    assert errors <= CODES | PROBLEMS.keys()


def test_operations_are_timed_by_kind_and_outcome_and_named_only_where_they_are_trusted(after: Figures) -> None:
    outcomes = after["aftersales_operation_seconds_count"]

    assert outcomes[("kind", "mutation"), ("outcome", "done")] == 2
    assert outcomes[("kind", "mutation"), ("outcome", "problems")] == 1
    assert outcomes[("kind", "query"), ("outcome", "done")] == 2
    assert after["aftersales_trusted_operation_seconds_count"] == {(("operation", "WhoAmI"),): 1}


def test_nothing_that_was_sent_is_in_them(world: World, after: Figures) -> None:
    text = httpx.get(address(world.server)).text

    assert CANARY not in text.lower()
    assert NOTE not in text


def test_what_the_database_does_and_the_process_takes_is_there(after: Figures) -> None:
    assert after["aftersales_database_batch_seconds_count"][(("call", "write"),)] >= 2
    assert after["aftersales_database_wait_seconds_count"][()] > 2
    assert after["process_resident_memory_bytes"][()] > 20_000_000
    assert after["process_cpu_seconds_total"][()] > 0
    assert (after["aftersales_database_up"][()], after["aftersales_deadlines_overdue"][()]) == (1, 0)
    assert after["aftersales_loop_lag_seconds"][()] < 0.4


def test_a_clock_that_a_person_must_look_at_is_seen_at_once(world: World, after: Figures) -> None:
    with closing(sqlite3.connect(path_of(world.database))) as database, database:
        database.execute("UPDATE deadlines SET parked_at = due_at WHERE wake_at IS NOT NULL")

    assert parked(world) == 1


def parked(world: World) -> float:
    # an answer is good for a second
    while (found := looked(world.server)["aftersales_deadlines_parked"][()]) == 0:
        continue
    return found


def test_each_figure_stands_in_the_documents_with_its_type_and_labels(world: World, after: Figures) -> None:
    page = (ROOT / "docs" / "observe.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in page.splitlines() if line.startswith("| `aft")]
    told = {name.strip("`"): (type, tuple(re.findall(r"`(\w+)`", labels))) for name, type, labels in rows}
    families = [
        family
        for family in text_string_to_metric_families(httpx.get(address(world.server)).text)
        if family.name.startswith("aftersales_")
    ]
    shown = {family.name + "_total" * (family.type == "counter"): family for family in families}

    assert {name: type for name, (type, _) in told.items()} == {name: f.type for name, f in shown.items()}
    for name, family in shown.items():
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(told[name][1]), name


def test_the_table_of_codes_leaves_none_out() -> None:
    said = set()
    for floor in ("transport", "graphql"):
        for path in (ROOT / "server" / "aftersales" / floor).glob("*.py"):
            said |= set(
                re.findall(r'(?:Turned\(\d+|mistake\([^"]*"[^"]+"|"code":)\s*,?\s*"([A-Z_]+)"', path.read_text())
            )

    assert len(said) > 20
    assert said - CODES - PROBLEMS.keys() - EVIDENCE == set()


# The door of files is no door of GraphQL, and counts nothing.
EVIDENCE = {"ADDRESS_EXPIRED", "ADDRESS_INVALID", "ENCODED", "RANGE_NOT_SATISFIABLE"}


def test_processes_take_the_port_and_those_that_follow_it_also_after_one_has_died(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    settings = {"AFTERSALES_METRICS_PORT": port}
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()

    with ExitStack() as stack:
        first, second = [stack.enter_context(serving(folder=folder, settings=settings)) for folder in folders[:2]]
        shown = [urlsplit(address(server)).port or 0 for server in (first, second)]
        begun = {looked(server)["process_start_time_seconds"][()] for server in (first, second)}
        first.process.kill()
        first.process.wait()
        third = stack.enter_context(serving(folder=folders[2], settings=settings))
        again = urlsplit(address(third)).port

    assert shown[0] == int(port) < shown[1]
    assert len(begun) == 2
    assert again == shown[0]


async def test_they_are_answered_while_the_loop_is_held_up() -> None:
    registry, loop = CollectorRegistry(auto_describe=False), asyncio.get_running_loop()
    got = Event()

    async def look() -> list[Any]:
        return [one("parked", "", 0.0)]

    registry.register(Looking(look, loop))

    def ask(url: str) -> str:
        text = httpx.get(url, timeout=5).text
        got.set()
        return text

    async with showing(registry) as url:
        asking = loop.run_in_executor(None, ask, url)
        answered = got.wait(5)  # and meanwhile nothing else is done here
        held = read(await asking)

    assert answered

    assert held["aftersales_loop_lag_seconds"][()] >= 0.4
    assert held["aftersales_database_up"][()] == 0
    assert "aftersales_parked" not in held


@asynccontextmanager
async def showing(registry: CollectorRegistry) -> AsyncIterator[str]:
    """Its address, once somebody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    task = asyncio.create_task(exposed(registry, "127.0.0.1", port))
    await asyncio.sleep(0)  # it opens its door before it first waits
    try:
        yield f"http://127.0.0.1:{port}/metrics"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.engine("postgres")  # a file is never away
@pytest.mark.parametrize("gone", [lambda wire: wire.cut(), lambda wire: quiet(wire)], ids=["cut", "silent"])
async def test_when_the_database_is_gone_the_process_still_tells_what_it_knows(
    tmp_path: Path, engine: object, gone: Callable[[Wire], Any]
) -> None:
    async with Wire(await places.place(tmp_path / "far.sqlite3")) as wire:
        settings = Settings(database=wire.url, evidence=f"file://{tmp_path / 'files'}", metrics_port=0)
        running = await build(settings)
        await running.house.feed.begin()
        looking = Looking(running.look, asyncio.get_running_loop())
        running.house.watch.figures.registry.register(looking)
        async with showing(running.house.watch.figures.registry) as url, httpx.AsyncClient(timeout=10) as client:
            there = answer = await client.get(url)
            await gone(wire)
            while "aftersales_database_up 1" in answer.text:  # as long as that answer is good
                answer = await client.get(url)
        await wire.cut()
        await running.close()

    figures = read(answer.text)
    assert read(there.text)["aftersales_database_up"][()] == 1
    assert "aftersales_refunds" in read(there.text)
    assert answer.elapsed.total_seconds() < 2
    assert figures["aftersales_database_up"][()] == 0
    assert "aftersales_refunds" not in figures
    assert figures["process_resident_memory_bytes"][()] > 0


async def quiet(wire: Wire) -> None:
    wire.deaf = True

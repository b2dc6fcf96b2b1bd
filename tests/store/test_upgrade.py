"""The release before works on the schema that this one has made, alone and beside it (ADR 0022).

Both are real processes, found by a client over HTTP. The release before is the git ref in `previous-release`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.market import order_rows, order_told, shop_told
from tests.postgres import Postgres, drop, new_database
from tests.processes import Server, environment, run, serving

from aftersales.settings import DEVELOPMENT_SECRET
from aftersales.store.database import Statement
from aftersales.store.imports import ImportedOrder, order_line_id
from aftersales.store.urls import open_database
from aftersales.store.values import micros
from aftersales.transport.tokens import mint

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "schema" / "operations"
REF = Path(__file__).with_name("previous-release").read_text().strip()
SECONDS = 30.0


@pytest.fixture(scope="module")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What makes a process run it."""
    if not (ROOT / ".git").exists():
        pytest.skip(f"no release before to upgrade from: there is no git history here to take {REF} from")
    archived = subprocess.run(["git", "archive", REF, "server", "plugins"], cwd=ROOT, capture_output=True)
    if archived.returncode:
        pytest.skip(f"no release before to upgrade from: {REF} is not in this git history: {archived.stderr.decode()}")
    folder = tmp_path_factory.mktemp("before")
    subprocess.run(["tar", "-x"], cwd=folder, input=archived.stdout, check=True)
    parts = [folder / "server", *sorted((folder / "plugins").iterdir())]
    settings = {"PYTHONPATH": os.pathsep.join(map(str, parts))}
    told = "import aftersales, aftersales_refund_only as r; print(aftersales.__file__, r.__file__)"
    found = subprocess.run([sys.executable, "-c", told], env=environment(settings), capture_output=True, text=True)
    assert [Path(name).is_relative_to(folder) for name in found.stdout.split()] == [True, True], found
    return settings


@pytest.fixture
def url(engine: Postgres | None, tmp_path: Path) -> Iterator[str]:
    """A database that this release has migrated from nothing, with a shop and orders in it."""
    url = f"sqlite://{tmp_path / 's.db'}" if engine is None else new_database(migrated=False)
    assert run("migrate", "--database", url).returncode == 0
    told = [{"shop": shop_told()}, *({"order": order} for order in ORDERS)]
    brought = run("import", "-", "--database", url, input="\n".join(map(json.dumps, told)))
    assert brought.returncode == 0, brought.stdout + brought.stderr
    yield url
    if engine is not None:
        drop(url)


YESTERDAY = datetime.now(UTC) - timedelta(days=1)
ORDERS = [
    order_told(
        f"A{number}",
        placedAt=(YESTERDAY - timedelta(days=2)).isoformat(),
        deliveredAt=YESTERDAY.isoformat(),
    )
    for number in range(8)
]


def token(party: str, sub: str, **more: Any) -> dict[str, str]:
    claims = {"sub": sub, "party": party, **more}
    return {"authorization": f"Bearer {mint(DEVELOPMENT_SECRET, claims, timedelta(hours=1), now=datetime.now(UTC))}"}


BUYER = token("buyer", "ani")
SELLER = token("seller", "owner", shops=["jakarta"], grants=["*"])
AGENT = token("platform", "dewi", grants=["*"])


@dataclass
class Release:
    """A server of some release, and what was asked of it."""

    server: Server
    name: str

    def do(self, name: str, who: dict[str, str], **input: Any) -> Any:
        """A mutation that must be done; answers with the request."""
        document = (OPERATIONS / f"{name}.graphql").read_text()
        key = f"{self.name}-{name}-{input.get('orderId') or input.get('requestId')}"
        variables = {"input": {"idempotencyKey": key, **input}}
        answer = httpx.post(self.server.url, json={"query": document, "variables": variables}, headers=who, timeout=60)
        assert answer.status_code == 200, answer.text
        [payload] = answer.json()["data"].values()
        assert payload["problems"] == [], payload
        return payload["request"]

    def open(self, number: int) -> str:
        order = imported(number)
        lines = [{"orderLineId": order_line_id(order.id, 0), "quantity": 1}]
        return str(self.do("RefundOnlyOpen", BUYER, orderId=order.id, lines=lines, reason="not_received")["id"])

    def approve(self, id: str) -> None:
        self.do("RefundOnlyApprove", SELLER, requestId=id, expectedVersion=1)

    def types(self, id: str) -> list[str]:
        """Of the request's history, from the first."""
        document = "query($id: ID!) { request(by: {id: $id}) { history(first: 50) { nodes { type version } } } }"
        told = httpx.post(self.server.url, json={"query": document, "variables": {"id": id}}, headers=AGENT, timeout=60)
        return [node["type"] for node in reversed(told.json()["data"]["request"]["history"]["nodes"])]

    @contextmanager
    def follow(self, who: dict[str, str], after: str | None = None) -> Iterator["Heard"]:
        document = (OPERATIONS / "RequestStream.graphql").read_text()
        body = {"query": document, "variables": {"after": after}}
        headers = {**who, "accept": "text/event-stream"}
        with httpx.stream("POST", self.server.url, json=body, headers=headers, timeout=SECONDS) as answer:
            heard = Heard(answer.iter_lines())
            assert heard.next()["__typename"] == "StreamReady"
            yield heard


class Heard:
    """What a follower hears, in order."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.cursor = ""

    def next(self) -> Any:
        for line in self.lines:
            if line.startswith("data: {"):
                item = json.loads(line.removeprefix("data: "))["data"]["requestStream"]
                self.cursor = item["cursor"]
                return item
        raise AssertionError("the stream ended")

    def until(self, type: str, id: str) -> list[str]:
        """What the request's events are, up to one of a type."""
        return self.all_until({id: type})[id]

    def all_until(self, last: dict[str, str]) -> dict[str, list[str]]:
        """What each request's events are, until each has had one of its type."""
        types: dict[str, list[str]] = {id: [] for id in last}
        while not all(last[id] in each for id, each in types.items()):
            item = self.next()
            if "event" in item and item["request"]["id"] in types:
                types[item["request"]["id"]].append(item["event"]["type"])
        return types


def imported(number: int) -> ImportedOrder:
    [row] = order_rows(ORDERS[number], at=datetime.now(UTC))
    order = row.told
    assert isinstance(order, ImportedOrder)
    return order


async def run_out(url: str, *ids: str) -> None:
    """Let the first clock of each be over, as two days of silence would."""
    past = micros(datetime.now(UTC) - timedelta(seconds=1))
    database = await open_database(url)
    for id in ids:
        await database.write(
            Statement("UPDATE deadlines SET due_at = ?, wake_at = ? WHERE request_id = ?", (past, past, id), 1),
            Statement("UPDATE requests SET next_due_at = ? WHERE id = ?", (past, id), 1),
        )
    await database.close()


@contextmanager
def serves(name: str, url: str, settings: dict[str, str] | None = None) -> Iterator[Release]:
    with serving("--database", url, settings=settings) as server:
        yield Release(server, name)
        assert server.end() == 0, "\n".join(server.said)


@pytest.mark.engine("sqlite")  # of PostgreSQL: below
async def test_on_a_file_each_release_goes_on_where_the_other_has_left_it(
    url: str, release_before: dict[str, str]
) -> None:
    with serves("new", url) as new, new.follow(SELLER) as heard:
        first, second = new.open(0), new.open(1)
        heard.until("RequestCreated", second)
        cursor = heard.cursor

    with serves("old", url, release_before) as old, old.follow(SELLER, cursor) as heard:
        old.approve(first)
        heard.until("RequestApproved", first)
        await run_out(url, second)
        assert "RequestApproved" in heard.until("DeadlineExpired", second)
        third = old.open(2)
        cursor = heard.cursor
        told = {id: old.types(id) for id in (first, second, third)}

    with serves("new-again", url) as new, new.follow(SELLER, cursor) as heard:
        heard.until("RequestCreated", third)
        await run_out(url, third)
        assert "RequestApproved" in heard.until("DeadlineExpired", third)
        assert {id: new.types(id)[: len(each)] for id, each in told.items()} == told
        assert new.types(third).count("DeadlineExpired") == 1


@pytest.mark.engine("postgres")  # of SQLite: above
async def test_the_release_before_works_alone_and_beside_this_one_on_what_this_one_has_migrated(
    url: str, release_before: dict[str, str]
) -> None:
    with ExitStack() as olds:
        old = olds.enter_context(serves("old", url, release_before))
        with old.follow(SELLER) as heard, old.follow(AGENT) as all_heard:
            alone = old.open(0)
            await run_out(url, alone)
            assert "RequestApproved" in heard.until("DeadlineExpired", alone)
            assert "RequestApproved" in all_heard.until("DeadlineExpired", alone)
            cursors = heard.cursor, all_heard.cursor

        with ExitStack() as news:
            new = news.enter_context(serves("new", url))
            with ExitStack() as streams:
                # each goes on in the other's release from where it was
                followed = [
                    streams.enter_context(release.follow(who, at))
                    for who, at in zip((SELLER, AGENT), cursors, strict=True)
                    for release in (old, new)
                ]
                of_old, of_new = old.open(1), new.open(2)
                new.approve(of_old)
                old.approve(of_new)
                silent = old.open(3), new.open(4)
                await run_out(url, *silent)
                ends = dict.fromkeys((of_old, of_new), "RequestApproved") | dict.fromkeys(silent, "DeadlineExpired")
                for heard in followed:
                    types = heard.all_until(ends)
                    assert {id: each[:1] for id, each in types.items()} == {id: ["RequestCreated"] for id in ends}
            last = new.open(5), old.open(6)
            olds.close()

            with new.follow(SELLER) as heard:
                await run_out(url, *last)
                heard.all_until(dict.fromkeys(last, "DeadlineExpired"))
            ids = (alone, of_old, of_new, *silent, *last)
            told = {id: new.types(id) for id in ids}

    # and back again, as after a release that was taken back
    with serves("back", url, release_before) as old:
        # whatever has been added since, such as a try to pay
        assert {id: old.types(id)[: len(each)] for id, each in told.items()} == told
        assert {id: types.count("RequestApproved") for id, types in told.items()} == dict.fromkeys(ids, 1)
        assert [told[id].count("DeadlineExpired") for id in (alone, *silent, *last)] == [1] * 5
        again = old.open(7)
        with old.follow(SELLER) as heard:
            await run_out(url, again)
            heard.until("DeadlineExpired", again)

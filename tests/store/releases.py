"""Servers as processes, of this release or another, and a client that asks them over HTTP and follows their streams."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from tests.market import order_rows, order_told, shop_told
from tests.processes import Server, run, serving

from aftersales.settings import DEVELOPMENT_SECRET
from aftersales.store.database import Statement
from aftersales.store.imports import ImportedOrder, order_line_id
from aftersales.store.urls import open_database
from aftersales.store.values import micros
from aftersales.transport.tokens import mint

OPERATIONS = Path(__file__).parents[2] / "schema" / "operations"
SECONDS = 30.0
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
ORDERS = [
    order_told(
        f"A{number}",
        placedAt=(YESTERDAY - timedelta(days=2)).isoformat(),
        deliveredAt=YESTERDAY.isoformat(),
    )
    for number in range(8)
]


def brought_in(url: str) -> None:
    """A shop and orders, into a database that has been migrated."""
    told = [{"shop": shop_told()}, *({"order": order} for order in ORDERS)]
    done = run("import", "-", "--database", url, input="\n".join(map(json.dumps, told)))
    assert done.returncode == 0, done.stdout + done.stderr


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
        return [node["type"] for node in reversed(self._read(id)["history"]["nodes"])]

    def is_there(self, id: str) -> bool:
        return self._read(id) is not None

    def _read(self, id: str) -> Any:
        document = "query($id: ID!) { request(by: {id: $id}) { history(first: 50) { nodes { type } } } }"
        told = httpx.post(self.server.url, json={"query": document, "variables": {"id": id}}, headers=AGENT, timeout=60)
        return told.json()["data"]["request"]

    @contextmanager
    def follow(self, who: dict[str, str], after: str | None = None) -> Iterator["Heard"]:
        with self.follow_if(who, after) as heard:
            assert heard.next()["__typename"] == "StreamReady"
            yield heard

    @contextmanager
    def follow_if(self, who: dict[str, str], after: str | None = None) -> Iterator["Heard"]:
        """Whatever comes first."""
        document = (OPERATIONS / "RequestStream.graphql").read_text()
        body = {"query": document, "variables": {"after": after}}
        headers = {**who, "accept": "text/event-stream"}
        with httpx.stream("POST", self.server.url, json=body, headers=headers, timeout=SECONDS) as answer:
            yield Heard(answer.iter_lines())


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

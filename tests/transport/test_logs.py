"""What people say, who they are and what lets them in is never in the server's log, not even of a fault of ours."""

import asyncio
import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest
from tests.postgres import Postgres
from tests.processes import Server, serving
from websockets.sync.client import connect

from aftersales.settings import DEVELOPMENT_SECRET
from aftersales.store.urls import is_postgres, path_of
from aftersales.testing import places
from aftersales.transport.tokens import mint

# In every thing that is said below, in one spelling or another.
CANARY = "kenari"
NAME, NOTE, KEY = f"Siti {CANARY}-name", f"{CANARY}-note", f"{CANARY}-key"
BUYER = {"party": "buyer", "sub": f"by_{CANARY}-id"}
APP = {"party": "partner", "sub": "app", "shops": ["sh_1"], "grants": ["*"]}
AGENT = {"party": "platform", "sub": "agent", "grants": ["*"]}
OPERATIONS = Path(__file__).parents[2] / "schema" / "operations"


@dataclass
class World:
    server: Server
    database: str

    def ask(self, name: str, who: dict[str, Any], **variables: Any) -> Any:
        query = (OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8")
        return self.post({"query": query, "variables": variables}, token(who)).json()

    def post(self, body: Any, bearer: str) -> httpx.Response:
        content = body if isinstance(body, str) else json.dumps(body)
        headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json", "x-note": NOTE}
        headers["accept"] = "application/graphql-response+json"
        return httpx.post(self.server.url, content=content.encode(), headers=headers)


def token(claims: dict[str, Any], *, hours: float = 1.0, **changes: Any) -> str:
    return mint(DEVELOPMENT_SECRET, claims | changes, timedelta(hours=hours), now=datetime.now(UTC))


@pytest.fixture(scope="module", params=["info", "debug"])
def world(
    engine: Postgres | None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("logs")
    database = asyncio.run(placed(folder / "aftersales.sqlite3"))
    settings = {"AFTERSALES_LOG_LEVEL": request.param, "AFTERSALES_LOG_FORMAT": "json"}
    where = {"AFTERSALES_DATABASE": database, "AFTERSALES_EVIDENCE": f"file://{folder / 'evidence'}"}
    with serving(folder=folder, settings=settings | where) as server:
        yield World(server, database)


async def placed(path: Path) -> str:
    return await places.place(path)


def lived(world: World) -> str:
    """An order comes, is claimed with words and a photo, and is refused in every way there is."""
    now = datetime.now(UTC)
    shop = {"id": "1", "name": "Toko", "market": "ID", "kind": "MALL"}
    order = {
        "number": "A1", "shopId": "1", "buyer": {"id": f"{CANARY}-id", "name": NAME}, "currency": "IDR",
        "state": "DELIVERED", "placedAt": (now - timedelta(days=3)).isoformat(),
        "deliveredAt": (now - timedelta(days=1)).isoformat(),
        "lines": [{"skuId": "s1", "productName": "Lamp", "quantity": 1, "unitPaid": "50000"}],
    }  # fmt: skip
    brought = world.ask("OrdersImport", APP, input={"idempotencyKey": KEY, "shops": [shop], "orders": [order]})
    [row] = brought["data"]["ordersImport"]["results"]
    assert row["outcome"] == "CREATED", brought
    id = row["order"]["id"]
    lines = [{"orderLineId": f"ol_{id.partition('_')[2]}_0", "quantity": 1}]
    wish = {"orderId": id, "lines": lines, "reason": "not_received", "note": NOTE, "idempotencyKey": KEY}
    opened = world.ask("RefundOnlyOpen", BUYER, input=wish)["data"]["refundOnlyOpen"]
    assert opened["problems"] == []
    again = world.ask("RefundOnlyOpen", BUYER, input=wish | {"idempotencyKey": f"{KEY}-2"})["data"]["refundOnlyOpen"]
    assert [problem["code"] for problem in again["problems"]] == ["DUPLICATE"]
    return str(opened["request"]["id"])


def astray(world: World) -> list[int]:
    """Everything that can be wrong with a call, with the canary in it. The statuses."""
    url, query = urlsplit(world.server.url), f'{{ node(id: "{NOTE}") {{ id }} }}'
    spoilt = [
        world.post({"query": "{ me { id } }"}, f"{CANARY}.{CANARY}.{CANARY}"),
        world.post({"query": "{ me { id } }"}, token(BUYER, hours=-1)),
        world.post({"query": "{ me { id } }"}, token(BUYER, aud=CANARY)),
        world.post(f'{{"query": "{NOTE}', token(BUYER)),
        world.post({"query": f'{{ me {{ id(note: "{NOTE}") }} }}'}, token(BUYER)),
        world.post({"query": "query ($id: ID!) { order(id: $id) { id } }", "variables": {"id": [NOTE]}}, token(BUYER)),
        world.post({"query": "{ me { id } }", "extensions": NOTE}, token(BUYER)),
        world.post({"query": f"{{ {CANARY} }}"}, token(BUYER)),
        httpx.get(f"{world.server.url}?query={quote(query)}", headers={"accept": "application/graphql-response+json"}),
        httpx.get(f"http://{url.netloc}/evidence/{CANARY}?signature={CANARY}"),
        httpx.get(f"http://{url.netloc}/{CANARY}?{NOTE}", headers={"cookie": CANARY}),
        httpx.post(world.server.url, content=CANARY, headers={"content-type": f"text/{CANARY}"}),
    ]
    with socket.create_connection((url.hostname or "", url.port or 80), timeout=10) as line:
        line.sendall(f"{CANARY} \x00 /{NOTE}\r\n\r\n".encode())
        spoilt_line = line.recv(100)
    for said in ({"type": "connection_init", "payload": {"authorization": f"Bearer {CANARY}"}}, {"type": CANARY}):
        with connect(f"ws://{url.netloc}/graphql", subprotocols=["graphql-transport-ws"]) as door:  # type: ignore[list-item]
            door.send(json.dumps(said))
            with pytest.raises(Exception, match="44"):
                door.recv(timeout=10)
    return [answer.status_code for answer in spoilt] + [int(spoilt_line.split()[1])]


def shown(world: World) -> list[str]:
    """A file is announced, uploaded in vain and in earnest, and looked at; the signatures of its addresses."""
    photo = b"\x89PNG\r\n\x1a\n" + CANARY.encode() * 9
    wish = {"idempotencyKey": f"{KEY}-file", "kind": "PHOTO", "mediaType": "image/png", "bytes": len(photo),
            "note": NOTE, "sha256": sha256(photo).hexdigest()}  # fmt: skip
    staged = world.ask("EvidenceStage", BUYER, input=wish)["data"]["evidenceStage"]
    put = staged["upload"]["url"]
    spoilt = put[:-4] + ("AAAA" if put[-4:] != "AAAA" else "BBBB")
    assert [httpx.put(url, content=content).status_code for url, content in
            ((spoilt, photo), (put, photo[::-1]), (put, photo))] == [403, 400, 201]  # fmt: skip
    get = world.ask("EvidenceSubmit", BUYER, input={
        "idempotencyKey": f"{KEY}-submit", "evidenceIds": [staged["evidence"]["id"]]
    })["data"]["evidenceSubmit"]["evidence"][0]["url"]  # fmt: skip
    assert [httpx.get(url).status_code for url in (get, get[:-4] + "AAAA")] == [200, 403]
    return [urlsplit(url).query.rpartition("=")[2] for url in (put, get)]


def followed(world: World) -> None:
    """Both ways to follow, with the canary in the filter, in the token and in a cursor that is none."""
    query = (OPERATIONS / "RequestStream.graphql").read_text(encoding="utf-8")
    asked = {"query": query, "variables": {"filter": {"text": NOTE}}}
    heads = {"authorization": f"Bearer {token(BUYER)}", "accept": "text/event-stream"}
    with httpx.stream("POST", world.server.url, json=asked, headers=heads) as answer:
        assert "StreamReady" in next(chunk for chunk in answer.iter_text() if "data" in chunk)
    address = world.server.url.replace("http", "ws", 1)
    with connect(address, subprotocols=["graphql-transport-ws"]) as door:  # type: ignore[list-item]
        door.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token(BUYER)}"}}))
        assert json.loads(door.recv(timeout=10))["type"] == "connection_ack"
        asked["variables"]["after"] = CANARY  # type: ignore[index]
        door.send(json.dumps({"type": "subscribe", "id": CANARY, "payload": asked}))
        assert "INVALID_INPUT" in str(door.recv(timeout=10))


def test_nothing_of_it_is_in_the_log(world: World) -> None:
    id = lived(world)
    signatures = shown(world)
    followed(world)
    statuses = astray(world)
    fault = broken(world, id)

    assert [status for status in statuses if not (400 <= status < 500 or status == 294)] == [], statuses
    said = "\n".join(world.server.said)
    assert fault in said, "the fault's number leads to it"
    assert ("UndefinedTable" if is_postgres(world.database) else "OperationalError") in said
    assert [line for line in world.server.said if CANARY in line.lower()] == []
    assert [signature for signature in signatures if len(signature) < 16 or signature in said] == []
    assert DEVELOPMENT_SECRET not in said
    assert token(BUYER).split(".")[0] not in said, "nor is any token, whose first part is always the same"


def test_what_no_history_tells_of_is_in_the_log_with_who_did_it(world: World) -> None:
    said = [json.loads(line)["message"] for line in world.server.said if '"aftersales.audit"' in line]

    assert len(said) == 1
    assert re.fullmatch(
        r"ordersImport by partner ap_app through python-httpx/\S+: 1 shops and 1 orders written", said[0]
    )


def broken(world: World, id: str) -> str:
    """A fault of ours, by real means: a table is gone. Its number, as the caller is told it."""
    spoil, mend = "ALTER TABLE idempotency RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO idempotency"
    changed(world.database, spoil)
    wish = {"requestId": id, "expectedVersion": 1, "note": NOTE, "idempotencyKey": f"{KEY}-3"}
    told = world.ask("RequestCancel", BUYER, input=wish)
    changed(world.database, mend)
    [error] = told["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert CANARY not in json.dumps(told)
    found = re.fullmatch(r"Internal error ([0-9a-f]{12})", error["message"])
    assert found
    return found[1]


def changed(url: str, sql: str) -> None:
    if is_postgres(url):
        with psycopg.connect(url) as server:
            server.execute(sql.encode())
    else:
        with sqlite3.connect(path_of(url)) as file:
            file.execute(sql)

"""What is asked: the five operations, each as the bytes of an HTTP request, taken from what a file holds."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from random import Random
from typing import Any

import orjson

from aftersales.settings import DEVELOPMENT_SECRET
from aftersales.transport.tokens import mint

from .data import SEED, SHOPS, shop_id

HERE = Path(__file__).parent
OPERATIONS = HERE.parent / "schema" / "operations"
PROGRAM = "board 1"


class Asking:
    """Endless requests of each operation. Two of the same file ask the same, in the same order.

    What can be asked only once, an order claimed or a request approved, is asked once.
    """

    def __init__(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        self._dice = Random(SEED)
        self._tokens: dict[str, str] = {}
        self._keys = count()
        requests = connection.execute("SELECT id, shop_id FROM requests ORDER BY id").fetchall()
        pending = connection.execute(
            "SELECT id, shop_id, version FROM requests"
            " WHERE kind = 'refund_only' AND status = 'PENDING_REVIEW' ORDER BY id"
        ).fetchall()
        unclaimed = connection.execute(
            "SELECT o.id, l.id, o.buyer_id FROM orders o JOIN order_lines l ON l.order_id = o.id AND l.position = 0"
            " WHERE o.claims_version = 0 ORDER BY o.number DESC"
        ).fetchall()
        connection.close()
        for found in (requests, pending, unclaimed):
            self._dice.shuffle(found)
        shops = list(range(SHOPS))
        self._dice.shuffle(shops)
        self.asks: dict[str, Callable[[], bytes]] = {
            "page": self._each(cycle(shops), self._page),
            "detail": self._each(cycle(requests), self._detail),
            "tiny": self._each(cycle(requests), self._tiny),
            "open": self._each(iter(unclaimed), self._open),
            "approve": self._each(iter(pending), self._approve),
        }

    def _each(self, things: Iterator[Any], ask: Callable[[Any], bytes]) -> Callable[[], bytes]:
        return lambda: ask(next(things))

    def stream(self, shop: str) -> bytes:
        """Of all that happens in a shop, as events sent by the server."""
        filter = {"filter": {"shopIds": [shop]}}
        return self._post(STREAM, "RequestStream", filter, self._seller(shop), "text/event-stream")

    def _page(self, shop: int) -> bytes:
        filter = {"shopIds": [shop_id(shop)], "statuses": ["PENDING_REVIEW"]}
        return self._post(BOARD, "Board", {"filter": filter, "first": 50}, self._seller(shop_id(shop)))

    def _detail(self, request: tuple[str, str]) -> bytes:
        return self._post(DETAIL, "Detail", {"id": request[0]}, self._seller(request[1]))

    def _tiny(self, request: tuple[str, str]) -> bytes:
        return self._post(TINY, "Tiny", {"id": request[0]}, self._seller(request[1]))

    def _open(self, order: tuple[str, str, str]) -> bytes:
        id, line, buyer = order
        lines = [{"orderLineId": line, "quantity": 1}]
        input = {"orderId": id, "lines": lines, "reason": "not_received", "note": "It never came."}
        return self._post(OPEN, "RefundOnlyOpen", {"input": self._keyed(input)}, self._token("buyer", buyer))

    def _approve(self, request: tuple[str, str, int]) -> bytes:
        id, shop, version = request
        input = {"requestId": id, "expectedVersion": version}
        return self._post(APPROVE, "RefundOnlyApprove", {"input": self._keyed(input)}, self._seller(shop))

    def _keyed(self, input: dict[str, Any]) -> dict[str, Any]:
        return {"idempotencyKey": f"benchmark-{next(self._keys)}", **input}

    def _seller(self, shop: str) -> str:
        return self._token("seller", f"st_{shop[3:]}", shops=[shop], grants=["*"])

    def _token(self, party: str, sub: str, **more: Any) -> str:
        if sub not in self._tokens:
            claims = {"party": party, "sub": sub, **more}
            self._tokens[sub] = mint(DEVELOPMENT_SECRET, claims, timedelta(days=1), now=datetime.now(UTC))
        return self._tokens[sub]

    def _post(
        self, document: str, name: str, variables: dict[str, Any], token: str, accept: str = "application/json"
    ) -> bytes:
        body = orjson.dumps({"query": document, "operationName": name, "variables": variables})
        head = (
            "POST /graphql HTTP/1.1",
            "host: localhost",
            "content-type: application/json",
            f"accept: {accept}",
            "accept-language: en",
            f"user-agent: {PROGRAM}",
            f"authorization: Bearer {token}",
            f"content-length: {len(body)}",
        )
        return "\r\n".join([*head, "", ""]).encode() + body


BOARD, OPEN, APPROVE, STREAM = (
    (OPERATIONS / f"{name}.graphql").read_text()
    for name in ("Board", "RefundOnlyOpen", "RefundOnlyApprove", "RequestStream")
)
DETAIL, TINY = ((HERE / "documents" / f"{name}.graphql").read_text() for name in ("Detail", "Tiny"))

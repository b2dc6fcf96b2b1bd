"""What others do meanwhile, by the API: whoever looks at the page must see it."""

from itertools import count
from pathlib import Path
from typing import Any

import httpx
from tests.processes import Server

OPERATIONS = Path(__file__).parents[2] / "schema" / "operations"
DEWI, MAWAR, APP = "buyer: Dewi", "seller: Mawar Official", "partner: an app of two shops"

keys = count()


def ask(server: Server, name: str, who: str, **variables: Any) -> Any:
    """The answer of the published operation's one root field."""
    headers = {"authorization": f"Bearer {server.tokens[who]}"}
    query = (OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8")
    told = httpx.post(server.url, json={"query": query, "variables": variables}, headers=headers).json()
    assert "errors" not in told, told
    [field] = told["data"].values()
    return field


def do(server: Server, name: str, who: str, **input: Any) -> Any:
    answer = ask(server, name, who, input={"idempotencyKey": f"page-{next(keys)}", **input})
    assert answer["problems"] == [], answer["problems"]
    return answer


def dewi_asks(server: Server) -> dict[str, Any]:
    """A refund, for a fresh order at Mawar's."""
    line = {
        "skuId": "MW-SCF-1",
        "productId": "MW-SCF",
        "productName": "Silk scarf",
        "quantity": 1,
        "unitPaid": "129500",
    }
    order = {
        "number": f"78{next(keys):011}", "shopId": "mawar", "buyer": {"id": "dewi"}, "currency": "IDR", "lines": [line],
        "state": "DELIVERED", "placedAt": "2026-01-01T00:00:00Z", "deliveredAt": now(server),
    }  # fmt: skip
    [row] = do(server, "OrdersImport", APP, orders=[order])["results"]
    found = ask(server, "OrderDetail", DEWI, id=row["order"]["id"])
    lines = [{"orderLineId": found["lines"][0]["id"], "quantity": 1}]
    request: dict[str, Any] = do(
        server, "RefundOnlyOpen", DEWI, orderId=found["id"], lines=lines, reason="not_received"
    )["request"]
    return request


def now(server: Server) -> str:
    """By the clock of the demo: what was delivered an instant ago may be claimed."""
    page = ask(server, "Board", MAWAR, sort="UPDATED_DESC", first=1)
    moment: str = page["nodes"][0]["updatedAt"]
    return moment

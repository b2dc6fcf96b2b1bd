"""Several processes on one PostgreSQL: what they share, and what is asked of them."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from tests.transport.test_kill import BUYER, OPERATIONS

from aftersales.engine.money import Money
from aftersales.engine.vocabulary import OrderState, Shop, ShopKind
from aftersales.markets import digits
from aftersales.store.imports import ImportedLine, ImportedOrder, order_line_id
from aftersales.store.ledger import Ledger
from aftersales.store.urls import open_database
from aftersales.testing import places

SHOP = Shop("sh_mortal", "Mortal", "ID", ShopKind.MALL, "Asia/Jakarta")


async def shared(folder: Path, count: int) -> tuple[dict[str, str], list[ImportedOrder]]:
    """The settings of a server on a record of its own, and orders in it that were delivered yesterday."""
    url = await places.place(folder / "record.sqlite3")
    database, now = await open_database(url), datetime.now(UTC)
    ledger = Ledger(database, lambda kind, stage: None, digits)
    await ledger.import_shops([SHOP])
    zero, price, yesterday = Money(Decimal(0), "IDR"), Money(Decimal(1000), "IDR"), now - timedelta(days=1)
    orders = [
        ImportedOrder(
            SHOP.id, str(number), "by_ani", "IDR", OrderState.DELIVERED, yesterday, yesterday, price, zero,
            (ImportedLine("sku", "Thing", 1, price, zero, zero, zero),),
        )
        for number in range(count)
    ]  # fmt: skip
    await ledger.import_orders(orders, now)
    await database.close()
    return {"AFTERSALES_DATABASE": url, "AFTERSALES_EVIDENCE": f"file://{folder / 'evidence'}"}, orders


async def claim(http: httpx.AsyncClient, url: str, order: ImportedOrder) -> httpx.Response:
    input = {
        "idempotencyKey": f"open-{order.number}", "orderId": order.id, "reason": "not_received",
        "lines": [{"orderLineId": order_line_id(order.id, 0), "quantity": 1}],
    }  # fmt: skip
    document = (OPERATIONS / "RefundOnlyOpen.graphql").read_text()
    return await http.post(url, json={"query": document, "variables": {"input": input}}, headers=BUYER)


def opened(answer: httpx.Response) -> str:
    """The id of the request."""
    payload: Any = answer.json()["data"]["refundOnlyOpen"]
    assert payload["problems"] == [], json.dumps(payload)
    return str(payload["request"]["id"])


def port(url: str) -> int:
    return int(httpx.URL(url).port or 80)


def sequences(heard: list[Any], request: str) -> list[int]:
    """The numbers of a request's events, as they were heard."""
    ids = [item["event"]["id"] for item in heard if "event" in item]
    return [int(id.rpartition("_")[2]) for id in ids if id.startswith(f"ev_{request.partition('_')[2]}_")]

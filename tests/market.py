"""Shops and orders as the marketplace tells them: good ones, but for what a test changes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aftersales.marketplace.importing import RowResult, import_rows
from aftersales.marketplace.rows import Row, order_row, shop_row
from aftersales.markets import digits
from aftersales.store.ledger import Ledger

# A Monday, 10:00 in Jakarta.
MONDAY = datetime(2025, 3, 3, 3, tzinfo=UTC)


def shop_told(id: str = "jakarta", **changes: Any) -> dict[str, Any]:
    return {"id": id, "name": f"Toko {id.capitalize()}", "market": "ID", "kind": "NON_MALL", **changes}


def line_told(**changes: Any) -> dict[str, Any]:
    return {"skuId": "lamp-1", "productName": "Lamp", "quantity": 2, "unitPaid": "50000", **changes}


def order_told(number: str = "A1", **changes: Any) -> dict[str, Any]:
    """Two lamps, delivered on Sunday, as a file or a mutation says it. A change to None leaves the field out."""
    usual: dict[str, Any] = {
        "number": number, "shopId": "jakarta", "buyer": {"id": "ani", "name": "Ani"}, "currency": "IDR",
        "state": "DELIVERED", "placedAt": "2025-02-27T10:00:00+07:00", "deliveredAt": "2025-03-02T10:00:00+07:00",
        "shippingPaid": "10000", "lines": [line_told()],
    }  # fmt: skip
    return {name: value for name, value in (usual | changes).items() if value is not None}


def order_rows(*told: Any, at: datetime = MONDAY) -> list[Row]:
    return [order_row(order, place, f"orders.{place}", digits, at) for place, order in enumerate(told)]


def shop_rows(*told: Any) -> list[Row]:
    return [shop_row(shop, place, f"shops.{place}") for place, shop in enumerate(told)]


async def bring_in(ledger: Ledger, *told: Any, at: datetime = MONDAY) -> list[RowResult]:
    """Orders, by the way that the mutation and the file go."""
    return await import_rows(ledger, order_rows(*told, at=at), at)


def objections(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a payload, or a row of it, objects to: code and path."""
    return [(problem["code"], ".".join(problem["path"])) for problem in found["problems"]]

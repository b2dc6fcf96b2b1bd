"""What only an exchange knows: what is wanted instead, and whether it is held back."""

from collections.abc import Mapping
from typing import Any

import strawberry

from aftersales.plugin import Request, RequestDetails


@strawberry.type(description="What the buyer wants instead of one line.")
class WantedItem:
    order_line_id: strawberry.ID = strawberry.field(description="The line that comes back.")
    sku_id: str = strawberry.field(description="The variation that goes out.")
    reserved: bool = strawberry.field(description="Whether the shop's stock holds it back.")


@strawberry.type(description="What only an exchange knows.")
class ExchangeDetails(RequestDetails):
    wanted: list[WantedItem] = strawberry.field(description="One for each line.")

    @classmethod
    def of(cls, kind: Any, details: Mapping[str, Any], request: Request | None = None) -> "ExchangeDetails":
        held = request.reservation.status.value == "HELD" if request and request.reservation else False
        items = [
            WantedItem(order_line_id=strawberry.ID(each["orderLineId"]), sku_id=each["skuId"], reserved=held)
            for each in details.get("wanted", ())
        ]
        return cls(kind=kind, wanted=items)

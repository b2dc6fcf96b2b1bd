"""Writing for machines: orders come in, and carriers tell what they see."""

from __future__ import annotations

import strawberry

from .carrier_report import CarrierReportInput, CarrierReportPayload, report_scans
from .context import Info
from .order_inputs import OrdersImportInput
from .orders_import import OrdersImportPayload, import_orders


@strawberry.type
class MarketplaceMutations:
    @strawberry.mutation(
        description="Bring in orders, and the shops they belong to. The same order again changes nothing."
    )
    async def orders_import(self, info: Info, input: OrdersImportInput) -> OrdersImportPayload:
        return await import_orders(info, input)

    @strawberry.mutation(description="Tell what was seen of parcels. A scan that repeats what is known does no harm.")
    async def carrier_report(self, info: Info, input: CarrierReportInput) -> CarrierReportPayload:
        return await report_scans(info, input)

"""Batched reads of one operation: whatever the fields ask in the same breath goes to the database once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strawberry.dataloader import DataLoader

from ..engine.request import Request
from ..engine.rights import may_see
from ..engine.seller_refund import SellerRefund
from ..engine.vocabulary import Order
from ..store.log import LoggedEvent
from .filters import all_visible

if TYPE_CHECKING:
    from .context import Context


class Loaders:
    """Made anew for each operation, and after each change."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._appeals: dict[tuple[int, int | None], DataLoader[str, list[LoggedEvent]]] = {}
        self._histories: dict[tuple[int, int | None], DataLoader[str, list[LoggedEvent]]] = {}
        self.full: DataLoader[str, Request | None] = DataLoader(self._full)
        self.visible: DataLoader[str, Request | None] = DataLoader(self._visible)
        self.lean: DataLoader[str, Request | None] = DataLoader(self._lean)
        self.evidence_of: DataLoader[str, list[Any]] = DataLoader(self._evidence_of)
        self.external_status: DataLoader[str, str | None] = DataLoader(self._external_status)
        self.seller_refunds: DataLoader[str, list[SellerRefund]] = DataLoader(self._seller_refunds)
        self.order: DataLoader[str, Order | None] = DataLoader(self._orders)
        self.order_requests: DataLoader[str, list[str]] = DataLoader(self._order_requests)

    def history(self, first: int, before: int | None) -> DataLoader[str, list[LoggedEvent]]:
        """The latest events of many requests, one more than asked for."""
        key = first, before
        if key not in self._histories:

            async def load(ids: list[str]) -> list[list[LoggedEvent]]:
                found = await self._context.house.log.history(ids, first + 1, before)
                return [found.get(id, []) for id in ids]

            self._histories[key] = DataLoader(load)
        return self._histories[key]

    def of_appeals(self, first: int, before: int | None) -> DataLoader[str, list[LoggedEvent]]:
        """The latest events of many requests' appeals, one more than asked for."""
        key = first, before
        if key not in self._appeals:

            async def load(ids: list[str]) -> list[list[LoggedEvent]]:
                found = await self._context.house.log.of_appeals(ids, first + 1, before)
                return [found.get(id, []) for id in ids]

            self._appeals[key] = DataLoader(load)
        return self._appeals[key]

    async def _full(self, ids: list[str]) -> list[Request | None]:
        found = await self._context.desk.ledger.requests(ids)
        return [found.get(id) for id in ids]

    async def _visible(self, ids: list[str]) -> list[Request | None]:
        return [self._shown(found) for found in await self._full(ids)]

    async def _lean(self, ids: list[str]) -> list[Request | None]:
        found = await self._context.desk.ledger.requests(ids, lean=True)
        return [self._shown(found.get(id)) for id in ids]

    def _shown(self, found: Request | None) -> Request | None:
        """Only what the caller may see: the rest does not exist for them."""
        # first, so that strangers are told the same whether it is there or not
        actor = self._context.actor
        return found if found and may_see(actor, found.order.shop.id, found.order.buyer_id) else None

    async def _evidence_of(self, ids: list[str]) -> list[list[Any]]:
        found = await self._context.desk.ledger.evidence_of(ids)
        return [found.get(id, []) for id in ids]

    async def _external_status(self, ids: list[str]) -> list[str | None]:
        found = await self._context.desk.ledger.external_statuses(ids)
        return [found.get(id) for id in ids]

    async def _seller_refunds(self, ids: list[str]) -> list[list[SellerRefund]]:
        found = await self._context.desk.ledger.seller_refunds(ids)
        return [found.get(id, []) for id in ids]

    async def _orders(self, ids: list[str]) -> list[Order | None]:
        found = await self._context.desk.ledger.orders(ids)
        return [found.get(id) for id in ids]

    async def _order_requests(self, ids: list[str]) -> list[list[str]]:
        found = await self._context.house.lists.of_orders(ids, all_visible(self._context.actor))
        return [found.get(id, []) for id in ids]

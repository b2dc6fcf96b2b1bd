"""The acts of time, by the desk's one path: what a clock does when it warns, and when it has run out."""

from __future__ import annotations

from collections.abc import Sequence

from .desk import Desk
from .engine.decide import decide, warn
from .engine.refusal import Refused
from .engine.request import Change, Clock, Request
from .engine.stages import expiry
from .engine.vocabulary import SYSTEM
from .store.agenda import Due
from .store.ledger import OrderMoved, StaleVersion


class Firing:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def together(self, due: Sequence[Due]) -> list[Due]:
        """Let time act on many requests at once: each by the one path, all that go well as one transaction.

        Args:
            due: clocks that warn or have run out, in the order of their instants.

        Returns:
            Those that nothing was done for, and that must be done one at a time: of several of an order all but the
            first, those that something speaks against; and all, where one of them was overtaken.
        """
        requests = await self._desk.ledger.requests([item.request_id for item in due])
        changes: list[Change] = []
        left: list[Due] = []
        orders: set[str] = set()
        for item in due:
            request = requests.get(item.request_id)
            # decided before what came first for the same order was written, it would not know of that
            if request is None or request.order.id in orders:
                left.append(item)
                continue
            orders.add(request.order.id)
            change = self._of_time(request, item)
            if change is None:
                left.append(item)
            else:
                changes.append(change)
        try:
            if changes:
                await self._desk.write(changes)
        except (StaleVersion, OrderMoved, Refused):
            return list(due)
        return left

    async def alone(self, due: Due) -> None:
        """One clock warns or has run out.

        Raises:
            Refused: what speaks against it, as of any act.
            StaleVersion: of a warning, another process was quicker.
        """
        desk = self._desk
        if not due.warning:
            await desk.act(due.request_id, expiry(due.key), SYSTEM, at=due.due_at, clock_id=due.deadline_id)
            return
        request = await desk.ledger.request(due.request_id)
        clock = _running(request, due.deadline_id)
        if request and clock:
            # nothing changes, so nobody is asked to object
            await desk.write((warn(request, clock, due.wake_at),))

    def _of_time(self, request: Request, due: Due) -> Change | None:
        """What time makes of a request; None if something speaks against it, or outsiders must be asked first."""
        try:
            if due.warning:
                clock = _running(request, due.deadline_id)
                return warn(request, clock, due.wake_at) if clock else None
            action = expiry(due.key)
            if self._desk.skus(request, action, {}):
                return None
            change = decide(self._desk.attempt(request, action, SYSTEM, due.due_at, clock_id=due.deadline_id))
            return None if self._desk.registry.objections(change) else change
        except Exception:
            # done alone it fails again, and is dealt with there
            return None


def _running(request: Request | None, clock_id: str) -> Clock | None:
    clocks = request.clocks if request else ()
    return next((clock for clock in clocks if clock.id == clock_id and clock.due_at and clock.alive), None)

"""The ledger: snapshots of the record out, changes in. Each subject is a module of its own; here they are one."""

from collections.abc import Sequence
from datetime import datetime

from ..engine.request import Change
from .agenda import Agenda, next_wake
from .conflicts import KeyTaken, NumberTaken, OrderMoved, StaleVersion
from .external import External
from .files import Files
from .imports import Imports
from .keys import Key
from .memory import Memory
from .payments import NEXT_REFUND, Payments
from .privacy import Privacy
from .reading import Reading
from .reservations import NEXT_RESERVATION, Reservations
from .rules import Rules
from .unasked import Unasked
from .values import instant
from .writing import statements

__all__ = ["KeyTaken", "Ledger", "NumberTaken", "OrderMoved", "StaleVersion"]


class Ledger(Reading, Agenda, Payments, Unasked, Rules, Reservations, Files, Imports, External, Memory, Privacy):
    """The only way to the record. It knows no rule: what it writes, the engine has decided."""

    async def next_instants(self) -> tuple[datetime | None, datetime | None, datetime | None]:
        """When time has to act next: by a clock, for a refund, for a reservation; None where nothing waits for it."""
        shared = self.database.shared
        found = await self.database.read(next_wake(shared), NEXT_REFUND, NEXT_RESERVATION)
        clock, refund, reservation = (instant(rows[0][0]) if rows else None for rows in found)
        return clock, refund, reservation

    async def commit(self, changes: Sequence[Change], *, processed_at: datetime, key: Key | None = None) -> None:
        """Write changes as one transaction: all of them and their events, or nothing.

        Args:
            processed_at: when the server acts; a change's own `at` may be earlier.
            key: remembered with the last change.

        Raises:
            StaleVersion: a request is another since it was read, or the warning was given already.
            OrderMoved: what may be claimed of the order is another since it was read.
            NumberTaken: another request has the number.
            KeyTaken: the key was used before; nothing is done a second time.
            Refused: NOT_FOUND, evidence was used for another request meanwhile.
        """
        await self.database.write(*statements(changes, processed_at, key, self._terms.__contains__))
        self._keep({change.request.terms.version: change.request.terms for change in changes})

"""Refunds on their way: which are to be tried, which are under way, which a person must look at."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..engine.money import Money, from_minor
from .database import Database, Row, Statement
from .leases import taking
from .values import Digits, instant, instant_or_none, micros

_TO_TRY = "FROM refunds WHERE next_try_at IS NOT NULL"
NEXT_REFUND = Statement(f"SELECT next_try_at {_TO_TRY} ORDER BY next_try_at, id LIMIT 1")
_NAMES = (
    "id", "request_id", "order_id", "shop_id", "amount", "currency", "tries", "next_try_at", "asked_at", "stuck_at",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES)
_TAKE = taking("refunds", _NAMES, "next_try_at", "t.next_try_at <= ?", "next_try_at = ?")


@dataclass(frozen=True, slots=True)
class Payable:
    """A refund to be tried.

    Args:
        id: the key given to the provider, the same at every try.
        request_id: None where the seller refunds unasked.
        tries: how often the provider said no.
        asked_at: it was asked then, and its answer is not known: ask what became of it first.
        stuck_at: since when a person must look.
    """

    id: str
    request_id: str | None
    order_id: str
    shop_id: str
    amount: Money
    tries: int
    next_try_at: datetime | None
    asked_at: datetime | None
    stuck_at: datetime | None


class Payments:
    database: Database
    digits: Digits

    async def refunds_due(self, now: datetime, limit: int = 100) -> list[Payable]:
        """Refunds to be tried by now, the earliest first."""
        [rows] = await self.database.read(
            Statement(
                f"SELECT {_COLUMNS} {_TO_TRY} AND next_try_at <= ? ORDER BY next_try_at, id LIMIT ?",
                (micros(now), limit),
            )
        )
        return [self._payable(row) for row in rows]

    async def take_refunds(self, now: datetime, lease: timedelta, limit: int = 100) -> list[Payable]:
        """As `refunds_due`; where several processes look for refunds, these are ours until the lease ends."""
        if not self.database.shared:
            return await self.refunds_due(now, limit)
        until = now + lease
        [rows] = await self.database.write(Statement(_TAKE, (micros(now), limit, micros(until))))
        found = sorted(map(self._payable, rows), key=lambda intent: (intent.next_try_at, intent.id))
        return [replace(intent, next_try_at=until) for intent in found]

    async def next_refund_at(self) -> datetime | None:
        [rows] = await self.database.read(NEXT_REFUND)
        return instant(rows[0][0]) if rows else None

    async def mark_asked(self, intent: Payable, at: datetime) -> bool:
        """The provider is about to be asked: written first, so that after a crash we ask what became of it.

        Returns:
            False if it is settled meanwhile, or another has taken it: do not ask.
        """
        if intent.next_try_at is None:
            return False
        [rows] = await self.database.write(
            Statement(
                "UPDATE refunds SET asked_at = ? WHERE id = ? AND next_try_at = ? RETURNING id",
                (micros(at), intent.id, micros(intent.next_try_at)),
            )
        )
        return bool(rows)

    async def schedule_retry(self, refund_id: str, at: datetime) -> None:
        """Try again then; nothing if it is settled. An answer that is not known stays so."""
        await self.database.write(
            Statement(
                "UPDATE refunds SET next_try_at = ? WHERE id = ? AND next_try_at IS NOT NULL",
                (micros(at), refund_id),
            )
        )

    async def stuck(self, limit: int = 100) -> list[Payable]:
        """Refunds that a person must look at, the longest waiting first."""
        [rows] = await self.database.read(
            Statement(
                f"SELECT {_COLUMNS} FROM refunds WHERE stuck_at IS NOT NULL ORDER BY stuck_at, id LIMIT ?",
                (limit,),
            )
        )
        return [self._payable(row) for row in rows]

    def _payable(self, row: Row) -> Payable:
        id, request_id, order_id, shop_id, amount, currency, tries, next_try_at, asked_at, stuck_at = row
        return Payable(
            id, request_id, order_id, shop_id, from_minor(amount, currency, self.digits(currency)), tries,
            instant_or_none(next_try_at), instant_or_none(asked_at), instant_or_none(stuck_at),
        )  # fmt: skip

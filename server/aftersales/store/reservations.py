"""Goods held back: which intents stock has still to be told of."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..engine.request import ReservationStatus
from .database import Database, Row, Statement
from .leases import taking
from .values import from_json, instant, micros

_TO_TELL = "FROM reservations WHERE next_try_at IS NOT NULL"
NEXT_RESERVATION = Statement(f"SELECT next_try_at {_TO_TELL} ORDER BY next_try_at, id LIMIT 1")
_COLUMNS = ("id", "request_id", "shop_id", "status", "items", "tries")
_TAKE = taking("reservations", (*_COLUMNS, "next_try_at"), "next_try_at", "t.next_try_at <= ?", "next_try_at = ?")


@dataclass(frozen=True, slots=True)
class ToTell:
    """
    Args:
        id: the key given to stock, the same at every try.
        status: WANTED: to be held back; FREED: to be let go.
        tries: how often stock has not answered.
    """

    id: str
    request_id: str
    shop_id: str
    status: ReservationStatus
    items: tuple[tuple[str, int], ...]
    tries: int


class Reservations:
    database: Database

    async def reservations_due(self, now: datetime, limit: int = 100) -> list[ToTell]:
        """What stock is to be told by now, the earliest first."""
        [rows] = await self.database.read(
            Statement(
                f"SELECT {', '.join(_COLUMNS)} {_TO_TELL} AND next_try_at <= ? ORDER BY next_try_at, id LIMIT ?",
                (micros(now), limit),
            )
        )
        return [_to_tell(row) for row in rows]

    async def take_reservations(self, now: datetime, lease: timedelta, limit: int = 100) -> list[ToTell]:
        """As `reservations_due`; where several processes tell stock, these are ours until the lease ends."""
        if not self.database.shared:
            return await self.reservations_due(now, limit)
        [rows] = await self.database.write(Statement(_TAKE, (micros(now), limit, micros(now + lease))))
        return [_to_tell(row[:-1]) for row in sorted(rows, key=lambda row: (row[-1], row[0]))]

    async def next_reservation_at(self) -> datetime | None:
        [rows] = await self.database.read(NEXT_RESERVATION)
        return instant(rows[0][0]) if rows else None

    async def released(self, id: str) -> None:
        """Stock has let it go: there is nothing more to tell."""
        await self.database.write(
            Statement(
                "UPDATE reservations SET status = 'RELEASED', next_try_at = NULL WHERE id = ? AND status = 'FREED'",
                (id,),
            )
        )

    async def tell_again(self, id: str, status: ReservationStatus, at: datetime) -> None:
        """Stock did not answer: try again then; nothing if it has become another intent meanwhile."""
        await self.database.write(
            Statement(
                "UPDATE reservations SET next_try_at = ?, tries = tries + 1"
                " WHERE id = ? AND status = ? AND next_try_at IS NOT NULL",
                (micros(at), id, status.value),
            )
        )


def _to_tell(row: Row) -> ToTell:
    id, request, shop, status, items, tries = row
    return ToTell(id, request, shop, ReservationStatus(status), items_of(items), tries)


def items_of(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((sku_id, quantity) for sku_id, quantity in from_json(text))

"""What is held of a buyer, and how it goes: out of the rows and the log, a portion to a transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..engine.filter import search
from ..engine.permissions import OF_ACT
from ..engine.request import Change
from ..engine.terms import Terms
from ..engine.vocabulary import ERASED, Party
from .columns import COLUMNS, insert
from .conflicts import OrderMoved
from .database import Database, Row, Statement, alone, marks, padded
from .keys import Key
from .memory import remembering
from .values import instant, micros
from .writing import statements

# Orders in one transaction.
PORTION = 100
# What a seller, an app of theirs or the platform says in such an act is the buyer's words all the same.
THEIRS = sorted(act for act, permission in OF_ACT.items() if Party.BUYER in permission.by)


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """An order that must go, and how often what may be claimed of it had changed when it was looked at."""

    id: str
    shop_id: str
    number: str
    claims_version: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """That it was done, for whoever must show it. Who it was, it does not say.

    Args:
        id: the buyer's id from then on.
        files: of theirs, ours to delete or only known by address.
    """

    id: str
    actor_id: str
    client: str
    erased_at: datetime
    orders: int
    requests: int
    files: int


class Privacy:
    database: Database
    _terms: dict[str, Terms]

    async def held_orders(self, buyer_id: str, after: str = "") -> list[HeldOrder]:
        """The next so many orders of a buyer, by id."""
        [rows] = await self.database.read(
            Statement(
                "SELECT id, shop_id, number, claims_version FROM orders WHERE buyer_id = ? AND id > ?"
                " ORDER BY id LIMIT ?",
                (buyer_id, after, PORTION),
            )
        )
        return [HeldOrder(*row) for row in rows]

    async def requests_of_orders(self, order_ids: Sequence[str]) -> list[str]:
        asked, args = padded(order_ids)
        [rows] = await self.database.read(Statement(f"SELECT id FROM requests WHERE order_id IN ({asked})", args))
        return [id for (id,) in rows]

    async def has_files(self, buyer_id: str) -> bool:
        [rows] = await self.database.read(
            Statement("SELECT 1 FROM evidence WHERE uploaded_by = ? LIMIT 1", (buyer_id,))
        )
        return bool(rows)

    async def commit_erasure(
        self, buyer_id: str, erasure: Erasure, orders: Sequence[HeldOrder], changes: Sequence[Change], *,
        processed_at: datetime, key: Key | None = None,
    ) -> None:  # fmt: skip
        """Erase these orders and their requests, and all files and keys of the buyer, as one transaction.

        Args:
            erasure: its counts are of these; those of the portions before stand already.

        Raises:
            OrderMoved: something was claimed of one of the orders since it was read.
            StaleVersion: so was one of the requests changed.
            KeyTaken: the key was used before.
        """
        await self.database.write(
            *_erasing(buyer_id, erasure, orders),
            *statements(changes, processed_at, None, self._terms.__contains__),
            *_scrubbing(buyer_id, erasure.id, orders, changes),
            *((remembering(key, erasure.id, 0, processed_at),) if key else ()),
        )

    async def erasure(self, id: str) -> Erasure | None:
        [rows] = await self.database.read(Statement(f"SELECT {_COLUMNS} FROM erasures WHERE id = ?", (id,)))
        return _erasure(rows[0]) if rows else None

    async def erasures(self, limit: int) -> list[Erasure]:
        """Latest first."""
        [rows] = await self.database.read(
            Statement(f"SELECT {_COLUMNS} FROM erasures ORDER BY erased_at DESC, id LIMIT ?", (limit,))
        )
        return [_erasure(row) for row in rows]


def _erasing(buyer_id: str, erasure: Erasure, orders: Sequence[HeldOrder]) -> Iterator[Statement]:
    """The shops' turn, then the orders, then all else: the order in which everybody locks."""
    keys = f"{Party.BUYER.title}:{buyer_id}:"
    for shop in sorted({order.shop_id for order in orders}):
        yield alone(shop)
    for order in orders:
        yield Statement(
            "UPDATE orders SET buyer_id = ?, buyer_name = NULL, source_hash = '', claims_version = claims_version + 1"
            " WHERE id = ? AND buyer_id = ? AND claims_version = ?",
            (erasure.id, order.id, buyer_id, order.claims_version), 1, OrderMoved,
        )  # fmt: skip
    yield Statement(
        f"{insert('erasures')} ON CONFLICT (id) DO UPDATE SET"
        " orders = erasures.orders + excluded.orders, requests = erasures.requests + excluded.requests",
        (
            erasure.id, erasure.actor_id, erasure.client, micros(erasure.erased_at), erasure.orders, erasure.requests,
            0,
        ),
    )  # fmt: skip
    yield Statement(
        "UPDATE erasures SET files = files + (SELECT COUNT(*) FROM evidence WHERE uploaded_by = ?) WHERE id = ?",
        (buyer_id, erasure.id),
    )
    # all that were used within their lifetime are looked at: rare enough, and no way of writing a scope is missed
    yield Statement("DELETE FROM idempotency WHERE SUBSTR(scope, 1, CAST(? AS INTEGER)) = ?", (len(keys), keys))


def _scrubbing(buyer_id: str, name: str, orders: Sequence[HeldOrder], changes: Sequence[Change]) -> Iterator[Statement]:
    """What the buyer said and showed, wherever it was repeated."""
    for change in changes:
        yield Statement("UPDATE requests SET search = ? WHERE id = ?", (search(change.request), change.request.id))
    ids = [change.request.id for change in changes]
    if ids:
        asked = marks(len(ids))
        yield Statement(f"UPDATE disputes SET claim = '' WHERE request_id IN ({asked})", ids)
        yield Statement(f"UPDATE external_records SET record = '{{}}' WHERE request_id IN ({asked})", ids)
        yield Statement(
            f"UPDATE events SET actor_id = ? WHERE request_id IN ({asked}) AND actor_id = ?", (name, *ids, buyer_id)
        )
        yield Statement(
            f"UPDATE events SET note = '' WHERE request_id IN ({asked}) AND note <> ''"
            f" AND (party NOT IN ('SELLER', 'PLATFORM', 'PARTNER') OR action IN ({marks(len(THEIRS))}))",
            (*ids, *THEIRS),
        )
    for shop in sorted({order.shop_id for order in orders}):
        numbers = [order.number for order in orders if order.shop_id == shop]
        yield Statement(
            "UPDATE external_records SET record = '{}' WHERE shop_id = ?"
            f" AND order_number IN ({marks(len(numbers))})",
            (shop, *numbers),
        )
    yield Statement(
        "UPDATE evidence SET uploaded_by = ?, url = '', note = '', sha256 = '', status = 'ERASED', uploaded_at = NULL,"
        " upload_until = NULL WHERE uploaded_by = ?",
        (name, buyer_id),
    )


# An order whose buyer was erased, and in whose rows nothing of them may be written again.
IS_ERASED = f"buyer_id LIKE '{ERASED[:-1]}|_%' ESCAPE '|'"
_COLUMNS = ", ".join(COLUMNS["erasures"])


def _erasure(row: Row) -> Erasure:
    id, actor_id, client, erased_at, orders, requests, files = row
    return Erasure(id, actor_id, client, instant(erased_at), orders, requests, files)

"""Refunds that sellers make unasked: no request keeps them, so that who, through what and why stands in the row."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from ..engine.money import from_minor, to_minor
from ..engine.request import RefundStatus
from ..engine.seller_refund import SellerRefund
from .columns import ASIDE, COLUMNS, insert
from .conflicts import KeyTaken, OrderMoved
from .database import Database, Row, Statement, padded
from .keys import Key
from .values import Digits, from_json, instant, instant_or_none, json, micros, party

MOST_OF_AN_ORDER = 100
_ALL = (*COLUMNS["refunds"], *ASIDE["refunds"])


class Unasked:
    database: Database
    digits: Digits

    async def commit_seller_refund(
        self, refund: SellerRefund, claims_version: int, *, processed_at: datetime, key: Key | None = None
    ) -> None:
        """Write it as one transaction, guarded by what has been claimed of the order.

        Raises:
            OrderMoved: that is another since it was read.
            KeyTaken: the key was used before; nothing is done a second time.
        """
        await self.database.write(*self._written(refund, claims_version, processed_at, key))

    async def seller_refunds(self, order_ids: Sequence[str]) -> dict[str, list[SellerRefund]]:
        """Each order's, latest first, at most a hundred of each."""
        asked, args = padded(order_ids)
        columns = ", ".join(_ALL)
        place = "ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY created_at DESC, id DESC) AS place"
        [rows] = await self.database.read(
            Statement(
                f"SELECT {columns} FROM (SELECT {columns}, {place} FROM refunds"
                f" WHERE order_id IN ({asked}) AND request_id IS NULL) AS s WHERE place <= ?"
                " ORDER BY order_id, created_at DESC, id DESC",
                [*args, MOST_OF_AN_ORDER],
            )
        )
        found: dict[str, list[SellerRefund]] = {id: [] for id in order_ids}
        for row in rows:
            found[row[2]].append(self._refund(row))
        return found

    async def seller_refund(self, id: str) -> SellerRefund | None:
        columns = ", ".join(_ALL)
        [rows] = await self.database.read(
            Statement(f"SELECT {columns} FROM refunds WHERE id = ? AND request_id IS NULL", (id,))
        )
        return self._refund(rows[0]) if rows else None

    async def seller_refund_paid(self, id: str, at: datetime) -> None:
        """The provider has paid it, even if another process heard its last no just before."""
        await self.database.write(
            _moved(id),
            Statement(
                "UPDATE refunds SET status = 'PAID', paid_at = ?, next_try_at = NULL, asked_at = NULL, stuck_at = NULL"
                " WHERE id = ? AND request_id IS NULL AND status <> 'PAID'",
                (micros(at), id),
            ),
        )

    async def seller_refund_not_paid(
        self, id: str, *, tries: int, again_at: datetime | None, unknown: bool, stuck_at: datetime | None
    ) -> None:
        """It goes on being tried, or asked about; or it has failed for good, and the order may be claimed again.

        Args:
            tries: how often it had failed before: of two who heard the same no, one counts it.
            again_at: None: never again.
            unknown: the provider could not say: what it was asked must not be forgotten.
            stuck_at: since when a person must look.
        """
        failed = again_at is None
        settled = Statement(
            "UPDATE refunds SET tries = tries + 1, next_try_at = ?, stuck_at = COALESCE(stuck_at, ?), status = ?"
            f"{'' if unknown else ', asked_at = NULL'}"
            " WHERE id = ? AND request_id IS NULL AND status = 'PENDING' AND tries = ?",
            (
                micros(again_at) if again_at else None, micros(stuck_at) if stuck_at else None,
                "FAILED" if failed else "PENDING", id, tries,
            ),
        )  # fmt: skip
        await self.database.write(*((_moved(id), settled) if failed else (settled,)))

    async def acknowledge_failed(self, id: str) -> bool:
        """A person has seen that it failed for good. False if it has not, or was seen before."""
        [rows] = await self.database.write(
            Statement(
                "UPDATE refunds SET stuck_at = NULL"
                " WHERE id = ? AND request_id IS NULL AND status = 'FAILED' AND stuck_at IS NOT NULL RETURNING id",
                (id,),
            )
        )
        return bool(rows)

    def _written(
        self, refund: SellerRefund, claims_version: int, processed_at: datetime, key: Key | None
    ) -> Iterator[Statement]:
        digits, at = self.digits(refund.amount.currency), micros(processed_at)
        if key:
            yield Statement(
                f"{insert('idempotency')} ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint,"
                " request_id = excluded.request_id, version = excluded.version, created_at = excluded.created_at"
                " WHERE idempotency.created_at < ?",
                (
                    key.scope, key.key, key.fingerprint, refund.id, 0, at, micros(processed_at - key.lifetime),
                ), 1, KeyTaken,
            )  # fmt: skip
        yield Statement(
            "UPDATE orders SET claims_version = claims_version + 1 WHERE id = ? AND claims_version = ?",
            (refund.order_id, claims_version), 1, OrderMoved,
        )  # fmt: skip
        yield Statement(
            insert("refunds", 1, _ALL),
            (
                refund.id, None, refund.order_id, refund.shop_id, 0, to_minor(refund.amount, digits),
                refund.amount.currency, refund.by.title, refund.status.value,
                json([[line, to_minor(share, digits)] for line, share in refund.lines]), micros(refund.created_at),
                None, refund.tries, at, None, None, refund.actor_id, refund.client, refund.reason, refund.note,
            ),
        )  # fmt: skip

    def _refund(self, row: Row) -> SellerRefund:
        (
            id, _, order_id, shop_id, _, amount, currency, initiator, status, lines, created_at, paid_at, tries,
            _, _, _, actor_id, client, reason, note,
        ) = row  # fmt: skip
        digits = self.digits(currency)
        shares = tuple((line, from_minor(minor, currency, digits)) for line, minor in from_json(lines))
        return SellerRefund(
            id, order_id, shop_id, from_minor(amount, currency, digits), shares, reason, note, party(initiator),
            actor_id, client, instant(created_at), RefundStatus(status), tries, instant_or_none(paid_at),
        )  # fmt: skip


def _moved(refund_id: str) -> Statement:
    """What may be claimed of its order is another now: whoever decides by it must look again."""
    return Statement(
        "UPDATE orders SET claims_version = claims_version + 1 WHERE id = (SELECT order_id FROM refunds WHERE id = ?)",
        (refund_id,),
    )

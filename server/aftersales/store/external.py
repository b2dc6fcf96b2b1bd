"""Returns as the marketplace told of them: each kept as it came, beside the request that it became."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..engine.request import Change
from ..engine.terms import Terms
from .columns import COLUMNS, insert
from .conflicts import StaleVersion
from .database import Database, Row, Statement, alone, padded
from .imports import ImportedOrder, stub_written
from .privacy import IS_ERASED
from .values import Digits, instant, micros
from .writing import statements


@dataclass(frozen=True, slots=True)
class ExternalRecord:
    """
    Args:
        status: as the marketplace spells it.
        unmapped: why it could not be followed, for a person; None: it was.
        record: as it came, in JSON.
        updated_at: the marketplace's own.
    """

    id: str
    format: str
    external_id: str
    shop_id: str
    request_id: str | None
    order_number: str | None
    status: str
    unmapped: str | None
    record: str
    updated_at: datetime


class External:
    database: Database
    digits: Digits
    _terms: dict[str, Terms]

    async def external_records(self, ids: Sequence[str]) -> dict[str, ExternalRecord]:
        if not ids:
            return {}
        asked, args = padded(ids)
        columns = ", ".join(COLUMNS["external_records"])
        [rows] = await self.database.read(
            Statement(f"SELECT {columns} FROM external_records WHERE id IN ({asked})", args)
        )
        return {row[0]: _record(row) for row in rows}

    async def unmapped(self, limit: int = 100) -> list[ExternalRecord]:
        """What a person must look at, longest there first."""
        columns = ", ".join(COLUMNS["external_records"])
        [rows] = await self.database.read(
            Statement(
                f"SELECT {columns} FROM external_records WHERE unmapped IS NOT NULL ORDER BY imported_at, id LIMIT ?",
                (limit,),
            )
        )
        return [_record(row) for row in rows]

    async def external_statuses(self, request_ids: Sequence[str]) -> dict[str, str]:
        """The marketplace's own word for where these requests stand, as it was last told."""
        asked, args = padded(request_ids)
        [rows] = await self.database.read(
            Statement(f"SELECT request_id, status FROM external_records WHERE request_id IN ({asked})", args)
        )
        return dict(rows)

    async def commit_arrival(
        self, record: ExternalRecord, *, change: Change | None, stub: ImportedOrder | None, processed_at: datetime
    ) -> None:
        """Keep a record, with what it made of its request, as one transaction.

        Args:
            stub: the order that the record names, if nobody has told of it; one that is there grows to this.

        Raises:
            StaleVersion: a newer record, or another change, was faster.
            OrderMoved: what may be claimed of the order is another since it was read, or it is there by now.
            NumberTaken: another request has the number.
        """
        order = change.request.order if change else None
        made = stub_written(stub, order, processed_at, self.digits(stub.currency)) if stub else ()
        moved = statements((change,), processed_at, None, self._terms.__contains__) if change else ()
        # the shop's turn comes before all that is written, as it does for any change (ADR 0020)
        await self.database.write(
            alone(record.shop_id), *made, *moved, _kept(record, processed_at), _unpersonal(record)
        )


def _kept(record: ExternalRecord, at: datetime) -> Statement:
    changes = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS["external_records"][3:])
    return Statement(
        f"{insert('external_records')} ON CONFLICT (id) DO UPDATE SET {changes}"
        " WHERE external_records.updated_at <= excluded.updated_at",
        (
            record.id, record.format, record.external_id, record.shop_id, record.request_id, record.order_number,
            record.status, record.unmapped, record.record, micros(record.updated_at), micros(at),
        ), 1, StaleVersion,
    )  # fmt: skip


def _unpersonal(record: ExternalRecord) -> Statement:
    """Of a buyer who was erased, only what became of the return is kept."""
    return Statement(
        "UPDATE external_records SET record = '{}' WHERE id = ?"
        f" AND EXISTS (SELECT 1 FROM orders WHERE shop_id = ? AND number = ? AND {IS_ERASED})",
        (record.id, record.shop_id, record.order_number),
    )


def _record(row: Row) -> ExternalRecord:
    id, format, external_id, shop_id, request_id, order_number, status, unmapped, record, updated_at, _ = row
    return ExternalRecord(
        id, format, external_id, shop_id, request_id, order_number, status, unmapped, record, instant(updated_at)
    )

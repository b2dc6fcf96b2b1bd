"""Requests and orders out of the database: a fixed number of statements in one hop, however many are asked for."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..engine.request import Request, Shipment
from ..engine.shop_rules import Rule
from ..engine.terms import Terms
from ..engine.vocabulary import Order, Shop, Stage
from . import decoding
from .claims import CLAIMED_LINES, claims
from .columns import COLUMNS, select
from .database import Database, Row, Statement, padded
from .decoding import by_owner
from .rules import rule, rules_of
from .values import Digits

StageOf = Callable[[str, str], Stage | None]

# A few hundred terms stand for all requests of all markets.
KEPT_TERMS = 1_000

TERMS_ID = COLUMNS["requests"].index("terms_id")
ORDER_ID = COLUMNS["requests"].index("order_id")
KIND = COLUMNS["requests"].index("kind")
STAGE = COLUMNS["requests"].index("stage")


class Reading:
    """
    Args:
        stage_of: kind and stage by name; None once the plugin that knew them is gone.
        digits: decimals of a currency's minor unit.
    """

    def __init__(self, database: Database, stage_of: StageOf, digits: Digits) -> None:
        self.database = database
        self.stage_of = stage_of
        self.digits = digits
        self._terms: dict[str, Terms] = {}

    async def request(self, id: str) -> Request | None:
        return (await self.requests([id])).get(id)

    async def by_number(self, number: str) -> Request | None:
        [found] = await self.database.read(Statement("SELECT id FROM requests WHERE number = ?", (number,)))
        return await self.request(found[0][0]) if found else None

    async def requests(self, ids: Sequence[str], *, lean: bool = False) -> dict[str, Request]:
        """Whole requests by id, in the order asked for; those that are not there are left out.

        Args:
            lean: without the order's claims, evidence, offers, disputes and the appeal, which few ask for. Good for
                reading only: what may still be granted cannot be told without the claims.
        """
        if not ids:
            return {}
        asked, args = padded(ids)
        beside = () if lean else ("offers", "disputes", "appeals", "reservations")
        rows, lines, clocks, shipments, refunds, costs, *rest = await self.database.read(
            Statement(f"{select('requests')} WHERE id IN ({asked})", args),
            _children("request_lines", asked, args),
            _children("deadlines", asked, args),
            _children("shipments", asked, args),
            _children("refunds", asked, args),
            _children("costs", asked, args),
            *_order_statements(f"SELECT order_id FROM requests WHERE id IN ({asked})", args, lean),
            *(_children(table, asked, args) for table in beside),
            *(() if lean else (_evidence(asked, args),)),
        )
        more: list[list[Row]] = [[], [], [], [], []]
        if not lean:
            rest, more = rest[:-5], rest[-5:]
        order_rows, (offers, disputes, appeals, reservations, evidence) = rest, more
        orders = self._orders(order_rows)
        terms = await self._terms_of({row[TERMS_ID] for row in rows})
        parts = [
            by_owner(part)
            for part in (lines, clocks, shipments, refunds, costs, offers, disputes, appeals, reservations)
        ]
        parts.append(by_owner(evidence, 0))
        found = {
            row[0]: decoding.request(
                row, orders[row[ORDER_ID]], terms[row[TERMS_ID]], self.stage_of(row[KIND], row[STAGE]),
                [part.get(row[0], ()) for part in parts],
            )
            for row in rows
        }  # fmt: skip
        return {id: found[id] for id in ids if id in found}

    async def order(self, id: str) -> Order | None:
        return (await self.orders([id])).get(id)

    async def order_with_rules(self, id: str) -> tuple[Order | None, tuple[Rule, ...]]:
        """An order, and the rules of its shop that stand, in one hop."""
        *read, rules = await self.database.read(
            *_order_statements(*padded([id]), lean=False), rules_of("(SELECT shop_id FROM orders WHERE id = ?)", id)
        )
        return self._orders(read).get(id), tuple(map(rule, rules))

    async def orders(self, ids: Sequence[str]) -> dict[str, Order]:
        """Orders with their shops, lines and claims."""
        return self._orders(await self.database.read(*_order_statements(*padded(ids), lean=False))) if ids else {}

    async def shops(self, ids: Sequence[str] | None = None) -> dict[str, Shop]:
        """Shops by id; all of them where no ids are given."""
        asked, args = padded(ids) if ids is not None else ("SELECT id FROM shops", [])
        [rows] = await self.database.read(Statement(f"{select('shops')} WHERE id IN ({asked}) ORDER BY id", args))
        return {row[0]: decoding.shop(row) for row in rows}

    async def find_parcel(self, tracking: str) -> list[tuple[str, Shipment]]:
        """The parcels with this tracking number, each with its request's id, latest first."""
        [rows] = await self.database.read(
            Statement(f"{select('shipments')} WHERE tracking = ? ORDER BY id DESC LIMIT 20", (tracking,))
        )
        return [(row[1], decoding.shipment(row)) for row in rows]

    async def requests_of_order(self, order_id: str) -> list[str]:
        """Ids of all requests on an order, latest first."""
        [rows] = await self.database.read(
            Statement("SELECT id FROM requests WHERE order_id = ? ORDER BY created_at DESC, id DESC", (order_id,))
        )
        return [row[0] for row in rows]

    def _orders(self, read: Sequence[list[Row]]) -> dict[str, Order]:
        rows, shops, lines, *rest = read
        claimed = {}
        if rest:
            [claimed_lines, refunds] = rest
            claimed = claims(claimed_lines, refunds, lines, {row[0]: row[5] for row in rows}, self.digits)
        return decoding.orders(rows, shops, lines, claimed, self.digits)

    async def _terms_of(self, ids: Collection[str]) -> dict[str, Terms]:
        """Terms never change, so what was read once is kept; a second hop is rare."""
        known = {id: self._terms[id] for id in ids if id in self._terms}
        if missing := [id for id in ids if id not in known]:
            asked, args = padded(missing)
            [rows] = await self.database.read(Statement(f"{select('terms')} WHERE id IN ({asked})", args))
            fresh = decoding.terms(rows)
            self._keep(fresh)
            known.update(fresh)
        return known

    def _keep(self, terms: dict[str, Terms]) -> None:
        self._terms.update(terms)
        while len(self._terms) > KEPT_TERMS:
            del self._terms[next(iter(self._terms))]


def _children(table: str, asked: str, args: Sequence[Any]) -> Statement:
    order = "request_id, position" if "position" in COLUMNS[table] else "request_id"
    return Statement(f"{select(table)} WHERE request_id IN ({asked}) ORDER BY {order}", args)


def _evidence(asked: str, args: Sequence[Any]) -> Statement:
    columns = ", ".join(f"e.{column}" for column in COLUMNS["evidence"])
    return Statement(
        f"SELECT l.request_id, l.case_id, {columns} FROM request_evidence l JOIN evidence e ON e.id = l.evidence_id"
        f" WHERE l.request_id IN ({asked}) ORDER BY l.request_id, l.position",
        args,
    )


def _order_statements(within: str, args: Sequence[Any], lean: bool) -> list[Statement]:
    """Orders, shops and order lines; and, unless lean, what has been claimed.

    Args:
        within: what gives the orders' ids.
    """
    statements = [
        Statement(f"{select('orders')} WHERE id IN ({within})", args),
        Statement(f"{select('shops')} WHERE id IN (SELECT shop_id FROM orders WHERE id IN ({within}))", args),
        Statement(f"{select('order_lines')} WHERE order_id IN ({within}) ORDER BY order_id, position", args),
    ]
    if not lean:
        statements += [
            Statement(CLAIMED_LINES.format(orders=within), args),
            Statement(f"{select('refunds')} WHERE order_id IN ({within})", args),
        ]
    return statements

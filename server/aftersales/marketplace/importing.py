"""Brings rows into the ledger: shops before their orders, each row judged for itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from ..engine.permissions import may
from ..engine.refusal import Problem
from ..engine.vocabulary import Actor, Order, Party, Shop
from ..store import imports
from ..store.imports import ImportedOrder
from ..store.ledger import Ledger
from .rows import Row

ANOTHER_CURRENCY = "The order was placed in another currency."


class Outcome(Enum):
    """What became of a row. REFUSED: nothing was written of it, and its problems say why."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class RowResult:
    """
    Args:
        place: the line of the file, or the index in the list.
        name: the order's number or the shop's id, as the marketplace writes it.
        id: ours; None if the row could not be read.
    """

    place: int
    name: str
    id: str | None
    outcome: Outcome
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Summary:
    """How many rows came to what end."""

    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    def add(self, result: RowResult) -> None:
        self.counts[result.outcome] += 1

    @property
    def refused(self) -> int:
        return self.counts[Outcome.REFUSED]

    def __str__(self) -> str:
        return ", ".join(f"{count} {outcome.value.lower()}" for outcome, count in self.counts.items())


MayImport = Callable[[str], bool]


def may_import(actor: Actor) -> Iterator[Problem]:
    """Whether the actor brings in orders at all: an integration that was trusted with it, never a shop of itself."""
    yield from may(actor, "ordersImport")


def may_import_for(actor: Actor) -> MayImport:
    """For which shops: a partner for its own, the platform for all."""
    return lambda shop_id: actor.party is Party.PLATFORM or shop_id in actor.shops


async def import_rows(
    ledger: Ledger, rows: Sequence[Row], at: datetime, may: MayImport = lambda shop_id: True
) -> list[RowResult]:
    """Make or change what the rows tell. The same rows again change nothing.

    Args:
        may: whether the caller speaks for a shop; the others do not exist for it.

    Returns:
        One for each row, by its place.
    """
    results: list[RowResult] = []
    for run in _runs([_unless_foreign(row, may) for row in rows]):
        results += [refused(row) for row in run if row.told is None]
        results += await _import_shops(ledger, run)
        results += await _import_orders(ledger, run, at)
    return sorted(results, key=lambda result: result.place)


async def as_they_are(ledger: Ledger, rows: Sequence[Row], may: MayImport) -> list[RowResult]:
    """What an import answers that was done before: nothing is written, so nothing of it has changed."""
    rows = [_unless_foreign(row, may) for row in rows]
    ids = [row.told.id for row in rows if row.told]
    shops, orders = await ledger.shops(ids), await ledger.orders(ids)
    return [_standing(_fitting(row, shops, orders), {*shops, *orders}) for row in rows]


def _standing(row: Row, there: Set[str]) -> RowResult:
    if row.told and row.told.id not in there and not row.problems:
        row = _against(row, "There is no such record.", code="NOT_FOUND")
    if row.told is None or row.problems:
        return refused(row)
    return RowResult(row.place, row.name, row.told.id, Outcome.UNCHANGED)


def refused(row: Row) -> RowResult:
    return RowResult(row.place, row.name, row.told.id if row.told else None, Outcome.REFUSED, row.problems)


def _runs(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Cut where something is told of a second time, so that the later row meets what the earlier one left."""
    run: list[Row] = []
    seen: set[str] = set()
    for row in rows:
        if row.told and row.told.id in seen:
            yield run
            run, seen = [], set()
        run.append(row)
        seen |= {row.told.id} if row.told else set()
    yield run


def _unless_foreign(row: Row, may: MayImport) -> Row:
    if isinstance(row.told, Shop) and not may(row.told.id):
        return replace(_against(row, "This is no shop of yours.", "id", code="NOT_FOUND"), told=None)
    if isinstance(row.told, ImportedOrder) and not may(row.told.shop_id):
        return replace(_against(row, "This is no shop of yours.", "shopId", code="NOT_FOUND"), told=None)
    return row


async def _import_shops(ledger: Ledger, rows: Sequence[Row]) -> list[RowResult]:
    told = [(row, row.told) for row in rows if isinstance(row.told, Shop)]
    if not told:
        return []
    known = await ledger.shops([shop.id for _, shop in told])
    judged = [(_fitting(row, known, {}), shop) for row, shop in told]
    await ledger.import_shops([shop for row, shop in judged if not row.problems and known.get(shop.id) != shop])
    return [
        refused(row)
        if row.problems
        else RowResult(row.place, row.name, shop.id, _shop_outcome(known.get(shop.id), shop))
        for row, shop in judged
    ]


def _shop_outcome(known: Shop | None, told: Shop) -> Outcome:
    if known is None:
        return Outcome.CREATED
    return Outcome.UNCHANGED if known == told else Outcome.UPDATED


async def _import_orders(ledger: Ledger, rows: Sequence[Row], at: datetime) -> list[RowResult]:
    told = [(row, row.told) for row in rows if isinstance(row.told, ImportedOrder)]
    known = await ledger.orders([order.id for _, order in told])
    judged = [(_fitting(row, {}, known), order) for row, order in told]
    good = [(row, order) for row, order in judged if not row.problems]
    outcomes = await ledger.import_orders([order for _, order in good], at)
    return [
        *(refused(row) for row, _ in judged if row.problems),
        *(_result(row, order, outcome) for (row, order), outcome in zip(good, outcomes, strict=True)),
    ]


def _fitting(row: Row, shops: Mapping[str, Shop], orders: Mapping[str, Order]) -> Row:
    """The row, with what it says against what is known."""
    match row.told:
        case Shop(id=id, market=market) if id in shops and shops[id].market != market:
            # the running clocks of its requests go by the calendar of the market
            return _against(row, "A shop stays in its market: {market}.", "market", market=shops[id].market)
        case ImportedOrder(id=id, currency=currency) if id in orders and orders[id].currency != currency:
            return _against(row, ANOTHER_CURRENCY, "currency")
        case ImportedOrder(id=id) as told if id in orders and orders[id].claims and not imports.was_stub(orders[id]):
            return _in_their_places(row, told, orders[id])
    return row


def _in_their_places(row: Row, told: ImportedOrder, known: Order) -> Row:
    """A line is known by its place: once there are claims on it, nothing else may come to stand there."""
    for index, (line, was) in enumerate(zip(told.lines, known.lines, strict=False)):
        if line.sku_id != was.sku_id:
            row = _against(
                row, "This line is claimed as {was}: keep the order of the lines, and add new ones at the end.",
                f"lines.{index}.skuId", was=was.sku_id,
            )  # fmt: skip
    return row


def _result(row: Row, order: ImportedOrder, outcome: imports.Outcome) -> RowResult:
    match outcome:
        case imports.Outcome.UNKNOWN_SHOP:
            row = _against(row, "There is no such shop: bring it in first.", "shopId", code="NOT_FOUND")
        case imports.Outcome.CURRENCY_DIFFERS:
            row = _against(row, ANOTHER_CURRENCY, "currency")
        case imports.Outcome.LACKS_LINE:
            row = _against(row, "A return that came before names a product that is on no line here.", "lines")
    return refused(row) if row.problems else RowResult(row.place, row.name, order.id, Outcome(outcome.value))


def _against(row: Row, message: str, field: str = "", *, code: str = "INVALID_INPUT", **facts: Any) -> Row:
    path = f"{row.path}.{field}" if field else row.path
    return replace(row, problems=(*row.problems, Problem(code, message, path, guard="G_INPUT", **facts)))

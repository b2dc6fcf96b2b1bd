"""Orders and shops as the marketplace tells them: in bulk, and as often as it likes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import datetime
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from uuid import NAMESPACE_URL, uuid5

from ..engine.money import Money, from_minor, to_minor
from ..engine.vocabulary import Order, OrderState, Shop
from .columns import ASIDE, COLUMNS, insert
from .conflicts import OrderMoved
from .database import Database, Row, Statement, StoreBusy, marks, padded
from .privacy import IS_ERASED
from .values import Digits, micros, micros_or_none

CHUNK = 100
TRIES = 5
FORWARD = {state.value: rank for rank, state in enumerate(OrderState)}


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """One line of an order; `tax` and the discounts are of the whole line."""

    sku_id: str
    product_name: str
    quantity: int
    unit_paid: Money
    tax: Money
    platform_discount: Money
    seller_discount: Money
    product_id: str = ""
    seller_sku: str | None = None
    variation_name: str | None = None
    category: str | None = None
    returnable: bool = True
    change_of_mind_ok: bool = True
    preorder: bool = False
    taken_down: bool = False


@dataclass(frozen=True, slots=True)
class ImportedOrder:
    """An order, well-formed: that it adds up, whoever parsed it has checked.

    Args:
        stub: made up from a return that names it, until the order itself comes.
    """

    shop_id: str
    number: str
    buyer_id: str
    currency: str
    state: OrderState
    placed_at: datetime
    delivered_at: datetime | None
    total: Money
    shipping_paid: Money
    lines: tuple[ImportedLine, ...]
    buyer_name: str | None = None
    fulfilment: str = "PLATFORM"
    stub: bool = False
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", order_id(self.shop_id, self.number))

    @property
    def source_hash(self) -> str:
        return sha256(repr(astuple(self)).encode()).hexdigest()


class Outcome(Enum):
    """What an import did with an order.

    UNKNOWN_SHOP, CURRENCY_DIFFERS and LACKS_LINE change nothing: the row is at fault.
    """

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    UNKNOWN_SHOP = "UNKNOWN_SHOP"
    CURRENCY_DIFFERS = "CURRENCY_DIFFERS"
    #: A return that came before the order names a product that the order does not have.
    LACKS_LINE = "LACKS_LINE"


def order_id(shop_id: str, number: str) -> str:
    """The same order has the same id, whenever and wherever it is imported."""
    return f"or_{uuid5(NAMESPACE_URL, f'{shop_id}|{number}').hex}"


def order_line_id(order_id: str, position: int) -> str:
    return f"ol_{order_id.partition('_')[2]}_{position}"


def stub_line_id(order_id: str, position: int) -> str:
    """Of a line that was made up from a return: it never meets a line that the order itself brings."""
    return f"ol_{order_id.partition('_')[2]}_s{position}"


def was_stub(order: Order) -> bool:
    """Whether a return named it before it was told of: its lines are then known by product, not by place."""
    return order.stub or any("_s" in line.id for line in order.lines)


class Imports:
    database: Database
    digits: Digits

    async def import_shops(self, shops: Sequence[Shop]) -> None:
        """Make or change shops."""
        changes = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS["shops"][1:])
        await self.database.write(
            *(
                Statement(f"{insert('shops')} ON CONFLICT (id) DO UPDATE SET {changes}", _shop_row(shop))
                for shop in shops
            )
        )

    async def import_orders(self, batch: Sequence[ImportedOrder], at: datetime) -> list[Outcome]:
        """Make or change orders, by shop and number. Any number of them; each hundred is one transaction.

        State and delivery only move forward. Once something was claimed of an order its money, quantities
        and lines stand, as requests rely on them; lines that are new are added.

        Returns:
            One outcome for each, in their order.

        Raises:
            StoreBusy: an order changed each time it was looked at. Of those before it some are written: all may be
                given again.
        """
        outcomes: list[Outcome] = []
        for start in range(0, len(batch), CHUNK):
            outcomes += await self._import_chunk(batch[start : start + CHUNK], at)
        return outcomes

    async def _import_chunk(self, chunk: Sequence[ImportedOrder], at: datetime) -> list[Outcome]:
        # of an order that is there twice, the later row is the newer one
        latest = {order.id: order for order in chunk}
        for _ in range(TRIES):
            known, shops = await self._known(latest.values())
            outcomes = {id: _outcome(order, known.get(id), shops) for id, order in latest.items()}
            try:
                statements = [
                    statement
                    for id, order in latest.items()
                    for statement in written(order, outcomes[id], known.get(id), at, self.digits(order.currency))
                ]
                if statements:
                    await self.database.write(*statements)
            except OrderMoved:
                # a request was made in between
                continue
            return [outcomes[order.id] for order in chunk]
        if len(latest) == 1:
            raise StoreBusy("The order changed at each try.")
        # of many at once one may change each time; one by one, each needs to stand still for an instant only
        alone = {id: (await self._import_chunk([order], at))[0] for id, order in latest.items()}
        return [alone[order.id] for order in chunk]

    async def _known(self, orders: Iterable[ImportedOrder]) -> tuple[dict[str, "_Known"], set[str]]:
        orders = list(orders)
        ids, id_args = padded([order.id for order in orders])
        shops, shop_args = padded(sorted({order.shop_id for order in orders}))
        rows, shop_rows, stub_rows = await self.database.read(
            Statement(
                "SELECT o.id, o.source_hash, o.currency, o.claims_version, o.stub,"
                " EXISTS (SELECT 1 FROM requests r WHERE r.order_id = o.id)"
                " OR EXISTS (SELECT 1 FROM refunds f WHERE f.order_id = o.id)"
                f" FROM orders o WHERE o.id IN ({ids})",
                id_args,
            ),
            Statement(f"SELECT id FROM shops WHERE id IN ({shops})", shop_args),
            # what an order brings itself has an id without this letter
            Statement(
                f"SELECT order_id, sku_id, id FROM order_lines WHERE order_id IN ({ids}) AND id LIKE '%s%'", id_args
            ),
        )
        stubs: dict[str, dict[str, str]] = defaultdict(dict)
        for order_id, sku_id, id in stub_rows:
            stubs[order_id][sku_id] = id
        return {row[0]: _known_of(row, stubs.get(row[0], {})) for row in rows}, {row[0] for row in shop_rows}


@dataclass(frozen=True, slots=True)
class _Known:
    """Of an order that is there already: its row as last imported, and whether something was claimed of it.

    Args:
        stubs: by SKU, the ids of lines that returns named before the order was told of.
    """

    source_hash: str
    currency: str
    claims_version: int
    stub: bool
    claimed: bool
    stubs: Mapping[str, str]


def _known_of(row: Row, stubs: Mapping[str, str]) -> _Known:
    _, source_hash, currency, claims_version, stub, claimed = row
    return _Known(source_hash, currency, claims_version, bool(stub), bool(claimed), stubs)


def _outcome(order: ImportedOrder, known: _Known | None, shops: set[str]) -> Outcome:
    if order.shop_id not in shops:
        return Outcome.UNKNOWN_SHOP
    if known is None:
        return Outcome.CREATED
    if known.currency != order.currency:
        return Outcome.CURRENCY_DIFFERS
    if known.stubs.keys() - {line.sku_id for line in order.lines}:
        return Outcome.LACKS_LINE
    return Outcome.UNCHANGED if known.source_hash == order.source_hash else Outcome.UPDATED


def written(
    order: ImportedOrder, outcome: Outcome, known: _Known | None, at: datetime, digits: int
) -> Iterator[Statement]:
    if outcome is Outcome.CREATED:
        columns = (*COLUMNS["orders"], *ASIDE["orders"])
        yield Statement(
            f"{insert('orders', 1, columns)} ON CONFLICT (id) DO NOTHING",
            (*_order_row(order, digits), micros(at), order.source_hash), 1, OrderMoved,
        )  # fmt: skip
        yield from _lines(order, digits, "DO NOTHING")
    elif outcome is Outcome.UPDATED and known:
        order = replace(order, lines=tuple(_as_named(order.lines, known.stubs, digits)))
        yield _moved_on(order, known, at)
        if known.stub:
            yield from _filled(order, known, digits)
            return
        if known.claimed:
            # that a product was taken down decides of what is claimed already, too (RO3)
            yield from _lines(order, digits, "DO UPDATE SET taken_down = excluded.taken_down", known.stubs)
        else:
            yield Statement(
                f"UPDATE orders SET total = ?, shipping_paid = ?, {_BUYER}, placed_at = ?, fulfilment = ?"
                " WHERE id = ?",
                (
                    to_minor(order.total, digits), to_minor(order.shipping_paid, digits), order.buyer_id,
                    micros(order.placed_at), order.fulfilment, order.id,
                ), 1,
            )  # fmt: skip
            yield Statement(
                "DELETE FROM order_lines WHERE order_id = ? AND position >= ?", (order.id, len(order.lines))
            )
            yield from _lines(order, digits, f"DO UPDATE SET {_LINE_CHANGES}")


def stub_written(stub: ImportedOrder, read: Order | None, at: datetime, digits: int) -> Iterator[Statement]:
    """A stub that is made, or that grows as long as it is one.

    Args:
        read: what it was decided by: whether it was there, and how often what may be claimed of it had changed.
    """
    if read is None or not read.claims_version:
        yield from written(stub, Outcome.CREATED, None, at, digits)
        return
    yield Statement(
        "UPDATE orders SET total = ?, source_hash = ? WHERE id = ? AND stub AND claims_version = ?",
        (to_minor(stub.total, digits), stub.source_hash, stub.id, read.claims_version), 1, OrderMoved,
    )  # fmt: skip
    yield from _lines(stub, digits, f"DO UPDATE SET {_LINE_CHANGES}")


def _filled(order: ImportedOrder, known: _Known, digits: int) -> Iterator[Statement]:
    """A stub becomes the order: only the ids of its lines stay, as requests name them."""
    yield Statement(
        "UPDATE orders SET total = ?, shipping_paid = ?, buyer_id = ?, buyer_name = ?, placed_at = ?, fulfilment = ?,"
        " state = ?, delivered_at = ?, stub = ? WHERE id = ?",
        (
            to_minor(order.total, digits), to_minor(order.shipping_paid, digits), order.buyer_id, order.buyer_name,
            micros(order.placed_at), order.fulfilment, order.state.value, micros_or_none(order.delivered_at), False,
            order.id,
        ), 1,
    )  # fmt: skip
    yield Statement("UPDATE requests SET buyer_id = ? WHERE order_id = ?", (order.buyer_id, order.id))
    # out of the way first, as no two may stand at one place even for a moment
    yield Statement("UPDATE order_lines SET position = -1 - position WHERE order_id = ?", (order.id,))
    yield from _lines(order, digits, f"DO UPDATE SET {_PLACE}, {_LINE_CHANGES}", known.stubs)


def _as_named(lines: Sequence[ImportedLine], stubs: Mapping[str, str], digits: int) -> Iterator[ImportedLine]:
    """The lines; those of a product that a return named before the order came are one."""
    of_sku: dict[str, list[ImportedLine]] = defaultdict(list)
    for line in lines:
        of_sku[line.sku_id].append(line)
    for line in lines:
        same = of_sku[line.sku_id]
        if line.sku_id not in stubs or len(same) == 1:
            yield line
        elif line is same[0]:
            yield _together(same, digits)


def _together(lines: Sequence[ImportedLine], digits: int) -> ImportedLine:
    """One line for several of a product. What their prices leave when divided is told with the tax."""
    first, units = lines[0], sum(line.quantity for line in lines)
    paid, tax = Money.zero(first.unit_paid.currency), Money.zero(first.unit_paid.currency)
    for line in lines:
        paid, tax = paid + Money(line.unit_paid.amount * line.quantity, line.unit_paid.currency), tax + line.tax
    each, rest = divmod(to_minor(paid, digits), units)
    unit_paid, left = (from_minor(minor, paid.currency, digits) for minor in (each, rest))
    nothing = Money.zero(paid.currency)
    return replace(
        first, quantity=units, unit_paid=unit_paid, tax=tax + left,
        platform_discount=sum((line.platform_discount for line in lines), nothing),
        seller_discount=sum((line.seller_discount for line in lines), nothing),
        returnable=all(line.returnable for line in lines),
        change_of_mind_ok=all(line.change_of_mind_ok for line in lines),
        taken_down=any(line.taken_down for line in lines),
    )  # fmt: skip


def _moved_on(order: ImportedOrder, known: _Known, at: datetime) -> Statement:
    """State and delivery go forward only; whoever decides by the order as it was must look again."""
    passed = [state for state, rank in FORWARD.items() if rank < FORWARD[order.state.value]]
    delivered = micros_or_none(order.delivered_at)
    return Statement(
        f"UPDATE orders SET state = CASE WHEN state IN ({marks(len(passed)) or 'NULL'}) THEN ? ELSE state END,"
        " delivered_at = CASE WHEN delivered_at IS NULL OR delivered_at < ? THEN ? ELSE delivered_at END,"
        f" buyer_name = CASE WHEN {IS_ERASED} THEN NULL ELSE COALESCE(?, buyer_name) END,"
        " imported_at = ?, source_hash = ?, claims_version = claims_version + 1"
        " WHERE id = ? AND claims_version = ?",
        (
            *passed, order.state.value, delivered or 0, delivered, order.buyer_name, micros(at), order.source_hash,
            order.id, known.claims_version,
        ), 1, OrderMoved,
    )  # fmt: skip


# The marketplace may go on telling of a buyer who was erased here; it is not written down.
_BUYER = f"buyer_id = CASE WHEN {IS_ERASED} THEN buyer_id ELSE ? END"

_LINE_COLUMNS = (*COLUMNS["order_lines"], *ASIDE["order_lines"])
_PLACE = "position = excluded.position"
_LINE_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in _LINE_COLUMNS[3:])


def _lines(
    order: ImportedOrder, digits: int, conflict: str, stubs: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Statement]:
    if order.lines:
        rows = [
            _line_row(order, position, line, digits, stubs.get(line.sku_id))
            for position, line in enumerate(order.lines)
        ]
        yield Statement(
            f"{insert('order_lines', len(rows), _LINE_COLUMNS)} ON CONFLICT (id) {conflict}",
            [value for row in rows for value in row],
        )


def _shop_row(shop: Shop) -> Row:
    return (shop.id, shop.name, shop.market, shop.kind.value, shop.timezone, shop.return_address, shop.open)


def _order_row(order: ImportedOrder, digits: int) -> Row:
    return (
        order.id, order.shop_id, order.number, order.buyer_id, order.buyer_name, order.currency, order.state.value,
        micros(order.placed_at), micros_or_none(order.delivered_at), to_minor(order.total, digits),
        to_minor(order.shipping_paid, digits), order.fulfilment, 0, order.stub,
    )  # fmt: skip


def _line_row(order: ImportedOrder, position: int, line: ImportedLine, digits: int, known: str | None) -> Row:
    new = stub_line_id if order.stub else order_line_id
    return (
        known or new(order.id, position), order.id, position, line.sku_id, line.product_id, line.seller_sku,
        line.product_name, line.variation_name, line.category, line.quantity, to_minor(line.unit_paid, digits),
        to_minor(line.tax, digits), line.returnable, line.change_of_mind_ok, line.preorder, line.taken_down,
        to_minor(line.platform_discount, digits), to_minor(line.seller_discount, digits),
    )  # fmt: skip

"""What is returned, on the lines of its order; and the order that is made up where nobody has told of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..engine.arrival import Unfit
from ..engine.kind import Kind
from ..engine.money import Money, from_minor, shares, to_minor
from ..engine.request import RequestLine
from ..engine.vocabulary import Order, OrderLine, OrderState, Shop
from ..store.imports import ImportedLine, ImportedOrder, stub_line_id
from .tiktok import Item, Return

# No buyer's id has a bar in it, so nobody can be this one.
NOBODY = "by_|{order}"


def _by_sku(items: Sequence[Item]) -> dict[str, list[Item]]:
    """The same product may stand on several lines, one for each unit."""
    units: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        units[item.sku_id].append(item)
    return units


def lines_of(said: Return, order: Order, but: frozenset[str], *, ended: bool) -> Iterator[RequestLine]:
    """The units of the record on the lines of the order, with the refund shared out among them.

    Args:
        but: requests whose units are these: those that this one took the place of, or gave it to.
        ended: it came to nothing, so that its units are anybody's.

    Raises:
        Unfit: the order has not so many that are free.
    """
    taken = defaultdict(int) if ended else _taken(order, but)
    chosen: list[tuple[OrderLine, list[Item]]] = []
    for sku_id, units in _by_sku(said.items).items():
        left = list(units)
        for line in order.lines:
            if line.sku_id == sku_id and left and (free := line.quantity - taken[line.id]) > 0:
                chosen.append((line, left[:free]))
                left = left[free:]
        if left:
            raise Unfit(f"The order has no {len(units)} units of {sku_id} that are not returned already.")
    total = said.refund if said.refund is not None else _sum(said, said.items)
    weights = [_weight(said, line, units, order.digits) for line, units in chosen]
    for (line, units), part in zip(chosen, shares(total, weights, order.digits), strict=True):
        yield RequestLine(line.id, len(units), part)


def _taken(order: Order, but: frozenset[str]) -> dict[str, int]:
    """Units of each line that other requests hold, or were refunded for in full."""
    taken: dict[str, int] = defaultdict(int)
    for claim in order.claims:
        if (claim.active or claim.full) and claim.request_id not in but:
            taken[claim.order_line_id] += claim.quantity
    return taken


def _weight(said: Return, line: OrderLine, units: Sequence[Item], digits: int) -> int:
    """What the record says of these units; where it says nothing, what was paid for them."""
    if any(item.refund for item in said.items):
        return to_minor(_sum(said, units), digits)
    return to_minor(line.unit_paid, digits) * len(units)


def _sum(said: Return, items: Iterable[Item]) -> Money:
    return sum((item.refund for item in items if item.refund), Money.zero(said.currency))


def stub_of(said: Return, shop: Shop, kind: Kind, digits: int) -> ImportedOrder:
    """An order of which nothing is known but what is returned. What does not divide by units is told as tax.

    Raises:
        Unfit: the record names nothing.
    """
    nothing = Money.zero(said.currency)
    products = _by_sku(said.items)
    if not products:
        raise Unfit("It names nothing that is returned.")
    total = said.refund if said.refund is not None else _sum(said, said.items)
    weights = [to_minor(_sum(said, units), digits) for units in products.values()]
    lines = []
    for units, paid in zip(products.values(), shares(total, weights, digits), strict=True):
        each, rest = divmod(to_minor(paid, digits), len(units))
        lines.append(
            ImportedLine(
                sku_id=units[0].sku_id, product_name=units[0].product_name, quantity=len(units),
                unit_paid=from_minor(each, said.currency, digits), tax=from_minor(rest, said.currency, digits),
                platform_discount=nothing, seller_discount=nothing, seller_sku=units[0].seller_sku,
                variation_name=units[0].variation_name,
            )
        )  # fmt: skip
    reason = kind.reasons.get(said.reason)
    arrived = reason is None or OrderState.DELIVERED in reason.order_states
    return ImportedOrder(
        shop_id=shop.id, number=said.order_number, buyer_id=NOBODY.format(order=said.order_number),
        currency=said.currency, state=OrderState.DELIVERED if arrived else OrderState.IN_TRANSIT,
        placed_at=said.created_at, delivered_at=None, total=total, shipping_paid=nothing, lines=tuple(lines), stub=True,
    )  # fmt: skip


def grown(known: Order, said: Return, shop: Shop, kind: Kind, but: frozenset[str], *, ended: bool) -> ImportedOrder:
    """A stub that is there already, with room for what one more return names. It never shrinks.

    Args:
        but, ended: as in `lines_of`.
    """
    made = stub_of(said, shop, kind, known.digits)
    told, taken = {line.sku_id: line for line in made.lines}, defaultdict(int) if ended else _taken(known, but)
    there = {line.sku_id for line in known.lines}
    lines = (
        *(_larger(line, told.get(line.sku_id), taken[line.id], known.digits) for line in known.lines),
        *(line for line in made.lines if line.sku_id not in there),
    )
    paid = (Money(line.unit_paid.amount * line.quantity, known.currency) + line.tax for line in lines)
    return replace(
        made, buyer_id=known.buyer_id, state=known.state, placed_at=known.placed_at, lines=lines,
        total=sum(paid, Money.zero(known.currency)),
    )  # fmt: skip


def _larger(line: OrderLine, told: ImportedLine | None, taken: int, digits: int) -> ImportedLine:
    nothing = Money.zero(line.unit_paid.currency)
    quantity, each = line.quantity, line.unit_paid
    if told is not None:
        # each unit worth what was refunded for the dearest, and the rest of its price rounded up
        dearest = told.unit_paid + (from_minor(1, nothing.currency, digits) if told.tax else nothing)
        quantity, each = max(quantity, told.quantity + taken), max(each, dearest)
    return ImportedLine(
        sku_id=line.sku_id, product_name=line.product_name, quantity=quantity, unit_paid=each, tax=line.tax,
        platform_discount=nothing, seller_discount=nothing, seller_sku=line.seller_sku,
        variation_name=line.variation_name,
    )  # fmt: skip


def as_order(stub: ImportedOrder, shop: Shop, digits: int, known: Order | None = None) -> Order:
    """The stub as it will be read once it is written. `known`: the one that it takes the place of."""
    lines = tuple(
        OrderLine(
            stub_line_id(stub.id, position), line.sku_id, line.product_name, line.quantity, line.unit_paid, line.tax,
            seller_sku=line.seller_sku, variation_name=line.variation_name,
        )
        for position, line in enumerate(stub.lines)
    )  # fmt: skip
    return Order(
        stub.id, stub.number, shop, stub.buyer_id, stub.currency, digits, stub.state,
        stub.placed_at, None, stub.total, stub.shipping_paid, lines, stub.fulfilment, stub=True,
        claims=known.claims if known else (), claims_version=known.claims_version if known else 0,
    )  # fmt: skip

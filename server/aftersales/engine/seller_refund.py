"""A seller refunds unasked: the buyer need not agree, and may claim that much less (section 10 of the model)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from .guards import NOTE_LIMIT
from .money import Money, to_minor
from .permissions import may
from .refusal import Problem, Refused
from .request import RefundStatus
from .rights import amount_limit
from .vocabulary import Actor, Order, OrderState, Party

# From the Shipped tab: what is on its way, or has come.
SHIPPED = frozenset({OrderState.IN_TRANSIT, OrderState.DELIVERED})


@dataclass(frozen=True, slots=True)
class RefundReason:
    """Why a seller refunds unasked. `note`: they must say it in words."""

    code: str
    label: str
    note: bool = False


# fmt: off
REASONS_TO_REFUND = {
    reason.code: reason
    for reason in (
        #             code                              label
        RefundReason("missing_product_or_accessories", "Products or accessories are missing"),
        RefundReason("agreed_with_buyer",              "Agreed with the buyer"),
        RefundReason("goodwill",                       "As a favour"),
        RefundReason("other",                          "Another reason", note=True),
    )
}
# fmt: on


@dataclass(frozen=True, slots=True)
class RefundLine:
    """`amount` is None for all that is left of the line."""

    order_line_id: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a seller wants to give back.

    Args:
        id: of the refund, made by whoever asks: the provider's key for ever.
    """

    id: str
    order: Order
    lines: tuple[RefundLine, ...]
    reason: str
    note: str
    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class SellerRefund:
    """Money given back unasked.

    Args:
        lines: (order line id, share) pairs; the shares sum to `amount`.
        tries: how often the provider did not pay.
    """

    id: str
    order_id: str
    shop_id: str
    amount: Money
    lines: tuple[tuple[str, Money], ...]
    reason: str
    note: str
    by: Party
    actor_id: str
    client: str
    created_at: datetime
    status: RefundStatus = RefundStatus.PENDING
    tries: int = 0
    paid_at: datetime | None = None


def refund_unasked(wish: Wish) -> SellerRefund:
    """The refund, within each line and the order as paid, beside all that was granted so far.

    Raises:
        Refused: FORBIDDEN, INELIGIBLE, NOT_FOUND, AMOUNT_EXCEEDED, INVALID_INPUT, REASON_NOT_ALLOWED, NOTE_REQUIRED.
    """
    if denied := tuple(may(wish.actor, "sellerRefundCreate")):
        raise Refused(denied)
    shares = _shares(wish)
    # what is wrong with a line is said there; of the sum only what is wrong with it alone
    if problems := [*_state(wish), *_said(wish), *(tuple(_lines(wish, shares)) or _sum(wish, shares))]:
        raise Refused(problems)
    return SellerRefund(
        wish.id, wish.order.id, wish.order.shop.id, _total(wish, shares),
        tuple((line.order_line_id, share) for line, share in zip(wish.lines, shares, strict=True)),
        wish.reason, wish.note.strip(), wish.actor.party, wish.actor.id, wish.actor.client, wish.at,
    )  # fmt: skip


def left_of_line(order: Order, order_line_id: str) -> Money:
    """What was paid for the line and not given back, but no more than is left of the order."""
    bought = order.line(order_line_id)
    if bought is None:
        return Money.zero(order.currency)
    return max(Money.zero(order.currency), min(bought.paid - order.refunded(bought.id), _left_of_order(order)))


def _left_of_order(order: Order) -> Money:
    return max(Money.zero(order.currency), order.total - order.refunded())


def _shares(wish: Wish) -> tuple[Money, ...]:
    """What each line gets: what was named; else all that is left of it, and of the order beside the others."""
    named = (line.amount for line in wish.lines if line.amount and line.amount.currency == wish.order.currency)
    rest = max(
        Money.zero(wish.order.currency), _left_of_order(wish.order) - sum(named, Money.zero(wish.order.currency))
    )
    shares = []
    for line in wish.lines:
        if line.amount is not None:
            shares.append(line.amount)
        else:
            shares.append(min(left_of_line(wish.order, line.order_line_id), rest))
            rest = rest - shares[-1]
    return tuple(shares)


def _total(wish: Wish, shares: Sequence[Money]) -> Money:
    return sum(shares, Money.zero(wish.order.currency))


def _state(wish: Wish) -> Iterator[Problem]:
    if wish.order.state not in SHIPPED:
        yield Problem(
            "INELIGIBLE", "This cannot be refunded while the order is {state}.", "orderId", guard="G_ORDER_STATE",
            state=wish.order.state.value,
        )  # fmt: skip


def _said(wish: Wish) -> Iterator[Problem]:
    reason = REASONS_TO_REFUND.get(wish.reason)
    if reason is None:
        yield Problem(
            "REASON_NOT_ALLOWED", "Choose one of: {allowed}.", "reason", guard="G_REASON",
            allowed=", ".join(REASONS_TO_REFUND),
        )  # fmt: skip
    elif reason.note and not wish.note.strip():
        yield Problem("NOTE_REQUIRED", "Say why in a note.", "note", guard="G_NOTE")
    if len(wish.note) > NOTE_LIMIT:
        yield Problem(
            "INVALID_INPUT", "Say it in at most {limit} characters.", "note", guard="G_NOTE", limit=NOTE_LIMIT
        )


def _lines(wish: Wish, shares: Sequence[Money]) -> Iterator[Problem]:
    if not wish.lines:
        yield Problem("INVALID_INPUT", "Name at least one line of the order.", "lines", guard="G_LINE")
    seen: set[str] = set()
    for index, (line, share) in enumerate(zip(wish.lines, shares, strict=True)):
        where = f"lines.{index}"
        if wish.order.line(line.order_line_id) is None:
            yield Problem("NOT_FOUND", "This order has no such line.", f"{where}.orderLineId", guard="G_LINE")
        elif line.order_line_id in seen:
            yield Problem("INVALID_INPUT", "Name each line once.", f"{where}.orderLineId", guard="G_LINE")
        else:
            yield from _amount(wish, line.order_line_id, share, f"{where}.amount")
        seen.add(line.order_line_id)


def _amount(wish: Wish, order_line_id: str, share: Money, where: str) -> Iterator[Problem]:
    currency, digits = wish.order.currency, wish.order.digits
    most = left_of_line(wish.order, order_line_id)
    if share.currency != currency:
        yield Problem("INVALID_INPUT", "Give the amount in {currency}.", where, guard="G_AMOUNT", currency=currency)
    elif not Money.zero(currency) < share <= most:
        yield Problem(
            "AMOUNT_EXCEEDED", "Refund more than 0 and at most {maximum}.", where, guard="G_AMOUNT", maximum=most
        )
    elif not _in_minor_units(share, digits):
        yield Problem(
            "INVALID_INPUT", "{currency} has {digits} decimals.", where, guard="G_AMOUNT", currency=currency,
            digits=digits,
        )  # fmt: skip


def _in_minor_units(amount: Money, digits: int) -> bool:
    try:
        to_minor(amount, digits)
    except ValueError:
        return False
    return True


def _sum(wish: Wish, shares: Sequence[Money]) -> Iterator[Problem]:
    amount, most, limit = _total(wish, shares), _left_of_order(wish.order), amount_limit(wish.actor, "refund")
    if amount > most:
        yield Problem(
            "AMOUNT_EXCEEDED", "Refund more than 0 and at most {maximum}.", "lines", guard="G_AMOUNT", maximum=most
        )
    if limit is not None and amount.amount > limit:
        yield Problem(
            "FORBIDDEN", "You may refund at most {limit}; ask somebody with a higher limit.", "lines",
            guard="G_OWNER", permission="refund", limit=str(Money(limit, amount.currency)),
        )  # fmt: skip

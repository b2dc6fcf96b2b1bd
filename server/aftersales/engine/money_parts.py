"""What a refund consists of, and who carries each part (section 10 of the model)."""

from dataclasses import dataclass

from .costs import CostKind, bearers
from .money import Money, shares
from .request import Leg, Request
from .vocabulary import Party

_NAMES = {
    CostKind.RETURN_SHIPPING: "SHIPPING_BACK",
    CostKind.OUTBOUND_SHIPPING: "SHIPPING_OUT",
    CostKind.BUYER_COUPON: "COUPON",
    CostKind.COMPENSATION: "COMPENSATION",
    CostKind.FEE: "FEE",
}


@dataclass(frozen=True, slots=True)
class Part:
    """`kind` is one of the contract's MoneyPartKind names."""

    kind: str
    amount: Money
    payer: Party


def parts(request: Request) -> tuple[Part, ...]:
    """The parts of what is, or may be, refunded, which sum to it; then the costs beside it whose amount is known."""
    total = request.refund_approved if request.refund_approved is not None else request.refund_max
    goods, tax = _goods(request), _tax(request)
    shipping = max(Money.zero(total.currency), request.refund_max - goods - tax)
    weights = [goods.amount, tax.amount, shipping.amount]
    divided = shares(total, weights, request.order.digits)
    payers = (Party.SELLER, Party.SELLER, _shipping_payer(request))
    refund = (
        Part(name, part, payer)
        for name, part, payer in zip(("GOODS", "TAX", "SHIPPING_OUT"), divided, payers, strict=True)
    )
    beside = (Part(_NAMES[cost.kind], cost.amount, cost.payer) for cost in request.costs if cost.amount is not None)
    return (*(part for part in refund if part.amount), *beside)


def _goods(request: Request) -> Money:
    zero = Money.zero(request.order.currency)
    bought = ((line, request.order.line(line.order_line_id)) for line in request.lines)
    paid = sum((Money(b.unit_paid.amount * line.quantity, zero.currency) for line, b in bought if b), zero)
    return min(paid, request.refund_max)


def _tax(request: Request) -> Money:
    zero = Money.zero(request.order.currency)
    taxed = zero
    for line in request.lines:
        if bought := request.order.line(line.order_line_id):
            untaxed = Money(bought.unit_paid.amount * line.quantity, zero.currency)
            whole = min(bought.tax, max(zero, line.refund_max - untaxed))
            taxed += (
                whole
                if line.quantity == bought.quantity
                else shares(bought.tax, [line.quantity, bought.quantity - line.quantity], request.order.digits)[0]
            )
    return min(taxed, max(zero, request.refund_max - _goods(request)))


def _shipping_payer(request: Request) -> Party:
    """The outbound freight that is given back is carried by whoever is at fault; nobody's fault: the platform."""
    back = request.shipment(Leg.RETURN) is not None
    decided = bearers(returns=back, outbound=True, fault=request.fault, reason=None, method=request.return_method)
    return decided.outbound_leg or Party.PLATFORM

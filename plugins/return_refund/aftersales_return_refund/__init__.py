"""Return and refund: the goods come back, are looked at, and then the money goes.

Two reviews: of the request, then of the parcel. Rules RR1 to RR21 of the rulebook, beside the
common ones; the journey itself is the core's `back()`.
"""

from aftersales.plugin import AWAITING_BUYER_SHIP, MENDED_BY_SENDING, OfferKind, OfferRule, RequestType, hookimpl

from .mutations import ReturnRefundMutations
from .reasons import REASONS, REJECT_CODES
from .transitions import TRANSITIONS

# Section 9: what a seller may offer instead. Money without a return is better than what was asked.
OFFERS = (
    OfferRule(OfferKind.PARTIAL_REFUND),
    OfferRule(OfferKind.FULL_REFUND, better=True),
    OfferRule(OfferKind.EXCHANGE),
    OfferRule(OfferKind.SEND_ITEMS, reasons=MENDED_BY_SENDING),
)


@hookimpl
def aftersales_request_type() -> RequestType:
    return RequestType(
        name="return_refund",
        label="Return and refund",
        approved=AWAITING_BUYER_SHIP,
        transitions=TRANSITIONS,
        reasons=REASONS,
        reject_codes=REJECT_CODES,
        sends_back=True,
        offers=OFFERS,
        offered_as=OfferKind.RETURN_REFUND,
        mutations=ReturnRefundMutations,
    )

"""Exchange: the goods go back, are looked at, and another variation of them comes.

Two reviews, two parcels. Rules EX1 to EX12 of the rulebook, beside the common ones; both journeys
are the core's, `back()` and `out()`. What is wanted is held back in the shop's stock.
"""

from aftersales.plugin import AWAITING_BUYER_SHIP, MENDED_BY_SENDING, OfferKind, OfferRule, RequestType, hookimpl

from .details import ExchangeDetails
from .mutations import ExchangeMutations
from .reasons import REASONS, REJECT_CODES
from .transitions import TRANSITIONS
from .validation import validate, wants

# Section 9: what a seller may offer instead. Money without a return is better than what was asked.
OFFERS = (
    OfferRule(OfferKind.PARTIAL_REFUND),
    OfferRule(OfferKind.FULL_REFUND, better=True),
    OfferRule(OfferKind.RETURN_REFUND),
    OfferRule(OfferKind.SEND_ITEMS, reasons=MENDED_BY_SENDING),
)


@hookimpl
def aftersales_request_type() -> RequestType:
    return RequestType(
        name="exchange",
        label="Exchange",
        approved=AWAITING_BUYER_SHIP,
        transitions=TRANSITIONS,
        reasons=REASONS,
        reject_codes=REJECT_CODES,
        validate=validate,
        wants=wants,
        sends_back=True,
        mutations=ExchangeMutations,
        details=ExchangeDetails,
        offers=OFFERS,
        offered_as=OfferKind.EXCHANGE,
    )

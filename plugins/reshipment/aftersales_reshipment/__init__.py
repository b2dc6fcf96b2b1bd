"""Reshipment: what was missing or broken is sent again, and nothing comes back.

One review, one parcel. Rules RS1 to RS7 of the rulebook, beside the common ones; the journey
itself is the core's `out()`.
"""

from aftersales.plugin import AWAITING_SELLER_SHIP, OfferKind, OfferRule, RequestType, hookimpl

from .mutations import ReshipmentMutations
from .reasons import REASONS, REJECT_CODES
from .transitions import TRANSITIONS


@hookimpl
def aftersales_request_type() -> RequestType:
    return RequestType(
        name="reshipment",
        label="Reshipment",
        approved=AWAITING_SELLER_SHIP,
        transitions=TRANSITIONS,
        reasons=REASONS,
        reject_codes=REJECT_CODES,
        takes_change_of_mind=False,
        mutations=ReshipmentMutations,
        # section 9: money; all of it is better than what was asked
        offers=[OfferRule(OfferKind.PARTIAL_REFUND), OfferRule(OfferKind.FULL_REFUND, better=True)],
        offered_as=OfferKind.SEND_ITEMS,
    )

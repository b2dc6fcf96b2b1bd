"""Refund only: money back, and nothing comes back.

For goods that never came, came wrong, or cannot be returned. One review, no parcel: approval
leads straight to the refund. Rules RO1 to RO3 of the rulebook, beside the common ones.
"""

from aftersales.plugin import ON_ITS_WAY, REFUNDING, OfferKind, OfferRule, OrderState, RequestType, hookimpl

from .mutations import RefundOnlyMutations
from .reasons import REASONS, REJECT_CODES
from .transitions import TRANSITIONS


@hookimpl
def aftersales_request_type() -> RequestType:
    return RequestType(
        name="refund_only",
        label="Refund only",
        approved=REFUNDING,
        transitions=TRANSITIONS,
        reasons=REASONS,
        reject_codes=REJECT_CODES,
        order_states=ON_ITS_WAY | {OrderState.DELIVERED},
        mutations=RefundOnlyMutations,
        # section 9: nothing, unless the market's policy lets a part be offered
        offers=[OfferRule(OfferKind.PARTIAL_REFUND, flag="offer.refund_only.partial")],
    )

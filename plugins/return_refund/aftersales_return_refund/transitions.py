"""What may happen to a return, beside what may happen to any request: approve, and the journey back."""

from aftersales.plugin import (
    AWAITING_BUYER_SHIP,
    PENDING_REVIEW,
    REFUNDING,
    Party,
    Transition,
    after_receiving,
    amount_within_max,
    approve,
    back,
    grant,
    not_frozen,
    return_address_known,
    speedy_refund,
)

SELLER, PLATFORM = Party.SELLER, Party.PLATFORM

# fmt: off
TRANSITIONS = (
    #          rule   source          on                      target               by
    Transition("RR1", PENDING_REVIEW, "approve",              AWAITING_BUYER_SHIP, SELLER | PLATFORM, "Approve the return", grant="review",
               gates=(not_frozen, return_address_known), effect=approve, events=("RequestApproved",)),
    Transition("RR2", PENDING_REVIEW, "approve_keep_item",    REFUNDING,           SELLER, "Refund, and let the buyer keep it", grant="review",
               gates=(not_frozen,), guards=(amount_within_max,), effect=grant(), events=("RequestApproved",)),
    *speedy_refund(),
    *after_receiving(),
    *back(accepted=REFUNDING),
)
# fmt: on

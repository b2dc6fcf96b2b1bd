"""What may happen to a reshipment, beside what may happen to any request: approve, and the journey out."""

from aftersales.plugin import (
    AWAITING_SELLER_SHIP,
    PENDING_REVIEW,
    Party,
    Transition,
    approve,
    not_frozen,
    out,
)

# fmt: off
TRANSITIONS = (
    #          rule   source          on         target                by
    Transition("RS1", PENDING_REVIEW, "approve", AWAITING_SELLER_SHIP, Party.SELLER | Party.PLATFORM, "Approve the reshipment", grant="review",
               gates=(not_frozen,), effect=approve, events=("RequestApproved",)),
    *out(),
)
# fmt: on

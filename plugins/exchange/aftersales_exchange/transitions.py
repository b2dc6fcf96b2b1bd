"""What may happen to an exchange, beside what may happen to any request: approve, the journey back, the journey out."""

from aftersales.plugin import (
    AWAITING_BUYER_SHIP,
    AWAITING_SELLER_SHIP,
    CLOSED,
    PENDING_REVIEW,
    Party,
    Transition,
    approve,
    back,
    in_stock,
    not_frozen,
    out,
    return_address_known,
)

# The journeys' rules under the numbers that the model gives them here.
BACK = {
    **dict.fromkeys(("RR3", "RR4", "RR5", "RR6", "RR7", "RR9"), "EX2"),
    "RR10": "EX3",
    **dict.fromkeys(("RR11", "RR12"), "EX4"),
    "RR13": "EX5",
    "RR14": "EX6",
    **dict.fromkeys(("RR15", "RR16"), "EX7"),
}
OUT = {"RS2": "EX8", "RS3": "EX8", "RS4": "EX9", "RS5": "EX10", "RS6": "EX11", "RS7": "EX12"}

# fmt: off
TRANSITIONS = (
    #          rule   source          on         target               by
    Transition("EX1", PENDING_REVIEW, "approve", AWAITING_BUYER_SHIP, Party.SELLER | Party.PLATFORM, "Approve the exchange", grant="review",
               gates=(not_frozen, return_address_known), guards=(in_stock,), effect=approve, events=("RequestApproved",)),
    *back(accepted=AWAITING_SELLER_SHIP, unreceived=CLOSED, rules=BACK),
    *out(rules=OUT),
)
# fmt: on

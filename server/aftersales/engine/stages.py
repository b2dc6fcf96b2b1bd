"""The stages that the core and the two legs share (section 2 of the model), and the act of a clock."""

from .vocabulary import Party, ReturnMethod, Stage, Status

# fmt: off
PENDING_REVIEW          = Stage("pending_review",          Status.PENDING_REVIEW,          "Waiting for review",             Party.SELLER,  "review.first")
AWAITING_BUYER_RESPONSE = Stage("awaiting_buyer_response", Status.AWAITING_BUYER_RESPONSE, "Waiting for the buyer's answer", Party.BUYER,   "offer.response")
AWAITING_BUYER_SHIP     = Stage("awaiting_buyer_ship",     Status.IN_PROGRESS,             "Waiting for the buyer to send",  Party.BUYER, {
    ReturnMethod.DROP_OFF: "ship_back.drop_off",
    ReturnMethod.PICK_UP: "ship_back.pickup_date",
    ReturnMethod.SELF_ARRANGED: "ship_back.self",
})
RETURN_IN_TRANSIT       = Stage("return_in_transit",       Status.IN_PROGRESS,             "On its way back",                Party.CARRIER, {
    ReturnMethod.DROP_OFF: "return.transit",
    ReturnMethod.PICK_UP: "return.transit",
    ReturnMethod.SELF_ARRANGED: "inspect.self_arranged",
})
PENDING_INSPECTION      = Stage("pending_inspection",      Status.IN_PROGRESS,             "Waiting for inspection",         Party.SELLER, {
    ReturnMethod.DROP_OFF: "inspect.tracked",
    ReturnMethod.PICK_UP: "inspect.tracked",
    ReturnMethod.SELF_ARRANGED: "inspect.self_arranged",
})
AWAITING_SELLER_SHIP    = Stage("awaiting_seller_ship",    Status.IN_PROGRESS,             "Waiting for the seller to send", Party.SELLER,  "ship_out")
OUTBOUND_IN_TRANSIT     = Stage("outbound_in_transit",     Status.IN_PROGRESS,             "On its way to the buyer",        Party.CARRIER, "outbound.transit")
REJECTED                = Stage("rejected",                Status.REJECTED,                "Rejected",                       Party.BUYER,   "rejection.followup")
PACKAGE_REJECTED        = Stage("package_rejected",        Status.REJECTED,                "Parcel rejected",                Party.BUYER,   "rejection.followup")
REFUNDING               = Stage("refunding",               Status.REFUNDING,               "Refund on its way",              Party.SYSTEM)
COMPLETED               = Stage("completed",               Status.COMPLETED,               "Completed",                      Party.SYSTEM)
CANCELED                = Stage("canceled",                Status.CANCELED,                "Canceled",                       Party.SYSTEM)
CLOSED                  = Stage("closed",                  Status.CLOSED,                  "Closed",                         Party.SYSTEM)
# fmt: on

CORE_STAGES = (
    PENDING_REVIEW,
    AWAITING_BUYER_RESPONSE,
    AWAITING_BUYER_SHIP,
    RETURN_IN_TRANSIT,
    PENDING_INSPECTION,
    AWAITING_SELLER_SHIP,
    OUTBOUND_IN_TRANSIT,
    REJECTED,
    PACKAGE_REJECTED,
    REFUNDING,
    COMPLETED,
    CANCELED,
    CLOSED,
)

# Stands for "the approved stage of this kind" in rows that every kind has (C11, C15, C17).
APPROVED = Stage("(approved)", Status.IN_PROGRESS, "Approved")


def expiry(key: str) -> str:
    """The act of time: what happens by itself when the clock `key` runs out."""
    return f"expire:{key}"


def expired_key(action: str) -> str | None:
    """The clock whose end the action is, or None if a person or a scan acts."""
    return action.removeprefix("expire:") if action.startswith("expire:") else None

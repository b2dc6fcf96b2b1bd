"""The closed sets of the contract. Most are the engine's own; a party on the wire is always one party."""

from enum import Enum

import strawberry

from ..engine.request import ClockStatus, Leg, RefundStatus
from ..engine.vocabulary import EvidenceKind, OfferKind, OfferStatus, OrderState, Party, ReturnMethod, ShopKind, Status

strawberry.enum(
    Status,
    name="RequestStatus",
    description="Closed and small on purpose: a board can switch on it for ever. Plugins refine it with Stage.",
)
strawberry.enum(
    ClockStatus, name="DeadlineStatus", description="RUNNING and PAUSED clocks live; the others say how one ended."
)
strawberry.enum(Leg, name="ShipmentLeg", description="Which way a parcel goes.")
# the same classes under the contract's names
RequestStatus = Status
DeadlineStatus = ClockStatus
ShipmentLeg = Leg
strawberry.enum(
    ReturnMethod, description="How goods come back: brought to a point, picked up, or sent on the buyer's own."
)
strawberry.enum(ShopKind, description="Malls have policies of their own.")
strawberry.enum(OrderState, description="How far an order has come, as the marketplace tells it.")
strawberry.enum(RefundStatus, description="Whether money has gone to the buyer.")
strawberry.enum(OfferKind, description="What a seller may propose instead of what was asked.")
strawberry.enum(OfferStatus, description="Whether an offer waits, and how it ended.")
strawberry.enum(EvidenceKind, description="What sort of file it is. AWB is a carrier's waybill.")


@strawberry.enum(name="Party", description="Who acts, owes or pays.")
class PartyName(Enum):
    BUYER = "BUYER"
    SELLER = "SELLER"
    PLATFORM = "PLATFORM"
    CARRIER = "CARRIER"
    PARTNER = "PARTNER"
    SYSTEM = "SYSTEM"


@strawberry.enum(description="What comes first in a page.")
class RequestSort(Enum):
    NEXT_DEADLINE = "NEXT_DEADLINE"
    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    AMOUNT_DESC = "AMOUNT_DESC"


@strawberry.enum(description="How near a deadline is.")
class DeadlineUrgency(Enum):
    CALM = "CALM"
    WARNING = "WARNING"
    URGENT = "URGENT"
    OVERDUE = "OVERDUE"


@strawberry.enum(description="How far a buyer's dispute about a rejection has come.")
class DisputeStatus(Enum):
    EVIDENCE = "EVIDENCE"
    UNDER_REVIEW = "UNDER_REVIEW"
    DECIDED_BUYER = "DECIDED_BUYER"
    DECIDED_SELLER = "DECIDED_SELLER"
    WITHDRAWN = "WITHDRAWN"


@strawberry.enum(description="One side of a dispute.")
class DisputeSide(Enum):
    BUYER = "BUYER"
    SELLER = "SELLER"


@strawberry.enum(description="How far a seller's appeal against a refund has come.")
class AppealStatus(Enum):
    AVAILABLE = "AVAILABLE"
    SUBMITTED = "SUBMITTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    EVIDENCE_REQUESTED = "EVIDENCE_REQUESTED"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    NOT_AVAILABLE = "NOT_AVAILABLE"


@strawberry.enum(
    description="Whether a request has named it yet. ERASED: it went with the personal data of the buyer who showed it."
)
class EvidenceStatus(Enum):
    STAGED = "STAGED"
    SUBMITTED = "SUBMITTED"
    ERASED = "ERASED"


@strawberry.enum(description="What an amount is for.")
class MoneyPartKind(Enum):
    GOODS = "GOODS"
    TAX = "TAX"
    SHIPPING_OUT = "SHIPPING_OUT"
    SHIPPING_BACK = "SHIPPING_BACK"
    FEE = "FEE"
    COUPON = "COUPON"
    COMPENSATION = "COMPENSATION"


def party(of: Party | None) -> PartyName | None:
    return PartyName[of.title] if of else None

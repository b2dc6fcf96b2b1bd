"""The closed sets of the contract. Most are the engine's own; a party on the wire is always one party."""

from enum import Enum

import strawberry

from ..engine.request import ClockStatus, Leg
from ..engine.vocabulary import EvidenceKind, OrderState, Party, ReturnMethod, ShopKind, Status

strawberry.enum(
    Status,
    name="RequestStatus",
    description="Closed and small on purpose: a board can switch on it for ever. Plugins refine it with Stage.",
)
strawberry.enum(ClockStatus, name="DeadlineStatus")
strawberry.enum(Leg, name="ShipmentLeg")
# the same classes under the contract's names
RequestStatus = Status
DeadlineStatus = ClockStatus
ShipmentLeg = Leg
for _set in (ReturnMethod, ShopKind, OrderState, EvidenceKind):
    strawberry.enum(_set)


@strawberry.enum(name="Party")
class PartyName(Enum):
    BUYER = "BUYER"
    SELLER = "SELLER"
    PLATFORM = "PLATFORM"
    CARRIER = "CARRIER"
    PARTNER = "PARTNER"
    SYSTEM = "SYSTEM"


@strawberry.enum
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


@strawberry.enum
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


@strawberry.enum
class EvidenceStatus(Enum):
    STAGED = "STAGED"
    SUBMITTED = "SUBMITTED"


@strawberry.enum
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

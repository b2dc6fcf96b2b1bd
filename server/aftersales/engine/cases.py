"""What stands beside a request: offers made on it, disputes about its rejection, the appeal against its refund."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .money import Money
from .vocabulary import Evidence, OfferKind, OfferStatus, Party, Stage, Status


@dataclass(frozen=True, slots=True)
class Offer:
    """What the seller proposes instead (section 9 of the model).

    Args:
        amount: of a refund; None where goods are offered.
        details: what the kind asks that the request would become; JSON values.
        due_at: when it lapses; None for one that needed no answer.
    """

    id: str
    kind: OfferKind
    status: OfferStatus
    made_at: datetime
    amount: Money | None = None
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A rejection that the buyer takes to the platform (section 5).

    Args:
        round: 1 or 2, counted over the requests that took each other's place.
        decided_by: id of the agent.
        escalated: the platform has not decided in time.
    """

    id: str
    round: int
    stage: Stage
    claim: str
    opened_at: datetime
    decision_note: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    escalated: bool = False
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Appeal:
    """What a seller may say against money that was granted (section 6). One for each request.

    Args:
        ground: why an appeal is possible at all (6.1).
        reason: what the seller says is wrong (6.3); None until it is filed.
        evidence_rounds: how often the platform has asked for more.
        compensation: what the platform pays to the seller.
    """

    id: str
    stage: Stage
    ground: str
    opened_at: datetime
    reason: str | None = None
    statement: str = ""
    evidence_rounds: int = 0
    compensation: Money | None = None
    decision_note: str | None = None
    decided_by: str | None = None
    escalated: bool = False
    filed_at: datetime | None = None
    decided_at: datetime | None = None
    evidence: tuple[Evidence, ...] = ()


Case = Dispute | Appeal

OPEN, DONE, DROPPED = Status.IN_PROGRESS, Status.COMPLETED, Status.CLOSED

# fmt: off
EVIDENCE       = Stage("EVIDENCE",       OPEN,    "Collecting evidence",       Party.BUYER | Party.SELLER, "dispute.evidence")
UNDER_REVIEW   = Stage("UNDER_REVIEW",   OPEN,    "The platform is judging",   Party.PLATFORM, "dispute.decision")
DECIDED_BUYER  = Stage("DECIDED_BUYER",  DONE,    "Decided for the buyer")
DECIDED_SELLER = Stage("DECIDED_SELLER", DONE,    "Decided for the seller")
WITHDRAWN      = Stage("WITHDRAWN",      DROPPED, "Withdrawn")

AVAILABLE          = Stage("AVAILABLE",          OPEN,    "May be appealed",         Party.SELLER,   "appeal.window")
SUBMITTED          = Stage("SUBMITTED",          OPEN,    "Filed",                   Party.PLATFORM, "appeal.decision")
APPEAL_REVIEW      = Stage("UNDER_REVIEW",       OPEN,    "The platform is judging", Party.PLATFORM, "appeal.decision")
EVIDENCE_REQUESTED = Stage("EVIDENCE_REQUESTED", OPEN,    "More evidence is asked",  Party.SELLER,   "appeal.evidence")
APPROVED           = Stage("APPROVED",           DONE,    "Approved")
DENIED             = Stage("DENIED",             DONE,    "Denied")
EXPIRED            = Stage("EXPIRED",            DROPPED, "Not filed in time")
APPEAL_WITHDRAWN   = Stage("WITHDRAWN",          DROPPED, "Withdrawn")
NOT_AVAILABLE      = Stage("NOT_AVAILABLE",      DROPPED, "May not be appealed")
# fmt: on

DISPUTE_STAGES = {stage.name: stage for stage in (EVIDENCE, UNDER_REVIEW, DECIDED_BUYER, DECIDED_SELLER, WITHDRAWN)}
APPEAL_STAGES = {
    stage.name: stage
    for stage in (
        AVAILABLE, SUBMITTED, APPEAL_REVIEW, EVIDENCE_REQUESTED, APPROVED, DENIED, EXPIRED, APPEAL_WITHDRAWN,
        NOT_AVAILABLE,
    )
}  # fmt: skip

# What the request says of its latest dispute (section 1.2).
MIRROR = {
    EVIDENCE.name: "OPEN",
    UNDER_REVIEW.name: "OPEN",
    DECIDED_BUYER.name: "SUPPORT_BUYER",
    DECIDED_SELLER.name: "SUPPORT_SELLER",
    WITHDRAWN.name: "WITHDRAWN",
}

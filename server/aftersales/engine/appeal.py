"""Appeals: a seller asks the platform to make good a refund that others granted (section 6 of the model)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .cases import (
    APPEAL_REVIEW,
    APPEAL_WITHDRAWN,
    APPROVED,
    AVAILABLE,
    DENIED,
    EVIDENCE_REQUESTED,
    EXPIRED,
    NOT_AVAILABLE,
    SUBMITTED,
    Appeal,
)
from .costs import CostKind
from .guards import decimals_fit, note_given, note_short
from .money import Money
from .process import Effect, Process, Transition
from .reasons import REASONS, ReasonClass
from .refusal import Problem
from .request import Attempt, Cost, Leg, Request, ShipmentStatus
from .stages import CLOSED, COMPLETED, REFUNDING, expiry
from .vocabulary import ApprovedBy, EvidenceKind, OrderState, Party

SELLER, PLATFORM, CARRIER, SYSTEM = Party.SELLER, Party.PLATFORM, Party.CARRIER, Party.SYSTEM

STATEMENT_LIMIT = 5000


@dataclass(frozen=True, slots=True)
class Ground:
    """Why an appeal is possible at all (6.1): the first that holds, when its act comes, opens the only window.

    Args:
        after: the act that may open it; its instant is when the window begins.
        reasons: what the seller may then say (6.3); which go with which ground is INF.
    """

    code: str
    label: str
    after: str
    holds: Callable[[Request], bool]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AppealReason:
    """What the seller says is wrong, and what must be shown with it (6.3): one of each set."""

    code: str
    label: str
    needs: tuple[frozenset[EvidenceKind], ...] = ()


def _one_of(*kinds: EvidenceKind) -> frozenset[EvidenceKind]:
    return frozenset(kinds)


_PHOTO, _VIDEO, _PAPER, _AWB = EvidenceKind.PHOTO, EvidenceKind.VIDEO, EvidenceKind.DOCUMENT, EvidenceKind.AWB

# fmt: off
REASONS_TO_APPEAL = {
    reason.code: reason
    for reason in (
        #             code                        label                                            needs
        AppealReason("return_not_received",      "Nothing came back",                             (_one_of(_AWB, _PAPER),)),
        AppealReason("return_damaged_or_used",   "What came back is damaged or used",             (_one_of(_AWB), _one_of(_PHOTO, _VIDEO))),
        AppealReason("return_missing_parts",     "What came back is not complete",                (_one_of(_AWB), _one_of(_PHOTO), _one_of(_PAPER))),
        AppealReason("return_wrong_item",        "What came back was not sold by us",             (_one_of(_AWB), _one_of(_PHOTO))),
        AppealReason("item_was_correct",         "The right item was sent",                       (_one_of(_PAPER), _one_of(_PHOTO, _VIDEO))),
        AppealReason("delivered_to_address",     "It was delivered to the address",               (_one_of(_AWB, _PAPER, _PHOTO),)),
        AppealReason("arbitration_wrong",        "The dispute was decided wrongly"),
        AppealReason("late_not_our_fault",       "It was late, and not by our fault",             (_one_of(_AWB, _PAPER),)),
    )
}
# fmt: on


def speedy(request: Request) -> bool:
    return "speedy_refund" in request.tags


def arrived_back(request: Request) -> bool:
    parcel = request.shipment(Leg.RETURN)
    return parcel is not None and parcel.status is ShipmentStatus.DELIVERED


def _late_delivery(request: Request) -> bool:
    reason = REASONS.get(request.reason)
    by_platform = request.approved_by is ApprovedBy.PLATFORM and not speedy(request)
    return request.approved_by is ApprovedBy.TIMEOUT_TRANSIT or (
        by_platform and reason is not None and reason.kind is ReasonClass.LATE and "enforced" not in request.tags
    )


def _by_platform(request: Request) -> bool:
    """The platform granted it; or, where the market lets silence be appealed, nobody did."""
    flags = {
        ApprovedBy.TIMEOUT_INSPECTION: "appeal.on_inspection_timeout",
        ApprovedBy.TIMEOUT_REVIEW: "appeal.on_review_timeout",
    }
    if request.approved_by in flags:
        return request.terms.flag(flags[request.approved_by])
    by_platform = request.approved_by is ApprovedBy.PLATFORM and not speedy(request)
    return by_platform and "enforced" not in request.tags


# fmt: off
GROUNDS = {
    ground.code: ground
    for ground in (
        Ground("arbitration_unfair",         "A dispute was decided for the buyer",         "refund_paid",
               lambda request: request.approved_by is ApprovedBy.ARBITRATION,
               ("arbitration_wrong", "item_was_correct", "delivered_to_address", "return_not_received", "return_damaged_or_used",
                "return_missing_parts", "return_wrong_item")),
        Ground("auto_refund_delivery_delay", "Refunded because a parcel was late",          "refund_paid", _late_delivery,
               ("late_not_our_fault", "delivered_to_address", "return_not_received")),
        Ground("speedy_refund_item_issue",   "Refunded at hand-over; the parcel came back", "delivered",
               lambda request: speedy(request) and arrived_back(request),
               ("return_damaged_or_used", "return_missing_parts", "return_wrong_item")),
        Ground("speedy_refund_not_received", "Refunded at hand-over; nothing came back",    expiry("speedy.not_received"),
               lambda request: speedy(request) and not arrived_back(request),
               ("return_not_received", "return_damaged_or_used", "return_missing_parts", "return_wrong_item")),
        Ground("platform_approved_refund",   "Refunded by the platform",                    "refund_paid", _by_platform,
               ("item_was_correct", "delivered_to_address", "late_not_our_fault")),
        Ground("enforcement_revoked",        "The violation was revoked",                   "revoke_enforcement",
               lambda request: "enforced" in request.tags, ("item_was_correct", "delivered_to_address")),
        Ground("canceled_but_collected",     "Collected though the order was canceled",     "collected",
               lambda request: request.order.state is OrderState.CANCELED, ("late_not_our_fault", "delivered_to_address")),
    )
}
# fmt: on

# Whoever said yes themselves, or was made whole already, has nothing to appeal (6.1).
NEVER = frozenset({ApprovedBy.SELLER, ApprovedBy.OFFER, ApprovedBy.SELLER_RULE})


def ground_for(request: Request, action: str) -> Ground | None:
    """The ground that an act opens, if any (6.1): an appeal is about money already granted."""
    if (
        not request.refunds
        or request.approved_by in NEVER
        or "refund_without_return" in request.tags
        or request.package_confirmed_at
    ):
        return None
    return next((ground for ground in GROUNDS.values() if ground.after == action and ground.holds(request)), None)


def with_appeal(row: Transition, attempt: Attempt, after: Request) -> Request:
    """AP1: the first ground that holds opens the only window; a second one finds it there."""
    if row.table in ("dispute", "appeal") or after.appeal is not None:
        return after
    ground = ground_for(after, row.action)
    if ground is None or after.terms.limit("limit.appeals") < 1:
        return after
    return replace(after, appeal=Appeal(attempt.new_id("ap"), AVAILABLE, ground.code, attempt.at))


def lost(attempt: Attempt) -> Iterator[Problem]:
    """AP4: whoever confirmed the parcel has no appeal any more (case 7)."""
    appeal = attempt.request.appeal
    if attempt.action.startswith("appeal_") and appeal and appeal.stage.name == NOT_AVAILABLE.name:
        yield Problem("INELIGIBLE", "The parcel was confirmed: the refund can no longer be appealed.", guard="G_APPEAL")


def reason_fits(attempt: Attempt) -> Iterator[Problem]:
    """AP2: a reason that the ground offers, with what it asks to be shown, in words of its own."""
    appeal = attempt.request.appeal
    codes = GROUNDS[appeal.ground].reasons if appeal else ()
    code = attempt.given.get("reason")
    if code not in codes:
        yield Problem(
            "REASON_NOT_ALLOWED", "Not a reason for this appeal. Choose one of: {allowed}.", "reason",
            guard="G_APPEAL_REASON", allowed=", ".join(codes),
        )  # fmt: skip
    else:
        kinds = {item.kind for item in attempt.given.get("evidence", ())}
        for needed in REASONS_TO_APPEAL[code].needs:
            if kinds.isdisjoint(needed):
                yield _missing(needed)
    statement = str(attempt.given.get("statement") or "").strip()
    if not statement:
        yield Problem("NOTE_REQUIRED", "Say what is wrong with the refund.", "statement", guard="G_STATEMENT")
    elif len(statement) > STATEMENT_LIMIT:
        yield Problem(
            "INVALID_INPUT", "Say it in at most {limit} characters.", "statement", guard="G_STATEMENT",
            limit=STATEMENT_LIMIT,
        )  # fmt: skip


def _missing(needed: frozenset[EvidenceKind]) -> Problem:
    kinds = tuple(sorted(kind.value.lower().replace("_", " ") for kind in needed))
    return Problem("EVIDENCE_REQUIRED", "Add evidence: {kinds}.", "evidenceIds", guard="G_EVIDENCE", kinds=kinds)


def something_shown(attempt: Attempt) -> Iterator[Problem]:
    """AP7: what was asked for is shown."""
    if not attempt.given.get("evidence"):
        yield Problem("EVIDENCE_REQUIRED", "Add what the platform asked for.", "evidenceIds", guard="G_EVIDENCE")


def questions_left(request: Request) -> Iterator[Problem]:
    """AP6: the platform has not asked too often."""
    most = request.terms.limit("appeal.max_evidence_rounds")
    if request.appeal and request.appeal.evidence_rounds >= most:
        yield Problem("LIMIT_REACHED", "Evidence may be asked for {most} times; decide.", guard="G_ROUNDS", most=most)


def compensation_max(request: Request) -> Money:
    """AP9: what the buyer was paid, and what the seller paid for its journeys."""
    paid = request.refund_paid or Money.zero(request.order.currency)
    freight = (CostKind.RETURN_SHIPPING, CostKind.OUTBOUND_SHIPPING)
    carried = [cost.amount for cost in request.costs if cost.payer is SELLER and cost.kind in freight and cost.amount]
    return sum(carried, paid)


def compensation_within_max(attempt: Attempt) -> Iterator[Problem]:
    """AP9: more than nothing and at most what the refund cost the seller. No amount means all of it."""
    amount, most = attempt.given.get("amount"), compensation_max(attempt.request)
    if amount is None and most:
        return
    if amount is None or amount.currency != most.currency or not Money.zero(most.currency) < amount <= most:
        yield Problem(
            "AMOUNT_EXCEEDED", "Pay more than 0 and at most {maximum}.", "amount", guard="G_AMOUNT", maximum=most
        )
    else:
        yield from decimals_fit(amount, attempt.request.order.digits)


def _changed(**changes: Any) -> Effect:
    """The effect on the appeal."""

    def effect(attempt: Attempt) -> Mapping[str, Any]:
        return {"appeal": replace(_appeal(attempt), **changes)}

    return effect


def _appeal(attempt: Attempt) -> Appeal:
    if attempt.request.appeal is None:
        raise LookupError(f"{attempt.request.id} has no appeal")
    return attempt.request.appeal


def filed(attempt: Attempt) -> Mapping[str, Any]:
    """AP2."""
    statement = str(attempt.given["statement"]).strip()
    return _changed(reason=attempt.given["reason"], statement=statement, filed_at=attempt.at)(attempt)


def more_asked(attempt: Attempt) -> Mapping[str, Any]:
    """AP6."""
    return _changed(evidence_rounds=_appeal(attempt).evidence_rounds + 1)(attempt)


def compensated(attempt: Attempt) -> Mapping[str, Any]:
    """AP9: the platform owes the seller; the buyer's refund stays."""
    amount = attempt.given.get("amount") or compensation_max(attempt.request)
    owed = Cost(attempt.new_id("co"), CostKind.COMPENSATION, PLATFORM, amount)
    return {**_decided(attempt, compensation=amount), "costs": (*attempt.request.costs, owed)}


def denied(attempt: Attempt) -> Mapping[str, Any]:
    """AP10."""
    return _decided(attempt)


def _decided(attempt: Attempt, **changes: Any) -> Mapping[str, Any]:
    words = {"decision_note": attempt.note, "decided_by": attempt.actor.id, "decided_at": attempt.at}
    return _changed(**words, **changes)(attempt)


def compensation_owed(request: Request) -> Iterator[Problem]:
    """AP12: the platform owes the seller something."""
    if not any(cost.kind is CostKind.COMPENSATION and cost.paid_at is None for cost in request.costs):
        yield Problem("INVALID_STATE", "No compensation is owed.", guard="G_COMPENSATION")


def compensation_paid(attempt: Attempt) -> Mapping[str, Any]:
    """AP12: what was owed has been settled."""
    return {
        "costs": tuple(
            replace(cost, paid_at=attempt.at) if cost.kind is CostKind.COMPENSATION and cost.paid_at is None else cost
            for cost in attempt.request.costs
        )
    }


def order_canceled(request: Request) -> Iterator[Problem]:
    """AP1: a canceled order should never be collected, and is once."""
    if request.order.state is not OrderState.CANCELED:
        yield Problem("INVALID_STATE", "The order was not canceled.", guard="G_CANCELED")
    elif "order_collected" in request.tags:
        yield Problem("INVALID_STATE", "That it was collected is known already.", guard="G_CANCELED")


def collected(attempt: Attempt) -> Mapping[str, Any]:
    """AP1: the goods are gone, and the money is too."""
    return {"tags": attempt.request.tags | {"order_collected"}}


# Beside the request: numbered here, as the model's table has no numbers. AP1 is the window's opening, `with_appeal`.
# fmt: off
ROWS = (
    Transition("AP2",  AVAILABLE, "appeal_file", SUBMITTED, SELLER, "Appeal against the refund", grant="appeal",
               guards=(reason_fits,), effect=filed, events=("AppealFiled",)),
    Transition("AP3",  AVAILABLE, expiry("appeal.window"), EXPIRED, SYSTEM, "The refund can no longer be appealed.", events=("AppealExpired",)),
    Transition("AP4",  AVAILABLE, "package_confirmed", NOT_AVAILABLE, SYSTEM),
    Transition("AP5",  SUBMITTED, "appeal_take_up", APPEAL_REVIEW, PLATFORM, "Take up the appeal", events=("AppealUnderReview",)),
    *(Transition("AP6", stage, "appeal_request_evidence", EVIDENCE_REQUESTED, PLATFORM, "Ask for more evidence",
                 gates=(questions_left,), guards=(note_given, note_short), effect=more_asked, pauses=("appeal.decision",),
                 events=("AppealEvidenceRequested",)) for stage in (SUBMITTED, APPEAL_REVIEW)),
    Transition("AP7",  EVIDENCE_REQUESTED, "appeal_add_evidence", APPEAL_REVIEW, SELLER, "Give what was asked for", grant="appeal",
               guards=(something_shown, note_short), resumes=("appeal.decision",), events=("AppealEvidenceAdded",)),
    Transition("AP8",  EVIDENCE_REQUESTED, expiry("appeal.evidence"), APPEAL_REVIEW, SYSTEM, "The platform judges without it.",
               resumes=("appeal.decision",)),
    Transition("AP9",  APPEAL_REVIEW, "appeal_approve", APPROVED, PLATFORM, "Approve the appeal",
               guards=(compensation_within_max, note_given, note_short), effect=compensated, events=("AppealDecided",)),
    Transition("AP10", APPEAL_REVIEW, "appeal_deny", DENIED, PLATFORM, "Deny the appeal",
               guards=(note_given, note_short), effect=denied, events=("AppealDecided",)),
    *(Transition("AP11", stage, "appeal_withdraw", APPEAL_WITHDRAWN, SELLER, "Withdraw the appeal", grant="appeal", unmet=True,
                 guards=(note_short,), events=("AppealWithdrawn",)) for stage in (SUBMITTED, APPEAL_REVIEW, EVIDENCE_REQUESTED)),
    *(Transition("AP13", stage, expiry("appeal.decision"), None, SYSTEM, "The platform is late: the appeal is escalated.",
                 effect=_changed(escalated=True)) for stage in (SUBMITTED, APPEAL_REVIEW)),
)

# What an appeal asks of the request it is about: once granted, the platform's debt is paid.
REQUEST_ROWS = (
    *(Transition("AP12", stage, "compensation_paid", None, PLATFORM | SYSTEM, "Say that the compensation was paid",
                 gates=(compensation_owed,), guards=(note_short,), effect=compensation_paid) for stage in (REFUNDING, COMPLETED, CLOSED)),
    Transition("AP1", COMPLETED, "collected", None, CARRIER | PLATFORM, "Say that it was collected though the order was canceled",
               gates=(order_canceled,), guards=(note_short,), effect=collected, events=("OrderCollected",)),
)
# fmt: on

APPEAL = Process("appeal", ROWS, (), AVAILABLE, start=AVAILABLE)

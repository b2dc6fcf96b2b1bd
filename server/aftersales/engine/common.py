"""The rows of every kind of request (section 4.1 of the model), but for creation (`opening`) and offers (`offers`)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .appeal import REQUEST_ROWS as APPEAL_ROWS
from .approvals import approve, approver, grant, silence
from .costs import CostKind
from .dispute import REQUEST_ROWS as DISPUTE_ROWS
from .guards import (
    RejectReasonFits,
    amount_within_max,
    money_not_moving,
    no_parcel_handed_over,
    not_frozen,
    note_given,
    note_short,
    refund_is_open,
)
from .money import Money
from .process import Transition
from .reasons import Review
from .refusal import Problem
from .request import Attempt, Cost, RefundStatus, Request
from .stages import (
    APPROVED,
    AWAITING_BUYER_RESPONSE,
    AWAITING_BUYER_SHIP,
    AWAITING_SELLER_SHIP,
    CANCELED,
    CLOSED,
    COMPLETED,
    OUTBOUND_IN_TRANSIT,
    PACKAGE_REJECTED,
    PENDING_INSPECTION,
    PENDING_REVIEW,
    REFUNDING,
    REJECTED,
    RETURN_IN_TRANSIT,
    expiry,
)
from .vocabulary import ApprovedBy, CloseReason, Party, Stage

BUYER, SELLER, PLATFORM, SYSTEM = Party.BUYER, Party.SELLER, Party.PLATFORM, Party.SYSTEM

# fmt: off
TAGS = {
    "platform_approved_return": "Return approved by the platform",
    "platform_approved_refund": "Refund approved by the platform",
    "refund_without_return":    "Refund without return",
    "speedy_refund":            "Speedy refund",
    "auto_approved":            "Approved by silence",
    "seller_rule":              "Approved by the seller's rule",
    "enforced":                 "Refunded by enforcement",
    "refund_stuck":             "Refund needs a person",
    "out_of_stock":             "Out of stock",
    "send_back_late":           "Late to send back to the buyer",
    "order_collected":          "Collected though the order was canceled",
    "imported":                 "Brought in from the marketplace, which pays for it",
    "unknown_reason":           "The marketplace gave a reason that is not known here",
}
# fmt: on


def platform_approval(attempt: Attempt) -> Mapping[str, Any]:
    """C15: tagged by what was approved; section 1 of the model knows no tag for goods going out."""
    tag = {"refunding": "platform_approved_refund", "awaiting_buyer_ship": "platform_approved_return"}.get(
        attempt.kind.process.approved.name
    )
    return {
        "approved_by": ApprovedBy.PLATFORM,
        "tags": attempt.request.tags | ({tag} if tag else set()),
    }


def refund_and_compensate(attempt: Attempt) -> Mapping[str, Any]:
    """C16: the buyer keeps money and goods; the platform makes the seller whole."""
    amount = attempt.request.payable
    compensation = Cost(attempt.new_id("co"), CostKind.COMPENSATION, PLATFORM, amount)
    return {
        "refund_approved": amount,
        "approved_by": ApprovedBy.PLATFORM,
        "tags": attempt.request.tags | {"refund_without_return"},
        "costs": (*attempt.request.costs, compensation),
    }


def refund_paid(attempt: Attempt) -> Mapping[str, Any]:
    """C18."""
    request, refund_id = attempt.request, attempt.given["refund_id"]
    refunds = tuple(
        replace(refund, status=RefundStatus.PAID, paid_at=attempt.at) if refund.id == refund_id else refund
        for refund in request.refunds
    )
    paid = sum((r.amount for r in refunds if r.status is RefundStatus.PAID), Money.zero(request.order.currency))
    return {"refunds": refunds, "refund_paid": paid, "tags": request.tags - {"refund_stuck"}}


def refund_failed(attempt: Attempt) -> Mapping[str, Any]:
    """C19: the same intent, tried once more in vain; after the last try a person must look."""
    request, refund_id = attempt.request, attempt.given["refund_id"]
    refunds = tuple(
        replace(refund, status=RefundStatus.FAILED, tries=refund.tries + 1) if refund.id == refund_id else refund
        for refund in request.refunds
    )
    stuck = {"refund_stuck"} if attempt.given.get("last") else set()
    return {"refunds": refunds, "tags": request.tags | stuck}


def refund_unknown(attempt: Attempt) -> Mapping[str, Any]:
    """C19: the provider cannot say whether it paid. The intent stays open: it is asked about, never paid anew."""
    request, refund_id = attempt.request, attempt.given["refund_id"]
    refunds = tuple(
        replace(refund, status=RefundStatus.PENDING, tries=refund.tries + 1) if refund.id == refund_id else refund
        for refund in request.refunds
    )
    stuck = {"refund_stuck"} if attempt.given.get("last") else set()
    return {"refunds": refunds, "tags": request.tags | stuck}


def refund_retried(attempt: Attempt) -> Mapping[str, Any]:
    """A person has looked: the same intent, under the same id, is tried from the first again."""
    request = attempt.request
    refunds = tuple(
        replace(refund, status=RefundStatus.PENDING, tries=0) if refund.status is RefundStatus.FAILED else refund
        for refund in request.refunds
    )
    return {"refunds": refunds, "tags": request.tags - {"refund_stuck"}}


def has_failed_refund(request: Request) -> Any:
    """C19: a refund of the request has failed."""
    if not any(refund.status is RefundStatus.FAILED for refund in request.refunds):
        yield Problem("INVALID_STATE", "No refund of this request has failed.", guard="G_REFUND_FAILED")


def first_attempt(request: Request) -> Any:
    """C8: a request rejected twice goes to the platform, not to the seller a third time."""
    most = request.terms.limit("limit.attempts")
    if request.attempt >= most:
        yield Problem(
            "LIMIT_REACHED",
            "A request may be made {most} times; open a dispute instead.",
            guard="G_ATTEMPTS",
            most=most,
        )


def edits_left(request: Request) -> Any:
    """G_EDIT: it has not been edited too often."""
    most = request.terms.limit("limit.edits")
    if request.edits >= most:
        yield Problem("LIMIT_REACHED", "A request may be edited {most} times.", guard="G_EDIT", most=most)


def close_dispute(attempt: Attempt) -> str:
    """C20: a dispute about a request that ends has nothing left to decide."""
    return "request_closed" if attempt.request.dispute_status == "OPEN" else ""


def _every(stages: tuple[Stage, ...], row: Transition) -> tuple[Transition, ...]:
    return tuple(replace(row, on=stage) for stage in stages)


WITHDRAWABLE = (PENDING_REVIEW, AWAITING_BUYER_RESPONSE, AWAITING_BUYER_SHIP, REJECTED)
NOT_ENDED = (
    PENDING_REVIEW, AWAITING_BUYER_RESPONSE, AWAITING_BUYER_SHIP, RETURN_IN_TRANSIT, PENDING_INSPECTION,
    AWAITING_SELLER_SHIP, OUTBOUND_IN_TRANSIT, REJECTED, PACKAGE_REJECTED, REFUNDING,
)  # fmt: skip

# fmt: off
ROWS = (
    Transition("C2", PENDING_REVIEW, "edit", CLOSED, BUYER | PLATFORM, "Change the request",
               gates=(edits_left,), closes=CloseReason.EDITED, events=("RequestReplaced",)),
    *_every(WITHDRAWABLE,
    Transition("C3", PENDING_REVIEW, "cancel", CANCELED, BUYER | PLATFORM, "Withdraw the request",
               gates=(not_frozen, no_parcel_handed_over), guards=(note_short,), unmet=True)),
    Transition("C4", PENDING_REVIEW, "reject", REJECTED, SELLER | PLATFORM, "Reject the request", grant="review",
               gates=(not_frozen,), guards=(RejectReasonFits(Review.FIRST), note_short), events=("RequestRejected",)),
    Transition("C8", REJECTED, "resubmit", CLOSED, BUYER | PLATFORM, "Ask once more",
               gates=(not_frozen, first_attempt), closes=CloseReason.RESUBMITTED, events=("RequestReplaced",)),
    *(Transition("C10", stage, expiry("rejection.followup"), CLOSED, SYSTEM, "The rejection stands and the request is closed.",
                 gates=(not_frozen,), closes=CloseReason.REJECTION_STANDS) for stage in (REJECTED, PACKAGE_REJECTED)),
    Transition("C15", PENDING_REVIEW, "platform_approve", APPROVED, PLATFORM | SYSTEM, "Approve for the platform",
               gates=(not_frozen,), guards=(note_short,), effect=platform_approval, events=("RequestApproved",)),
    *_every((PENDING_REVIEW, AWAITING_BUYER_SHIP),
    Transition("C16", PENDING_REVIEW, "refund_without_return", REFUNDING, PLATFORM | SYSTEM, "Refund without return",
               gates=(not_frozen,), guards=(amount_within_max, note_short), effect=refund_and_compensate, events=("RequestApproved",))),
    Transition("C17", PENDING_REVIEW, expiry("review.first"), APPROVED, SYSTEM, "The request is approved.",
               effect=silence, events=("RequestApproved",)),
    Transition("C18", REFUNDING, "refund_paid", COMPLETED, SYSTEM,
               guards=(refund_is_open,), effect=refund_paid, events=("RefundPaid",), keeps=()),
    Transition("C19", REFUNDING, "refund_failed", None, SYSTEM,
               guards=(refund_is_open,), effect=refund_failed, events=("RefundFailed",)),
    Transition("C19", REFUNDING, "refund_unknown", None, SYSTEM,
               guards=(refund_is_open,), effect=refund_unknown, events=("RefundUnknown",)),
    Transition("C19", REFUNDING, "retry_refund", None, PLATFORM, "Try the refund again",
               gates=(has_failed_refund,), guards=(note_short,), effect=refund_retried, events=("RefundRetried",)),
    *_every(NOT_ENDED,
    Transition("C20", PENDING_REVIEW, "close", CLOSED, PLATFORM, "Close the request", late=True,
               gates=(money_not_moving,), guards=(note_given, note_short), closes=CloseReason.OPERATOR,
               then=close_dispute)),
)
# fmt: on

COMMON = tuple(replace(row, owner=row.owner or "request") for row in (*ROWS, *DISPUTE_ROWS, *APPEAL_ROWS))

__all__ = ["COMMON", "NOT_ENDED", "ROWS", "TAGS", "approve", "approver", "grant", "silence"]

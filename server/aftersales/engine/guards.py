"""What must hold before something may happen (section 3 of the model): each guard yields all it objects to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .money import Money
from .reasons import ReasonClass, RejectCode, Review
from .refusal import Problem
from .request import Attempt, Leg, RefundStatus, Request, ShipmentStatus
from .stages import expired_key
from .vocabulary import Evidence, EvidenceKind, ReturnMethod

if TYPE_CHECKING:
    from .kind import Kind

NOTE_LIMIT = 500


def in_time(attempt: Attempt) -> Iterator[Problem]:
    """G_IN_TIME: no clock of the request has run out, whether or not time has acted on it yet."""
    yield from overdue(attempt.request, attempt.at)


def overdue(request: Request, at: datetime) -> Iterator[Problem]:
    for clock in request.clocks:
        if clock.is_due(at):
            yield Problem(
                "DEADLINE_PASSED", "The time for this ended at {due}. Read the request again.",
                guard="G_IN_TIME", clock=clock, due=clock.due_at.isoformat() if clock.due_at else "",
            )  # fmt: skip


def run_out(attempt: Attempt) -> Iterator[Problem]:
    """7.4: time acts once, on a clock that runs and is due; a lost race or a second worker changes nothing."""
    key = expired_key(attempt.action)
    if key is not None:
        due = (clock for clock in attempt.request.clocks if clock.key == key and clock.is_due(attempt.at))
        if not any(attempt.clock_id in (None, clock.id) for clock in due):
            yield Problem("INVALID_STATE", "This clock has not run out.", guard="G_DUE")


def as_expected(attempt: Attempt) -> Iterator[Problem]:
    """G_VERSION: the caller has seen the record as it is."""
    if attempt.expected is not None and attempt.expected != attempt.request.version:
        yield stale(attempt.expected, attempt.request.version)


def stale(expected: int, current: int) -> Problem:
    return Problem(
        "VERSION_CONFLICT", "The request changed since you read it. Look at what happened, then decide again.",
        "expectedVersion", guard="G_VERSION", expected=expected, current=current,
    )  # fmt: skip


def not_frozen(request: Request) -> Iterator[Problem]:
    """G_NOT_FROZEN: no dispute is open."""
    if request.dispute_status == "OPEN":
        yield Problem(
            "TRANSFERRED_TO_PLATFORM",
            "The platform is judging a dispute; give your evidence there.",
            guard="G_NOT_FROZEN",
        )


def not_speedy(request: Request) -> Iterator[Problem]:
    """G_NOT_SPEEDY: the money is not already out."""
    if "speedy_refund" in request.tags and request.refunds:
        yield Problem("INVALID_STATE", "The refund is already out: appeal instead.", guard="G_NOT_SPEEDY")


def no_parcel_handed_over(request: Request) -> Iterator[Problem]:
    """C3: what is on its way back can no longer be withdrawn."""
    parcel = request.shipment(Leg.RETURN)
    if parcel and parcel.handed_over_at:
        yield Problem(
            "INVALID_STATE", "The parcel is on its way; the request can no longer be withdrawn.", guard="G_NOT_SENT"
        )


def money_not_moving(request: Request) -> Iterator[Problem]:
    """C20: a payment whose outcome is open, or that will be tried again, is not walked away from."""
    given_up = "refund_stuck" in request.tags
    moving = (RefundStatus.PENDING,) if given_up else (RefundStatus.PENDING, RefundStatus.FAILED)
    if any(refund.status in moving for refund in request.refunds):
        yield Problem("INVALID_STATE", "A refund is being paid; wait for its outcome.", guard="G_NOT_PAYING")


def refund_is_open(attempt: Attempt) -> Iterator[Problem]:
    """The gateway's word is about an intent of this request that is not already settled: nothing is paid twice."""
    refund = next((r for r in attempt.request.refunds if r.id == attempt.given.get("refund_id")), None)
    if refund is None or refund.status is RefundStatus.PAID:
        yield Problem("INVALID_STATE", "This refund is not open.", guard="G_REFUND_OPEN")


def return_address_known(request: Request) -> Iterator[Problem]:
    """RR1: nothing can come back to nowhere."""
    if not request.order.shop.return_address:
        yield Problem("INELIGIBLE", "The shop has no return address: set one first.", guard="G_RETURN_ADDRESS")


def note_given(attempt: Attempt) -> Iterator[Problem]:
    """A note says why."""
    if not attempt.note.strip():
        yield Problem("NOTE_REQUIRED", "Say why in a note.", "note", guard="G_NOTE")


def note_short(attempt: Attempt) -> Iterator[Problem]:
    """A note has at most 500 characters."""
    if len(attempt.note) > NOTE_LIMIT:
        yield Problem(
            "INVALID_INPUT", "Say it in at most {limit} characters.", "note", guard="G_NOTE", limit=NOTE_LIMIT
        )


def amount_within_max(attempt: Attempt) -> Iterator[Problem]:
    """G_AMOUNT: more than nothing, and at most what may still be granted. No amount means all of it."""
    amount, most = attempt.given.get("amount"), attempt.request.payable
    if amount is None:
        if not most:
            yield _too_much(most)
    elif amount.currency != most.currency:
        yield Problem(
            "INVALID_INPUT", "Give the amount in {currency}.", "amount", guard="G_AMOUNT", currency=most.currency
        )
    elif not Money.zero(most.currency) < amount <= most:
        yield _too_much(most)
    else:
        yield from decimals_fit(amount, attempt.request.order.digits)


def decimals_fit(amount: Money, digits: int) -> Iterator[Problem]:
    """An amount of money has no more decimals than its currency."""
    if amount.amount != round(amount.amount, digits):
        yield Problem(
            "INVALID_INPUT", "{currency} has {digits} decimals.", "amount", guard="G_AMOUNT",
            currency=amount.currency, digits=digits,
        )  # fmt: skip


def _too_much(most: Money) -> Problem:
    return Problem(
        "AMOUNT_EXCEEDED", "Refund more than 0 and at most {maximum}.", "amount", guard="G_AMOUNT", maximum=most
    )


@dataclass(frozen=True, slots=True)
class RejectReasonFits:
    """G_REJECT: the code belongs to this review, kind and order state, and is shown if it must be."""

    review: Review

    def __call__(self, attempt: Attempt) -> Iterator[Problem]:
        fitting = reject_codes_for(attempt.request, attempt.kind, self.review)
        code = next((code for code in fitting if code.code == attempt.given.get("reason")), None)
        if code is None:
            allowed = ", ".join(code.code for code in fitting)
            yield Problem(
                "REASON_NOT_ALLOWED", "Not a reason to reject this now. Choose one of: {allowed}.", "reason",
                guard="G_REJECT", allowed=allowed,
            )  # fmt: skip
        elif code.evidence and not shown(code.evidence, attempt.given.get("evidence", ())):
            yield evidence_missing(code.evidence)


def reject_codes_for(request: Request, kind: Kind, review: Review) -> list[RejectCode]:
    """The codes a seller may reject with, in the table's order."""
    reason = kind.reasons.get(request.reason)
    protected = (
        reason is not None
        and reason.kind is ReasonClass.CHANGE_OF_MIND
        and request.terms.flag("reject.change_of_mind_protected")
    )
    return [
        code
        for code in kind.reject_codes.values()
        if code.review is review
        and (not code.order_states or request.order.state in code.order_states)
        and (not protected or code.for_change_of_mind)
    ]


def shown(needed: frozenset[EvidenceKind], evidence: tuple[Evidence, ...]) -> bool:
    return any(item.kind in needed for item in evidence)


def evidence_missing(needed: frozenset[EvidenceKind]) -> Problem:
    kinds = tuple(sorted(kind.value.lower().replace("_", " ") for kind in needed))
    return Problem("EVIDENCE_REQUIRED", "Add evidence: {kinds}.", "evidenceIds", guard="G_EVIDENCE", kinds=kinds)


def by_platform_carrier(request: Request) -> Iterator[Problem]:
    """The parcel comes back with a carrier of the platform."""
    if request.return_method is ReturnMethod.SELF_ARRANGED:
        yield Problem(
            "INVALID_STATE", "The buyer sends the goods themselves; no carrier of ours has them.", guard="G_METHOD"
        )


def self_arranged(request: Request) -> Iterator[Problem]:
    """The buyer sends the parcel on their own."""
    if request.return_method is not ReturnMethod.SELF_ARRANGED:
        yield Problem("INVALID_STATE", "A carrier of ours brings the parcel and tells us.", guard="G_METHOD")


def by_pick_up(request: Request) -> Iterator[Problem]:
    """A carrier is to come for the parcel."""
    if request.return_method is not ReturnMethod.PICK_UP:
        yield Problem("INVALID_STATE", "The parcel is not to be picked up.", guard="G_METHOD")


def parcel_with_buyer(request: Request) -> Iterator[Problem]:
    """The parcel has not been handed over yet."""
    parcel = request.shipment(Leg.RETURN)
    if parcel and parcel.handed_over_at:
        yield Problem("INVALID_STATE", "The parcel has already been handed over.", guard="G_NOT_SENT")


def parcel_not_given_up(request: Request) -> Iterator[Problem]:
    """RR17: a parcel fails once; what follows is the seller's to claim."""
    parcel = request.shipment(Leg.RETURN)
    if parcel and parcel.status in (ShipmentStatus.FAILED, ShipmentStatus.DESTROYED):
        yield Problem("INVALID_STATE", "The parcel has already failed.", guard="G_NOT_FAILED")


def parcel_to_claim(request: Request) -> Iterator[Problem]:
    """RR17: a parcel that could not be delivered lies there for the seller to fetch."""
    if request.clock("failed_return.claim") is None:
        yield Problem("INVALID_STATE", "No parcel of this request waits to be fetched.", guard="G_FAILED")

"""Disputes: a buyer takes a rejection to the platform (C9, C11 to C14, and section 5 of the model)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from .approvals import grant
from .cases import DECIDED_BUYER, DECIDED_SELLER, EVIDENCE, UNDER_REVIEW, WITHDRAWN, Dispute
from .guards import not_frozen, note_given, note_short
from .process import Effect, Process, Transition
from .reasons import REASONS, ReasonClass
from .refusal import Problem
from .request import Attempt, ClockStatus, Request
from .rights import acts_as
from .stages import APPROVED, CLOSED, PACKAGE_REJECTED, REFUNDING, REJECTED, expiry
from .vocabulary import ApprovedBy, CloseReason, Party

BUYER, SELLER, PLATFORM, SYSTEM = Party.BUYER, Party.SELLER, Party.PLATFORM, Party.SYSTEM

# How long from delivery the platform takes such a case; of what is not named here, it takes it always (INF).
ACCEPTED_FOR = {
    ReasonClass.NOT_AS_DESCRIBED: timedelta(days=6),
    ReasonClass.COUNTERFEIT: timedelta(days=14),
}
# A buyer whose dispute came to nothing still has this long to ask once more (C14, INF).
AFTER_WITHDRAWAL = timedelta(hours=24)


def accepted_until(request: Request) -> datetime | None:
    """The first instant at which the platform takes the case no longer; None: it always does."""
    delivered, reason = request.order.delivered_at, REASONS.get(request.reason)
    time = ACCEPTED_FOR.get(reason.kind) if reason else None
    return delivered + time if delivered and time else None


def accepted(attempt: Attempt) -> Iterator[Problem]:
    """C9: the platform still takes such a case."""
    until = accepted_until(attempt.request)
    if until is not None and attempt.at >= until:
        yield Problem(
            "WINDOW_CLOSED", "The platform took such cases until {until}.", guard="G_ACCEPTANCE",
            until=until.isoformat(), ended=until,
        )  # fmt: skip


def disputes_left(request: Request) -> Iterator[Problem]:
    """C9: the case has not been disputed too often."""
    most = request.terms.limit("limit.disputes")
    if request.dispute_rounds >= most:
        yield Problem("LIMIT_REACHED", "At most {most} disputes may be opened.", guard="G_DISPUTES", most=most)


def dispute_opened(attempt: Attempt) -> Mapping[str, Any]:
    """C9."""
    request = attempt.request
    rounds = request.dispute_rounds + 1
    dispute = Dispute(attempt.new_id("di"), rounds, EVIDENCE, attempt.note.strip(), attempt.at)
    return {"disputes": (*request.disputes, dispute), "dispute_rounds": rounds}


@dataclass(frozen=True, slots=True)
class HasTurn:
    """DI2: each side gives its evidence once, while its own clock runs."""

    party: Party

    def __call__(self, request: Request) -> Iterator[Problem]:
        if self.party not in _to_give(request):
            yield Problem(
                "INVALID_STATE", "You have said what you had to say; wait for the other side.", guard="G_TURN"
            )


def _to_give(request: Request) -> list[Party]:
    """Who still owes evidence."""
    dispute = request.dispute
    return [
        clock.owed_by
        for clock in request.clocks
        if dispute and clock.subject_id == dispute.id and clock.key == "dispute.evidence"
        if clock.status is ClockStatus.RUNNING
    ]


def last_to_give(attempt: Attempt) -> bool:
    """The other side has given, or was not asked: with this the platform can judge."""
    return _to_give(attempt.request) == [acts_as(attempt.actor)]


def other_side_left(attempt: Attempt) -> bool:
    """One side's time has ended, and the other's runs on."""
    return len(_to_give(attempt.request)) > 1


def party_named(attempt: Attempt) -> Iterator[Problem]:
    """DI4: whose evidence is asked for."""
    if attempt.given.get("party") not in (BUYER, SELLER):
        yield Problem("INVALID_INPUT", "Say whose evidence is asked for: BUYER or SELLER.", "party", guard="G_PARTY")


def decision_given(attempt: Attempt) -> Iterator[Problem]:
    """DI5: for whom it is decided."""
    if attempt.given.get("decision") not in (BUYER, SELLER):
        yield Problem("INVALID_INPUT", "Decide for BUYER or for SELLER.", "decision", guard="G_DECISION")


def send_back_ordered(attempt: Attempt) -> bool:
    """The seller is to send the goods back to the buyer."""
    return bool(attempt.given.get("send_back"))


def may_send_back(attempt: Attempt) -> Iterator[Problem]:
    """C13: goods go back to a buyer who has lost, where the seller holds them and the market has it so."""
    request = attempt.request
    held = request.stage.name == PACKAGE_REJECTED.name and request.terms.flag("back_to_buyer")
    if send_back_ordered(attempt) and (for_buyer(attempt) or not held):
        yield Problem(
            "INVALID_INPUT", "Nothing can be ordered back to the buyer here.", "sendBack", guard="G_SEND_BACK"
        )


def for_buyer(attempt: Attempt) -> bool:
    """The buyer is right."""
    return attempt.given.get("decision") is BUYER


def _changed(**changes: Any) -> Effect:
    """The effect on the latest dispute."""

    def effect(attempt: Attempt) -> Mapping[str, Any]:
        *others, dispute = attempt.request.disputes
        return {"disputes": (*others, replace(dispute, **changes))}

    return effect


def _judged(attempt: Attempt) -> Mapping[str, Any]:
    return _changed(decided_at=attempt.at, decided_by=attempt.actor.id, decision_note=attempt.note)(attempt)


def _ended(attempt: Attempt) -> Mapping[str, Any]:
    return _changed(decided_at=attempt.at)(attempt)


def by_arbitration(attempt: Attempt) -> Mapping[str, Any]:
    """C11: the rejection falls, and what was asked for goes its way."""
    if attempt.kind.process.approved is REFUNDING:
        return grant(ApprovedBy.ARBITRATION)(attempt)
    return {"approved_by": ApprovedBy.ARBITRATION}


def _then(action: str) -> Any:
    return lambda attempt: action


# Beside the request: numbered here, as the model's table has no numbers.
# fmt: off
ROWS = (
    *(Transition("DI2", EVIDENCE, "dispute_submit_evidence", UNDER_REVIEW, side, "Give evidence in the dispute", grant="review",
                 when=last_to_give, gates=(HasTurn(side),), guards=(note_short,), events=("DisputeEvidenceAdded", "DisputeUnderReview"))
      for side in (BUYER, SELLER)),
    *(Transition("DI2", EVIDENCE, "dispute_submit_evidence", None, side, "Give evidence in the dispute", grant="review",
                 gates=(HasTurn(side),), guards=(note_short,), stops=("dispute.evidence",), own=True, events=("DisputeEvidenceAdded",))
      for side in (BUYER, SELLER)),
    Transition("DI2", EVIDENCE, "dispute_submit_evidence", None, PLATFORM, "Give evidence in the dispute", grant="review",
               guards=(note_short,), events=("DisputeEvidenceAdded",)),
    Transition("DI2", UNDER_REVIEW, "dispute_submit_evidence", None, PLATFORM, "Give evidence in the dispute",
               guards=(note_short,), events=("DisputeEvidenceAdded",)),
    Transition("DI3", EVIDENCE, expiry("dispute.evidence"), None, SYSTEM, "The platform judges by what is there.", when=other_side_left),
    Transition("DI3", EVIDENCE, expiry("dispute.evidence"), UNDER_REVIEW, SYSTEM, "The platform judges by what is there.",
               events=("DisputeUnderReview",)),
    Transition("DI4", UNDER_REVIEW, "dispute_request_evidence", EVIDENCE, PLATFORM, "Ask for more evidence", unmet=True,
               guards=(party_named, note_given, note_short), events=("DisputeEvidenceRequested",)),
    Transition("DI5", UNDER_REVIEW, "dispute_decide", DECIDED_BUYER, PLATFORM, "Decide the dispute", when=for_buyer,
               guards=(decision_given, may_send_back, note_given, note_short), effect=_judged, events=("DisputeDecided",), then=_then("dispute_won")),
    Transition("DI5", UNDER_REVIEW, "dispute_decide", DECIDED_SELLER, PLATFORM, "Decide the dispute",
               guards=(decision_given, may_send_back, note_given, note_short), effect=_judged, events=("DisputeDecided",), then=_then("dispute_lost")),
    *(Transition("DI6", stage, "dispute_withdraw", WITHDRAWN, BUYER | PLATFORM, "Withdraw the dispute", unmet=True,
                 guards=(note_short,), effect=_ended, events=("DisputeWithdrawn",), then=_then("dispute_withdrawn"))
      for stage in (EVIDENCE, UNDER_REVIEW)),
    Transition("DI7", UNDER_REVIEW, expiry("dispute.decision"), None, SYSTEM, "The platform is late: the case is escalated.",
               effect=_changed(escalated=True)),
    *(Transition("DI8", stage, "request_closed", WITHDRAWN, SYSTEM, unmet=True, effect=_ended, events=("DisputeWithdrawn",))
      for stage in (EVIDENCE, UNDER_REVIEW)),
)

REJECTIONS = (REJECTED, PACKAGE_REJECTED)
# What a dispute does to the request it is about.
REQUEST_ROWS = (
    *(Transition("C9", stage, "dispute_open", None, BUYER, "Take it to the platform", owner="dispute", shows="dispute",
                 gates=(not_frozen, disputes_left), guards=(accepted, note_given, note_short), until=accepted_until,
                 effect=dispute_opened, pauses=("rejection.followup",), events=("DisputeOpened",)) for stage in REJECTIONS),
    Transition("C11", REJECTED, "dispute_won", APPROVED, SYSTEM, effect=by_arbitration),
    Transition("C12", PACKAGE_REJECTED, "dispute_won", REFUNDING, SYSTEM, effect=grant(ApprovedBy.ARBITRATION)),
    *(Transition("C13", stage, "dispute_lost", CLOSED, SYSTEM, closes=CloseReason.ARBITRATION_SELLER) for stage in REJECTIONS),
    *(Transition("C14", stage, "dispute_withdrawn", None, SYSTEM, resumes=("rejection.followup",), at_least=AFTER_WITHDRAWAL)
      for stage in REJECTIONS),
)
# fmt: on

DISPUTE = Process("dispute", ROWS, (), EVIDENCE, start=EVIDENCE)

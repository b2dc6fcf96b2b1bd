"""What must hold after every change, whatever came before; and the record as the log alone tells it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.engine.builders import kinds
from tests.engine.rows import FOLLOWS

from aftersales.engine.appeal import NEVER, compensation_max
from aftersales.engine.cases import MIRROR
from aftersales.engine.costs import CostKind
from aftersales.engine.machines import MACHINES
from aftersales.engine.money import Money
from aftersales.engine.process import Process
from aftersales.engine.refusal import CODES, Refused
from aftersales.engine.request import Change, Clock, ClockStatus, Event, RefundStatus, Request, shipping_back
from aftersales.engine.stages import expired_key, expiry
from aftersales.engine.vocabulary import OfferStatus, Party

Logged = tuple[int, Event]
BESIDE = tuple(machine.process for machine in MACHINES.values())

CLOCK_EVENTS = {
    "DeadlineStarted": "RUNNING",
    "DeadlineMet": "MET",
    "DeadlineExpired": "EXPIRED",
    "DeadlineCanceled": "CANCELED",
    "DeadlinePaused": "PAUSED",
    "DeadlineResumed": "RUNNING",
}
OFFER_EVENTS = {
    "OfferMade": "OPEN",
    "OfferAutoAccepted": "AUTO_ACCEPTED",
    "OfferAccepted": "ACCEPTED",
    "OfferDeclined": "DECLINED",
    "OfferLapsed": "LAPSED",
}
# Clocks that run on after the end: of a parcel that is still to come, or still to go back to the buyer.
AFTER_THE_END = {"speedy.not_received", "back_to_buyer.ship"}


@dataclass
class Told:
    """A request as its log tells it."""

    version: int = 0
    stage: str = ""
    kind: str = ""
    closed_for: str | None = None
    tags: set[str] = field(default_factory=set)
    granted: dict[str, str] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)
    clocks: dict[str, tuple[str, str, str | None]] = field(default_factory=dict)
    offers: dict[str, str] = field(default_factory=dict)
    disputes: dict[str, str] = field(default_factory=dict)
    appeal: str | None = None


def replayed(log: Iterable[Logged], born: str) -> Told:
    told = Told(kind=born)
    for version, event in log:
        told.version, told.stage = version, event.to_stage.name
        _note(told, event, event.data)
    return told


def _note(told: Told, event: Event, data: Mapping[str, Any]) -> None:
    match event.type:
        case "TagAdded":
            told.tags.add(data["tag"])
        case "TagRemoved":
            told.tags.remove(data["tag"])
        case "RefundCreated":
            told.granted[data["refundId"]] = data["amount"]
        case "RefundPaid":
            told.paid.add(data["refundId"])
        case "RequestClosed" | "RequestCanceled":
            told.closed_for = data.get("reason")
            told.offers = {id: "VOID" if status == "OPEN" else status for id, status in told.offers.items()}
        case "RequestConverted":
            assert told.kind == data["from"]
            told.kind = data["to"]
        case "PackageAccepted" if told.appeal == "AVAILABLE":
            told.appeal = "NOT_AVAILABLE"
        case type if type in OFFER_EVENTS:
            told.offers[data["offerId"]] = OFFER_EVENTS[type]
        case type if type.startswith("Dispute"):
            told.disputes[data["disputeId"]] = data["status"]
        case type if type.startswith("Appeal"):
            told.appeal = data["status"]
        case type if type in CLOCK_EVENTS:
            assert event.clock_id is not None
            told.clocks[event.clock_id] = (data["key"], CLOCK_EVENTS[type], data["dueAt"])
            if (type, data["key"]) == ("DeadlineExpired", "appeal.evidence"):
                told.appeal = "UNDER_REVIEW"


def as_told(request: Request) -> Told:
    """The record in the log's words."""
    return Told(
        version=request.version,
        stage=request.stage.name,
        kind=request.kind,
        closed_for=request.close_reason.value if request.close_reason else None,
        tags=set(request.tags),
        granted={refund.id: str(refund.amount.amount) for refund in request.refunds},
        paid={refund.id for refund in request.refunds if refund.status is RefundStatus.PAID},
        clocks={
            clock.id: (clock.key, clock.status.value, clock.due_at.isoformat() if clock.due_at else None)
            for clock in request.clocks
        },
        offers={offer.id: offer.status.value for offer in request.offers},
        disputes={dispute.id: dispute.stage.name for dispute in request.disputes},
        appeal=request.appeal.stage.name if request.appeal else None,
    )


def assert_sound(change: Change, log: Iterable[Logged]) -> None:
    """Everything that must hold of a change and of the request after it."""
    request, process = change.request, kinds()[change.request.kind].process
    _the_change_is_whole(change)
    _the_stage_is_legal(request, process)
    _the_clocks_are_right(change, process)
    _the_money_is_within(request)
    _the_compensation_is_within(request)
    _the_offers_are_right(request)
    _the_disputes_are_right(change)
    _the_appeal_is_right(change)
    _the_ids_are_unique(request)
    assert replayed(log, request.original_kind) == as_told(request)


def _the_change_is_whole(change: Change) -> None:
    before, after = change.before, change.request
    born = kinds()[before.kind if before else after.kind].process
    rules = {row.rule for process in (born, *BESIDE) for row in process.rows} | {"C1"}
    assert after.version == (before.version if before else 0) + 1
    assert change.events
    assert {event.rule for event in change.events} - set(FOLLOWS) <= {change.rule}
    assert change.events[0].rule == change.rule
    assert change.rule in rules
    assert {event.at for event in change.events} == {change.at} == {after.updated_at}
    if before:
        assert change.at >= before.updated_at
        for fixed in (
            "id",
            "number",
            "original_kind",
            "order",
            "attempt",
            "refund_max",
            "terms",
            "created_at",
            "reason",
            "edits",
        ):
            assert getattr(before, fixed) == getattr(after, fixed)
        assert before.kind == after.kind or (change.rule, after.stage) == ("C7", kinds()[after.kind].process.approved)
        if before.stage.final:
            for fixed in ("stage", "closed_at", "close_reason", "refunds", "refund_approved", "lines"):
                assert getattr(before, fixed) == getattr(after, fixed)


def _the_stage_is_legal(request: Request, process: Process) -> None:
    assert process.stages[request.stage.name] == request.stage
    assert (request.closed_at is not None) == request.stage.final
    assert (request.close_reason is not None) == (request.stage.name == "closed")


def _the_clocks_are_right(change: Change, process: Process) -> None:
    request = change.request
    living = [clock for clock in request.clocks if clock.alive]
    own = [clock for clock in living if clock.subject_id is None]
    beside = {key for row in process.rows for key in (*row.starts, *row.keeps)}
    assert len({(clock.key, clock.owed_by, clock.subject_id) for clock in living}) == len(living)
    for clock in request.clocks:
        _the_clock_is_whole(clock, change)
    for clock in own:
        running = clock.status is ClockStatus.RUNNING
        assert clock.key in (*request.stage.clocks, *beside) or not running
        assert process.at(request.stage.name, expiry(clock.key)) or not running
        assert running or clock.key in _PAUSED_AT.get(request.stage.name, ())
    assert {clock.key for clock in own if request.stage.final} <= AFTER_THE_END
    for clock in living:
        if clock.subject_id is not None:
            (machine,) = [one for one in MACHINES.values() if _id_of(one.case(request)) == clock.subject_id]
            case = machine.case(request)
            assert machine.process.at(case.stage.name, expiry(clock.key)) or clock.status is ClockStatus.PAUSED
            assert clock.status is ClockStatus.RUNNING or (clock.key, case.stage.name) == (
                "appeal.decision",
                "EVIDENCE_REQUESTED",
            )
            assert not case.stage.final
    assert own or request.waits_for in (Party.SYSTEM, None)
    ended_before = [clock for clock in change.before.clocks if not clock.alive] if change.before else []
    assert ended_before == [clock for clock in request.clocks if clock in ended_before]


# Whose time stands still while another's runs.
_PAUSED_AT = {
    "awaiting_buyer_response": ("review.first", "inspect.tracked", "inspect.self_arranged"),
    "rejected": ("rejection.followup",),
    "package_rejected": ("rejection.followup",),
}


def _id_of(case: Any) -> str | None:
    return case.id if case else None


def _the_clock_is_whole(clock: Clock, change: Change) -> None:
    match clock.status:
        case ClockStatus.RUNNING:
            assert clock.due_at is not None
            assert clock.remaining is None
            # of several clocks that run out at one instant, time ends one after the other
            assert clock.due_at > change.at or (clock.due_at == change.at and expired_key(change.action))
        case ClockStatus.PAUSED:
            assert clock.due_at is None
            assert clock.remaining is not None
            assert clock.remaining > timedelta()
        case _:
            assert clock.remaining is None


def _the_offers_are_right(request: Request) -> None:
    open_ones = [offer for offer in request.offers if offer.status is OfferStatus.OPEN]
    assert len(request.offers) <= request.terms.limit("limit.offers")
    assert len(open_ones) == (request.stage.name == "awaiting_buyer_response")
    assert all((offer.answered_at is None) == (offer in open_ones) for offer in request.offers)
    assert all((offer.amount is not None) == offer.kind.money for offer in request.offers)
    if request.kind != request.original_kind:
        assert any(offer.status is OfferStatus.ACCEPTED and not offer.kind.money for offer in request.offers)


def _the_disputes_are_right(change: Change) -> None:
    request, before = change.request, change.before
    assert request.dispute_status == (MIRROR[request.dispute.stage.name] if request.dispute else "NONE")
    assert not any(MIRROR[dispute.stage.name] == "OPEN" for dispute in request.disputes[:-1])
    assert len(request.disputes) <= request.dispute_rounds <= request.terms.limit("limit.disputes")
    assert [dispute.round for dispute in request.disputes] == [
        request.dispute_rounds - left for left in reversed(range(len(request.disputes)))
    ]
    if request.dispute_status == "OPEN":
        # frozen: nothing but the dispute, or an operator, moves the request
        assert request.stage.name in ("rejected", "package_rejected")
        paused = request.clock("rejection.followup")
        assert paused is not None
        assert paused.status is ClockStatus.PAUSED
    if before and before.dispute_status == "OPEN" and before.stage != request.stage:
        assert change.rule in ("DI5", "C20")


def _the_appeal_is_right(change: Change) -> None:
    request, before = change.request, change.before
    was, appeal = before.appeal if before else None, request.appeal
    assert request.appeal_status == (appeal.stage.name if appeal else "NOT_AVAILABLE")
    if was is not None:
        assert appeal is not None
        assert (was.id, was.ground, was.opened_at) == (appeal.id, appeal.ground, appeal.opened_at)
        assert not was.stage.final or was.stage == appeal.stage
    if appeal is not None:
        assert request.refunds
        assert request.stage.name in ("refunding", "completed", "closed")
        assert appeal.evidence_rounds <= request.terms.limit("appeal.max_evidence_rounds")
        assert (appeal.filed_at is None) == (appeal.stage.name in ("AVAILABLE", "EXPIRED", "NOT_AVAILABLE"))
    if appeal is not None and was is None:
        assert request.approved_by not in NEVER
        assert not request.package_confirmed_at
        assert "refund_without_return" not in request.tags


def _the_compensation_is_within(request: Request) -> None:
    zero = Money.zero(request.order.currency)
    owed = [cost.amount or zero for cost in request.costs if cost.kind is CostKind.COMPENSATION]
    assert len(owed) <= 1
    if request.appeal and request.appeal.compensation is not None:
        assert owed == [request.appeal.compensation]
        assert zero < request.appeal.compensation <= compensation_max(request)
    elif owed:
        assert "refund_without_return" in request.tags
        assert owed == [request.refund_approved]


def _the_money_is_within(request: Request) -> None:
    order, zero = request.order, Money.zero(request.order.currency)
    granted = sum((refund.amount for refund in request.refunds), zero)
    unsettled = [refund for refund in request.refunds if refund.status is not RefundStatus.PAID]
    assert len(request.refunds) <= 1
    assert len(unsettled) == (request.stage.name == "refunding") or request.stage.name == "closed"
    assert granted <= request.refund_max
    if request.refunds:
        assert granted == request.refund_approved
        assert granted + order.refunded(but=request.id) <= order.total
        assert sum((share for _, share in request.refunds[0].lines), zero) == granted
        assert [line.refund_approved for line in request.lines] == [share for _, share in request.refunds[0].lines]
    for line, shipping in zip(request.lines, shipping_back(order, request.lines, request.fault), strict=True):
        bought, share = order.line(line.order_line_id), line.refund_approved or zero
        assert bought is not None
        assert zero <= share <= line.refund_max
        assert not share or share + order.refunded(bought.id, but=request.id) <= bought.paid + shipping
    paid = sum((refund.amount for refund in request.refunds if refund.status is RefundStatus.PAID), zero)
    assert (request.refund_paid or zero) == paid


def _the_ids_are_unique(request: Request) -> None:
    beside: tuple[Any, ...] = (*request.disputes, *request.offers)
    for children in (request.clocks, request.shipments, request.refunds, request.costs, beside):
        ids = [child.id for child in children]
        assert len(set(ids)) == len(ids)


def assert_answered(refused: Refused) -> None:
    """A no is always in words, with a code that is known."""
    assert refused.problems
    for problem in refused.problems:
        assert problem.code in CODES
        assert problem.text()


def overdue(request: Request, at: datetime) -> bool:
    return any(clock.is_due(at) for clock in request.clocks)


def first_due(request: Request) -> Clock | None:
    """Of all clocks that run, an appeal's too, the one that comes first."""
    running = [clock for clock in request.clocks if clock.status is ClockStatus.RUNNING and clock.due_at]
    return min(running, key=lambda clock: (clock.due_at, clock.id), default=None)

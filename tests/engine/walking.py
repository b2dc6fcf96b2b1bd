"""What must hold after every change, whatever came before; and the record as the log alone tells it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.engine.builders import kinds

from aftersales.engine.money import Money
from aftersales.engine.process import Process
from aftersales.engine.refusal import CODES, Refused
from aftersales.engine.request import Change, Event, RefundStatus, Request, shipping_back
from aftersales.engine.stages import expiry
from aftersales.engine.vocabulary import Party

Logged = tuple[int, Event]

CLOCK_EVENTS = {
    "DeadlineStarted": "RUNNING",
    "DeadlineMet": "MET",
    "DeadlineExpired": "EXPIRED",
    "DeadlineCanceled": "CANCELED",
}


@dataclass
class Told:
    """A request as its log tells it."""

    version: int = 0
    stage: str = ""
    closed_for: str | None = None
    tags: set[str] = field(default_factory=set)
    granted: dict[str, str] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)
    clocks: dict[str, tuple[str, str, str | None]] = field(default_factory=dict)


def replayed(log: Iterable[Logged]) -> Told:
    told = Told()
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
        case "RequestClosed":
            told.closed_for = data["reason"]
        case type if type in CLOCK_EVENTS:
            assert event.clock_id is not None
            told.clocks[event.clock_id] = (data["key"], CLOCK_EVENTS[type], data["dueAt"])


def as_told(request: Request) -> Told:
    """The record in the log's words."""
    return Told(
        version=request.version,
        stage=request.stage.name,
        closed_for=request.close_reason.value if request.close_reason else None,
        tags=set(request.tags),
        granted={refund.id: str(refund.amount.amount) for refund in request.refunds},
        paid={refund.id for refund in request.refunds if refund.status is RefundStatus.PAID},
        clocks={
            clock.id: (clock.key, clock.status.value, clock.due_at.isoformat() if clock.due_at else None)
            for clock in request.clocks
        },
    )


def assert_sound(change: Change, log: Iterable[Logged]) -> None:
    """Everything that must hold of a change and of the request after it."""
    request, process = change.request, kinds()[change.request.kind].process
    _the_change_is_whole(change, process)
    _the_stage_is_legal(request, process)
    _the_clocks_are_right(change, process)
    _the_money_is_within(request)
    _the_ids_are_unique(request)
    assert replayed(log) == as_told(request)


def _the_change_is_whole(change: Change, process: Process) -> None:
    before, after = change.before, change.request
    assert after.version == (before.version if before else 0) + 1
    assert change.events
    assert {event.rule for event in change.events} == {change.rule}
    assert change.rule in {row.rule for row in process.rows} | {"C1"}
    assert {event.at for event in change.events} == {change.at} == {after.updated_at}
    if before:
        assert change.at >= before.updated_at
        assert not before.stage.final
        for fixed in (
            "id",
            "number",
            "kind",
            "order",
            "attempt",
            "refund_max",
            "terms",
            "created_at",
            "reason",
            "edits",
        ):
            assert getattr(before, fixed) == getattr(after, fixed)


def _the_stage_is_legal(request: Request, process: Process) -> None:
    assert process.stages[request.stage.name] == request.stage
    assert (request.closed_at is not None) == request.stage.final
    assert (request.close_reason is not None) == (request.stage.name == "closed")


def _the_clocks_are_right(change: Change, process: Process) -> None:
    request = change.request
    living = [clock for clock in request.clocks if clock.alive]
    beside = {key for row in process.rows for key in (*row.starts, *row.keeps)}
    assert len({clock.key for clock in living}) == len(living)
    for clock in living:
        assert clock.key in (*request.stage.clocks, *beside)
        assert process.at(request.stage.name, expiry(clock.key))
        assert clock.due_at
        assert clock.due_at > change.at
    assert not (request.stage.final and living)
    assert living or request.waits_for in (Party.SYSTEM, None)
    ended_before = [clock for clock in change.before.clocks if not clock.alive] if change.before else []
    assert ended_before == [clock for clock in request.clocks if clock in ended_before]


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
    for children in (request.clocks, request.shipments, request.refunds, request.costs):
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

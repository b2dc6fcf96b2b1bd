"""A return that the marketplace told of becomes a request, or moves one on (section 14 of the model).

The marketplace decides about such a request and pays for it: what is made here follows what it says. People and clocks
act on it here as on any other, but no money of it ever leaves through us.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .cases import DECIDED_BUYER, DECIDED_SELLER, DISPUTE_STAGES, UNDER_REVIEW, WITHDRAWN, Dispute
from .clocks import Calendar
from .clockwork import paused, resumed
from .costs import CostKind
from .decide import apply, with_refund
from .kind import Kind
from .money import Money
from .process import Process, Transition
from .request import (
    Attempt,
    Change,
    Clock,
    ClockStatus,
    Cost,
    Leg,
    RefundStatus,
    Request,
    RequestLine,
    Shipment,
    ShipmentStatus,
)
from .stages import (
    AWAITING_BUYER_RESPONSE,
    COMPLETED,
    PACKAGE_REJECTED,
    PENDING_INSPECTION,
    REFUNDING,
    RETURN_IN_TRANSIT,
)
from .telling import events
from .terms import Terms
from .vocabulary import Actor, Order, Party, ReturnMethod, Stage, Status

RULE, ACTION = "14", "import"
# The marketplace decided and pays: `store.encoding` never gives such a refund to the payment provider.
IMPORTED, UNKNOWN_REASON = "imported", "unknown_reason"

_OUTSIDE = Stage("(marketplace)", Status.PENDING_REVIEW, "At the marketplace")
_ON_ITS_WAY_BACK = (RETURN_IN_TRANSIT.name, PENDING_INSPECTION.name, PACKAGE_REJECTED.name)
_LEAST = Transition(RULE, _OUTSIDE, ACTION, None, Party.PLATFORM).at_least


@dataclass(frozen=True, slots=True)
class Told:
    """What the marketplace says of a return, read and held against the order.

    Args:
        stages: those its status covers; a request at any of them agrees. The first is where a new one is put.
        lines: of the order, with what they may bring at most.
        refund: all that is asked for, or was granted.
        created_at, updated_at: the marketplace's own instants.
        deadline: when the seller must have answered; it wins over the policy. None: nothing is said.
        dispute: the stage of the dispute beside it; empty: there is none.
        shipping: (who paid, how much) for the way back.
    """

    stages: tuple[str, ...]
    lines: tuple[RequestLine, ...]
    refund: Money
    reason: str
    reason_known: bool
    note: str
    created_at: datetime
    updated_at: datetime
    method: ReturnMethod | None = None
    carrier: str | None = None
    tracking: str | None = None
    deadline: datetime | None = None
    dispute: str = ""
    shipping: tuple[tuple[Party, Money], ...] = ()
    previous_id: str | None = None
    next_id: str | None = None


class Unfit(Exception):
    """What was told cannot be a request here; says why, for a person."""


def arrive(
    told: Told, order: Order, kind: Kind, terms: Terms, calendar: Calendar, actor: Actor, id: str, number: str
) -> Change:
    """A request that the marketplace had before we did.

    Raises:
        Unfit: it would refund more than was paid, or stands where this kind cannot.
    """
    if order.erased:
        told = replace(told, note="")
    reason = kind.reasons.get(told.reason)
    start = Request(
        id=id, number=number, kind=kind.name, original_kind=kind.name, order=order, stage=_OUTSIDE, version=0,
        attempt=1,
        reason=told.reason, note=told.note, fault=reason.fault if reason else None, lines=told.lines,
        refund_max=told.refund, created_at=told.created_at, updated_at=told.created_at, terms=terms,
        return_method=told.method, previous_id=told.previous_id, next_id=told.next_id,
        tags=frozenset({IMPORTED} | (set() if told.reason_known else {UNKNOWN_REASON})),
    )  # fmt: skip
    stage = kind.process.stages.get(told.stages[0])
    gives = stage is None or not stage.final or stage.name == COMPLETED.name
    if gives and start.payable < told.refund:
        raise Unfit(f"It refunds {told.refund}, and {start.payable} can be refunded of the order.")
    after = _moved(told, start, kind, calendar, actor, told.updated_at, told.stages[0]).request
    said = events(
        None,
        after,
        RULE,
        ("RequestCreated", *_about(start, after)),
        ACTION,
        actor,
        told.updated_at,
        told.note,
        {"reason": told.reason},
    )
    return Change(None, after, RULE, ACTION, actor, told.updated_at, tuple(said), told.note)


def news(
    told: Told, before: Request, kind: Kind, calendar: Calendar, actor: Actor, said_before: tuple[str, ...]
) -> Change | None:
    """What a newer record makes of a request; None: nothing that it does not say already.

    Args:
        said_before: the stages that the record before this one covered. Where this one says the same, whatever people
            and clocks did here since stands.

    Raises:
        Unfit: it stands further here than the marketplace says.
    """
    at = max(told.updated_at, before.updated_at)
    stage = before.stage.name
    if stage not in told.stages and told.stages != said_before:
        if before.stage.final or not _leads(kind.process, stage, told.stages[0]):
            raise Unfit(f"It stands at {stage} here, and the marketplace says {told.stages[0]}.")
        return _moved(told, before, kind, calendar, actor, at, told.stages[0])
    after = _beside(told, before, calendar, actor, at, kind)
    if after == before:
        return None
    after = replace(after, version=before.version + 1, updated_at=at)
    said = events(before, after, RULE, ("RequestImported", *_about(before, after)), ACTION, actor, at, "", {})
    return Change(before, after, RULE, ACTION, actor, at, tuple(said))


def _leads(process: Process, stage: str, target: str) -> bool:
    """Whether the one can come after the other, by whatever row."""
    if target == process.start.name:
        # back to the first review only from an offer; the table cannot tell at which review that was made
        return stage == AWAITING_BUYER_RESPONSE.name
    ways, seen = deque([stage]), {stage}
    while ways:
        for row in process.leaving(ways.popleft()):
            if row.target is not None and row.target.name not in seen:
                seen.add(row.target.name)
                ways.append(row.target.name)
    return target in seen


def _moved(
    told: Told, before: Request, kind: Kind, calendar: Calendar, actor: Actor, at: datetime, target: str
) -> Change:
    """As if a row of the kind's own had led there: its parcel, its refund and its clocks come with it."""
    stage = kind.process.stages.get(target)
    if stage is None:
        raise Unfit(f"A {kind.name} is never at {target}.")
    row = Transition(
        RULE, before.stage, ACTION, stage, Party.PLATFORM, effect=lambda attempt: _effect(told, target, attempt)
    )
    attempt = Attempt(before, kind, ACTION, actor, at, calendar, kinds={kind.name: kind})
    after = _stamped(told, apply(row, attempt).request, attempt)
    said = events(before, after, RULE, ("RequestImported", *_about(before, after)), ACTION, actor, at, "", {})
    return Change(before, after, RULE, ACTION, actor, at, tuple(said))


def _effect(told: Told, target: str, attempt: Attempt) -> Mapping[str, Any]:
    request = attempt.request
    changes: dict[str, Any] = {
        "return_method": request.return_method or told.method,
        "previous_id": told.previous_id or request.previous_id,
        "next_id": told.next_id or request.next_id,
        "disputes": _disputes(told, attempt),
    }
    changes["dispute_rounds"] = max(request.dispute_rounds, len(changes["disputes"]))
    changes["costs"] = (*request.costs, *_costs(told, attempt))
    changes["shipments"] = _parcels(told, target, attempt) if target in _ON_ITS_WAY_BACK else _named(told, request)
    if target in (REFUNDING.name, COMPLETED.name):
        changes |= _granted(told, target, attempt)
    return changes


def _granted(told: Told, target: str, attempt: Attempt) -> Mapping[str, Any]:
    """Money that the marketplace gives: granted here, and paid once it says that it has paid."""
    request, amount = attempt.request, told.refund
    if amount > request.payable:
        raise Unfit(f"It refunds {amount}, and {request.payable} can be refunded of the order.")
    if target == REFUNDING.name:
        return {"refund_approved": amount}
    if not any(refund.amount == amount and refund.status is not RefundStatus.FAILED for refund in request.refunds):
        # what was granted here is another amount, and was never paid as that
        gone = tuple(replace(refund, status=RefundStatus.FAILED) for refund in request.refunds)
        request = with_refund(replace(request, refund_approved=amount, refunds=gone), attempt)
    refunds = tuple(
        replace(refund, status=RefundStatus.PAID, paid_at=attempt.at)
        if refund.status is RefundStatus.PENDING
        else refund
        for refund in request.refunds
    )
    settled = (refund.amount for refund in refunds if refund.status is RefundStatus.PAID)
    paid = sum(settled, Money.zero(amount.currency))
    return {
        "refunds": refunds, "lines": request.lines, "refund_approved": request.refund_approved, "refund_paid": paid,
    }  # fmt: skip


def _parcels(told: Told, target: str, attempt: Attempt) -> tuple[Shipment, ...]:
    request = attempt.request
    parcel = request.shipment(Leg.RETURN) or Shipment(
        attempt.new_id("sp"), Leg.RETURN, ShipmentStatus.EXPECTED, request.return_method or told.method
    )
    there = target in (PENDING_INSPECTION.name, PACKAGE_REJECTED.name)
    seen = replace(
        parcel,
        status=ShipmentStatus.DELIVERED if there else ShipmentStatus.HANDED_OVER,
        carrier=told.carrier or parcel.carrier,
        tracking=told.tracking or parcel.tracking,
        payer=parcel.payer or next((party for party, _ in told.shipping), None),
        handed_over_at=parcel.handed_over_at or attempt.at,
        delivered_at=(parcel.delivered_at or attempt.at) if there else None,
    )
    return (*(other for other in request.shipments if other.id != parcel.id), seen)


def _named(told: Told, request: Request) -> tuple[Shipment, ...]:
    """The parcels, the one that comes back with the number and the carrier that nobody had told yet."""
    parcel = request.shipment(Leg.RETURN)
    return tuple(
        replace(one, carrier=one.carrier or told.carrier, tracking=one.tracking or told.tracking)
        if parcel and one.id == parcel.id
        else one
        for one in request.shipments
    )


def _costs(told: Told, attempt: Attempt) -> tuple[Cost, ...]:
    """Who paid for the way back, told once."""
    if any(cost.kind is CostKind.RETURN_SHIPPING for cost in attempt.request.costs):
        return ()
    return tuple(
        Cost(attempt.new_id("co", 10 + index), CostKind.RETURN_SHIPPING, party, amount, attempt.at)
        for index, (party, amount) in enumerate(told.shipping)
    )


def _disputes(told: Told, attempt: Attempt) -> tuple[Dispute, ...]:
    """The dispute that stands beside it at the marketplace, whose course is the marketplace's own."""
    request, stage = attempt.request, DISPUTE_STAGES.get(told.dispute)
    if stage is None:
        return request.disputes
    decided = attempt.at if stage in (DECIDED_BUYER, DECIDED_SELLER, WITHDRAWN) else None
    latest = request.dispute
    if latest is None:
        opened = Dispute(attempt.new_id("di"), request.dispute_rounds + 1, stage, "", attempt.at, decided_at=decided)
        return (opened,)
    if latest.decided_at or (stage is UNDER_REVIEW and latest.stage.waits_for):
        # it is open here and there, or was decided here: the same is not opened twice
        return request.disputes
    return (*request.disputes[:-1], replace(latest, stage=stage, decided_at=decided))


def _beside(told: Told, before: Request, calendar: Calendar, actor: Actor, at: datetime, kind: Kind) -> Request:
    """The request where it stands, with what else is new: its dispute, its chain, the seller's deadline."""
    if before.stage.final:
        return replace(before, next_id=told.next_id or before.next_id)
    attempt = Attempt(before, kind, ACTION, actor, at, calendar, kinds={kind.name: kind})
    row = Transition(
        RULE, before.stage, ACTION, None, Party.PLATFORM, effect=lambda attempt: _effect(told, "", attempt)
    )
    applied = apply(row, attempt).request
    after = _stamped(told, replace(applied, version=before.version, updated_at=before.updated_at), attempt)
    return replace(after, return_method=before.return_method)


def _stamped(told: Told, after: Request, attempt: Attempt) -> Request:
    """The clocks as the marketplace has them: the seller's is due when it says, and a dispute stops them all."""
    if after.dispute:
        clocks = [_in_dispute(clock, attempt, opened=after.dispute.decided_at is None) for clock in after.clocks]
        after = replace(after, clocks=tuple(clocks))
    known = {clock.id for clock in attempt.request.clocks}
    for index, clock in enumerate(after.clocks):
        if told.deadline is None or clock.owed_by is not Party.SELLER or clock.subject_id or not _differs(clock, told):
            continue
        due = replace(clock, due_at=told.deadline)
        if clock.id not in known:
            return replace(after, clocks=(*after.clocks[:index], due, *after.clocks[index + 1 :]))
        ended = replace(clock, status=ClockStatus.CANCELED)
        due = replace(due, id=attempt.new_id("dl", 90), started_at=attempt.at)
        return replace(after, clocks=(*after.clocks[:index], ended, *after.clocks[index + 1 :], due))
    return after


def _differs(clock: Clock, told: Told) -> bool:
    return clock.status is ClockStatus.RUNNING and clock.due_at != told.deadline


def _in_dispute(clock: Clock, attempt: Attempt, *, opened: bool) -> Clock:
    """C9, C14: while it is open the request's own clocks stand still."""
    was = attempt.request.dispute
    if clock.of_appeal or not clock.alive:
        return clock
    if clock.subject_id is None:
        if opened:
            return paused(clock, attempt.at)
        return resumed(clock, attempt.at, _LEAST) if was and was.decided_at is None else clock
    return clock if opened else replace(clock, status=ClockStatus.CANCELED, remaining=None)


def _about(before: Request, after: Request) -> tuple[str, ...]:
    was, now = before.dispute, after.dispute
    if now is None or (was and was.stage.name == now.stage.name):
        return ()
    opened = () if was else ("DisputeOpened",)
    decided = {DECIDED_BUYER.name: ("DisputeDecided",), DECIDED_SELLER.name: ("DisputeDecided",)}
    return (*opened, *decided.get(now.stage.name, ("DisputeWithdrawn",) if now.stage.name == WITHDRAWN.name else ()))

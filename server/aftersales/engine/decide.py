"""The decision: facts in, a change out, or every reason why not. Pure; the time is a fact like any other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from .clocks import Calendar
from .freight import who_pays
from .guards import as_expected, in_time, not_frozen, run_out
from .kind import Kind
from .money import Money, shares
from .process import Transition
from .refusal import Problem, Refused
from .request import (
    Attempt,
    Change,
    Clock,
    ClockStatus,
    Event,
    Leg,
    Refund,
    Request,
    Shipment,
    ShipmentStatus,
    child_id,
)
from .rights import acts_as, may_do
from .stages import AWAITING_BUYER_SHIP, CANCELED, CLOSED, COMPLETED, REFUNDING, expired_key
from .vocabulary import SYSTEM, Actor, Party, ReturnMethod

ENDINGS = {COMPLETED.name: "RequestCompleted", CANCELED.name: "RequestCanceled", CLOSED.name: "RequestClosed"}


def decide(attempt: Attempt) -> Change:
    """What comes of an attempt.

    Raises:
        Refused: NOT_ALLOWED, VERSION_CONFLICT, INVALID_STATE, DEADLINE_PASSED, or what the row's guards say.
    """
    row = chosen_row(attempt)
    if problems := tuple(_objections(row, attempt)):
        raise Refused(problems)
    return apply(row, attempt)


def chosen_row(attempt: Attempt) -> Transition:
    """The row that the act takes.

    Raises:
        Refused: VERSION_CONFLICT before INVALID_STATE, as a stale reader should first hear what it missed.
    """
    if problems := tuple(as_expected(attempt)):
        raise Refused(problems)
    rows = attempt.kind.process.at(attempt.request.stage.name, attempt.action)
    theirs = [row for row in rows if acts_as(attempt.actor) in row.by]
    row = next((row for row in theirs or rows if row.when is None or row.when(attempt)), None)
    if row is None:
        raise Refused([not_here(attempt)])
    return row


def not_here(attempt: Attempt) -> Problem:
    """The act has no row at this stage. That a clock has run out, or a dispute is open, is the better answer."""
    if not expired_key(attempt.action):
        for better in (*in_time(attempt), *not_frozen(attempt.request)):
            return better
    return Problem(
        "INVALID_STATE", "This cannot be done while the request is at: {stage}.", guard="G_STATE",
        stage=attempt.request.stage.label,
    )  # fmt: skip


def _objections(row: Transition, attempt: Attempt) -> Iterator[Problem]:
    if denied := tuple(may_do(attempt.actor, row.by, row.grant)):
        yield from denied
        return
    yield from run_out(attempt)
    if attempt.actor.party is not Party.SYSTEM and not row.late:
        yield from in_time(attempt)
    for gate in row.gates:
        yield from gate(attempt.request)
    for guard in row.guards:
        yield from guard(attempt)


def actions(kind: Kind, request: Request, actor: Actor, at: datetime) -> tuple[Transition, ...]:
    """What the actor may do now: the rows that are theirs and whose gates stand open."""
    late = any(clock.is_due(at) for clock in request.clocks)
    found: dict[str, Transition] = {}
    for row in kind.process.leaving(request.stage.name):
        theirs = row.personal and acts_as(actor) in row.by and not any(may_do(actor, row.by, row.grant))
        if late and not row.late:
            continue
        if theirs and not any(problem for gate in row.gates for problem in gate(request)):
            found.setdefault(row.action, row)
    return tuple(found.values())


def apply(row: Transition, attempt: Attempt) -> Change:
    """The change that a row makes of a request, once nothing objects."""
    before = attempt.request
    effect = dict(row.effect(attempt)) if row.effect else {}
    after = replace(before, **effect, version=before.version + 1, updated_at=attempt.at)
    moved = row.target is not None and row.target.name != before.stage.name
    if row.target is not None:
        after = replace(after, stage=row.target)
    if after.stage.final and moved:
        after = replace(after, close_reason=row.closes, closed_at=attempt.at)
    if shown := attempt.given.get("evidence"):
        known = {item.id for item in before.evidence}
        after = replace(after, evidence=(*after.evidence, *(item for item in shown if item.id not in known)))
    if moved and after.stage.name == AWAITING_BUYER_SHIP.name:
        after = with_parcel(after, attempt)
    if moved and after.stage.name == REFUNDING.name:
        after = with_refund(after, attempt)
    after = replace(after, clocks=_clocks(row, attempt, after, moved))
    said = events(
        before, after, row.rule, row.events, attempt.action, attempt.actor, attempt.at, attempt.note, attempt.given
    )
    return Change(
        before, after, row.rule, attempt.action, attempt.actor, attempt.at, tuple(said), attempt.note, attempt.given
    )


def with_parcel(request: Request, attempt: Attempt) -> Request:
    """Entering `awaiting_buyer_ship`, by whoever's yes, a parcel is expected; who pays for its way is section 10."""
    method = request.return_method or ReturnMethod.DROP_OFF
    payer = who_pays(request, attempt.kind, method).return_leg
    parcel = Shipment(attempt.new_id("sp"), Leg.RETURN, ShipmentStatus.EXPECTED, method, payer=payer)
    return replace(request, return_method=method, shipments=(*request.shipments, parcel))


def with_refund(request: Request, attempt: Attempt) -> Request:
    """Entering `refunding` makes the intent to pay, once: its id is the provider's key for ever."""
    amount = request.refund_approved if request.refund_approved is not None else request.payable
    parts = _within(shares(amount, [room.amount for room in request.rooms], request.order.digits), request.rooms)
    refund = Refund(
        attempt.new_id("rf"), amount, attempt.actor.party, attempt.at,
        tuple((line.order_line_id, part) for line, part in zip(request.lines, parts, strict=True)),
    )  # fmt: skip
    lines = tuple(replace(line, refund_approved=part) for line, part in zip(request.lines, parts, strict=True))
    return replace(request, refund_approved=amount, lines=lines, refunds=(*request.refunds, refund))


def _within(parts: Sequence[Money], rooms: Sequence[Money]) -> tuple[Money, ...]:
    """No line above its room: what rounding left to the last line beyond that goes to those before it."""
    kept: list[Money] = []
    over = Money.zero(parts[0].currency)
    for part, room in zip(reversed(parts), reversed(rooms), strict=True):
        kept.append(min(part + over, room))
        over = part + over - kept[-1]
    return tuple(reversed(kept))


def _clocks(row: Transition, attempt: Attempt, after: Request, moved: bool) -> tuple[Clock, ...]:
    """A stage's clock runs while you are there; what differs, the row says."""
    own = after.stage.clock_for(after.return_method)
    fresh = [own] if own and (moved or row.restarts) else []
    ran_out = expired_key(row.action)
    clocks, previous_due = [], None
    for clock in after.clocks:
        if not clock.alive:
            clocks.append(clock)
        elif clock.key == ran_out:
            clocks.append(_stopped(clock, ClockStatus.EXPIRED))
        elif clock.key in row.keeps or (clock.key == own and moved):
            clocks.append(clock)
            fresh = [key for key in fresh if key != clock.key]
        elif moved or clock.key in row.stops or (row.restarts and clock.key in _stage_clocks(after)):
            previous_due = clock.due_at
            clocks.append(_stopped(clock, _how_ended(clock, row, attempt.actor)))
        else:
            clocks.append(clock)
    no_later = previous_due if row.no_later and row.no_later(attempt) else None
    started = [
        start_clock(after, key, attempt.at, attempt.calendar, ordinal, no_later)
        for ordinal, key in enumerate((*fresh, *(key for key in row.starts if not after.clock(key))))
    ]
    return (*clocks, *started)


def _stage_clocks(request: Request) -> tuple[str, ...]:
    # a scheduled pick-up runs beside the keys of its stage and ends with them
    return (*request.stage.clocks, "ship_back.pickup")


def _stopped(clock: Clock, status: ClockStatus) -> Clock:
    return replace(clock, status=status, remaining=None)


def _how_ended(clock: Clock, row: Transition, actor: Actor) -> ClockStatus:
    """Met if whoever owed it acted, or a scan shows that they did; else it was taken from them, or starts anew."""
    acted = acts_as(actor) is clock.owed_by or actor.party is Party.CARRIER
    return ClockStatus.MET if acted and not row.unmet and not row.restarts else ClockStatus.CANCELED


def start_clock(
    request: Request, key: str, at: datetime, calendar: Calendar, ordinal: int = 0, no_later: datetime | None = None
) -> Clock:
    """A clock of the request's own terms, running from an instant."""
    term = request.terms[key]
    due = request.terms.due(key, at, calendar)
    if no_later is not None and due > no_later:
        due = no_later
    return Clock(
        child_id("dl", request.id, request.version, ordinal), key, Party[term.owed_by], at, due,
        warn_before=tuple(timedelta(seconds=seconds) for seconds in term.warn_before),
    )  # fmt: skip


def events(
    before: Request | None, after: Request, rule: str, named: tuple[str, ...], action: str, actor: Actor,
    at: datetime, note: str, given: Mapping[str, Any],
) -> Iterator[Event]:  # fmt: skip
    """What is said of a change: the row's own events first, then what follows from the difference."""
    said = [
        *_named(named, given), *_moved(before, after), *_parcels(before, after), *_money(before, after),
        *_clock_events(before, after),
    ]  # fmt: skip
    source = before.stage if before else None
    for index, (type, data, clock_id) in enumerate(said):
        yield Event(type, rule, at, actor, action, source, after.stage, note if index == 0 else "", data, clock_id)


Said = tuple[str, Mapping[str, Any], str | None]


_SAID = {"reason": "reason", "carrier": "carrier", "tracking": "tracking", "refund_id": "refundId"}


def _named(named: tuple[str, ...], given: Mapping[str, Any]) -> Iterator[Said]:
    facts = {said: given[name] for name, said in _SAID.items() if given.get(name)}
    for index, type in enumerate(named):
        yield type, facts if index == 0 else {}, None


def _moved(before: Request | None, after: Request) -> Iterator[Said]:
    if before is not None and before.stage.name != after.stage.name:
        yield (
            "RequestStatusChanged",
            {"from": before.stage.status.value, "to": after.stage.status.value, "stage": after.stage.name},
            None,
        )
        if ending := ENDINGS.get(after.stage.name):
            yield ending, {"reason": after.close_reason.value} if after.close_reason else {}, None
    for tag in sorted(after.tags - (before.tags if before else frozenset())):
        yield "TagAdded", {"tag": tag}, None
    for tag in sorted((before.tags if before else frozenset()) - after.tags):
        yield "TagRemoved", {"tag": tag}, None


def _parcels(before: Request | None, after: Request) -> Iterator[Said]:
    known = {parcel.id for parcel in before.shipments} if before else set()
    for parcel in after.shipments:
        if parcel.id not in known and parcel.status is ShipmentStatus.EXPECTED:
            yield "ShipmentExpected", {"leg": parcel.leg.value}, None


def _money(before: Request | None, after: Request) -> Iterator[Said]:
    known = {refund.id for refund in before.refunds} if before else set()
    for refund in after.refunds:
        if refund.id not in known:
            yield "RefundCreated", {"refundId": refund.id, **_amount(refund.amount)}, None
    costs = {cost.id for cost in before.costs} if before else set()
    for cost in after.costs:
        if cost.id not in costs:
            type = "CompensationCreated" if cost.kind.value == "COMPENSATION" else "CostAdded"
            yield (
                type,
                {"kind": cost.kind.value, "payer": cost.payer.title, **(_amount(cost.amount) if cost.amount else {})},
                None,
            )


def _amount(money: Money) -> dict[str, str]:
    return {"amount": str(money.amount), "currency": money.currency}


_CLOCK_EVENT = {
    ClockStatus.MET: "DeadlineMet",
    ClockStatus.EXPIRED: "DeadlineExpired",
    ClockStatus.CANCELED: "DeadlineCanceled",
    ClockStatus.PAUSED: "DeadlinePaused",
}


def _clock_events(before: Request | None, after: Request) -> Iterator[Said]:
    known = {clock.id: clock for clock in before.clocks} if before else {}
    for clock in after.clocks:
        was = known.get(clock.id)
        if was is None:
            yield "DeadlineStarted", clock_facts(clock), clock.id
        elif was.status is not clock.status:
            resumed = clock.status is ClockStatus.RUNNING
            yield "DeadlineResumed" if resumed else _CLOCK_EVENT[clock.status], clock_facts(clock), clock.id


def clock_facts(clock: Clock) -> dict[str, Any]:
    """What a deadline event always says, so that no listener must ask back."""
    return {
        "key": clock.key,
        "owedBy": clock.owed_by.title,
        "dueAt": clock.due_at.isoformat() if clock.due_at else None,
    }


def warn(request: Request, clock: Clock, at: datetime) -> Change:
    """Tell the owner that time is running short. Changes nothing of the request, so its version stays."""
    left = int((clock.due_at - at).total_seconds()) if clock.due_at else 0
    event = Event(
        "DeadlineWarning", "", at, SYSTEM, "warn", request.stage, request.stage,
        data={**clock_facts(clock), "leftSeconds": left}, clock_id=clock.id,
    )  # fmt: skip
    return Change(request, request, "", "warn", SYSTEM, at, (event,))

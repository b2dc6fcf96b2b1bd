"""The decision: facts in, a change out, or every reason why not. Pure; the time is a fact like any other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from .appeal import lost, with_appeal
from .clockwork import opening_clocks, turned
from .freight import who_pays
from .guards import as_expected, in_time, not_frozen, note_short, run_out
from .kind import Kind
from .machines import MACHINES, Machine, mirrored
from .money import Money, shares
from .offers import answered
from .process import Transition, mutation_name
from .refusal import Problem, Refused
from .request import Attempt, Change, Clock, Event, Leg, Refund, Request, Shipment, ShipmentStatus
from .rights import acts_as, may_do
from .stages import AWAITING_BUYER_SHIP, REFUNDING, expired_key
from .stock import freed, with_reservation
from .telling import clock_facts, events
from .vocabulary import SYSTEM, Actor, OfferStatus, Party, ReturnMethod


def decide(attempt: Attempt) -> Change:
    """What comes of an attempt.

    Raises:
        Refused: NOT_ALLOWED, VERSION_CONFLICT, INVALID_STATE, DEADLINE_PASSED, or what the row's guards say.
    """
    row = chosen_row(attempt)
    if problems := tuple(_objections(row, attempt)):
        raise Refused(problems)
    return apply(row, attempt)


def rows_for(attempt: Attempt) -> list[Transition]:
    """The rows of the act where the request stands, and where its dispute and its appeal stand."""
    request, action = attempt.request, attempt.action
    found = list(attempt.kind.process.at(request.stage.name, action))
    for machine in MACHINES.values():
        if case := machine.case(request):
            found += machine.process.at(case.stage.name, action)
    return found


def chosen_row(attempt: Attempt) -> Transition:
    """The row that the act takes.

    Raises:
        Refused: VERSION_CONFLICT before INVALID_STATE, as a stale reader should first hear what it missed.
    """
    if problems := tuple(as_expected(attempt)):
        raise Refused(problems)
    rows = rows_for(attempt)
    theirs = [row for row in rows if acts_as(attempt.actor) in row.by]
    row = next((row for row in theirs or rows if row.when is None or row.when(attempt)), None)
    if row is None:
        raise Refused([not_here(attempt)])
    return row


def through_its_own(mutation: str, attempt: Attempt) -> Iterator[Problem]:
    """An act is done by its own mutation: one kind's yes is not another's, though both are called approve."""
    rows = rows_for(attempt)
    if rows and mutation not in {mutation_name(row.owner, row.action) for row in rows}:
        yield from tuple(as_expected(attempt)) or (not_here(attempt),)


def not_here(attempt: Attempt) -> Problem:
    """The act has no row at this stage. That a clock has run out, or a dispute is open, is the better answer."""
    if not expired_key(attempt.action):
        for better in (*in_time(attempt), *_beside(attempt), *not_frozen(attempt.request)):
            return better
    return Problem(
        "INVALID_STATE", "This cannot be done while the request is at: {stage}.", guard="G_STATE",
        stage=attempt.request.stage.label,
    )  # fmt: skip


def _beside(attempt: Attempt) -> Iterator[Problem]:
    """The act is one of a dispute's or an appeal's: say where that stands."""
    dispute, appeal = attempt.request.dispute, attempt.request.appeal
    yield from lost(attempt)
    if attempt.action.startswith("appeal_") and appeal:
        yield Problem(
            "INVALID_STATE", "This cannot be done while the appeal is at: {stage}.", guard="G_STATE",
            stage=appeal.stage.label,
        )  # fmt: skip
    elif attempt.action.startswith("dispute_") and attempt.action != "dispute_open":
        if dispute is None:
            yield Problem("INVALID_STATE", "There is no dispute about this request.", guard="G_STATE")
        else:
            yield Problem(
                "INVALID_STATE", "This cannot be done while the dispute is at: {stage}.", guard="G_STATE",
                stage=dispute.stage.label,
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
    # any act may come with a note, whether its row thinks of it or not
    for guard in dict.fromkeys((*row.guards, note_short)):
        yield from guard(attempt)


def actions(kind: Kind, request: Request, actor: Actor, at: datetime, beside: str = "") -> tuple[Transition, ...]:
    """What the actor may do now: the rows that are theirs and whose gates stand open.

    Args:
        beside: `dispute` or `appeal`: what may be done in that, rather than to the request itself.
    """
    late = any(clock.is_due(at) for clock in request.clocks)
    found: dict[str, Transition] = {}
    process, stage = kind.process, request.stage
    if beside:
        case = MACHINES[beside].case(request)
        if case is None:
            return ()
        process, stage = MACHINES[beside].process, case.stage
    for row in process.leaving(stage.name):
        theirs = row.personal and acts_as(actor) in row.by and not any(may_do(actor, row.by, row.grant))
        if (late and not row.late) or _too_late(row, request, at):
            continue
        if theirs and not any(problem for gate in row.gates for problem in gate(request)):
            found.setdefault(row.action, row)
    return tuple(found.values())


def _too_late(row: Transition, request: Request, at: datetime) -> bool:
    until = row.until(request) if row.until else None
    return until is not None and at >= until


def apply(row: Transition, attempt: Attempt) -> Change:
    """The change that a row makes of a request, and what follows from it in another table, once nothing objects."""
    before = attempt.request
    after, said = _step(row, attempt)
    if action := row.then(attempt) if row.then else "":
        # one change, one version: the record in between was never to be seen
        follow = replace(attempt, request=after, action=action, step=attempt.step + 1)
        after, more = _step(_following(follow), follow)
        said += more
    after = replace(after, version=before.version + 1, updated_at=attempt.at)
    return Change(before, after, row.rule, attempt.action, attempt.actor, attempt.at, said, attempt.note, attempt.given)


def _following(attempt: Attempt) -> Transition:
    row = next((row for row in rows_for(attempt) if row.when is None or row.when(attempt)), None)
    if row is None:
        raise LookupError(f"{attempt.action} follows at {attempt.request.stage.name}, and no row says how")
    return row


def _step(row: Transition, attempt: Attempt) -> tuple[Request, tuple[Event, ...]]:
    before = attempt.request
    effect = dict(row.effect(attempt)) if row.effect else {}
    after = replace(before, **effect)
    if machine := MACHINES.get(row.table):
        after = _case_step(machine, row, attempt, after)
    else:
        after = _request_step(row, attempt, after)
    after = with_appeal(row, attempt, after)
    for machine in MACHINES.values():
        after = _begun(machine, attempt, after)
    after = mirrored(_evidence_shown(row, attempt, after))
    said = events(
        before, after, row.rule, row.events, attempt.action, attempt.actor, attempt.at,
        "" if attempt.step else attempt.note, attempt.given,
    )  # fmt: skip
    return after, tuple(said)


def _request_step(row: Transition, attempt: Attempt, after: Request) -> Request:
    before = attempt.request
    target = attempt.kinds[after.kind].process.approved if row.converts else row.target
    moved = target is not None and target.name != before.stage.name
    if target is not None:
        after = replace(after, stage=target)
    if after.stage.final and moved:
        after = replace(after, close_reason=row.closes, closed_at=attempt.at)
    if moved and before.offer and before.offer == after.offer:
        after = replace(after, offers=answered(after.offers, OfferStatus.VOID, attempt.at))
    if moved and after.stage.name == AWAITING_BUYER_SHIP.name:
        after = with_parcel(after, attempt)
    if moved and after.stage.name == REFUNDING.name:
        after = with_refund(after, attempt)
    if moved:
        after = freed(with_reservation(after, attempt.kinds.get(after.kind, attempt.kind), attempt))
    return replace(after, clocks=turned(row, attempt, after, after.stage, moved=moved))


def _case_step(machine: Machine, row: Transition, attempt: Attempt, after: Request) -> Request:
    was, case = machine.case(attempt.request), machine.case(after)
    if was is None or case is None:
        raise LookupError(f"{row.rule} is about a {machine.process.name}, and there is none")
    moved = row.target is not None and row.target.name != was.stage.name
    if row.target is not None:
        case = replace(case, stage=row.target)
    after = machine.put(after, case)
    return replace(after, clocks=turned(row, attempt, after, case.stage, moved=moved, subject_id=case.id))


def _begun(machine: Machine, attempt: Attempt, after: Request) -> Request:
    """A dispute or an appeal that is new begins with the clocks of its first stage."""
    was, case = machine.case(attempt.request), machine.case(after)
    if case is None or (was is not None and was.id == case.id):
        return after
    return replace(after, clocks=(*after.clocks, *opening_clocks(attempt, after, case.stage, case.id)))


def _evidence_shown(row: Transition, attempt: Attempt, after: Request) -> Request:
    """What comes with an act belongs to what the act is about: the request, or the dispute or appeal beside it."""
    shown = attempt.given.get("evidence", ()) if not attempt.step else ()
    if not shown:
        return after
    about = MACHINES.get(row.shows or row.table)
    case = about.case(after) if about else None
    known = {item.id for item in (case.evidence if case else after.evidence)}
    fresh = tuple(item for item in shown if item.id not in known)
    if about and case:
        return about.put(after, replace(case, evidence=(*case.evidence, *fresh)))
    return replace(after, evidence=(*after.evidence, *fresh))


def with_parcel(request: Request, attempt: Attempt) -> Request:
    """Entering `awaiting_buyer_ship`, by whoever's yes, a parcel is expected; who pays for its way is section 10."""
    method = request.return_method or ReturnMethod.DROP_OFF
    payer = who_pays(request, attempt.kinds.get(request.kind, attempt.kind), method).return_leg
    parcel = Shipment(attempt.new_id("sp"), Leg.RETURN, ShipmentStatus.EXPECTED, method, payer=payer)
    return replace(request, return_method=method, shipments=(*request.shipments, parcel))


def with_refund(request: Request, attempt: Attempt) -> Request:
    """Entering `refunding` makes the intent to pay, once: its id is the provider's key for ever."""
    amount = request.refund_approved if request.refund_approved is not None else request.payable
    rooms = request.rooms
    parts = _within(shares(amount, [room.amount for room in rooms], request.order.digits), rooms)
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


def warn(request: Request, clock: Clock, at: datetime) -> Change:
    """Tell the owner that time is running short. Changes nothing of the request, so its version stays."""
    left = int((clock.due_at - at).total_seconds()) if clock.due_at else 0
    event = Event(
        "DeadlineWarning", "", at, SYSTEM, "warn", request.stage, request.stage,
        data={**clock_facts(clock), "leftSeconds": left}, clock_id=clock.id,
    )  # fmt: skip
    return Change(request, request, "", "warn", SYSTEM, at, (event,))

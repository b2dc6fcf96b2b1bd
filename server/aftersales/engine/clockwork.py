"""What a change does to the clocks: those of the request itself, or those of one dispute or appeal beside it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from .clocks import remaining, resume
from .process import Transition
from .request import Attempt, Clock, ClockStatus, Request
from .rights import acts_as
from .stages import expired_key
from .terms import Terms
from .vocabulary import Actor, Party, Stage


def turned(
    row: Transition, attempt: Attempt, after: Request, stage: Stage, *, moved: bool, subject_id: str | None = None
) -> tuple[Clock, ...]:
    """The clocks after a row. A stage's clock runs while you are there; what differs, the row says.

    Args:
        stage: where the request, or the case beside it, stands now.
        moved: whether it stood elsewhere before.
        subject_id: the case whose clocks these are; all others are left as they are. None: the request.
    """
    own = stage.clock_for(after.return_method)
    fresh = [own] if own and (moved or row.restarts) else []
    ran_out = _ran_out(attempt, after.clocks)
    clocks, previous_due = [], None
    for clock in after.clocks:
        if not clock.alive or clock.subject_id != subject_id:
            clocks.append(clock)
        elif clock is ran_out:
            clocks.append(_stopped(clock, ClockStatus.EXPIRED))
        elif clock.key in row.pauses:
            clocks.append(paused(clock, attempt.at))
        elif clock.key in row.resumes:
            clocks.append(resumed(clock, attempt.at, row.at_least))
            fresh = [key for key in fresh if key != clock.key]
        elif clock.key in row.keeps or (clock.key == own and moved):
            clocks.append(clock)
            fresh = [key for key in fresh if key != clock.key]
        elif moved or _stops(row, clock, attempt.actor) or (row.restarts and clock.key in _stage_clocks(stage)):
            previous_due = clock.due_at
            clocks.append(_stopped(clock, _how_ended(clock, row, attempt.actor)))
        else:
            clocks.append(clock)
    no_later = previous_due if row.no_later and row.no_later(attempt) else None
    keys = (*fresh, *(key for key in row.starts if not _living(clocks, key, subject_id)))
    return (*clocks, *_started(keys, attempt, after.terms, subject_id, no_later))


def opening_clocks(attempt: Attempt, request: Request, stage: Stage, subject_id: str) -> Iterator[Clock]:
    """The clocks that a dispute or an appeal begins with."""
    return _started(stage.clocks, attempt, request.terms, subject_id, None, first=50)


def _started(
    keys: Iterable[str], attempt: Attempt, terms: Terms, subject_id: str | None, no_later: datetime | None,
    first: int = 0,
) -> Iterator[Clock]:  # fmt: skip
    ordinal = first
    for key in keys:
        for party in _owed_by(attempt, terms[key].owed_by):
            clock = start_clock(
                attempt.new_id("dl", ordinal),
                key,
                party,
                terms,
                attempt.at,
                terms.due(key, attempt.at, attempt.calendar),
            )
            if no_later is not None and clock.due_at is not None and clock.due_at > no_later:
                clock = replace(clock, due_at=no_later)
            yield replace(clock, subject_id=subject_id)
            ordinal += 1


def start_clock(id: str, key: str, owed_by: Party, terms: Terms, at: datetime, due_at: datetime) -> Clock:
    """A clock of the request's own terms, running from an instant."""
    warn_before = tuple(timedelta(seconds=seconds) for seconds in terms[key].warn_before)
    return Clock(id, key, owed_by, at, due_at, warn_before=warn_before)


def _owed_by(attempt: Attempt, parties: str) -> list[Party]:
    """A clock for each party that owes it, the seller's first; for one alone where the act names it."""
    owed = sorted((Party[name] for name in parties.split("|")), key=lambda party: party is not Party.SELLER)
    named = attempt.given.get("party")
    return [named] if len(owed) > 1 and named in owed else owed


def paused(clock: Clock, at: datetime) -> Clock:
    """C5, C9: what is left is kept."""
    if clock.status is not ClockStatus.RUNNING or clock.due_at is None:
        return clock
    return replace(clock, status=ClockStatus.PAUSED, due_at=None, remaining=remaining(clock.due_at, at))


def resumed(clock: Clock, at: datetime, at_least: timedelta) -> Clock:
    """C6, C14: it goes on with what it kept, and at least so much."""
    if clock.status is not ClockStatus.PAUSED or clock.remaining is None:
        return clock
    due_at = resume(clock.remaining, at, at_least)
    return replace(clock, status=ClockStatus.RUNNING, due_at=due_at, remaining=None)


def _ran_out(attempt: Attempt, clocks: Iterable[Clock]) -> Clock | None:
    key = expired_key(attempt.action)
    if key is None:
        return None
    named = (clock for clock in clocks if clock.key == key and clock.is_due(attempt.at))
    return next((clock for clock in named if attempt.clock_id in (None, clock.id)), None)


def _stops(row: Transition, clock: Clock, actor: Actor) -> bool:
    return clock.key in row.stops and (not row.own or acts_as(actor) is clock.owed_by)


def _living(clocks: Iterable[Clock], key: str, subject_id: str | None) -> bool:
    return any(clock.key == key and clock.alive and clock.subject_id == subject_id for clock in clocks)


def _stage_clocks(stage: Stage) -> tuple[str, ...]:
    # a scheduled pick-up runs beside the keys of its stage and ends with them
    return (*stage.clocks, "ship_back.pickup")


def _stopped(clock: Clock, status: ClockStatus) -> Clock:
    return replace(clock, status=status, remaining=None)


def _how_ended(clock: Clock, row: Transition, actor: Actor) -> ClockStatus:
    """Met if whoever owed it acted, or a scan shows that they did; else it was taken from them, or starts anew."""
    acted = acts_as(actor) is clock.owed_by or actor.party is Party.CARRIER
    return ClockStatus.MET if acted and not row.unmet and not row.restarts else ClockStatus.CANCELED

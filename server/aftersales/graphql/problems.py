"""Refusals as the contract says them: an interface, typed members, all at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import strawberry

from ..engine import refusal
from ..engine import request as engine
from ..engine.machines import MACHINES
from ..engine.refusal import ProblemType
from . import cases, orders, types
from .context import Context
from .events import RequestEvent, missed
from .labels import Stage, stage


@strawberry.interface(description="One thing that is wrong, and what to do next.")
class Problem:
    code: str = strawberry.field(description="Stable, SCREAMING_SNAKE; safe to switch on. Listed in docs/problems.md.")
    message: str = strawberry.field(description="Localized, safe to show, says what to do next.")
    path: list[str] = strawberry.field(description="Path into `input`; empty when it is about the whole call.")
    retryable: bool = strawberry.field(
        description="Whether the same wish may still come true: try again, after reading what changed."
    )


@strawberry.type(description="A value has the wrong form or does not fit.")
class InvalidInput(Problem):
    pass


@strawberry.type(description="There is no such record, or none for you.")
class NotFound(Problem):
    pass


@strawberry.type(description="You may see it and not do it.")
class NotAllowed(Problem):
    permission: str = strawberry.field(description="The grant that is needed; `party` if another party must do it.")


@strawberry.type(description="It cannot be asked for this way, or no longer.")
class NotEligible(Problem):
    rule: str = strawberry.field(description="The guard that said no, as the rulebook names it.")
    eligible_until: datetime | None = strawberry.field(
        description="When the time for it ended, where it was a matter of time."
    )


@strawberry.type(description="It cannot be done where the request stands.")
class IllegalTransition(Problem):
    stage: Stage = strawberry.field(description="Where it stands.")
    allowed: list[types.AvailableAction] = strawberry.field(description="What you may do instead.")


@strawberry.type(description="The record changed since you read it.")
class StaleVersion(Problem):
    expected: int = strawberry.field(description="The version you saw.")
    current: int = strawberry.field(description="The version it has.")
    missed: list[RequestEvent] = strawberry.field(description="What happened in between, oldest first.")


@strawberry.type(description="A clock has run out, and time acts next.")
class DeadlinePassed(Problem):
    deadline: types.Deadline = strawberry.field(description="The clock that ran out.")


@strawberry.type(description="Not more than nothing, or more than may be granted.")
class AmountExceeded(Problem):
    maximum: orders.Money = strawberry.field(description="The most that may be granted.")


@strawberry.type(description="The idempotency key stands for another input.")
class KeyReused(Problem):
    first_used_at: datetime = strawberry.field(description="When it was.")


MEMBERS = (
    InvalidInput, NotFound, NotAllowed, NotEligible, IllegalTransition, StaleVersion, DeadlinePassed, AmountExceeded,
    KeyReused,
)  # fmt: skip


async def told(
    context: Context, problems: Iterable[refusal.Problem], about: engine.Request | None, machine: str = ""
) -> list[Problem]:
    """The engine's problems in the contract's types.

    Args:
        about: the record that was refused, where there is one the caller may see.
        machine: `appeal` where the act was about that rather than the request.
    """
    given = tuple(problems)
    context.house.watch.refused(problem.code for problem in given)
    return [await _told(context, problem, about, machine) for problem in given]


async def _told(context: Context, problem: refusal.Problem, about: engine.Request | None, machine: str) -> Problem:
    base = {
        "code": problem.code,
        "message": problem.text(context.words),
        "path": problem.field.split(".") if problem.field else [],
        "retryable": problem.retryable,
    }
    if problem.type in NEEDS_RECORD and about is None:
        return InvalidInput(**base)  # type: ignore[arg-type]
    if machine and about and problem.type is ProblemType.ILLEGAL_TRANSITION:
        case = MACHINES[machine].case(about)
        stands = stage(context, case.stage if case else about.stage)
        return IllegalTransition(**base, stage=stands, allowed=cases.beside(context, about, machine))  # type: ignore[arg-type]
    return await TELLERS[problem.type](context, problem, base, about)  # type: ignore[arg-type]


Base = dict[str, object]
Teller = Callable[[Context, refusal.Problem, Base, engine.Request], Awaitable[Problem]]


async def _invalid(context: Context, problem: refusal.Problem, base: Base, about: engine.Request) -> Problem:
    return InvalidInput(**base)  # type: ignore[arg-type]


async def _not_found(context: Context, problem: refusal.Problem, base: Base, about: engine.Request) -> Problem:
    return NotFound(**base)  # type: ignore[arg-type]


async def _not_allowed(context: Context, problem: refusal.Problem, base: Base, about: engine.Request) -> Problem:
    return NotAllowed(**base, permission=problem.facts.get("permission", ""))  # type: ignore[arg-type]


async def _not_eligible(context: Context, problem: refusal.Problem, base: Base, about: engine.Request) -> Problem:
    return NotEligible(**base, rule=problem.guard, eligible_until=problem.facts.get("ended"))  # type: ignore[arg-type]


async def _illegal(context: Context, problem: refusal.Problem, base: Base, about: engine.Request) -> Problem:
    allowed = types.available_actions(context, about)
    return IllegalTransition(**base, stage=stage(context, about.stage), allowed=allowed)  # type: ignore[arg-type]


async def _stale(context: Context, problem: refusal.Problem, base: Base, about: engine.Request) -> Problem:
    expected = problem.facts["expected"]
    seen = await missed(context, about, expected)
    return StaleVersion(**base, expected=expected, current=about.version, missed=seen)  # type: ignore[arg-type]


async def _late(context: Context, problem: refusal.Problem, base: Base, about: engine.Request) -> Problem:
    clock = types.deadline(types.request(context, about), problem.facts["clock"])
    return DeadlinePassed(**base, deadline=clock)  # type: ignore[arg-type]


async def _too_much(context: Context, problem: refusal.Problem, base: Base, about: engine.Request) -> Problem:
    return AmountExceeded(**base, maximum=orders.sure(problem.facts["maximum"]))  # type: ignore[arg-type]


async def _reused(context: Context, problem: refusal.Problem, base: Base, about: engine.Request) -> Problem:
    return KeyReused(**base, first_used_at=problem.facts["first_used_at"])  # type: ignore[arg-type]


NEEDS_RECORD = {ProblemType.ILLEGAL_TRANSITION, ProblemType.STALE_VERSION, ProblemType.DEADLINE_PASSED}
TELLERS: dict[ProblemType, Teller] = {
    ProblemType.INVALID_INPUT: _invalid,
    ProblemType.NOT_FOUND: _not_found,
    ProblemType.NOT_ALLOWED: _not_allowed,
    ProblemType.NOT_ELIGIBLE: _not_eligible,
    ProblemType.ILLEGAL_TRANSITION: _illegal,
    ProblemType.STALE_VERSION: _stale,
    ProblemType.DEADLINE_PASSED: _late,
    ProblemType.AMOUNT_EXCEEDED: _too_much,
    ProblemType.KEY_REUSED: _reused,
}

"""Refusals as the contract says them: an interface, typed members, all at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import strawberry

from ..engine import refusal
from ..engine import request as engine
from ..engine.refusal import ProblemType
from . import types
from .context import Context
from .events import RequestEvent, missed
from .labels import Stage, stage


@strawberry.interface(description="One thing that is wrong, and what to do next.")
class Problem:
    code: str = strawberry.field(description="Stable, SCREAMING_SNAKE; safe to switch on. Listed in docs/problems.md.")
    message: str = strawberry.field(description="Localized, safe to show, says what to do next.")
    path: list[str] = strawberry.field(description="Path into `input`; empty when it is about the whole call.")
    retryable: bool


@strawberry.type
class InvalidInput(Problem):
    pass


@strawberry.type
class NotFound(Problem):
    pass


@strawberry.type
class NotAllowed(Problem):
    permission: str


@strawberry.type
class NotEligible(Problem):
    rule: str = strawberry.field(description="The guard that said no, as the rulebook names it.")
    eligible_until: datetime | None


@strawberry.type
class IllegalTransition(Problem):
    stage: Stage
    allowed: list[types.AvailableAction]


@strawberry.type
class StaleVersion(Problem):
    expected: int
    current: int
    missed: list[RequestEvent]


@strawberry.type
class DeadlinePassed(Problem):
    deadline: types.Deadline


@strawberry.type
class AmountExceeded(Problem):
    maximum: types.Money


@strawberry.type
class KeyReused(Problem):
    first_used_at: datetime


MEMBERS = (
    InvalidInput, NotFound, NotAllowed, NotEligible, IllegalTransition, StaleVersion, DeadlinePassed, AmountExceeded,
    KeyReused,
)  # fmt: skip


async def told(context: Context, problems: Iterable[refusal.Problem], about: engine.Request | None) -> list[Problem]:
    """The engine's problems in the contract's types.

    Args:
        about: the record that was refused, where there is one the caller may see.
    """
    return [await _told(context, problem, about) for problem in problems]


async def _told(context: Context, problem: refusal.Problem, about: engine.Request | None) -> Problem:
    base = {
        "code": problem.code,
        "message": problem.text(context.words),
        "path": problem.field.split(".") if problem.field else [],
        "retryable": problem.retryable,
    }
    if problem.type in NEEDS_RECORD and about is None:
        return InvalidInput(**base)  # type: ignore[arg-type]
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
    return AmountExceeded(**base, maximum=types.sure(problem.facts["maximum"]))  # type: ignore[arg-type]


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

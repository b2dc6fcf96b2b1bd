"""What would come of it: a decision made and thrown away, so that nobody acts in the dark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import strawberry

from ..desk import Asked
from ..engine.decide import decide
from ..engine.knowing import as_known
from ..engine.opening import open_request
from ..engine.refusal import Problem as EngineProblem
from ..engine.refusal import Refused
from ..engine.request import Change, Request
from ..engine.vocabulary import ReturnMethod
from . import labels, types
from .context import Context, Info
from .doors import visible
from .enums import PartyName
from .inputs import ClaimLineInput, MoneyInput, WantedInput, claim_lines, money_given, unfit, wanted
from .labels import Stage
from .paging import invalid
from .problems import Problem, told


@strawberry.type(description="A clock that would start.")
class PreviewDeadline:
    handle: str = strawberry.field(description="The policy's key.")
    owed_by: PartyName = strawberry.field(description="Who would have to act.")
    due_at: datetime = strawberry.field(description="When it would run out, if it started now.")


@strawberry.type(
    description="What would follow: the money, the stages, the clocks that would start; or what speaks against it."
)
class Preview:
    money: types.RequestMoney | None = strawberry.field(description="As it would be; null if there are problems.")
    stages: list[Stage] = strawberry.field(description="Those it would pass, the last being where it would stand.")
    deadlines: list[PreviewDeadline] = strawberry.field(description="Clocks that would start.")
    problems: list[Problem] = strawberry.field(description="All that speaks against it.")


@strawberry.input(description="A claim that is not made yet.")
class RequestOpenPreviewInput:
    kind: str = strawberry.field(description="The handle of an installed kind.")
    order_id: strawberry.ID = strawberry.field(description="What it is about.")
    lines: list[ClaimLineInput] = strawberry.field(description="What would be claimed.")
    reason: str = strawberry.field(description="The handle of one of `eligibility.reasons`.")
    note: str | None = strawberry.field(default=None, description="A word with it, at most 500 characters.")
    evidence_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Files of yours, linked or uploaded."
    )
    return_method: ReturnMethod | None = strawberry.field(
        default=None, description="How the goods would come back, where they would."
    )
    wanted: list[WantedInput] | None = strawberry.field(
        default=None, description="Of an exchange, the variations that would be sent."
    )


@strawberry.input(description="An act that is not done yet, by the handle of one of `availableActions`.")
class RequestActPreviewInput:
    request_id: strawberry.ID = strawberry.field(description="Of the request.")
    action: str = strawberry.field(description="The handle of one of `availableActions`.")
    amount: MoneyInput | None = strawberry.field(default=None, description="Left out: all that may be granted.")
    reason: str | None = strawberry.field(default=None, description="The handle of one of `availableActions.reasons`.")
    note: str | None = strawberry.field(default=None, description="A word with it, at most 500 characters.")
    evidence_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Files of yours, linked or uploaded."
    )


@strawberry.type
class PreviewQueries:
    @strawberry.field(description="What opening such a request would bring. Nothing is written.")
    async def request_open_preview(self, info: Info, input: RequestOpenPreviewInput) -> Preview:
        context = info.context
        if input.kind not in context.desk.registry.kinds:
            raise invalid(
                f"There is no kind {input.kind[:50]}. There are: {', '.join(context.desk.registry.kinds)}.", "kind"
            )
        asked = Asked(
            str(input.order_id), claim_lines(input), input.reason, input.note or "",
            tuple(str(id) for id in input.evidence_ids), input.return_method,
            wanted(input.wanted) if input.wanted is not None else {},
        )  # fmt: skip
        try:
            _fit(input)
            opening = await context.desk.opening(input.kind, context.actor, asked)
            return preview(context, open_request(opening))
        except Refused as refused:
            return await refusal(context, refused.problems, None)

    @strawberry.field(description="What an act would bring. Nothing is written.")
    async def request_act_preview(self, info: Info, input: RequestActPreviewInput) -> Preview:
        context = info.context
        current = await visible(context, str(input.request_id))
        try:
            _fit(input)
            seen = await context.desk.seen(str(input.request_id), context.actor)
            given: dict[str, object] = {"amount": money_given(input.amount), "reason": input.reason}
            if input.evidence_ids:
                ids = [str(id) for id in input.evidence_ids]
                given["evidence"] = await context.desk.evidence(ids, context.actor)
            facts = {name: value for name, value in given.items() if value is not None}
            attempt = context.desk.attempt(
                as_known(seen, context.actor), input.action, context.actor, context.now, input.note or "", None, facts
            )
            return preview(context, decide(attempt))
        except Refused as refused:
            return await refusal(context, refused.problems, current)


def _fit(input: object) -> None:
    if problems := tuple(unfit(input)):
        raise Refused(problems)


def preview(context: Context, change: Change) -> Preview:
    """The stages that are passed, and the clocks that would start."""
    after = change.request
    known = {clock.id for clock in change.before.clocks} if change.before else set()
    return Preview(
        money=types.request_money(context, after),
        stages=[labels.stage(context, stage.stage) for stage in _passed(change)],
        deadlines=[
            PreviewDeadline(handle=clock.key, owed_by=PartyName[clock.owed_by.title], due_at=clock.due_at)
            for clock in after.clocks
            if clock.id not in known and clock.due_at
        ],
        problems=[],
    )


def _passed(change: Change) -> list[Request]:
    if change.before is None or change.before.stage.name == change.request.stage.name:
        return [change.request]
    return [change.before, change.request]


async def refusal(context: Context, problems: Iterable[EngineProblem], current: Request | None) -> Preview:
    return Preview(money=None, stages=[], deadlines=[], problems=await told(context, problems, current))

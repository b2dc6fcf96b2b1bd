"""The doors: typed arguments in, the path once, one payload out. Plugins come in through these too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import strawberry

from ..desk import Asked, Done
from ..engine.refusal import Refused
from ..engine.request import Request
from ..engine.rights import may_see
from ..store.keys import Key
from . import types
from .cases import Appeal, appeal
from .context import Context, Info
from .inputs import AppealInput, DecisionInput, MutationInput, OpenInput, claim_lines, fingerprint, given, unfit, wanted
from .keys import key_of
from .problems import Problem, told


@strawberry.type(
    description="A refused change changes nothing: `request` is the current record and `problems` says all "
    "that is wrong."
)
class RequestPayload:
    request: types.Request | None = strawberry.field(
        description="The record after the act, or as it is if that was refused; null where there is none for you."
    )
    problems: list[Problem] = strawberry.field(description="All that is wrong; empty when it was done.")
    replayed: bool = strawberry.field(description="True when this answer was given before for the same key.")


async def open_request(
    info: Info, kind: str, input: OpenInput, details: Mapping[str, Any] | None = None
) -> RequestPayload:
    """Make a request of this kind from what its door took.

    Args:
        details: what only this kind asks, as JSON values; kept with the request.
    """
    context = info.context
    return await payload(
        context,
        input,
        None,
        lambda key: context.desk.open(kind, context.actor, asked(input, details), key),
        info.field_name,
    )


async def act(info: Info, action: str, input: DecisionInput) -> RequestPayload:
    """Do something to an existing request. What the input has beyond DecisionInput is what the act brings."""
    context = info.context
    evidence = tuple(str(id) for id in getattr(input, "evidence_ids", ()))
    return await payload(
        context, input, str(input.request_id),
        lambda key: context.desk.act(
            str(input.request_id), action, context.actor, note=input.note or "", expected=input.expected_version,
            given=given(input), evidence_ids=evidence, key=key, mutation=info.field_name,
        ),
        info.field_name,
    )  # fmt: skip


@strawberry.type(description="As `RequestPayload`, about an appeal.")
class AppealPayload:
    appeal: Appeal | None = strawberry.field(
        description="The appeal after the act, or as it is if that was refused; null where there is none for you."
    )
    problems: list[Problem] = strawberry.field(description="All that is wrong; empty when it was done.")
    replayed: bool = strawberry.field(description="True when this answer was given before for the same key.")


async def act_on_appeal(info: Info, action: str, input: AppealInput) -> AppealPayload:
    """Do something to an appeal. What the input has beyond AppealInput is what the act brings."""
    context, appeal_id = info.context, str(input.appeal_id)
    request_id = request_of(appeal_id)
    evidence = tuple(str(id) for id in getattr(input, "evidence_ids", ()))
    try:
        if problems := tuple(unfit(input)):
            raise Refused(problems)
        done = await context.desk.act(
            request_id, action, context.actor, note=input.note or "", expected=input.expected_version,
            given=given(input), evidence_ids=evidence, key=key_of(info, input), appeal_id=appeal_id,
        )  # fmt: skip
    except Refused as refused:
        context.forget()
        current = await visible(context, request_id)
        shown = appeal(types.request(context, current)) if current else None
        about = current if shown and str(shown.id) == appeal_id else None
        problems_told = await told(context, refused.problems, about, "appeal")
        return AppealPayload(appeal=shown if about else None, problems=problems_told, replayed=False)
    context.forget()
    after = appeal(types.request(context, done.request))
    return AppealPayload(appeal=after, problems=[], replayed=done.replayed)


def request_of(child_id: str) -> str:
    """A child's id carries its request's: `ap_<request>_<version>_<n>`."""
    return f"rq_{child_id.split('_')[1]}" if child_id.count("_") else child_id


async def payload(
    context: Context, input: MutationInput, about: str | None, perform: Callable[[Key], Awaitable[Done]], mutation: str
) -> RequestPayload:
    """One way out for every mutation about a request: the record after it, or every problem and the record as it is."""
    actor = context.actor
    key = Key(f"{actor.party.title}:{actor.id}:{mutation}", input.idempotency_key, fingerprint(input))
    try:
        if problems := tuple(unfit(input)):
            raise Refused(problems)
        done = await perform(key)
    except Refused as refused:
        return await _refused(context, refused, about)
    context.forget()
    return RequestPayload(request=types.request(context, done.request), problems=[], replayed=done.replayed)


async def _refused(context: Context, refused: Refused, about: str | None) -> RequestPayload:
    context.forget()
    current = await visible(context, about) if about else None
    problems = await told(context, refused.problems, current)
    return RequestPayload(
        request=types.request(context, current) if current else None, problems=problems, replayed=False
    )


async def visible(context: Context, request_id: str) -> Request | None:
    actor = context.actor  # first: strangers are told the same of what is not there
    found = await context.desk.ledger.request(request_id)
    if found and may_see(actor, found.order.shop.id, found.order.buyer_id):
        return found
    return None


def asked(input: OpenInput, details: Mapping[str, Any] | None = None) -> Asked:
    return Asked(
        order_id=str(input.order_id),
        lines=claim_lines(input),
        reason=input.reason,
        note=input.note or "",
        evidence_ids=tuple(str(id) for id in input.evidence_ids),
        return_method=getattr(input, "return_method", None),
        details=details or {},
    )


def asked_anew(input: Any) -> Asked:
    """The claim of an edit or a resubmission; the order is the old request's."""
    return Asked(
        order_id="",
        lines=claim_lines(input),
        reason=input.reason,
        note=input.note or "",
        evidence_ids=tuple(str(id) for id in input.evidence_ids),
        return_method=input.return_method,
        details=wanted(input.wanted) if input.wanted is not None else {},
    )

"""What stands beside a request: offers, disputes about its rejection, and the appeal against its refund."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from ..engine import cases as engine
from ..engine import request as records
from ..engine.appeal import GROUNDS, REASONS_TO_APPEAL, compensation_max, compensation_within_max, reason_fits
from ..engine.decide import actions
from ..engine.knowing import as_known
from ..engine.process import Transition, mutation_name
from ..engine.rights import sees_seller_side
from ..engine.vocabulary import OfferKind, OfferStatus, Party
from ..store.files import StoredEvidence
from . import labels, types
from .context import Context
from .directives import PAGE, Cost
from .enums import AppealStatus, DeadlineStatus, DisputeStatus
from .labels import Reason
from .orders import Money, Node, money, sure
from .paging import PageInfo, checked_first
from .scalars import Cursor
from .types import AvailableAction, Deadline, EvidenceConnection

if TYPE_CHECKING:
    from .events import RequestEventConnection


@strawberry.type(description="What the seller proposes instead of what was asked. One for each request.")
class Offer:
    id: strawberry.ID = strawberry.field(description="Of the offer.")
    kind: OfferKind = strawberry.field(description="Money, or goods: then the request would go on as another kind.")
    amount: Money | None = strawberry.field(description="Of a refund; null where goods are offered.")
    note: str | None = strawberry.field(description="What the seller said with it.")
    status: OfferStatus = strawberry.field(description="Whether it waits, and how it ended.")
    due_at: datetime | None = strawberry.field(description="When it lapses; null for one that needed no answer.")
    made_at: datetime = strawberry.field(description="When it was made.")
    answered_at: datetime | None = strawberry.field(description="When it was answered or lapsed.")


@strawberry.type(description="A rejection that the buyer has taken to the platform, before any money moves.")
class Dispute(Node):
    of: strawberry.Private[engine.Dispute]
    parent: strawberry.Private[types.Request]
    request: types.Request = strawberry.field(description="What it is about.")
    round: int = strawberry.field(description="1 or 2; after that the rejection stands.")
    status: DisputeStatus = strawberry.field(description="How far it has come.")
    claim: str = strawberry.field(description="What the buyer says against the rejection.")
    decision_note: str | None = strawberry.field(description="Why it was decided so.")
    escalated: bool = strawberry.field(description="The platform has not decided in time.")
    opened_at: datetime = strawberry.field(description="When it was opened.")
    decided_at: datetime | None = strawberry.field(description="When it ended; null before.")

    @strawberry.field(description="Its running and paused clocks, nearest first: one for each side that owes evidence.")
    def deadlines(
        self,
        statuses: list[DeadlineStatus] = [records.ClockStatus.RUNNING, records.ClockStatus.PAUSED],  # noqa: B006
    ) -> list[Deadline]:
        return types.clocks_of(self.parent, self.of.id, statuses)

    @strawberry.field(description="What was shown in it: one's own side; to the platform both.", directives=[PAGE])
    async def evidence(self, first: int = 20, after: Cursor | None = None) -> EvidenceConnection:
        context = self.parent.context
        stored = await context.loaders.evidence_of.load(self.parent.of.id)
        mine = [item for item in stored if item.case_id == self.of.id and shown_to(context, item)]
        return types.evidence_page(context, mine, first, after)

    @strawberry.field(description="What this caller may do in it now; only the latest dispute can be acted in.")
    def available_actions(self) -> list[AvailableAction]:
        latest = self.parent.of.dispute
        if latest is None or latest.id != self.of.id:
            return []
        return beside(self.parent.context, self.parent.of, "dispute")


@strawberry.type(description="A seller's claim against a refund that others granted. The buyer's refund stays.")
class Appeal(Node):
    of: strawberry.Private[engine.Appeal]
    request: types.Request = strawberry.field(description="Whose refund it is about.")
    status: AppealStatus = strawberry.field(description="How far it has come.")
    statement: str | None = strawberry.field(description="What the seller says, in words.")
    evidence_rounds: int = strawberry.field(description="How often the platform has asked for more.")
    compensation: Money | None = strawberry.field(description="What the platform pays to the seller; null before.")
    decision_note: str | None = strawberry.field(description="Why it was decided so.")
    escalated: bool = strawberry.field(description="The platform has not decided in time.")
    version: int = strawberry.field(
        description="Grows by one with every change of the appeal or its request; send it back as expectedVersion."
    )
    opened_at: datetime = strawberry.field(description="When it became possible.")
    filed_at: datetime | None = strawberry.field(description="When the seller filed it; null before.")
    decided_at: datetime | None = strawberry.field(description="When it was decided; null before.")

    @strawberry.field(description="Why an appeal is possible at all.")
    def ground(self) -> Reason:
        return labels.ground(self.request.context, self.of.ground)

    @strawberry.field(description="What the seller says is wrong; null until it is filed.")
    def reason(self) -> Reason | None:
        known = REASONS_TO_APPEAL.get(self.of.reason or "")
        return labels.appeal_reason(self.request.context, known) if known else None

    @strawberry.field(
        description="What must be shown: of the reason that was given or, before, of each that may be. `A or B` is one "
        "of the two."
    )
    def required_evidence(self) -> list[str]:
        codes = (self.of.reason,) if self.of.reason else GROUNDS[self.of.ground].reasons
        return needed_for(codes)

    @strawberry.field(description="What the seller has shown for it.", directives=[PAGE])
    async def evidence(self, first: int = 20, after: Cursor | None = None) -> EvidenceConnection:
        context = self.request.context
        stored = await context.loaders.evidence_of.load(self.request.of.id)
        return types.evidence_page(context, [item for item in stored if item.case_id == self.of.id], first, after)

    @strawberry.field(description="Its running and paused clocks, nearest first.")
    def deadlines(
        self,
        statuses: list[DeadlineStatus] = [records.ClockStatus.RUNNING, records.ClockStatus.PAUSED],  # noqa: B006
    ) -> list[Deadline]:
        return types.clocks_of(self.request, self.of.id, statuses)

    @strawberry.field(description="The running clock that comes first: who owes what until when.")
    def next_deadline(self) -> Deadline | None:
        running = types.clocks_of(self.request, self.of.id, [records.ClockStatus.RUNNING])
        return running[0] if running else None

    @strawberry.field(description="What this caller may do in it now.")
    def available_actions(self) -> list[AvailableAction]:
        return beside(self.request.context, self.request.of, "appeal")

    @strawberry.field(description="What happened to it, newest first.", directives=[PAGE])
    async def history(
        self, first: int = 20, after: Cursor | None = None
    ) -> Annotated[RequestEventConnection, strawberry.lazy(".events")]:
        from .events import before_sequence, connection

        key = (checked_first(first), before_sequence(after))
        found = await self.request.context.loaders.of_appeals(*key).load(self.request.of.id)
        page = connection(self.request.context, self.request.of.kind, found, key[0], after)
        return page


@strawberry.type(description="An appeal and its place in the list.")
class AppealEdge:
    cursor: Cursor = strawberry.field(description="Its place: give it as `after` to go on behind it.")
    node: Appeal = strawberry.field(description="The appeal.")


def offer(of: engine.Offer) -> Offer:
    return Offer(
        id=strawberry.ID(of.id), kind=of.kind, amount=money(of.amount), note=of.note or None, status=of.status,
        due_at=of.due_at, made_at=of.made_at, answered_at=of.answered_at,
    )  # fmt: skip


def dispute(request: types.Request, of: engine.Dispute) -> Dispute:
    return Dispute(
        of=of, parent=request, id=strawberry.ID(of.id), request=request, round=of.round,
        status=DisputeStatus[of.stage.name], claim=of.claim, decision_note=of.decision_note, escalated=of.escalated,
        opened_at=of.opened_at, decided_at=of.decided_at,
    )  # fmt: skip


def appeal(request: types.Request) -> Appeal | None:
    """The request's appeal, if there is one and the caller may know of it."""
    of = request.of.appeal
    if of is None or not sees_seller_side(request.context.actor):
        return None
    return Appeal(
        of=of, id=strawberry.ID(of.id), request=request, status=AppealStatus[of.stage.name],
        statement=of.statement or None, evidence_rounds=of.evidence_rounds, compensation=money(of.compensation),
        decision_note=of.decision_note, escalated=of.escalated, version=request.of.version, opened_at=of.opened_at,
        filed_at=of.filed_at, decided_at=of.decided_at,
    )  # fmt: skip


def shown_to(context: Context, item: StoredEvidence) -> bool:
    """Each side of a dispute sees its own evidence; whoever judges sees both."""
    buyers = item.evidence.by is Party.BUYER
    return context.actor.party in (Party.PLATFORM, Party.SYSTEM) or buyers is not sees_seller_side(context.actor)


def beside(context: Context, of: records.Request, machine: str) -> list[AvailableAction]:
    """What may be done in the latest dispute, or in the appeal."""
    kind = context.desk.registry.kinds.get(of.kind)
    if kind is None:
        return []
    known = as_known(of, context.actor)
    return [_action(context, known, row) for row in actions(kind, known, context.actor, context.now, machine)]


def _action(context: Context, of: records.Request, row: Transition) -> AvailableAction:
    codes: Sequence[str] = GROUNDS[of.appeal.ground].reasons if of.appeal and reason_fits in row.guards else ()
    clocks = [clock.due_at for clock in of.clocks if clock.status is records.ClockStatus.RUNNING and clock.due_at]
    return AvailableAction(
        handle=row.action,
        label=context.words(row.label),
        mutation=mutation_name(row.owner, row.action),
        until=min(clocks, default=None),
        maximum_amount=sure(compensation_max(of)) if compensation_within_max in row.guards else None,
        reasons=[labels.appeal_reason(context, REASONS_TO_APPEAL[code]) for code in codes],
        required_evidence=needed_for(codes),
    )


def needed_for(codes: Sequence[str | None]) -> list[str]:
    """Each set of which one must be shown, as words: `AWB`, `PHOTO or VIDEO`."""
    sets = [needed for code in codes if code for needed in REASONS_TO_APPEAL[code].needs]
    return list(dict.fromkeys(" or ".join(sorted(kind.value for kind in needed)) for needed in sets))


@strawberry.type(description="A page of appeals, what is due next first.")
class AppealConnection:
    shops: strawberry.Private[frozenset[str] | None]
    statuses: strawberry.Private[frozenset[str] | None]
    context: strawberry.Private[Context]
    edges: list[AppealEdge] = strawberry.field(description="With the cursor of each.")
    nodes: list[Appeal] = strawberry.field(description="Without the cursors.")
    page_info: PageInfo = strawberry.field(description="Whether there is more, and from where.")
    stream_cursor: Cursor = strawberry.field(
        description="Subscribe with this as `after`, and there is no gap between page and stream."
    )

    @strawberry.field(description="Priced: ask only when shown.", directives=[Cost(weight=10)])
    async def total_count(self) -> int | None:
        return await self.context.house.appeals.total(self.shops, self.statuses)

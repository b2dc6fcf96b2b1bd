"""A request and what hangs below it, read from the engine's own records. Leaves are attributes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from inspect import signature
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from ..engine import request as engine
from ..engine import vocabulary
from ..engine.decide import actions
from ..engine.filter import urgency
from ..engine.guards import RejectReasonFits, amount_within_max, reject_codes_for
from ..engine.knowing import as_known
from ..engine.machines import MACHINES
from ..engine.money import Money as EngineMoney
from ..engine.money_parts import parts
from ..engine.process import Transition, mutation_name
from ..engine.reasons import RejectCode
from ..engine.rights import knows_clock, sees_buyer, sees_seller_side
from ..engine.stages import expiry
from ..engine.vocabulary import SYSTEM
from ..marketplace.statuses import FORMAT, external
from ..store.files import StoredEvidence
from . import labels
from .context import Context
from .directives import PAGE
from .enums import (
    DeadlineStatus,
    DeadlineUrgency,
    EvidenceStatus,
    MoneyPartKind,
    PartyName,
    RequestStatus,
    ShipmentLeg,
    party,
)
from .labels import Reason, RequestKind, Stage, Tag
from .orders import Buyer, Money, Node, Order, OrderLine, Shop, money, order, order_line, shop, sure
from .paging import PageInfo, sliced
from .scalars import URL, Cursor

if TYPE_CHECKING:
    # made of requests, and read by strawberry when the schema is built
    from .cases import Appeal, Dispute, Offer
    from .events import RequestEventConnection


@strawberry.type(description="Units of one order line that are claimed.")
class RequestLine:
    id: strawberry.ID = strawberry.field(description="Of the claim on this line.")
    order_line: OrderLine = strawberry.field(description="What was bought.")
    quantity: int = strawberry.field(description="Units claimed.")
    refund_max: Money = strawberry.field(
        description="What these units can bring at most; frozen when the request is made."
    )
    refund_approved: Money | None = strawberry.field(description="Their share of what was granted; null before.")


@strawberry.type(description="An amount of the whole, and who carries it.")
class MoneyPart:
    kind: MoneyPartKind = strawberry.field(description="What it is for.")
    amount: Money = strawberry.field(description="The parts of the refund sum to it; costs stand beside it.")
    born_by: PartyName = strawberry.field(description="Who carries it in the end.")


@strawberry.type(description="What may be refunded, what was granted and what was paid.")
class RequestMoney:
    of: strawberry.Private[engine.Request]
    context: strawberry.Private[Context]
    maximum: Money = strawberry.field(description="Frozen when the request is made: never more than this.")
    approved: Money | None = strawberry.field(description="What was granted; null before a yes.")
    paid: Money = strawberry.field(description="What the payment provider has confirmed.")

    @strawberry.field(description="Who carries which part.")
    def parts(self) -> list[MoneyPart]:
        return [
            MoneyPart(kind=MoneyPartKind[part.kind], amount=sure(part.amount), born_by=PartyName[part.payer.title])
            for part in parts(self.of)
            if part.kind != "COMPENSATION" or sees_seller_side(self.context.actor)
        ]


@strawberry.type(description="One parcel of a request, on one leg of its journeys.")
class Shipment:
    id: strawberry.ID = strawberry.field(description="Of the parcel.")
    leg: ShipmentLeg = strawberry.field(description="Which way it goes.")
    method: vocabulary.ReturnMethod | None = strawberry.field(description="How it comes back; null on the other legs.")
    status: str = strawberry.field(
        description="EXPECTED, BOOKED, PICKUP_FAILED, HANDED_OVER, IN_TRANSIT, DELIVERED, FAILED, REFUSED, LOST or "
        "DESTROYED."
    )
    carrier: str | None = strawberry.field(description="Who carries it, once that is known.")
    tracking_number: str | None = strawberry.field(description="The carrier's number for it.")
    attempts: int = strawberry.field(description="Pick-ups that failed.")
    pickup_at: datetime | None = strawberry.field(description="When the carrier is to come for it.")
    handed_over_at: datetime | None = strawberry.field(description="When the carrier took it.")
    delivered_at: datetime | None = strawberry.field(description="When it arrived.")


@strawberry.type(description="Who owes what until when.")
class Deadline(Node):
    of: strawberry.Private[engine.Clock]
    request: Request = strawberry.field(description="Whose clock it is.")
    handle: str = strawberry.field(description="The policy's key, for example review.first.")
    owed_by: PartyName = strawberry.field(description="Who must act before it runs out.")
    started_at: datetime = strawberry.field(description="When it began to run.")
    due_at: datetime | None = strawberry.field(
        description="Absolute, computed by the server from the policy's calendar; null while paused."
    )
    remaining_seconds: int | None = strawberry.field(description="Seconds left, while paused.")
    status: DeadlineStatus = strawberry.field(description="Whether it runs, rests, or how it ended.")

    @strawberry.field(description="What is owed, in words.")
    def label(self) -> str:
        return self.request.context.words(CLOCK_LABELS.get(self.of.key, self.of.key))

    @strawberry.field(description="How near it is, seen from now.")
    def urgency(self) -> DeadlineUrgency:
        due_at = self.of.due_at if self.of.status is engine.ClockStatus.RUNNING else None
        return DeadlineUrgency[urgency(due_at, self.request.context.now).value]

    @strawberry.field(description="What will happen by itself when it is missed, in words.")
    def on_expiry(self) -> str:
        row = _sequel(self.request.context, self.request.of, self.of)
        return self.request.context.words(row.label) if row else ""


@strawberry.type(description="A file that somebody shows. Never deleted, only superseded.")
class Evidence(Node):
    kind: vocabulary.EvidenceKind = strawberry.field(description="What sort of file it is.")
    status: EvidenceStatus = strawberry.field(description="STAGED until it is submitted, or a request names it.")
    by: PartyName = strawberry.field(description="The party that shows it.")
    media_type: str = strawberry.field(description="For example image/jpeg.")
    bytes: int = strawberry.field(description="Its size.")
    sha256: str = strawberry.field(description="Of the whole file, 64 hexadecimal digits; empty once erased.")
    url: URL | None = strawberry.field(
        description="Where it lies. Of a file that we keep: signed and short-lived, so read it anew; null until its "
        "content was uploaded."
    )
    created_at: datetime = strawberry.field(description="When it was registered.")
    submitted_at: datetime | None = strawberry.field(description="When it was submitted, or a request first named it.")
    supersedes: strawberry.ID | None = strawberry.field(description="The file whose place it takes once submitted.")
    superseded_by: strawberry.ID | None = strawberry.field(
        description="The file that took its place: name that one from now on."
    )


@strawberry.type(description="A file and its place in the list.")
class EvidenceEdge:
    cursor: Cursor = strawberry.field(description="Its place: give it as `after` to go on behind it.")
    node: Evidence = strawberry.field(description="The file.")


@strawberry.type(description="A page of files.")
class EvidenceConnection:
    edges: list[EvidenceEdge] = strawberry.field(description="With the cursor of each.")
    nodes: list[Evidence] = strawberry.field(description="Without the cursors.")
    page_info: PageInfo = strawberry.field(description="Whether there is more, and from where.")


@strawberry.type(description="Something the caller may do now, with its clock and its limits.")
class AvailableAction:
    handle: str = strawberry.field(description="Stable: approve, reject, cancel …")
    label: str = strawberry.field(description="For a button, in the caller's language.")
    mutation: str = strawberry.field(description="Name of the root mutation that performs it.")
    until: datetime | None = strawberry.field(
        description="The first instant at which it is too late; null while nothing ends it."
    )
    maximum_amount: Money | None = strawberry.field(
        description="The most that can be granted; null where no amount is asked."
    )
    reasons: list[Reason] = strawberry.field(description="One of these must be given, if there are any.")
    required_evidence: list[str] = strawberry.field(description="What must be shown with some of the reasons.")


@strawberry.interface(description="What only one kind knows. Every plugin that has such facts implements it.")
class RequestDetails:
    kind: RequestKind = strawberry.field(description="The kind that knows these.")


@strawberry.type(
    description="One claim of a buyer against lines of one order. The same type for every kind, so boards and streams "
    "need no fragments; what only one kind asks or knows hangs below `details`."
)
class Request(Node):
    of: strawberry.Private[engine.Request]
    context: strawberry.Private[Context]
    number: str = strawberry.field(description="For people: short, unique, readable over the phone.")
    status: RequestStatus = strawberry.field(description="Where it stands, in one of eight words.")
    version: int = strawberry.field(
        description="Grows by one with every accepted change; send it back as expectedVersion."
    )
    attempt: int = strawberry.field(description="2 if it was asked once more after a rejection.")
    note: str | None = strawberry.field(description="What the buyer said with it.")
    market: str = strawberry.field(description="The shop's: its policies and its calendar hold.")
    fault_of: PartyName | None = strawberry.field(
        description="Whose fault it is taken to be; null where it is nobody's."
    )
    return_method: vocabulary.ReturnMethod | None = strawberry.field(
        description="How the goods come back; null where nobody has said."
    )
    created_at: datetime = strawberry.field(description="When it was asked.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    closed_at: datetime | None = strawberry.field(description="When it ended; null before.")
    close_reason: str | None = strawberry.field(
        description="Why it was closed: REJECTION_STANDS, BUYER_DID_NOT_SHIP, ARBITRATION_SELLER, RESUBMITTED, EDITED, "
        "CONVERTED or OPERATOR."
    )
    approved_by: str | None = strawberry.field(
        description="Whose yes led to money or goods: SELLER, PLATFORM, SELLER_RULE, TIMEOUT_REVIEW, "
        "TIMEOUT_INSPECTION, TIMEOUT_TRANSIT, TIMEOUT_SHIP_OUT, ARBITRATION or OFFER."
    )
    policy_version: str = strawberry.field(description="The policies it was born under; they hold to its end.")

    @strawberry.field(description="What is asked for.")
    def kind(self) -> RequestKind:
        return labels.kind(self.context, self.of.kind)

    @strawberry.field(description="What was asked for at first.")
    def original_kind(self) -> RequestKind:
        return labels.kind(self.context, self.of.original_kind)

    @strawberry.field(description="Where it stands, finer than `status`.")
    def stage(self) -> Stage:
        return labels.stage(self.context, self.of.stage)

    @strawberry.field(description="Why the buyer asks.")
    def reason(self) -> Reason:
        return labels.reason(self.context, self.of.kind, self.of.reason)

    @strawberry.field(description="What else is worth knowing at a glance.")
    def tags(self) -> list[Tag]:
        return [labels.tag(self.context, handle) for handle in sorted(self.of.tags)]

    @strawberry.field(description="Who must answer it.")
    def shop(self) -> Shop:
        return shop(self.context, self.of.order.shop)

    @strawberry.field(description="What it is about.")
    def order(self) -> Order:
        return order(self.context, self.of.order)

    @strawberry.field(description="Who asks.")
    def buyer(self) -> Buyer | None:
        named = sees_buyer(self.context.actor)
        return Buyer(id=strawberry.ID(self.of.order.buyer_id), name=self.of.order.buyer_name if named else None)

    @strawberry.field(description="What of the order is claimed.")
    def lines(self) -> list[RequestLine]:
        return [request_line(self.of, line) for line in self.of.lines]

    @strawberry.field(description="What may be refunded, was granted, was paid.")
    def money(self) -> RequestMoney:
        return request_money(self.context, self.of)

    @strawberry.field(description="Its parcels, latest last.")
    def shipments(self) -> list[Shipment]:
        return [shipment(parcel) for parcel in self.of.shipments]

    @strawberry.field(description="What either side has shown for it.", directives=[PAGE])
    async def evidence(self, first: int = 20, after: Cursor | None = None) -> EvidenceConnection:
        stored = await self.context.loaders.evidence_of.load(self.of.id)
        return evidence_page(self.context, [item for item in stored if item.case_id is None], first, after)

    @strawberry.field(description="What the seller proposed instead, latest last.")
    def offers(self) -> list[Annotated[Offer, strawberry.lazy(".cases")]]:
        from .cases import offer

        return [offer(of) for of in self.of.offers]

    @strawberry.field(description="What the buyer took to the platform, latest last.")
    def disputes(self) -> list[Annotated[Dispute, strawberry.lazy(".cases")]]:
        from .cases import dispute

        return [dispute(self, of) for of in self.of.disputes]

    @strawberry.field(description="What the seller may say, or has said, against the refund; null to a buyer.")
    def appeal(self) -> Annotated[Appeal, strawberry.lazy(".cases")] | None:
        from .cases import appeal

        return appeal(self)

    @strawberry.field(description="Running and paused clocks, nearest first; those of an appeal are the appeal's.")
    def deadlines(
        self,
        statuses: list[DeadlineStatus] = [engine.ClockStatus.RUNNING, engine.ClockStatus.PAUSED],  # noqa: B006
    ) -> list[Deadline]:
        return [
            deadline(self, clock)
            for clock in sorted(self.of.clocks, key=_nearest)
            if clock.status in statuses and not clock.of_appeal and knows_clock(self.context.actor, clock.key)
        ]

    @strawberry.field(description="The running clock that comes first: who owes what until when.")
    def next_deadline(self) -> Deadline | None:
        clock = self.of.next_clock
        return deadline(self, clock) if clock else None

    @strawberry.field(description="Everything this caller may do now, with its clock and its limits.")
    def available_actions(self) -> list[AvailableAction]:
        return available_actions(self.context, self.of)

    @strawberry.field(description="What happened, newest first.", directives=[PAGE])
    def history(
        self, first: int = 20, after: Cursor | None = None
    ) -> Annotated[RequestEventConnection, strawberry.lazy(".events")]:
        from .events import history

        return history(self, first, after)  # type: ignore[return-value]

    @strawberry.field(description="The request that this one took the place of.")
    async def previous(self) -> Request | None:
        return await _other(self.context, self.of.previous_id)

    @strawberry.field(description="The request that took the place of this one.")
    async def next(self) -> Request | None:
        return await _other(self.context, self.of.next_id)

    @strawberry.field(description="As the marketplace's own API would tell it; null where it has no such kind.")
    def external(self) -> ExternalStatus | None:
        return external_status(self)

    @strawberry.field(description="What only this kind knows; null where there is no more.")
    def details(self) -> RequestDetails | None:
        type = self.context.desk.registry.types.get(self.of.kind)
        if type is None or type.details is None:
            return None
        return details_of(type.details, labels.kind(self.context, self.of.kind), self.of)


@strawberry.type(description="Where a request stands, in the marketplace's own words.")
class ExternalStatus:
    request: strawberry.Private[Request]
    format: str = strawberry.field(description="Whose words: tiktok.")
    status: str = strawberry.field(description="Its `return_status`.")
    next_action: str | None = strawberry.field(description="What it would ask of the seller now; null: nothing.")
    deadline: datetime | None = strawberry.field(description="Until when; null without an action.")

    @strawberry.field(description="Of a request that was brought in: its status as the file spelt it, latest.")
    async def raw_status(self) -> str | None:
        return await self.request.context.loaders.external_status.load(self.request.of.id)


def external_status(request: Request) -> ExternalStatus | None:
    of = external(request.of)
    if of is None:
        return None
    return ExternalStatus(
        request=request, format=FORMAT, status=of.status, next_action=of.next_action, deadline=of.deadline
    )


# fmt: off
CLOCK_LABELS = {
    "review.first":           "Review the request",
    "offer.response":         "Answer the offer",
    "ship_back.drop_off":     "Bring the parcel to a drop-off point",
    "ship_back.pickup_date":  "Choose a time for the pick-up",
    "ship_back.pickup":       "Pick the parcel up",
    "ship_back.self":         "Send the parcel and give its tracking number",
    "return.transit":         "Bring the parcel back",
    "inspect.tracked":        "Inspect the parcel",
    "inspect.self_arranged":  "Receive and inspect the parcel",
    "ship_out":               "Send the goods",
    "outbound.transit":       "Deliver the goods",
    "rejection.followup":     "Ask once more, or open a dispute",
    "failed_return.claim":    "Claim the failed parcel",
    "speedy.not_received":    "Bring the parcel back, or the seller may appeal",
    "back_to_buyer.ship":     "Send the goods back to the buyer",
    "dispute.evidence":       "Give evidence in the dispute",
    "dispute.decision":       "Decide the dispute",
    "appeal.window":          "Appeal against the refund",
    "appeal.evidence":        "Give the evidence that was asked for",
    "appeal.decision":        "Decide the appeal",
}
# fmt: on


def _nearest(clock: engine.Clock) -> tuple[bool, datetime, str]:
    return clock.due_at is None, clock.due_at or clock.started_at, clock.id


def details_of(type: Any, kind: RequestKind, of: engine.Request) -> RequestDetails:
    """A type that takes it is given the request too, for what follows from where it stands."""
    takes = "request" in signature(type.of).parameters
    made: RequestDetails = type.of(kind, of.details, of) if takes else type.of(kind, of.details)
    return made


def clocks_of(request: Request, subject_id: str, statuses: Sequence[DeadlineStatus]) -> list[Deadline]:
    """The clocks of a dispute or an appeal, nearest first."""
    chosen = [clock for clock in request.of.clocks if clock.subject_id == subject_id and clock.status in statuses]
    return [deadline(request, clock) for clock in sorted(chosen, key=_nearest)]


def _sequel(context: Context, of: engine.Request, clock: engine.Clock) -> Transition | None:
    """The row that time takes when the clock runs out."""
    kind, action = context.desk.registry.kinds.get(of.kind), expiry(clock.key)
    if kind is None:
        return None
    rows = kind.process.at(of.stage.name, action)
    for name in () if clock.subject_id is None else MACHINES:
        case = MACHINES[name].case(of)
        rows = rows or (MACHINES[name].process.at(case.stage.name, action) if case else [])
    if len(rows) < 2:
        return next(iter(rows), None)
    attempt = context.desk.attempt(of, action, SYSTEM, context.now, clock_id=clock.id)
    return next((row for row in rows if row.when is None or row.when(attempt)), None)


def request(context: Context, of: engine.Request) -> Request:
    return Request(
        of=of, context=context, id=strawberry.ID(of.id), number=of.number, status=of.stage.status, version=of.version,
        attempt=of.attempt, note=of.note or None, market=of.order.shop.market, fault_of=party(of.fault),
        return_method=of.return_method, created_at=of.created_at, updated_at=of.updated_at, closed_at=of.closed_at,
        close_reason=of.close_reason.value if of.close_reason else None,
        approved_by=of.approved_by.value if of.approved_by else None, policy_version=of.terms.version,
    )  # fmt: skip


def request_line(of: engine.Request, line: engine.RequestLine) -> RequestLine:
    bought = of.order.line(line.order_line_id)
    if bought is None:
        raise LookupError(f"{of.id} names the line {line.order_line_id}, which its order does not have")
    return RequestLine(
        id=strawberry.ID(f"{of.id}:{line.order_line_id}"), order_line=order_line(bought), quantity=line.quantity,
        refund_max=sure(line.refund_max), refund_approved=money(line.refund_approved),
    )  # fmt: skip


def request_money(context: Context, of: engine.Request) -> RequestMoney:
    return RequestMoney(
        of=of, context=context, maximum=sure(of.refund_max), approved=money(of.refund_approved),
        paid=sure(of.refund_paid or EngineMoney.zero(of.order.currency)),
    )  # fmt: skip


def shipment(of: engine.Shipment) -> Shipment:
    return Shipment(
        id=strawberry.ID(of.id), leg=of.leg, method=of.method, status=of.status.value, carrier=of.carrier,
        tracking_number=of.tracking, attempts=of.attempts, pickup_at=of.pickup_at, handed_over_at=of.handed_over_at,
        delivered_at=of.delivered_at,
    )  # fmt: skip


def deadline(of: Request, clock: engine.Clock) -> Deadline:
    left = int(clock.remaining.total_seconds()) if clock.remaining is not None else None
    return Deadline(
        of=clock, request=of, id=strawberry.ID(clock.id), handle=clock.key, owed_by=PartyName[clock.owed_by.title],
        started_at=clock.started_at, due_at=clock.due_at, remaining_seconds=left, status=clock.status,
    )  # fmt: skip


def available_actions(context: Context, of: engine.Request) -> list[AvailableAction]:
    kind = context.desk.registry.kinds.get(of.kind)
    if kind is None:
        return []
    return [action(context, of, row) for row in actions(kind, as_known(of, context.actor), context.actor, context.now)]


def action(context: Context, of: engine.Request, row: Transition) -> AvailableAction:
    clock, too_late = of.next_clock, row.until(of) if row.until else None
    ends = [at for at in (clock.due_at if clock else None, too_late) if at]
    wants_amount = amount_within_max in row.guards
    codes = _reject_codes(context, of, row)
    return AvailableAction(
        handle=row.action,
        label=context.words(row.label),
        mutation=mutation_name(row.owner, row.action),
        until=min(ends, default=None),
        maximum_amount=sure(of.payable) if wants_amount else None,
        reasons=[labels.reject_reason(context, code) for code in codes],
        required_evidence=sorted({kind.value for code in codes for kind in code.evidence}),
    )


def _reject_codes(context: Context, of: engine.Request, row: Transition) -> Sequence[RejectCode]:
    review = next((guard.review for guard in row.guards if isinstance(guard, RejectReasonFits)), None)
    return reject_codes_for(of, context.desk.registry.kinds[of.kind], review) if review else ()


def evidence(context: Context, stored: StoredEvidence) -> Evidence:
    of, url = stored.evidence, address(context, stored)
    return Evidence(
        id=strawberry.ID(of.id), kind=of.kind, by=PartyName[of.by.title],
        status=EvidenceStatus[stored.status], media_type=stored.media_type, bytes=stored.bytes, sha256=stored.sha256,
        url=URL(url) if url else None, created_at=stored.created_at, submitted_at=stored.submitted_at,
        supersedes=strawberry.ID(stored.supersedes_id) if stored.supersedes_id else None,
        superseded_by=strawberry.ID(stored.superseded_by_id) if stored.superseded_by_id else None,
    )  # fmt: skip


def address(context: Context, stored: StoredEvidence) -> str | None:
    """Made for whoever may see the record, and for nobody else: the address is the right."""
    if stored.stored_as is None:
        return stored.url or None
    return context.base + context.house.locker.download_address(stored, context.now) if stored.here else None


def evidence_page(
    context: Context, stored: Sequence[StoredEvidence], first: int, after: str | None
) -> EvidenceConnection:
    page, info = sliced(stored, first, after, lambda item: item.evidence.id)
    nodes = [evidence(context, item) for item in page]
    edges = [EvidenceEdge(cursor=Cursor(str(node.id)), node=node) for node in nodes]
    return EvidenceConnection(edges=edges, nodes=nodes, page_info=info)


async def _other(context: Context, id: str | None) -> Request | None:
    found = await context.loaders.visible.load(id) if id else None
    return request(context, found) if found else None

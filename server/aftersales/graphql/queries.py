"""Reading: the core's own query fields."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry
from graphql import FieldNode, GraphQLError

from ..engine.diagram import diagram
from ..engine.opening import Opening, facts_of, judged, maximum, window_ends
from ..engine.policies import PolicyRecord
from ..engine.rights import may_see
from ..engine.vocabulary import Claim, ClaimLine, OrderState
from ..engine.vocabulary import Order as EngineOrder
from . import labels, orders, types
from .appeal_pages import appeals_page
from .cases import AppealConnection
from .connections import NEEDS_ALL, RequestConnection, requests_page
from .context import Context, Info
from .enums import AppealStatus, PartyName, RequestSort, RequestStatus
from .filters import RequestFilter, filter_of
from .inputs import camel
from .labels import Reason, RequestKind
from .nodes import find, find_many
from .paging import invalid
from .scalars import Cursor, JSONValue
from .selection import fields_below, has_argument, integer_argument, node_fields

MOST_NODES = 100


@strawberry.input(one_of=True, description="One of the two.")
class RequestRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="The global one.")
    number: strawberry.Maybe[str] = strawberry.field(description="The one for people, in capitals or not.")


@strawberry.type(description="Who is asking, as the server understood it.")
class Viewer:
    context: strawberry.Private[Context]
    party: PartyName = strawberry.field(description="As whom you act.")
    id: strawberry.ID = strawberry.field(description="Yours, as history writes it.")
    grants: list[str] = strawberry.field(description="What you may do for your shops; `*` is everything.")

    @strawberry.field(description="The shops the caller speaks for; empty for those who see all or none.")
    async def shops(self) -> list[orders.Shop]:
        found = await self.context.desk.ledger.shops(sorted(self.context.actor.shops))
        return [orders.shop(self.context, shop) for shop in found.values()]


@strawberry.type(description="How many requests have one status and wait for one party.")
class StatusCount:
    status: RequestStatus = strawberry.field(description="Theirs.")
    waiting_for: PartyName | None = strawberry.field(description="Whose turn it is; null once they have ended.")
    count: int = strawberry.field(description="How many.")
    overdue: int = strawberry.field(description="Of these, how many have a clock that ran out.")


@strawberry.type(description="What one guard says.")
class EligibilityRule:
    guard: str = strawberry.field(description="Its name in the rulebook.")
    passed: bool = strawberry.field(description="Whether it lets the claim pass.")
    code: str | None = strawberry.field(description="Of the problem it found.")
    message: str | None = strawberry.field(description="What it objects, in words.")


@strawberry.type(
    description="May this line be claimed as this kind, now? Yes, no with the reason, or: a person must look."
)
class Eligibility:
    kind: RequestKind = strawberry.field(description="As which it would be claimed.")
    order_line_id: strawberry.ID = strawberry.field(description="The line that would be claimed.")
    eligible: bool = strawberry.field(description="Whether it may be, for one of `reasons`.")
    needs_review: bool = strawberry.field(description="Whether a person must look, as no rule can tell.")
    until: datetime | None = strawberry.field(
        description="The first instant at which it is too late; null while the order is on its way."
    )
    maximum: orders.Money | None = strawberry.field(description="What one unit can bring at most.")
    reasons: list[Reason] = strawberry.field(description="Those that may be given.")
    rules: list[EligibilityRule] = strawberry.field(
        description="What each guard says; evidence and words are asked for with the claim itself."
    )


@strawberry.type(description="One value of one key: where it holds, since when, and who says so.")
class Policy:
    key: str = strawberry.field(description="A clock, a limit or a flag: review.first, limit.edits …")
    value: str = strawberry.field(description="A number, or true or false.")
    unit: str = strawberry.field(description="HOUR, CAL_DAY, WORK_DAY, COUNT or FLAG.")
    calendar: str = strawberry.field(description="Which days work, where the unit is working days; else empty.")
    source: str = strawberry.field(description="Who says so.")
    version: str = strawberry.field(description="Of the record, as a date.")
    conditions: JSONValue = strawberry.field(description="What must hold for it: market, kind, shop_kind …")


@strawberry.type(description="An installed plugin and what it brings.")
class PluginInfo:
    name: str = strawberry.field(description="Of its entry point.")
    version: str = strawberry.field(description="Of its distribution.")
    api_version: str = strawberry.field(description="The range of our plugin API that it fits.")
    kinds: list[RequestKind] = strawberry.field(description="The kinds of request it brings.")
    mutations: list[str] = strawberry.field(description="The root mutations it brings.")
    diagrams: list[str] = strawberry.field(description="Mermaid state diagram of each kind.")


@strawberry.type
class Query:
    @strawberry.field(description="Any record by its id; null if there is none, or none for you.")
    async def node(self, info: Info, id: strawberry.ID) -> orders.Node | None:
        return await find(info.context, str(id))

    @strawberry.field(description="Many records by id, in the order asked.")
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[orders.Node | None]:
        if len(ids) > MOST_NODES:
            raise invalid(f"Ask for at most {MOST_NODES} at a time.", "ids")
        return await find_many(info.context, [str(id) for id in ids])

    @strawberry.field(description="Whom the server takes you for.")
    async def me(self, info: Info) -> Viewer:
        actor = info.context.actor
        return Viewer(
            context=info.context,
            party=PartyName[actor.party.title],
            id=strawberry.ID(actor.id),
            grants=sorted(actor.grants),
        )

    @strawberry.field(description="One request; null if there is none, or none for you.")
    async def request(self, info: Info, by: RequestRef) -> types.Request | None:
        context, actor = info.context, info.context.actor  # first: strangers are told the same of what is not there
        if by.id:
            chosen = {field.name.value for field in fields_below(info._raw_info)}
            loader = context.loaders.visible if chosen & NEEDS_ALL else context.loaders.lean
            found = await loader.load(str(by.id.value))
        else:
            number = by.number.value if by.number else ""
            found = await context.desk.ledger.by_number(number.strip().upper())
            if found and not may_see(actor, found.order.shop.id, found.order.buyer_id):
                found = None
        return types.request(context, found) if found else None

    @strawberry.field(description="The requests the caller may see, narrowed by the filter.")
    async def requests(
        self,
        info: Info,
        filter: RequestFilter | None = None,
        sort: RequestSort = RequestSort.NEXT_DEADLINE,
        first: int = 20,
        after: Cursor | None = None,
    ) -> RequestConnection:
        chosen = list(node_fields(info._raw_info))
        return await requests_page(
            info.context, filter_of(info.context.actor, filter), sort.value, first, after,
            frozenset(field.name.value for field in chosen), _events_wanted(info, chosen),
        )  # fmt: skip

    @strawberry.field(description="How many requests stand where, and how many of them are late.")
    async def request_counts(self, info: Info, filter: RequestFilter | None = None) -> list[StatusCount]:
        context = info.context
        rows = await context.house.lists.counts(filter_of(context.actor, filter), now=context.now)
        return [
            StatusCount(
                status=row.status, waiting_for=PartyName[row.waiting_for] if row.waiting_for else None,
                count=row.count, overdue=row.overdue,
            )
            for row in rows
        ]  # fmt: skip

    @strawberry.field(description="The appeals the caller may see, what is due next first; a buyer sees none.")
    async def appeals(
        self,
        info: Info,
        shop_ids: list[strawberry.ID] | None = None,
        statuses: list[AppealStatus] | None = None,
        first: int = 20,
        after: Cursor | None = None,
    ) -> AppealConnection:
        return await appeals_page(info.context, shop_ids, statuses, first, after)

    @strawberry.field(description="One order; null if there is none, or none for you.")
    async def order(self, info: Info, id: strawberry.ID) -> orders.Order | None:
        found = await visible_order(info.context, str(id))
        return orders.order(info.context, found) if found else None

    @strawberry.field(
        description="For each line of an order and each kind: may it be claimed now, and if not, why not."
    )
    async def eligibility(
        self, info: Info, order_id: strawberry.ID, kinds: list[str] | None = None
    ) -> list[Eligibility]:
        context = info.context
        order = await visible_order(context, str(order_id))
        if order is None:
            raise GraphQLError("There is no such order.", extensions={"code": "NOT_FOUND"})
        known = context.desk.registry.kinds
        if unknown := sorted(set(kinds or ()) - set(known)):
            raise invalid(f"There is no kind {unknown[0]}. There are: {', '.join(known)}.", "kinds")
        return [eligibility(context, order, name, line.id) for name in (kinds or sorted(known)) for line in order.lines]

    @strawberry.field(description="The policies that new requests are born under.")
    async def policies(self, info: Info, market: str | None = None, kind: str | None = None) -> list[Policy]:
        now = info.context.now
        info.context.actor  # noqa: B018 - strangers are told who may ask
        records = info.context.desk.book.records
        return [
            policy(record)
            for record in records
            if record.holds(now)
            and record.market in (None, market or record.market)
            and record.kind in (None, kind or record.kind)
        ]

    @strawberry.field(description="What is installed here.")
    async def plugins(self, info: Info) -> list[PluginInfo]:
        context = info.context
        context.actor  # noqa: B018 - strangers are told who may ask
        registry = context.desk.registry
        return [
            PluginInfo(
                name=plugin.name,
                version=plugin.version,
                api_version=", ".join(type.api for type in plugin.types),
                kinds=[labels.kind(context, type.name) for type in plugin.types],
                mutations=[name for type in plugin.types for name in mutations_of(type.mutations)],
                diagrams=[diagram(registry.kinds[type.name].process) for type in plugin.types],
            )
            for plugin in registry.plugins
        ]


def mutations_of(type: type | None) -> list[str]:
    definition = getattr(type, "__strawberry_definition__", None)
    return [camel(field.python_name) for field in definition.fields] if definition else []


def _events_wanted(info: Info, chosen: Sequence[FieldNode]) -> int | None:
    """The number of events asked of each row, if all ask alike and from the newest; else each asks for itself."""
    asked = {
        None if has_argument(field, "after") else integer_argument(field, "first", info.variable_values, 20)
        for field in chosen
        if field.name.value == "history"
    }
    wanted = asked.pop() if len(asked) == 1 else None
    return wanted if wanted is not None and 1 <= wanted <= 100 else None


async def visible_order(context: Context, id: str) -> EngineOrder | None:
    return await context.desk.seen_order_or_none(id, context.actor)


def eligibility(context: Context, order: EngineOrder, kind_name: str, line_id: str) -> Eligibility:
    """One unit of one line, judged by every guard of creation for the most favourable reason."""
    kind = context.desk.registry.kinds[kind_name]
    tried = {code: _judged(context, order, kind_name, line_id, code) for code in kind.reasons}
    passing = [code for code, (_, failed) in tried.items() if not set(failed) - ASKED_LATER]
    shown_code = passing[0] if passing else next(iter(tried))
    opening, _ = tried[shown_code]
    rules = [
        EligibilityRule(
            guard=guard, passed=not problems, code=problems[0].code if problems else None,
            message=problems[0].text(context.words) if problems else None,
        )
        for guard, problems in judged(opening)
        if guard not in ASKED_LATER
    ]  # fmt: skip
    return Eligibility(
        kind=labels.kind(context, kind_name),
        order_line_id=strawberry.ID(line_id),
        eligible=bool(passing),
        # delivered, but nobody said when: no rule can tell whether the window is open
        needs_review=bool(passing) and order.state is OrderState.DELIVERED and order.delivered_at is None,
        until=window_ends(opening),
        maximum=orders.sure(maximum(opening)) if passing else None,
        reasons=[labels.buyer_reason(context, kind.reasons[code]) for code in passing],
        rules=rules,
    )


# Evidence, words and what only the kind asks come with the claim itself.
ASKED_LATER = frozenset({"G_EVIDENCE", "G_KIND"})


def _judged(
    context: Context, order: EngineOrder, kind_name: str, line_id: str, reason: str
) -> tuple[Opening, frozenset[str]]:
    kind, desk = context.desk.registry.kinds[kind_name], context.desk
    claim = Claim(order, (ClaimLine(line_id, 1),), reason, note="-")
    terms = desk.book.terms(facts_of(claim, kind, context.now))
    opening = Opening(claim, kind, context.actor, context.now, terms, desk.calendar(order.shop.market))
    return opening, frozenset(guard for guard, problems in judged(opening) if problems)


def policy(record: PolicyRecord) -> Policy:
    return Policy(
        key=record.key, value=str(record.value).lower() if isinstance(record.value, bool) else str(record.value),
        unit=record.unit, calendar=record.calendar, source=record.source, version=record.version,
        conditions=JSONValue(record.conditions),
    )  # fmt: skip

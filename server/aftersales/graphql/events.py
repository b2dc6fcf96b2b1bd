"""The log as the contract shows it: history of a record, and the content of the stream."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime

import strawberry

from ..engine import request as engine
from ..engine.rights import knows_clock, sees_seller_side
from ..engine.vocabulary import Party
from ..store.log import LoggedEvent
from .context import Context
from .enums import PartyName
from .labels import Stage, stage_named
from .orders import Node
from .paging import PageInfo, checked_first, invalid, page_info
from .scalars import Cursor, JSONValue
from .types import Request

# Said to the seller's side only: a buyer never sees compensation, or a note that was not for them.
SELLER_SIDE = ("Compensation", "Appeal")
SELLERS = (Party.SELLER, Party.PARTNER)
# By which of the shop's own rules, and what the shop calls it.
SELLERS_FACTS = ("ruleId", "ruleName")


@strawberry.type(description="One line of the log. The history, the stream and the audit are made of these.")
class RequestEvent(Node):
    of: strawberry.Private[LoggedEvent]
    context: strawberry.Private[Context]
    kind: strawberry.Private[str]
    cursor: Cursor = strawberry.field(
        description="Its place: give it as `after` to the list or the stream it came from."
    )
    at: datetime = strawberry.field(description="When it happened.")
    processed_at: datetime = strawberry.field(description="When the server acted, if later than `at` (after downtime).")
    request_id: strawberry.ID = strawberry.field(description="Whose event it is.")
    version: int = strawberry.field(description="The request's version after this event.")
    sequence: int = strawberry.field(description="Grows by one with every event of the request, without a gap.")
    type: str = strawberry.field(description="PascalCase, open: RequestApproved, DeadlineExpired, AppealFiled …")
    rule: str | None = strawberry.field(description="The rule's number in the rulebook, for example RR13.")
    by: PartyName = strawberry.field(description="The party that acted.")
    actor_id: str | None = strawberry.field(description="Who of that party.")
    action: str | None = strawberry.field(
        description="The act: approve, reject …, or expire:review.first when a clock ran out."
    )
    note: str | None = strawberry.field(description="What was said with it; null where it is not for you.")
    data: JSONValue = strawberry.field(
        description="What this type of event tells beside; a deadline's always has dueAt."
    )

    @strawberry.field(description="Where the request stood before; null when it was made.")
    def from_stage(self) -> Stage | None:
        return stage_named(self.context, self.kind, self.of.from_stage)

    @strawberry.field(description="Where it stood after.")
    def to_stage(self) -> Stage | None:
        return stage_named(self.context, self.kind, self.of.to_stage)


@strawberry.type(description="An event and its place in the list.")
class RequestEventEdge:
    cursor: Cursor = strawberry.field(description="Its place: give it as `after` to go on behind it.")
    node: RequestEvent = strawberry.field(description="The event.")


def edges(self: RequestEventConnection) -> list[RequestEventEdge]:
    """Made only when asked for: most ask for `nodes`."""
    return [RequestEventEdge(cursor=node.cursor, node=node) for node in self.nodes]


@strawberry.type(description="A page of events.")
class RequestEventConnection:
    edges: list[RequestEventEdge] = strawberry.field(resolver=edges, description="With the cursor of each.")
    nodes: list[RequestEvent] = strawberry.field(description="Without the cursors.")
    page_info: PageInfo = strawberry.field(description="Whether there is more, and from where.")


def visible(context: Context, event: LoggedEvent) -> bool:
    if sees_seller_side(context.actor):
        return True
    return not event.type.startswith(SELLER_SIDE) and knows_clock(context.actor, str(event.data.get("key", "")))


def event(context: Context, of: LoggedEvent, kind: str, cursor: str | None = None) -> RequestEvent:
    sees = sees_seller_side(context.actor)
    hidden = of.party in SELLERS and not sees
    data = of.data if sees else {name: told for name, told in of.data.items() if name not in SELLERS_FACTS}
    return RequestEvent(
        of=of, context=context, kind=kind, id=strawberry.ID(of.id), cursor=Cursor(cursor or str(of.sequence)), at=of.at,
        processed_at=of.processed_at, request_id=strawberry.ID(of.request_id), version=of.version, sequence=of.sequence,
        type=of.type, rule=of.rule or None, by=PartyName[of.party.title], actor_id=of.actor_id or None,
        action=of.action or None, note=None if hidden else of.note or None, data=JSONValue(data),
    )  # fmt: skip


def history(
    request: Request, first: int, after: str | None
) -> RequestEventConnection | Awaitable[RequestEventConnection]:
    """Newest first. A page that was loaded with its rows is answered without waiting."""
    context = request.context
    key = (checked_first(first), before_sequence(after))
    loaded = context.cache.get(("history", *key))
    if loaded is not None and request.of.id in loaded:
        return connection(context, request.of.kind, loaded[request.of.id], first, after)
    return _loaded(request, key, after)


async def _loaded(request: Request, key: tuple[int, int | None], after: str | None) -> RequestEventConnection:
    found = await request.context.loaders.history(*key).load(request.of.id)
    return connection(request.context, request.of.kind, found, key[0], after)


def before_sequence(after: str | None) -> int | None:
    if after is None:
        return None
    if not after.isdecimal() or len(after) > 18:
        raise invalid("This cursor is not of this list.", "after")
    return int(after)


def connection(
    context: Context, kind: str, found: list[LoggedEvent], first: int, after: str | None
) -> RequestEventConnection:
    """One event more than asked for was read, to know whether there are more."""
    shown = [event(context, of, kind) for of in found[:first] if visible(context, of)]
    info = page_info([str(of.sequence) for of in found[:first]], len(found) > first, after is not None)
    return RequestEventConnection(nodes=shown, page_info=info)


async def missed(context: Context, request: engine.Request, version: int) -> list[RequestEvent]:
    """What happened since a version, oldest first; at most the latest hundred."""
    found = await context.house.log.missed(request.id, version)
    return [event(context, of, request.kind) for of in found if visible(context, of)]

"""Live: one stream over the durable log, in order and at least once, resumable on any server process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry

from ..engine.filter import Filter, facets, matches, then
from ..engine.request import Request
from ..engine.rights import acts_as, may_see
from ..engine.vocabulary import Party
from ..feed import Follower, Lagged, Told, backlog
from ..store.log import LoggedEvent
from . import cases, types
from . import stream_position as positions
from .context import Context, Info
from .events import RequestEvent, event, visible
from .filters import RequestFilter, filter_of
from .scalars import Cursor
from .sharing import Shared
from .stream_position import Position


@strawberry.type(description="First item: the listener is already attached, nothing after `cursor` can be missed.")
class StreamReady:
    cursor: Cursor = strawberry.field(description="Resume with this as `after`.")
    server_time: datetime = strawberry.field(description="To set a board's clock by.")
    heartbeat_seconds: int = strawberry.field(
        description="After so much silence a heartbeat comes; after much more, the line is dead."
    )


@strawberry.type(description="Sent on quiet streams: moves the resume point and lets a board correct its clock.")
class StreamHeartbeat:
    cursor: Cursor = strawberry.field(description="Resume with this as `after`.")
    server_time: datetime = strawberry.field(description="To set a board's clock by.")


@strawberry.enum(
    description=(
        "The cursor is not of this log or too far back in it, the client has fallen as far behind, or its rights are"
        " others."
    )
)
class StreamResetReason(Enum):
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    LAGGED = "LAGGED"
    RIGHTS_CHANGED = "RIGHTS_CHANGED"


@strawberry.type(description="What you hold may be wrong: read the page again, then subscribe from its streamCursor.")
class StreamReset:
    cursor: Cursor = strawberry.field(description="Where the log ends now.")
    reason: StreamResetReason = strawberry.field(description="Why the stream cannot go on.")


@strawberry.type(description="Something happened to a request.")
class RequestChanged:
    cursor: Cursor = strawberry.field(description="Resume with this as `after`.")
    event: RequestEvent = strawberry.field(description="What happened.")
    request: types.Request = strawberry.field(description="The request as it is now.")


@strawberry.type(description="Started, moved, paused, warned, met, expired, canceled; always with dueAt.")
class DeadlineChanged:
    cursor: Cursor = strawberry.field(description="Resume with this as `after`.")
    event: RequestEvent = strawberry.field(description="What happened.")
    deadline: types.Deadline = strawberry.field(description="The clock as it is now.")
    request: types.Request = strawberry.field(description="The request as it is now.")


@strawberry.type(description="Something happened to an appeal; a buyer hears of none.")
class AppealChanged:
    cursor: Cursor = strawberry.field(description="Resume with this as `after`.")
    event: RequestEvent = strawberry.field(description="What happened.")
    appeal: cases.Appeal = strawberry.field(description="The appeal as it is now.")
    request: types.Request = strawberry.field(description="The request as it is now.")


@strawberry.type(description="It no longer matches the filter or the viewer's rights: drop the row.")
class RequestLeft:
    cursor: Cursor = strawberry.field(description="Resume with this as `after`.")
    request_id: strawberry.ID = strawberry.field(description="Of the row to drop.")


StreamItem = Annotated[
    StreamReady | StreamHeartbeat | StreamReset | RequestChanged | DeadlineChanged | AppealChanged | RequestLeft,
    strawberry.union("StreamItem", description="What a stream says. Ignore what you do not know: more may come."),
]


@strawberry.type(description="Live, over the durable log.")
class Subscription:
    @strawberry.subscription(
        description="In order, at least once. `after` resumes on any server process; leave it out to start from now."
    )
    async def request_stream(
        self, info: Info, filter: RequestFilter | None = None, after: Cursor | None = None
    ) -> AsyncIterator[StreamItem]:
        context = info.context
        wish = filter_of(context.actor, filter)
        house, actor = context.house, context.actor
        # follow first, so that no change slips by between the backlog and the live lines
        with house.feed.follow(
            lambda request: may_see(actor, request.order.shop.id, request.order.buyer_id),
            shops=wish.shops,
            buyer_id=wish.scope_buyer,
        ) as follower:
            current = await positions.now(context, wish)
            position = positions.parse(after, current) if after else current
            if after and (
                positions.is_of_another_log(position, current) or await positions.is_too_far_back(context, position)
            ):
                yield reset(current, StreamResetReason.CURSOR_EXPIRED)
                return
            position.epoch = current.epoch
            yield StreamReady(
                cursor=Cursor(position.cursor()),
                server_time=context.now,
                heartbeat_seconds=int(house.heartbeat_seconds),
            )
            loop = asyncio.get_running_loop()
            quiet_since, behind = loop.time(), after is not None
            while True:
                if behind:
                    async for told in backlog(missed_lines(context, position), context.desk.ledger.requests):
                        if missed := said(context, wish, position, told):
                            yield missed
                    behind = False
                left = quiet_since + house.heartbeat_seconds - loop.time()
                try:
                    # lines that this viewer does not hear of do not put off the heartbeat
                    live = await follower.next(left) if left > 0 else None
                except Lagged:
                    # more at once than its queue holds: from here on anew, and what was lost out of the log
                    follower.rejoin()
                    context.forget()
                    if await positions.is_too_far_back(context, position):
                        yield reset(await positions.now(context, wish), StreamResetReason.LAGGED)
                        return
                    behind = True
                    continue
                except StopAsyncIteration:
                    return
                context.forget()
                news = said(context, wish, position, live) if live else heartbeat(context, position, follower)
                if news:
                    yield news
                    quiet_since = loop.time()


def heartbeat(context: Context, position: Position, follower: Follower) -> StreamHeartbeat:
    """On a quiet stream all that the feed has read is told, so that a resume need not search it again."""
    if position.shops is None and follower.idle:
        position.serial = max(position.serial, context.house.feed.serial or 0)
    return StreamHeartbeat(cursor=Cursor(position.cursor()), server_time=context.now)


def reset(current: Position, reason: StreamResetReason) -> StreamReset:
    return StreamReset(cursor=Cursor(current.cursor()), reason=reason)


def said(context: Context, filter: Filter, position: Position, told: Told) -> Any:
    """What a viewer hears of one line of the log: an item, or a `Shared` one. The position moves on in any case."""
    line, request = told.event, told.request
    assert isinstance(line, LoggedEvent)
    if position.covers(line):
        return None
    position.advance(line)
    cursor = Cursor(position.cursor())
    if not visible(context, line):
        return None
    if not matches(filter, request, context.now):
        left = line.was is not None and matches(filter, then(facets(request), line.was), line.at)
        return RequestLeft(cursor=cursor, request_id=strawberry.ID(request.id)) if left else None
    # two who follow other shops are told other places, and what is said of time is of this second
    what = line.serial, request.version, str(cursor), int(context.now.timestamp()), context.audience
    return Shared(what, context, lambda context: item(context, line, request, cursor))


def item(context: Context, line: LoggedEvent, request: Request, cursor: Cursor) -> StreamItem:
    shown = types.request(context, request)
    spoken = event(context, line, request.kind, cursor)
    clock = (
        next((clock for clock in request.clocks if clock.id == line.deadline_id), None) if line.deadline_id else None
    )
    if clock is not None:
        return DeadlineChanged(cursor=cursor, event=spoken, deadline=types.deadline(shown, clock), request=shown)
    appeal = cases.appeal(shown) if line.type.startswith("Appeal") else None
    if appeal is not None:
        return AppealChanged(cursor=cursor, event=spoken, appeal=appeal, request=shown)
    return RequestChanged(cursor=cursor, event=spoken, request=shown)


def missed_lines(context: Context, position: Position) -> Callable[[int], Awaitable[Sequence[LoggedEvent]]]:
    """Reads on from the position, which moves as lines are told."""
    buyer = context.actor.id if acts_as(context.actor) is Party.BUYER else None

    async def read(limit: int) -> Sequence[LoggedEvent]:
        if position.shops is None:
            return await context.house.log.after(position.serial, limit, buyer)
        return await context.house.log.since(position.shops, limit)

    return read

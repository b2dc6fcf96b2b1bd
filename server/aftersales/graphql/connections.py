"""Pages of requests: a fixed small number of SQL statements, whatever the page's size."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from ..engine.filter import Filter
from ..store.lists import Sort
from . import types
from .context import Context
from .directives import Cost
from .filters import all_visible
from .paging import PageInfo, checked_first, page_info, sliced
from .scalars import Cursor
from .stream_position import now_position


@strawberry.type(description="A request and its place in the list.")
class RequestEdge:
    cursor: Cursor = strawberry.field(description="Its place: give it as `after` to go on behind it.")
    node: types.Request = strawberry.field(description="The request.")


def edges(self: RequestConnection) -> list[RequestEdge]:
    """Made only when asked for: most ask for `nodes`."""
    places = zip(self.cursors, self.nodes, strict=True)
    return [RequestEdge(cursor=Cursor(cursor), node=node) for cursor, node in places]


@strawberry.type(description="A page of requests.")
class RequestConnection:
    filter: strawberry.Private[Filter]
    context: strawberry.Private[Context]
    total: strawberry.Private[int | None]
    cursors: strawberry.Private[Sequence[str]]
    edges: list[RequestEdge] = strawberry.field(resolver=edges, description="With the cursor of each.")
    nodes: list[types.Request] = strawberry.field(description="Without the cursors.")
    page_info: PageInfo = strawberry.field(description="Whether there is more, and from where.")
    stream_cursor: Cursor = strawberry.field(
        description="Subscribe with this as `after`, and there is no gap between page and stream."
    )

    # null has no meaning yet: the contract leaves a server that is short of breath the right not to count
    @strawberry.field(description="Priced: ask only when shown.", directives=[Cost(weight=10)])
    async def total_count(self) -> int | None:
        if self.total is not None:
            return self.total
        return await self.context.house.lists.total(self.filter, now=self.context.now)


async def requests_page(
    context: Context,
    filter: Filter,
    sort: str,
    first: int,
    after: str | None,
    chosen: frozenset[str],
    history: int | None,
) -> RequestConnection:
    """
    Args:
        chosen: names of the fields asked of each request; what none of them needs is not read.
        history: how many events of each request are asked for, newest first; None: none.
    """
    house = context.house
    # the position first: what changes while the page is read comes again in the stream, and is not lost
    position = await now_position(context, filter)
    page = await house.lists.page(filter, Sort(sort), checked_first(first), after, now=context.now)
    found = await context.desk.ledger.requests(page.ids, lean=not chosen & NEEDS_ALL)
    if history is not None:
        events = await house.log.history(page.ids, history + 1, None)
        context.cache["history", history, None] = {id: events.get(id, []) for id in page.ids}
    # between the two reads nothing vanishes: requests are never deleted
    nodes = [types.request(context, found[id]) for id in page.ids]
    info = page_info(page.cursors, page.has_next, page.has_previous)
    return RequestConnection(
        filter=filter,
        context=context,
        total=None,
        cursors=page.cursors,
        nodes=nodes,
        page_info=info,
        stream_cursor=Cursor(position),
    )


# What a lean read leaves out, or what depends on it: the order's other requests, and what stands beside this one.
NEEDS_ALL = frozenset({"availableActions", "offers", "disputes", "appeal", "details"})


async def requests_of_order(context: Context, order_id: str, first: int, after: str | None) -> RequestConnection:
    filter = all_visible(context.actor)
    position = await now_position(context, filter)
    ids = await context.loaders.order_requests.load(order_id)
    page, info = sliced(ids, first, after, lambda id: id)
    loaded = await context.loaders.full.load_many(list(page))
    found = [request for request in loaded if request is not None]
    nodes = [types.request(context, request) for request in found]
    return RequestConnection(
        filter=filter, context=context, total=len(ids), cursors=[str(node.id) for node in nodes], nodes=nodes,
        page_info=info, stream_cursor=Cursor(position),
    )  # fmt: skip

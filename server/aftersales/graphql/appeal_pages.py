"""Pages of appeals: a fixed small number of SQL statements, whatever the page's size."""

from collections.abc import Sequence
from dataclasses import replace

import strawberry

from ..engine.rights import sees_seller_side
from . import types
from .cases import AppealConnection, AppealEdge, appeal
from .context import Context
from .enums import AppealStatus
from .filters import all_visible
from .paging import checked_first, page_info
from .scalars import Cursor
from .stream_position import now_position


async def appeals_page(
    context: Context, shop_ids: Sequence[strawberry.ID] | None, statuses: Sequence[AppealStatus] | None, first: int,
    after: str | None,
) -> AppealConnection:  # fmt: skip
    wished = None if shop_ids is None else frozenset(str(id) for id in shop_ids)
    visible = replace(all_visible(context.actor), shop_ids=wished)
    shops = visible.shops if sees_seller_side(context.actor) else frozenset[str]()
    chosen = None if statuses is None else frozenset(status.value for status in statuses)
    # the position first: what changes while the page is read comes again in the stream, and is not lost
    position = await now_position(context, visible)
    page = await context.house.appeals.page(shops, chosen, checked_first(first), after)
    found = await context.desk.ledger.requests(page.ids)
    # whoever may see an appeal's shop may see the appeal, so that none of the page is left out
    nodes = [shown for id in page.ids if (shown := appeal(types.request(context, found[id])))]
    edges = [AppealEdge(cursor=Cursor(cursor), node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
    return AppealConnection(
        shops=shops, statuses=chosen, context=context, edges=edges, nodes=nodes,
        page_info=page_info(page.cursors, page.has_next, page.has_previous), stream_cursor=Cursor(position),
    )  # fmt: skip

"""Any record by its id. The prefix says what it is; what the caller may not see is not there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from ..engine.rights import acts_as, knows_clock, may_see
from ..engine.vocabulary import Party
from . import cases, orders, types
from .context import Context
from .doors import request_of
from .events import event, visible


async def find(context: Context, id: str) -> orders.Node | None:
    return (await find_many(context, [id]))[0]


async def find_many(context: Context, ids: Sequence[str]) -> list[orders.Node | None]:
    """In the order asked; the records of one sort are read together."""
    context.actor  # noqa: B018 - strangers are told who may ask
    found: dict[str, orders.Node] = {}
    for prefix, read in READERS.items():
        if wanted := list(dict.fromkeys(id for id in ids if id.startswith(prefix))):
            found |= await read(context, wanted)
    return [found.get(id) for id in ids]


Found = dict[str, orders.Node]


async def _requests(context: Context, ids: list[str]) -> Found:
    loaded = await context.loaders.visible.load_many(ids)
    return {request.id: types.request(context, request) for request in loaded if request}


async def _orders(context: Context, ids: list[str]) -> Found:
    loaded = await context.desk.ledger.orders(ids)
    return {
        id: orders.order(context, order)
        for id, order in loaded.items()
        if may_see(context.actor, order.shop.id, order.buyer_id)
    }


async def _shops(context: Context, ids: list[str]) -> Found:
    """A shop is known to its own people and to the platform; a buyer meets it through an order."""
    everywhere = acts_as(context.actor) not in (Party.SELLER, Party.BUYER)
    mine = [id for id in ids if everywhere or id in context.actor.shops]
    return {id: orders.shop(context, shop) for id, shop in (await context.desk.ledger.shops(mine)).items()}


async def _deadlines(context: Context, ids: list[str]) -> Found:
    requests = await context.loaders.visible.load_many([request_of(id) for id in ids])
    found: Found = {}
    for id, request in zip(ids, requests, strict=True):
        clock = next((clock for clock in request.clocks if clock.id == id), None) if request else None
        if request and clock and knows_clock(context.actor, clock.key):
            found[id] = types.deadline(types.request(context, request), clock)
    return found


async def _events(context: Context, ids: list[str]) -> Found:
    requests = await context.loaders.visible.load_many([request_of(id) for id in ids])
    kinds = {request.id: request.kind for request in requests if request}
    logged = await context.house.log.events(ids)
    return {
        of.id: event(context, of, kinds[of.request_id])
        for of in logged
        if of.request_id in kinds and visible(context, of)
    }


async def _evidence(context: Context, ids: list[str]) -> Found:
    stored = await context.desk.ledger.evidence(ids)
    owners = await context.loaders.visible.load_many([item.owner_id or "" for item in stored.values()])
    return {
        id: types.evidence(context, item)
        for (id, item), owner in zip(stored.items(), owners, strict=True)
        if item.evidence.uploaded_by == context.actor.id
        or (owner and (item.case_id is None or cases.shown_to(context, item)))
    }


async def _disputes(context: Context, ids: list[str]) -> Found:
    requests = await context.loaders.visible.load_many([request_of(id) for id in ids])
    shown = [types.request(context, request) for request in requests if request]
    there = {of.id: (request, of) for request in shown for of in request.of.disputes}
    return {id: cases.dispute(*there[id]) for id in ids if id in there}


async def _appeals(context: Context, ids: list[str]) -> Found:
    requests = await context.loaders.visible.load_many([request_of(id) for id in ids])
    shown = [cases.appeal(types.request(context, request)) for request in requests if request]
    there = {str(appeal.id): appeal for appeal in shown if appeal}
    return {id: there[id] for id in ids if id in there}


READERS: dict[str, Callable[[Context, list[str]], Awaitable[Found]]] = {
    "rq_": _requests,
    "or_": _orders,
    "sh_": _shops,
    "dl_": _deadlines,
    "ev_": _events,
    "ed_": _evidence,
    "di_": _disputes,
    "ap_": _appeals,
}

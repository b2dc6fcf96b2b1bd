"""Where a stream stands, as an opaque cursor: a position for each shop, or one for the whole log."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import dataclass
from typing import Protocol

from ..engine.filter import Filter
from ..engine.rights import acts_as
from ..engine.vocabulary import Party
from .context import Context
from .paging import invalid

# Beyond this many shops a cursor would outgrow the contract; the log's own order serves then.
MOST_SHOPS = 50


class Line(Protocol):
    @property
    def serial(self) -> int: ...
    @property
    def shop_id(self) -> str: ...
    @property
    def position(self) -> int: ...


@dataclass(slots=True)
class Position:
    """What of the log has been told.

    Args:
        shops: the last position told of each shop; None where the stream is not bound to few shops.
        serial: the last line told of the whole log, where `shops` is None.
        epoch: of which log: one that was restored from a backup has another. None: a cursor of before there was one.
    """

    shops: dict[str, int] | None = None
    serial: int = 0
    epoch: int | None = None

    def covers(self, line: Line) -> bool:
        if self.shops is None:
            return line.serial <= self.serial
        return line.position <= self.shops.get(line.shop_id, 0)

    def advance(self, line: Line) -> None:
        if self.shops is None:
            self.serial = max(self.serial, line.serial)
        elif line.shop_id in self.shops:
            self.shops[line.shop_id] = max(self.shops[line.shop_id], line.position)

    def cursor(self) -> str:
        told: dict[str, object] = {"s": self.serial} if self.shops is None else {"p": self.shops}
        if self.epoch is not None:
            told["e"] = self.epoch
        return (
            base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":"), sort_keys=True).encode())
            .decode()
            .rstrip("=")
        )


async def now(context: Context, filter: Filter) -> Position:
    """The end of the log, for this filter."""
    shops = filter.shops if filter.scope_buyer is None else None
    if shops is not None and len(shops) <= MOST_SHOPS:
        epoch, known = await context.house.log.ends(sorted(shops))
        return Position(shops={shop: known.get(shop, 0) for shop in shops}, epoch=epoch)
    epoch, serial = await context.house.log.end()
    return Position(serial=serial, epoch=epoch)


async def now_position(context: Context, filter: Filter) -> str:
    """The same for all pages of an operation, and of its beginning: what changes meanwhile comes in the stream."""
    key = "position", filter
    if key not in context.cache:
        context.cache[key] = asyncio.ensure_future(now(context, filter))
    position: Position = await context.cache[key]
    return position.cursor()


async def is_too_far_back(context: Context, position: Position) -> bool:
    """More was missed, or longer ago, than a stream makes up for: to read the page again is quicker, for both."""
    house, log = context.house, context.house.log
    if position.shops is None:
        buyer = context.actor.id if acts_as(context.actor) is Party.BUYER else None
        missed = await log.missed_after(position.serial, house.stream_lines, buyer)
    else:
        missed = await log.missed_of(position.shops, house.stream_lines)
    too_old = (
        house.stream_age is not None and missed.since is not None and missed.since < context.now - house.stream_age
    )
    return missed.cut or missed.lines > house.stream_lines or too_old


def parse(cursor: str, current: Position) -> Position:
    """
    Raises:
        GraphQLError: INVALID_INPUT if it is no cursor of a stream, or of a stream of another shape.
    """
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        epoch = _count(told["e"]) if "e" in told else None
        if current.shops is None:
            return Position(serial=_count(told["s"]), epoch=epoch)
        given = {str(shop): _count(position) for shop, position in dict(told["p"]).items()}
        # a shop that is new to the viewer starts from now; one that is gone is not followed
        return Position(
            shops={shop: given.get(shop, position) for shop, position in current.shops.items()}, epoch=epoch
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError):
        raise invalid(
            "This cursor is not of this stream: read the page again and take its streamCursor.", "after"
        ) from None


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(value)
    return value


def is_of_another_log(position: Position, current: Position) -> bool:
    """Also one that this log has not reached. After a restore the same places are given to other lines."""
    if position.epoch not in (None, current.epoch):
        return True
    if position.shops is None or current.shops is None:
        return position.serial > current.serial
    return any(position.shops[shop] > end for shop, end in current.shops.items())

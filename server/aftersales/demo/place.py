"""Takes up the demo's world where it was left."""

from dataclasses import dataclass
from random import Random

from ..clock import FastClock
from ..engine.vocabulary import Order
from ..running import Running, left_at, told_in_words
from ..settings import CannotStart, Settings
from ..store.database import Statement
from ..store.migrate import migrate
from ..store.urls import path_of
from .catalog import BY_SHOP
from .making import built
from .people import VISITOR
from .world import World

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Demo:
    """
    Args:
        orders: of the buyer whom a visitor may be; nobody has claimed them yet.
    """

    running: Running
    world: World
    orders: tuple[Order, ...]


async def take_up(settings: Settings, speed: float = 1.0) -> Demo:
    """The server of a demo that was made, and what lives in it.

    Raises:
        CannotStart: the database is no demo's.
    """
    with told_in_words(settings.database):
        await migrate(settings.database)
    running = await built(settings, FastClock(speed, await left_at(settings.database)))
    if (await running.desk.ledger.shops()).keys() != BY_SHOP.keys():
        await running.close()
        raise CannotStart(f"{path_of(settings.database)} is there, and is no demo's. Name another file, or none.")
    return Demo(running, World(running.desk, running.house.lists, Random()), await _unclaimed(running))


async def _unclaimed(running: Running) -> tuple[Order, ...]:
    [rows] = await running.database.read(
        Statement(
            "SELECT id FROM orders o WHERE buyer_id = ? AND state = 'DELIVERED'"
            " AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.order_id = o.id) ORDER BY delivered_at DESC LIMIT ?",
            (VISITOR, SHOWN),
        )
    )
    return tuple((await running.desk.ledger.orders([id for (id,) in rows])).values())

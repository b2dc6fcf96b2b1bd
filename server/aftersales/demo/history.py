"""Makes the demo's past: stories told in the order of their instants, through the desk, by a clock that travels."""

import heapq
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from ..desk import Desk
from ..engine.refusal import Refused
from ..engine.request import Request
from ..store.imports import ImportedOrder
from ..tender import Tender
from .acts import claim, perform
from .catalog import STALLS, UNPAYABLE, Stall
from .orders import to_be_claimed, unclaimed
from .stories import SILENCE, STORIES, Story

log = logging.getLogger("aftersales.demo")

# Hours since a story's last step: less than the shortest clock, or anything within three weeks.
JUST_NOW, LONG_AGO = (0.1, 20), (20, 500)
MOMENT = timedelta(milliseconds=1)


class Almanac:
    """A clock that shows what it is set to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


@dataclass(slots=True)
class Life:
    """One telling of a story.

    Args:
        hours: before each step that is to be told.
    """

    story: Story
    order: ImportedOrder
    hours: tuple[float, ...]
    told: int = 0
    request_id: str = ""


class History:
    """
    Args:
        now: when the past ends.
    """

    def __init__(self, desk: Desk, tender: Tender, almanac: Almanac, dice: Random, now: datetime) -> None:
        self._desk, self._tender, self._almanac, self._dice, self._now = desk, tender, almanac, dice, now
        self._agenda: list[tuple[datetime, int, Life]] = []

    async def make(self) -> None:
        """All of it. What a clock would have done in between, it does."""
        known = [story for story in STORIES if story.kind in self._desk.registry.kinds]
        lives = [self._life(story, *how) for story in known for how in _tellings(story)]
        orders = [*(life.order for _, life in lives), *unclaimed(self._dice, self._now)]
        await self._desk.ledger.import_shops([stall.shop for stall in STALLS])
        await self._desk.ledger.import_orders(orders, min(order.placed_at for order in orders))

        self._agenda = [(at, number, life) for number, (at, life) in enumerate(lives)]
        heapq.heapify(self._agenda)
        while self._agenda:
            at, number, life = heapq.heappop(self._agenda)
            if at < self._now:
                await self._travel(at)
                await self._tell(number, life)
        await self._travel(self._now)

    def _life(self, story: Story, until: int, since: tuple[float, float]) -> tuple[datetime, Life]:
        """A telling and when it begins, reckoned back from when its last step is to be."""
        dice = self._dice
        hours = tuple(dice.uniform(least, most) for _, least, most in story.steps[:until])
        begins = self._now - timedelta(hours=dice.uniform(*since) + sum(hours))
        at_home = story.at_home or not story.payable
        stall = dice.choice([stall for stall in STALLS if stall.currency == "IDR"] if at_home else STALLS)
        kind = self._desk.registry.kinds[story.kind]
        return begins, Life(story, to_be_claimed(dice, story, kind, stall, begins, self._buyer(story, stall)), hours)

    def _buyer(self, story: Story, stall: Stall) -> str | None:
        if not story.payable:
            return UNPAYABLE
        # a visitor may be Dewi, who should find something
        return "Dewi" if "Dewi" in stall.buyers and self._dice.random() < 0.1 else None

    async def _travel(self, to: datetime) -> None:
        """Go there, and let time act on the way, at each instant that matters."""
        almanac = self._almanac
        while (at := await self._tender.next_instant()) and at <= to:
            almanac.at = max(almanac.at, at)
            await self._tender.tend()
        almanac.at = to

    async def _tell(self, number: int, life: Life) -> None:
        try:
            request = await (self._next(life) if life.request_id else self._first(life))
        except Refused as refused:
            log.warning("the demo's story of %s ends early: %s", life.order.number, refused)
            return
        life.request_id = request.id
        if life.told < len(life.hours) and (at := self._when(life, request)):
            heapq.heappush(self._agenda, (at, number, life))

    async def _first(self, life: Life) -> Request:
        story, order = life.story, await self._desk.ledger.order(life.order.id)
        assert order is not None
        return await claim(
            self._desk, self._dice, order, story.kind, story.reason, story.method, story.note, single=story.single
        )

    async def _next(self, life: Life) -> Request:
        request = await self._desk.ledger.request(life.request_id)
        assert request is not None
        step, life.told = life.story.steps[life.told][0], life.told + 1
        return request if step == SILENCE else await perform(self._desk, self._dice, request, step)

    def _when(self, life: Life, request: Request) -> datetime | None:
        """When the next step is taken; None where silence is awaited and no clock runs."""
        if life.story.steps[life.told][0] != SILENCE:
            return self._almanac.at + timedelta(hours=life.hours[life.told])
        clock = request.next_clock
        return clock.due_at + MOMENT if clock and clock.due_at else None


def _tellings(story: Story) -> Iterator[tuple[int, tuple[float, float]]]:
    """How far and how long ago: so often to the end, and once, just now, as far as each step."""
    yield from [(len(story.steps), LONG_AGO)] * story.times
    yield from [(until, JUST_NOW) for until in range(len(story.steps) + 1)]

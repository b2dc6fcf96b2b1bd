"""Life in the demo goes on: buyers claim, carriers scan, sellers decide or sleep, one act every other second."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime
from random import Random
from zlib import crc32

from ..desk import Desk
from ..engine.filter import Filter
from ..engine.refusal import Problem, Refused
from ..engine.request import Request
from ..engine.vocabulary import ReturnMethod, Status
from ..store.lists import Lists, Sort
from .acts import claim, perform
from .catalog import STALLS
from .orders import to_be_claimed
from .stories import STORIES

log = logging.getLogger("aftersales.demo")

PAUSE = (1.0, 3.0)
TRIES = 10
# Of active requests: beyond it nobody claims, so that a demo left alone does not grow without end.
MOST_ACTIVE = 250
ACTIVE = frozenset(status for status in Status if not status.final)
# How often an act is a new claim.
CLAIMS = 0.25
# At each stage so many are left, for those who look; and from so many on, sleepers wake.
FEW, MANY = 4, 20
# One in so many sellers never looks at a request, and time decides for them.
SLEEPERS = 4

# What is done at a stage, and how readily. What a kind does not know, or the moment does not allow, is not done.
HABITS: Mapping[str, Mapping[str, int]] = {
    "pending_review": {
        "approve": 12,
        "approve half": 1,
        "keep it": 1,
        "reject": 3,
        "reject, shown": 1,
        "withdraw": 1,
        "step in": 1,
        "offer half": 1,
    },
    "awaiting_buyer_response": {"take the offer": 3, "no, thanks": 2},
    "awaiting_buyer_ship": {
        "hand over": 6,
        "fix a time": 6,
        "nobody at home": 1,
        "send it oneself": 6,
        "have it fetched": 1,
        "withdraw": 1,
    },
    "return_in_transit": {"deliver": 12, "parcel came": 12, "lose": 1},
    "pending_inspection": {"accept parcel": 5, "reject parcel": 1},
    "rejected": {
        "ask again": 3,
        "withdraw": 1,
        "dispute": 2,
        "show mine": 1,
        "show ours": 1,
        "judge for buyer": 1,
        "judge for seller": 1,
    },
    "awaiting_seller_ship": {"arrange": 1, "send out": 8, "cannot send": 1},
    "outbound_in_transit": {"deliver": 12, "lose": 1},
    "package_rejected": {"close": 1},
}
SORTS = (Sort.CREATED_DESC, Sort.NEXT_DEADLINE)
METHODS = (ReturnMethod.DROP_OFF, ReturnMethod.DROP_OFF, ReturnMethod.PICK_UP, ReturnMethod.SELF_ARRANGED)


class World:
    """
    Args:
        pause: at least and at most so many real seconds between two acts, whatever the speed of the clock.
    """

    def __init__(self, desk: Desk, lists: Lists, dice: Random, pause: tuple[float, float] = PAUSE) -> None:
        self._desk, self._lists, self._dice, self._pause = desk, lists, dice, pause

    async def play(self) -> None:
        """Until canceled. What goes wrong in it is logged, and life goes on."""
        while True:
            await asyncio.sleep(self._dice.uniform(*self._pause))
            try:
                await self.act()
            except Exception:
                log.exception("something went wrong in the demo's world, which goes on")

    async def act(self) -> Request | None:
        """One thing happens; nothing, if all that was tried is refused."""
        for _ in range(TRIES):
            try:
                return await self._something()
            except Refused as refused:
                log.debug("the demo's world was refused: %s", refused)
        return None

    async def _something(self) -> Request:
        dice, now = self._dice, self._desk.clock()
        active = sum(count.count for count in await self._lists.counts(Filter(statuses=ACTIVE), now=now))
        if active < MOST_ACTIVE and dice.random() < CLAIMS:
            return await self._claim(now)
        stage = frozenset({dice.choice(list(HABITS))})
        page = await self._lists.page(Filter(stages=stage), dice.choice(SORTS), 50, now=now)
        ids = [id for id in page.ids if not asleep(id)]
        if len(ids) < FEW:
            if active < MOST_ACTIVE:
                return await self._claim(now)
            # too much is left lying: today even those look who else would not
            ids = list(page.ids) if len(page.ids) > MANY else []
        request = await self._desk.ledger.request(dice.choice(ids)) if ids else None
        if request is None:
            raise Refused([Problem("INVALID_STATE", "Nothing is to be done here.")])
        habits = HABITS.get(request.stage.name, {})
        [name] = dice.choices(list(habits), list(habits.values()))
        return await perform(self._desk, dice, request, name)

    async def _claim(self, now: datetime) -> Request:
        """Somebody has bought something, and is not content."""
        desk, dice = self._desk, self._dice
        story = dice.choice([story for story in STORIES if story.kind in desk.registry.kinds])
        kind = desk.registry.kinds[story.kind]
        imported = to_be_claimed(dice, story, kind, dice.choice(STALLS), now)
        await desk.ledger.import_orders([imported], now)
        order = await desk.ledger.order(imported.id)
        assert order is not None
        method = dice.choice(METHODS) if kind.sends_back else None
        return await claim(desk, dice, order, story.kind, story.reason, method, story.note, single=story.single)


def asleep(request_id: str) -> bool:
    """Whether nobody cares for this request: always the same ones, also after a restart."""
    return crc32(request_id.encode()) % SLEEPERS == 0

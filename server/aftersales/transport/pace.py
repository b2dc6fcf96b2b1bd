"""Bursts are taken in small pieces, so that between two of them everybody else has the loop."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from .refusal import SOON, Turned

# Begun in one turn of the loop: some milliseconds of work.
AT_ONCE = 2
# In points: an operation takes one place in its caller's lane for each of these.
UNIT = 100
# Of one caller's operations, how many may wait for each that runs.
WAITING = 5


class Pace:
    """Lets a few pieces of work begin in each turn of the loop; where more come, each caller in turn.

    Args:
        pause: until the next turn, in seconds; 0: it is the loop's own next one.
    """

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.waiting: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        self.left = AT_ONCE  # that may begin before the next turn

    def do(self, work: Callable[[], None], who: str = "") -> None:
        """Now, if nobody waits, or soon."""
        if self.left and not self.waiting:
            self._begin(work)
        else:
            self.waiting.setdefault(who, deque()).append(work)

    async def turn(self, who: str = "") -> None:
        """Waits until it is one's turn."""
        come = asyncio.Event()
        self.do(come.set, who)
        if not come.is_set():
            await come.wait()

    def _begin(self, work: Callable[[], None]) -> None:
        if self.left == AT_ONCE:
            loop = asyncio.get_running_loop()
            if self.pause:
                loop.call_later(self.pause, self._next_turn)
            else:
                loop.call_soon(self._next_turn)
        self.left -= 1
        work()

    def _next_turn(self) -> None:
        self.left = AT_ONCE
        while self.left and self.waiting:
            who, works = self.waiting.popitem(last=False)
            work = works.popleft()
            if works:
                self.waiting[who] = works
            self._begin(work)


class Lane:
    """So many units at once; who needs more than are free waits, and nobody overtakes."""

    def __init__(self, width: int) -> None:
        self.free = width
        self.people = 0
        self._waiting: deque[tuple[int, asyncio.Event]] = deque()

    async def enter(self, units: int) -> None:
        if not self._waiting and units <= self.free:
            self.free -= units
            return
        place = units, asyncio.Event()
        self._waiting.append(place)
        try:
            await place[1].wait()
        except asyncio.CancelledError:
            if place[1].is_set():
                self.leave(units)
            else:
                self._waiting.remove(place)
                self._let_in()
            raise

    def leave(self, units: int) -> None:
        self.free += units
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.free:
            units, come = self._waiting.popleft()
            self.free -= units
            come.set()


class Lanes:
    """A lane for each caller: so many cheap operations run side by side, and what is dear runs alone."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.of: dict[str, Lane] = {}

    @asynccontextmanager
    async def one(self, who: str, cost: int) -> AsyncIterator[None]:
        """
        Raises:
            Turned: 429 TOO_MANY_AT_ONCE.
        """
        lane = self.of.get(who) or Lane(self.width)
        if lane.people >= self.width * (1 + WAITING):
            message = "Too many operations of yours at once. Try again in a second."
            raise Turned(429, "TOO_MANY_AT_ONCE", message, headers=(SOON,), retryable=True)
        self.of[who] = lane
        units = min(self.width, 1 + cost // UNIT)
        lane.people += 1
        try:
            await lane.enter(units)
            try:
                yield
            finally:
                lane.leave(units)
        finally:
            lane.people -= 1
            if not lane.people:
                del self.of[who]

"""Who follows what. One reader of the log for all followers; the log is the truth, an announcement only a nudge."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from .engine.request import Change, Request

log = logging.getLogger("aftersales.feed")

QUEUE = 256
Key = tuple[str, str]
OF_ALL: Key = ("", "")
BATCH = 500
POLL_SECONDS = 1.0
RETRY_SECONDS = 0.5


class Logged(Protocol):
    """What the feed must know of a line of the log."""

    @property
    def serial(self) -> int: ...
    @property
    def request_id(self) -> str: ...
    @property
    def shop_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the log, with the request as it stands now."""

    event: Logged
    request: Request


class Lagged(Exception):
    """A follower did not keep up with its bounded queue. It must go back to the log; memory is not the answer."""


class Follower:
    """One stream's queue. Bounded: whoever is slower than that is told so, and nobody else waits."""

    def __init__(self, wants: Callable[[Request], bool], capacity: int = QUEUE) -> None:
        self.wants = wants
        self._queue: deque[Told] = deque()
        self._capacity = capacity
        self._ready = asyncio.Event()
        self._lagged = False
        self._closed = False

    def put(self, told: Told) -> None:
        if len(self._queue) >= self._capacity:
            self._lagged = True
            self._queue.clear()
        elif not self._lagged:
            self._queue.append(told)
        self._ready.set()

    def rejoin(self) -> None:
        """Follow anew from here on, once what was lost is to be read from the log."""
        self._queue.clear()
        self._lagged = False

    @property
    def idle(self) -> bool:
        """Whether everything that was handed to it has been taken."""
        return not self._queue and not self._lagged

    def close(self) -> None:
        self._closed = True
        self._ready.set()

    async def next(self, timeout: float) -> Told | None:
        """The next line; None when nothing came within `timeout` seconds.

        Raises:
            Lagged: lines were lost to this follower.
            StopAsyncIteration: the server is going down.
        """
        if not self._queue and not self._lagged and not self._closed:
            self._ready.clear()
            if not await happens(self._ready, timeout):
                return None
        if self._lagged:
            raise Lagged
        if self._queue:
            return self._queue.popleft()
        if self._closed:
            raise StopAsyncIteration
        return None


class Feed:
    """Reads the log once as it grows and hands each line to those who want it.

    Args:
        read: lines after a serial, in order, at most so many.
        last: the serial of the last line there is.
        load: requests by id, in a fixed number of statements.
    """

    def __init__(
        self,
        read: Callable[[int, int], Awaitable[Sequence[Logged]]],
        last: Callable[[], Awaitable[int]],
        load: Callable[[Sequence[str]], Awaitable[Mapping[str, Request]]],
        capacity: int = QUEUE,
    ) -> None:
        self._read, self._last, self._load = read, last, load
        self._capacity = capacity
        self._followers: set[Follower] = set()
        # by what it is about: asked one by one, a thousand followers would cost more than all else of a line
        self._of: defaultdict[Key, set[Follower]] = defaultdict(set)
        self._nudge = asyncio.Event()
        self.serial: int | None = None

    def announce(self, changes: Sequence[Change]) -> None:
        """Something was committed. What exactly, the log says, to those who follow."""
        if self._followers:
            self._nudge.set()

    @property
    def followers(self) -> int:
        return len(self._followers)

    @contextmanager
    def follow(
        self, wants: Callable[[Request], bool], *, shops: Collection[str] | None = None, buyer_id: str | None = None
    ) -> Iterator[Follower]:
        """
        Args:
            wants: whether it is to hear of a request.
            shops: it wants none of other shops; None: of any.
            buyer_id: it wants none of other buyers; None: of any.
        """
        follower = Follower(wants, self._capacity)
        keys: list[Key] = [OF_ALL]
        if buyer_id is not None:
            keys = [("buyer", buyer_id)]
        elif shops is not None:
            keys = [("shop", shop) for shop in shops]
        self._followers.add(follower)
        for key in keys:
            self._of[key].add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)
            for key in keys:
                self._of[key].discard(follower)
                if not self._of[key]:
                    del self._of[key]

    async def begin(self) -> int:
        """Take up the log where it ends now, once: before the first follower may come, so that none misses a line."""
        if self.serial is None:
            self.serial = await self._last()
        return self.serial

    async def run(self) -> None:
        """Until canceled. A failing read is logged, once, and tried again: followers lose time, not lines."""
        failing: type[Exception] | None = None
        try:
            while True:
                try:
                    await self.begin()
                    await self._catch_up()
                    if failing:
                        log.warning("the feed reads the log again")
                    failing = None
                    await happens(self._nudge, POLL_SECONDS)
                except Exception as error:
                    if failing is not type(error):
                        log.exception("the feed cannot read the log, and tries until it can")
                    failing = type(error)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            for follower in tuple(self._followers):
                follower.close()

    async def _catch_up(self) -> None:
        serial = await self.begin()
        if not self._followers:
            last = await self._last()
            # unless somebody came meanwhile, who may be owed some of these lines
            if not self._followers:
                self.serial = last
                return
        while True:
            self._nudge.clear()
            lines = await self._read(serial, BATCH)
            if lines and self._followers:
                await self._hand_out(lines)
            if lines:
                self.serial = serial = lines[-1].serial
            if not lines:
                return

    async def _hand_out(self, lines: Sequence[Logged]) -> None:
        requests = await self._load(list(dict.fromkeys(line.request_id for line in lines)))
        for line in lines:
            request = requests.get(line.request_id)
            if request is None:
                continue
            told, order = Told(line, request), request.order
            for key in (OF_ALL, ("shop", order.shop.id), ("buyer", order.buyer_id)):
                # get: to look must make no entry
                for follower in self._of.get(key, ()):
                    if follower.wants(request):
                        follower.put(told)


async def happens(event: asyncio.Event, within: float) -> bool:
    """Wait so many seconds for it at most."""
    try:
        # not wait_for, which on Python 3.11 swallows a cancellation that comes together with the event
        async with asyncio.timeout(within):
            return await event.wait()
    except TimeoutError:
        return False


async def backlog(
    read: Callable[[int], Awaitable[Sequence[Logged]]],
    load: Callable[[Sequence[str]], Awaitable[Mapping[str, Request]]],
) -> AsyncIterator[Told]:
    """Lines that a returning follower missed, page by page; `read` moves on by itself and ends with an empty page."""
    while lines := await read(BATCH):
        requests = await load(list(dict.fromkeys(line.request_id for line in lines)))
        for line in lines:
            if request := requests.get(line.request_id):
                yield Told(line, request)

"""Where the server's time comes from: the system, a database that is shared, or for a demo one that runs faster."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

log = logging.getLogger("aftersales.clock")

LOOK_SECONDS = 1.0
# Much more than two clocks drift apart in a second.
DRIFT = 0.001
BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def ticks() -> float:
    """Seconds that only ever grow; also while the machine sleeps, where it can tell."""
    return time.clock_gettime(BOOT) if BOOT is not None else time.monotonic()


class SystemClock:
    """The time of the machine."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


class SharedClock:
    """The time of the one that all servers on a record ask, as each can tell it at any moment: between two looks it is
    counted on, so that setting the host's own clock moves nothing.

    Args:
        ask: what time it is there.
        ticks: real seconds that only ever grow.
    """

    def __init__(self, ask: Callable[[], Awaitable[datetime]], ticks: Callable[[], float] = ticks) -> None:
        self._ask, self._ticks = ask, ticks
        self._shown = datetime.now(UTC)
        self._at = ticks()
        self._unsure = float("inf")

    def __call__(self) -> datetime:
        return self._shown + timedelta(seconds=self._ticks() - self._at)

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()

    async def look(self) -> None:
        """Set it. An answer that was long on its way says little, and is heeded only if it must be right."""
        before = self._ticks()
        told = await self._ask()
        after = self._ticks()
        unsure = (after - before) / 2
        shown = told + timedelta(seconds=unsure)
        counted = self._shown + timedelta(seconds=after - self._at)
        apart = abs((shown - counted).total_seconds())
        known = self._unsure + (after - self._at) * DRIFT
        certain = apart > unsure + known + DRIFT
        if certain:
            log.warning("the database's time is %.3f s from what was counted on from the last look", apart)
        if certain or unsure <= known:
            self._shown, self._at, self._unsure = shown, after, unsure

    async def run(self) -> None:
        """Until canceled. Where nobody answers, it counts on."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception as error:
                log.debug("nobody tells the time: %r", error)


class FastClock:
    """Runs `speed` times as fast as the machine's, from a given instant. Never backwards, whatever the machine's does.

    Args:
        speed: 3600: an hour passes in a second.
        start: what it shows now.
        ticks: real seconds that only ever grow.
    """

    def __init__(self, speed: float, start: datetime, ticks: Callable[[], float] = time.monotonic) -> None:
        if not speed > 0:
            raise ValueError("time does not stand still, nor run backwards")
        self.speed = speed
        self._start = start.astimezone(UTC)
        self._ticks = ticks
        self._began = ticks()

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=(self._ticks() - self._began) * self.speed)

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds() / self.speed

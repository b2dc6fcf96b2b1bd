"""Where the server's time comes from: the system, or for a demo one that runs faster."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The time of the machine."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


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

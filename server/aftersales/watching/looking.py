"""Figures that are looked up when somebody asks for them: how the record stands, and how busy the loop is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from threading import Event, Lock
from time import monotonic

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .figures import PREFIX

log = logging.getLogger("aftersales.watching")

# Together less than two seconds: whoever asks must not wait for a database that is gone.
LOOP_SECONDS = 0.4
DATABASE_SECONDS = 1.4
# Seconds that an answer is good for, so that many who ask cost the database no more than one does.
FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """A figure: `labels` and the values of each."""

    name: str
    meaning: str
    values: Sequence[tuple[tuple[str, ...], float]]
    labels: tuple[str, ...] = ()


Look = Callable[[], Awaitable[Sequence[Found]]]


class Looking(Collector):
    """Asked in any thread; looks in the server's loop, one at a time."""

    def __init__(self, look: Look, loop: asyncio.AbstractEventLoop) -> None:
        self._look, self._loop = look, loop
        self._one = Lock()
        self._last: tuple[float, list[Found]] | None = None

    def collect(self) -> Iterator[Metric]:
        with self._one:
            if self._last is None or monotonic() - self._last[0] > FRESH_SECONDS:
                found = [*self._looked()]
                self._last = monotonic(), found
            found = self._last[1]
        for each in found:
            family = GaugeMetricFamily(f"{PREFIX}_{each.name}", each.meaning, labels=each.labels)
            for labels, value in each.values:
                family.add_metric(labels, value)
            yield family

    def _looked(self) -> Iterator[Found]:
        held_up, taken_up = self._loop_lag()
        yield one("loop_lag_seconds", "That work which was ready had to wait for its turn, just now.", held_up)
        answer = self._answer() if taken_up else None
        up = answer is not None
        yield one("database_up", "Whether the database answered just now: 0, and its figures are missing.", float(up))
        yield from answer or ()

    def _loop_lag(self) -> tuple[float, bool]:
        turn, asked = Event(), monotonic()
        try:
            self._loop.call_soon_threadsafe(turn.set)
        except RuntimeError:
            # it has ended
            return 0.0, False
        taken_up = turn.wait(LOOP_SECONDS)
        return monotonic() - asked, taken_up

    def _answer(self) -> Sequence[Found] | None:
        async def within() -> Sequence[Found]:
            async with asyncio.timeout(DATABASE_SECONDS):
                return await self._look()

        asking = asyncio.run_coroutine_threadsafe(within(), self._loop)
        try:
            return asking.result(DATABASE_SECONDS + 0.1)
        except (Exception, CancelledError) as error:
            asking.cancel()
            log.warning("the database's figures are missing: %s", type(error).__name__)
            return None


def one(name: str, meaning: str, value: float) -> Found:
    return Found(name, meaning, [((), value)])

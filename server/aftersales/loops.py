"""Work that goes on by itself for as long as the server does."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

log = logging.getLogger("aftersales.loops")

STOPPING_SECONDS = 5.0

Work = Coroutine[Any, Any, None]


class Loops:
    """Started together, stopped together, and asked whether all still run."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, works: Mapping[str, Work]) -> None:
        self._tasks = {name: asyncio.create_task(work, name=name) for name, work in works.items()}

    @property
    def ended(self) -> list[str]:
        """What should run and does not."""
        return [name for name, task in self._tasks.items() if task.done()]

    async def stop(self) -> None:
        """End all, and wait for it, but not for ever. What has begun in the database ends there as a whole."""
        for task in self._tasks.values():
            task.cancel()
        if not self._tasks:
            return
        done, late = await asyncio.wait(self._tasks.values(), timeout=STOPPING_SECONDS)
        for task in done:
            if not task.cancelled() and task.exception():
                log.error("%s had ended", task.get_name(), exc_info=task.exception())
        for task in late:
            log.error("%s did not end within %s s", task.get_name(), STOPPING_SECONDS)

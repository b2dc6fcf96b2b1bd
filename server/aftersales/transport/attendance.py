"""Notices that a caller has left, so that work for nobody ends."""

import asyncio
from types import TracebackType

from starlette.types import Receive

from .body import Left


class Attendance:
    """Cancels what runs inside it when the caller hangs up, and raises `Left` instead.

    Looks only after a while: nearly every operation is done by then and pays for a timer, not a task.
    """

    def __init__(self, receive: Receive, patience_seconds: float) -> None:
        self.receive = receive
        self.patience_seconds = patience_seconds
        self.left = False
        self.watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.work = task
        self.timer = task.get_loop().call_later(self.patience_seconds, self._look)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.timer.cancel()
        if self.watch:
            self.watch.cancel()
        if self.left:
            self.work.uncancel()
            if kind is asyncio.CancelledError:
                raise Left from None

    def _look(self) -> None:
        self.watch = self.work.get_loop().create_task(self._wait())

    async def _wait(self) -> None:
        await departure(self.receive)
        self.left = True
        self.work.cancel()


async def departure(receive: Receive) -> None:
    """Ends when the caller hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass

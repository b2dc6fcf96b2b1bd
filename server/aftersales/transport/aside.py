"""Work that would hold the loop is done aside: in one thread, piece after piece, so that others go on meanwhile."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from traceback import clear_frames
from typing import TypeVar, TypeVarTuple

from .refusal import SOON, Turned, busy
from .stack import big_stack

# A piece takes up to a tenth of a second. Whoever comes when so many wait is told at once.
MOST_WAITING = 30
# Of one caller, so that nobody takes all the places.
OF_ONE = 6

Answer = TypeVar("Answer")
Args = TypeVarTuple("Args")


class Aside:
    """The thread shares the interpreter with the loop, which gets its turn every five milliseconds."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()
        self.waiting = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aside")

    async def run(self, who: str, function: Callable[[*Args], Answer], *args: *Args) -> Answer:
        """What the function gives. It must not touch what the loop changes.

        Raises:
            Turned: 503 BUSY; 429 TOO_MANY_AT_ONCE when they are the caller's own.
        """
        if self.of[who] >= OF_ONE:
            message = f"At most {OF_ONE} new documents of yours at once. Try again in a second."
            raise Turned(429, "TOO_MANY_AT_ONCE", message, headers=(SOON,), retryable=True)
        if self.waiting >= MOST_WAITING:
            raise busy("new documents")
        self.waiting += 1
        self.of[who] += 1
        try:
            # what nobody waits for any more is not begun
            return await asyncio.get_running_loop().run_in_executor(self._thread, big_stack(swept), function, *args)
        finally:
            self.waiting -= 1
            self.of[who] -= 1
            if not self.of[who]:
                del self.of[who]

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def swept(function: Callable[[*Args], Answer], *args: *Args) -> Answer:
    """A large document leaves tens of thousands of objects in circles, which only the collector frees.

    Looked for on the way, they would grow old and hold everybody up for a third of a second later. So they are looked
    for once, at the end, while they are young.
    """
    gc.disable()
    try:
        return function(*args)
    except Exception as refused:
        # on its way up it holds the frames below and with them the document, which would so be seen to live
        cause: BaseException | None = refused
        while cause:
            clear_frames(cause.__traceback__)
            cause = cause.__context__
        raise
    finally:
        gc.enable()
        gc.collect(1)

"""Room for the interpreter's frames, so that a deep and hot call does not pay for it again and again."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Of 8 bytes: a little over 512 kB, so that the interpreter takes a chunk of 1 MB and half of it stays free.
SLOTS = 66_000


def big_stack(function: Callable[P, R], slots: int = SLOTS) -> Callable[P, R]:
    """The function, run so that everything below it shares one large chunk of stack.

    CPython 3.11 keeps its frames in chunks of 16 kB and gives a chunk back at once when the last frame
    leaves it. A hot loop that calls across such an edge maps and unmaps memory for each call and takes up
    to eight times as long (cpython gh-142183). Harmless where that is mended.
    """

    def run(*args: Any, **named: Any) -> R:
        return function(*args, **named)

    run.__code__ = run.__code__.replace(co_stacksize=slots)
    return run

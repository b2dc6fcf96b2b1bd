"""Which request is being handled, as far as the log and the trace must know it."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from random import getrandbits

# Hexadecimal digits and dashes, as a UUID or a number of a trace: no name, no address and no token is written so.
SAFE_ID = re.compile(r"[0-9a-f-]{16,64}", re.ASCII | re.IGNORECASE)
# The first version of the W3C's header. A later one begins as this one does.
PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.ASCII)


@dataclass(slots=True)
class Handling:
    """
    Args:
        request_id: ours, or the caller's own.
        parent: the `traceparent` that the caller sent, if it is one; its trace is then `trace_id`.
        problems: how many have been told of so far.
        parts: how many operations a socket has carried.
    """

    request_id: str
    trace_id: str = ""
    parent: str = ""
    problems: int = 0
    parts: int = 0

    def part(self) -> Handling:
        """One operation of a socket."""
        self.parts += 1
        return Handling(f"{self.request_id}.{self.parts}", self.trace_id, self.parent)


current: ContextVar[Handling | None] = ContextVar("aftersales_handling", default=None)


def handling(request_id: str = "", parent: str = "") -> Handling:
    """
    Args:
        request_id, parent: as they were sent. What is not of a safe form is not taken up, nor quoted anywhere.
    """
    known = PARENT.fullmatch(parent)
    return Handling(
        request_id if SAFE_ID.fullmatch(request_id) else f"{getrandbits(128):032x}",
        known[1] if known else "",
        parent if known else "",
    )


def begin_part() -> None:
    """From here on, this task handles an operation of its own."""
    if (whole := current.get()) is not None:
        current.set(whole.part())

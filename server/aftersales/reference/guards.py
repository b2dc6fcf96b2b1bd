"""The chapter on guards: what must hold, in the words of those who ask for it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..engine.kind import Kind
from ..engine.machines import MACHINES
from ..engine.opening import GUARDS
from .markdown import code, table
from .phrases import first_line

CITED = re.compile(r"([A-Z][A-Z_0-9]*): ")

OPENING = """
A claim becomes a request (C1), or takes the place of another (C2, C8), if all of these let it pass; a resubmission has
no window but its own clock.
"""
ALWAYS = """
Of every act: the caller's party and grant, the version they saw (`G_VERSION`), and that no clock of the request has
run out (`G_IN_TIME`; C20 alone may come late). Of some acts, as the tables say:
"""


def chapter(kinds: Iterable[Kind]) -> str:
    asked = ((code(name), said(guard)[1]) for name, guard in GUARDS.items())
    held = ((code(name), *said(guard)) for name, guard in sorted(of_rows(kinds).items()))
    return "\n\n".join(
        (
            "## Guards", OPENING.strip(), table(("Guard", "What must hold"), asked),
            ALWAYS.strip(), table(("Guard", "Number", "What must hold"), held),
        )
    )  # fmt: skip


def of_rows(kinds: Iterable[Kind]) -> Mapping[str, Any]:
    processes = [*(kind.process for kind in kinds), *(machine.process for machine in MACHINES.values())]
    return {
        name(guard): explained(guard)
        for process in processes
        for row in process.rows
        for guard in (*row.gates, *row.guards)
    }


def name(guard: Any) -> str:
    """The function's, or that of the guard's class, in the same writing."""
    own = getattr(guard, "__qualname__", type(guard).__name__)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", str(own).partition(".")[0].lstrip("_")).lower()


def explained(guard: Any) -> Any:
    """What has the sentence: the function, or the class that the guard is of."""
    return guard if hasattr(guard, "__qualname__") else type(guard)


def said(guard: Any) -> tuple[str, str]:
    """The number that it cites, if it does, and what must hold."""
    cited = CITED.match(line := first_line(guard))
    number, text = (cited[1], line[cited.end() :]) if cited else ("", line)
    return number, text[:1].upper() + text[1:]


def unexplained(kinds: Iterable[Kind]) -> Iterator[str]:
    """Guards that do not say what must hold."""
    for guard, function in {**of_rows(kinds), **GUARDS}.items():
        if not first_line(function):
            yield guard

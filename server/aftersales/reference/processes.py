"""The chapter on a kind of request: its picture, its stages and the rows of its table."""

from collections.abc import Iterator
from dataclasses import replace

from ..engine.diagram import diagram
from ..engine.kind import Kind
from ..engine.machines import Machine
from ..engine.process import Process, Transition
from ..engine.stages import PENDING_REVIEW, expired_key
from .guards import name
from .markdown import code, codes, table
from .phrases import parties

STAGES = ("Stage", "In words", "Status", "Waits for", "Clock")
ROWS = ("Rule", "From", "Act", "By", "To", "Must hold", "Clocks", "Events", "Grant", "In words")


def chapter(kind: Kind) -> str:
    return "\n\n".join(
        (
            f"## {kind.label} (`{kind.name}`)",
            f"```mermaid\n{diagram(kind.process)}```",
            table(STAGES, stages(kind.process)),
            table(ROWS, rows(kind.process)),
        )
    )


ABOUT = {
    "dispute": """
## Disputes

A buyer takes a rejection to the platform, before any money moves (C9). What the decision does to the request stands in
the tables above: C11 to C14. Rows that begin with DI are numbered here, as the model's table of section 5 has no
numbers.
""",
    "appeal": """
## Appeals

A seller asks the platform to make good a refund that others granted. The first ground that holds, when its act comes,
opens the only window (AP1); the buyer's refund stays. Rows that begin with AP are numbered here, as the model's table
of section 6 has no numbers; AP12, the payment of what was granted, stands in the tables above.
""",
}


def beside(name: str, machine: Machine) -> str:
    """The chapter on a machine beside the request."""
    return "\n\n".join(
        (
            ABOUT[name].strip(),
            f"```mermaid\n{diagram(machine.process, machine.begins)}```",
            table(STAGES, stages(machine.process)),
            table(ROWS, rows(machine.process)),
        )
    )


def stages(process: Process) -> Iterator[tuple[str, ...]]:
    for stage in process.stages.values():
        waits = "" if stage.final else parties(stage.waits_for)
        yield code(stage.name), stage.label, code(stage.status.value), waits, codes(stage.clocks, " or ")


def rows(process: Process) -> Iterator[tuple[str, ...]]:
    for row, sources in gathered(process):
        yield (
            row.rule, codes(sources), act(row), parties(row.by), target(row), ", ".join(must_hold(row)),
            ", ".join(clocks(row)), ", ".join(row.events), row.grant, row.label,
        )  # fmt: skip


def gathered(process: Process) -> Iterator[tuple[Transition, list[str]]]:
    """Rows that differ in nothing but where they begin are one."""
    found: dict[Transition, list[Transition]] = {}
    for row in process.rows:
        found.setdefault(replace(row, on=PENDING_REVIEW), []).append(row)
    for same in found.values():
        yield same[0], [row.on.name for row in same]


def act(row: Transition) -> str:
    key = expired_key(row.action)
    return f"⏱ {code(key)}" if key else code(row.action)


def target(row: Transition) -> str:
    if row.converts:
        return "another kind"
    where = code(row.target.name) if row.target else "stays"
    return f"{where} ({row.closes.value})" if row.closes else where


def must_hold(row: Transition) -> Iterator[str]:
    for guard in (*row.gates, *row.guards):
        yield code(name(guard))
    if row.when:
        yield f"if {code(name(row.when))}"


def clocks(row: Transition) -> Iterator[str]:
    """What differs from "a stage's clock runs while the request is there"."""
    if row.restarts:
        yield "the stage's own anew" + (", no later than before" if row.no_later else "")
    for key in row.starts:
        yield f"starts {code(key)}"
    for key in row.stops:
        yield f"stops {code(key)}" + (", the actor's own" if row.own else "")
    for key in row.pauses:
        yield f"pauses {code(key)}"
    for key in row.resumes:
        yield f"{code(key)} goes on with what was left, at least {row.at_least.total_seconds() / 3600:g} h"
    for key in row.keeps:
        yield f"{code(key)} goes on"
    if row.target and row.target.name != row.on.name:
        fresh = [key for key in row.target.clocks if key not in (*row.on.clocks, *row.resumes)]
        same = [key for key in row.target.clocks if key in row.on.clocks]
        yield from (["starts " + codes(fresh, " or ")] if fresh else [])
        yield from (f"{'or ' if fresh else ''}{code(key)} goes on" for key in same)

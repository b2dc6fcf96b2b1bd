"""A process as a picture: the table itself, drawn as a Mermaid state diagram."""

from collections.abc import Iterator

from .process import Process, Transition
from .stages import expired_key

ANOTHER_KIND = "another_kind"


def diagram(process: Process, begins: str = "open (C1)") -> str:
    """One arrow for each pair of stages, labelled with the acts and their rules; those of time begin with a clock."""
    return "\n".join(_lines(process, begins)) + "\n"


def _lines(process: Process, begins: str) -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    [*] --> {process.start.name}: {begins}"
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in process.rows:
        there = ANOTHER_KIND if row.converts else (row.target or row.on).name
        arrows.setdefault((row.on.name, there), []).append(_label(row))
    for (here, there), labels in arrows.items():
        yield f"    {here} --> {there}: {', '.join(dict.fromkeys(labels))}"
    ends = [stage.name for stage in process.stages.values() if stage.final]
    if any(row.converts for row in process.rows):
        ends.append(ANOTHER_KIND)
    yield from (f"    {end} --> [*]" for end in ends)


def _label(row: Transition) -> str:
    key = expired_key(row.action)
    return f"⏱ {key} ({row.rule})" if key else f"{row.action} ({row.rule})"

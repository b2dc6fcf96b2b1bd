"""A process as a picture: the table itself, drawn as a Mermaid state diagram."""

from collections.abc import Iterator

from .process import Process, Transition
from .stages import expired_key


def diagram(process: Process) -> str:
    """One arrow for each pair of stages, labelled with the acts and their rules; those of time begin with a clock."""
    return "\n".join(_lines(process)) + "\n"


def _lines(process: Process) -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    [*] --> {process.start.name}: open (C1)"
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in process.rows:
        target = row.target or row.on
        arrows.setdefault((row.on.name, target.name), []).append(_label(row))
    for (here, there), labels in arrows.items():
        yield f"    {here} --> {there}: {', '.join(dict.fromkeys(labels))}"
    for stage in process.stages.values():
        if stage.final:
            yield f"    {stage.name} --> [*]"


def _label(row: Transition) -> str:
    key = expired_key(row.action)
    return f"⏱ {key} ({row.rule})" if key else f"{row.action} ({row.rule})"

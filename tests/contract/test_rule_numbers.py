"""Every rule of the model is held by a test that cites its number, and the proof misses a row that is taken out."""

import re
from pathlib import Path

import pytest

from aftersales.engine.machines import MACHINES
from aftersales.engine.process import MalformedProcess, Process, Transition
from aftersales.registry import Registry

TESTS = Path(__file__).parents[1]
REGISTRY = Registry.installed()
PROCESSES = {name: kind.process for name, kind in REGISTRY.kinds.items()} | {
    name: machine.process for name, machine in MACHINES.items()
}
# The model's own numbers (sections 3 to 5), whether a row of ours bears them or a guard or a clock does.
MODEL = {
    *(f"C{number}" for number in range(1, 21)), *(f"RO{number}" for number in range(1, 4)),
    *(f"RR{number}" for number in range(1, 22)), *(f"RS{number}" for number in range(1, 8)),
    *(f"EX{number}" for number in range(1, 13)),
}  # fmt: skip


def cited() -> set[str]:
    """The numbers that tests cite; of a range, such as RR19–RR21, those at its ends."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py") if path != Path(__file__))
    return set(re.findall(r"\b(?:C|RO|RR|RS|EX|DI|AP)\d+[a-z]?\b", text))


def numbers(process: Process) -> set[str]:
    return {row.rule for row in process.rows}


@pytest.mark.parametrize("name", PROCESSES)
def test_every_number_of_a_table_is_cited_by_a_test(name: str) -> None:
    assert numbers(PROCESSES[name]) - cited() == set()


def test_every_number_of_the_model_is_cited_by_a_test() -> None:
    assert MODEL - cited() == set()


def without(process: Process, row: Transition) -> str:
    """What the proof says of the table that lacks a row; empty: it can be lived by all the same."""
    try:
        Process(
            process.name, [other for other in process.rows if other is not row], (), process.approved, process.start
        )
    except MalformedProcess as fault:
        return str(fault)
    return ""


def alone(process: Process, row: Transition) -> bool:
    return len(process.at(row.on.name, row.action)) == 1


@pytest.mark.parametrize("name", PROCESSES)
def test_the_proof_names_the_end_of_a_clock_that_is_taken_out(name: str) -> None:
    process = PROCESSES[name]
    ends = [row for row in process.rows if row.by_time and alone(process, row)]

    assert ends
    for row in ends:
        said = without(process, row)
        assert row.on.name in said, row.rule
        assert row.action.removeprefix("expire:") in said or "never reached" in said, (row.rule, said)


@pytest.mark.parametrize("name", PROCESSES)
def test_the_proof_names_a_stage_that_nothing_leads_to_any_more(name: str) -> None:
    process = PROCESSES[name]
    only = [
        row
        for row in process.rows
        if row.target is not None
        and not row.target.final
        and row.target.name != process.start.name
        and [other for other in process.rows if other.target == row.target and other.on != row.target] == [row]
    ]

    # a dispute goes back and forth: it may be looked at once evidence or time has brought it there
    assert only or name == "dispute"
    for row in only:
        assert row.target
        assert row.target.name in without(process, row), row.rule

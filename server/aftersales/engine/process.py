"""A process is a table of transitions, and it is proven when it is built."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .permissions import grant_for, misfits
from .refusal import Problem
from .stages import APPROVED, PENDING_REVIEW, expired_key, expiry
from .vocabulary import CloseReason, Party, Stage

if TYPE_CHECKING:
    from .request import Attempt, Request

Guard = Callable[["Attempt"], Iterable[Problem]]
Gate = Callable[["Request"], Iterable[Problem]]
Effect = Callable[["Attempt"], Mapping[str, Any]]


class MalformedProcess(Exception):
    """A table that cannot be lived by. Names every fault at once; the server does not start."""

    def __init__(self, name: str, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{name}: " + "; ".join(self.faults))


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: what may happen, at which stage, to what end.

    Args:
        rule: the number in the rulebook, cited by history, tests and docs.
        target: None: the request stays where it is.
        gates: what must hold of the record; also decides what is offered in `availableActions`.
        guards: what must hold of the act and what it brings.
        when: chooses between rows of one act; the first that holds is taken.
        effect: the fields of the request that change, by name.
        starts: clocks that start beside the target stage's own, unless they run already.
        keeps: clocks that outlive the stage they ran in.
        stops: clocks that end though the request stays where it is.
        restarts: the stage's own clock starts anew though the request stays.
        no_later: a restarted clock is due no later than the one it follows.
        unmet: the clocks that end here were not met, whoever acts: it was called off, lost or refused.
        late: may be done though a clock has run out and time has not acted: the way out when time itself is stuck.
        closes: why the request ends, for rows into `closed`.
        pauses: clocks that stop here and keep what is left of them.
        resumes: paused clocks that go on, with what they kept but at least `at_least`.
        own: of the clocks that `stops` names, only those that the actor owes.
        converts: the request goes on as another kind, at the stage that kind's approval leads to.
        then: the act of another table that follows at once from this one, in the same change; empty: none.
        until: the first instant at which it is too late, beside what the clocks say; None: never.
        shows: the machine whose case the evidence belongs to, where it is not the row's own table.
        table: whose rows these are: a kind's, or those of a machine beside it (`dispute`, `appeal`).
        grant: what staff and apps need (section 11); owners and the platform have all.
        owner: prefix of the mutation that performs the row; the kind's own name when empty.
    """

    rule: str
    on: Stage
    action: str
    target: Stage | None
    by: Party
    label: str = ""
    gates: tuple[Gate, ...] = ()
    guards: tuple[Guard, ...] = ()
    when: Callable[[Attempt], bool] | None = None
    effect: Effect | None = None
    events: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    restarts: bool = False
    no_later: Callable[[Attempt], bool] | None = None
    unmet: bool = False
    late: bool = False
    closes: CloseReason | None = None
    pauses: tuple[str, ...] = ()
    resumes: tuple[str, ...] = ()
    at_least: timedelta = timedelta(hours=1)
    own: bool = False
    converts: bool = False
    then: Callable[[Attempt], str] | None = None
    until: Callable[[Request], datetime | None] | None = None
    shows: str = ""
    table: str = ""
    grant: str = ""
    owner: str = ""

    @property
    def by_time(self) -> bool:
        return expired_key(self.action) is not None

    @property
    def personal(self) -> bool:
        """Whether a person or an app does it, so that there must be a mutation for it."""
        return bool(self.by & (Party.BUYER | Party.SELLER | Party.PLATFORM)) and not self.by_time


def mutation_name(owner: str, action: str) -> str:
    """The root mutation of an act: its owner's prefix, then the act (`refund_only`, `approve`: refundOnlyApprove).

    An act that begins with its owner (`offer_make`) does not say it twice.
    """
    head, *rest = (action if action.startswith(f"{owner}_") else f"{owner}_{action}").split("_")
    return head + "".join(word.capitalize() for word in rest)


class Process:
    """The transitions of one kind with those of every kind, checked to be whole.

    Args:
        name: the kind.
        own: the kind's rows, legs included.
        common: rows of every kind; those whose stage the kind never reaches are left out.
        approved: the stage that approval leads to.

    Raises:
        MalformedProcess: naming every fault.
    """

    def __init__(
        self,
        name: str,
        own: Iterable[Transition],
        common: Iterable[Transition],
        approved: Stage,
        start: Stage = PENDING_REVIEW,
    ) -> None:
        self.name = name
        self.approved = approved
        self.start = start
        own = [self._placed(row) for row in own]
        offered = [self._placed(row) for row in common]
        self.rows = _reached(start, own, offered)
        self.stages = _stages(start, self.rows)
        self._table: dict[tuple[str, str], list[Transition]] = defaultdict(list)
        self._leaving: dict[str, list[Transition]] = defaultdict(list)
        for row in self.rows:
            self._table[row.on.name, row.action].append(row)
            self._leaving[row.on.name].append(row)
        if faults := list(self._faults(own)):
            raise MalformedProcess(name, faults)

    def __repr__(self) -> str:
        return f"Process({self.name!r}, {len(self.rows)} rows)"

    def at(self, stage: str, action: str) -> list[Transition]:
        """The rows of one act at one stage, in the order they are tried."""
        return self._table.get((stage, action), [])

    def leaving(self, stage: str) -> list[Transition]:
        return self._leaving.get(stage, [])

    @property
    def clock_keys(self) -> frozenset[str]:
        """Every clock that may run; each needs a policy."""
        return frozenset(key for stage in self.stages.values() for key in stage.clocks) | frozenset(
            key for row in self.rows for key in row.starts
        )

    def _placed(self, row: Transition) -> Transition:
        return replace(
            row,
            target=self.approved if row.target is APPROVED else row.target,
            owner=row.owner or self.name,
            table=self.name,
            grant=row.grant or grant_for(row.action, row.by),
        )

    def _faults(self, own: list[Transition]) -> Iterator[str]:
        yield from self._unreached(own)
        yield from self._stuck()
        yield from self._clocks_without_sequel()
        yield from self._ambiguous()
        yield from self._loose_ends()
        for row in self.rows:
            if row.personal:
                yield from misfits(row.action, row.by, row.grant)

    def _unreached(self, own: list[Transition]) -> Iterator[str]:
        for stage in dict.fromkeys(row.on.name for row in own):
            if stage not in self.stages:
                yield f"{stage} is never reached"

    def _stuck(self) -> Iterator[str]:
        for stage in self.stages.values():
            if stage.final:
                continue
            leaving = [
                row
                for row in self.leaving(stage.name)
                if row.converts or (row.target is not None and row.target.name != stage.name)
            ]
            if not any(row.action != "close" for row in leaving):
                yield f"{stage.name} has no way out"
            elif not stage.clock and not any(Party.SYSTEM in row.by for row in leaving):
                yield f"{stage.name} may wait for ever: it has no clock and the system cannot leave it"

    def _clocks_without_sequel(self) -> Iterator[str]:
        for stage in self.stages.values():
            if not stage.final:
                for key in stage.clocks:
                    yield from self._sequel(stage, key)
        for row in self.rows:
            for key in (*row.starts, *row.keeps):
                yield from self._sequel(row.target or row.on, key)

    def _sequel(self, stage: Stage, key: str) -> Iterator[str]:
        if not self.at(stage.name, expiry(key)):
            yield f"{stage.name} does not say what follows when {key} runs out"

    def _ambiguous(self) -> Iterator[str]:
        for (stage, action), rows in self._table.items():
            for row in rows[:-1]:
                if row.when is None and any(row.by & later.by for later in rows[rows.index(row) + 1 :]):
                    yield f"{action} at {stage} has two rows, and {row.rule} does not say when"

    def _loose_ends(self) -> Iterator[str]:
        for row in self.rows:
            where = f"{row.rule or 'a row'} ({row.action} at {row.on.name})"
            if not row.rule:
                yield f"{where} has no number"
            if row.on.final and row.target is not None and row.target.name != row.on.name:
                yield f"{where} leaves a stage that has ended"
            if row.by_time and row.by is not Party.SYSTEM:
                yield f"{where} is an act of time, and only the system's"
            if row.personal and not row.label:
                yield f"{where} has no label"
            if row.converts and row.target is not None:
                yield f"{where} goes on as another kind, and cannot also lead to a stage of this one"
            for key in row.resumes:
                if not any(key in other.pauses for other in self.rows):
                    yield f"{where} lets {key} go on, and nothing pauses it"
            for key in row.pauses:
                if not any(key in other.resumes for other in self.rows):
                    yield f"{where} pauses {key}, and nothing lets it go on"
            if (row.closes is not None) != (row.target is not None and row.target.name == "closed"):
                yield f"{where} must say why it closes, if and only if it does"
        for name, stage in self.stages.items():
            if any(other is not stage and other != stage for other in self._namesakes(name)):
                yield f"{name} is defined twice, and differently"

    def _namesakes(self, name: str) -> Iterator[Stage]:
        for row in self.rows:
            for stage in (row.on, row.target):
                if stage is not None and stage.name == name:
                    yield stage


def _reached(start: Stage, own: list[Transition], offered: list[Transition]) -> list[Transition]:
    """The kind's rows, and of the common ones those whose stage can be reached."""
    reached, kept = {start.name}, -1
    while kept != len(reached):
        kept = len(reached)
        rows = [row for row in (*own, *offered) if row.on.name in reached]
        reached |= {row.target.name for row in rows if row.target is not None}
    return [row for row in (*own, *offered) if row.on.name in reached]


def _stages(start: Stage, rows: list[Transition]) -> dict[str, Stage]:
    stages = {start.name: start}
    for row in rows:
        stages.setdefault(row.on.name, row.on)
        if row.target is not None:
            stages.setdefault(row.target.name, row.target)
    return stages

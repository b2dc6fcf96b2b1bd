"""The policies that one request was born under, frozen: its clocks, limits and flags."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from . import clocks
from .clocks import Calendar, Unit

# Which days work: the market's own, or Saturday too.
CALENDARS = ("MON_FRI", "MON_SAT")
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Term:
    """One clock, limit or flag.

    Args:
        unit: None for a limit or a flag.
        warn_before: seconds before the clock runs out.
        owed_by: the party that must act, as `Party.title` writes it.
        calendar: one of `CALENDARS` where the unit is working days, else empty.
    """

    value: int | bool
    unit: Unit | None = None
    end_of_day: bool = False
    warn_before: tuple[int, ...] = ()
    owed_by: str = ""
    calendar: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Terms(Mapping[str, Term]):
    """Key to term. A change of policy never moves a clock that runs: each request keeps its terms.

    Args:
        version: market, version of the book and a short hash of the terms.
    """

    version: str
    by_key: Mapping[str, Term]

    def due(self, key: str, start: datetime, calendar: Calendar) -> datetime:
        """When the clock `key`, started at `start`, runs out by the market's calendar."""
        term = self[key]
        if term.unit is None:
            raise ValueError(f"{key} is not a clock")
        if term.calendar == "MON_SAT":
            calendar = replace(calendar, workdays=calendar.workdays | {SATURDAY})
        return clocks.due(start, term.value, term.unit, calendar, term.end_of_day)

    def warnings(self, key: str, due_at: datetime, after: datetime) -> tuple[datetime, ...]:
        """The instants, later than `after` and in order, at which the clock `key` warns."""
        return clocks.warnings(due_at, [timedelta(seconds=left) for left in self[key].warn_before], after)

    def limit(self, key: str, otherwise: int | None = None) -> int:
        """
        Args:
            otherwise: what holds for a request born before there was such a policy.
        """
        if otherwise is not None and key not in self.by_key:
            return otherwise
        term = self[key]
        if term.unit or isinstance(term.value, bool):
            raise ValueError(f"{key} is not a limit")
        return term.value

    def flag(self, key: str) -> bool:
        term = self[key]
        if not isinstance(term.value, bool):
            raise ValueError(f"{key} is not a flag")
        return term.value

    def to_json(self) -> str:
        """Compact, and the same text for the same terms on every machine."""
        terms = {"version": self.version, "terms": _packed(self.by_key)}
        return json.dumps(terms, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Terms":
        return _from_json(text)

    def __getitem__(self, key: str) -> Term:
        return self.by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_key)

    def __len__(self) -> int:
        return len(self.by_key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Terms) and (self.version, self.by_key) == (other.version, other.by_key)

    def __hash__(self) -> int:
        return hash(self.version)


def version(market: str, book: str, by_key: Mapping[str, Term]) -> str:
    """A name for these terms that is the same on every machine, and another as soon as a term is."""
    content = json.dumps(_packed(by_key), separators=(",", ":"))
    return f"{market}@{book}+{sha256(content.encode()).hexdigest()[:8]}"


# A few hundred texts stand for all requests of all markets, and a page reads fifty of them.
@lru_cache(maxsize=1024)
def _from_json(text: str) -> Terms:
    read = json.loads(text)
    return Terms(read["version"], {key: _unpacked(row) for key, row in read["terms"].items()})


def _packed(by_key: Mapping[str, Term]) -> dict[str, Any]:
    return {key: _row(by_key[key]) for key in sorted(by_key)}


def _row(term: Term) -> int | list[Any]:
    if term.unit is None:
        return term.value
    row = [term.value, term.unit.value, term.owed_by, list(term.warn_before), term.calendar, term.end_of_day]
    while row[-1] in ("", [], False):
        row.pop()
    return row


def _unpacked(row: int | list[Any]) -> Term:
    if not isinstance(row, list):
        return Term(row)
    value, unit, owed_by, warn_before, calendar, end_of_day = row + ["", [], "", False][len(row) - 2 :]
    return Term(value, Unit(unit), end_of_day, tuple(warn_before), owed_by, calendar)

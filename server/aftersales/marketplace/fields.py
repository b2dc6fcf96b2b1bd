"""The fields of an object that somebody sent: each read as what it must be, all that is wrong kept."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from ..engine.money import Money
from ..engine.refusal import Problem

SKEW = timedelta(minutes=5)

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value cannot be taken."""

    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Read = Callable[[Any], T | Fault]


class Fields:
    """One object of a row. Take all its fields, then call `end`.

    Args:
        path: where it stands in the row, dotted.
        problems: what is found wrong is added here, so that a row gathers that of all its objects.
    """

    def __init__(self, told: object, path: str, problems: list[Problem]) -> None:
        self._told: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
        self._path, self._problems = path, problems
        self._known: list[str] = []
        self._wrong: set[str] = set()
        self._void = not isinstance(told, Mapping)
        if self._void:
            self.wrong("", "Give an object here.")

    def take(self, name: str, read: Read[T], otherwise: T, *, needed: bool = False) -> T:
        """The value as `read` understands it; `otherwise` where it is left out, null or wrong."""
        self._known.append(name)
        value = self._told.get(name)
        if value is None:
            if needed and not self._void:
                self.wrong(name, "This is missing.")
            return otherwise
        found = read(value)
        if isinstance(found, Fault):
            self.wrong(name, found.message, **found.facts)
            return otherwise
        return found

    def inner(self, name: str) -> "Fields":
        self._known.append(name)
        return Fields(self._told.get(name), f"{self._path}.{name}", [] if self._void else self._problems)

    def each(self, name: str, most: int) -> Iterator["Fields"]:
        """The objects of a list of at least one."""
        listed: list[Any] = self.take(name, _list(most), [], needed=True)
        for index, told in enumerate(listed):
            yield Fields(told, f"{self._path}.{name}.{index}", self._problems)

    def end(self) -> None:
        """Object to what was never taken: a name misspelt is a value lost."""
        for name in self._told:
            if name not in self._known:
                self.wrong(name[:80], "There is no such field. There are: {known}.", known=", ".join(self._known))

    def wrong(self, name: str, message: str, **facts: Any) -> None:
        self._wrong.add(name)
        path = f"{self._path}.{name}" if name else self._path
        self._problems.append(Problem("INVALID_INPUT", message, path, guard="G_INPUT", **facts))

    def sound(self, *names: str) -> bool:
        """Whether these fields can be relied on, to hold them against each other."""
        return not self._void and self._wrong.isdisjoint(names)


# Characters no person types and no database takes: controls, and halves of surrogate pairs.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# No space, and no bar: ids are hashed as `shop|number`.
_MARK = re.compile(r"[!-{}~]{1,64}", re.ASCII)
_AMOUNT = re.compile(r"\d{1,12}(?:\.(\d{1,6}))?", re.ASCII)
# By RFC 3339.
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def mark(value: object) -> str | Fault:
    """An id or a number as the marketplace writes it."""
    if isinstance(value, str) and _MARK.fullmatch(value):
        return value
    return Fault("Give a text of 1 to 64 characters, without spaces, accents and bars.")


def text(most: int) -> Read[str]:
    """Words for people."""

    def read(value: object) -> str | Fault:
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            return Fault("Give a text of 1 to {most} characters.", {"most": most})
        return Fault("Leave out control characters.") if _CONTROL.search(value) else value

    return read


def amount(currency: str, digits: int | None) -> Read[Money]:
    """
    Args:
        digits: decimals of the currency; None: not known, because the currency is wrong.
    """

    def read(value: object) -> Money | Fault:
        found = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return Fault('Give an amount of 0 or more as text, such as "12500" or "12.50".')
        # by the text, not the value: what means 12.000 to one is twelve to another
        if digits is not None and len(found[1] or "") > digits:
            return Fault("{currency} has {digits} decimals.", {"currency": currency, "digits": digits})
        return Money(Decimal(found[0]), currency)

    return read


def instant(now: datetime) -> Read[datetime]:
    """A time that has come; five minutes are left for clocks that differ."""

    def read(value: object) -> datetime | Fault:
        example = Fault("Give an instant with its offset, such as 2025-03-03T10:00:00+07:00.")
        if not isinstance(value, str) or not INSTANT.fullmatch(value):
            return example
        try:
            found = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            return example
        # most often the time of day of another zone
        return Fault("This is in the future. Is its offset right?") if found > now + SKEW else found

    return read


def one_of(kind: type[E]) -> Read[E]:
    names: dict[object, E] = {member.value: member for member in kind}

    def read(value: object) -> E | Fault:
        found = names.get(value) if isinstance(value, str) else None
        return found or _none_of(names)

    return read


def known(values: Iterable[str]) -> Read[str]:
    names = tuple(values)
    return lambda value: value if isinstance(value, str) and value in names else _none_of(names)


def currency(digits: Callable[[str], int]) -> Read[str]:
    def read(value: object) -> str | Fault:
        try:
            if isinstance(value, str):
                digits(value)
                return value
        except (ValueError, KeyError):
            pass
        return Fault("Give a currency as its three letters, such as IDR.")

    return read


def zone(value: object) -> str | Fault:
    try:
        return ZoneInfo(value).key if isinstance(value, str) else Fault("Give a text.")
    # a folder of zones is no zone, and says so as the file system does
    except (ValueError, LookupError, OSError):
        return Fault("Give a time zone such as Asia/Jakarta.")


def flag(value: object) -> bool | Fault:
    return value if isinstance(value, bool) else Fault("Give true or false.")


def whole(least: int, most: int) -> Read[int]:
    def read(value: object) -> int | Fault:
        # type(), because to isinstance true is a number
        if type(value) is int and least <= value <= most:
            return value
        return Fault("Give a number from {least} to {most}.", {"least": least, "most": most})

    return read


def _list(most: int) -> Read[list[Any]]:
    def read(value: object) -> list[Any] | Fault:
        if isinstance(value, list) and 1 <= len(value) <= most:
            return value
        return Fault("Give a list of 1 to {most}.", {"most": most})

    return read


def _none_of(names: Iterable[object]) -> Fault:
    return Fault("Choose one of: {allowed}.", {"allowed": ", ".join(map(str, names))})

"""Reads the policies from files: ours beside this module, an operator's from wherever the settings say."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from .engine.clocks import Unit
from .engine.money import Money
from .engine.policies import Book, MalformedBook, PolicyRecord
from .engine.reasons import ReasonClass
from .engine.vocabulary import ShopKind
from .markets import MARKETS, calendar, digits

__all__ = ["MARKETS", "POLICIES", "book", "calendar", "digits", "shipped"]

POLICIES = Path(__file__).parent / "policies"

Row = dict[str, Any]
Read = Callable[[Any, Row], Any]


def book(*places: Path) -> Book:
    """The policies of these files, and of the *.toml in these folders. Of none given: those that we ship.

    Raises:
        MalformedBook: with everything that cannot be read; else with every fault of what was read.
    """
    faults: list[str] = []
    records = [record for path in _files(places or (POLICIES,)) for record in _records(path, faults)]
    if faults:
        raise MalformedBook(faults)
    return Book(records, MARKETS)


@cache
def shipped() -> Book:
    """Those that come with this release, read and proven once: they change with it only."""
    return book(POLICIES)


def _files(places: tuple[Path, ...]) -> Iterator[Path]:
    for place in places:
        yield from sorted(place.glob("*.toml")) if place.is_dir() else [place]


def _records(path: Path, faults: list[str]) -> Iterator[PolicyRecord]:
    try:
        shared = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        faults.append(f"{path}: {error}")
        return
    rows = shared.pop("policies", None)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        faults.append(f"{path}: has no list of policies")
        return
    faults.extend(f"{path}: {name} is not a field" for name in shared if name not in FIELDS)
    known = {name: value for name, value in shared.items() if name in FIELDS}
    for number, row in enumerate(rows, start=1):
        where = f"{path}: row {number} ({row.get('key', 'no key')})"
        for one in _one_for_each_shop_kind(known | row):
            if record := _record(one, where, faults):
                yield record


def _one_for_each_shop_kind(row: Row) -> Iterator[Row]:
    kinds = row.get("shop_kind")
    if not isinstance(kinds, list):
        yield row
        return
    for kind in kinds:
        yield row | {"shop_kind": kind}


def _record(row: Row, where: str, faults: list[str]) -> PolicyRecord | None:
    found = [f"{where}: {name} is not a field" for name in row if name not in FIELDS]
    found += [f"{where}: {name} is missing" for name in NEEDED if name not in row]
    told: Row = {"calendar": "MON_FRI"} if row.get("unit") == Unit.WORK_DAY.value else {}
    for name, value in row.items():
        if name in FIELDS:
            field, read = FIELDS[name]
            try:
                told[field] = read(value, row)
            except (ValueError, TypeError) as error:
                found.append(f"{where}: {name}: {error}")
    faults.extend(found)
    return None if found else PolicyRecord(**told)


def _of(*types: type) -> Read:
    def read(value: Any, row: Row) -> Any:
        # type(), because to isinstance true is a number
        if type(value) not in types:
            raise TypeError(f"{value!r} is not {' or '.join(known.__name__ for known in types)}")
        return value

    return read


def _market(value: Any, row: Row) -> Any:
    if value not in MARKETS:
        raise ValueError(f"{value!r} is not one of {', '.join(MARKETS)}")
    return value


def _categories(value: Any, row: Row) -> frozenset[str]:
    return frozenset(_of(str)(category, row) for category in _of(list)(value, row))


def _money(value: Any, row: Row) -> Money:
    amount, _, currency = _of(str)(value, row).partition(" ")
    digits(currency)
    try:
        return Money(Decimal(amount), currency)
    except InvalidOperation as error:
        raise ValueError(f"{amount!r} is not an amount") from error


def _hours(value: Any, row: Row) -> tuple[timedelta, ...]:
    return tuple(timedelta(hours=_of(int)(hours, row)) for hours in _of(list)(value, row))


def _instant(value: Any, row: Row) -> datetime:
    """A date is its midnight, and a time without a zone is, in the market's zone."""
    zone = MARKETS[row["market"]].zone if row.get("market") in MARKETS else UTC
    at: datetime = datetime.combine(value, time()) if type(value) is date else _of(datetime)(value, row)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


# Field in the file: field of the record, and how it is read.
FIELDS: Mapping[str, tuple[str, Read]] = {
    "key": ("key", _of(str)),
    "value": ("value", _of(int, bool)),
    "unit": ("unit", _of(str)),
    "market": ("market", _market),
    "kind": ("kind", _of(str)),
    "shop_kind": ("shop_kind", lambda value, row: ShopKind(value)),
    "reason_class": ("reason_class", lambda value, row: ReasonClass(value)),
    "categories": ("categories", _categories),
    "min_order_value": ("min_order_value", _money),
    "calendar": ("calendar", _of(str)),
    "warn_before_hours": ("warn_before", _hours),
    "owed_by": ("owed_by", _of(str)),
    "pausable": ("pausable", _of(bool)),
    "end_of_day": ("end_of_day", _of(bool)),
    "valid_from": ("valid_from", _instant),
    "valid_to": ("valid_to", _instant),
    "version": ("version", _of(str)),
    "source": ("source", _of(str)),
    "mark": ("mark", _of(str)),
}
NEEDED = ("key", "value", "unit", "version", "source", "mark")

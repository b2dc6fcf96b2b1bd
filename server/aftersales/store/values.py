"""How values lie in the database: instants as microseconds, money as minor units, parties by name, JSON as text."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

import orjson

from ..engine.vocabulary import Party

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Digits = Callable[[str], int]


def micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def micros_or_none(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // MICROSECOND


def instant_or_none(micros: int | None) -> datetime | None:
    return None if micros is None else EPOCH + timedelta(microseconds=micros)


def json(value: Any) -> str:
    return orjson.dumps(value).decode()


def from_json(text: str) -> Any:
    return orjson.loads(text)


def party(title: str) -> Party:
    """The party by the name that `Party.title` gives it, several joined by `|`."""
    known = _PARTIES.get(title)
    return known if known is not None else reduce(or_, (Party[name] for name in title.split("|")))


def party_or_none(title: str | None) -> Party | None:
    return None if title is None else party(title)


_PARTIES = {party.title: party for party in Party}

"""The contract's own scalars: exact decimals as text, instants that carry their offset, opaque cursors."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from graphql import GraphQLError

from ..marketplace.fields import INSTANT

Cursor = NewType("Cursor", str)
URL = NewType("URL", str)
# A value of any shape; parsing keeps what JSON has.
JSONValue = NewType("JSONValue", object)

_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,6})?\Z", re.ASCII)


def _read_decimal(value: object) -> Decimal:
    if not isinstance(value, str) or not _DECIMAL.match(value):
        raise GraphQLError('Give a decimal as text, such as "12.50".')
    return Decimal(value)


def _read_instant(value: object) -> datetime:
    try:
        # Python reads more than RFC 3339 knows: weeks, days without a time, offsets of a fraction of a second
        if not isinstance(value, str) or not INSTANT.fullmatch(value):
            raise ValueError(value)
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("Give an instant by RFC 3339 with an offset, such as 2025-03-03T10:00:00+07:00.") from None


def _read_text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 4096:
        raise GraphQLError("Give back a cursor as you got it.")
    return value


def _write_instant(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _write_decimal(value: Decimal) -> str:
    return f"{value:f}"


def _refuse(value: object) -> object:
    raise GraphQLError("This scalar is only ever answered, never given.")


SCALARS: dict[object, Any] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="Absolute instant, RFC 3339, always with an offset; the server answers in UTC.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=_write_instant, parse_value=_read_instant,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="Exact decimal as a string, never a float. Amounts have at most the currency's minor digits.",
        serialize=_write_decimal, parse_value=_read_decimal,
    ),
    Cursor: strawberry.scalar(
        name="Cursor", description="Opaque position in an ordered list or stream. Never parse it.",
        serialize=str, parse_value=_read_text,
    ),
    URL: strawberry.scalar(name="URL", description="An absolute address.", serialize=str, parse_value=_read_text),
    JSONValue: strawberry.scalar(
        name="JSON", description="A value of any JSON shape.", serialize=lambda value: value, parse_value=_refuse,
    ),
}  # fmt: skip

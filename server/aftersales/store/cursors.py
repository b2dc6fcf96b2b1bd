"""Where a page ended, as an opaque text."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import orjson

from ..engine.refusal import Problem, Refused

Place = tuple[int, str]


def encoded(sort: str, value: int, id: str) -> str:
    return urlsafe_b64encode(orjson.dumps([sort, value, id])).decode().rstrip("=")


def decoded(cursor: str, sort: str) -> Place:
    """
    Raises:
        Refused: INVALID_INPUT, it is no cursor, or one of a list sorted otherwise.
    """
    try:
        read = orjson.loads(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except ValueError:
        read = None
    match read:
        case [str(of), int(value), str(id)] if of == sort and not isinstance(value, bool) and abs(value) < 2**63:
            return value, id
    raise Refused([Problem("INVALID_INPUT", "This is no cursor of this list.", "after")])

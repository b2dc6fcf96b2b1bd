"""How the text of an environment variable becomes a value. What does not fit is a ValueError that ends a sentence."""

import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Read = Callable[[str], Any]

YES_AND_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def text(given: str) -> str:
    return given


def names(given: str) -> frozenset[str]:
    """Words, parted by commas."""
    return frozenset(part.strip() for part in given.split(",") if part.strip())


def place(given: str) -> Path:
    if not Path(given).exists():
        raise ValueError("is neither a folder nor a file")
    return Path(given)


def web_address(given: str) -> str:
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("is no http:// or https:// address")
    return given


def storage(given: str) -> str:
    if not given.startswith(("file://", "s3://")):
        raise ValueError("is neither file://FOLDER nor s3://BUCKET/PREFIX")
    return given


def shown(url: str) -> str:
    """The URL without what may be a password."""
    parts = urlsplit(url)
    before, at, after = parts.netloc.rpartition("@")
    name, colon, _ = before.partition(":")
    query = re.sub(r"((?:^|&)[a-z]*password=)[^&]*", r"\1***", parts.query, flags=re.IGNORECASE)
    if not colon and query == parts.query:
        return url
    head, _, rest = url.partition("://")
    rest = rest[len(parts.netloc) :].partition("?")[0]
    return f"{head}://{name}{':***' if colon else ''}{at}{after}{rest}{'?' if query else ''}{query}"


def yes_or_no(given: str) -> bool:
    if given.lower() not in YES_AND_NO:
        raise ValueError("is neither yes nor no")
    return YES_AND_NO[given.lower()]


def one_of(kind: type[Enum]) -> Read:
    def read(given: str) -> Enum:
        try:
            return kind(given.lower())
        except ValueError:
            raise ValueError(f"is not one of: {', '.join(member.value for member in kind)}") from None

    return read


def whole(least: int, most: int) -> Read:
    return lambda given: _between(int, "a whole number", given, least, most)


def number(least: float, most: float) -> Read:
    return lambda given: _between(float, "a number", given, least, most)


def _between(kind: type[int] | type[float], called: str, given: str, least: float, most: float) -> float:
    try:
        read = kind(given)
    except ValueError:
        read = None
    # written so that NaN falls outside
    if read is None or not least <= read <= most:
        raise ValueError(f"is not {called} from {least} to {most}")
    return read

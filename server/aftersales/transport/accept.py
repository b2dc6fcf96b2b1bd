"""What kind of answer a caller wants, from the Accept header."""

from enum import Enum
from functools import lru_cache

from .refusal import Turned


class Media(Enum):
    """The kinds we have, with the header each is sent under."""

    RESPONSE = "application/graphql-response+json"
    JSON = "application/json"
    STREAM = "text/event-stream"
    PAGE = "text/html"

    @property
    def header(self) -> bytes:
        plain = self is Media.STREAM  # always UTF-8 by its own standard
        return self.value.encode() if plain else f"{self.value}; charset=utf-8".encode()


# `*/*` comes from callers that never heard of the newer type, so JSON stands first among equals.
ANSWERS = (Media.JSON, Media.RESPONSE, Media.STREAM)


@lru_cache(maxsize=256)
def wanted(accept: bytes | None, *, page: bool) -> Media:
    """
    Args:
        accept: the header; None when there was none.
        page: whether there is a page to show.

    Raises:
        Turned: 406 when we have nothing of what is asked.
    """
    if accept is None or not accept.strip():
        return Media.RESPONSE
    ranges = [parsed(part) for part in accept.decode("latin-1").split(",")[:50]]
    offered = (*ANSWERS, Media.PAGE) if page else ANSWERS
    ranked = [(worth(media, ranges), media) for media in offered]
    (quality, _), best = max(ranked, key=lambda pair: pair[0])
    if quality <= 0:
        raise Turned(406, "NOT_ACCEPTABLE", f"Accept one of: {', '.join(m.value for m in ANSWERS)}.")
    return best


def worth(media: Media, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """The quality that the most specific matching range gives, and how specific it is."""
    kind = media.value.split("/")[0]
    specific = {media.value: 2, f"{kind}/*": 1, "*/*": 0}
    fits = [(specific[name], quality) for name, quality in ranges if name in specific]
    # a wildcard means "whatever is usual", and a stream or a page never is
    if media in (Media.STREAM, Media.PAGE):
        fits = [fit for fit in fits if fit[0] == 2]
    if not fits:
        return 0.0, 0
    precision, quality = max(fits)
    return quality, precision


def parsed(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, quality(value.strip())
    return name, 1.0


def quality(text: str) -> float:
    try:
        given = float(text)
    except ValueError:
        return 0.0
    return given if 0 <= given <= 1 else 0.0  # also turns away NaN

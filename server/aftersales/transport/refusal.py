"""A no of the doors, before any GraphQL: a status for HTTP, a code for programs, a sentence for people."""

from graphql import GraphQLError

Headers = tuple[tuple[bytes, bytes], ...]


class Turned(Exception):
    """Turned away at the door.

    Args:
        status: of HTTP.
        code: SCREAMING_SNAKE, stable for ever.
        told: beside the code, in the error's extensions.
        headers: beyond those of every answer, such as `allow` and `retry-after`.
    """

    def __init__(self, status: int, code: str, message: str, *, headers: Headers = (), **told: object) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.error = GraphQLError(message, extensions={"code": code, **told})


# What is not wanted will not be read either: the connection ends with the answer.
CLOSE = (b"connection", b"close")
SOON = (b"retry-after", b"1")


def busy(what: str) -> Turned:
    return Turned(503, "BUSY", f"Too many {what} at once. Try again in a second.", headers=(SOON,))

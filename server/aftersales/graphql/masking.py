"""What a caller may learn of an error: all of their own mistakes, nothing of ours but a number to quote."""

import logging
from collections.abc import Callable, Iterable
from uuid import uuid4

from graphql import GraphQLError

from ..engine.refusal import Refused
from ..store.database import OutcomeUnknown, StoreBusy, StoreClosed

logger = logging.getLogger("aftersales.graphql")

Say = Callable[[str], str]

# What a scalar may raise while it reads a value: then the value is wrong, not the server.
WRONG_VALUES = (GraphQLError, ValueError, TypeError, ArithmeticError)


class GraphQLErrors(Exception):
    """The operation was not run. The errors say why, and are the caller's to mend."""

    def __init__(self, errors: Iterable[GraphQLError]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(error.message for error in self.errors))


def mistake(message: str, code: str, **told: object) -> GraphQLErrors:
    """One error of the caller's with its code, stable for ever."""
    return GraphQLErrors([GraphQLError(message, extensions={"code": code, **told})])


def coded(errors: Iterable[GraphQLError], code: str) -> GraphQLErrors:
    """The caller's errors as graphql-core words them, each with a code if it has none of its own."""
    return GraphQLErrors(with_code(masked_unless(WRONG_VALUES, error), code) for error in errors)


def masked(errors: Iterable[GraphQLError], say: Say = str) -> list[GraphQLError]:
    """Errors of an execution. Those that no resolver meant for the caller are logged and replaced.

    Args:
        say: puts an English text into the caller's language.
    """
    return [masked_unless((GraphQLError,), error, say) for error in errors]


def internal(error: BaseException, near: GraphQLError | None = None, what: str = "an operation") -> GraphQLError:
    """Logs a fault of ours under a new number and gives the error that quotes it."""
    number = uuid4().hex[:12]
    where = ".".join(map(str, near.path or ())) if near else what
    logger.error("Internal error %s in %s", number, where or what, exc_info=error)
    return GraphQLError(
        f"Internal error {number}",
        nodes=near.nodes if near else None,
        path=near.path if near else None,
        extensions={"code": "INTERNAL", "id": number},
    )


def masked_unless(harmless: tuple[type[Exception], ...], error: GraphQLError, say: Say = str) -> GraphQLError:
    cause = root(error)
    if isinstance(cause, harmless):
        return error
    return meant_for_caller(cause, error, say) or internal(cause, error)


def meant_for_caller(cause: BaseException, near: GraphQLError | None, say: Say) -> GraphQLError | None:
    """What was refused, or the database had no time for, or has not said the end of: no fault, and told as it is."""
    nodes, path = (near.nodes, near.path) if near else (None, None)
    match cause:
        case Refused(problems=(first, *_)):
            told = {"code": first.code, "argument": first.field, "retryable": first.retryable}
            return GraphQLError(first.text(say), nodes, path=path, extensions=told)
        case StoreBusy() | StoreClosed():
            busy = {"code": "BUSY", "retryable": True}
            # not that nothing was done: an import may be half done, or an act done that cannot be shown any more
            message = say("The server cannot do this now. Ask again in a moment, with the same idempotencyKey if any.")
            return GraphQLError(message, nodes, path=path, extensions=busy)
        case OutcomeUnknown():
            unknown = {"code": "OUTCOME_UNKNOWN", "retryable": True}
            message = say("The outcome is unknown. Send the same again with the same idempotencyKey to learn it.")
            return GraphQLError(message, nodes, path=path, extensions=unknown)
    return None


def passing(error: GraphQLError) -> bool:
    """Whether it is of the moment: the same may go well a little later, or elsewhere."""
    return (error.extensions or {}).get("code") in ("BUSY", "OUTCOME_UNKNOWN")


def root(error: GraphQLError) -> BaseException:
    """What was raised first: graphql-core wraps an error once for each level that locates it."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def with_code(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    # where it is has been told; the document itself, which may be large, need not live as long as its refusal
    error.nodes = None
    return error

"""A no, as data: every problem at once, each with a code that never changes and a way on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class ProblemType(Enum):
    """The GraphQL type that a code answers as. What else it carries stands in the contract."""

    INVALID_INPUT = "InvalidInput"
    NOT_FOUND = "NotFound"
    NOT_ALLOWED = "NotAllowed"
    NOT_ELIGIBLE = "NotEligible"
    ILLEGAL_TRANSITION = "IllegalTransition"
    STALE_VERSION = "StaleVersion"
    DEADLINE_PASSED = "DeadlinePassed"
    AMOUNT_EXCEEDED = "AmountExceeded"
    KEY_REUSED = "KeyReused"


@dataclass(frozen=True, slots=True)
class Code:
    """A problem code: when it is given and what to do then. `docs/problems.md` is made of these."""

    code: str
    type: ProblemType
    when: str
    then: str
    retryable: bool = False


# fmt: off
CODES = {
    code.code: code
    for code in (
        Code("INVALID_INPUT",        ProblemType.INVALID_INPUT,     "A value has the wrong form.", "Correct the value that `path` names."),
        Code("NOTE_REQUIRED",        ProblemType.INVALID_INPUT,     "The act needs words and there are none.", "Say why in `note`."),
        Code("REASON_NOT_ALLOWED",   ProblemType.INVALID_INPUT,     "The reason does not fit the kind, the order's state or the stage.", "Choose one of `availableActions.reasons` or of `eligibility.reasons`."),
        Code("EVIDENCE_REQUIRED",    ProblemType.INVALID_INPUT,     "The reason asks for evidence and none of the right kind is there.", "Add what the message names."),
        Code("NOT_FOUND",            ProblemType.NOT_FOUND,         "There is no such record, or it is not yours to see.", "Check the id."),
        Code("FORBIDDEN",            ProblemType.NOT_ALLOWED,       "You may see the record but not do this.", "Ask for the grant in `permission`, or let the party that may do it."),
        Code("INELIGIBLE",           ProblemType.NOT_ELIGIBLE,      "These lines cannot be claimed this way.", "Read the message; ask `eligibility` for what can be."),
        Code("WINDOW_CLOSED",        ProblemType.NOT_ELIGIBLE,      "The time to raise a request has passed.", "Talk to the seller; no request can be made."),
        Code("LIMIT_REACHED",        ProblemType.NOT_ELIGIBLE,      "This has been done as often as it may.", "Nothing more can be done this way."),
        Code("OFFER_NOT_ALLOWED",    ProblemType.NOT_ELIGIBLE,      "This offer cannot be made for this request.", "Choose another kind of offer."),
        Code("DUPLICATE",            ProblemType.NOT_ELIGIBLE,      "The same units are in another active request.", "Follow the request that exists, or wait until it ends."),
        Code("INVALID_STATE",        ProblemType.ILLEGAL_TRANSITION, "The request is not at a stage where this can happen.", "Do one of `allowed`."),
        Code("TRANSFERRED_TO_PLATFORM", ProblemType.ILLEGAL_TRANSITION, "A dispute is open; the platform decides.", "Give evidence in the dispute."),
        Code("DEADLINE_PASSED",      ProblemType.DEADLINE_PASSED,   "The clock that governs the act has run out.", "Read the request again: time has moved it on, or will at once."),
        Code("AMOUNT_EXCEEDED",      ProblemType.AMOUNT_EXCEEDED,   "The amount is not above zero and at most what may be granted.", "Give at most `maximum`."),
        Code("VERSION_CONFLICT",     ProblemType.STALE_VERSION,     "The record changed since you read it.", "Look at `missed`, then decide again with `current`.", retryable=True),
        Code("KEY_REUSED",           ProblemType.KEY_REUSED,        "The idempotency key was used with another input.", "Make a new key for a new intention."),
        Code("BUSY",                 ProblemType.INVALID_INPUT,     "Too much changed at once to settle yours.", "Send the same again with the same key.", retryable=True),
    )
}
# fmt: on


@dataclass(frozen=True, init=False)
class Problem:
    """One reason for a no.

    Args:
        code: stable for ever, SCREAMING_SNAKE.
        message: English, says what to do next; `{names}` are filled from `facts` after translation.
        field: path into the input, dotted; empty when it is about the whole call.
        guard: the guard of section 3 that said no.
        facts: what the message and the typed answer need (`maximum`, `clock`, `until` …); a tuple of words is said
            as "this or that".
    """

    code: str
    message: str
    field: str
    guard: str
    facts: Mapping[str, Any]

    def __init__(self, code: str, message: str, field: str = "", *, guard: str = "", **facts: Any) -> None:
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "message", message)
        object.__setattr__(self, "field", field)
        object.__setattr__(self, "guard", guard)
        object.__setattr__(self, "facts", facts)

    @property
    def type(self) -> ProblemType:
        """A partner's own code answers as InvalidInput."""
        return CODES[self.code].type if self.code in CODES else ProblemType.INVALID_INPUT

    @property
    def retryable(self) -> bool:
        return self.code in CODES and CODES[self.code].retryable

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The message in words, with its facts filled in: of those, what is said in words is translated too."""
        return translate(self.message).format(**{name: _said(fact, translate) for name, fact in self.facts.items()})


def _said(fact: Any, translate: Callable[[str], str]) -> Any:
    match fact:
        case str():
            return translate(fact)
        case tuple():
            return f" {translate('or')} ".join(translate(word) for word in fact)
    return fact


class Refused(Exception):
    """A no. Raised once, by the engine or the ledger, and translated in one place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.code}: {problem.text()}" for problem in self.problems))


def busy() -> Problem:
    return Problem("BUSY", "Too much changed at once. Send the same again with the same key.")

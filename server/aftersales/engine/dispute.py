"""When a buyer may take a rejection to the platform (C9 and section 5 of the model)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from .guards import not_frozen, overdue
from .reasons import REASONS, ReasonClass
from .refusal import Problem
from .request import Request
from .stages import PACKAGE_REJECTED, REJECTED

# How long from delivery the platform takes such a case; of what is not named here, it takes it always (INF).
ACCEPTED_FOR = {
    ReasonClass.NOT_AS_DESCRIBED: timedelta(days=6),
    ReasonClass.COUNTERFEIT: timedelta(days=14),
}


def may_open(request: Request, at: datetime) -> Iterator[Problem]:
    """Everything that keeps the buyer from opening a dispute now; nothing if they may."""
    if request.stage.name not in (REJECTED.name, PACKAGE_REJECTED.name):
        yield Problem(
            "INVALID_STATE", "This cannot be done while the request is at: {stage}.", guard="G_STATE",
            stage=request.stage.label,
        )  # fmt: skip
        return
    yield from not_frozen(request)
    yield from overdue(request, at)
    yield from _rounds_left(request)
    yield from _accepted(request, at)


def accepted_until(request: Request) -> datetime | None:
    """The first instant at which the platform takes the case no longer; None: it always does."""
    delivered, reason = request.order.delivered_at, REASONS.get(request.reason)
    time = ACCEPTED_FOR.get(reason.kind) if reason else None
    return delivered + time if delivered and time else None


def _rounds_left(request: Request) -> Iterator[Problem]:
    most = request.terms.limit("limit.disputes")
    if request.disputes >= most:
        yield Problem("LIMIT_REACHED", "At most {most} disputes may be opened.", guard="G_DISPUTES", most=most)


def _accepted(request: Request, at: datetime) -> Iterator[Problem]:
    until = accepted_until(request)
    if until is not None and at >= until:
        yield Problem(
            "WINDOW_CLOSED", "The platform took such cases until {until}.", guard="G_ACCEPTANCE",
            until=until.isoformat(), ended=until,
        )  # fmt: skip

"""A request as whoever asks may know it: to a buyer or a carrier it has no appeal, and nothing betrays one."""

from dataclasses import replace

from .decide import decide
from .refusal import Refused, busy
from .request import Attempt, Change, Request
from .rights import knows_clock, sees_seller_side
from .vocabulary import Actor


def as_known(request: Request, actor: Actor) -> Request:
    """To be looked at, never to be written."""
    clocks = tuple(clock for clock in request.clocks if knows_clock(actor, clock.key))
    if sees_seller_side(actor) or (request.appeal is None and len(clocks) == len(request.clocks)):
        return request
    return replace(request, appeal=None, appeal_status="NOT_AVAILABLE", clocks=clocks)


def decided(attempt: Attempt) -> Change:
    """As `decide`, for an actor who may know less than it does.

    Raises:
        Refused: as if there were no appeal; BUSY, where time must first act on one.
    """
    known = as_known(attempt.request, attempt.actor)
    if known is attempt.request:
        return decide(attempt)
    decide(replace(attempt, request=known))
    try:
        return decide(attempt)
    except Refused:
        raise Refused([busy()]) from None

"""What is left of a buyer whose personal data is erased: money and history, under a name that says nothing.

A request keeps what was claimed, granted and paid, by whom and by which rule. What the buyer said and showed goes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from .refusal import Problem
from .request import Change, ClockStatus, Event, RefundStatus, Request
from .vocabulary import ERASED, Actor

# The section of the model on who may see and do what; erasure is the right that ends all others.
RULE = "11"
ACTION = "erase"
EVENT = "PersonalDataErased"

SHOWN = 10


def pseudonym(unique: str) -> str:
    """A buyer's id from then on. It follows from nothing that is known of them."""
    return f"{ERASED}{unique}"


def settled(request: Request) -> bool:
    """Whether nobody waits for anything any more: then nobody needs what the buyer said, to decide by it."""
    return (
        request.stage.final
        and not any(clock.status in (ClockStatus.RUNNING, ClockStatus.PAUSED) for clock in request.clocks)
        and not any(refund.status is RefundStatus.PENDING for refund in request.refunds)
    )


def unsettled(requests: Iterable[Request]) -> Iterator[Problem]:
    """The requests that stand against it, by number, so that they can be ended or waited for."""
    if numbers := [request.number for request in requests if not settled(request)]:
        yield Problem(
            "INELIGIBLE",
            "Not settled yet: {numbers}; {count} in all. Close them, or wait until their last deadline has passed.",
            "buyerId", guard="G_SETTLED", numbers=", ".join(sorted(numbers)[:SHOWN]), count=len(numbers),
        )  # fmt: skip


def erase(request: Request, name: str, actor: Actor, at: datetime) -> Change:
    """
    Args:
        name: the pseudonym, the same for all that was the buyer's.
    """
    after = replace(
        request, version=request.version + 1, updated_at=at, note="",
        order=replace(request.order, buyer_id=name, buyer_name=None),
        disputes=tuple(replace(dispute, claim="") for dispute in request.disputes),
    )  # fmt: skip
    said = Event(EVENT, RULE, at, actor, ACTION, request.stage, request.stage)
    return Change(request, after, RULE, ACTION, actor, at, (said,))

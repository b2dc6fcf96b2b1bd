"""A kind of request, whole: its process, its reasons, and when the answer to a claim is no."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from .offers import OfferRule
from .process import Process
from .reasons import Reason, RejectCode
from .refusal import Problem
from .vocabulary import DELIVERED, Claim, OfferKind, OrderState

Validate = Callable[[Claim], Iterable[Problem]]


def nothing_more(claim: Claim) -> Iterable[Problem]:
    """For kinds that ask nothing beyond what every kind asks."""
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request.

    Args:
        sends_back: goods come back, so that only returnable lines may be claimed (G_TYPE_OK).
        takes_change_of_mind: a buyer may simply have thought again (section 3: all but reshipment).
        order_states: states of the order in which it may be asked for (G_ORDER_STATE).
        offers: what a seller may offer instead (section 9); empty: nothing.
        offered_as: the offer that makes a request one of this kind; None: none does.
    """

    name: str
    label: str
    process: Process
    reasons: Mapping[str, Reason]
    reject_codes: Mapping[str, RejectCode]
    validate: Validate = nothing_more
    sends_back: bool = False
    takes_change_of_mind: bool = True
    order_states: frozenset[OrderState] = DELIVERED
    tags: Mapping[str, str] = field(default_factory=dict)
    offers: tuple[OfferRule, ...] = ()
    offered_as: OfferKind | None = None

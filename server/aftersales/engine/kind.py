"""A kind of request, whole: its process, its reasons, and when the answer to a claim is no."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .offers import OfferRule
from .process import Process
from .reasons import Reason, RejectCode
from .refusal import Problem
from .vocabulary import DELIVERED, Claim, ClaimLine, OfferKind, OrderState

if TYPE_CHECKING:
    from .request import RequestLine

Wants = Callable[[Sequence["ClaimLine | RequestLine"], Mapping[str, Any]], Mapping[str, int]]
Validate = Callable[[Claim], Iterable[Problem]]


def nothing_more(claim: Claim) -> Iterable[Problem]:
    """For kinds that ask nothing beyond what every kind asks."""
    return ()


def nothing_wanted(lines: Sequence[ClaimLine | RequestLine], details: Mapping[str, Any]) -> Mapping[str, int]:
    """For kinds that need nothing from stock."""
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request.

    Args:
        sends_back: goods come back, so that only returnable lines may be claimed (G_TYPE_OK).
        takes_change_of_mind: a buyer may simply have thought again (section 3: all but reshipment).
        order_states: states of the order in which it may be asked for (G_ORDER_STATE).
        offers: what a seller may offer instead (section 9); empty: nothing.
        wants: the units that a request of this kind takes from stock, by SKU; pure.
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
    wants: Wants = nothing_wanted

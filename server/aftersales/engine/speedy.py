"""Speedy refunds: the money goes when the parcel is handed over, and is judged after (RR8, RR19 to RR21)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .appeal import arrived_back, speedy
from .approvals import grant
from .cases import AVAILABLE, EXPIRED
from .common import refund_paid
from .guards import by_platform_carrier, note_short, refund_is_open
from .legs import both, moves
from .process import Transition
from .refusal import Problem
from .request import Attempt, Leg, Request, ShipmentStatus
from .stages import AWAITING_BUYER_SHIP, COMPLETED, PENDING_REVIEW, REFUNDING, expiry
from .vocabulary import ApprovedBy, Party

SELLER, PLATFORM, CARRIER, SYSTEM = Party.SELLER, Party.PLATFORM, Party.CARRIER, Party.SYSTEM
NOT_RECEIVED = "speedy.not_received"


def is_speedy(attempt: Attempt) -> bool:
    """The refund was promised at hand-over."""
    return speedy(attempt.request)


def refunded_at_hand_over(request: Request) -> Iterator[Problem]:
    """RR19 to RR21: the refund went out when the parcel did."""
    if not speedy(request):
        yield Problem("INVALID_STATE", "This refund was not made at hand-over.", guard="G_SPEEDY")


def not_speedy_yet(request: Request) -> Iterator[Problem]:
    """RR8: it was not promised before."""
    if speedy(request):
        yield Problem("INVALID_STATE", "The speedy refund is promised already.", guard="G_SPEEDY")


def not_arrived(request: Request) -> Iterator[Problem]:
    """RR19: a parcel arrives once."""
    if arrived_back(request):
        yield Problem("INVALID_STATE", "The parcel has arrived already.", guard="G_ARRIVED")


def arrived(request: Request) -> Iterator[Problem]:
    """RR21: the parcel is there to be confirmed, and was not before."""
    if not arrived_back(request):
        yield Problem("INVALID_STATE", "The parcel has not arrived yet.", guard="G_ARRIVED")
    elif request.package_confirmed_at:
        yield Problem("INVALID_STATE", "The parcel was confirmed already.", guard="G_ARRIVED")


def not_appealed(request: Request) -> Iterator[Problem]:
    """RR21: whoever has appealed does not confirm what they appeal against."""
    if request.appeal and request.appeal.stage.name not in (AVAILABLE.name, EXPIRED.name):
        yield Problem("INVALID_STATE", "You have appealed against this refund.", guard="G_APPEAL")


def promised(attempt: Attempt) -> Mapping[str, Any]:
    return {"tags": attempt.request.tags | {"speedy_refund"}}


def confirmed(attempt: Attempt) -> Mapping[str, Any]:
    """RR21."""
    return {"package_confirmed_at": attempt.at}


def no_appeal(attempt: Attempt) -> str:
    """RR21: the appeal is gone for good (AP4)."""
    appeal = attempt.request.appeal
    return "package_confirmed" if appeal and appeal.stage.name == AVAILABLE.name else ""


def speedy_refund() -> tuple[Transition, ...]:
    """The rows of a kind whose refund may be promised at hand-over. They stand before those of `back()`."""
    handed_over = both(
        moves(Leg.RETURN, ShipmentStatus.IN_TRANSIT, "handed_over_at"), grant(ApprovedBy.PLATFORM, whole=True)
    )
    # A refund that is not paid yet behaves like one that is.
    refunded = (REFUNDING, COMPLETED)
    # fmt: off
    rows = (
        *(Transition("RR8",  stage, "grant_speedy", None, PLATFORM | SYSTEM, "Promise the refund at hand-over",
                     gates=(by_platform_carrier, not_speedy_yet), guards=(note_short,), effect=promised)
          for stage in (PENDING_REVIEW, AWAITING_BUYER_SHIP)),
        Transition("RR8",  AWAITING_BUYER_SHIP, "handed_over", REFUNDING, CARRIER, "Handed over to the carrier", when=is_speedy,
                   gates=(by_platform_carrier,), effect=handed_over, starts=(NOT_RECEIVED,), events=("ReturnShipped",)),
        Transition("C18",  REFUNDING, "refund_paid", COMPLETED, SYSTEM, when=is_speedy,
                   guards=(refund_is_open,), effect=refund_paid, events=("RefundPaid",), keeps=(NOT_RECEIVED,)),
        *(Transition("RR19", stage, "delivered", None, CARRIER, "The parcel came back", gates=(refunded_at_hand_over, not_arrived),
                     effect=moves(Leg.RETURN, ShipmentStatus.DELIVERED, "delivered_at"), stops=(NOT_RECEIVED,),
                     events=("ReturnDelivered",)) for stage in refunded),
        *(Transition("RR20", stage, expiry(NOT_RECEIVED), None, SYSTEM, "The seller may appeal.") for stage in refunded),
        *(Transition("RR21", stage, "confirm_package", None, SELLER, "Confirm that the parcel is in order", grant="inspect",
                     gates=(refunded_at_hand_over, arrived, not_appealed), guards=(note_short,), effect=confirmed, then=no_appeal,
                     events=("PackageAccepted",)) for stage in refunded),
    )
    # fmt: on
    return tuple(replace(row, owner=row.owner or ("request" if row.rule == "C18" else "return")) for row in rows)

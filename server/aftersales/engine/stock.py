"""Goods held back for a request that will send some out (EX1, EX3): the intent, and what stock answers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .kind import Kind
from .process import Transition
from .refusal import Problem
from .request import Attempt, Leg, Request, Reservation, ReservationStatus
from .stages import AWAITING_BUYER_SHIP, AWAITING_SELLER_SHIP, REFUNDING
from .vocabulary import Party, Stage

PROMISES_GOODS = (AWAITING_BUYER_SHIP.name, AWAITING_SELLER_SHIP.name)


def with_reservation(request: Request, kind: Kind, attempt: Attempt) -> Request:
    """EX1: by whoever's yes, what will be sent is to be held back. The intent's id is stock's key for ever."""
    wanted = kind.wants(request.lines, request.details)
    if request.stage.name not in PROMISES_GOODS or request.reservation is not None or not wanted:
        return request
    items = tuple(sorted(wanted.items()))
    return replace(request, reservation=Reservation(attempt.new_id("rs"), ReservationStatus.WANTED, items))


def freed(request: Request) -> Request:
    """EX3: whoever gets money, or nothing, needs the goods no more. What was sent is gone and stays so."""
    held, parcel = request.reservation, request.shipment(Leg.OUTBOUND)
    needless = request.stage.final or request.stage.name == REFUNDING.name
    if held is None or not needless or (parcel is not None and parcel.handed_over_at):
        return request
    if held.status not in (ReservationStatus.WANTED, ReservationStatus.HELD):
        return request
    return replace(request, reservation=replace(held, status=ReservationStatus.FREED))


def in_stock(attempt: Attempt) -> Iterator[Problem]:
    """EX1: all that is wanted can be sent now, as far as stock has said."""
    known = attempt.given.get("variations", {})
    for sku_id, quantity in attempt.kind.wants(attempt.request.lines, attempt.request.details).items():
        there = known[sku_id].available if sku_id in known else 0
        if "variations" in attempt.given and there < quantity:
            yield Problem(
                "INELIGIBLE", "Only {there} of {sku} are in stock: reject with that reason, or offer something else.",
                guard="G_EX", there=there, sku=sku_id,
            )  # fmt: skip


def reservation_open(attempt: Attempt) -> Iterator[Problem]:
    """EX1: stock was asked, and has not answered before."""
    held = attempt.request.reservation
    if held is None or held.status is not ReservationStatus.WANTED:
        yield Problem("INVALID_STATE", "Nothing is to be held back for this request.", guard="G_RESERVATION")


def _answered(status: ReservationStatus, *tags: str) -> Any:
    def effect(attempt: Attempt) -> Mapping[str, Any]:
        held = attempt.request.reservation
        if held is None:
            raise LookupError(f"{attempt.request.id} has no reservation")
        return {"reservation": replace(held, status=status), "tags": attempt.request.tags | set(tags)}

    return effect


def reserving(stages: tuple[Stage, ...]) -> tuple[Transition, ...]:
    """Stock's answer, which may come at any stage; a no leaves the seller to refund instead (EX9)."""
    rows = (
        Transition("EX1", stage, action, None, Party.SYSTEM, guards=(reservation_open,), effect=effect, events=(event,))
        for stage in stages
        for action, effect, event in (
            ("stock_reserved", _answered(ReservationStatus.HELD), "StockReserved"),
            ("stock_refused", _answered(ReservationStatus.REFUSED, "out_of_stock"), "StockRefused"),
        )
    )
    return tuple(replace(row, owner="request") for row in rows)

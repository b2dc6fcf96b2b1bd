"""The two journeys of goods, each once: `back()` to the seller and `out()` to the buyer. Kinds are made of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .approvals import approver, grant
from .dispute import send_back_ordered
from .freight import who_pays
from .guards import (
    RejectReasonFits,
    amount_within_max,
    by_pick_up,
    by_platform_carrier,
    not_frozen,
    not_speedy,
    note_short,
    parcel_not_given_up,
    parcel_to_claim,
    parcel_with_buyer,
    self_arranged,
)
from .process import Effect, Transition
from .reasons import Review
from .refusal import Problem
from .request import Attempt, Cost, Leg, Request, Shipment, ShipmentStatus
from .stages import (
    AWAITING_BUYER_SHIP,
    AWAITING_SELLER_SHIP,
    CLOSED,
    COMPLETED,
    OUTBOUND_IN_TRANSIT,
    PACKAGE_REJECTED,
    PENDING_INSPECTION,
    REFUNDING,
    RETURN_IN_TRANSIT,
    expiry,
)
from .vocabulary import ApprovedBy, CloseReason, Party, ReturnMethod, Stage

BUYER, SELLER, PLATFORM, CARRIER, SYSTEM = Party.BUYER, Party.SELLER, Party.PLATFORM, Party.CARRIER, Party.SYSTEM


def _parcel(attempt: Attempt, leg: Leg, **changes: Any) -> tuple[Shipment, ...]:
    """All parcels, the latest on this leg changed; made if there is none yet."""
    request = attempt.request
    latest = request.shipment(leg) or Shipment(
        attempt.new_id("sp"), leg, ShipmentStatus.EXPECTED, request.return_method if leg is Leg.RETURN else None
    )
    others = tuple(shipment for shipment in request.shipments if shipment.id != latest.id)
    return (*others, replace(latest, **changes))


def moves(leg: Leg, status: ShipmentStatus, stamp: str = "", **also: Any) -> Effect:
    """The effect of a scan: the parcel's new status, with the time of it where it is kept."""

    def effect(attempt: Attempt) -> Mapping[str, Any]:
        scanned = {name: attempt.given[name] for name in ("carrier", "tracking") if attempt.given.get(name)}
        stamped = {stamp: attempt.at} if stamp else {}
        return {"shipments": _parcel(attempt, leg, status=status, **stamped, **scanned), **also}

    return effect


def both(*effects: Effect) -> Effect:
    return lambda attempt: {name: value for effect in effects for name, value in effect(attempt).items()}


def method_known(attempt: Attempt) -> Iterator[Problem]:
    """A way for the goods to come back is named."""
    if not isinstance(attempt.given.get("method"), ReturnMethod):
        yield Problem("INVALID_INPUT", "Say how the goods come back.", "method", guard="G_METHOD")


def choose_method(attempt: Attempt) -> Mapping[str, Any]:
    """RR3."""
    method = attempt.given["method"]
    return {
        "return_method": method,
        "shipments": _parcel(
            attempt, Leg.RETURN, method=method, status=ShipmentStatus.EXPECTED, pickup_at=None,
            payer=who_pays(attempt.request, attempt.kind, method).return_leg,
        ),
    }  # fmt: skip


def _no_failed_pickup(attempt: Attempt) -> bool:
    parcel = attempt.request.shipment(Leg.RETURN)
    return parcel is None or parcel.attempts == 0


def pickup_date_fits(attempt: Attempt) -> Iterator[Problem]:
    """RR4: a date to come, and within what the policy leaves for choosing one."""
    at, request = attempt.given.get("pickup_at"), attempt.request
    running = request.clock("ship_back.pickup_date") or request.clock("ship_back.pickup")
    latest = request.terms.due("ship_back.pickup_date", attempt.at, attempt.calendar)
    if running and running.due_at:
        latest = min(latest, running.due_at)
    if at is None or not attempt.at <= at <= latest:
        yield Problem(
            "INVALID_INPUT", "Choose a time from now until {latest}.", "pickupAt",
            guard="G_PICKUP_DATE", latest=latest.isoformat(),
        )  # fmt: skip


def schedule_pickup(attempt: Attempt) -> Mapping[str, Any]:
    """RR4."""
    at = attempt.given["pickup_at"]
    return {"shipments": _parcel(attempt, Leg.RETURN, status=ShipmentStatus.BOOKED, pickup_at=at)}


def _attempts_left(attempt: Attempt) -> bool:
    parcel = attempt.request.shipment(Leg.RETURN)
    return (parcel.attempts if parcel else 0) + 1 < attempt.request.terms.limit("limit.pickup_attempts")


def pickup_failed(attempt: Attempt) -> Mapping[str, Any]:
    """RR5."""
    parcel = attempt.request.shipment(Leg.RETURN)
    attempts = (parcel.attempts if parcel else 0) + 1
    return {"shipments": _parcel(attempt, Leg.RETURN, status=ShipmentStatus.PICKUP_FAILED, attempts=attempts)}


def to_drop_off(attempt: Attempt) -> Mapping[str, Any]:
    """RR6: nobody came for it, or no date was chosen: the buyer brings it."""
    parcel = attempt.request.shipment(Leg.RETURN)
    failed = int(attempt.action == "pickup_failed")
    return {
        "return_method": ReturnMethod.DROP_OFF,
        "shipments": _parcel(
            attempt, Leg.RETURN, method=ReturnMethod.DROP_OFF, status=ShipmentStatus.EXPECTED,
            attempts=(parcel.attempts if parcel else 0) + failed, pickup_at=None,
            payer=who_pays(attempt.request, attempt.kind, ReturnMethod.DROP_OFF).return_leg,
        ),
    }  # fmt: skip


def tracking_given(attempt: Attempt) -> Iterator[Problem]:
    """Carrier and tracking number are given."""
    for name in ("carrier", "tracking"):
        if not str(attempt.given.get(name) or "").strip():
            yield Problem("INVALID_INPUT", "Give the {name}.", name, guard="G_TRACKING", name=name)


def accept_package(attempt: Attempt) -> Mapping[str, Any]:
    """RR13, EX5: the latest yes is now that of whoever looked at the parcel; section 10 may owe the buyer a coupon."""
    extra, costs = who_pays(attempt.request, attempt.kind).extra, attempt.request.costs
    if extra is not None:
        # its amount is the marketplace's, and known once it is given
        costs = (*costs, Cost(attempt.new_id("co"), extra.kind, extra.payer))
    return {"package_confirmed_at": attempt.at, "approved_by": approver(attempt), "costs": costs}


def sellers_fault(attempt: Attempt) -> Mapping[str, Any]:
    """RS5: whatever was wrong before, now the seller did not send."""
    return {"fault": SELLER}


def refund_reason_fits(attempt: Attempt) -> Iterator[Problem]:
    """RS4, EX9: money instead of goods only when goods cannot be sent."""
    if attempt.given.get("reason") not in ("out_of_stock", "cannot_send"):
        yield Problem(
            "REASON_NOT_ALLOWED", "Choose one of: {allowed}.", "reason",
            guard="G_REFUND_INSTEAD", allowed="out_of_stock, cannot_send",
        )  # fmt: skip


def approved(by: ApprovedBy) -> Effect:
    """The effect of time: what was asked for is granted, by whose silence."""
    return lambda attempt: {"approved_by": by}


def to_be_sent_back(attempt: Attempt) -> Mapping[str, Any]:
    """C13: a parcel to the buyer is expected; its way is reimbursed."""
    parcel = Shipment(attempt.new_id("sp"), Leg.BACK_TO_BUYER, ShipmentStatus.EXPECTED, payer=PLATFORM)
    return {"shipments": (*attempt.request.shipments, parcel)}


def to_send_back(request: Request) -> Iterator[Problem]:
    """C13: the platform has ordered the goods back, and they have not gone."""
    parcel = request.shipment(Leg.BACK_TO_BUYER)
    if parcel is None or parcel.handed_over_at:
        yield Problem("INVALID_STATE", "Nothing of this request is to be sent back to the buyer.", guard="G_SEND_BACK")


def on_its_way_back(request: Request) -> Iterator[Problem]:
    """C13: a parcel to the buyer is on its way."""
    parcel = request.shipment(Leg.BACK_TO_BUYER)
    if parcel is None or parcel.status is not ShipmentStatus.IN_TRANSIT:
        yield Problem("INVALID_STATE", "No parcel of this request is on its way to the buyer.", guard="G_SEND_BACK")


def late_to_send_back(attempt: Attempt) -> Mapping[str, Any]:
    """C13: a person must look."""
    return {"tags": attempt.request.tags | {"send_back_late"}}


def back(
    accepted: Stage, unreceived: Stage = REFUNDING, rules: Mapping[str, str] | None = None
) -> tuple[Transition, ...]:
    """Goods come back and are inspected (RR3 to RR17).

    Args:
        accepted: where an accepted parcel leads.
        unreceived: where a self-arranged parcel leads that the seller never confirms (RR16, EX7).
        rules: the kind's own numbers for these rows, where the model gives it some (EX2 for RR3 …).
    """
    to_money = accepted is REFUNDING
    accept = both(grant(whole=True), accept_package) if to_money else accept_package
    if unreceived is CLOSED:
        lost_to: dict[str, Any] = {"closes": CloseReason.BUYER_DID_NOT_SHIP}
    else:
        lost_to = {"effect": grant(ApprovedBy.TIMEOUT_TRANSIT)}
    inspected = grant(ApprovedBy.TIMEOUT_INSPECTION) if to_money else approved(ApprovedBy.TIMEOUT_INSPECTION)
    parcel_back = moves(Leg.RETURN, ShipmentStatus.DELIVERED, "delivered_at")
    # fmt: off
    rows = (
        Transition("RR3",  AWAITING_BUYER_SHIP, "choose_method", None, BUYER | PLATFORM, "Choose how to send it back",
                   gates=(not_frozen, parcel_with_buyer), guards=(method_known,), effect=choose_method,
                   restarts=True, no_later=_no_failed_pickup, events=("ReturnMethodChosen",)),
        Transition("RR4",  AWAITING_BUYER_SHIP, "schedule_pickup", None, BUYER | PLATFORM, "Choose a time for the pick-up",
                   gates=(by_pick_up, parcel_with_buyer), guards=(pickup_date_fits,), effect=schedule_pickup,
                   stops=("ship_back.pickup_date",), starts=("ship_back.pickup",), events=("PickupScheduled",)),
        Transition("RR5",  AWAITING_BUYER_SHIP, "pickup_failed", None, CARRIER, "The pick-up failed", when=_attempts_left,
                   gates=(by_pick_up,), effect=pickup_failed, events=("PickupFailed",)),
        Transition("RR6",  AWAITING_BUYER_SHIP, "pickup_failed", None, CARRIER, "The last pick-up failed",
                   gates=(by_pick_up,), effect=to_drop_off, restarts=True, events=("PickupFailed", "ReturnMethodChanged")),
        *(Transition("RR6", AWAITING_BUYER_SHIP, expiry(key), None, SYSTEM, "The buyer is to bring the parcel to a drop-off point.",
                     effect=to_drop_off, restarts=True, events=("ReturnMethodChanged",))
          for key in ("ship_back.pickup_date", "ship_back.pickup")),
        Transition("RR7",  AWAITING_BUYER_SHIP, "handed_over", RETURN_IN_TRANSIT, CARRIER, "Handed over to the carrier",
                   gates=(by_platform_carrier,), effect=moves(Leg.RETURN, ShipmentStatus.IN_TRANSIT, "handed_over_at"),
                   events=("ReturnShipped",)),
        Transition("RR9",  AWAITING_BUYER_SHIP, "upload_tracking", RETURN_IN_TRANSIT, BUYER | PLATFORM, "Give the tracking number",
                   gates=(self_arranged,), guards=(tracking_given,),
                   effect=moves(Leg.RETURN, ShipmentStatus.IN_TRANSIT, "handed_over_at"), events=("ReturnShipped",)),
        *(Transition("RR10", AWAITING_BUYER_SHIP, expiry(key), CLOSED, SYSTEM, "The request is closed: nothing was sent back.",
                     closes=CloseReason.BUYER_DID_NOT_SHIP) for key in ("ship_back.drop_off", "ship_back.self")),
        Transition("RR11", RETURN_IN_TRANSIT, "delivered", PENDING_INSPECTION, CARRIER, "The parcel came back",
                   gates=(by_platform_carrier,), effect=parcel_back, events=("ReturnDelivered",)),
        Transition("RR12", RETURN_IN_TRANSIT, "mark_received", PENDING_INSPECTION, SELLER | PLATFORM, "Mark the parcel as received",
                   grant="inspect", gates=(self_arranged,), effect=parcel_back, events=("ReturnDelivered",)),
        Transition("RR13", PENDING_INSPECTION, "accept_package", accepted, SELLER | PLATFORM, "Accept the parcel", grant="inspect",
                   gates=(not_frozen,), guards=(note_short,), effect=accept,
                   events=("PackageAccepted",)),
        Transition("RR14", PENDING_INSPECTION, "reject_package", PACKAGE_REJECTED, SELLER | PLATFORM, "Reject the parcel",
                   grant="inspect", gates=(not_frozen, not_speedy), guards=(RejectReasonFits(Review.SECOND), note_short),
                   events=("PackageRejected",)),
        *(Transition("RR15", PENDING_INSPECTION, expiry(key), accepted, SYSTEM, "The parcel counts as accepted.", effect=inspected)
          for key in ("inspect.tracked", "inspect.self_arranged")),
        Transition("RR16", RETURN_IN_TRANSIT, expiry("inspect.self_arranged"), unreceived, SYSTEM,
                   "The parcel counts as not received." if unreceived is CLOSED else "The refund is granted.", **lost_to),
        Transition("RR16", RETURN_IN_TRANSIT, expiry("return.transit"), REFUNDING, SYSTEM, "The refund is granted.",
                   effect=grant(ApprovedBy.TIMEOUT_TRANSIT)),
        Transition("RR17", RETURN_IN_TRANSIT, "lost", REFUNDING, CARRIER, "The parcel was lost", gates=(by_platform_carrier,), unmet=True,
                   effect=both(moves(Leg.RETURN, ShipmentStatus.LOST), grant(ApprovedBy.TIMEOUT_TRANSIT)), events=("ReturnFailed",)),
        Transition("RR17", RETURN_IN_TRANSIT, "failed", None, CARRIER, "The delivery failed three times",
                   gates=(by_platform_carrier, parcel_not_given_up), effect=moves(Leg.RETURN, ShipmentStatus.FAILED),
                   starts=("failed_return.claim",), events=("ReturnFailed",)),
        Transition("RR17", RETURN_IN_TRANSIT, "claim_package", PENDING_INSPECTION, SELLER, "Fetch the parcel that could not be delivered",
                   grant="inspect", gates=(by_platform_carrier, parcel_to_claim), guards=(note_short,), effect=parcel_back,
                   events=("ReturnDelivered",)),
        Transition("RR17", RETURN_IN_TRANSIT, expiry("failed_return.claim"), None, SYSTEM, "The parcel is destroyed.",
                   effect=moves(Leg.RETURN, ShipmentStatus.DESTROYED)),
        Transition("C13", PACKAGE_REJECTED, "dispute_lost", CLOSED, SYSTEM, when=send_back_ordered, effect=to_be_sent_back,
                   starts=("back_to_buyer.ship",), closes=CloseReason.ARBITRATION_SELLER),
        Transition("C13", CLOSED, "send_back", None, SELLER | PLATFORM, "Send the goods back to the buyer", grant="ship",
                   gates=(to_send_back,), guards=(tracking_given,), stops=("back_to_buyer.ship",),
                   effect=moves(Leg.BACK_TO_BUYER, ShipmentStatus.IN_TRANSIT, "handed_over_at"), events=("OutboundShipped",)),
        Transition("C13", CLOSED, "delivered", None, CARRIER, "The goods came back to the buyer", gates=(on_its_way_back,),
                   effect=moves(Leg.BACK_TO_BUYER, ShipmentStatus.DELIVERED, "delivered_at"), events=("OutboundDelivered",)),
        Transition("C13", CLOSED, expiry("back_to_buyer.ship"), None, SYSTEM, "The seller is late to send the goods back: escalated.",
                   effect=late_to_send_back),
    )
    # fmt: on
    return _numbered(rows, rules, "return")


def out(rules: Mapping[str, str] | None = None) -> tuple[Transition, ...]:
    """Goods go out to the buyer, or money where they cannot (RS2 to RS7)."""
    sent = moves(Leg.OUTBOUND, ShipmentStatus.IN_TRANSIT, "handed_over_at")
    instead = both(grant(ApprovedBy.TIMEOUT_SHIP_OUT), sellers_fault)
    # fmt: off
    rows = (
        Transition("RS2", AWAITING_SELLER_SHIP, "arrange", None, SELLER | PLATFORM, "Arrange the shipment", grant="ship",
                   effect=moves(Leg.OUTBOUND, ShipmentStatus.BOOKED), events=("OutboundArranged",)),
        Transition("RS3", AWAITING_SELLER_SHIP, "handed_over", OUTBOUND_IN_TRANSIT, CARRIER, "Handed over to the carrier",
                   effect=sent, events=("OutboundShipped",)),
        Transition("RS3", AWAITING_SELLER_SHIP, "send", OUTBOUND_IN_TRANSIT, SELLER | PLATFORM, "Give the tracking number",
                   grant="ship", guards=(tracking_given,), effect=sent, events=("OutboundShipped",)),
        Transition("RS4", AWAITING_SELLER_SHIP, "refund_instead", REFUNDING, SELLER | PLATFORM, "Refund instead", grant="review",
                   guards=(amount_within_max, refund_reason_fits, note_short), effect=grant()),
        Transition("RS5", AWAITING_SELLER_SHIP, expiry("ship_out"), REFUNDING, SYSTEM, "The refund is granted.", effect=instead),
        Transition("RS6", OUTBOUND_IN_TRANSIT, "delivered", COMPLETED, CARRIER, "Delivered to the buyer",
                   effect=moves(Leg.OUTBOUND, ShipmentStatus.DELIVERED, "delivered_at"), events=("OutboundDelivered",)),
        *(Transition("RS7", OUTBOUND_IN_TRANSIT, scan, REFUNDING, CARRIER, label, unmet=True,
                     effect=both(moves(Leg.OUTBOUND, status), grant(ApprovedBy.TIMEOUT_TRANSIT)), events=("OutboundFailed",))
          for scan, status, label in (("lost", ShipmentStatus.LOST, "The parcel was lost"),
                                      ("failed", ShipmentStatus.FAILED, "The delivery failed"))),
        Transition("RS7", OUTBOUND_IN_TRANSIT, expiry("outbound.transit"), REFUNDING, SYSTEM, "The refund is granted.",
                   effect=grant(ApprovedBy.TIMEOUT_TRANSIT), events=("OutboundFailed",)),
    )
    # fmt: on
    return _numbered(rows, rules, "outbound")


def _numbered(rows: Iterable[Transition], rules: Mapping[str, str] | None, owner: str) -> tuple[Transition, ...]:
    return tuple(replace(row, rule=(rules or {}).get(row.rule, row.rule), owner=owner) for row in rows)

"""What is said of a change: the row's own events first, then what follows from the difference."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from .money import Money
from .request import Clock, ClockStatus, Event, Request, ReservationStatus, ShipmentStatus
from .stages import CANCELED, CLOSED, COMPLETED
from .vocabulary import Actor

ENDINGS = {COMPLETED.name: "RequestCompleted", CANCELED.name: "RequestCanceled", CLOSED.name: "RequestClosed"}


def events(
    before: Request | None, after: Request, rule: str, named: tuple[str, ...], action: str, actor: Actor,
    at: datetime, note: str, given: Mapping[str, Any],
) -> Iterator[Event]:  # fmt: skip
    """What is said of a change: the row's own events first, then what follows from the difference."""
    said = [
        *_named(named, given, after), *_moved(before, after), *_parcels(before, after), *_money(before, after),
        *_stock(before, after), *_appealable(before, after), *_clock_events(before, after),
    ]  # fmt: skip
    source = before.stage if before else None
    for index, (type, data, clock_id) in enumerate(said):
        yield Event(type, rule, at, actor, action, source, after.stage, note if index == 0 else "", data, clock_id)


Said = tuple[str, Mapping[str, Any], str | None]


_SAID = {
    "reason": "reason",
    "carrier": "carrier",
    "tracking": "tracking",
    "refund_id": "refundId",
    "rule_id": "ruleId",
    "rule_name": "ruleName",
}


def _named(named: tuple[str, ...], given: Mapping[str, Any], after: Request) -> Iterator[Said]:
    facts = {said: given[name] for name, said in _SAID.items() if given.get(name)}
    for index, type in enumerate(named):
        yield type, {**(facts if index == 0 else {}), **_about(type, after)}, None


def _about(type: str, after: Request) -> Mapping[str, Any]:
    """Which offer, dispute or appeal an event tells of, as the kind of event says."""
    if type.startswith("Offer") and after.offers:
        offer = after.offers[-1]
        return {"offerId": offer.id, "kind": offer.kind.value, **(_amount(offer.amount) if offer.amount else {})}
    if type.startswith("Dispute") and after.dispute:
        dispute = after.dispute
        return {"disputeId": dispute.id, "round": dispute.round, "status": dispute.stage.name}
    if type.startswith("Appeal") and after.appeal:
        return {"appealId": after.appeal.id, "ground": after.appeal.ground, "status": after.appeal.stage.name}
    return {}


def _stock(before: Request | None, after: Request) -> Iterator[Said]:
    held, was = after.reservation, before.reservation if before else None
    if held and held.status is ReservationStatus.FREED and (was is None or was.status is not held.status):
        yield "StockReleased", {"items": [list(item) for item in held.items]}, None


def _appealable(before: Request | None, after: Request) -> Iterator[Said]:
    if after.appeal is not None and (before is None or before.appeal is None):
        yield "AppealAvailable", _about("AppealAvailable", after), None


def _moved(before: Request | None, after: Request) -> Iterator[Said]:
    if before is not None and before.kind != after.kind:
        yield "RequestConverted", {"from": before.kind, "to": after.kind}, None
    if before is not None and before.stage.name != after.stage.name:
        yield (
            "RequestStatusChanged",
            {"from": before.stage.status.value, "to": after.stage.status.value, "stage": after.stage.name},
            None,
        )
        if ending := ENDINGS.get(after.stage.name):
            yield ending, {"reason": after.close_reason.value} if after.close_reason else {}, None
    for tag in sorted(after.tags - (before.tags if before else frozenset())):
        yield "TagAdded", {"tag": tag}, None
    for tag in sorted((before.tags if before else frozenset()) - after.tags):
        yield "TagRemoved", {"tag": tag}, None


def _parcels(before: Request | None, after: Request) -> Iterator[Said]:
    known = {parcel.id for parcel in before.shipments} if before else set()
    for parcel in after.shipments:
        if parcel.id not in known and parcel.status is ShipmentStatus.EXPECTED:
            yield "ShipmentExpected", {"leg": parcel.leg.value}, None


def _money(before: Request | None, after: Request) -> Iterator[Said]:
    known = {refund.id for refund in before.refunds} if before else set()
    for refund in after.refunds:
        if refund.id not in known:
            yield "RefundCreated", {"refundId": refund.id, **_amount(refund.amount)}, None
    costs = {cost.id for cost in before.costs} if before else set()
    for cost in after.costs:
        if cost.id not in costs:
            type = "CompensationCreated" if cost.kind.value == "COMPENSATION" else "CostAdded"
            yield (
                type,
                {"kind": cost.kind.value, "payer": cost.payer.title, **(_amount(cost.amount) if cost.amount else {})},
                None,
            )
    owed = {cost.id for cost in before.costs if cost.paid_at is None} if before else set()
    for cost in after.costs:
        if cost.id in owed and cost.paid_at is not None:
            yield "CompensationPaid", {"kind": cost.kind.value, **(_amount(cost.amount) if cost.amount else {})}, None


def _amount(money: Money) -> dict[str, str]:
    return {"amount": str(money.amount), "currency": money.currency}


_CLOCK_EVENT = {
    ClockStatus.MET: "DeadlineMet",
    ClockStatus.EXPIRED: "DeadlineExpired",
    ClockStatus.CANCELED: "DeadlineCanceled",
    ClockStatus.PAUSED: "DeadlinePaused",
}


def _clock_events(before: Request | None, after: Request) -> Iterator[Said]:
    known = {clock.id: clock for clock in before.clocks} if before else {}
    for clock in after.clocks:
        was = known.get(clock.id)
        if was is None:
            yield "DeadlineStarted", clock_facts(clock), clock.id
        elif was.status is not clock.status:
            resumed = clock.status is ClockStatus.RUNNING
            yield "DeadlineResumed" if resumed else _CLOCK_EVENT[clock.status], clock_facts(clock), clock.id


def clock_facts(clock: Clock) -> dict[str, Any]:
    """What a deadline event always says, so that no listener must ask back."""
    return {
        "key": clock.key,
        "owedBy": clock.owed_by.title,
        "dueAt": clock.due_at.isoformat() if clock.due_at else None,
    }

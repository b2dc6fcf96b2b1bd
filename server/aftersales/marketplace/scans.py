"""What a carrier sees of a parcel, told to the request that waits for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from ..desk import Desk
from ..engine.refusal import Problem, Refused, busy
from ..engine.request import Leg, Request, Shipment, ShipmentStatus
from ..engine.vocabulary import Actor
from ..store.keys import Key
from .fields import SKEW, Fault, text

TRIES = 5
# Of what a carrier calls itself, and a parcel, in characters.
LONGEST = 100
# Carriers tell in batches. What is told later than this counts from when it is told, as nobody
# could act on it before: a clock that starts in the past would take that from somebody's time.
AS_IT_HAPPENED = timedelta(hours=1)

ENDED = frozenset({ShipmentStatus.DELIVERED, ShipmentStatus.LOST, ShipmentStatus.REFUSED, ShipmentStatus.DESTROYED})
# Who owns the rows of a journey (`engine.legs`).
OWNERS = {Leg.RETURN: "return", Leg.OUTBOUND: "outbound"}


class ScanEvent(Enum):
    """Each is an act of the carrier's in the tables, by the same name in lower case."""

    HANDED_OVER = "HANDED_OVER"
    PICKUP_FAILED = "PICKUP_FAILED"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    LOST = "LOST"
    #: Of an order that was canceled, whose goods the carrier took all the same (leg OUTBOUND).
    COLLECTED = "COLLECTED"


class ScanOutcome(Enum):
    """DONE: the request has moved. KNOWN: it had already, and nothing was done. REFUSED: see the problems."""

    DONE = "DONE"
    KNOWN = "KNOWN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Scan:
    """
    Args:
        request_id, leg: which parcel, where its number is not known yet; else the number says it.
        at: when it was seen; None: now.
    """

    event: ScanEvent
    carrier: str
    tracking: str | None = None
    request_id: str | None = None
    leg: Leg | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """What became of a scan, and the request after it where one was found."""

    outcome: ScanOutcome
    request: Request | None = None
    problems: tuple[Problem, ...] = ()
    replayed: bool = False


async def report(desk: Desk, actor: Actor, scan: Scan, key: Key) -> Scanned:
    """Tell a request what was seen of its parcel. What is known already does no harm."""
    request: Request | None = None
    try:
        for _ in range(TRIES):
            request_id, leg = await _parcel(desk, scan)
            request = await desk.seen(request_id, actor)
            if not await desk.ledger.remembered(key, desk.clock() - key.lifetime):
                if is_known(request.shipment(leg), scan.event):
                    return Scanned(ScanOutcome.KNOWN, request)
                _refuse_the_other_leg(desk, request, leg, scan.event)
            try:
                return await _act(desk, actor, scan, request, key)
            except Refused as refused:
                # it changed since we looked: look again, or the scan would be of another parcel than meant
                if refused.problems[0].code != "VERSION_CONFLICT":
                    raise
        raise Refused([busy()])
    except Refused as refused:
        return Scanned(ScanOutcome.REFUSED, request, refused.problems)


async def _act(desk: Desk, actor: Actor, scan: Scan, request: Request, key: Key) -> Scanned:
    given = {name: said for name, said in (("carrier", scan.carrier), ("tracking", scan.tracking)) if said}
    done = await desk.act(
        request.id, scan.event.value.lower(), actor, expected=request.version, given=given, key=key,
        at=_seen_at(scan, request, desk.clock()),
    )  # fmt: skip
    return Scanned(ScanOutcome.DONE, done.request, replayed=done.replayed)


def _seen_at(scan: Scan, request: Request, now: datetime) -> datetime:
    """When it happened, as history tells it: never before what happened last."""
    if scan.at is None or scan.at < now - AS_IT_HAPPENED:
        return now
    return min(now, max(scan.at, request.updated_at))


def is_known(parcel: Shipment | None, event: ScanEvent) -> bool:
    """Whether the parcel shows already what was seen, or is past it."""
    if parcel is None:
        return False
    match event:
        case ScanEvent.COLLECTED:
            return False
        case ScanEvent.HANDED_OVER | ScanEvent.PICKUP_FAILED:
            return bool(parcel.handed_over_at or parcel.delivered_at)
        case ScanEvent.DELIVERED:
            return parcel.delivered_at is not None
        case ScanEvent.FAILED:
            return parcel.status in (ShipmentStatus.FAILED, ShipmentStatus.DESTROYED)
        case ScanEvent.LOST:
            return parcel.status is ShipmentStatus.LOST


def _refuse_the_other_leg(desk: Desk, request: Request, leg: Leg, event: ScanEvent) -> None:
    """Goods that come back and goods that go out are moved by acts of the same name."""
    kind = desk.registry.kinds.get(request.kind)
    rows = kind.process.at(request.stage.name, event.value.lower()) if kind else ()
    others = {owner for other, owner in OWNERS.items() if other is not leg}
    if any(row.owner in others for row in rows):
        raise Refused([
            Problem("INVALID_STATE", "The request waits for another parcel of its own.", "leg", guard="G_STATE")
        ])  # fmt: skip


async def _parcel(desk: Desk, scan: Scan) -> tuple[str, Leg]:
    """Whose parcel it is, and on which way.

    Raises:
        Refused: INVALID_INPUT, NOT_FOUND.
    """
    if problems := tuple(_unfit(scan, desk.clock())):
        raise Refused(problems)
    if scan.request_id and scan.leg:
        return scan.request_id, scan.leg
    found = await desk.ledger.find_parcel(scan.tracking or "")
    # numbers come round again after some months: then only one of them is still on its way
    parcels = [one for one in found if one[1].status not in ENDED] or found[:1]
    if not parcels:
        raise Refused([Problem("NOT_FOUND", "No parcel has this number.", "trackingNumber")])
    if len(parcels) > 1:
        raise Refused([
            Problem("INVALID_INPUT", "Several parcels have this number: say which request and leg.", "trackingNumber")
        ])  # fmt: skip
    [(request_id, parcel)] = parcels
    return request_id, parcel.leg


def _unfit(scan: Scan, now: datetime) -> Iterator[Problem]:
    for name, value in (("carrier", scan.carrier), ("trackingNumber", scan.tracking)):
        fault = None if value is None else text(LONGEST)(value)
        if isinstance(fault, Fault):
            yield Problem("INVALID_INPUT", fault.message, name, guard="G_INPUT", **fault.facts)
    if (scan.request_id is None) != (scan.leg is None):
        missing = "leg" if scan.leg is None else "requestId"
        yield Problem("INVALID_INPUT", "Give requestId and leg together.", missing, guard="G_INPUT")
    elif scan.request_id is None and scan.tracking is None:
        yield Problem("INVALID_INPUT", "Give trackingNumber, or requestId and leg.", "trackingNumber", guard="G_INPUT")
    if scan.at and scan.at > now + SKEW:
        yield Problem("INVALID_INPUT", "This is in the future. Is its offset right?", "at", guard="G_INPUT")

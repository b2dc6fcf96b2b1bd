"""A request as it stands, an attempt to change it, and the change that came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from .cases import Appeal, Dispute, Offer
from .clocks import Calendar
from .costs import CostKind
from .money import Money, shipping_shares
from .terms import Terms
from .vocabulary import (
    Actor,
    ApprovedBy,
    ClaimLine,
    CloseReason,
    Evidence,
    OfferStatus,
    Order,
    Party,
    ReturnMethod,
    Stage,
)

if TYPE_CHECKING:
    from .kind import Kind


class ClockStatus(Enum):
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    MET = "MET"
    EXPIRED = "EXPIRED"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True)
class Clock:
    """Who owes what until when.

    Args:
        due_at: the absolute instant; None while paused.
        remaining: what is left; only while paused.
        warn_before: how long before `due_at` the owner is warned, longest first.
        subject_id: the dispute or appeal whose clock it is; None: the request's own.
    """

    id: str
    key: str
    owed_by: Party
    started_at: datetime
    due_at: datetime | None
    status: ClockStatus = ClockStatus.RUNNING
    remaining: timedelta | None = None
    warn_before: tuple[timedelta, ...] = ()
    subject_id: str | None = None

    @property
    def of_appeal(self) -> bool:
        """An appeal's clocks press nobody but seller and platform, and a buyer never hears of them."""
        return self.subject_id is not None and self.subject_id.startswith("ap_")

    @property
    def alive(self) -> bool:
        return self.status in (ClockStatus.RUNNING, ClockStatus.PAUSED)

    def is_due(self, at: datetime) -> bool:
        """A deadline is due from its very instant on (7.4)."""
        return self.status is ClockStatus.RUNNING and self.due_at is not None and at >= self.due_at


class Leg(Enum):
    RETURN = "RETURN"
    OUTBOUND = "OUTBOUND"
    BACK_TO_BUYER = "BACK_TO_BUYER"


class ShipmentStatus(Enum):
    EXPECTED = "EXPECTED"
    BOOKED = "BOOKED"
    PICKUP_FAILED = "PICKUP_FAILED"
    HANDED_OVER = "HANDED_OVER"
    IN_TRANSIT = "IN_TRANSIT"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    REFUSED = "REFUSED"
    LOST = "LOST"
    DESTROYED = "DESTROYED"


@dataclass(frozen=True, slots=True)
class Shipment:
    """One parcel of a request, on one leg. `payer` is None where nobody is charged."""

    id: str
    leg: Leg
    status: ShipmentStatus
    method: ReturnMethod | None = None
    carrier: str | None = None
    tracking: str | None = None
    attempts: int = 0
    payer: Party | None = None
    pickup_at: datetime | None = None
    handed_over_at: datetime | None = None
    delivered_at: datetime | None = None


class RefundStatus(Enum):
    PENDING = "PENDING"
    PAID = "PAID"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way to the buyer. Its id is the key given to the payment provider, and never replaced.

    Args:
        lines: (order line id, share) pairs; the shares sum to `amount`.
        tries: how often the provider said no.
    """

    id: str
    amount: Money
    initiator: Party
    created_at: datetime
    lines: tuple[tuple[str, Money], ...]
    status: RefundStatus = RefundStatus.PENDING
    tries: int = 0
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Who carries what beside the refund. The amount of a leg is known once the carrier bills it: None before.

    `paid_at` is None while it is owed.
    """

    id: str
    kind: CostKind
    payer: Party
    amount: Money | None = None
    paid_at: datetime | None = None


class ReservationStatus(Enum):
    """WANTED and FREED wait for stock to be told; REFUSED: there was nothing to hold back."""

    WANTED = "WANTED"
    HELD = "HELD"
    REFUSED = "REFUSED"
    FREED = "FREED"
    RELEASED = "RELEASED"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Goods held back for a request.

    Args:
        items: (SKU, units) pairs.
    """

    id: str
    status: ReservationStatus
    items: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RequestLine:
    """Units of one order line. `refund_max` is frozen when the request is made."""

    order_line_id: str
    quantity: int
    refund_max: Money
    refund_approved: Money | None = None


def shipping_back(order: Order, lines: Sequence[ClaimLine | RequestLine], fault: Party | None) -> tuple[Money, ...]:
    """Each line's share of the shipping: back if all is claimed and the fault is not the buyer's."""
    whole = {line.id: line.quantity for line in order.lines} == {line.order_line_id: line.quantity for line in lines}
    weights = [bought.paid.amount if (bought := order.line(line.order_line_id)) else 0 for line in lines]
    return shipping_shares(
        order.shipping_paid, weights, order.digits, whole_order=whole, buyers_fault=fault is Party.BUYER
    )


@dataclass(frozen=True, slots=True)
class Request:
    """One claim of a buyer against lines of one order (section 1.2 of the model).

    Args:
        dispute_rounds: how often the case was disputed, also before it was asked anew.
        dispute_status, appeal_status: mirrors of the latest dispute and of the appeal, for lists.
    """

    id: str
    number: str
    kind: str
    original_kind: str
    order: Order
    stage: Stage
    version: int
    attempt: int
    reason: str
    note: str
    fault: Party | None
    lines: tuple[RequestLine, ...]
    refund_max: Money
    created_at: datetime
    updated_at: datetime
    terms: Terms
    return_method: ReturnMethod | None = None
    refund_approved: Money | None = None
    refund_paid: Money | None = None
    tags: frozenset[str] = frozenset()
    approved_by: ApprovedBy | None = None
    close_reason: CloseReason | None = None
    closed_at: datetime | None = None
    package_confirmed_at: datetime | None = None
    dispute_status: str = "NONE"
    dispute_rounds: int = 0
    appeal_status: str = "NOT_AVAILABLE"
    edits: int = 0
    previous_id: str | None = None
    next_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    clocks: tuple[Clock, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    costs: tuple[Cost, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    offers: tuple[Offer, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    appeal: Appeal | None = None
    reservation: Reservation | None = None

    @property
    def next_clock(self) -> Clock | None:
        """The running clock that comes first: who owes what until when. An appeal's clocks are the appeal's own."""
        running = [
            clock
            for clock in self.clocks
            if clock.status is ClockStatus.RUNNING
            and clock.due_at
            and not clock.of_appeal
            and clock.owed_by is not Party.SYSTEM
        ]
        return min(running, key=lambda clock: (clock.due_at, clock.id), default=None)

    @property
    def waits_for(self) -> Party | None:
        """Whose turn it is: the owner of the next clock, else of the stage; nobody once it has ended."""
        if clock := self.next_clock:
            return clock.owed_by
        if self.dispute_status == "OPEN":
            # the platform is late, and it is still its turn (DI7)
            return Party.PLATFORM
        return None if self.stage.final else self.stage.waits_for

    def clock(self, key: str) -> Clock | None:
        """The living clock of this key; of several, the one that comes first."""
        return next((clock for clock in self.clocks if clock.key == key and clock.alive), None)

    @property
    def offer(self) -> Offer | None:
        """The offer that waits for the buyer."""
        return next((offer for offer in self.offers if offer.status is OfferStatus.OPEN), None)

    @property
    def dispute(self) -> Dispute | None:
        """The latest dispute, open or not."""
        return self.disputes[-1] if self.disputes else None

    def shipment(self, leg: Leg) -> Shipment | None:
        """The latest parcel on this leg."""
        return next((shipment for shipment in reversed(self.shipments) if shipment.leg is leg), None)

    @property
    def payable(self) -> Money:
        """What may still be granted: within `refund_max`, and within each line and the order as paid (section 10)."""
        zero = Money.zero(self.order.currency)
        left_of_order = self.order.total - self.order.refunded(but=self.id)
        return max(zero, min(self.refund_max, sum(self.rooms, zero), left_of_order))

    @property
    def rooms(self) -> tuple[Money, ...]:
        """What may still be granted of each line: its share of the shipping comes on top of what it cost."""
        shipping = shipping_back(self.order, self.lines, self.fault)
        return tuple(self._room(line, share) for line, share in zip(self.lines, shipping, strict=True))

    def _room(self, line: RequestLine, shipping: Money) -> Money:
        bought = self.order.line(line.order_line_id)
        zero = Money.zero(self.order.currency)
        if bought is None:
            return zero
        taken = self.order.refunded(line.order_line_id, but=self.id)
        return max(zero, min(line.refund_max, bought.paid + shipping - taken))


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody, or time itself, tries to do something to a request at an instant.

    Args:
        at: when it happens. For a clock: its due instant, however late the server woke.
        expected: the version the caller last saw; None: they did not say.
        given: the act's own arguments, typed by its door.
        clock_id: which clock has run out, for an act of time; None: the first of its key.
        kinds: what a request may become by an offer, by name; those the market offers.
        step: 0 for the act itself; what follows from it in another table counts on, so that ids do not meet.
    """

    request: Request
    kind: Kind
    action: str
    actor: Actor
    at: datetime
    calendar: Calendar
    note: str = ""
    expected: int | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    clock_id: str | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    step: int = 0

    def new_id(self, prefix: str, ordinal: int = 0) -> str:
        """An id for a child of this change: unique, as no two changes share a version."""
        return child_id(prefix, self.request.id, self.request.version + 1, 100 * self.step + ordinal)


def child_id(prefix: str, request_id: str, version: int, ordinal: int = 0) -> str:
    """The id of something that a change made, from the request, its version and a number within the change."""
    return f"{prefix}_{request_id.partition('_')[2]}_{version}_{ordinal}"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log: history, stream and audit are made of these."""

    type: str
    rule: str
    at: datetime
    by: Actor
    action: str
    from_stage: Stage | None
    to_stage: Stage
    note: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    clock_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a decision made of a request: the record before and after, and what is said of it.

    Args:
        before: None when the request is new.
        rule: the number of the row in the model.
        given: the act's arguments, for plugins that object or listen.
    """

    before: Request | None
    request: Request
    rule: str
    action: str
    actor: Actor
    at: datetime
    events: tuple[Event, ...]
    note: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shop(self) -> str:
        return self.request.order.shop.id

    @property
    def takes_of_order(self) -> bool:
        """Whether what may be claimed of the order is another after this change: the write is then guarded by it."""
        before = self.before
        return (
            before is None or before.refunds != self.request.refunds or before.stage.final != self.request.stage.final
        )

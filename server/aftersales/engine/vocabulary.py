"""The nouns of the rulebook: who, where a request stands, and what the marketplace told us of an order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, Flag, auto
from typing import Any

from .money import Money


class Status(Enum):
    """Closed and small on purpose; plugins refine it with stages (section 2 of the model)."""

    PENDING_REVIEW = "PENDING_REVIEW"
    AWAITING_BUYER_RESPONSE = "AWAITING_BUYER_RESPONSE"
    IN_PROGRESS = "IN_PROGRESS"
    REJECTED = "REJECTED"
    REFUNDING = "REFUNDING"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"
    CLOSED = "CLOSED"

    @property
    def final(self) -> bool:
        return self in (Status.COMPLETED, Status.CANCELED, Status.CLOSED)


class Party(Flag):
    """Who acts, owes or pays. A flag, so that a row of a table can name several: `SELLER | PLATFORM`."""

    BUYER = auto()
    SELLER = auto()
    PLATFORM = auto()
    CARRIER = auto()
    PARTNER = auto()
    SYSTEM = auto()

    @property
    def title(self) -> str:
        """The name as the API and the log write it."""
        return self.name or ""


class ShopKind(Enum):
    MALL = "MALL"
    NON_MALL = "NON_MALL"


class OrderState(Enum):
    UNPAID = "UNPAID"
    ON_HOLD = "ON_HOLD"
    AWAITING_SHIPMENT = "AWAITING_SHIPMENT"
    AWAITING_COLLECTION = "AWAITING_COLLECTION"
    IN_TRANSIT = "IN_TRANSIT"
    DELIVERED = "DELIVERED"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


ON_ITS_WAY = frozenset({OrderState.AWAITING_COLLECTION, OrderState.IN_TRANSIT})
DELIVERED = frozenset({OrderState.DELIVERED})


class ReturnMethod(Enum):
    DROP_OFF = "DROP_OFF"
    PICK_UP = "PICK_UP"
    SELF_ARRANGED = "SELF_ARRANGED"


class EvidenceKind(Enum):
    PHOTO = "PHOTO"
    VIDEO = "VIDEO"
    DOCUMENT = "DOCUMENT"
    CHAT_SCREENSHOT = "CHAT_SCREENSHOT"
    AWB = "AWB"


class OfferKind(Enum):
    """What a seller may propose instead (section 9)."""

    PARTIAL_REFUND = "PARTIAL_REFUND"
    FULL_REFUND = "FULL_REFUND"
    RETURN_REFUND = "RETURN_REFUND"
    EXCHANGE = "EXCHANGE"
    SEND_ITEMS = "SEND_ITEMS"

    @property
    def money(self) -> bool:
        """Money without goods; the others make the request one of another kind."""
        return self in (OfferKind.PARTIAL_REFUND, OfferKind.FULL_REFUND)


class OfferStatus(Enum):
    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    AUTO_ACCEPTED = "AUTO_ACCEPTED"
    DECLINED = "DECLINED"
    LAPSED = "LAPSED"
    VOID = "VOID"


class ApprovedBy(Enum):
    """Whose yes led to money or goods last; it decides whether the seller may appeal (section 6.1)."""

    SELLER = "SELLER"
    PLATFORM = "PLATFORM"
    SELLER_RULE = "SELLER_RULE"
    TIMEOUT_REVIEW = "TIMEOUT_REVIEW"
    TIMEOUT_INSPECTION = "TIMEOUT_INSPECTION"
    TIMEOUT_TRANSIT = "TIMEOUT_TRANSIT"
    TIMEOUT_SHIP_OUT = "TIMEOUT_SHIP_OUT"
    ARBITRATION = "ARBITRATION"
    OFFER = "OFFER"


class CloseReason(Enum):
    REJECTION_STANDS = "REJECTION_STANDS"
    BUYER_DID_NOT_SHIP = "BUYER_DID_NOT_SHIP"
    ARBITRATION_SELLER = "ARBITRATION_SELLER"
    RESUBMITTED = "RESUBMITTED"
    EDITED = "EDITED"
    CONVERTED = "CONVERTED"
    OPERATOR = "OPERATOR"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a request stands, finer than its status. Every stage belongs to exactly one status.

    Args:
        clock: the policy key of the clock that runs while a request is here; where it depends on
            how the goods come back, one key for each return method. Empty: no clock of its own.
    """

    name: str
    status: Status
    label: str
    waits_for: Party = Party.SYSTEM
    clock: str | Mapping[ReturnMethod, str] = field(default="", hash=False)  # a mapping has no hash

    @property
    def final(self) -> bool:
        return self.status.final

    @property
    def clocks(self) -> tuple[str, ...]:
        """Every key that may run here, each once."""
        if isinstance(self.clock, str):
            return (self.clock,) if self.clock else ()
        return tuple(dict.fromkeys(self.clock.values()))

    def clock_for(self, method: ReturnMethod | None) -> str:
        """The key that runs here, given how the goods come back; drop-off while nobody has said."""
        if isinstance(self.clock, str):
            return self.clock
        return self.clock[method or ReturnMethod.DROP_OFF]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, as which party, with which grants. `*` among the grants is all of them (a shop's owner).

    Args:
        shops: the shops a seller or partner may speak for; empty for the other parties.
        client: what they came through (an app's name), for the audit.
    """

    party: Party
    id: str
    shops: frozenset[str] = frozenset()
    grants: frozenset[str] = frozenset()
    client: str = ""

    def holds(self, grant: str) -> bool:
        """Whether they have the grant, be it with a limit (`refund:500000`)."""
        if not grant or "*" in self.grants or grant in self.grants:
            return True
        return any(held.startswith(f"{grant}:") for held in self.grants)


SYSTEM = Actor(Party.SYSTEM, "system")


@dataclass(frozen=True, slots=True)
class Shop:
    """A seller's shop. `return_address` says whether one is known: without it nothing can come back."""

    id: str
    name: str
    market: str
    kind: ShopKind
    timezone: str
    return_address: bool = True
    open: bool = True


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order. `unit_paid` is what the buyer paid for one unit, `tax` the tax of the whole line.

    Args:
        taken_down: the product was taken off sale by the platform's enforcement (RO3).
    """

    id: str
    sku_id: str
    product_name: str
    quantity: int
    unit_paid: Money
    tax: Money
    product_id: str = ""
    seller_sku: str | None = None
    variation_name: str | None = None
    category: str | None = None
    returnable: bool = True
    change_of_mind_ok: bool = True
    preorder: bool = False
    taken_down: bool = False

    @property
    def paid(self) -> Money:
        return Money(self.unit_paid.amount * self.quantity, self.unit_paid.currency) + self.tax


@dataclass(frozen=True, slots=True)
class Claimed:
    """What another request, or the seller unasked, has already taken of one line of the order.

    Args:
        quantity: units named.
        active: the request has not ended; its units cannot be claimed again (G_ACTIVE).
        refunded: money granted for these units and not failed; zero if none.
        request_id: None for a refund that the seller made unasked.
        full: the money covers these units whole (G_LINE); where the seller gave it unasked, nothing is left of the
            line, whoever granted the rest (G_FULL).
    """

    order_line_id: str
    quantity: int
    active: bool
    refunded: Money
    request_id: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the marketplace told us, with what was already claimed of it.

    Args:
        digits: decimals of the currency's minor unit.
        claims: other requests and refunds on this order.
        claims_version: grows with each change to `claims`; a write that relies on them is guarded by it.
        stub: made up from a return that names it, until the marketplace tells of the order itself (section 14).
    """

    id: str
    number: str
    shop: Shop
    buyer_id: str
    currency: str
    digits: int
    state: OrderState
    placed_at: datetime
    delivered_at: datetime | None
    total: Money
    shipping_paid: Money
    lines: tuple[OrderLine, ...]
    fulfilment: str = "PLATFORM"
    buyer_name: str | None = None
    claims: tuple[Claimed, ...] = ()
    claims_version: int = 0
    stub: bool = False

    @property
    def erased(self) -> bool:
        """Whether its buyer is known no more: nothing that tells of them may be kept with it again."""
        return self.buyer_id.startswith(ERASED)

    def line(self, id: str) -> OrderLine | None:
        return next((line for line in self.lines if line.id == id), None)

    def refunded(self, order_line_id: str | None = None, but: str | None = None) -> Money:
        """Money granted so far on one line, or on the whole order, by others than request `but`."""
        granted = [
            claim.refunded
            for claim in self.claims
            if (order_line_id is None or claim.order_line_id == order_line_id)
            and (but is None or claim.request_id != but)
        ]
        return sum(granted, Money.zero(self.currency))

    def given_back(self, order_line_id: str) -> bool:
        """Nothing is left of the line since the seller refunded it unasked (G_FULL)."""
        return any(
            claim.full and claim.request_id is None for claim in self.claims if claim.order_line_id == order_line_id
        )


# What the id of a buyer begins with whose personal data was erased.
ERASED = "erased_"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that somebody shows. The file itself lives elsewhere; its checksum binds it."""

    id: str
    kind: EvidenceKind
    by: Party
    uploaded_by: str


@dataclass(frozen=True, slots=True)
class ClaimLine:
    order_line_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Variation:
    """What a shop's stock says of one variation of a product.

    Args:
        price: of one unit, today.
        available: units that can be sent.
    """

    sku_id: str
    product_id: str
    name: str
    price: Money
    available: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What a buyer says when asking: which lines, why, what they show, how goods would come back.

    Args:
        details: what only this kind asks, already decoded; JSON values.
        variations: what stock says of the variations that are wanted, by SKU; those it does not know are left out.
    """

    order: Order
    lines: tuple[ClaimLine, ...]
    reason: str
    note: str = ""
    evidence: tuple[Evidence, ...] = ()
    return_method: ReturnMethod | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    variations: Mapping[str, Variation] = field(default_factory=dict)

"""How the marketplace's own API says where a return stands, and how we do (section 14 of the model), as one table.

Inward a status means the first stage that it stands for, and agrees with the others; outward a stage has one status.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from ..engine.request import Request
from ..engine.stages import (
    AWAITING_BUYER_RESPONSE,
    AWAITING_BUYER_SHIP,
    AWAITING_SELLER_SHIP,
    CANCELED,
    CLOSED,
    COMPLETED,
    OUTBOUND_IN_TRANSIT,
    PACKAGE_REJECTED,
    PENDING_INSPECTION,
    PENDING_REVIEW,
    REFUNDING,
    REJECTED,
    RETURN_IN_TRANSIT,
)
from ..engine.vocabulary import Party, Stage

FORMAT = "tiktok"

_ASKED, _BACK = "RETURN_OR_REFUND_REQUEST", "REFUND_OR_RETURN_REQUEST"
_PARCEL = {
    AWAITING_BUYER_SHIP: "AWAITING_BUYER_SHIP",
    RETURN_IN_TRANSIT: "BUYER_SHIPPED_ITEM",
    PENDING_INSPECTION: "BUYER_SHIPPED_ITEM",
    PACKAGE_REJECTED: "REJECT_RECEIVE_PACKAGE",
}
_MONEY = {
    PENDING_REVIEW: f"{_ASKED}_PENDING",
    AWAITING_BUYER_RESPONSE: "AWAITING_BUYER_RESPONSE",
    REJECTED: f"{_BACK}_REJECT",
    REFUNDING: f"{_ASKED}_SUCCESS",
    COMPLETED: f"{_ASKED}_COMPLETE",
    CANCELED: f"{_ASKED}_CANCEL",
    CLOSED: f"{_ASKED}_CANCEL",
}


def _goods(name: str) -> dict[Stage, str]:
    sent = f"{name}_REQUEST_COMPLETE"
    return {
        # first, as it is what the word means inward: approved, and not delivered yet
        AWAITING_SELLER_SHIP: sent,
        OUTBOUND_IN_TRANSIT: sent,
        **_MONEY,
        PENDING_REVIEW: f"{name}_REQUEST_PENDING",
        REFUNDING: f"{name}_REQUEST_REFUND_SUCCESS",
        COMPLETED: sent,
    }


@dataclass(frozen=True, slots=True)
class Form:
    """One kind as the marketplace has it.

    Args:
        type: its `return_type`.
        says: its status at each stage.
        prefix: of statuses of its own; empty: it has none.
        review: the action it asks of a seller at the first review.
    """

    type: str
    says: dict[Stage, str]
    prefix: str
    review: str


FORMS = {
    "refund_only": Form("REFUND", _MONEY, "", "SELLER_RESPOND_REFUND"),
    "return_refund": Form("RETURN_AND_REFUND", _MONEY | _PARCEL, "", "SELLER_RESPOND_RETURN"),
    "reshipment": Form(
        "REPLACEMENT", _goods("REPLACEMENT") | {REJECTED: "REPLACEMENT_REQUEST_REJECT"}, "REPLACEMENT",
        "SELLER_RESPOND_REPLACEMENT",
    ),
    "exchange": Form("EXCHANGE", _goods("EXCHANGE") | _PARCEL, "EXCHANGE", "SELLER_RESPOND_REPLACEMENT"),
}  # fmt: skip
KINDS = {form.type: kind for kind, form in FORMS.items()}
INSPECT = "SELLER_RESPOND_RECEIVE_PACKAGE"
INSPECTS = frozenset({INSPECT, "PENDING_PACKAGE_REVIEW"})

# Other spellings that were seen, once the endings below are one.
_ALIASES = {
    "REQUEST_REJECT": f"{_BACK}_REJECT",
    f"{_ASKED}_REJECT": f"{_BACK}_REJECT",
    "REFUND_OR_RETURN_REJECT": f"{_BACK}_REJECT",
    "RECEIVE_REJECT": "REJECT_RECEIVE_PACKAGE",
    "REQUEST_SUCCESS": f"{_ASKED}_SUCCESS",
    "RETURN_OR_REFUND_CANCEL": f"{_ASKED}_CANCEL",
}
_ENDINGS = {"CANCELLED": "CANCEL", "CANCELED": "CANCEL", "REJECTED": "REJECT", "COMPLETED": "COMPLETE"}


def canonical(status: str) -> str:
    """One spelling of a status: upper case, single underscores, one ending."""
    plain = re.sub(r"[\s_]+", "_", status.strip().upper()).strip("_")
    head, _, last = plain.rpartition("_")
    plain = f"{head}_{_ENDINGS[last]}" if last in _ENDINGS else plain
    return _ALIASES.get(plain, plain)


def stages_of(kind: str, status: str, *, inspects: bool) -> tuple[str, ...]:
    """The stages that a status may mean for a kind, the likeliest first; none if it means nothing there.

    Args:
        inspects: something else says that the parcel has come and waits for the seller.
    """
    form, said = FORMS[kind], canonical(status)
    found = [stage.name for stage, name in form.says.items() if name == said]
    if not found and form.prefix:
        # its own word for what it shares with the others: REPLACEMENT_REQUEST_CANCEL; or theirs for what it has its own
        shared = said.replace(f"{form.prefix}_REQUEST_", f"{_ASKED}_").replace(f"{_ASKED}_REJECT", f"{_BACK}_REJECT")
        known = FORMS["return_refund"].says
        found = [stage.name for stage, name in known.items() if name in (said, shared) and stage in form.says]
    if form.prefix and REFUNDING.name in found and COMPLETED.name not in found:
        found.append(COMPLETED.name)
    if inspects and PENDING_INSPECTION.name in found:
        # no longer on its way: a request that still is does not agree
        return (PENDING_INSPECTION.name,)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class External:
    """A request as the marketplace's own API would tell it.

    Args:
        next_action: what the seller must do, in its words; None: nothing.
        deadline: until when.
    """

    status: str
    next_action: str | None
    deadline: datetime | None


def external(request: Request) -> External | None:
    """None for a kind, or a stage, that the marketplace does not have."""
    form = FORMS.get(request.kind)
    stage = next((stage for stage in form.says if stage.name == request.stage.name), None) if form else None
    if form is None or stage is None:
        return None
    settled = stage is COMPLETED and form.prefix and request.refund_paid
    status = form.says[REFUNDING if settled else stage]
    clock = request.next_clock
    asked = {PENDING_REVIEW.name: form.review, PENDING_INSPECTION.name: INSPECT}.get(stage.name)
    if asked is None or request.waits_for is not Party.SELLER:
        return External(status, None, None)
    return External(status, asked, clock.due_at if clock else None)

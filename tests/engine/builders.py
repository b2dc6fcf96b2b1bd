"""Orders, kinds and requests for the engine's tests: the real policies, a Jakarta week, no holidays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from aftersales.engine.appeal import GROUNDS, REASONS_TO_APPEAL
from aftersales.engine.approvals import approve, grant
from aftersales.engine.clocks import Calendar
from aftersales.engine.common import COMMON
from aftersales.engine.decide import decide
from aftersales.engine.guards import amount_within_max, not_frozen, note_given, return_address_known
from aftersales.engine.kind import Kind
from aftersales.engine.legs import back, out
from aftersales.engine.money import Money
from aftersales.engine.offers import MENDED_BY_SENDING, OfferRule, after_receiving, offers
from aftersales.engine.opening import Opening, facts_of, open_request, replace_request
from aftersales.engine.process import Process, Transition
from aftersales.engine.reasons import reasons, reject_codes
from aftersales.engine.refusal import Problem, Refused
from aftersales.engine.request import Attempt, Change, Clock, ClockStatus, Request
from aftersales.engine.speedy import speedy_refund
from aftersales.engine.stages import (
    AWAITING_BUYER_SHIP,
    AWAITING_SELLER_SHIP,
    CLOSED,
    COMPLETED,
    PENDING_REVIEW,
    REFUNDING,
    expired_key,
    expiry,
)
from aftersales.engine.terms import Terms
from aftersales.engine.vocabulary import (
    DELIVERED,
    ON_ITS_WAY,
    SYSTEM,
    Actor,
    ApprovedBy,
    Claim,
    Claimed,
    ClaimLine,
    Evidence,
    EvidenceKind,
    OfferKind,
    Order,
    OrderLine,
    OrderState,
    Party,
    ReturnMethod,
    Shop,
    ShopKind,
    Stage,
)
from aftersales.policy_book import book

JAKARTA = ZoneInfo("Asia/Jakarta")
WEEK = Calendar(JAKARTA, frozenset(range(5)), frozenset())
BOOK = book()
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)

DROP_OFF, PICK_UP, SELF_ARRANGED = ReturnMethod.DROP_OFF, ReturnMethod.PICK_UP, ReturnMethod.SELF_ARRANGED

BUYER = Actor(Party.BUYER, "by_1")
SELLER = Actor(Party.SELLER, "owner", shops=frozenset({"sh_1"}), grants=frozenset({"*"}))
AGENT = Actor(Party.PLATFORM, "agent")
CARRIER = Actor(Party.CARRIER, "carrier")
APP = Actor(Party.PARTNER, "app", shops=frozenset({"sh_1"}), grants=frozenset({"*"}))


def staff(*grants: str) -> Actor:
    return Actor(Party.SELLER, "staff", shops=frozenset({"sh_1"}), grants=frozenset(grants))


def jakarta(text: str) -> datetime:
    """An instant of 2025 by Jakarta's clocks: "03-06 09:00"."""
    return datetime.fromisoformat(f"2025-{text}").replace(tzinfo=JAKARTA).astimezone(UTC)


ARRIVED = jakarta("03-03 10:00")
OPENED = jakarta("03-06 09:00")


def rp(amount: int | str) -> Money:
    return Money(Decimal(amount), "IDR")


def was_enforced(request: Request) -> Iterator[Problem]:
    if "enforced" not in request.tags or request.appeal:
        yield Problem("INVALID_STATE", "Nothing was enforced, or it is revoked already.", guard="G_ENFORCED")


# fmt: off
STAFF = Party.SELLER | Party.PLATFORM
YES: Any = {"grant": "review", "gates": (not_frozen,), "events": ("RequestApproved",)}
TO_RETURN: Any = YES | {"gates": (not_frozen, return_address_known), "effect": approve, "events": ("RequestApproved",)}
RO_ROWS = (
    Transition("RO1", PENDING_REVIEW, "approve", REFUNDING, STAFF, "Grant the refund", **YES,
               guards=(amount_within_max,), effect=grant()),
    Transition("RO2", PENDING_REVIEW, "match_rule", REFUNDING, Party.SYSTEM,
               effect=grant(ApprovedBy.SELLER_RULE, "seller_rule"), events=("RequestApproved",)),
    Transition("RO3", PENDING_REVIEW, "enforce", REFUNDING, Party.SYSTEM,
               effect=grant(ApprovedBy.PLATFORM, "platform_approved_refund", "enforced"), events=("RequestApproved",)),
    Transition("RO3", COMPLETED, "revoke_enforcement", None, Party.PLATFORM, "Revoke it", gates=(was_enforced,),
               guards=(note_given,), events=("EnforcementRevoked",)),
)
RR_ROWS = (
    Transition("RR1", PENDING_REVIEW, "approve", AWAITING_BUYER_SHIP, STAFF, "Approve it", **TO_RETURN),
    Transition("RR2", PENDING_REVIEW, "approve_keep_item", REFUNDING, Party.SELLER, "Keep it", **YES,
               guards=(amount_within_max,), effect=grant()),
    *speedy_refund(),
    *after_receiving(),
    *back(accepted=REFUNDING),
)
RS_ROWS = (
    Transition("RS1", PENDING_REVIEW, "approve", AWAITING_SELLER_SHIP, STAFF, "Approve it", **YES,
               effect=approve),
    *out(),
)
EX_APPROVE = Transition("EX1", PENDING_REVIEW, "approve", AWAITING_BUYER_SHIP, STAFF, "Approve", **TO_RETURN)
EX_BACK = back(accepted=AWAITING_SELLER_SHIP, unreceived=CLOSED, rules={
    "RR3": "EX2", "RR4": "EX2", "RR5": "EX2", "RR6": "EX2", "RR7": "EX2", "RR9": "EX2", "RR10": "EX3",
    "RR11": "EX4", "RR12": "EX4", "RR13": "EX5", "RR14": "EX6", "RR15": "EX7", "RR16": "EX7"})
EX_OUT = out(rules={"RS2": "EX8", "RS3": "EX8", "RS4": "EX9", "RS5": "EX10", "RS6": "EX11", "RS7": "EX12"})
EX_ROWS = (EX_APPROVE, *EX_BACK, *EX_OUT)

# Section 8: why a buyer may ask, and why a seller may say no.
REASONS = {
    "refund_only":
        "wont_arrive_on_time not_received missed_delivery_date not_as_described wrong_item missing_item "
        "damaged defective counterfeit other",
    "return_refund":
        "missed_delivery_date not_as_described wrong_item missing_item damaged defective counterfeit "
        "no_longer_needed wrong_size other",
    "reshipment":
        "wrong_item missing_item damaged defective",
    "exchange":
        "not_as_described wrong_item damaged defective no_longer_needed wrong_size wants_other_variation",
}
SECOND_REVIEW = " pkg_not_ours pkg_not_received pkg_damaged_used pkg_parts_missing"
REJECT_CODES = {
    "refund_only":
        "reason_not_valid need_return_and_refund item_correct sent_separately wrong_address_buyer works_well "
        "cannot_change_address on_schedule_or_not_recallable agreed_with_buyer unclear_or_no_evidence",
    "return_refund":
        "reason_not_valid item_correct agreed_with_buyer unclear_or_no_evidence works_well not_eligible_used "
        "change_of_mind_not_allowed" + SECOND_REVIEW,
    "reshipment":
        "reason_not_valid item_correct sent_separately agreed_with_buyer unclear_or_no_evidence works_well",
    "exchange":
        "reason_not_valid agreed_with_buyer unclear_or_no_evidence works_well not_eligible_used "
        "change_of_mind_not_allowed exchange_out_of_stock" + SECOND_REVIEW,
}
# fmt: on


# Section 9: what may be offered for what, and what a request becomes by it.
PART, WHOLE = OfferRule(OfferKind.PARTIAL_REFUND), OfferRule(OfferKind.FULL_REFUND, better=True)
MORE = OfferRule(OfferKind.SEND_ITEMS, reasons=MENDED_BY_SENDING)
OFFERS = {
    "refund_only": (OfferRule(OfferKind.PARTIAL_REFUND, flag="offer.refund_only.partial"),),
    "return_refund": (PART, WHOLE, OfferRule(OfferKind.EXCHANGE), MORE),
    "reshipment": (PART, WHOLE),
    "exchange": (PART, WHOLE, OfferRule(OfferKind.RETURN_REFUND), MORE),
}
OFFERED_AS = {
    "return_refund": OfferKind.RETURN_REFUND,
    "reshipment": OfferKind.SEND_ITEMS,
    "exchange": OfferKind.EXCHANGE,
}


@cache
def kinds() -> Mapping[str, Kind]:
    """The four of section 4, from the engine's pieces alone."""
    four = (
        _kind("refund_only", RO_ROWS, REFUNDING, order_states=ON_ITS_WAY | DELIVERED),
        _kind("return_refund", RR_ROWS, AWAITING_BUYER_SHIP, sends_back=True),
        _kind("reshipment", RS_ROWS, AWAITING_SELLER_SHIP, takes_change_of_mind=False),
        _kind("exchange", EX_ROWS, AWAITING_BUYER_SHIP, sends_back=True),
    )
    return {kind.name: kind for kind in four}


def _kind(name: str, rows: tuple[Transition, ...], approved: Stage, **traits: Any) -> Kind:
    process = Process(name, rows, (*COMMON, *offers(OFFERS[name])), approved)
    label = name.replace("_", " ").capitalize()
    return Kind(
        name,
        label,
        process,
        reasons(*REASONS[name].split()),
        reject_codes(*REJECT_CODES[name].split()),
        offers=OFFERS[name],
        offered_as=OFFERED_AS.get(name),
        **traits,
    )


def a_line(id: str = "ol_1", unit: int = 100, quantity: int = 1, tax: int = 0, **facts: Any) -> OrderLine:
    return OrderLine(id, facts.pop("sku_id", f"sku_{id}"), "Lamp", quantity, rp(unit), rp(tax), **facts)


def an_order(*lines: OrderLine, shop: Mapping[str, Any] | None = None, **facts: Any) -> Order:
    """A delivered order of a non-Mall shop in Indonesia, in rupiah, for `shipping` beside its lines."""
    lines = lines or (a_line(),)
    shipping: Money = rp(facts.pop("shipping", 0))
    usual_shop: dict[str, Any] = {
        "id": "sh_1",
        "name": "Lamps",
        "market": "ID",
        "kind": ShopKind.NON_MALL,
        "timezone": "Asia/Jakarta",
    }
    usual: dict[str, Any] = {
        "id": "or_1",
        "number": "1",
        "shop": Shop(**(usual_shop | dict(shop or {}))),
        "buyer_id": BUYER.id,
        "currency": "IDR",
        "digits": 0,
        "state": OrderState.DELIVERED,
        "placed_at": ARRIVED - 72 * HOUR,
        "delivered_at": ARRIVED,
        "total": sum((line.paid for line in lines), shipping),
        "shipping_paid": shipping,
        "lines": lines,
    }
    return Order(**(usual | facts))


def on_its_way(*lines: OrderLine) -> Order:
    return an_order(*lines, state=OrderState.IN_TRANSIT, delivered_at=None)


def claimed(
    line: str = "ol_1", quantity: int = 1, *, by: str | None = "rq_other", money: int = 0, **facts: Any
) -> Claimed:
    """What another request holds or got of a line; `by=None`: what the seller gave unasked."""
    return Claimed(line, quantity, facts.get("active", False), rp(money), by, full=facts.get("full", False))


def shown(kind: EvidenceKind = EvidenceKind.PHOTO, by: Party = Party.BUYER) -> Evidence:
    return Evidence(f"ed_{kind.value}", kind, by, by.title)


USUAL_REASON = {
    "refund_only": "not_received",
    "return_refund": "wrong_size",
    "reshipment": "missing_item",
    "exchange": "wrong_size",
}


def an_opening(kind: str = "refund_only", order: Order | None = None, at: datetime = OPENED, **changes: Any) -> Opening:
    """A good claim for all of an order, but for what is changed: fields of `Claim` or of `Opening`."""
    order = order or an_order()
    said: dict[str, Any] = {
        "lines": tuple(ClaimLine(line.id, line.quantity) for line in order.lines),
        "reason": USUAL_REASON[kind] if order.state is OrderState.DELIVERED else "wont_arrive_on_time",
        "evidence": (shown(),),
    }
    said |= {name: changes.pop(name) for name in tuple(changes) if name in Claim.__dataclass_fields__}
    claim, known = Claim(order, **said), kinds()[kind]
    usual: dict[str, Any] = {"actor": BUYER, "calendar": WEEK, "id": "rq_1", "number": "AS-1"}
    usual["terms"] = BOOK.terms(facts_of(claim, known, at))
    return Opening(claim, known, at=at, **(usual | changes))


def lines(*quantities: int, **named: int) -> tuple[ClaimLine, ...]:
    """So many units of the first line, the second …; or of the lines named."""
    by_place = [ClaimLine(f"ol_{place}", quantity) for place, quantity in enumerate(quantities, start=1)]
    return (*by_place, *(ClaimLine(id, quantity) for id, quantity in named.items()))


def opened(kind: str = "refund_only", order: Order | None = None, at: datetime = OPENED, **changes: Any) -> Request:
    return open_request(an_opening(kind, order, at, **changes)).request


def replaced(
    request: Request,
    action: str,
    at: datetime | None = None,
    *,
    actor: Actor = BUYER,
    expected: int | None = None,
    **changes: Any,
) -> tuple[Change, Change]:
    """An edit or a resubmission, with the same claim but for the changes."""
    at = at or request.updated_at + HOUR
    order: Order = changes.pop("order", request.order)
    usual: dict[str, Any] = {"id": f"{request.id}x", "actor": actor, "instead_of": request}
    opening = an_opening(request.kind, order, at, **(usual | changes))
    return replace_request(attempt(request, action, actor, at, expected=expected), opening)


_ACTS = {
    BUYER: (
        *("cancel", "choose_method", "schedule_pickup", "upload_tracking", "edit", "resubmit"),
        *("offer_accept", "offer_decline", "dispute_open", "dispute_submit_evidence", "dispute_withdraw"),
    ),
    SELLER: (
        *("approve", "approve_keep_item", "reject", "mark_received", "accept_package", "reject_package"),
        *("arrange", "send", "refund_instead", "offer_make", "claim_package", "confirm_package", "send_back"),
        *("appeal_file", "appeal_add_evidence", "appeal_withdraw"),
    ),
    AGENT: (
        *("platform_approve", "refund_without_return", "close", "retry_refund", "grant_speedy", "compensation_paid"),
        *("dispute_request_evidence", "dispute_decide", "revoke_enforcement"),
        *("appeal_take_up", "appeal_request_evidence", "appeal_approve", "appeal_deny"),
    ),
    CARRIER: ("handed_over", "delivered", "lost", "failed", "pickup_failed", "collected"),
    SYSTEM: (
        *("refund_paid", "refund_failed", "refund_unknown", "match_rule", "enforce"),
        *("dispute_won", "dispute_lost", "dispute_withdrawn", "request_closed", "package_confirmed"),
    ),
}
USUAL_ACTOR = {action: actor for actor, actions in _ACTS.items() for action in actions}


def good_input(request: Request, action: str, at: datetime) -> dict[str, Any]:
    """What the act needs so that nothing but the state can speak against it."""
    match action:
        case "reject":
            return {"reason": "unclear_or_no_evidence"}
        case "reject_package":
            return {"reason": "pkg_not_ours", "evidence": (shown(by=Party.SELLER),)}
        case "choose_method":
            return {"method": SELF_ARRANGED}
        case "schedule_pickup":
            return {"pickup_at": at + HOUR}
        case "upload_tracking" | "send" | "send_back":
            return {"carrier": "JNE", "tracking": "JNE123"}
        case "refund_instead":
            return {"reason": "out_of_stock"}
        case "offer_make":
            return good_offer(request)
        case "dispute_submit_evidence":
            return {"evidence": (shown(EvidenceKind.DOCUMENT),)}
        case "dispute_request_evidence":
            return {"party": Party.SELLER}
        case "dispute_decide":
            return {"decision": Party.BUYER}
        case "appeal_file":
            return good_appeal(request)
        case "appeal_add_evidence":
            return {"evidence": (shown(EvidenceKind.VIDEO, Party.SELLER),)}
        case "refund_paid" | "refund_failed" | "refund_unknown":
            return {"refund_id": request.refunds[-1].id if request.refunds else "rf_none"}
    return {}


def good_offer(request: Request) -> dict[str, Any]:
    """The whole refund; a part of it where only a part may be offered."""
    if request.kind == "refund_only" or request.stage.name == "pending_inspection":
        half = int(request.refund_max.amount) // 2
        return {"kind": OfferKind.PARTIAL_REFUND, "amount": rp(half)}
    return {"kind": OfferKind.FULL_REFUND}


def good_appeal(request: Request) -> dict[str, Any]:
    """The first reason that the appeal's ground offers, with all that it asks for."""
    if request.appeal is None:
        return {}
    reason = REASONS_TO_APPEAL[GROUNDS[request.appeal.ground].reasons[0]]
    kinds = [sorted(needed, key=lambda kind: kind.value)[0] for needed in reason.needs]
    evidence = tuple(shown(kind, Party.SELLER) for kind in kinds)
    return {"reason": reason.code, "statement": "It was not our fault.", "evidence": evidence}


NEED_WORDS = (
    *("close", "revoke_enforcement", "dispute_open", "dispute_request_evidence", "dispute_decide"),
    *("appeal_request_evidence", "appeal_approve", "appeal_deny"),
)


def attempt(
    request: Request,
    action: str,
    actor: Actor | None = None,
    at: datetime | None = None,
    *,
    note: str | None = None,
    expected: int | None = None,
    **given: Any,
) -> Attempt:
    """An attempt that brings all it needs, an hour after the last change, but for what is said otherwise."""
    actor, at = actor or USUAL_ACTOR[action], at or request.updated_at + HOUR
    note = ("A note." if action in NEED_WORDS else "") if note is None else note
    facts = good_input(request, action, at) | given
    return Attempt(request, kinds()[request.kind], action, actor, at, WEEK, note, expected, facts, kinds=kinds())


def act(request: Request, action: str, actor: Actor | None = None, at: datetime | None = None, **more: Any) -> Change:
    return decide(attempt(request, action, actor, at, **more))


def run_out(request: Request, key: str | None = None, at: datetime | None = None, clock: Clock | None = None) -> Change:
    """What follows when a clock, that of `key`, or else the next, runs out, at its very instant."""
    clock = clock or (request.clock(key) if key else request.next_clock)
    assert clock is not None
    at = at or clock.due_at
    return decide(
        Attempt(
            request, kinds()[request.kind], expiry(clock.key), SYSTEM, at or OPENED, WEEK,
            clock_id=clock.id, kinds=kinds(),
        )
    )  # fmt: skip


Said = str | tuple[str, Mapping[str, Any]]


def part(amount: int | str = 40) -> Said:
    """An offer of a part, which needs the buyer."""
    return ("offer_make", {"kind": OfferKind.PARTIAL_REFUND, "amount": rp(amount)})


def goods(kind: OfferKind) -> Said:
    """An offer of goods, which makes the request one of another kind."""
    return ("offer_make", {"kind": kind})


def decided(party: Party, **more: Any) -> Said:
    """The platform's word in a dispute."""
    return ("dispute_decide", {"decision": party, **more})


# Both sides have said what they had to say.
HEARD = (("dispute_submit_evidence", {"actor": BUYER}), ("dispute_submit_evidence", {"actor": SELLER}))
DISPUTED: tuple[Said, ...] = ("dispute_open", *HEARD)

# The shortest way from open to a stage, for those whose goods a carrier of ours brings.
_SENT_BACK = ("approve", "handed_over")
_REVIEWED: dict[str, tuple[Said, ...]] = {
    "pending_review": (),
    "awaiting_buyer_response": (part(),),
    "rejected": ("reject",),
    "canceled": ("cancel",),
    "closed": ("close",),
}
_RETURNED: dict[str, tuple[Said, ...]] = {
    "awaiting_buyer_ship": ("approve",),
    "return_in_transit": _SENT_BACK,
    "pending_inspection": (*_SENT_BACK, "delivered"),
    "package_rejected": (*_SENT_BACK, "delivered", "reject_package"),
}
_SWAPPED = (*_SENT_BACK, "delivered", "accept_package")
WAYS: Mapping[str, Mapping[str, tuple[Said, ...]]] = {
    "refund_only": _REVIEWED | {"refunding": ("approve",), "completed": ("approve", "refund_paid")},
    "return_refund": _REVIEWED | _RETURNED | {"refunding": _SWAPPED, "completed": (*_SWAPPED, "refund_paid")},
    "reshipment": _REVIEWED
    | {
        "awaiting_seller_ship": ("approve",),
        "outbound_in_transit": ("approve", "handed_over"),
        "refunding": ("approve", "refund_instead"),
        "completed": ("approve", "handed_over", "delivered"),
    },
    "exchange": _REVIEWED
    | _RETURNED
    | {
        "awaiting_seller_ship": _SWAPPED,
        "outbound_in_transit": (*_SWAPPED, "handed_over"),
        "refunding": (*_SWAPPED, "refund_instead"),
        "completed": (*_SWAPPED, "handed_over", "delivered"),
    },
}
# A parcel that the buyer sends themselves is heard of through people.
_BY_PEOPLE = {"handed_over": "upload_tracking", "delivered": "mark_received"}


def a_request(kind: str = "refund_only", stage: str = "pending_review", *acts: Said, **changes: Any) -> Request:
    """A request brought to a stage by the shortest way and then through these acts, an hour each.

    An act may name flags that are given with it ("refund_failed last"), or bring more beside it; a clock's end is one.
    """
    request = opened(kind, **changes)
    if (kind, stage) == ("refund_only", "awaiting_buyer_response"):
        request = under(request, {"offer.refund_only.partial": True})
    return lived(request, *WAYS[kind][stage], *acts)


def lived(request: Request, *acts: Said) -> Request:
    """The same request after these acts, an hour each."""
    for said_so in acts:
        text, more = (said_so, {}) if isinstance(said_so, str) else said_so
        action, *flags = text.split()
        if key := expired_key(action):
            request = run_out(request, key).request
            continue
        going_out = request.stage.name in ("awaiting_seller_ship", "outbound_in_transit")
        if request.return_method is SELF_ARRANGED and not going_out and "speedy_refund" not in request.tags:
            action = _BY_PEOPLE.get(action, action)
        given: dict[str, Any] = {**dict.fromkeys(flags, True), **more}
        request = act(request, action, **given).request
    return request


def under(request: Request, values: Mapping[str, int | bool]) -> Request:
    """The same request, had it been born under these limits and flags."""
    return replace(request, terms=terms_with(request.terms, values))


def terms_with(terms: Terms, values: Mapping[str, int | bool]) -> Terms:
    others = {key: replace(terms[key], value=value) for key, value in values.items()}
    return replace(terms, by_key={**terms.by_key, **others})


def with_order(request: Request, **facts: Any) -> Request:
    """The same request, now that its order is otherwise."""
    return replace(request, order=replace(request.order, **facts))


def alive(request: Request) -> dict[str, datetime | None]:
    """Living clocks and when they run out."""
    return {clock.key: clock.due_at for clock in request.clocks if clock.alive}


def new_clocks(change: Change) -> tuple[Clock, ...]:
    known = {clock.id for clock in change.before.clocks} if change.before else set()
    return tuple(clock for clock in change.request.clocks if clock.id not in known)


def ended_clocks(change: Change) -> dict[str, str]:
    """Clocks that the change ended: key, and how."""
    was = {clock.id: clock for clock in change.before.clocks} if change.before else {}
    return {
        clock.key: clock.status.value
        for clock in change.request.clocks
        if not clock.alive and clock.id in was and was[clock.id].alive
    }


def clock_turns(change: Change) -> list[tuple[str, str]]:
    """Clocks that the change stopped, paused or let go on: key, and how."""
    was = {clock.id: clock.status for clock in change.before.clocks} if change.before else {}
    return sorted(
        (clock.key, "RESUMED" if clock.status is ClockStatus.RUNNING else clock.status.value)
        for clock in change.request.clocks
        if clock.id in was and was[clock.id] is not clock.status
    )


def said(change: Change) -> tuple[str, ...]:
    return tuple(event.type for event in change.events)


def refusal(error: Refused) -> Sequence[tuple[str, str]]:
    """Code and guard of every problem."""
    return [(problem.code, problem.guard) for problem in error.problems]

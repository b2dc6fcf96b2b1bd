"""What people of the demo do, one act at a time, each through the desk and as who they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from ..desk import Asked, Desk, new_id
from ..engine.appeal import GROUNDS, REASONS_TO_APPEAL
from ..engine.money import Money, quantize
from ..engine.request import Request, RequestLine
from ..engine.vocabulary import Actor, ClaimLine, Evidence, EvidenceKind, OfferKind, Order, Party, ReturnMethod
from ..store.files import StoredEvidence
from .catalog import BY_SHOP
from .people import AGENT, APP, buyer, carrier, seller

PHOTO, CHAT = EvidenceKind.PHOTO, EvidenceKind.CHAT_SCREENSHOT
Brings = Callable[[Random, Request, datetime], Mapping[str, Any]]


def _half(dice: Random, request: Request, at: datetime) -> Mapping[str, Any]:
    amount = quantize(request.payable.amount / 2, request.order.digits)
    return {"amount": Money(amount, request.order.currency)}


def _parcel(dice: Random, request: Request, at: datetime) -> Mapping[str, Any]:
    name = dice.choice(BY_SHOP[request.order.shop.id].carriers)
    return {"carrier": name, "tracking": f"{name[:3].upper()}{dice.randrange(10**9, 10**10)}"}


def _part(dice: Random, request: Request, at: datetime) -> Mapping[str, Any]:
    return {"kind": OfferKind.PARTIAL_REFUND, **_half(dice, request, at)}


def _another(dice: Random, request: Request, at: datetime) -> Mapping[str, Any]:
    return {"kind": OfferKind.EXCHANGE, "details": wanted(request.order, request.lines)}


def _appeal(dice: Random, request: Request, at: datetime) -> Mapping[str, Any]:
    reason = GROUNDS[request.appeal.ground].reasons[0] if request.appeal else ""
    return {"reason": reason, "statement": "See what we have shown; it was not our fault."}


def _pickup(dice: Random, request: Request, at: datetime) -> Mapping[str, Any]:
    return {"pickup_at": at + timedelta(hours=dice.uniform(8, 30))}


@dataclass(frozen=True, slots=True)
class Act:
    """
    Args:
        brings: the act's own arguments.
        shows: the kind of evidence that comes with it; an appeal comes with what its reason asks for.
        anew: the claim is made anew, in place of the old.
    """

    by: Party
    action: str
    given: Mapping[str, Any] = field(default_factory=dict)
    brings: Brings = lambda dice, request, at: {}
    shows: EvidenceKind | None = None
    note: str = ""
    anew: bool = False


BUYER, SELLER, PLATFORM, CARRIER = Party.BUYER, Party.SELLER, Party.PLATFORM, Party.CARRIER

# fmt: off
ACTS: Mapping[str, Act] = {
    #                       by        action                   what comes with it
    "approve":          Act(SELLER,   "approve"),
    "approve half":     Act(SELLER,   "approve",               brings=_half, note="Half of it works, as the photo shows."),
    "keep it":          Act(SELLER,   "approve_keep_item",     note="Please keep it, and excuse us."),
    "reject":           Act(SELLER,   "reject",                {"reason": "unclear_or_no_evidence"}, note="The photo shows no fault."),
    "reject, shown":    Act(SELLER,   "reject",                {"reason": "item_correct"}, shows=PHOTO, note="Packed as ordered."),
    "reject, agreed":   Act(SELLER,   "reject",                {"reason": "agreed_with_buyer"}, shows=CHAT),
    "accept parcel":    Act(SELLER,   "accept_package"),
    "reject parcel":    Act(SELLER,   "reject_package",        {"reason": "pkg_damaged_used"}, shows=PHOTO, note="It was worn."),
    "parcel came":      Act(SELLER,   "mark_received"),
    "withdraw":         Act(BUYER,    "cancel",                note="Found it after all."),
    "correct":          Act(BUYER,    "edit",                  note="Forgot to say: the box was open, too.", anew=True),
    "ask again":        Act(BUYER,    "resubmit",              note="A sharper photo, see the seam.", anew=True),
    "have it fetched":  Act(BUYER,    "choose_method",         {"method": ReturnMethod.PICK_UP}),
    "fix a time":       Act(BUYER,    "schedule_pickup",       brings=_pickup),
    "send it oneself":  Act(BUYER,    "upload_tracking",       brings=_parcel),
    "nobody at home":   Act(CARRIER,  "pickup_failed"),
    "hand over":        Act(CARRIER,  "handed_over",           brings=_parcel),
    "deliver":          Act(CARRIER,  "delivered"),
    "lose":             Act(CARRIER,  "lost"),
    "fail to deliver":  Act(CARRIER,  "failed"),
    "step in":          Act(PLATFORM, "platform_approve",      note="The pattern is known to us."),
    "let it go":        Act(PLATFORM, "refund_without_return", note="Sending it back would cost more than it is worth."),
    "offer half":       Act(SELLER,   "offer_make",            brings=_part, note="Keep it, and have half of it back?"),
    "offer all":        Act(SELLER,   "offer_make",            {"kind": OfferKind.FULL_REFUND}, note="All of it, and excuse us."),
    "offer to send":    Act(SELLER,   "offer_make",            {"kind": OfferKind.SEND_ITEMS}, note="We send you what is missing."),
    "offer another":    Act(SELLER,   "offer_make",            brings=_another, note="The same in another colour?"),
    "take the offer":   Act(BUYER,    "offer_accept",          note="Yes, please."),
    "no, thanks":       Act(BUYER,    "offer_decline"),
    "dispute":          Act(BUYER,    "dispute_open",          note="The photo shows it well enough."),
    "drop the dispute": Act(BUYER,    "dispute_withdraw"),
    "show mine":        Act(BUYER,    "dispute_submit_evidence", shows=PHOTO),
    "show ours":        Act(SELLER,   "dispute_submit_evidence", shows=PHOTO, note="As it left our house."),
    "judge for buyer":  Act(PLATFORM, "dispute_decide",        {"decision": Party.BUYER}, note="The seam is torn on the photo."),
    "judge for seller": Act(PLATFORM, "dispute_decide",        {"decision": Party.SELLER}, note="Nothing of it can be seen."),
    "appeal":           Act(SELLER,   "appeal_file",           brings=_appeal),
    "take it up":       Act(PLATFORM, "appeal_take_up"),
    "ask for more":     Act(PLATFORM, "appeal_request_evidence", note="Who signed for it?"),
    "show more":        Act(SELLER,   "appeal_add_evidence",   shows=PHOTO),
    "compensate":       Act(PLATFORM, "appeal_approve",        note="The carrier's book says so too."),
    "deny":             Act(PLATFORM, "appeal_deny",           note="The carrier's book says otherwise."),
    "promise speed":    Act(PLATFORM, "grant_speedy",          note="A buyer of ten years."),
    "confirm parcel":   Act(SELLER,   "confirm_package"),
    "arrange":          Act(SELLER,   "arrange"),
    "send out":         Act(SELLER,   "send",                  brings=_parcel),
    "cannot send":      Act(SELLER,   "refund_instead",        {"reason": "out_of_stock"}, note="The last one is gone."),
    "close":            Act(PLATFORM, "close",                 note="Claimed twice by mistake; settled on the phone."),
}
# fmt: on


async def perform(desk: Desk, dice: Random, request: Request, name: str) -> Request:
    """The request after the act; another one, if it was made anew.

    Raises:
        Refused: as to anybody.
    """
    act = ACTS[name]
    actor = _who(act.by, dice, request)
    kinds = _needed(request) if act.action == "appeal_file" else ([act.shows] if act.shows else [])
    shown = [await show(desk, actor, kind) for kind in kinds]
    if act.anew:
        done = await desk.replace(request.id, act.action, actor, _anew(request, act.note), expected=request.version)
        return done.request
    given = {**act.given, **act.brings(dice, request, desk.clock())}
    done = await desk.act(
        request.id, act.action, actor, note=act.note, expected=request.version, given=given, evidence_ids=shown
    )
    return done.request


async def claim(
    desk: Desk, dice: Random, order: Order, kind: str, reason: str, method: ReturnMethod | None, note: str,
    *, single: bool = False,
) -> Request:  # fmt: skip
    """A buyer asks, about one line or all of them; about one where it must be one.

    Raises:
        Refused: as to anybody.
    """
    actor, known = buyer(order.buyer_id), desk.registry.kinds[kind].reasons[reason]
    lines = order.lines if dice.random() < 0.5 and not single else order.lines[:1]
    claimed = tuple(ClaimLine(line.id, line.quantity if dice.random() < 0.7 else 1) for line in lines)
    details = wanted(order, claimed) if desk.registry.kinds[kind].offered_as is OfferKind.EXCHANGE else {}
    shown = [await show(desk, actor, PHOTO)] if PHOTO in known.evidence else []
    done = await desk.open(kind, actor, Asked(order.id, claimed, reason, note, tuple(shown), method, details))
    return done.request


def wanted(order: Order, lines: Sequence[ClaimLine | RequestLine]) -> Mapping[str, Any]:
    """The same in another colour, of each."""
    bought = [(line.order_line_id, order.line(line.order_line_id)) for line in lines]
    return {"wanted": [{"orderLineId": id, "skuId": f"{line.product_id}-X"} for id, line in bought if line]}


def _needed(request: Request) -> list[EvidenceKind]:
    """One of each that the appeal's first reason asks for."""
    if request.appeal is None:
        return []
    reason = REASONS_TO_APPEAL[GROUNDS[request.appeal.ground].reasons[0]]
    return [min(needed, key=lambda kind: kind.value) for needed in reason.needs]


async def show(desk: Desk, actor: Actor, kind: EvidenceKind) -> str:
    """Stage a file, as an upload would."""
    id = new_id("ed")
    item = Evidence(id, kind, actor.party, actor.id)
    checksum, size = sha256(id.encode()).hexdigest(), 180_000 + int(id[-3:], 16)
    url = f"https://files.example/{id}.jpg"
    await desk.ledger.add_evidence(StoredEvidence(item, url, "image/jpeg", size, checksum, desk.clock()))
    return id


def _who(party: Party, dice: Random, request: Request) -> Actor:
    order = request.order
    match party:
        case Party.BUYER:
            return buyer(order.buyer_id)
        case Party.PLATFORM:
            return AGENT
        case Party.CARRIER:
            parcel = next(iter(request.shipments), None)
            return carrier((parcel and parcel.carrier) or dice.choice(BY_SHOP[order.shop.id].carriers))
    # now and then it is the app that acts for the shop
    return APP if order.shop.id in APP.shops and dice.random() < 0.15 else seller(order.shop)


def _anew(request: Request, note: str) -> Asked:
    return Asked(
        order_id=request.order.id,
        lines=tuple(ClaimLine(line.order_line_id, line.quantity) for line in request.lines),
        reason=request.reason,
        note=note,
        evidence_ids=tuple(item.id for item in request.evidence),
        return_method=request.return_method,
    )

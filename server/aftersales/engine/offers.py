"""Offers: the seller proposes something else than was asked for (C5 to C7, RR18, and section 9 of the model)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .cases import Offer
from .guards import decimals_fit, not_frozen, note_short
from .money import Money
from .process import Effect, Transition
from .reasons import REASONS, ReasonClass
from .refusal import Problem
from .request import Attempt, Request
from .stages import AWAITING_BUYER_RESPONSE, PENDING_INSPECTION, PENDING_REVIEW, REFUNDING, expiry
from .vocabulary import ApprovedBy, Claim, ClaimLine, OfferKind, OfferStatus, Party

if TYPE_CHECKING:
    from .kind import Kind

BUYER, SELLER, SYSTEM = Party.BUYER, Party.SELLER, Party.SYSTEM
# What can be sent when something is missing or broken; nothing else is mended by sending more.
MENDED_BY_SENDING = frozenset({ReasonClass.MISSING, ReasonClass.DAMAGED, ReasonClass.DEFECTIVE, ReasonClass.WRONG_ITEM})


@dataclass(frozen=True, slots=True)
class OfferRule:
    """One cell of the matrix: what may be offered for a kind of request, and whether the buyer is asked.

    Args:
        better: better for the buyer than what was asked, so it is accepted at once (C5a).
        reasons: only for reasons of these classes; empty: for any.
        flag: the policy that must allow it; empty: none.
    """

    offer: OfferKind
    better: bool = False
    reasons: frozenset[ReasonClass] = frozenset()
    flag: str = ""

    def allows(self, request: Request) -> bool:
        reason = REASONS.get(request.reason)
        fits = not self.reasons or (reason is not None and reason.kind in self.reasons)
        return fits and (not self.flag or request.terms.flag(self.flag))


@dataclass(frozen=True, slots=True)
class OfferPossible:
    """G_OFFER: something may be offered for this request, and nothing was before."""

    rules: tuple[OfferRule, ...]

    def __call__(self, request: Request) -> Iterator[Problem]:
        most = request.terms.limit("limit.offers")
        if len(request.offers) >= most:
            yield Problem("LIMIT_REACHED", "At most {most} offers may be made.", guard="G_OFFER", most=most)
        elif not self.offered(request):
            yield Problem("OFFER_NOT_ALLOWED", "Nothing else may be offered for this request.", guard="G_OFFER")

    def offered(self, request: Request) -> tuple[OfferKind, ...]:
        """What may be offered, in the matrix's order."""
        return tuple(rule.offer for rule in self.rules if rule.allows(request))


@dataclass(frozen=True, slots=True)
class OfferFits:
    """G_OFFER: this kind of offer may be made, for this amount or with these goods."""

    rules: tuple[OfferRule, ...]

    def __call__(self, attempt: Attempt) -> Iterator[Problem]:
        kind = attempt.given.get("kind")
        allowed = OfferPossible(self.rules).offered(attempt.request)
        possible = [offer for offer in allowed if offer.money or target_of(attempt, offer)]
        if kind not in possible:
            names = ", ".join(offer.value for offer in possible) or "-"
            yield Problem(
                "OFFER_NOT_ALLOWED", "This may not be offered here. Choose one of: {allowed}.", "kind",
                guard="G_OFFER", allowed=names,
            )  # fmt: skip
        elif kind is OfferKind.PARTIAL_REFUND:
            yield from _partial(attempt)
        elif kind is OfferKind.FULL_REFUND:
            yield from _full(attempt)
        else:
            yield from _goods(attempt, kind)


def _partial(attempt: Attempt) -> Iterator[Problem]:
    """More than nothing and less than all, of a single product, within what the market's policy allows."""
    request, amount, most = attempt.request, attempt.given.get("amount"), attempt.request.payable
    products = {bought.sku_id for line in request.lines if (bought := request.order.line(line.order_line_id))}
    if len(products) != 1:
        yield Problem("OFFER_NOT_ALLOWED", "A part can be offered for a single product only.", "kind", guard="G_OFFER")
    # a request that is older than these policies is bound by none
    low = _share(most, request.terms.limit("offer.partial.least_percent", 0), request.order.digits)
    high = _share(most, request.terms.limit("offer.partial.most_percent", 100), request.order.digits)
    zero = Money.zero(most.currency)
    if amount is None or amount.currency != most.currency or not (zero < amount < most and low <= amount <= high):
        yield Problem(
            "AMOUNT_EXCEEDED", "Offer at least {low}, at most {maximum}, and less than {whole}.", "amount",
            guard="G_AMOUNT", low=low, maximum=high, whole=most,
        )  # fmt: skip
    else:
        yield from decimals_fit(amount, request.order.digits)


def _share(whole: Money, percent: int, digits: int) -> Money:
    """So many hundredths, rounded down to the minor unit: a bound that never asks for more than it says."""
    minor = int(whole.amount.scaleb(digits)) * percent // 100
    return Money(type(whole.amount)(minor).scaleb(-digits), whole.currency)


def _full(attempt: Attempt) -> Iterator[Problem]:
    amount, whole = attempt.given.get("amount"), attempt.request.payable
    if not whole or amount not in (None, whole):
        yield Problem(
            "AMOUNT_EXCEEDED", "A full refund is {maximum}; leave the amount out, or offer a part.", "amount",
            guard="G_AMOUNT", maximum=whole,
        )  # fmt: skip


def _goods(attempt: Attempt, offer: OfferKind) -> Iterator[Problem]:
    """The request would become one of another kind: all that kind asks must hold."""
    target, request = target_of(attempt, offer), attempt.request
    if attempt.given.get("amount") is not None:
        yield Problem("INVALID_INPUT", "Leave the amount out: goods are offered.", "amount", guard="G_OFFER")
    if target is None:
        return
    if target.sends_back and not request.order.shop.return_address:
        yield Problem("INELIGIBLE", "The shop has no return address: set one first.", guard="G_RETURN_ADDRESS")
    for line in request.lines:
        bought = request.order.line(line.order_line_id)
        if target.sends_back and bought and not bought.returnable:
            yield Problem("INELIGIBLE", "This product cannot be sent back.", "kind", guard="G_TYPE_OK")
            break
    yield from target.validate(_as_claim(attempt))


def _as_claim(attempt: Attempt) -> Claim:
    request = attempt.request
    lines = tuple(ClaimLine(line.order_line_id, line.quantity) for line in request.lines)
    return Claim(
        request.order, lines, request.reason, request.note, request.evidence, request.return_method,
        attempt.given.get("details") or {}, attempt.given.get("variations", {}),
    )  # fmt: skip


def target_of(attempt: Attempt, offer: OfferKind) -> Kind | None:
    """The kind that such an offer makes of a request: installed, offered in the market, and with clocks it can keep."""
    terms = attempt.request.terms
    return next(
        (
            kind
            for kind in attempt.kinds.values()
            if kind.offered_as is offer and kind.name != attempt.request.kind
            if all(key in terms for key in kind.process.clock_keys)
        ),
        None,
    )


@dataclass(frozen=True, slots=True)
class BetterForBuyer:
    """C5a: it is better than what was asked, so the buyer need not be asked."""

    rules: tuple[OfferRule, ...]

    def __call__(self, attempt: Attempt) -> bool:
        return any(rule.better and rule.offer is attempt.given.get("kind") for rule in self.rules)


def made(attempt: Attempt) -> Mapping[str, Any]:
    """C5."""
    request = attempt.request
    lapses = request.terms.due("offer.response", attempt.at, attempt.calendar)
    return {"offers": (*request.offers, replace(_offer(attempt), due_at=lapses))}


def granted_at_once(attempt: Attempt) -> Mapping[str, Any]:
    """C5a."""
    offer = replace(_offer(attempt), status=OfferStatus.AUTO_ACCEPTED, answered_at=attempt.at)
    return {"offers": (*attempt.request.offers, offer), **_granted(attempt, offer)}


def _offer(attempt: Attempt) -> Offer:
    kind = attempt.given["kind"]
    amount = attempt.given.get("amount")
    if kind is OfferKind.FULL_REFUND:
        amount = attempt.request.payable
    details = attempt.given.get("details") or {}
    return Offer(attempt.new_id("of"), kind, OfferStatus.OPEN, attempt.at, amount, attempt.note, details)


def accepted(attempt: Attempt) -> Mapping[str, Any]:
    """C7: money, at most what can still be granted."""
    offer = _open(attempt)
    return {"offers": answered(attempt.request.offers, OfferStatus.ACCEPTED, attempt.at), **_granted(attempt, offer)}


def _granted(attempt: Attempt, offer: Offer) -> Mapping[str, Any]:
    most = attempt.request.payable
    amount = most if offer.amount is None else min(offer.amount, most)
    return {"refund_approved": amount, "approved_by": ApprovedBy.OFFER}


def converted(attempt: Attempt) -> Mapping[str, Any]:
    """C7: the request goes on as another kind; what it counts, and its history, it keeps. No refund is promised now."""
    offer = _open(attempt)
    target = target_of(attempt, offer.kind)
    if target is None:
        raise LookupError(f"{offer.kind.value} makes of {attempt.request.id} a kind that is not there")
    return {
        "offers": answered(attempt.request.offers, OfferStatus.ACCEPTED, attempt.at),
        "kind": target.name,
        "approved_by": ApprovedBy.OFFER,
        "details": offer.details,
        "tags": attempt.request.tags - {"speedy_refund"},
    }


def offer_known(request: Request) -> Iterator[Problem]:
    """C7: of a request that was brought in, only the marketplace knows what was offered (section 14)."""
    if request.offer is None:
        yield Problem("INVALID_STATE", "The offer was made at the marketplace: answer it there.", guard="G_OFFER")


def still_possible(attempt: Attempt) -> Iterator[Problem]:
    """C7: the kind that was offered is still there."""
    offer = attempt.request.offer
    if offer and not offer.kind.money and target_of(attempt, offer.kind) is None:
        yield Problem("OFFER_NOT_ALLOWED", "What was offered is no longer to be had; decline it.", guard="G_OFFER")


def offers_money(attempt: Attempt) -> bool:
    """The open offer is of money."""
    offer = attempt.request.offer
    return offer is None or offer.kind.money


def _open(attempt: Attempt) -> Offer:
    offer = attempt.request.offer
    if offer is None:
        raise LookupError(f"{attempt.request.id} has no open offer")
    return offer


def answered(offers: Sequence[Offer], status: OfferStatus, at: datetime) -> tuple[Offer, ...]:
    """The same offers, the open one answered."""
    return tuple(
        replace(offer, status=status, answered_at=at) if offer.status is OfferStatus.OPEN else offer for offer in offers
    )


def _answer(status: OfferStatus) -> Effect:
    return lambda attempt: {"offers": answered(attempt.request.offers, status, attempt.at)}


LAPSES = expiry("offer.response")


def offers(rules: Sequence[OfferRule]) -> tuple[Transition, ...]:
    """The rows of a kind for which something else may be offered (C5 to C7); none where nothing may."""
    if not rules:
        return ()
    rules = tuple(rules)
    make: Any = {
        "on": PENDING_REVIEW, "action": "offer_make", "by": SELLER, "label": "Offer something else", "grant": "offer",
        "gates": (not_frozen, OfferPossible(rules)), "guards": (OfferFits(rules), note_short),
    }  # fmt: skip
    # fmt: off
    rows: tuple[Transition, ...] = (
        Transition("C5a", target=REFUNDING, when=BetterForBuyer(rules), effect=granted_at_once,
                   events=("OfferMade", "OfferAutoAccepted"), **make),
        Transition("C5",  target=AWAITING_BUYER_RESPONSE, effect=made, pauses=("review.first",), events=("OfferMade",), **make),
        Transition("C6",  AWAITING_BUYER_RESPONSE, "offer_decline", PENDING_REVIEW, BUYER, "Decline the offer", guards=(note_short,),
                   effect=_answer(OfferStatus.DECLINED), resumes=("review.first",), events=("OfferDeclined",)),
        Transition("C6x", AWAITING_BUYER_RESPONSE, LAPSES, PENDING_REVIEW, SYSTEM, "The offer lapses, and the review goes on.",
                   effect=_answer(OfferStatus.LAPSED), resumes=("review.first",), events=("OfferLapsed",)),
        Transition("C7",  AWAITING_BUYER_RESPONSE, "offer_accept", REFUNDING, BUYER, "Accept the offer", when=offers_money,
                   gates=(offer_known,), guards=(note_short,), effect=accepted, events=("OfferAccepted",)),
        Transition("C7",  AWAITING_BUYER_RESPONSE, "offer_accept", None, BUYER, "Accept the offer", converts=True,
                   gates=(offer_known,), guards=(still_possible, note_short), effect=converted, events=("OfferAccepted",)),
    )
    # fmt: on
    if all(rule.offer.money for rule in rules):
        rows = tuple(row for row in rows if not row.converts)
    if not any(rule.better for rule in rules):
        rows = tuple(row for row in rows if row.rule != "C5a")
    return tuple(replace(row, owner="offer") for row in rows)


INSPECTIONS = ("inspect.tracked", "inspect.self_arranged")
AFTER_RECEIVING = (OfferRule(OfferKind.PARTIAL_REFUND, flag="offer.partial_after_receiving"),)


def made_at_inspection(attempt: Attempt) -> bool:
    """The offer was made once the parcel was there."""
    return any(attempt.request.clock(key) for key in INSPECTIONS)


def after_receiving() -> tuple[Transition, ...]:
    """RR18: a part, offered once the parcel was looked at; where it comes to nothing, the inspection goes on (C6)."""
    declined, lapsed = _answer(OfferStatus.DECLINED), _answer(OfferStatus.LAPSED)
    # fmt: off
    rows = (
        Transition("RR18", PENDING_INSPECTION, "offer_make", AWAITING_BUYER_RESPONSE, SELLER, "Offer a part of the refund", grant="offer",
                   gates=(not_frozen, OfferPossible(AFTER_RECEIVING)), guards=(OfferFits(AFTER_RECEIVING), note_short),
                   effect=made, pauses=INSPECTIONS, events=("OfferMade",)),
        Transition("C6",   AWAITING_BUYER_RESPONSE, "offer_decline", PENDING_INSPECTION, BUYER, "Decline the offer", when=made_at_inspection,
                   guards=(note_short,), effect=declined, resumes=INSPECTIONS, events=("OfferDeclined",)),
        Transition("C6x",  AWAITING_BUYER_RESPONSE, LAPSES, PENDING_INSPECTION, SYSTEM, "The offer lapses, and the inspection goes on.",
                   when=made_at_inspection, effect=lapsed, resumes=INSPECTIONS, events=("OfferLapsed",)),
    )
    # fmt: on
    return tuple(replace(row, owner="offer") for row in rows)

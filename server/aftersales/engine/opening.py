"""A request is made (C1), or made anew in place of another (C2, C8): every guard is asked, every objection told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .arrival import IMPORTED
from .clocks import Calendar
from .clockwork import start_clock
from .decide import apply, chosen_row
from .guards import evidence_missing, in_time, shown
from .kind import Kind
from .money import Money, line_maximum
from .policies import Facts
from .reasons import Reason, ReasonClass
from .refusal import Problem, Refused
from .request import Attempt, Change, Request, RequestLine, child_id, shipping_back
from .rights import acts_as, may_do
from .shop_rules import Rule
from .telling import events
from .terms import Terms
from .vocabulary import Actor, Claim, ClaimLine, OrderState, Party

Words = Iterator[Problem]


@dataclass(frozen=True, slots=True)
class Opening:
    """A claim on its way to becoming a request.

    Args:
        id, number: the new request's own, made by whoever asks.
        instead_of: the request it replaces, whose units are free to be claimed again.
        rules: the shop's own, of which one may grant the request at once (RO2).
    """

    claim: Claim
    kind: Kind
    actor: Actor
    at: datetime
    terms: Terms
    calendar: Calendar
    id: str = ""
    number: str = ""
    instead_of: Request | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @property
    def reason(self) -> Reason | None:
        return self.kind.reasons.get(self.claim.reason)

    @property
    def replaces(self) -> str | None:
        return self.instead_of.id if self.instead_of else None


def facts_of(claim: Claim, kind: Kind, at: datetime) -> Facts:
    """What the choice of policies depends on (7.3)."""
    reason = kind.reasons.get(claim.reason)
    chosen = {line.order_line_id for line in claim.lines}
    shop = claim.order.shop
    return Facts(
        market=shop.market,
        kind=kind.name,
        shop_kind=shop.kind,
        reason_class=reason.kind if reason else None,
        categories=frozenset(line.category for line in claim.order.lines if line.id in chosen and line.category),
        order_value=claim.order.total,
        at=at,
    )


def _order_state(opening: Opening) -> Words:
    """G_ORDER_STATE: the order stands where this kind may be asked for."""
    if opening.claim.order.state not in opening.kind.order_states:
        yield Problem(
            "INELIGIBLE", "This cannot be asked for while the order is {state}.", "orderId",
            state=opening.claim.order.state.value,
        )  # fmt: skip


def window_ends(opening: Opening) -> datetime | None:
    """The first instant at which the order can no longer be claimed; None while it is on its way."""
    delivered = opening.claim.order.delivered_at
    if opening.claim.order.state is not OrderState.DELIVERED or delivered is None:
        return None
    return opening.terms.due("window.raise", delivered, opening.calendar)


def _window(opening: Opening) -> Words:
    """G_WINDOW: a delivered order may be claimed until its window ends."""
    ends = window_ends(opening)
    if ends is not None and opening.at >= ends:
        yield Problem(
            "WINDOW_CLOSED", "The time to ask ended at {until}.", "orderId", until=ends.isoformat(), ended=ends
        )


def _line(opening: Opening) -> Words:
    """G_LINE: lines of this order, each once, with units that were not refunded in full."""
    if not opening.claim.lines:
        yield Problem("INVALID_INPUT", "Name at least one line of the order.", "lines")
    seen: set[str] = set()
    for index, line in enumerate(opening.claim.lines):
        bought = opening.claim.order.line(line.order_line_id)
        where = f"lines.{index}"
        if bought is None:
            yield Problem("NOT_FOUND", "This order has no such line.", f"{where}.orderLineId")
        elif line.order_line_id in seen:
            yield Problem("INVALID_INPUT", "Name each line once.", f"{where}.orderLineId")
        elif (most := bought.quantity - _units(opening, line, gone=True)) < 1:
            yield Problem("INELIGIBLE", "All units of this line have been refunded.", f"{where}.quantity")
        elif not 1 <= line.quantity <= most:
            yield Problem("INVALID_INPUT", "Ask for 1 to {most} units of this line.", f"{where}.quantity", most=most)
        seen.add(line.order_line_id)


def _units(opening: Opening, line: ClaimLine, *, gone: bool) -> int:
    """Units that another request got refunded in full (`gone`), or holds while it is active."""
    return sum(
        claim.quantity
        for claim in opening.claim.order.claims
        if claim.order_line_id == line.order_line_id
        and claim.request_id not in (None, opening.replaces)
        and (not claim.active and claim.full if gone else claim.active)
    )


def _active(opening: Opening) -> Words:
    """G_ACTIVE: no unit is in another active request."""
    for index, line in enumerate(opening.claim.lines):
        bought = opening.claim.order.line(line.order_line_id)
        held = _units(opening, line, gone=False)
        if bought and held and line.quantity > bought.quantity - _units(opening, line, gone=True) - held:
            yield Problem(
                "DUPLICATE",
                "These units are already in another active request; follow that one.",
                f"lines.{index}.quantity",
            )


def _full(opening: Opening) -> Words:
    """G_FULL: the seller has not refunded the line in full, unasked."""
    for index, line in enumerate(opening.claim.lines):
        if opening.claim.order.given_back(line.order_line_id):
            yield Problem(
                "INELIGIBLE", "The seller has already refunded this line in full.", f"lines.{index}.orderLineId"
            )


def _count(opening: Opening) -> Words:
    """G_COUNT: there have not been too many requests on this product of the order."""
    order, most = opening.claim.order, opening.terms.limit("limit.requests_per_sku")
    for index, line in enumerate(opening.claim.lines):
        bought = order.line(line.order_line_id)
        if bought is None:
            continue
        same_sku = {other.id for other in order.lines if other.sku_id == bought.sku_id}
        made = {claim.request_id for claim in order.claims if claim.order_line_id in same_sku and claim.request_id}
        if len(made - {opening.replaces}) >= most:
            yield Problem(
                "LIMIT_REACHED",
                "At most {most} requests may be made for this product.",
                f"lines.{index}.orderLineId",
                most=most,
            )


def _reason(opening: Opening) -> Words:
    """G_REASON: the kind takes this reason while the order stands there, with words where it asks for them."""
    reason, state = opening.reason, opening.claim.order.state
    if reason is None or reason.retired or state not in reason.order_states:
        fitting = ", ".join(r.code for r in opening.kind.reasons.values() if state in r.order_states and not r.retired)
        yield Problem(
            "REASON_NOT_ALLOWED", "Not a reason for this while the order is {state}. Choose one of: {allowed}.",
            "reason",
            state=state.value, allowed=fitting or "-",
        )  # fmt: skip
    elif not opening.terms.flag("reason.enabled"):
        yield Problem(
            "REASON_NOT_ALLOWED", "This is not a reason for it in {market}. Ask `eligibility` for those that are.",
            "reason",
            market=opening.claim.order.shop.market,
        )  # fmt: skip
    elif reason.note and not opening.claim.note.strip():
        yield Problem("NOTE_REQUIRED", "Say what is wrong.", "note")


def _evidence(opening: Opening) -> Words:
    """G_EVIDENCE: what the reason asks to be shown is shown, in not too many files."""
    reason, evidence = opening.reason, opening.claim.evidence
    if reason and reason.evidence and not shown(reason.evidence, evidence):
        yield evidence_missing(reason.evidence)
    if len(evidence) > (most := opening.terms.limit("limit.evidence_files")):
        yield Problem("LIMIT_REACHED", "Add at most {most} files.", "evidenceIds", most=most)


def _type_ok(opening: Opening) -> Words:
    """G_TYPE_OK: the market has this kind, and the products may come back where it sends them back."""
    if not opening.terms.flag("kind.enabled"):
        yield Problem(
            "INELIGIBLE", "This kind of request is not offered in {market}.", market=opening.claim.order.shop.market
        )
    change_of_mind = opening.reason is not None and opening.reason.kind is ReasonClass.CHANGE_OF_MIND
    if change_of_mind and not opening.kind.takes_change_of_mind:
        yield Problem("INELIGIBLE", "A change of mind is no reason for this kind of request.", "reason")
    for index, line in enumerate(opening.claim.lines):
        bought = opening.claim.order.line(line.order_line_id)
        if bought is None:
            continue
        if opening.kind.sends_back and not bought.returnable:
            yield Problem("INELIGIBLE", "This product cannot be sent back.", f"lines.{index}.orderLineId")
        if change_of_mind and not bought.change_of_mind_ok:
            yield Problem(
                "INELIGIBLE", "This product cannot be given back for a change of mind.", f"lines.{index}.orderLineId"
            )


def _kind_itself(opening: Opening) -> Words:
    """What this kind asks beyond the others."""
    yield from opening.kind.validate(opening.claim)


# fmt: off
GUARDS: dict[str, Callable[[Opening], Words]] = {
    "G_ORDER_STATE": _order_state,
    "G_WINDOW":      _window,
    "G_LINE":        _line,
    "G_ACTIVE":      _active,
    "G_FULL":        _full,
    "G_COUNT":       _count,
    "G_REASON":      _reason,
    "G_EVIDENCE":    _evidence,
    "G_TYPE_OK":     _type_ok,
    "G_KIND":        _kind_itself,
}
# fmt: on


def judged(opening: Opening, but: frozenset[str] = frozenset()) -> Iterator[tuple[str, tuple[Problem, ...]]]:
    """Each guard with what it objects to; nothing where it passes."""
    for name, guard in GUARDS.items():
        if name not in but:
            yield (
                name,
                tuple(Problem(p.code, p.message, p.field, guard=p.guard or name, **p.facts) for p in guard(opening)),
            )


def objections(opening: Opening, but: frozenset[str] = frozenset()) -> tuple[Problem, ...]:
    if denied := tuple(may_do(opening.actor, Party.BUYER | Party.PLATFORM, "")):
        return denied
    found = [problem for _, problems in judged(opening, but) for problem in problems]
    if len(opening.claim.note) > 500:
        found.append(
            Problem("INVALID_INPUT", "Say it in at most {limit} characters.", "note", guard="G_NOTE", limit=500)
        )
    return tuple(found)


def open_request(opening: Opening) -> Change:
    """C1: a claim becomes a request.

    Raises:
        Refused: with everything that every guard objects to.
    """
    if problems := objections(opening):
        raise Refused(problems)
    return _created(opening, "C1")


def replace_request(attempt: Attempt, opening: Opening) -> tuple[Change, Change]:
    """C2, C8: the old request closes and a new one takes its place, in one transaction.

    The window to raise binds an edit but not a resubmission: its own 48 hours do.

    Raises:
        Refused: with what the old request and what the new claim object to, together.
    """
    row = chosen_row(attempt)
    but = frozenset({"G_WINDOW"}) if attempt.action == "resubmit" else frozenset()
    denied = tuple(may_do(attempt.actor, row.by, row.grant))
    problems = denied or (
        *in_time(attempt),
        *(problem for gate in row.gates for problem in gate(attempt.request)),
        *objections(opening, but),
    )
    if problems:
        raise Refused(problems)
    closed = apply(row, attempt)
    closed = replace(closed, request=replace(closed.request, next_id=opening.id))
    return closed, _created(opening, row.rule)


def _created(opening: Opening, rule: str) -> Change:
    claim, order, was = opening.claim, opening.claim.order, opening.instead_of
    lines = _lines(opening)
    request = Request(
        id=opening.id,
        number=opening.number,
        kind=opening.kind.name,
        original_kind=was.original_kind if was else opening.kind.name,
        order=order,
        stage=opening.kind.process.start,
        version=1,
        attempt=_attempt_number(was, rule),
        reason=claim.reason,
        note=claim.note,
        fault=opening.reason.fault if opening.reason else None,
        lines=lines,
        refund_max=sum((line.refund_max for line in lines), Money.zero(order.currency)),
        created_at=opening.at,
        updated_at=opening.at,
        terms=opening.terms,
        return_method=claim.return_method,
        # whoever pays for the one pays for what takes its place: it would be paid twice
        tags=was.tags & {IMPORTED} if was else frozenset(),
        dispute_rounds=was.dispute_rounds if was else 0,
        edits=(was.edits if was else 0) + (rule == "C2"),
        previous_id=was.id if was else None,
        details=claim.details,
        evidence=claim.evidence,
    )
    if key := request.stage.clock_for(request.return_method):
        due_at = opening.terms.due(key, opening.at, opening.calendar)
        owed_by = Party[opening.terms[key].owed_by]
        clock = start_clock(child_id("dl", request.id, 1), key, owed_by, opening.terms, opening.at, due_at)
        request = replace(request, clocks=(clock,))
    said = events(
        None,
        request,
        rule,
        ("RequestCreated",),
        "open",
        opening.actor,
        opening.at,
        claim.note,
        {"reason": claim.reason},
    )
    return Change(None, request, rule, "open", opening.actor, opening.at, tuple(said), claim.note, opening.given)


def _attempt_number(was: Request | None, rule: str) -> int:
    return (was.attempt if was else 1) + (rule == "C8")


def maximum(opening: Opening) -> Money:
    """What these lines could bring at most."""
    return sum((line.refund_max for line in _lines(opening)), Money.zero(opening.claim.order.currency))


def _lines(opening: Opening) -> tuple[RequestLine, ...]:
    """Section 10: each line's maximum, never above what is left of the line and of the order as paid."""
    order = opening.claim.order
    shipping = shipping_back(order, opening.claim.lines, opening.reason.fault if opening.reason else None)
    left_of_order = order.total - order.refunded(but=opening.replaces)
    lines = []
    for claimed, share in zip(opening.claim.lines, shipping, strict=True):
        bought = order.line(claimed.order_line_id)
        if bought is None:
            continue
        left = bought.paid + share - order.refunded(bought.id, but=opening.replaces)
        most = line_maximum(
            bought.unit_paid,
            claimed.quantity,
            bought=bought.quantity,
            tax=bought.tax,
            shipping=share,
            digits=order.digits,
        )
        most = max(Money.zero(order.currency), min(most, left, left_of_order))
        left_of_order = left_of_order - most
        lines.append(RequestLine(bought.id, claimed.quantity, most))
    return tuple(lines)


def speaks_for(actor: Actor, claim: Claim) -> bool:
    """G_OWNER: a buyer claims on their own orders; the platform for any buyer, and the log says so."""
    return acts_as(actor) is not Party.BUYER or claim.order.buyer_id == actor.id

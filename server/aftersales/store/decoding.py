"""Rows become the engine's nouns. Each function takes a row in the order of `columns.COLUMNS`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from ..engine.cases import APPEAL_STAGES, DISPUTE_STAGES, Appeal, Dispute, Offer
from ..engine.costs import CostKind
from ..engine.money import Money, from_minor
from ..engine.request import (
    Clock,
    ClockStatus,
    Cost,
    Leg,
    Refund,
    RefundStatus,
    Request,
    RequestLine,
    Reservation,
    ReservationStatus,
    Shipment,
    ShipmentStatus,
)
from ..engine.terms import Terms
from ..engine.vocabulary import (
    ApprovedBy,
    Claimed,
    CloseReason,
    Evidence,
    EvidenceKind,
    OfferKind,
    OfferStatus,
    Order,
    OrderLine,
    OrderState,
    Party,
    ReturnMethod,
    Shop,
    ShopKind,
    Stage,
    Status,
)
from .database import Row
from .values import Digits, from_json, instant, instant_or_none, party, party_or_none


def by_owner(rows: Iterable[Row], owner: int = 1) -> Mapping[str, Sequence[Row]]:
    """The rows of each owner, whose id stands in the given column."""
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[owner]].append(row)
    return grouped


def shop(row: Row) -> Shop:
    id, name, market, kind, timezone, return_address, is_open = row
    return Shop(id, name, market, ShopKind(kind), timezone, bool(return_address), bool(is_open))


def order(row: Row, shop: Shop, lines: Sequence[Row], claims: tuple[Claimed, ...], digits: int) -> Order:
    (
        id, _, number, buyer_id, buyer_name, currency, state, placed_at, delivered_at,
        total, shipping_paid, fulfilment, claims_version, stub,
    ) = row  # fmt: skip
    return Order(
        id, number, shop, buyer_id, currency, digits, OrderState(state),
        instant(placed_at), instant_or_none(delivered_at),
        from_minor(total, currency, digits), from_minor(shipping_paid, currency, digits),
        tuple(order_line(line, currency, digits) for line in lines), fulfilment, buyer_name, claims, claims_version,
        bool(stub),
    )  # fmt: skip


def order_line(row: Row, currency: str, digits: int) -> OrderLine:
    (
        id, _, _, sku_id, product_id, seller_sku, product_name, variation_name,
        category, quantity, unit_paid, tax, returnable, change_of_mind_ok, preorder, taken_down,
    ) = row  # fmt: skip
    return OrderLine(
        id, sku_id, product_name, quantity, from_minor(unit_paid, currency, digits), from_minor(tax, currency, digits),
        product_id, seller_sku, variation_name, category, bool(returnable), bool(change_of_mind_ok), bool(preorder),
        bool(taken_down),
    )  # fmt: skip


def request(row: Row, order: Order, terms: Terms, stage: Stage | None, parts: Sequence[Sequence[Row]]) -> Request:
    """
    Args:
        parts: rows of its lines, clocks, shipments, refunds, costs, offers, disputes, appeal, reservation and evidence.
    """
    lines, clocks, shipments, refunds, costs, offers, disputes, appeals, reservations, evidence = parts
    files: defaultdict[str | None, list[Evidence]] = defaultdict(list)
    for _, case_id, *file in evidence:
        files[case_id].append(shown(tuple(file)))
    (
        id, number, _, _, _, _, kind, original_kind, stage_name, stage_label,
        status, version, attempt, edits, rounds, reason, note, fault, method,
        refund_max, refund_approved, refund_paid, tags, approved_by, close_reason, closed_at,
        package_confirmed_at, dispute_status, appeal_status, previous_id, next_id, details, _,
        waiting_for, _, created_at, updated_at,
    ) = row  # fmt: skip
    currency, digits = order.currency, order.digits
    return Request(
        id, number, kind, original_kind, order, stage or stored_stage(stage_name, status, stage_label, waiting_for),
        version, attempt, reason, note, party_or_none(fault),
        tuple(request_line(line, currency, digits) for line in lines),
        from_minor(refund_max, currency, digits), instant(created_at), instant(updated_at), terms,
        ReturnMethod(method) if method else None,
        money_or_none(refund_approved, currency, digits), money_or_none(refund_paid, currency, digits),
        frozenset(from_json(tags)), ApprovedBy(approved_by) if approved_by else None,
        CloseReason(close_reason) if close_reason else None, instant_or_none(closed_at),
        instant_or_none(package_confirmed_at), dispute_status, rounds, appeal_status, edits, previous_id, next_id,
        from_json(details),
        tuple(map(clock, clocks)), tuple(map(shipment, shipments)), tuple(refund(row, digits) for row in refunds),
        tuple(cost(row, digits) for row in costs), tuple(files[None]),
        tuple(offer(row, currency, digits) for row in offers),
        _disputes(disputes, rounds, files),
        next((appeal(row, currency, digits, tuple(files[row[0]])) for row in appeals), None),
        next(map(reservation, reservations), None),
    )  # fmt: skip


def stored_stage(name: str, status: str, label: str, waiting_for: str | None) -> Stage:
    """A stage whose plugin is gone: all that the row kept of it. It has no clocks, and nothing can be done at it."""
    return Stage(name, Status(status), label, party_or_none(waiting_for) or Party.SYSTEM)


def request_line(row: Row, currency: str, digits: int) -> RequestLine:
    _, _, _, order_line_id, quantity, refund_max, refund_approved = row
    return RequestLine(
        order_line_id,
        quantity,
        from_minor(refund_max, currency, digits),
        money_or_none(refund_approved, currency, digits),
    )


def clock(row: Row) -> Clock:
    id, _, _, key, owed_by, started_at, due_at, remaining, status, warn_before, _, subject_id = row
    return Clock(
        id, key, party(owed_by), instant(started_at), instant_or_none(due_at), ClockStatus(status),
        None if remaining is None else timedelta(seconds=remaining),
        tuple(timedelta(seconds=seconds) for seconds in from_json(warn_before)), subject_id,
    )  # fmt: skip


def shipment(row: Row) -> Shipment:
    (
        id,
        _,
        _,
        leg,
        status,
        method,
        carrier,
        tracking,
        attempts,
        payer,
        pickup_at,
        handed_over_at,
        delivered_at,
    ) = row
    return Shipment(
        id, Leg(leg), ShipmentStatus(status), ReturnMethod(method) if method else None, carrier, tracking, attempts,
        party_or_none(payer), instant_or_none(pickup_at),
        instant_or_none(handed_over_at), instant_or_none(delivered_at),
    )  # fmt: skip


def refund(row: Row, digits: int) -> Refund:
    id, _, _, _, _, amount, currency, initiator, status, lines, created_at, paid_at, tries, _, _, _ = row
    return Refund(
        id, from_minor(amount, currency, digits), party(initiator), instant(created_at),
        tuple((line, from_minor(minor, currency, digits)) for line, minor in from_json(lines)),
        RefundStatus(status), tries, instant_or_none(paid_at),
    )  # fmt: skip


def cost(row: Row, digits: int) -> Cost:
    id, _, _, kind, payer, amount, currency, paid_at = row
    return Cost(id, CostKind(kind), party(payer), money_or_none(amount, currency, digits), instant_or_none(paid_at))


def offer(row: Row, currency: str, digits: int) -> Offer:
    id, _, _, kind, amount, note, status, details, made_at, due_at, answered_at = row
    return Offer(
        id, OfferKind(kind), OfferStatus(status), instant(made_at), money_or_none(amount, currency, digits), note,
        from_json(details), instant_or_none(due_at), instant_or_none(answered_at),
    )  # fmt: skip


def _disputes(rows: Sequence[Row], rounds: int, files: Mapping[str | None, Sequence[Evidence]]) -> tuple[Dispute, ...]:
    """A request that took another's place goes on counting where that one stopped."""
    before = rounds - len(rows)
    return tuple(dispute(row, before + row[2] + 1, tuple(files.get(row[0], ()))) for row in rows)


def dispute(row: Row, round: int, evidence: tuple[Evidence, ...]) -> Dispute:
    id, _, _, stage, claim, decision_note, decided_by, opened_at, decided_at, escalated = row
    return Dispute(
        id, round, DISPUTE_STAGES[stage], claim, instant(opened_at), decision_note, decided_by,
        instant_or_none(decided_at), bool(escalated), evidence,
    )  # fmt: skip


def appeal(row: Row, currency: str, digits: int, evidence: tuple[Evidence, ...]) -> Appeal:
    (
        id, _, _, stage, ground, reason, statement, rounds, compensation, decision_note, decided_by, escalated,
        opened_at, filed_at, decided_at, _,
    ) = row  # fmt: skip
    return Appeal(
        id, APPEAL_STAGES[stage], ground, instant(opened_at), reason, statement, rounds,
        money_or_none(compensation, currency, digits), decision_note, decided_by, bool(escalated),
        instant_or_none(filed_at), instant_or_none(decided_at), evidence,
    )  # fmt: skip


def reservation(row: Row) -> Reservation:
    id, _, _, status, items, _ = row
    return Reservation(id, ReservationStatus(status), tuple((sku, quantity) for sku, quantity in from_json(items)))


def shown(row: Row) -> Evidence:
    """The engine's view of a file: its first columns are `id, owner_id, uploaded_by, party, kind`."""
    id, _, uploaded_by, by, kind, *_ = row
    return Evidence(id, EvidenceKind(kind), party(by), uploaded_by)


def money_or_none(minor: int | None, currency: str, digits: int) -> Money | None:
    return None if minor is None else from_minor(minor, currency, digits)


def orders(
    rows: Iterable[Row],
    shops: Iterable[Row],
    lines: Iterable[Row],
    claims: Mapping[str, tuple[Claimed, ...]],
    digits: Digits,
) -> dict[str, Order]:
    """Orders by id, put together from the rows of their tables."""
    shop_of = {row[0]: shop(row) for row in shops}
    lines_of = by_owner(lines)
    return {
        row[0]: order(row, shop_of[row[1]], lines_of.get(row[0], ()), claims.get(row[0], ()), digits(row[5]))
        for row in rows
    }


def terms(rows: Iterable[Row]) -> dict[str, Terms]:
    return {id: Terms.from_json(body) for id, body in rows}

"""The engine's nouns become rows, in the order of `columns.COLUMNS`."""

from datetime import datetime, timedelta
from typing import Any

from ..engine.arrival import IMPORTED
from ..engine.cases import Appeal, Dispute, Offer
from ..engine.clocks import warnings
from ..engine.money import Money, to_minor
from ..engine.request import (
    Clock,
    ClockStatus,
    Cost,
    Refund,
    RefundStatus,
    Request,
    RequestLine,
    Reservation,
    ReservationStatus,
    Shipment,
)
from ..engine.vocabulary import Party
from .columns import NEVER
from .values import json, micros, micros_or_none

Values = tuple[Any, ...]

SECOND = timedelta(seconds=1)


def request_row(request: Request) -> dict[str, Any]:
    """By column, but for `sequence`, which SQL counts."""
    order, stage, digits = request.order, request.stage, request.order.digits
    clock, waits_for = request.next_clock, request.waits_for
    return {
        "id": request.id,
        "number": request.number,
        "shop_id": order.shop.id,
        "market": order.shop.market,
        "order_id": order.id,
        "buyer_id": order.buyer_id,
        "kind": request.kind,
        "original_kind": request.original_kind,
        "stage": stage.name,
        "stage_label": stage.label,
        "status": stage.status.value,
        "version": request.version,
        "attempt": request.attempt,
        "edits": request.edits,
        "disputes": request.dispute_rounds,
        "reason": request.reason,
        "note": request.note,
        "fault": title(request.fault),
        "return_method": request.return_method.value if request.return_method else None,
        "refund_max": to_minor(request.refund_max, digits),
        "refund_approved": minor_or_none(request.refund_approved, digits),
        "refund_paid": minor_or_none(request.refund_paid, digits),
        "tags": json(sorted(request.tags)),
        "approved_by": request.approved_by.value if request.approved_by else None,
        "close_reason": request.close_reason.value if request.close_reason else None,
        "closed_at": micros_or_none(request.closed_at),
        "package_confirmed_at": micros_or_none(request.package_confirmed_at),
        "dispute_status": request.dispute_status,
        "appeal_status": request.appeal_status,
        "previous_id": request.previous_id,
        "next_id": request.next_id,
        "details": json(dict(request.details)),
        "terms_id": request.terms.version,
        "waiting_for": title(waits_for),
        "next_due_at": micros(clock.due_at) if clock and clock.due_at else NEVER,
        "created_at": micros(request.created_at),
        "updated_at": micros(request.updated_at),
    }


def line_row(request: Request, position: int, line: RequestLine) -> Values:
    digits = request.order.digits
    return (
        f"rl_{request.id.partition('_')[2]}_{position}", request.id, position, line.order_line_id, line.quantity,
        to_minor(line.refund_max, digits), minor_or_none(line.refund_approved, digits),
    )  # fmt: skip


def deadline_row(request: Request, position: int, clock: Clock, after: datetime) -> Values:
    wake_at = wakes_at(clock, after)
    return (
        clock.id, request.id, position, clock.key, clock.owed_by.title,
        micros(clock.started_at), micros_or_none(clock.due_at),
        None if clock.remaining is None else clock.remaining // SECOND, clock.status.value,
        json([before // SECOND for before in clock.warn_before]), micros_or_none(wake_at), clock.subject_id,
    )  # fmt: skip


def wakes_at(clock: Clock, after: datetime) -> datetime | None:
    """When time must look at a clock next: its first warning later than `after`, else its end; None unless it runs."""
    if clock.status is not ClockStatus.RUNNING or clock.due_at is None:
        return None
    return next(iter(warnings(clock.due_at, clock.warn_before, after)), clock.due_at)


def shipment_row(request: Request, position: int, parcel: Shipment) -> Values:
    return (
        parcel.id, request.id, position, parcel.leg.value, parcel.status.value,
        parcel.method.value if parcel.method else None, parcel.carrier, parcel.tracking, parcel.attempts,
        title(parcel.payer), micros_or_none(parcel.pickup_at), micros_or_none(parcel.handed_over_at),
        micros_or_none(parcel.delivered_at),
    )  # fmt: skip


def refund_row(request: Request, position: int, refund: Refund, now: datetime) -> Values:
    """A refund that is granted, or that a person frees, is tried at once; one refused to the last, never.

    What a person must look at is stuck: refused to the last, or unknown for so long. The unknown is asked about on.
    """
    digits, at = request.order.digits, micros(now)
    paid, failed = refund.status is RefundStatus.PAID, refund.status is RefundStatus.FAILED
    stuck = not paid and "refund_stuck" in request.tags
    # the marketplace pays for what was brought in from it (section 14)
    settled = paid or (failed and stuck) or IMPORTED in request.tags
    return (
        refund.id, request.id, request.order.id, request.order.shop.id, position, to_minor(refund.amount, digits),
        refund.amount.currency, refund.initiator.title, refund.status.value,
        json([[line, to_minor(share, digits)] for line, share in refund.lines]), micros(refund.created_at),
        micros_or_none(refund.paid_at), refund.tries, None if settled else at, None, at if stuck else None,
    )  # fmt: skip


def cost_row(request: Request, position: int, cost: Cost) -> Values:
    digits = request.order.digits
    return (
        cost.id, request.id, position, cost.kind.value, cost.payer.title, minor_or_none(cost.amount, digits),
        request.order.currency, micros_or_none(cost.paid_at),
    )  # fmt: skip


def offer_row(request: Request, position: int, offer: Offer) -> Values:
    return (
        offer.id, request.id, position, offer.kind.value, minor_or_none(offer.amount, request.order.digits), offer.note,
        offer.status.value, json(dict(offer.details)), micros(offer.made_at), micros_or_none(offer.due_at),
        micros_or_none(offer.answered_at),
    )  # fmt: skip


def dispute_row(request: Request, position: int, dispute: Dispute) -> Values:
    return (
        dispute.id, request.id, position, dispute.stage.name, dispute.claim, dispute.decision_note, dispute.decided_by,
        micros(dispute.opened_at), micros_or_none(dispute.decided_at), dispute.escalated,
    )  # fmt: skip


def appeal_row(request: Request, appeal: Appeal) -> Values:
    return (
        appeal.id, request.id, request.order.shop.id, appeal.stage.name, appeal.ground, appeal.reason, appeal.statement,
        appeal.evidence_rounds, minor_or_none(appeal.compensation, request.order.digits), appeal.decision_note,
        appeal.decided_by, appeal.escalated, micros(appeal.opened_at), micros_or_none(appeal.filed_at),
        micros_or_none(appeal.decided_at), appeal_due_at(request),
    )  # fmt: skip


def reservation_row(request: Request, held: Reservation, now: datetime) -> Values:
    """Stock is told at once what it does not know yet."""
    untold = held.status in (ReservationStatus.WANTED, ReservationStatus.FREED)
    return (
        held.id, request.id, request.order.shop.id, held.status.value, json([list(item) for item in held.items]),
        micros(now) if untold else None,
    )  # fmt: skip


def appeal_due_at(request: Request) -> int:
    """When the first of the appeal's running clocks runs out."""
    running = (clock for clock in request.clocks if clock.of_appeal and clock.status is ClockStatus.RUNNING)
    return min((micros(clock.due_at) for clock in running if clock.due_at), default=NEVER)


def minor_or_none(money: Money | None, digits: int) -> int | None:
    return None if money is None else to_minor(money, digits)


def title(party: Party | None) -> str | None:
    return None if party is None else party.title

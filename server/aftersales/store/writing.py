"""A change becomes statements, to be run as one transaction: the record, its children, its events, its key."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from ..engine.cases import Dispute
from ..engine.filter import search, was
from ..engine.refusal import Problem, Refused
from ..engine.request import Change, Event, Request
from .columns import COLUMNS, insert
from .conflicts import NumberTaken, OrderMoved, StaleVersion
from .database import Statement, alone, marks
from .encoding import (
    Values,
    appeal_row,
    cost_row,
    deadline_row,
    dispute_row,
    line_row,
    offer_row,
    refund_row,
    request_row,
    reservation_row,
    shipment_row,
    wakes_at,
)
from .files import SHOWABLE
from .keys import Key
from .memory import remembering
from .values import json, micros

Item = TypeVar("Item")

# What may change of a child once it is there; a deadline that changes is no longer parked.
# fmt: off
CHANGES = {
    "request_lines": "refund_approved = excluded.refund_approved",
    "deadlines": "due_at = excluded.due_at, remaining_seconds = excluded.remaining_seconds, status = excluded.status,"
                 " wake_at = excluded.wake_at, tries = 0, parked_at = NULL, fault_text = NULL,"
                 " claimed_until = NULL",
    "shipments": ", ".join(f"{name} = excluded.{name}" for name in COLUMNS["shipments"][2:]),
    # while its outcome is open, that it was asked about must not be forgotten: it would be paid anew
    "refunds": ", ".join(f"{name} = excluded.{name}"
                         for name in ("status", "paid_at", "tries", "next_try_at", "stuck_at"))
               + ", asked_at = CASE WHEN excluded.status = 'PENDING' THEN refunds.asked_at END",
    "offers": "status = excluded.status, answered_at = excluded.answered_at",
    "disputes": ", ".join(f"{name} = excluded.{name}"
                          for name in ("stage", "decision_note", "decided_by", "decided_at", "escalated")),
    "appeals": ", ".join(f"{name} = excluded.{name}" for name in COLUMNS["appeals"][3:] if name != "opened_at"),
    "reservations": "status = excluded.status, next_try_at = excluded.next_try_at, tries = 0",
    "costs": "amount = excluded.amount, paid_at = excluded.paid_at",
}
# fmt: on


def statements(
    changes: Sequence[Change], processed_at: datetime, key: Key | None, known_terms: Callable[[str], bool]
) -> Iterator[Statement]:
    """All that is to be written of these changes, in an order that locks shop, order and request in turn.

    A shop's changes follow one another from their first statement on: so its lines of the log, which are numbered
    by shop and as a whole, come in one order by both (ADR 0020).

    Args:
        known_terms: whether terms of this version are stored already.
    """
    for shop in sorted({change.request.order.shop.id for change in changes}):
        yield alone(shop)
    if key:
        request = changes[-1].request
        yield remembering(key, request.id, request.version, processed_at)
    guarded: set[str] = set()
    for change in changes:
        order = change.request.order
        if change.takes_of_order and order.id not in guarded:
            guarded.add(order.id)
            yield Statement(
                "UPDATE orders SET claims_version = claims_version + 1 WHERE id = ? AND claims_version = ?",
                (order.id, order.claims_version), 1, OrderMoved,
            )  # fmt: skip
        if is_warning(change):
            yield from _warning(change, processed_at)
        else:
            yield from _record(change, known_terms)
            yield from _children(change, processed_at)
        yield from _events(change, processed_at)


def is_warning(change: Change) -> bool:
    """It says something of the request and changes nothing, so that its version stays."""
    return change.before is not None and change.before.version == change.request.version


def _warning(change: Change, processed_at: datetime) -> Iterator[Statement]:
    """The clock wakes time later; of two who warn at once, one finds it done."""
    request, after = change.request, max(change.at, processed_at)
    for clock in request.clocks:
        if any(event.clock_id == clock.id for event in change.events):
            wake_at = wakes_at(clock, after)
            if clock.due_at is None or wake_at is None:
                raise StaleVersion(f"{clock.id} does not run.")
            yield Statement(
                "UPDATE deadlines SET wake_at = ?, tries = 0, claimed_until = NULL"
                " WHERE id = ? AND status = 'RUNNING' AND due_at = ? AND wake_at <= ?",
                (micros(wake_at), clock.id, micros(clock.due_at), micros(after)), 1, StaleVersion,
            )  # fmt: skip
    yield Statement("UPDATE requests SET sequence = sequence + ? WHERE id = ?", (len(change.events), request.id), 1)


def _record(change: Change, known_terms: Callable[[str], bool]) -> Iterator[Statement]:
    before, request, row = change.before, change.request, request_row(change.request)
    if before is None:
        if not known_terms(request.terms.version):
            yield Statement(
                f"{insert('terms')} ON CONFLICT (id) DO NOTHING",
                (request.terms.version, request.terms.to_json()),
            )
        yield Statement(
            f"{insert('requests', 1, (*row, 'sequence', 'search'))} ON CONFLICT (number) DO NOTHING",
            (*row.values(), len(change.events), search(request)), 1, NumberTaken,
        )  # fmt: skip
        return
    old = request_row(before)
    changed = {name: value for name, value in row.items() if value != old[name]}
    yield Statement(
        f"UPDATE requests SET {''.join(f'{name} = ?, ' for name in changed)}sequence = sequence + ?"
        " WHERE id = ? AND version = ?",
        (*changed.values(), len(change.events), request.id, before.version), 1, StaleVersion,
    )  # fmt: skip


def _children(change: Change, processed_at: datetime) -> Iterator[Statement]:
    """Of each table what is new or has changed, in one statement."""
    before, request = change.before, change.request
    after = max(change.at, processed_at)

    def upsert(table: str, rows: list[Values]) -> Iterator[Statement]:
        if rows:
            sql = f"{insert(table, len(rows))} ON CONFLICT (id) DO UPDATE SET {CHANGES[table]}"
            yield Statement(sql, [value for row in rows for value in row])

    def differing(old: Iterable[Item], new: Iterable[Item]) -> list[tuple[int, Item]]:
        known = dict(enumerate(old))
        return [(position, item) for position, item in enumerate(new) if known.get(position) != item]

    lines = differing(before.lines if before else (), request.lines)
    clocks = differing(before.clocks if before else (), request.clocks)
    parcels = differing(before.shipments if before else (), request.shipments)
    refunds = differing(before.refunds if before else (), request.refunds)
    costs = differing(before.costs if before else (), request.costs)
    yield from upsert("request_lines", [line_row(request, *line) for line in lines])
    yield from upsert("deadlines", [deadline_row(request, *clock, after) for clock in clocks])
    yield from upsert("shipments", [shipment_row(request, *parcel) for parcel in parcels])
    yield from upsert("refunds", [refund_row(request, *refund, processed_at) for refund in refunds])
    yield from upsert("costs", [cost_row(request, *cost) for cost in costs])
    offers = differing(before.offers if before else (), request.offers)
    disputes = differing(_records(before.disputes) if before else (), _records(request.disputes))
    yield from upsert("offers", [offer_row(request, *offer) for offer in offers])
    yield from upsert("disputes", [dispute_row(request, *dispute) for dispute in disputes])
    if request.appeal and (before is None or _appeal_of(before) != _appeal_of(request)):
        yield from upsert("appeals", [appeal_row(request, request.appeal)])
    if request.reservation and (before is None or before.reservation != request.reservation):
        yield from upsert("reservations", [reservation_row(request, request.reservation, processed_at)])
    yield from _evidence(change, processed_at)


def _records(disputes: Iterable[Dispute]) -> list[Dispute]:
    """Without what was shown in them, which lies in a table of its own."""
    return [replace(dispute, evidence=()) for dispute in disputes]


def _appeal_of(request: Request) -> Any:
    return (appeal_row(request, request.appeal)) if request.appeal else None


def _evidence(change: Change, processed_at: datetime) -> Iterator[Statement]:
    """What is shown for the first time belongs to the request now, and later to the one that replaces it."""
    request, known = change.request, _files(change.before) if change.before else {}
    shown = _files(request) | {
        item.id: None for item in change.given.get("evidence", ()) if item.id not in _files(request)
    }
    new = [id for id in shown if id not in known]
    if not new:
        return
    yield Statement(
        "UPDATE evidence SET owner_id = ?, status = 'SUBMITTED', submitted_at = COALESCE(submitted_at, ?)"
        f" WHERE id IN ({marks(len(new))}) AND (owner_id IS NULL OR owner_id = ?) AND {SHOWABLE}",
        (request.id, micros(processed_at), *new, request.previous_id if change.before is None else None),
        len(new), _evidence_gone,
    )  # fmt: skip
    rows = [(request.id, id, len(known) + index, shown[id]) for index, id in enumerate(new)]
    yield Statement(insert("request_evidence", len(rows)), [value for row in rows for value in row])


def _files(request: Request) -> dict[str, str | None]:
    """Every file that supports the request, with the dispute or appeal it was shown in."""
    cases = [*request.disputes, *((request.appeal,) if request.appeal else ())]
    beside = {item.id: case.id for case in cases for item in case.evidence}
    return {item.id: None for item in request.evidence} | beside


def _evidence_gone() -> Refused:
    return Refused(
        [Problem("NOT_FOUND", "There is no such evidence of yours to use.", "evidenceIds", guard="G_EVIDENCE")]
    )


def _events(change: Change, processed_at: datetime) -> Iterator[Statement]:
    """SQL counts both sequences, so that whoever else writes to the shop or the request, neither has a gap."""
    shop, request, count = change.request.order.shop.id, change.request.id, len(change.events)
    if not count:
        return
    kept = None if change.before is None else json(was(change.before))
    args: list[Any] = []
    for index, event in enumerate(change.events):
        back = count - 1 - index
        args += [shop, shop, back, request, request, back, request, *_said(event, processed_at)]
        args.append(kept if index == 0 else None)
    yield Statement("UPDATE shops SET sequence = sequence + ? WHERE id = ?", (count, shop), 1)
    yield Statement(_insert_events(count), args)


def _said(event: Event, processed_at: datetime) -> Values:
    actor = event.by
    return (
        event.type, event.rule, micros(event.at), micros(processed_at), actor.party.title, actor.id, actor.client,
        event.action, event.from_stage.name if event.from_stage else None, event.to_stage.name, event.note,
        json(dict(event.data)), event.clock_id,
    )  # fmt: skip


@cache
def _insert_events(count: int) -> str:
    columns = COLUMNS["events"][1:]
    row = (
        "(?, (SELECT sequence FROM shops WHERE id = ?) - ?,"
        " ?, (SELECT sequence FROM requests WHERE id = ?) - ?, (SELECT version FROM requests WHERE id = ?),"
        f" {marks(len(columns) - 5)})"
    )
    return f"INSERT INTO events ({', '.join(columns)}) VALUES {', '.join([row] * count)}"

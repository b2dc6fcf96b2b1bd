"""The bare application's writes: a refund-only request is opened, and approved. Each is one transaction.

What is checked is what the rows allow: that it is the caller's order, in time and not claimed yet; that the
request is at the version seen, and that no more is granted than was paid.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex
from typing import Any

import orjson
import uuid_utils

from .bare_reads import DAY, HOUR, Answer, Row, instant, money

NEVER = 2**63 - 1
WARN_BEFORE = (86_400, 21_600, 3_600)
SECOND = 1_000_000
PENDING = {"handle": "pending_review", "label": "Waiting for review"}
REFUNDING = {"handle": "refunding", "label": "Refund on its way"}

ORDER = """
    SELECT o.shop_id, o.number, o.buyer_id, o.currency, o.state, o.delivered_at, o.total, o.claims_version,
           s.market, s.kind
    FROM orders o JOIN shops s ON s.id = o.shop_id WHERE o.id = ?
"""
BOUGHT = "SELECT id, product_name, quantity, unit_paid, tax FROM order_lines WHERE order_id = ? ORDER BY position"
CLAIMED = """
    SELECT l.order_line_id, l.quantity, r.status FROM requests r JOIN request_lines l ON l.request_id = r.id
    WHERE r.order_id = ?
"""
REFUNDED = "SELECT request_id, lines FROM refunds WHERE order_id = ? AND status <> 'FAILED'"
KNOWN = "SELECT request_id, fingerprint FROM idempotency WHERE scope = ? AND key = ? AND created_at >= ?"
REMEMBER = """
    INSERT INTO idempotency (scope, key, fingerprint, request_id, version, created_at) VALUES (?, ?, ?, ?, ?, ?)
"""
TAKE = "UPDATE orders SET claims_version = claims_version + 1 WHERE id = ? AND claims_version = ?"
INSERT = f"""
    INSERT INTO requests (
        id, number, shop_id, market, order_id, buyer_id, kind, original_kind, stage, stage_label, status, version,
        sequence, attempt, edits, disputes, reason, note, fault, refund_max, tags, dispute_status, appeal_status,
        details, terms_id, waiting_for, next_due_at, created_at, updated_at, search
    ) VALUES ({", ".join("?" * 30)})
"""
INSERT_LINE = """
    INSERT INTO request_lines (id, request_id, position, order_line_id, quantity, refund_max) VALUES (?, ?, ?, ?, ?, ?)
"""
INSERT_CLOCK = """
    INSERT INTO deadlines (id, request_id, position, key, owed_by, started_at, due_at, status, warn_before, wake_at)
    VALUES (?, ?, 0, 'review.first', 'SELLER', ?, ?, 'RUNNING', ?, ?)
"""
COUNT = "UPDATE shops SET sequence = sequence + ? WHERE id = ? RETURNING sequence"
LOG = f"""
    INSERT INTO events (
        shop_id, position, request_id, sequence, version, type, rule, at, processed_at, party, actor_id, client, action,
        from_stage, to_stage, note, data, deadline_id, was
    ) VALUES ({", ".join("?" * 19)})
"""
STANDS = """
    SELECT r.version, r.status, r.sequence, r.shop_id, r.order_id, r.refund_max, r.tags, r.next_due_at, r.updated_at,
           o.currency, o.total, o.claims_version
    FROM requests r JOIN orders o ON o.id = r.order_id WHERE r.id = ?
"""
LINES = """
    SELECT l.id, l.order_line_id, l.refund_max, b.quantity * b.unit_paid + b.tax
    FROM request_lines l JOIN order_lines b ON b.id = l.order_line_id WHERE l.request_id = ? ORDER BY l.position
"""
RUNNING = "SELECT id, due_at FROM deadlines WHERE request_id = ? AND status = 'RUNNING'"
MET = "UPDATE deadlines SET status = 'MET', wake_at = NULL WHERE id = ?"
GRANT = """
    UPDATE requests SET stage = 'refunding', stage_label = ?, status = 'REFUNDING', version = version + 1,
        sequence = sequence + 4, refund_approved = ?, approved_by = 'SELLER', waiting_for = 'SYSTEM',
        next_due_at = ?, updated_at = ?
    WHERE id = ? AND version = ?
"""
REFUND = """
    INSERT INTO refunds (
        id, request_id, order_id, shop_id, position, amount, currency, initiator, status, lines, created_at, tries,
        next_try_at
    ) VALUES (?, ?, ?, ?, 0, ?, ?, 'SELLER', 'PENDING', ?, ?, 0, ?)
"""

TermsOf = Mapping[tuple[str, str], tuple[str, int, int]]


class No(Exception):
    """Refused. The bare application does not say why; it is never asked for what cannot be."""


def terms(connection: sqlite3.Connection) -> TermsOf:
    """By market and kind of shop: the version of the terms for a refund, its window and its review in microseconds."""
    rows = connection.execute(
        "SELECT DISTINCT r.market, s.kind, t.id, t.body FROM requests r JOIN shops s ON s.id = r.shop_id"
        " JOIN terms t ON t.id = r.terms_id WHERE r.kind = 'refund_only'"
    )
    return {(market, shop): (id, *_spans(orjson.loads(body)["terms"])) for market, shop, id, body in rows}


def _spans(terms: Mapping[str, Sequence[Any]]) -> tuple[int, int]:
    unit = {"HOUR": HOUR, "CAL_DAY": DAY}
    window, review = terms["window.raise"], terms["review.first"]
    return window[0] * unit[window[1]], review[0] * unit[review[1]]


def opened(connection: sqlite3.Connection, terms: TermsOf, program: str, input: Answer) -> Answer:
    connection.execute("BEGIN IMMEDIATE")
    try:
        answer = _opened(connection, terms, program, input)
        connection.execute("COMMIT")
        return answer
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _opened(connection: sqlite3.Connection, terms: TermsOf, program: str, input: Answer) -> Answer:
    order, at = input["orderId"], now()
    [found] = connection.execute(ORDER, (order,)).fetchall()
    shop, order_number, buyer, currency, state, delivered_at, total, claims_version, market, shop_kind = found
    bought = {row[0]: row for row in connection.execute(BOUGHT, (order,))}
    claimed = connection.execute(CLAIMED, (order,)).fetchall()
    refunded = _by_line(connection.execute(REFUNDED, (order,)))
    version, window, review = terms[market, shop_kind]
    scope, print = f"BUYER:{buyer}:refundOnlyOpen", fingerprint(input)
    if connection.execute(KNOWN, (scope, input["idempotencyKey"], at - 3 * DAY)).fetchall():
        raise No("replay")
    if state != "DELIVERED" or not input["lines"] or at >= delivered_at + window:
        raise No
    lines, left_of_order = [], total - sum(refunded.values())
    for position, line in enumerate(input["lines"]):
        id, _, units, paid, tax = bought[line["orderLineId"]]
        held = sum(quantity for of, quantity, _ in claimed if of == id)
        if not 1 <= line["quantity"] <= units - held:
            raise No
        most = paid * line["quantity"] + (tax * line["quantity"] * 2 + units) // (units * 2)
        most = min(most, paid * units + tax - refunded.get(id, 0), left_of_order)
        left_of_order -= most
        lines.append((position, id, line["quantity"], most))

    hex = uuid_utils.uuid7().hex
    id, number, due = f"rq_{hex}", f"AS-{token_hex(2).upper()}-{token_hex(2).upper()}", at + review
    maximum, clock, note = sum(line[3] for line in lines), f"dl_{hex}_1_0", input.get("note") or ""
    search = " ".join([number, order_number, *(bought[line[1]][1] for line in lines), note]).lower()
    connection.execute(REMEMBER, (scope, input["idempotencyKey"], print, id, 1, at))
    one(connection.execute(TAKE, (order, claims_version)))
    connection.execute(
        INSERT,
        (
            id, number, shop, market, order, buyer, "refund_only", "refund_only", PENDING["handle"], PENDING["label"],
            "PENDING_REVIEW", 1, 2, 1, 0, 0, input["reason"], note, "CARRIER", maximum, "[]", "NONE", "NOT_AVAILABLE",
            "{}", version, "SELLER", due, at, at, search,
        ),
    )  # fmt: skip
    connection.executemany(INSERT_LINE, [(f"rl_{hex}_{line[0]}", id, *line) for line in lines])
    warn_before = orjson.dumps(WARN_BEFORE).decode()
    wake = min(due - seconds * SECOND for seconds in WARN_BEFORE if due - seconds * SECOND > at)
    connection.execute(INSERT_CLOCK, (clock, id, at, due, warn_before, wake))
    said = [
        ("RequestCreated", note, {"reason": input["reason"]}, None),
        ("DeadlineStarted", "", {"key": "review.first", "owedBy": "SELLER", "dueAt": offset(due)}, clock),
    ]
    _log(connection, shop, id, 0, 1, said, ("C1", at, "BUYER", buyer, program, "open", None, "pending_review"), None)
    request = {
        "id": id,
        "number": number,
        "version": 1,
        "status": "PENDING_REVIEW",
        "stage": PENDING,
        "nextDeadline": {
            "handle": "review.first",
            "owedBy": "SELLER",
            "dueAt": instant(due),
            "onExpiry": "The request is approved.",
        },
        "money": {"maximum": money(maximum, currency)},
    }
    return {"refundOnlyOpen": {"request": request, "problems": [], "replayed": False}}


def approved(connection: sqlite3.Connection, program: str, input: Answer) -> Answer:
    connection.execute("BEGIN IMMEDIATE")
    try:
        answer = _approved(connection, program, input)
        connection.execute("COMMIT")
        return answer
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _approved(connection: sqlite3.Connection, program: str, input: Answer) -> Answer:
    id, at = input["requestId"], now()
    hex = id[3:]
    [found] = connection.execute(STANDS, (id,)).fetchall()
    version, status, sequence, shop, order, most, tags, next_due, updated_at, currency, total, claims_version = found
    lines = connection.execute(LINES, (id,)).fetchall()
    clocks = connection.execute(RUNNING, (id,)).fetchall()
    refunded = _by_line(connection.execute(REFUNDED, (order,)))
    actor = f"st_{shop[3:]}"
    scope, print = f"SELLER:{actor}:refundOnlyApprove", fingerprint(input)
    if connection.execute(KNOWN, (scope, input["idempotencyKey"], at - 3 * DAY)).fetchall():
        raise No("replay")
    if status != "PENDING_REVIEW" or version != input["expectedVersion"] or any(due <= at for _, due in clocks):
        raise No
    rooms = [max(0, min(maximum, paid - refunded.get(line, 0))) for _, line, maximum, paid in lines]
    amount = min(most, sum(rooms), total - sum(refunded.values()))
    if amount <= 0:
        raise No
    shares = _shared(amount, rooms)

    refund = f"rf_{hex}_{version + 1}_0"
    connection.execute(REMEMBER, (scope, input["idempotencyKey"], print, id, version + 1, at))
    one(connection.execute(TAKE, (order, claims_version)))
    one(connection.execute(GRANT, (REFUNDING["label"], amount, NEVER, at, id, version)))
    connection.executemany(
        "UPDATE request_lines SET refund_approved = ? WHERE id = ?",
        [(share, line[0]) for share, line in zip(shares, lines, strict=True)],
    )
    connection.executemany(MET, [(clock,) for clock, _ in clocks])
    parts = [[line[1], share] for share, line in zip(shares, lines, strict=True)]
    connection.execute(REFUND, (refund, id, order, shop, amount, currency, orjson.dumps(parts).decode(), at, at))
    told = money(amount, currency)
    said = [
        ("RequestApproved", input.get("note") or "", {}, None),
        ("RequestStatusChanged", "", {"from": "PENDING_REVIEW", "to": "REFUNDING", "stage": "refunding"}, None),
        ("RefundCreated", "", {"refundId": refund, **told}, None),
        *(
            ("DeadlineMet", "", {"key": "review.first", "owedBy": "SELLER", "dueAt": offset(due)}, clock)
            for clock, due in clocks
        ),
    ]
    was = {
        "kind": "refund_only",
        "status": "PENDING_REVIEW",
        "stage": "pending_review",
        "tags": orjson.loads(tags),
        "waitingFor": "SELLER",
        "nextDueAt": offset(next_due),
        "appealStatus": "NOT_AVAILABLE",
        "disputed": False,
        "updatedAt": offset(updated_at),
    }
    facts = ("RO1", at, "SELLER", actor, program, "approve", "pending_review", "refunding")
    _log(connection, shop, id, sequence, version + 1, said, facts, orjson.dumps(was).decode())
    request = {
        "id": id,
        "version": version + 1,
        "status": "REFUNDING",
        "stage": REFUNDING,
        "money": {"approved": told},
        "nextDeadline": None,
    }
    return {"refundOnlyApprove": {"request": request, "problems": [], "replayed": False}}


def _log(
    connection: sqlite3.Connection, shop: str, id: str, sequence: int, version: int, said: Sequence[Row],
    facts: Row, was: str | None,
) -> None:  # fmt: skip
    [[position]] = connection.execute(COUNT, (len(said), shop)).fetchall()
    rule, at, party, actor, program, action, source, target = facts
    connection.executemany(
        LOG,
        [
            (
                shop, position - len(said) + 1 + index, id, sequence + 1 + index, version, type, rule, at, at, party,
                actor, program, action, source, target, note, orjson.dumps(data).decode(), clock,
                None if index else was,
            )
            for index, (type, note, data, clock) in enumerate(said)
        ],
    )  # fmt: skip


def _by_line(refunds: sqlite3.Cursor) -> dict[str, int]:
    found: dict[str, int] = {}
    for _, lines in refunds:
        for line, minor in orjson.loads(lines):
            found[line] = found.get(line, 0) + minor
    return found


def _shared(amount: int, rooms: Sequence[int]) -> list[int]:
    """By weight, the last takes the rest."""
    whole, shares = sum(rooms), []
    for room in rooms[:-1]:
        shares.append((amount * room * 2 + whole) // (whole * 2))
    return [*shares, amount - sum(shares)]


def one(cursor: sqlite3.Cursor) -> None:
    if cursor.rowcount != 1:
        raise No


def now() -> int:
    return int(datetime.now(UTC).timestamp() * SECOND)


def offset(micros: int) -> str:
    return instant(micros).replace("Z", "+00:00")


def fingerprint(input: Answer) -> str:
    told = {name: value for name, value in input.items() if name != "idempotencyKey"}
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()

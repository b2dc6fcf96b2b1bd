"""The bare application's reads: the board page, the detail and the tiny query."""

import sqlite3
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KINDS = {"refund_only": "Refund only", "return_refund": "Return and refund"}
REASONS = {"not_received": "The parcel was not received", "damaged": "It came damaged"}
CLOCKS = {
    "review.first": "Review the request",
    "ship_back.drop_off": "Bring the parcel to a drop-off point",
    "inspect.tracked": "Inspect the parcel",
    "rejection.followup": "Ask once more, or open a dispute",
}
DIGITS = {"IDR": 0, "MYR": 2}
HOUR = 3_600_000_000
DAY = 24 * HOUR

PAGE = """
    SELECT r.id, r.number, r.status, r.version, r.attempt, r.market, r.note, r.fault, r.return_method, r.approved_by,
           r.close_reason, r.created_at, r.updated_at, r.kind, r.stage, r.stage_label, r.reason, r.refund_max,
           r.next_due_at, o.id, o.number, o.state, o.currency
    FROM requests r JOIN orders o ON o.id = r.order_id
    WHERE r.shop_id = ? AND r.status = ? ORDER BY r.next_due_at, r.id LIMIT ?
"""
MARKS = ", ".join("?" * 50)
PAGE_LINES = f"""
    SELECT l.request_id, l.order_line_id, l.quantity, b.product_name, b.variation_name
    FROM request_lines l JOIN order_lines b ON b.id = l.order_line_id
    WHERE l.request_id IN ({MARKS}) ORDER BY l.request_id, l.position
"""
PAGE_CLOCKS = f"""
    SELECT request_id, id, key, owed_by, due_at FROM deadlines
    WHERE request_id IN ({MARKS}) AND status = 'RUNNING' ORDER BY due_at DESC
"""
PAGE_EVENTS = f"""
    SELECT e.request_id, e.sequence, e.type, e.at, e.party FROM events e JOIN requests r ON r.id = e.request_id
    WHERE r.id IN ({MARKS}) AND e.sequence > r.sequence - 3 ORDER BY e.request_id, e.sequence DESC
"""
ONE = """
    SELECT r.id, r.number, r.status, r.version, r.attempt, r.market, r.note, r.fault, r.return_method, r.approved_by,
           r.close_reason, r.terms_id, r.created_at, r.updated_at, r.closed_at, r.kind, r.stage, r.stage_label,
           r.reason, o.id, o.number, o.state, o.placed_at, o.delivered_at, o.total, o.currency
    FROM requests r JOIN orders o ON o.id = r.order_id WHERE r.id = ?
"""
ONE_LINES = """
    SELECT l.order_line_id, l.quantity, l.refund_max, b.sku_id, b.product_name, b.variation_name, b.unit_paid
    FROM request_lines l JOIN order_lines b ON b.id = l.order_line_id WHERE l.request_id = ? ORDER BY l.position
"""
ONE_CLOCK = """
    SELECT id, key, owed_by, due_at FROM deadlines WHERE request_id = ? AND status = 'RUNNING' ORDER BY due_at LIMIT 1
"""
ONE_EVENTS = """
    SELECT sequence, type, rule, at, party, version, note FROM events
    WHERE request_id = ? ORDER BY sequence DESC LIMIT 20
"""
ONE_EVIDENCE = """
    SELECT e.id, e.kind, e.party, e.media_type, e.url, e.created_at
    FROM request_evidence l JOIN evidence e ON e.id = l.evidence_id WHERE l.request_id = ? ORDER BY l.position
"""

Answer = dict[str, Any]
Row = tuple[Any, ...]


def board(connection: sqlite3.Connection, filter: Answer, first: int) -> Answer:
    [shop], [status] = filter["shopIds"], filter["statuses"]
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    connection.execute("BEGIN")
    rows = connection.execute(PAGE, (shop, status, first + 1)).fetchall()
    page = rows[:first]
    ids = [row[0] for row in page]
    ids += [""] * (50 - len(ids))
    lines, clocks, events = (
        of_each(connection.execute(sql, ids).fetchall()) for sql in (PAGE_LINES, PAGE_CLOCKS, PAGE_EVENTS)
    )
    [[position]] = connection.execute("SELECT sequence FROM shops WHERE id = ?", (shop,)).fetchall()
    connection.execute("COMMIT")
    nodes = [listed(row, lines[row[0]], clocks[row[0]], events[row[0]], now) for row in page]
    more = len(rows) > first
    end = text64(["NEXT_DEADLINE", page[-1][18], page[-1][0]]) if page else None
    info = {"hasNextPage": more, "endCursor": end}
    return {"requests": {"nodes": nodes, "pageInfo": info, "streamCursor": text64({"e": 0, "p": {shop: position}})}}


def listed(row: Row, lines: list[Row], clocks: list[Row], events: list[Row], now: int) -> Answer:
    (
        id, number, status, version, attempt, market, note, fault, method, approved_by, close_reason, created_at,
        updated_at, kind, stage, stage_label, reason, most, _, order, order_number, order_state, currency,
    ) = row  # fmt: skip
    return {
        "id": id,
        "number": number,
        "status": status,
        "version": version,
        "attempt": attempt,
        "market": market,
        "note": note or None,
        "faultOf": fault,
        "returnMethod": method,
        "approvedBy": approved_by,
        "closeReason": close_reason,
        "createdAt": instant(created_at),
        "updatedAt": instant(updated_at),
        "kind": {"handle": kind, "label": KINDS[kind]},
        "stage": {"handle": stage, "label": stage_label},
        "reason": {"label": REASONS[reason]},
        "money": {"maximum": money(most, currency)},
        "lines": [
            {
                "id": f"{id}:{line}",
                "quantity": quantity,
                "orderLine": {"productName": product, "variationName": variation},
            }
            for _, line, quantity, product, variation in lines
        ],
        "order": {"id": order, "number": order_number, "state": order_state},
        "nextDeadline": clock_of(clocks[-1][1:], now) if clocks else None,
        "history": {
            "nodes": [
                {"id": f"ev_{id[3:]}_{sequence}", "type": type, "at": instant(at), "by": party}
                for _, sequence, type, at, party in events
            ]
        },
    }


def detail(connection: sqlite3.Connection, id: str) -> Answer:
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    connection.execute("BEGIN")
    [row] = connection.execute(ONE, (id,)).fetchall()
    lines, clocks, events, evidence = (
        connection.execute(sql, (id,)).fetchall() for sql in (ONE_LINES, ONE_CLOCK, ONE_EVENTS, ONE_EVIDENCE)
    )
    connection.execute("COMMIT")
    (
        _, number, status, version, attempt, market, note, fault, method, approved_by, close_reason, terms, created_at,
        updated_at, closed_at, kind, stage, stage_label, reason, order, order_number, state, placed_at, delivered_at,
        total, currency,
    ) = row  # fmt: skip
    return {
        "request": {
            "id": id,
            "number": number,
            "status": status,
            "version": version,
            "attempt": attempt,
            "market": market,
            "note": note or None,
            "faultOf": fault,
            "returnMethod": method,
            "approvedBy": approved_by,
            "closeReason": close_reason,
            "policyVersion": terms,
            "createdAt": instant(created_at),
            "updatedAt": instant(updated_at),
            "closedAt": instant(closed_at) if closed_at else None,
            "kind": {"handle": kind, "label": KINDS[kind]},
            "stage": {"handle": stage, "label": stage_label},
            "reason": {"handle": reason, "label": REASONS[reason]},
            "order": {
                "id": order,
                "number": order_number,
                "state": state,
                "placedAt": instant(placed_at),
                "deliveredAt": instant(delivered_at) if delivered_at else None,
                "total": money(total, currency),
            },
            "lines": [
                {
                    "id": f"{id}:{line}",
                    "quantity": quantity,
                    "refundMax": money(most, currency),
                    "orderLine": {
                        "id": line,
                        "skuId": sku,
                        "productName": product,
                        "variationName": variation,
                        "unitPaid": money(paid, currency),
                    },
                }
                for line, quantity, most, sku, product, variation, paid in lines
            ],
            "nextDeadline": clock_of(clocks[0], now) if clocks else None,
            "history": {
                "nodes": [
                    {
                        "id": f"ev_{id[3:]}_{sequence}",
                        "type": type,
                        "rule": rule or None,
                        "at": instant(at),
                        "by": party,
                        "version": at_version,
                        "note": said or None,
                    }
                    for sequence, type, rule, at, party, at_version, said in events
                ]
            },
            "evidence": {
                "nodes": [
                    {"id": file, "kind": sort, "by": party, "mediaType": media, "url": url, "createdAt": instant(at)}
                    for file, sort, party, media, url, at in evidence
                ]
            },
        }
    }


def tiny(connection: sqlite3.Connection, id: str) -> Answer:
    [row] = connection.execute("SELECT id, status FROM requests WHERE id = ?", (id,)).fetchall()
    return {"request": {"id": row[0], "status": row[1]}}


def of_each(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def clock_of(row: Row, now: int) -> Answer:
    id, key, owed_by, due_at = row
    left = due_at - now
    return {
        "id": id,
        "handle": key,
        "label": CLOCKS[key],
        "owedBy": owed_by,
        "dueAt": instant(due_at),
        "urgency": "OVERDUE" if left <= 0 else "URGENT" if left <= 6 * HOUR else "WARNING" if left <= DAY else "CALM",
    }


def instant(micros: int) -> str:
    return (EPOCH + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def money(minor: int, currency: str) -> Answer:
    digits = DIGITS[currency]
    amount = f"{minor // 10**digits}.{minor % 10**digits:0{digits}}" if digits else str(minor)
    return {"amount": amount, "currency": currency}


def text64(value: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")

"""What has been claimed of an order, from its requests' lines and its refunds."""

from collections import defaultdict
from collections.abc import Iterable, Set

from ..engine.money import from_minor
from ..engine.request import RefundStatus
from ..engine.vocabulary import Claimed, Status
from .database import Row
from .values import Digits, from_json

# Lines of requests, as `claims` reads them; append which orders.
CLAIMED_LINES = """
    SELECT r.order_id, r.id, r.status, l.order_line_id, l.quantity, l.refund_max
    FROM requests r JOIN request_lines l ON l.request_id = r.id
    WHERE r.order_id IN ({orders}) ORDER BY r.order_id, r.id, l.position
"""


def claims(
    claimed_lines: Iterable[Row],
    refunds: Iterable[Row],
    order_lines: Iterable[Row],
    currency_of: dict[str, str],
    digits: Digits,
) -> dict[str, tuple[Claimed, ...]]:
    """By order: one for each line of a request, and one for each line that the seller refunded unasked.

    Money counts from the moment it is granted. A refund that failed counts on while its request is open: it is
    tried again, and nobody may take its money meanwhile.
    """
    claimed_lines = tuple(claimed_lines)
    open_requests = {row[1] for row in claimed_lines if not Status(row[2]).final}
    granted, unasked = _granted(refunds, open_requests)
    found: dict[str, list[Claimed]] = defaultdict(list)
    for order_id, request_id, status, line, quantity, refund_max in claimed_lines:
        minor, currency = granted.get((request_id, line), 0), currency_of[order_id]
        found[order_id].append(
            Claimed(
                line, quantity, not Status(status).final, from_minor(minor, currency, digits(currency)), request_id,
                full=0 < minor >= refund_max,
            )
        )  # fmt: skip
    bought = {row[0]: (row[1], row[9], row[9] * row[10] + row[11]) for row in order_lines} if unasked else {}
    for line, minor in unasked.items():
        order_id, quantity, paid = bought[line]
        currency = currency_of[order_id]
        asked = sum(minor for (_, claimed), minor in granted.items() if claimed == line)
        full = minor + asked >= paid
        found[order_id].append(
            Claimed(line, quantity, False, from_minor(minor, currency, digits(currency)), None, full=full)
        )
    return {order_id: tuple(claimed) for order_id, claimed in found.items()}


def _granted(refunds: Iterable[Row], open_requests: Set[str]) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """Minor units by (request, order line), and by order line where no request asked."""
    granted: dict[tuple[str, str], int] = defaultdict(int)
    unasked: dict[str, int] = defaultdict(int)
    for row in refunds:
        request_id, status, lines = row[1], row[8], row[9]
        if status == RefundStatus.FAILED.value and request_id not in open_requests:
            continue
        for line, minor in from_json(lines):
            if request_id is None:
                unasked[line] += minor
            else:
                granted[request_id, line] += minor
    return granted, unasked

"""When a buyer may take a rejection to the platform (C9 and section 5)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.engine.builders import ARRIVED, HOUR, INSTANT, a_request, an_order
from tests.engine.rows import EX, RO, RR

from aftersales.engine.dispute import may_open
from aftersales.engine.request import Request
from aftersales.engine.vocabulary import ShopKind

DAY = timedelta(days=1)
MALL = an_order(shop={"kind": ShopKind.MALL})


def rejected(
    reason: str = "not_received", after: timedelta = 3 * DAY, disputes: int = 0, status: str = "NONE"
) -> Request:
    """Rejected an hour after it was asked for, so long after delivery; the buyer then has 48 hours."""
    request = a_request(RO, "rejected", order=MALL, reason=reason, at=ARRIVED + after)
    return replace(request, disputes=disputes, dispute_status=status)


# fmt: off
CASES: list[tuple[str, Callable[[], Request], datetime, list[tuple[str, str]]]] = [
    ("after the first review", rejected, ARRIVED + 4 * DAY, []),
    ("after the second", lambda: a_request(RR, "package_rejected"), ARRIVED + 4 * DAY, []),
    ("after the second, of an exchange", lambda: a_request(EX, "package_rejected"), ARRIVED + 4 * DAY, []),
    ("before any review", lambda: a_request(RO), ARRIVED + 4 * DAY, [("INVALID_STATE", "G_STATE")]),
    ("after the end", lambda: a_request(RO, "closed"), ARRIVED + 4 * DAY, [("INVALID_STATE", "G_STATE")]),
    ("an instant before the 48 hours are over", rejected, ARRIVED + 5 * DAY + HOUR - INSTANT, []),
    ("when they are over", rejected, ARRIVED + 5 * DAY + HOUR, [("DEADLINE_PASSED", "G_IN_TIME")]),
    ("while one is open", lambda: rejected(status="OPEN"), ARRIVED + 4 * DAY,
        [("TRANSFERRED_TO_PLATFORM", "G_NOT_FROZEN")]),
    ("a second", lambda: rejected(disputes=1, status="WITHDRAWN"), ARRIVED + 4 * DAY, []),
    ("a third", lambda: rejected(disputes=2, status="WITHDRAWN"), ARRIVED + 4 * DAY, [("LIMIT_REACHED", "G_DISPUTES")]),
    ("not as described, an instant before delivery + 6 days",
        lambda: rejected("not_as_described", 5 * DAY), ARRIVED + 6 * DAY - INSTANT, []),
    ("not as described, from delivery + 6 days",
        lambda: rejected("not_as_described", 5 * DAY), ARRIVED + 6 * DAY, [("WINDOW_CLOSED", "G_ACCEPTANCE")]),
    ("counterfeit, an instant before delivery + 14 days",
        lambda: rejected("counterfeit", 13 * DAY), ARRIVED + 14 * DAY - INSTANT, []),
    ("counterfeit, from delivery + 14 days",
        lambda: rejected("counterfeit", 13 * DAY), ARRIVED + 14 * DAY, [("WINDOW_CLOSED", "G_ACCEPTANCE")]),
    ("of what the table does not name, whenever", lambda: rejected("damaged", 14 * DAY), ARRIVED + 15 * DAY, []),
    ("too late in every way, and too often", lambda: rejected("not_as_described", disputes=2), ARRIVED + 7 * DAY,
        [("DEADLINE_PASSED", "G_IN_TIME"), ("LIMIT_REACHED", "G_DISPUTES"), ("WINDOW_CLOSED", "G_ACCEPTANCE")]),
]
# fmt: on


@pytest.mark.parametrize(("request_", "at", "problems"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_dispute_may_be_opened_in_time_twice_and_while_the_platform_takes_such_cases(
    request_: Callable[[], Request], at: datetime, problems: list[tuple[str, str]]
) -> None:
    found = list(may_open(request_(), at))

    assert [(problem.code, problem.guard) for problem in found] == problems
    assert all(problem.text() for problem in found)

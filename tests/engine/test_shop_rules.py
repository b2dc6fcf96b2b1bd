"""A seller's own rules (RO2): which requests meet them, which condition fails, and what cannot be one."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.engine.builders import HOUR, OPENED, a_line, an_order, kinds, opened, rp, shown, with_order

from aftersales.engine.money import Money
from aftersales.engine.reasons import REASONS as REASONS_KNOWN
from aftersales.engine.reasons import ReasonClass
from aftersales.engine.request import Request
from aftersales.engine.shop_rules import (
    MOST_VALUES,
    NAME_LIMIT,
    Conditions,
    failing,
    matches,
    misnamed,
    objections,
    stood_at,
)
from aftersales.engine.vocabulary import OrderState, Party

IN_TRANSIT, THERE = OrderState.IN_TRANSIT, frozenset({OrderState.DELIVERED})
NEVER_CAME, DAMAGED = frozenset({"not_received", "other"}), frozenset({"damaged"})
BORED = frozenset({"boredom"})
DOLLARS = Money(Decimal(999), "USD")
AUDIO, FOOD = frozenset({"audio"}), frozenset({"food"})
REASONS = frozenset(kinds()["refund_only"].reasons)


def asked(**changes: Any) -> Request:
    """Not received; 100 for one lamp of the category audio."""
    order = changes.pop("order", an_order(a_line(category="audio")))
    return opened("refund_only", order, **({"evidence": ()} | changes))


TWO_KINDS = asked(order=an_order(a_line("ol_1", category="audio"), a_line("ol_2", category="food")))
ON_ITS_WAY = asked(order=an_order(a_line(), state=IN_TRANSIT, delivered_at=None))
WAY, WAITING = frozenset({IN_TRANSIT, OrderState.AWAITING_COLLECTION}), OrderState.AWAITING_COLLECTION
DONE = with_order(asked(), state=OrderState.COMPLETED)
SHOWN = asked(evidence=(shown(),))
SHOWN_BY_SELLER = replace(asked(), evidence=(shown(by=Party.SELLER),))
THOUGHT_AGAIN = opened("return_refund", reason="no_longer_needed")

EVERYTHING = Conditions(REASONS, THERE, rp(1), AUDIO, evidence=True, change_of_mind=True)

# fmt: off
CASES: list[tuple[str, Conditions, Request, str]] = [
    # what                           must hold                            of               fails
    ("nothing asked",               Conditions(),                        asked(),         ""),
    ("one of the reasons",          Conditions(reasons=NEVER_CAME),      asked(),         ""),
    ("another reason",              Conditions(reasons=DAMAGED),         asked(),         "reasons"),
    ("where the order stands",      Conditions(order_states=THERE),      asked(),         ""),
    ("where it does not",           Conditions(order_states=THERE),      ON_ITS_WAY,      "orderStates"),
    ("as much as may be",           Conditions(maximum=rp(100)),         asked(),         ""),
    ("more than may be",            Conditions(maximum=rp(99)),          asked(),         "maximum"),
    ("so much in another currency", Conditions(maximum=DOLLARS),         asked(),         "maximum"),
    ("the category",                Conditions(categories=AUDIO),        asked(),         ""),
    ("another category",            Conditions(categories=FOOD),         asked(),         "categories"),
    ("no category",                 Conditions(categories=FOOD),         ON_ITS_WAY,      "categories"),
    ("a category of only some",     Conditions(categories=AUDIO),        TWO_KINDS,       "categories"),
    ("one of the categories each",  Conditions(categories=AUDIO | FOOD), TWO_KINDS,       ""),
    ("something shown",             Conditions(evidence=True),           SHOWN,           ""),
    ("nothing shown",               Conditions(evidence=True),           asked(),         "evidence"),
    ("nothing shown by the buyer",  Conditions(evidence=True),           SHOWN_BY_SELLER, "evidence"),
    ("a change of mind, left out",  Conditions(),                        THOUGHT_AGAIN,   "changeOfMind"),
    ("a change of mind, let in",    Conditions(change_of_mind=True),     THOUGHT_AGAIN,   ""),
    ("all that fails",
        Conditions(maximum=rp(1), categories=FOOD, evidence=True), asked(), "maximum categories evidence"),
]
LONG, MANY = "x" * (NAME_LIMIT + 1), frozenset(map(str, range(MOST_VALUES + 1)))
NO: list[tuple[str, Conditions, int | None, list[str]]] = [
    # what                            conditions                                     decimals where
    ("all that may be",              EVERYTHING,                                    0,    []),
    ("a reason of another kind",     Conditions(reasons=frozenset({"wrong_size"})), None, ["reasons"]),
    ("as many categories as may be", Conditions(categories=MANY - {"0"}),           None, []),
    ("too many categories",          Conditions(categories=MANY),                   None, ["categories"]),
    ("a long category",              Conditions(categories=frozenset({LONG})),      None, ["categories"]),
    ("nothing at most",              Conditions(maximum=rp(0)),                     0,    ["maximum"]),
    ("a part of a rupiah",           Conditions(maximum=rp("0.5")),                 0,    ["maximum"]),
    ("a currency that there is not", Conditions(maximum=Money(Decimal(1), "XYZ")),  None, ["maximum"]),
    ("all at once",                  Conditions(BORED, maximum=rp(0)),              0,    ["reasons", "maximum"]),
]
# fmt: on


@pytest.mark.parametrize(("conditions", "request_", "names"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_rule_matches_when_nothing_fails(conditions: Conditions, request_: Request, names: str) -> None:
    """RO2."""
    assert list(failing(conditions, request_)) == names.split()
    assert matches(conditions, request_) is not bool(names)


@pytest.mark.parametrize(("conditions", "digits", "where"), [row[1:] for row in NO], ids=[row[0] for row in NO])
def test_conditions_that_cannot_be_are_told_by_their_place(
    conditions: Conditions, digits: int | None, where: list[str]
) -> None:
    found = list(objections(conditions, REASONS, digits))

    assert [problem.field for problem in found] == [f"conditions.{field}" for field in where]
    assert {problem.code for problem in found} <= {"INVALID_INPUT"}


CAME_SINCE = with_order(ON_ITS_WAY, state=OrderState.DELIVERED, delivered_at=OPENED + HOUR)
NOT_COLLECTED = with_order(ON_ITS_WAY, state=WAITING)
CAME_SOMETIME, LATE_SOMETIME = (
    with_order(asked(), delivered_at=None),
    with_order(ON_ITS_WAY, state=OrderState.COMPLETED),
)


def test_a_change_of_mind_by_a_reason_of_a_kinds_own_is_one_too() -> None:
    own = {"not_received": replace(REASONS_KNOWN["not_received"], kind=ReasonClass.CHANGE_OF_MIND)}

    assert list(failing(Conditions(), asked(), own)) == ["changeOfMind"]


# fmt: off
STOOD: list[tuple[str, Request, frozenset[OrderState]]] = [
    # what                          request        where its order stood
    ("delivered before",           DONE,          THERE),
    ("delivered since",            CAME_SINCE,    WAY),
    ("still on its way",           ON_ITS_WAY,    WAY),
    ("not collected yet",          NOT_COLLECTED, frozenset({WAITING})),
    ("come, and nobody said when", CAME_SOMETIME, THERE),
    ("late, and nobody said when", LATE_SOMETIME, WAY),
]
# fmt: on


@pytest.mark.parametrize(("request_", "stood"), [row[1:] for row in STOOD], ids=[row[0] for row in STOOD])
def test_a_rule_that_is_tried_is_judged_by_the_order_as_it_stood(
    request_: Request, stood: frozenset[OrderState]
) -> None:
    assert stood_at(request_) == stood


def test_an_order_that_was_completed_since_was_claimed_when_it_was_delivered() -> None:
    delivered, on_its_way = Conditions(order_states=THERE), Conditions(order_states=WAY)

    assert list(failing(delivered, DONE)) == ["orderStates"]
    assert list(failing(delivered, DONE, stood=stood_at(DONE))) == []
    assert list(failing(on_its_way, DONE, stood=stood_at(DONE))) == ["orderStates"]


def test_however_many_reasons_are_unknown_not_all_are_told() -> None:
    found = list(objections(Conditions(reasons=frozenset(map(str, range(1000)))), REASONS, None))

    assert len(found) == 1 + MOST_VALUES


@pytest.mark.parametrize(
    ("name", "wrong"), [("", True), ("  ", True), ("A", False), ("x" * NAME_LIMIT, False), (LONG, True)]
)
def test_a_rule_has_a_name(name: str, wrong: bool) -> None:
    assert [problem.field for problem in misnamed(name)] == ["name"] * wrong

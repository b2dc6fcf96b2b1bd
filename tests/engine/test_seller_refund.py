"""What a seller may give back unasked (section 10; case 13), as a table."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.engine.builders import AGENT, APP, BUYER, OPENED, SELLER, a_line, an_order, claimed, rp, staff

from aftersales.engine.money import Money
from aftersales.engine.refusal import Refused
from aftersales.engine.seller_refund import REASONS_TO_REFUND, RefundLine, SellerRefund, Wish, refund_unasked
from aftersales.engine.vocabulary import Actor, Order, OrderState

ONE = an_order(a_line(unit=100))
TWO = an_order(a_line("ol_1", unit=100), a_line("ol_2", unit=50))
# together the lines were paid more than the order: it was refunded in part for what no line names
DISCOUNTED = replace(TWO, total=rp(120))
LONG = "x" * 501


def given(order: Order = ONE, *amounts: int | str | Money | None, **said: Any) -> SellerRefund:
    """So much of the first line, the second …; None: all that is left."""
    lines = tuple(
        RefundLine(f"ol_{place}", rp(amount) if isinstance(amount, int | str) else amount)
        for place, amount in enumerate(amounts, start=1)
    )
    usual: dict[str, Any] = {"lines": lines, "reason": "goodwill", "note": "", "actor": SELLER} | said
    return refund_unasked(Wish("rf_1", order, at=OPENED, **usual))


def refused(order: Order = ONE, *amounts: int | str | Money | None, **said: Any) -> str:
    """Code and path of every problem."""
    with pytest.raises(Refused) as no:
        given(order, *amounts, **said)
    return ", ".join(f"{problem.code} {problem.field}" for problem in no.value.problems)


GIVEN_40 = replace(ONE, claims=(claimed(by=None, money=40),))
BROUGHT_40 = replace(ONE, claims=(claimed(money=40),))
ASKED_FOR = replace(ONE, claims=(claimed(active=True),))
GONE = replace(ONE, claims=(claimed(by=None, money=100, full=True),))
MUCH, WRONG = "AMOUNT_EXCEEDED", "INVALID_INPUT"
USD = Money(Decimal(1), "USD")
HALVED, COMPLETED = replace(TWO, total=rp(75)), replace(ONE, state=OrderState.COMPLETED)
TWICE = (RefundLine("ol_1", rp(1)),) * 2

# fmt: off
GIVEN: list[tuple[str, Order, tuple[int | None, ...], list[int]]] = [
    #  what                                      of          so much       what comes of it
    ("what is named",                            ONE,        (40,),        [40]),
    ("all",                                      ONE,        (None,),      [100]),
    ("the rest of what was given unasked",       GIVEN_40,   (None,),      [60]),
    ("the rest of what a request brought",       BROUGHT_40, (None,),      [60]),
    ("beside what is only asked for",            ASKED_FOR,  (None,),      [100]),
    ("all of several",                           TWO,        (None, None), [100, 50]),
    ("all, within what is left of the order",    DISCOUNTED, (None, None), [100, 20]),
    ("the rest, beside what is named",           DISCOUNTED, (None, 50),   [70, 50]),
]
NO: list[tuple[str, Order, tuple[Any, ...], str, dict[str, Any]]] = [
    # what                       of          so much     what is wrong                    and says
    ("nothing",                  ONE,        (0,),       f"{MUCH} lines.0.amount",        {}),
    ("less than nothing",        ONE,        (-1,),      f"{MUCH} lines.0.amount",        {}),
    ("more than was paid",       ONE,        (101,),     f"{MUCH} lines.0.amount",        {}),
    ("a part of a rupiah",       ONE,        ("0.5",),   f"{WRONG} lines.0.amount",       {}),
    ("dollars",                  ONE,        (USD,),     f"{WRONG} lines.0.amount",       {}),
    ("no line",                  ONE,        (),         f"{WRONG} lines",                {}),
    ("a line that is not there", ONE,        (1, 1),     "NOT_FOUND lines.1.orderLineId", {}),
    ("a line twice",             ONE,        (),         f"{WRONG} lines.1.orderLineId",  {"lines": TWICE}),
    ("what is gone",             GONE,       (None,),    f"{MUCH} lines.0.amount",        {}),
    ("more than the order",      DISCOUNTED, (100, 50),  f"{MUCH} lines",                 {}),
    ("what the others take",     HALVED,     (75, None), f"{MUCH} lines.1.amount",        {}),
    ("for no reason",            ONE,        (1,),       "REASON_NOT_ALLOWED reason",     {"reason": "because"}),
    ("for another, silently",    ONE,        (1,),       "NOTE_REQUIRED note",            {"reason": "other"}),
    ("with too many words",      ONE,        (1,),       f"{WRONG} note",                 {"note": LONG}),
    ("above a limit, and for no reason", ONE, (60,),
        "REASON_NOT_ALLOWED reason, FORBIDDEN lines", {"reason": "because", "actor": staff("refund:50")}),
    ("all at once", COMPLETED, (101,),
        "INELIGIBLE orderId, REASON_NOT_ALLOWED reason, INVALID_INPUT note, AMOUNT_EXCEEDED lines.0.amount",
        {"reason": "because", "note": LONG}),
]
# fmt: on


@pytest.mark.parametrize(("order", "amounts", "shares"), [row[1:] for row in GIVEN], ids=[row[0] for row in GIVEN])
def test_what_is_given_is_within_what_is_left(order: Order, amounts: tuple[int | None, ...], shares: list[int]) -> None:
    refund = given(order, *amounts)

    assert [share for _, share in refund.lines] == [rp(share) for share in shares]
    assert refund.amount == rp(sum(shares))


@pytest.mark.parametrize(("order", "amounts", "problems", "said"), [row[1:] for row in NO], ids=[row[0] for row in NO])
def test_what_cannot_be_given_is_told_with_all_that_is_wrong(
    order: Order, amounts: tuple[Any, ...], problems: str, said: dict[str, Any]
) -> None:
    assert refused(order, *amounts, **said) == problems


@pytest.mark.parametrize("state", OrderState)
def test_only_what_was_shipped_and_is_not_done_with_is_refunded_unasked(state: OrderState) -> None:
    """Rulebook 7, offering refunds: In-Transit or Delivered."""
    order = replace(ONE, state=state)

    if state in (OrderState.IN_TRANSIT, OrderState.DELIVERED):
        assert given(order, 1).amount == rp(1)
    else:
        assert refused(order, 1) == "INELIGIBLE orderId"


@pytest.mark.parametrize("reason", REASONS_TO_REFUND)
def test_each_reason_is_taken_with_words(reason: str) -> None:
    assert given(ONE, 1, reason=reason, note=" Sorry. ").note == "Sorry."


# fmt: off
#   who                                          100 may be given
MAY = {
    "the owner":                    (SELLER,                                   True),
    "staff":                        (staff("refund"),                          True),
    "staff up to more":             (staff("refund:101"),                      True),
    "staff up to as much":          (staff("refund:100"),                      True),
    "staff up to less":             (staff("refund:99"),                       False),
    "staff with the higher of two": (staff("refund:1", "refund:100"),          True),
    "staff, whatever the limit":    (staff("refund:1", "refund"),              True),
    "staff up to a fraction more":  (staff("refund:100.5"),                    True),
    "staff up to nonsense":         (staff("refund:1e9"),                      False),
    "staff up to nothing said":     (staff("refund:"),                         False),
    "staff up to less than nothing": (staff("refund:-100"),                    False),
    "staff up to other digits":     (staff("refund:\u0661\u0660\u0660"),       False),
    "staff who may do else":        (staff("review", "settings", "refunds:9"), False),
    "an app":                       (replace(APP, grants=frozenset({"refund"})), True),
    "an app up to less":            (replace(APP, grants=frozenset({"refund:1"})), False),
    "an app without the scope":     (replace(APP, grants=frozenset({"review"})), False),
    "the platform":                 (replace(AGENT, grants=frozenset({"*"})),  False),
    "the buyer":                    (BUYER,                                    False),
}
# fmt: on


@pytest.mark.parametrize(("actor", "may"), MAY.values(), ids=MAY)
def test_sellers_and_their_apps_refund_within_their_grant(actor: Actor, may: bool) -> None:
    """Section 11: seller-initiated refund."""
    if may:
        assert (given(ONE, 100, actor=actor).by, given(ONE, 100, actor=actor).actor_id) == (actor.party, actor.id)
    else:
        assert refused(ONE, 100, actor=actor).split()[0] == "FORBIDDEN"

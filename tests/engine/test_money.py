"""Money is exact, never mixes currencies, and its shares always add up."""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aftersales.engine.money import (
    Money,
    cap,
    from_minor,
    line_maximum,
    quantize,
    shares,
    shipping_shares,
    to_minor,
)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def idr(amount: int) -> Money:
    return Money(Decimal(amount), "IDR")


def test_one_currency_adds_subtracts_and_compares() -> None:
    assert usd("10.10") + usd("0.20") == usd("10.30")
    assert usd("10.10") - usd("10.20") == usd("-0.10")
    assert sum([usd("1"), usd("2")], Money.zero("USD")) == sum([usd("1"), usd("2")]) == usd("3")
    assert usd("1") < usd("2") <= usd("2.00") > usd("1") >= usd("1")
    assert usd("0.01")
    assert not Money.zero("USD")
    assert str(usd("1E+3")) == "1000 USD"


@pytest.mark.parametrize("mix", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge])
def test_two_currencies_never_mix(mix: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(ValueError, match="USD and IDR do not mix"):
        mix(usd("1"), idr(1))


def test_the_same_number_in_two_currencies_is_not_equal() -> None:
    assert usd("1") != idr(1)
    assert usd("1") == usd("1.00")


@pytest.mark.parametrize(
    ("amount", "digits", "rounded"),
    [
        ("1.005", 2, "1.01"),
        ("1.004", 2, "1.00"),
        ("-1.005", 2, "-1.01"),
        ("2.5", 0, "3"),
        ("3.5", 0, "4"),
        ("1", 3, "1.000"),
    ],
)
def test_half_a_unit_rounds_away_from_zero(amount: str, digits: int, rounded: str) -> None:
    assert str(quantize(Decimal(amount), digits)) == rounded


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 4))
def test_minor_units_survive_the_way_there_and_back(minor: int, digits: int) -> None:
    assert to_minor(from_minor(minor, "USD", digits), digits) == minor


@pytest.mark.parametrize("amount", ["0.001", "1.999", "NaN", "Infinity", "12345678901234567890123456789012.001"])
def test_what_is_not_in_minor_units_is_refused_not_rounded(amount: str) -> None:
    with pytest.raises(ValueError, match=r"decimals|is not an amount"):
        to_minor(usd(amount), 2)


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        ("100", [1, 1, 1], ["33.33", "33.33", "33.34"]),
        ("200", [1, 1, 1], ["66.67", "66.67", "66.66"]),
        ("10", [3, 1], ["7.50", "2.50"]),
        ("10", [Decimal("0.5"), Decimal("1.5")], ["2.50", "7.50"]),
        # the remainder never falls on a line of no weight
        ("0.05", [1, 1, 0], ["0.03", "0.02", "0.00"]),
        ("0.10", [0, 1, 1, 1, 0], ["0.00", "0.03", "0.03", "0.04", "0.00"]),
        # more halves round up than there is money
        ("0.02", [1, 1, 1, 1], ["0.01", "0.01", "0.00", "0.00"]),
        ("9", [0, 0, 0], ["3.00", "3.00", "3.00"]),
        ("0", [], []),
        ("0", [0, 5], ["0.00", "0.00"]),
    ],
)
def test_shares_go_by_weight_and_the_last_takes_the_remainder(
    total: str, weights: list[int | Decimal], expected: list[str]
) -> None:
    assert [str(share.amount) for share in shares(usd(total), weights, 2)] == expected


WEIGHTS = st.lists(st.integers(0, 10**9) | st.decimals(0, 10**9, places=2), min_size=1, max_size=12)


@given(st.integers(0, 10**15), WEIGHTS, st.integers(0, 3))
def test_shares_sum_to_the_total_and_none_is_negative(minor: int, weights: list[int | Decimal], digits: int) -> None:
    total = from_minor(minor, "XXX", digits)

    divided = shares(total, weights, digits)

    assert sum(to_minor(share, digits) for share in divided) == minor
    assert all(share >= Money.zero("XXX") for share in divided)


@given(st.integers(0, 10**15), WEIGHTS)
def test_a_line_of_no_weight_gets_nothing(minor: int, weights: list[int | Decimal]) -> None:
    assume(any(weights))

    divided = shares(from_minor(minor, "XXX", 0), weights, 0)

    assert not any(share for share, weight in zip(divided, weights, strict=True) if not weight)


@pytest.mark.parametrize(("total", "weights"), [("-1", [1]), ("1", [1, -1]), ("1", []), ("0.001", [1])])
def test_what_cannot_be_shared_is_refused(total: str, weights: list[int | Decimal]) -> None:
    with pytest.raises(ValueError, match=r"shared|decimals"):
        shares(usd(total), weights, 2)


@pytest.mark.parametrize(
    ("whole_order", "buyers_fault", "expected"),
    [(True, False, [6000, 3000]), (False, False, [0, 0]), (True, True, [0, 0])],
)
def test_shipping_comes_back_for_a_whole_order_that_is_not_the_buyers_fault(
    whole_order: bool, buyers_fault: bool, expected: list[int]
) -> None:
    found = shipping_shares(idr(9000), [2, 1], 0, whole_order=whole_order, buyers_fault=buyers_fault)

    assert found == tuple(idr(amount) for amount in expected)


@pytest.mark.parametrize(
    ("quantity", "bought", "tax", "shipping", "expected"),
    [
        (1, 1, "0", None, "19.99"),
        (3, 3, "5.00", "4.00", "68.97"),
        (2, 3, "5.00", None, "43.31"),
        (1, 3, "5.00", None, "21.66"),
    ],
)
def test_a_line_brings_back_price_and_tax_of_its_units_and_its_share_of_shipping(
    quantity: int, bought: int, tax: str, shipping: str | None, expected: str
) -> None:
    most = line_maximum(
        usd("19.99"),
        quantity,
        bought=bought,
        tax=usd(tax),
        shipping=usd(shipping) if shipping else None,
        digits=2,
    )

    assert most == usd(expected)


@pytest.mark.parametrize("quantity", [0, 4])
def test_no_more_units_than_were_bought_have_a_maximum(quantity: int) -> None:
    with pytest.raises(ValueError, match="of 3 units"):
        line_maximum(usd("1"), quantity, bought=3, tax=usd("0"), digits=2)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 20))
def test_unit_by_unit_under_the_cap_never_brings_more_than_the_whole_line(unit: int, tax: int, bought: int) -> None:
    whole = line_maximum(idr(unit), bought, bought=bought, tax=idr(tax), digits=0)

    refunded = Money.zero("IDR")
    for _ in range(bought):
        one = line_maximum(idr(unit), 1, bought=bought, tax=idr(tax), digits=0)
        refunded += min(one, cap(whole, refunded))

    assert refunded <= whole == idr(unit * bought + tax)


def test_the_cap_is_what_is_left_and_never_below_zero() -> None:
    # worked case 13: 40 of 100 refunded unasked
    assert cap(idr(100), idr(40)) == idr(60)
    assert cap(idr(100), idr(100)) == cap(idr(100), idr(101)) == Money.zero("IDR")

"""Exact money: sums in one currency, shares that always add up, and the most a line may be refunded."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import lcm


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in one currency; two currencies never mix. May be below zero, as a difference."""

    amount: Decimal
    currency: str

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(Decimal(0), currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __radd__(self, other: int) -> "Money":
        # sum() starts at the number 0
        return self if other == 0 else NotImplemented

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def _same(self, other: "Money") -> Decimal:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.amount


def quantize(amount: Decimal, digits: int) -> Decimal:
    """Rounded to the minor unit, half a unit away from zero."""
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def from_minor(minor: int, currency: str, digits: int) -> Money:
    return Money(Decimal(minor).scaleb(-digits), currency)


def to_minor(money: Money, digits: int) -> int:
    """
    Raises:
        ValueError: the amount has more decimals than the currency, or is no number.
    """
    if not money.amount.is_finite():
        raise ValueError(f"{money} is not an amount")
    # as a ratio, because Decimal would round a very long amount unasked
    above, below = money.amount.as_integer_ratio()
    scale: int = 10**digits
    minor, rest = divmod(above * scale, below)
    if rest:
        raise ValueError(f"{money} has more than {digits} decimals")
    return minor


def shares(total: Money, weights: Sequence[int | Decimal], digits: int) -> tuple[Money, ...]:
    """Divide by weight, rounded to minor units; the last line that has a weight takes the remainder.

    Where nothing has a weight, all weigh the same.

    Returns:
        One share for each weight. They sum to the total and none is below zero.

    Raises:
        ValueError: the total or a weight is below zero, the total is not in minor units, or there
            is money but nobody to share it.
    """
    left = to_minor(total, digits)
    if left < 0 or any(weight < 0 for weight in weights) or (left and not weights):
        raise ValueError(f"{total} cannot be shared by {list(weights)}")
    divided = _minor_shares(left, _whole(weights))
    return tuple(from_minor(minor, total.currency, digits) for minor in divided)


def shipping_shares(
    shipping: Money, weights: Sequence[int | Decimal], digits: int, *, whole_order: bool, buyers_fault: bool
) -> tuple[Money, ...]:
    """Each line's part of the shipping: nothing unless all is claimed and the fault is not the buyer's."""
    if shipping and whole_order and not buyers_fault:
        return shares(shipping, weights, digits)
    return (Money.zero(shipping.currency),) * len(weights)


def line_maximum(
    unit_paid: Money, quantity: int, *, bought: int, tax: Money, shipping: Money | None = None, digits: int
) -> Money:
    """The refund_max of a line: price and tax of the units claimed, and its share of the shipping.

    Args:
        bought: units on the line of the order; `tax` is the tax of them all.
        shipping: this line's part of `shipping_shares`; None: nothing.
    """
    if not 0 < quantity <= bought:
        raise ValueError(f"{quantity} of {bought} units")
    price = Money(quantize(unit_paid.amount * quantity, digits), unit_paid.currency)
    taxed = Money(quantize(tax.amount * quantity / bought, digits), tax.currency)
    return price + taxed + (shipping or Money.zero(unit_paid.currency))


def cap(line_paid: Money, already_refunded: Money) -> Money:
    """What may still be refunded of a line, or of an order, by the same rule: never below zero."""
    return max(line_paid - already_refunded, Money.zero(line_paid.currency))


def _whole(weights: Sequence[int | Decimal]) -> list[int]:
    """The same proportions in whole numbers: exact, and a tenth of the time that fractions take."""
    if not any(weights):
        return [1] * len(weights)
    ratios = [weight.as_integer_ratio() for weight in weights]
    scale = lcm(*(below for _, below in ratios))
    return [above * (scale // below) for above, below in ratios]


def _minor_shares(total: int, weights: Sequence[int]) -> list[int]:
    whole, left, divided = sum(weights), total, []
    for weight in weights:
        # rounded, halves up; so the early lines together could ask for more than there is
        share = min((2 * total * weight + whole) // (2 * whole), left)
        divided.append(share)
        left -= share
    if left:
        divided[max(index for index, weight in enumerate(weights) if weight)] += left
    return divided

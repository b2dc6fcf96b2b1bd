"""What a test holds in its own hands: the time, the money, and the goods."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ..engine.money import Money
from ..engine.vocabulary import Shop, Variation
from ..hookspecs import Payment, PaymentOutcome, RefundGateway, Stock, hookimpl

# A Wednesday morning in Jakarta, with no holiday near.
MORNING = datetime(2025, 3, 5, 3, tzinfo=UTC)


class FakeClock:
    """Stands still until it is told otherwise."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()

    def advance(self, **span: float) -> datetime:
        """`advance(hours=2)`. Nothing is done about it until the tender looks."""
        self.now += timedelta(**span)
        return self.now


class Shelf:
    """A stock that has what it is given, and remembers what is held back. Steps back where a plugin keeps stock.

    Args:
        there: the variations, by SKU; in the beginning five of one that may take the place of `house.line()`.
        silent: it does not answer.
    """

    def __init__(self, *there: Variation) -> None:
        other = Variation("sku_1b", "", "Headset, white", Money(Decimal(100_000), "IDR"), 5)
        self.there = {variation.sku_id: variation for variation in (there or (other,))}
        self.held: dict[str, tuple[tuple[str, int], ...]] = {}
        self.let_go: list[str] = []
        self.silent = False

    @hookimpl(trylast=True)
    def aftersales_stock(self, shop: Shop) -> Stock:
        return self

    async def look(self, sku_ids: Sequence[str]) -> Mapping[str, Variation]:
        self._answer()
        return {
            sku_id: replace(self.there[sku_id], available=self._left(sku_id))
            for sku_id in sku_ids
            if sku_id in self.there
        }

    async def reserve(self, reservation_id: str, items: Sequence[tuple[str, int]]) -> bool:
        self._answer()
        if reservation_id not in self.held and all(self._left(sku_id) >= units for sku_id, units in items):
            self.held[reservation_id] = tuple(items)
        return reservation_id in self.held

    async def release(self, reservation_id: str) -> None:
        self._answer()
        self.let_go.append(reservation_id)
        self.held.pop(reservation_id, None)

    def _left(self, sku_id: str) -> int:
        taken = sum(units for items in self.held.values() for sku, units in items if sku == sku_id)
        return self.there[sku_id].available - taken if sku_id in self.there else 0

    def _answer(self) -> None:
        if self.silent:
            raise ConnectionError("the warehouse does not answer")


class Bank:
    """A gateway that pays, or answers as it is told to, and remembers what it was asked.

    Args:
        answers: what it says to the next payments, in turn; then it pays. An exception is raised.
    """

    def __init__(self, *answers: PaymentOutcome | Exception) -> None:
        self.answers = deque(answers)
        self.asked: list[Payment] = []
        self.looked_up: list[str] = []
        self.paid: dict[str, Payment] = {}

    @hookimpl
    def aftersales_refund_gateway(self, shop: Shop) -> RefundGateway:
        return self

    async def pay(self, payment: Payment) -> PaymentOutcome:
        self.asked.append(payment)
        answer = self.answers.popleft() if self.answers else PaymentOutcome.PAID
        if isinstance(answer, Exception):
            raise answer
        if answer is PaymentOutcome.PAID:
            self.paid[payment.id] = payment
        return answer

    async def find(self, payment_id: str) -> PaymentOutcome:
        self.looked_up.append(payment_id)
        return PaymentOutcome.PAID if payment_id in self.paid else PaymentOutcome.FAILED

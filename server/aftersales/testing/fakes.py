"""What a test holds in its own hands: the time, and the money."""

from collections import deque
from datetime import UTC, datetime, timedelta

from ..engine.vocabulary import Shop
from ..hookspecs import Payment, PaymentOutcome, RefundGateway, hookimpl

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

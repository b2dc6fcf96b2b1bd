"""The demo's plugin: a provider that pays at once and keeps its own book, and a stock that never runs out."""

from collections.abc import Mapping, Sequence

from ..engine.vocabulary import Shop, Variation
from ..hookspecs import Payment, PaymentOutcome, RefundGateway, Stock, hookimpl
from ..registry import Plugin
from ..store.database import Database, Statement
from .catalog import VARIATIONS

BOOK = """
    CREATE TABLE IF NOT EXISTS payments (
        id TEXT PRIMARY KEY, request_id TEXT, buyer_id TEXT NOT NULL,
        amount TEXT NOT NULL, currency TEXT NOT NULL, asked BIGINT NOT NULL
    )
"""


class DemoGateway:
    """Pays each payment id once, however often it is asked; `asked` in its book counts.

    Args:
        book: a database of its own, as a provider's is: were it ours, what one knows the other would, and a payment
            whose answer was lost could never be told from one that was not made.
        refuses: buyers whose bank takes no money.
    """

    def __init__(self, book: Database, refuses: frozenset[str] = frozenset()) -> None:
        self._book = book
        self._refuses = refuses

    @classmethod
    async def open(cls, book: Database, refuses: frozenset[str] = frozenset()) -> "DemoGateway":
        await book.write(Statement(BOOK))
        return cls(book, refuses)

    async def pay(self, payment: Payment) -> PaymentOutcome:
        if payment.buyer_id in self._refuses:
            return PaymentOutcome.FAILED
        amount = payment.amount
        await self._book.write(
            Statement(
                "INSERT INTO payments VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (id) DO UPDATE SET asked = asked + 1",
                (payment.id, payment.request_id, payment.buyer_id, str(amount.amount), amount.currency),
            )
        )
        return PaymentOutcome.PAID

    async def find(self, payment_id: str) -> PaymentOutcome:
        [rows] = await self._book.read(Statement("SELECT 1 FROM payments WHERE id = ?", (payment_id,)))
        return PaymentOutcome.PAID if rows else PaymentOutcome.FAILED

    async def close(self) -> None:
        await self._book.close()


class DemoStock:
    """Has all that the stalls sell, and one more colour of each, always."""

    async def look(self, sku_ids: Sequence[str]) -> Mapping[str, Variation]:
        return {sku_id: VARIATIONS[sku_id] for sku_id in sku_ids if sku_id in VARIATIONS}

    async def reserve(self, reservation_id: str, items: Sequence[tuple[str, int]]) -> bool:
        return all(sku_id in VARIATIONS for sku_id, _ in items)

    async def release(self, reservation_id: str) -> None:
        return None


class DemoPlugin:
    """Steps back where an installed plugin pays or keeps stock."""

    def __init__(self, gateway: DemoGateway) -> None:
        self._gateway = gateway
        self._stock = DemoStock()

    @hookimpl(trylast=True)
    def aftersales_refund_gateway(self, shop: Shop) -> RefundGateway:
        return self._gateway

    @hookimpl(trylast=True)
    def aftersales_stock(self, shop: Shop) -> Stock:
        return self._stock


def demo_plugin(gateway: DemoGateway) -> Plugin:
    return Plugin("demo", "1.0.0", DemoPlugin(gateway))

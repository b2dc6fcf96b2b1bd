"""The demo's provider pays each refund once, and remembers it."""

from decimal import Decimal
from pathlib import Path

from aftersales.demo.gateway import DemoGateway
from aftersales.engine.money import Money
from aftersales.hookspecs import Payment, PaymentOutcome
from aftersales.store.database import Statement
from aftersales.store.urls import open_database

PAYMENT = Payment("rf_1", "rq_1", "581", "sh_mawar", "by_dewi", Money(Decimal(98_000), "IDR"))


async def test_a_payment_asked_for_again_is_paid_once(tmp_path: Path) -> None:
    book = await open_database(f"sqlite://{tmp_path / 'book.sqlite3'}")
    gateway = await DemoGateway.open(book)

    outcomes = [await gateway.pay(PAYMENT) for _ in range(3)]

    assert outcomes == [PaymentOutcome.PAID] * 3
    assert await book.read(Statement("SELECT id, amount, asked FROM payments")) == [[("rf_1", "98000", 3)]]
    await gateway.close()


async def test_what_was_paid_is_known_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'book.sqlite3'}"
    gateway = await DemoGateway.open(await open_database(url))
    assert await gateway.find("rf_1") is PaymentOutcome.FAILED
    await gateway.pay(PAYMENT)
    await gateway.close()

    again = await DemoGateway.open(await open_database(url))

    assert await again.find("rf_1") is PaymentOutcome.PAID
    await again.close()


async def test_a_bank_that_takes_no_money_is_not_paid(tmp_path: Path) -> None:
    book = await open_database(f"sqlite://{tmp_path / 'book.sqlite3'}")
    gateway = await DemoGateway.open(book, frozenset({"by_dewi"}))

    assert await gateway.pay(PAYMENT) is PaymentOutcome.FAILED
    assert await gateway.find("rf_1") is PaymentOutcome.FAILED
    await gateway.close()

"""Money and units of one order, claimed and granted by many at once: never more than was bought and paid."""

import asyncio
from decimal import Decimal

from tests.desk.acts import act, claim, codes, opened
from tests.desk.conftest import Another

from aftersales.engine.request import Request
from aftersales.testing import Home
from aftersales.testing.house import BUYER, idr, line

ROUNDS = 20


async def test_units_are_claimed_once_however_many_claim_them_at_once(home: Home, server: Another) -> None:
    """G_ACTIVE."""
    async with server() as other:
        for round in range(ROUNDS):
            order = await home.order(line(3), number=f"R{round}")

            outcomes = await asyncio.gather(
                *(
                    codes(each.running.desk.open("refund_only", BUYER, claim(order)))
                    for each in (home, other) * 4
                )
            )  # fmt: skip

            assert sorted(outcomes) == [[]] * 3 + [["DUPLICATE"]] * 5


async def test_what_one_act_took_of_the_order_another_no_longer_finds(home: Home) -> None:
    """Section 10: both were promised 100,000 of the 150,000 paid; the second to be granted finds the rest."""
    for round in range(ROUNDS):
        both = await promised_too_much(home, round)

        granted = await asyncio.gather(*(act(home, request, "approve", expected=1) for request in both))

        assert sorted(amount(request) for request in granted) == [Decimal(50_000), Decimal(100_000)]


async def test_whoever_names_an_amount_that_is_gone_by_then_is_told_what_is_left(home: Home) -> None:
    """G_AMOUNT."""
    for round in range(ROUNDS):
        both = await promised_too_much(home, round)

        outcomes = await asyncio.gather(
            *(codes(act(home, request, "approve", expected=1, given={"amount": idr(100_000)})) for request in both)
        )

        assert sorted(outcomes) == [[], ["AMOUNT_EXCEEDED"]]


async def test_silence_about_many_requests_of_one_order_refunds_no_more_than_was_paid(
    home: Home, server: Another
) -> None:
    async with server() as other:
        order = await home.order(*(line(sku_id=f"sku_{n}") for n in range(4)), total=250_000)
        requests = [await opened(home, order, line=n) for n in range(4)]

        home.clock.advance(days=2)
        await asyncio.gather(home.running.tender.tend(), other.running.tender.tend())
        await home.running.tender.tend()

        amounts = sorted([amount(await home.request(request.id)) for request in requests])
        assert amounts == [Decimal(0), Decimal(50_000), Decimal(100_000), Decimal(100_000)]
        assert sum(payment.amount.amount for payment in home.bank.paid.values()) == 250_000


async def test_a_claim_made_while_another_is_granted_can_bring_no_more_than_is_left(home: Home) -> None:
    for round in range(ROUNDS):
        order = await home.order(line(), line(sku_id="sku_2"), number=f"R{round}", total=150_000)
        first = await opened(home, order)

        _, second = await asyncio.gather(act(home, first, "approve"), opened(home, order, line=1))
        granted = await act(home, second, "approve")

        assert amount(granted) == Decimal(50_000)


async def promised_too_much(home: Home, round: int) -> list[Request]:
    order = await home.order(line(), line(sku_id="sku_2"), number=f"R{round}", total=150_000)
    return [await opened(home, order, line=n) for n in range(2)]


def amount(request: Request) -> Decimal:
    assert request.refund_approved is not None
    return request.refund_approved.amount

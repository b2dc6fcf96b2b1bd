"""Refunds that a seller makes unasked: within what was paid, paid once, seen through like any other."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.desk.acts import claim, codes, key
from tests.desk.test_refunds import Forgetful, Silent, tries

from aftersales.desk import Done, Refunded
from aftersales.engine.money import Money
from aftersales.engine.refusal import Refused
from aftersales.engine.request import RefundStatus
from aftersales.engine.seller_refund import RefundLine
from aftersales.engine.vocabulary import Actor, Order, OrderState, Party
from aftersales.hookspecs import Payment, PaymentOutcome
from aftersales.tender import BACKOFF
from aftersales.testing import Home
from aftersales.testing.house import AGENT, BUYER, SELLER, SHOP, house, idr, line

CLERK = Actor(Party.SELLER, "st_2", SELLER.shops, frozenset({"view", "refund:60000"}))
APP = Actor(Party.PARTNER, "ap_1", SELLER.shops, frozenset({"view", "refund"}), "Stockwise")


@pytest_asyncio.fixture
async def home() -> AsyncIterator[Home]:
    async with house() as home:
        yield home


async def refund(
    home: Home, order: Order, *amounts: int | None, actor: Actor = SELLER, name: str = "", **more: Any
) -> Refunded:
    """So much of the first line, the second …; None: all that is left."""
    wanted = zip(order.lines, amounts, strict=False)
    lines = more.pop("lines", None) or tuple(
        RefundLine(line.id, None if amount is None else idr(amount)) for line, amount in wanted
    )
    said: dict[str, Any] = {"reason": "goodwill", "note": ""} | more
    used = key(name or f"{order.id} {actor}", f"{lines}{said}", f"{actor.id}:sellerRefundCreate")
    return await home.running.desk.refund_unasked(order.id, lines, said["reason"], said["note"], actor, used)


async def kept(home: Home, done: Refunded) -> Any:
    return await home.running.desk.ledger.seller_refund(done.refund.id)


async def test_a_part_lowers_what_may_be_claimed_and_the_whole_bars_it(home: Home) -> None:
    """Section 10; case 13."""
    part, whole = await home.order(number="1"), await home.order(number="2")
    await refund(home, part, 40_000)
    await refund(home, whole, None)

    claimed = await home.running.desk.open("refund_only", BUYER, claim(part))

    assert claimed.request.refund_max == idr(60_000)
    assert await codes(home.running.desk.open("refund_only", BUYER, claim(whole))) == ["INELIGIBLE"]


async def test_the_rest_of_what_a_request_left_bars_the_line_too(home: Home) -> None:
    """G_FULL: full is what is refunded in full, whoever granted which part of it."""
    order = await home.order()
    request = (await home.running.desk.open("refund_only", BUYER, claim(order))).request
    await home.running.desk.act(request.id, "approve", SELLER, given={"amount": idr(40_000)})
    await home.running.tender.tend()

    between = await codes(home.running.desk.open("refund_only", BUYER, claim(order), key("between")))
    await home.running.desk.act((await home.running.desk.ledger.requests_of_order(order.id))[0], "cancel", BUYER)
    done = await refund(home, order, None)

    assert between == []
    assert done.refund.amount == idr(60_000)
    assert await codes(home.running.desk.open("refund_only", BUYER, claim(order))) == ["INELIGIBLE"]


async def test_it_is_paid_once_and_shown_with_who_gave_it(home: Home) -> None:
    order = await home.order()

    done = await refund(home, order, 40_000, actor=APP, reason="other", note="Sorry for the wait.")
    await home.pass_time(minutes=1)
    await home.running.tender.tend()

    after = await kept(home, done)
    assert (after.status, after.amount, after.reason, after.note) == (
        RefundStatus.PAID, idr(40_000), "other", "Sorry for the wait.",
    )  # fmt: skip
    assert (after.by, after.actor_id, after.client) == (Party.PARTNER, "ap_1", "Stockwise")
    [payment] = home.bank.asked
    assert (payment.id, payment.request_id, payment.amount) == (done.refund.id, None, idr(40_000))


async def test_everything_that_is_wrong_is_told_at_once(home: Home) -> None:
    order = await home.order(line(), line(sku_id="sku_2"))
    first, second = (each.id for each in order.lines)
    usd = Money(Decimal(1), "USD")
    lines = (RefundLine("ol_none"), RefundLine(first, idr(100_001)), RefundLine(first, idr(1)), RefundLine(second, usd))

    wrong = await codes(refund(home, order, lines=lines, reason="because"))
    fractions = await codes(refund(home, order, lines=(RefundLine(first, Money(Decimal("0.5"), "IDR")),)))
    nothing = await codes(refund(home, order, 0, name="k2"))
    silent = await codes(refund(home, order, 1, name="k3", reason="other", note=" "))

    assert wrong == ["REASON_NOT_ALLOWED", "NOT_FOUND", "AMOUNT_EXCEEDED", "INVALID_INPUT", "INVALID_INPUT"]
    assert (fractions, nothing, silent) == (["INVALID_INPUT"], ["AMOUNT_EXCEEDED"], ["NOTE_REQUIRED"])
    assert await home.running.desk.ledger.seller_refunds([order.id]) == {order.id: []}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (OrderState.AWAITING_SHIPMENT, ["INELIGIBLE"]),
        (OrderState.IN_TRANSIT, []),
        (OrderState.DELIVERED, []),
        (OrderState.COMPLETED, ["INELIGIBLE"]),
        (OrderState.CANCELED, ["INELIGIBLE"]),
    ],
)
async def test_only_what_was_shipped_is_refunded_unasked(home: Home, state: OrderState, expected: list[str]) -> None:
    assert await codes(refund(home, await home.order(state=state), 1)) == expected


async def test_sellers_and_their_apps_refund_and_staff_up_to_their_limit(home: Home) -> None:
    """Section 11: `refund` (with amount limit)."""
    order = await home.order(line(3))
    nobody = replace(CLERK, grants=frozenset({"view", "review"}))
    elsewhere = replace(SELLER, shops=frozenset({"sh_2"}))

    answers = {
        "clerk within": await codes(refund(home, order, 60_000, actor=CLERK)),
        "clerk above": await codes(refund(home, order, 60_001, actor=CLERK, name="k2")),
        "app": await codes(refund(home, order, 1, actor=APP)),
        "without the grant": await codes(refund(home, order, 1, actor=nobody)),
        "the platform": await codes(refund(home, order, 1, actor=AGENT)),
        "the buyer": await codes(refund(home, order, 1, actor=BUYER)),
        "another shop": await codes(refund(home, order, 1, actor=elsewhere)),
    }

    assert answers == {
        "clerk within": [],
        "clerk above": ["FORBIDDEN"],
        "app": [],
        "without the grant": ["FORBIDDEN"],
        "the platform": ["FORBIDDEN"],
        "the buyer": ["FORBIDDEN"],
        "another shop": ["NOT_FOUND"],
    }


async def test_one_key_is_one_refund(home: Home) -> None:
    order = await home.order()

    first, again = await refund(home, order, 40_000), await refund(home, order, 40_000)
    other = await codes(refund(home, order, 30_000))

    assert (again.refund.id, again.replayed, first.replayed) == (first.refund.id, True, False)
    assert other == ["KEY_REUSED"]
    assert len((await home.running.desk.ledger.seller_refunds([order.id]))[order.id]) == 1


async def test_whoever_races_never_more_is_given_back_than_was_paid(tmp_path: Path) -> None:
    """Section 10, a hundred times: two who refund unasked, and one who grants what was asked, on one line."""
    path = tmp_path / "kept.sqlite3"
    async with house(path) as home, house(path, bank=home.bank) as other:
        for number in range(100):
            order = await home.order(number=f"R{number}")
            request = (await home.running.desk.open("refund_only", BUYER, claim(order))).request
            here, there = (home, other) if number % 2 else (other, home)

            answers = await asyncio.gather(
                refund(here, order, 60_000, name=f"a{number}"),
                refund(there, order, 60_000, name=f"b{number}"),
                there.running.desk.act(request.id, "approve", SELLER),
                return_exceptions=True,
            )

            unasked = (await home.running.desk.ledger.seller_refunds([order.id]))[order.id]
            granted = (await home.request(request.id)).refund_approved or idr(0)
            assert sum((each.amount for each in unasked), granted) == idr(100_000)
            assert len(unasked) <= 1
            assert all(isinstance(answer, Refunded | Done | Refused) for answer in answers)
        await asyncio.gather(home.running.tender.tend(), other.running.tender.tend())
        await home.running.tender.tend()

        assert sum(payment.amount.amount for payment in home.bank.paid.values()) == 100 * 100_000


async def test_a_provider_who_says_no_is_asked_again_under_the_same_id_and_then_given_up(home: Home) -> None:
    order = await home.order()
    done = await refund(home, order, None)
    home.bank.answers.extend([PaymentOutcome.FAILED] * len(BACKOFF))

    await home.running.tender.tend()
    trying = await kept(home, done)
    barred = await codes(home.running.desk.open("refund_only", BUYER, claim(order)))
    await home.pass_time(days=3)

    failed = await kept(home, done)
    assert (trying.status, trying.tries) == (RefundStatus.PENDING, 1)
    assert barred == ["INELIGIBLE"]
    assert (failed.status, failed.tries) == (RefundStatus.FAILED, len(BACKOFF))
    assert {payment.id for payment in home.bank.asked} == {done.refund.id}
    assert [refund.id for refund in await home.running.desk.ledger.stuck()] == [done.refund.id]
    # its money is free again
    assert await codes(home.running.desk.open("refund_only", BUYER, claim(order))) == []


async def test_of_two_who_ask_at_once_a_no_counts_once_and_a_yes_is_true_for_good(home: Home) -> None:
    """Each process writes what it heard of the same try; money that has moved is never called failed."""
    order, ledger = await home.order(), home.running.desk.ledger
    done = await refund(home, order, None)
    no: dict[str, Any] = {"unknown": False, "stuck_at": home.clock()}

    for _ in range(2):
        await ledger.seller_refund_not_paid(done.refund.id, tries=0, again_at=home.clock(), **no)
    counted = await kept(home, done)
    await ledger.seller_refund_not_paid(done.refund.id, tries=1, again_at=None, **no)
    given_up = await ledger.order(order.id)
    await ledger.seller_refund_paid(done.refund.id, home.clock())
    await ledger.seller_refund_not_paid(done.refund.id, tries=2, again_at=None, **no)

    paid, after = await kept(home, done), await ledger.order(order.id)
    assert counted.tries == 1
    assert (paid.status, paid.paid_at) == (RefundStatus.PAID, home.clock())
    assert given_up is not None
    assert after is not None
    assert [each.given_back(order.lines[0].id) for each in (given_up, after)] == [False, True]
    assert after.claims_version > given_up.claims_version
    assert await ledger.stuck() == []


async def test_an_outcome_that_was_lost_is_asked_about_and_never_paid_anew(home: Home) -> None:
    order = await home.order()
    done = await refund(home, order, 40_000)
    home.bank.answers.append(ConnectionError("cut off"))
    home.bank.paid[done.refund.id] = Payment(done.refund.id, None, "1001", SHOP.id, BUYER.id, idr(40_000))

    await home.running.tender.tend()
    await home.pass_time(minutes=2)

    assert (await kept(home, done)).status is RefundStatus.PAID
    assert len(home.bank.asked) == 1
    assert home.bank.looked_up == [done.refund.id]


async def test_what_stays_unknown_is_shown_to_a_person_and_asked_about_for_ever() -> None:
    bank = Forgetful(PaymentOutcome.UNKNOWN, finds=[PaymentOutcome.UNKNOWN] * 50)
    async with house(bank=bank) as home:
        order, ledger = await home.order(), home.running.desk.ledger
        done = await refund(home, order, None)

        instants = await tries(home, 12)
        unknown, [listed] = await kept(home, done), await ledger.stuck()
        bank.finds = [PaymentOutcome.PAID]
        await tries(home, 1)

        assert (unknown.status, listed.id, listed.next_try_at is not None) == (
            RefundStatus.PENDING, done.refund.id, True,
        )  # fmt: skip
        assert instants[-1] - instants[-2] == timedelta(hours=1)
        assert len(bank.asked) == 1
        assert ((await kept(home, done)).status, await ledger.stuck()) == (RefundStatus.PAID, [])


async def test_after_a_crash_between_asking_and_hearing_the_provider_is_asked_what_became_of_it(tmp_path: Any) -> None:
    bank, path = Silent(), tmp_path / "kept.sqlite3"
    async with house(path, bank=bank) as home:
        done = await refund(home, await home.order(), 40_000)
        tending = asyncio.create_task(home.running.tender.tend())
        async with asyncio.timeout(10):
            await bank.begun.wait()
        tending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await tending

    async with house(path, bank=bank) as restarted:
        # as long as others might share the record, the refund was the dead server's to see through
        restarted.clock.advance(minutes=1)
        await restarted.running.tender.tend()

        assert (bank.looked_up, len(bank.asked)) == ([done.refund.id], 1)
        assert (await kept(restarted, done)).status is RefundStatus.PAID


async def test_a_refund_outlives_the_server_that_granted_it(home: Home, tmp_path: Any) -> None:
    path = tmp_path / "kept.sqlite3"
    async with house(path) as before:
        order = await before.order()
        done = await refund(before, order, 40_000)
    async with house(path) as after:
        await after.running.tender.tend()

        assert (await kept(after, done)).status is RefundStatus.PAID
        assert after.clock() - done.refund.created_at < timedelta(minutes=1)
    assert SHOP.id == done.refund.shop_id

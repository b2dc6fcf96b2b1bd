"""Money on its way: each refund has one id to its end, and is never paid anew while its outcome is open."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.desk.acts import act, away, opened, said
from tests.desk.conftest import Another

from aftersales import tender
from aftersales.engine.request import RefundStatus, Request
from aftersales.plugin import Payment, PaymentOutcome, RefundGateway, Shop, hookimpl
from aftersales.store.database import StoreBusy
from aftersales.tender import BACKOFF
from aftersales.testing import Bank, FakeClock, Home
from aftersales.testing.house import AGENT, line

FAILED, PAID, UNKNOWN = PaymentOutcome.FAILED, PaymentOutcome.PAID, PaymentOutcome.UNKNOWN

RETRY = """
mutation ($input: RequestActInput!) {
  requestRetryRefund(input: $input) { request { version status tags { handle } } problems { code } }
}
"""


class Forgetful(Bank):
    """Says to whoever asks what became of a payment: in turn what it was told to say, then what is so."""

    def __init__(self, *answers: PaymentOutcome | Exception, finds: Sequence[PaymentOutcome] = ()) -> None:
        super().__init__(*answers)
        self.finds = list(finds)

    async def find(self, payment_id: str) -> PaymentOutcome:
        found = await super().find(payment_id)
        return self.finds.pop(0) if self.finds else found


class Silent(Bank):
    """Takes the money and never says so."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()

    async def pay(self, payment: Payment) -> PaymentOutcome:
        await super().pay(payment)
        self.begun.set()
        await asyncio.Event().wait()
        raise AssertionError("it never says so")


class NoGateway:
    """Before the bank: for this shop nobody pays."""

    @hookimpl(tryfirst=True)
    def aftersales_refund_gateway(self, shop: Shop) -> RefundGateway | None:
        raise LookupError(f"{shop.id} has no account")


async def granted(home: Home) -> Request:
    return await act(home, await opened(home), "approve")


async def tries(home: Home, count: int) -> list[datetime]:
    """Let time go on to each next try; when they were."""
    instants = []
    for _ in range(count):
        at = await home.running.desk.ledger.next_refund_at()
        assert at is not None
        home.clock.now = max(at, home.clock())
        instants.append(home.clock())
        await home.running.tender.tend()
    return instants


async def test_what_is_granted_is_paid_and_the_request_completed(home: Home) -> None:
    """C18."""
    request = await granted(home)

    await home.running.tender.tend()

    done = await home.request(request.id)
    [payment] = home.bank.asked
    assert (done.stage.name, done.refund_paid, done.refunds[0].paid_at) == ("completed", payment.amount, home.clock())
    assert payment == Payment(
        request.refunds[0].id, request.id, request.order.number, "sh_1", "by_1", request.refund_max
    )
    assert [event.rule for event in await said(home, request, "RefundPaid")] == ["C18"]


async def test_a_refund_that_fails_is_tried_again_later_and_later_and_in_the_end_by_a_person(
    server: Another,
) -> None:
    """C19."""
    bank = Bank(*[FAILED] * len(BACKOFF))
    async with server(bank=bank) as home:
        request = await granted(home)
        ledger = home.running.desk.ledger

        instants = await tries(home, len(BACKOFF))
        await home.pass_time(days=30)

        waits = [later - earlier for earlier, later in pairwise(instants)]
        [stuck] = await ledger.stuck()
        failed = await home.request(request.id)
        assert waits == [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720)]
        assert {payment.id for payment in bank.asked} == {request.refunds[0].id}
        assert len(bank.asked) == 8
        assert (stuck.request_id, stuck.tries, await ledger.next_refund_at()) == (request.id, 8, None)
        assert (failed.stage.name, failed.tags) == ("refunding", frozenset({"refund_stuck"}))
        assert [event.rule for event in await said(home, request, "RefundFailed")] == ["C19"] * 8

        answer = await home.ask(
            RETRY, AGENT, input={"requestId": request.id, "expectedVersion": failed.version, "idempotencyKey": "k"}
        )
        await home.running.tender.tend()

        assert answer["requestRetryRefund"]["problems"] == []
        assert answer["requestRetryRefund"]["request"]["tags"] == []
        assert (await home.request(request.id)).stage.name == "completed"
        assert list(bank.paid) == [stuck.id]
        assert await ledger.stuck() == []


async def test_a_refund_whose_outcome_is_unknown_is_asked_about_and_not_paid_anew(server: Another) -> None:
    bank = Forgetful(UNKNOWN, finds=[UNKNOWN, UNKNOWN, PAID])
    async with server(bank=bank) as home:
        request = await granted(home)

        await tries(home, 3)
        open_still = await home.request(request.id)
        [due] = await home.running.desk.ledger.refunds_due(home.clock() + timedelta(days=9))
        await tries(home, 1)

        refund_id = request.refunds[0].id
        assert (open_still.stage.name, open_still.refunds[0].status) == ("refunding", RefundStatus.PENDING)
        assert due.asked_at is not None
        assert [payment.id for payment in bank.asked] == [refund_id]
        assert bank.looked_up == [refund_id] * 3
        assert (await home.request(request.id)).stage.name == "completed"
        assert [event.rule for event in await said(home, request, "RefundUnknown")] == ["C19"] * 3


async def test_where_it_cannot_be_written_that_the_provider_is_asked_nobody_asks_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await granted(home)
    with away(home, "SET asked_at", monkeypatch), pytest.raises(StoreBusy):
        await home.running.tender.tend()
    assert home.bank.asked == []
    assert await said(home, request, "RefundUnknown") == [], "what was never asked is not unknown"

    home.clock.advance(minutes=2)
    await home.running.tender.tend()

    assert [payment.id for payment in home.bank.asked] == [request.refunds[0].id]
    assert (await home.request(request.id)).stage.name == "completed"


async def test_what_the_provider_never_heard_of_is_asked_for_again_under_the_same_id(server: Another) -> None:
    bank = Forgetful(ConnectionError("reset"), finds=[FAILED])
    async with server(bank=bank) as home:
        request = await granted(home)

        await tries(home, 2)

        assert bank.looked_up == [request.refunds[0].id]
        assert [payment.id for payment in bank.asked] == [request.refunds[0].id] * 2
        assert (await home.request(request.id)).stage.name == "completed"


async def test_what_stays_unknown_is_shown_to_a_person_and_asked_about_for_ever(server: Another) -> None:
    bank = Forgetful(UNKNOWN, finds=[UNKNOWN] * 50)
    async with server(bank=bank) as home:
        request = await granted(home)

        instants = await tries(home, 20)
        tagged = await home.request(request.id)
        listed = await home.running.desk.ledger.stuck()
        bank.finds = [PAID]
        await tries(home, 1)

        assert tagged.tags == {"refund_stuck"}
        assert [(refund.request_id, refund.next_try_at is not None) for refund in listed] == [(request.id, True)]
        assert await home.running.desk.ledger.stuck() == []
        assert len(bank.asked) == 1
        assert instants[-1] - instants[-2] == timedelta(hours=1)
        assert len(await said(home, request, "RefundUnknown")) == 8
        done = await home.request(request.id)
        assert (done.stage.name, done.tags) == ("completed", frozenset())


async def test_after_a_crash_between_asking_and_hearing_the_provider_is_asked_what_became_of_it(
    server: Another,
) -> None:
    bank = Silent()
    async with server(bank=bank) as home:
        request = await granted(home)
        tending = asyncio.create_task(home.running.tender.tend())
        async with asyncio.timeout(10):
            await bank.begun.wait()

        tending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await tending

    async with server(bank=bank) as restarted:
        # as long as others might share the record, the refund was the dead server's to see through
        restarted.clock.advance(minutes=1)
        await restarted.running.tender.tend()

        assert bank.looked_up == [request.refunds[0].id]
        assert len(bank.asked) == 1
        assert (await restarted.request(request.id)).stage.name == "completed"


@pytest.mark.engine("postgres")  # a file has one server
async def test_of_servers_that_share_a_record_one_pays_while_the_others_look(server: Another) -> None:
    bank = Silent()
    async with server(bank=bank) as home, server(bank=bank) as other:
        await granted(home)
        paying = asyncio.create_task(home.running.tender.tend())
        async with asyncio.timeout(10):
            await bank.begun.wait()

        assert await other.running.tender.tend() == 0
        assert (bank.looked_up, len(bank.asked)) == ([], 1)
        paying.cancel()
        await asyncio.gather(paying, return_exceptions=True)


async def test_a_provider_who_does_not_answer_in_time_has_answered_unknown(
    server: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tender, "PAYING_SECONDS", 0.05)
    bank = Silent()
    async with server(bank=bank) as home:
        request = await granted(home)

        await tries(home, 1)
        waiting = await home.request(request.id)
        await tries(home, 1)

        assert waiting.refunds[0].status is RefundStatus.PENDING
        assert len(await said(home, request, "RefundUnknown")) == 1
        assert len(bank.asked) == 1
        assert (await home.request(request.id)).stage.name == "completed"


async def test_one_refund_that_cannot_be_paid_holds_up_no_other(server: Another) -> None:
    bank = Bank(ConnectionError("reset"))
    async with server(bank=bank) as home:
        requests = [await granted(home) for _ in range(12)]

        await home.running.tender.tend()

        stages = [(await home.request(request.id)).stage.name for request in requests]
        assert sorted(stages) == ["completed"] * 11 + ["refunding"]


async def test_two_tenders_at_once_pay_once(home: Home, server: Another) -> None:
    async with server() as other:
        requests = [await granted(home) for _ in range(20)]

        await asyncio.gather(home.running.tender.tend(), other.running.tender.tend())
        await home.running.tender.tend()

        for request in requests:
            assert len(await said(home, request, "RefundPaid")) == 1
            assert (await home.request(request.id)).stage.name == "completed"
        assert sorted(home.bank.paid) == sorted(request.refunds[0].id for request in requests)


async def test_where_there_is_nothing_to_pay_nobody_is_asked(home: Home) -> None:
    order = await home.order(line(paid=0))
    request = await opened(home, order)

    await home.pass_time(days=2)

    done = await home.request(request.id)
    assert (done.stage.name, done.refund_paid) == ("completed", request.refund_max)
    assert not done.refund_paid
    assert home.bank.asked == []


async def test_where_nobody_pays_a_person_hears_of_it_in_the_end(server: Another) -> None:
    async with server(NoGateway()) as home:
        request = await granted(home)

        await tries(home, len(BACKOFF))

        [stuck] = await home.running.desk.ledger.stuck()
        assert stuck.request_id == request.id
        assert home.bank.asked == []


async def test_what_was_asked_of_a_gateway_that_is_gone_stays_unknown(server: Another, clock: FakeClock) -> None:
    async with server(bank=Bank(UNKNOWN)) as home:
        request = await granted(home)
        await home.running.tender.tend()

    async with server(NoGateway()) as without:
        await tries(without, 9)

        [shown] = await without.running.desk.ledger.stuck()
        assert (shown.request_id, shown.next_try_at is not None) == (request.id, True)
        assert (await without.request(request.id)).refunds[0].status is RefundStatus.PENDING

"""Reshipment: its reasons, its guards, its stories from open to end, and what silence does at each stage."""

from datetime import timedelta

import pytest
from tests.desk.acts import act, claim, codes, history, opened, said, staged

from aftersales.engine.request import Leg, Request, ShipmentStatus
from aftersales.engine.vocabulary import ApprovedBy, OfferKind, OrderState, Party, Shop, ShopKind
from aftersales.testing import Home
from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, idr

REASONS = ("wrong_item", "missing_item", "damaged", "defective")
SENT = {"carrier": "JNE", "tracking": "JP1"}
BANGKOK = Shop("sh_th", "Siam", "TH", ShopKind.MALL, "Asia/Bangkok")


async def asked(home: Home, reason: str = "missing_item") -> Request:
    return await opened(home, kind="reshipment", reason=reason, evidence_ids=(await staged(home),))


async def approved(home: Home) -> Request:
    return await act(home, await asked(home), "approve")


async def sent(home: Home) -> Request:
    return await act(home, await approved(home), "send", given=SENT)


@pytest.mark.parametrize("reason", REASONS)
async def test_a_reason_holds_once_the_goods_have_come_and_with_a_photo(home: Home, reason: str) -> None:
    """Section 8; G_REASON, G_EVIDENCE, G_ORDER_STATE."""
    here, coming = await home.order(number="1"), await home.order(number="2", state=OrderState.IN_TRANSIT)
    shown = (await staged(home),)

    early = home.running.desk.open("reshipment", BUYER, claim(coming, reason=reason, evidence_ids=shown))
    bare = home.running.desk.open("reshipment", BUYER, claim(here, reason=reason))

    assert await codes(early) == ["INELIGIBLE", "REASON_NOT_ALLOWED"]
    assert await codes(bare) == ["EVIDENCE_REQUIRED"]


async def test_a_change_of_mind_is_no_reason_for_it(home: Home) -> None:
    for reason in ("no_longer_needed", "wrong_size", "not_received", "other"):
        asked = claim(await home.order(number=reason), reason=reason, note="Look")
        assert await codes(home.running.desk.open("reshipment", BUYER, asked)) == ["REASON_NOT_ALLOWED"]


async def test_in_thailand_only_what_is_missing_is_sent_again(home: Home) -> None:
    """Section 7.2: RS reasons of TH."""
    taken = {}
    for reason in REASONS:
        order = await home.order(number=reason, shop=BANGKOK)
        claimed = claim(order, reason=reason, evidence_ids=(await staged(home),))
        taken[reason] = await codes(home.running.desk.open("reshipment", BUYER, claimed))

    assert taken == {
        "wrong_item": ["REASON_NOT_ALLOWED"],
        "missing_item": [],
        "damaged": ["REASON_NOT_ALLOWED"],
        "defective": ["REASON_NOT_ALLOWED"],
    }


async def test_approved_arranged_sent_and_delivered(home: Home) -> None:
    """RS1, RS2, RS3, RS6."""
    request = await act(home, await approved(home), "arrange", given={"carrier": "JNE"})
    request = await act(home, request, "send", given=SENT)

    done = await act(home, request, "delivered", CARRIER)

    parcel = done.shipment(Leg.OUTBOUND)
    assert parcel is not None
    assert (parcel.status, parcel.tracking) == (ShipmentStatus.DELIVERED, "JP1")
    assert (done.stage.name, done.refunds, home.bank.paid) == ("completed", (), {})
    rules = [event.rule for event in await history(home, done) if event.type.startswith("Outbound")]
    assert rules == ["RS2", "RS3", "RS6"]


async def test_a_carrier_who_takes_the_parcel_sends_it(home: Home) -> None:
    """RS3."""
    assert (await act(home, await approved(home), "handed_over", CARRIER)).stage.name == "outbound_in_transit"


async def test_a_seller_who_cannot_send_refunds_and_no_more_than_was_paid(home: Home) -> None:
    """RS4."""
    request = await approved(home)
    given = {"reason": "out_of_stock", "amount": idr(100_001)}
    too_much = await codes(act(home, request, "refund_instead", given=given))
    wrong = await codes(act(home, request, "refund_instead", given={"reason": "item_correct"}))

    refunded = await act(home, request, "refund_instead", given={"reason": "cannot_send", "amount": idr(60_000)})
    await home.pass_time(minutes=1)

    assert (too_much, wrong) == (["AMOUNT_EXCEEDED"], ["REASON_NOT_ALLOWED"])
    assert (await home.request(refunded.id)).refund_paid == idr(60_000)


async def test_silence_approves_and_then_refunds_for_a_seller_who_does_not_send(home: Home) -> None:
    """C17, RS5; case 5: two working days from an approval on a Friday end on Tuesday."""
    request = await asked(home)
    await home.pass_time(days=2)
    silent = await home.request(request.id)
    assert silent.next_clock is not None
    due_at = silent.next_clock.due_at

    await home.pass_time(days=4)

    refunded = await home.request(request.id)
    assert silent.stage.name == "awaiting_seller_ship"
    assert silent.tags == {"auto_approved"}
    assert due_at == silent.updated_at + timedelta(days=4)
    assert (refunded.stage.name, refunded.approved_by) == ("completed", ApprovedBy.TIMEOUT_SHIP_OUT)
    assert refunded.fault is Party.SELLER


@pytest.mark.parametrize("scan", ["lost", "failed"])
async def test_a_parcel_that_does_not_arrive_becomes_money_and_may_be_appealed(home: Home, scan: str) -> None:
    """RS7, and the ground AUTO_REFUND_DELIVERY_DELAY of 6.1."""
    request = await act(home, await sent(home), scan, CARRIER)
    await home.pass_time(minutes=1)

    appeal = (await home.request(request.id)).appeal
    assert appeal is not None
    assert appeal.ground == "auto_refund_delivery_delay"


async def test_a_parcel_of_which_nobody_hears_becomes_money(home: Home) -> None:
    """RS7."""
    request = await sent(home)

    await home.pass_time(days=14)

    assert [event.rule for event in await said(home, request, "OutboundFailed")] == ["RS7"]
    assert (await home.request(request.id)).refund_approved == idr(100_000)


async def test_all_the_money_instead_is_given_at_once(home: Home) -> None:
    """C5a; case 9."""
    request = await act(home, await asked(home), "offer_make", given={"kind": OfferKind.FULL_REFUND})

    assert (request.stage.name, request.approved_by) == ("refunding", ApprovedBy.OFFER)
    assert request.refund_approved == idr(100_000)


async def test_nothing_is_held_back_for_it(home: Home) -> None:
    request = await approved(home)
    await home.pass_time(minutes=1)

    assert (request.reservation, home.shelf.held) == (None, {})


async def test_the_platform_may_approve_it_without_a_tag_of_money(home: Home) -> None:
    """C15; the seller pays the way."""
    request = await act(home, await asked(home), "platform_approve", AGENT)

    assert (request.stage.name, request.tags) == ("awaiting_seller_ship", frozenset())
    assert await codes(act(home, request, "send", SELLER, given={"carrier": "", "tracking": " "})) == [
        "INVALID_INPUT",
        "INVALID_INPUT",
    ]

"""Exchange: what may be wanted, its stories from open to end, what silence does, and what the shelf holds back."""

from importlib.metadata import entry_points
from typing import Any

import pytest
from tests.desk.acts import act, away, claim, codes, history, opened, said, staged

from aftersales.engine.money import Money
from aftersales.engine.request import Leg, Request, ReservationStatus
from aftersales.engine.vocabulary import (
    ApprovedBy,
    CloseReason,
    EvidenceKind,
    OfferKind,
    OfferStatus,
    OrderState,
    Party,
    ReturnMethod,
    Variation,
)
from aftersales.registry import GROUP
from aftersales.store.database import StoreBusy
from aftersales.testing import Home
from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, idr, line

DROP_OFF, PICK_UP, SELF = ReturnMethod.DROP_OFF, ReturnMethod.PICK_UP, ReturnMethod.SELF_ARRANGED
SENT = {"carrier": "JNE", "tracking": "JP1"}
RUPIAH = "IDR"


# What two kinds do together is told where both are installed.
with_returns = pytest.mark.skipif(
    not entry_points(group=GROUP, name="return_refund"), reason="aftersales-return-refund is not installed"
)


def variation(sku_id: str, price: int = 100_000, available: int = 5, product_id: str = "") -> Variation:
    return Variation(sku_id, product_id, "Headset", idr(price), available)


def wish(line_id: str, sku_id: str = "sku_1b") -> dict[str, Any]:
    return {"wanted": [{"orderLineId": line_id, "skuId": sku_id}]}


async def asked(home: Home, method: ReturnMethod = DROP_OFF, quantity: int = 1) -> Request:
    order = await home.order(line(quantity), number=f"N{await home.running.house.log.last_serial()}")
    return await opened(
        home, order, "exchange", quantity=quantity, reason="wrong_size", return_method=method,
        details=wish(order.lines[0].id),
    )  # fmt: skip


async def approved(home: Home, method: ReturnMethod = DROP_OFF) -> Request:
    return await act(home, await asked(home, method), "approve")


async def inspected(home: Home) -> Request:
    """It came back with a carrier of the platform, and waits to be looked at."""
    sent = await act(home, await approved(home), "handed_over", CARRIER)
    return await act(home, sent, "delivered", CARRIER)


async def to_be_sent(home: Home) -> Request:
    return await act(home, await inspected(home), "accept_package")


async def settled(home: Home, request: Request) -> Request:
    await home.running.tender.tend()
    return await home.request(request.id)


async def test_one_of_the_same_product_is_wanted_that_costs_no_more_and_is_there(home: Home) -> None:
    """G_EX, all at once, each with its place."""
    home.shelf.there |= {
        "dear": variation("dear", price=100_001),
        "gone": variation("gone", available=0),
        "other": variation("other", product_id="kettle"),
        "dollars": Variation("dollars", "", "Headset", Money(idr(1).amount, "USD"), 5),
    }
    told = {}
    for sku_id in ("sku_1b", "sku_1", "dear", "gone", "other", "dollars", "unknown"):
        order = await home.order(number=sku_id)
        asked = claim(order, reason="wrong_size", details=wish(order.lines[0].id, sku_id))
        told[sku_id] = await codes(home.running.desk.open("exchange", BUYER, asked))

    assert told == {
        "sku_1b": [],
        "sku_1": ["NOT_FOUND"],
        "dear": ["INELIGIBLE"],
        "gone": ["INELIGIBLE"],
        "other": ["INELIGIBLE"],
        "dollars": ["INELIGIBLE"],
        "unknown": ["NOT_FOUND"],
    }


async def test_each_line_that_is_claimed_has_one_that_is_wanted(home: Home) -> None:
    """G_EX."""
    order = await home.order(line(), line(sku_id="sku_2"))
    open, first = home.running.desk.open, order.lines[0].id
    twice = {"wanted": [*wish(first)["wanted"], *wish(first)["wanted"]]}

    answers = [
        await codes(open("exchange", BUYER, claim(order, reason="wrong_size", details=details)))
        for details in ({}, twice, wish(order.lines[1].id), wish("ol_none"))
    ]

    assert answers == [["INVALID_INPUT"]] * 4


async def test_as_many_are_wanted_as_come_back(home: Home) -> None:
    """G_EX: units of two lines may want the same variation."""
    home.shelf.there["sku_1b"] = variation("sku_1b", available=2)
    order = await home.order(line(3))

    three = claim(order, quantity=3, reason="wrong_size", details=wish(order.lines[0].id))
    two = claim(order, quantity=2, reason="wrong_size", details=wish(order.lines[0].id))

    assert await codes(home.running.desk.open("exchange", BUYER, three)) == ["INELIGIBLE"]
    assert await codes(home.running.desk.open("exchange", BUYER, two)) == []


async def test_it_is_asked_for_once_the_goods_have_come_and_may_come_back(home: Home) -> None:
    """G_ORDER_STATE, G_TYPE_OK."""
    coming, kept = await home.order(number="1", state=OrderState.IN_TRANSIT), await home.order(line(returnable=False))
    open = home.running.desk.open

    early = open("exchange", BUYER, claim(coming, reason="wrong_size", details=wish(coming.lines[0].id)))
    stays = open("exchange", BUYER, claim(kept, reason="wrong_size", details=wish(kept.lines[0].id)))

    assert await codes(early) == ["INELIGIBLE", "REASON_NOT_ALLOWED"]
    assert await codes(stays) == ["INELIGIBLE"]


async def test_sent_back_accepted_sent_out_and_delivered(home: Home) -> None:
    """EX1, EX2, EX4, EX5, EX8, EX11: no money moves."""
    request = await act(home, await to_be_sent(home), "arrange")
    request = await act(home, request, "send", given=SENT)

    done = await act(home, request, "delivered", CARRIER)

    assert (done.stage.name, done.refunds) == ("completed", ())
    assert done.package_confirmed_at is not None
    rules = [event.rule for event in await history(home, done) if event.type == "RequestStatusChanged"]
    assert rules == ["EX1", "EX2", "EX4", "EX5", "EX8", "EX11"]
    assert home.bank.paid == {}


@pytest.mark.parametrize(("method", "days"), [(DROP_OFF, 10), (SELF, 10)])
async def test_a_buyer_who_sends_nothing_back_gets_nothing_and_the_goods_are_let_go(
    home: Home, method: ReturnMethod, days: int
) -> None:
    """EX3."""
    request = await approved(home, method)

    await home.pass_time(days=days)

    closed = await home.request(request.id)
    assert (closed.stage.name, closed.close_reason) == ("closed", CloseReason.BUYER_DID_NOT_SHIP)
    assert [event.rule for event in await said(home, closed, "StockReleased")] == ["EX3"]
    assert (home.shelf.held, len(home.shelf.let_go)) == ({}, 1)
    assert closed.reservation is not None
    assert closed.reservation.status is ReservationStatus.RELEASED


async def test_pick_ups_that_fail_three_times_become_a_drop_off(home: Home) -> None:
    """EX2, as RR4 to RR6."""
    request = await approved(home, PICK_UP)
    request = await act(home, request, "schedule_pickup", BUYER, given={"pickup_at": home.clock()})
    for _ in range(3):
        request = await act(home, request, "pickup_failed", CARRIER)

    assert request.return_method is DROP_OFF
    assert [event.rule for event in await said(home, request, "PickupFailed")] == ["EX2"] * 3


async def test_a_parcel_is_rejected_with_a_photo_and_a_dispute_about_it_is_paid_in_money(home: Home) -> None:
    """EX6, C12: what cannot be swapped any more is refunded."""
    request, photo = await inspected(home), await staged(home, EvidenceKind.PHOTO, SELLER)
    request = await act(home, request, "reject_package", given={"reason": "pkg_not_ours"}, evidence_ids=[photo])
    request = await act(home, request, "dispute_open", BUYER, note="It is what you sent.")
    for actor in (BUYER, SELLER):
        request = await act(home, request, "dispute_submit_evidence", actor)

    won = await act(home, request, "dispute_decide", AGENT, note="It is.", given={"decision": Party.BUYER})
    won = await settled(home, won)

    assert (won.stage.name, won.approved_by, won.refund_paid) == ("completed", ApprovedBy.ARBITRATION, idr(100_000))
    assert home.shelf.held == {}


async def test_silence_at_inspection_accepts_what_came_and_closes_what_did_not(home: Home) -> None:
    """EX7."""
    came = await inspected(home)
    alone = await act(home, await approved(home, SELF), "upload_tracking", BUYER, given=SENT)

    await home.pass_time(days=2)
    accepted = await home.request(came.id)
    await home.pass_time(days=12)
    closed = await home.request(alone.id)

    assert (accepted.stage.name, accepted.approved_by) == ("awaiting_seller_ship", ApprovedBy.TIMEOUT_INSPECTION)
    assert (closed.stage.name, closed.close_reason) == ("closed", CloseReason.BUYER_DID_NOT_SHIP)


async def test_a_seller_who_does_not_send_refunds_by_silence(home: Home) -> None:
    """EX10."""
    request = await to_be_sent(home)

    await home.pass_time(days=2)

    refunded = await settled(home, request)
    assert (refunded.stage.name, refunded.approved_by) == ("completed", ApprovedBy.TIMEOUT_SHIP_OUT)
    assert home.shelf.held == {}


async def test_a_seller_who_cannot_send_refunds_instead(home: Home) -> None:
    """EX9."""
    refunded = await act(home, await to_be_sent(home), "refund_instead", given={"reason": "out_of_stock"})

    assert (refunded.stage.name, refunded.refund_approved) == ("refunding", idr(100_000))


async def test_a_parcel_that_is_lost_on_its_way_out_becomes_money_and_the_goods_are_gone(home: Home) -> None:
    """EX12."""
    request = await act(home, await to_be_sent(home), "send", given=SENT)
    await home.running.tender.tend()

    lost = await settled(home, await act(home, request, "lost", CARRIER))

    assert lost.stage.name == "completed"
    assert (len(home.shelf.held), home.shelf.let_go) == (1, [])


async def test_what_is_wanted_is_held_back_once_the_seller_says_yes(home: Home) -> None:
    """EX1."""
    request = await approved(home)
    assert request.reservation is not None
    assert request.reservation.status is ReservationStatus.WANTED

    held = await settled(home, request)

    assert held.reservation is not None
    assert held.reservation.status is ReservationStatus.HELD
    assert home.shelf.held == {held.reservation.id: (("sku_1b", 1),)}
    assert [event.rule for event in await said(home, held, "StockReserved")] == ["EX1"]
    assert held.clocks == request.clocks


async def test_the_last_one_is_not_promised_by_a_person_twice(home: Home) -> None:
    """EX1: a yes is judged by what stock says then."""
    home.shelf.there["sku_1b"] = variation("sku_1b", available=1)
    first, second = await asked(home), await asked(home)

    await settled(home, await act(home, first, "approve"))

    assert await codes(act(home, second, "approve")) == ["INELIGIBLE"]


async def test_silence_promises_what_is_gone_and_the_seller_is_told(home: Home) -> None:
    """C17, EX1: time asks nobody, so the tag says that a refund is the way out."""
    home.shelf.there["sku_1b"] = variation("sku_1b", available=1)
    first, second = await asked(home), await asked(home)

    await home.pass_time(days=2, minutes=1)

    statuses = {(await home.request(each.id)).reservation.status for each in (first, second)}  # type: ignore[union-attr]
    assert statuses == {ReservationStatus.HELD, ReservationStatus.REFUSED}
    tags = [(await home.request(each.id)).tags for each in (first, second)]
    assert sorted("out_of_stock" in each for each in tags) == [False, True]


@with_returns
async def test_an_offer_of_another_one_makes_a_return_an_exchange(home: Home) -> None:
    """C7: the kind changes; id, number, counters and history go on."""
    order = await home.order()
    request = await opened(home, order, "return_refund", reason="wrong_size", return_method=DROP_OFF)
    offer = {"kind": OfferKind.EXCHANGE, "details": wish(order.lines[0].id)}
    blind = await codes(act(home, request, "offer_make", given={"kind": OfferKind.EXCHANGE}))

    offered = await act(home, request, "offer_make", given=offer)
    accepted = await act(home, offered, "offer_accept", BUYER)
    held = await settled(home, accepted)

    assert blind == ["INVALID_INPUT"]
    assert (accepted.kind, accepted.original_kind, accepted.id) == ("exchange", "return_refund", request.id)
    assert (accepted.stage.name, accepted.approved_by) == ("awaiting_buyer_ship", ApprovedBy.OFFER)
    assert accepted.offers[0].status is OfferStatus.ACCEPTED
    assert held.reservation is not None
    assert held.reservation.status is ReservationStatus.HELD
    [converted] = await said(home, held, "RequestConverted")
    assert (converted.rule, converted.data) == ("C7", {"from": "return_refund", "to": "exchange"})
    done = await act(home, held, "handed_over", CARRIER)
    assert done.stage.name == "return_in_transit"
    assert done.shipment(Leg.RETURN) is not None


@with_returns
async def test_an_offer_of_money_for_what_comes_back_makes_an_exchange_a_return(home: Home) -> None:
    """Section 9, C7."""
    request = await asked(home)

    offered = await act(home, request, "offer_make", given={"kind": OfferKind.RETURN_REFUND})
    accepted = await act(home, offered, "offer_accept", BUYER)

    assert (accepted.kind, accepted.stage.name) == ("return_refund", "awaiting_buyer_ship")
    assert accepted.reservation is None


async def test_an_edit_may_want_another_one(home: Home) -> None:
    """C2: what is not said stays."""
    home.shelf.there["sku_1c"] = variation("sku_1c")
    request = await asked(home)
    anew = claim(request.order, reason="wants_other_variation", details=wish(request.order.lines[0].id, "sku_1c"))
    replace = home.running.desk.replace

    edited = (await replace(request.id, "edit", BUYER, anew, expected=1)).request
    again = (await replace(edited.id, "edit", BUYER, claim(request.order, reason="wrong_size"), expected=1)).request

    assert edited.details == again.details == wish(request.order.lines[0].id, "sku_1c")


async def test_stock_that_does_not_answer_is_asked_again_until_it_does(home: Home) -> None:
    """Nothing that was promised is forgotten, and a person is told to try again."""
    request = await approved(home)
    home.shelf.silent = True
    await home.running.tender.tend()
    order = await home.order(number="again")
    asked = claim(order, reason="wrong_size", details=wish(order.lines[0].id))
    busy = await codes(home.running.desk.open("exchange", BUYER, asked))

    home.shelf.silent = False
    await home.pass_time(minutes=1)

    assert busy == ["BUSY"]
    held = (await home.request(request.id)).reservation
    assert held is not None
    assert held.status is ReservationStatus.HELD


async def test_a_database_that_is_away_is_not_taken_for_stock_that_does_not_answer(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    request = await approved(home)

    with away(home, "INSERT INTO events", monkeypatch), pytest.raises(StoreBusy):
        await home.running.tender.tend()
    # at once, and not after the minute that stock is given
    await home.running.tender.tend()

    held = (await home.request(request.id)).reservation
    assert held is not None
    assert held.status is ReservationStatus.HELD
    assert home.shelf.held == {held.id: (("sku_1b", 1),)}
    assert "stock could not be told" not in caplog.text


async def test_what_ends_before_stock_was_asked_is_let_go_and_never_held(home: Home) -> None:
    request = await approved(home)
    await act(home, request, "cancel", BUYER)

    ended = await settled(home, request)

    assert ended.reservation is not None
    assert ended.reservation.status is ReservationStatus.RELEASED
    assert (home.shelf.held, home.shelf.let_go) == ({}, [ended.reservation.id])

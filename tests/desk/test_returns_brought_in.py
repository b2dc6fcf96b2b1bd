"""Returns that the marketplace exported: followed, never paid, never undone, and kept as they came (section 14)."""

import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from aftersales.desk import Asked
from aftersales.engine.refusal import Refused
from aftersales.engine.request import RefundStatus, Request, ShipmentStatus
from aftersales.engine.stages import COMPLETED
from aftersales.engine.vocabulary import Actor, ClaimLine, OrderState, Party, ReturnMethod
from aftersales.marketplace import import_returns
from aftersales.marketplace.returns import Outcome, Result, request_id
from aftersales.marketplace.statuses import FORMS, External, canonical, external, stages_of
from aftersales.marketplace.tiktok import read
from aftersales.store import imports
from aftersales.store.imports import ImportedOrder, order_id
from aftersales.testing import Home
from aftersales.testing.house import AGENT, BUYER, SELLER, SHOP, house, idr, line

RETURN, ORDER = "576460752303423488", "576461413038785010"
BUYER_OF_STUB = Actor(Party.BUYER, f"by_|{ORDER}")
STATUSES = sorted({(form.type, status, kind) for kind, form in FORMS.items() for status in form.says.values()})


@pytest_asyncio.fixture
async def home() -> AsyncIterator[Home]:
    async with house() as home:
        await home.running.desk.ledger.import_shops([SHOP])
        yield home


def at(home: Home, **before: float) -> int:
    return int((home.clock() - timedelta(**before)).timestamp())


def record(home: Home, **changes: Any) -> dict[str, Any]:
    """A return of one headset, asked for two days ago and approved yesterday."""
    return {
        "return_id": RETURN,
        "order_id": ORDER,
        "return_type": "RETURN_AND_REFUND",
        "return_status": "AWAITING_BUYER_SHIP",
        "return_reason": "ecom_order_delivered_refund_reason_damaged",
        "return_reason_text": "It came broken",
        "arbitration_status": "",
        "role": "BUYER",
        "create_time": at(home, days=2),
        "update_time": at(home, days=1),
        "shipment_type": "PLATFORM",
        "handover_method": "DROP_OFF",
        "return_tracking_number": "",
        "refund_amount": {"currency": "IDR", "refund_total": "100000"},
        "return_line_items": [item("100000")],
    } | changes


def item(total: Any, sku: str = "sku_1") -> dict[str, Any]:
    return {
        "return_line_item_id": "1",
        "sku_id": sku,
        "product_name": "Headset",
        "refund_amount": {"currency": "IDR", "refund_total": total},
    }


async def bring(home: Home, *told: Any) -> list[Result]:
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in told)
    return await from_file(home, text.encode())


async def from_file(home: Home, content: bytes) -> list[Result]:
    return [result async for result in import_returns(io.BytesIO(content), home.running.desk, SHOP)]


async def outcomes(home: Home, *told: Any) -> list[str]:
    return [result.outcome.value for result in await bring(home, *told)]


async def brought(home: Home, **changes: Any) -> Request:
    [result] = await bring(home, record(home, **changes))
    assert result.outcome in (Outcome.CREATED, Outcome.UPDATED), result
    return await home.request(request_id(RETURN))


def running(request: Request) -> list[tuple[str, datetime | None]]:
    return [(clock.key, clock.due_at) for clock in request.clocks if clock.due_at and clock.alive]


async def test_a_return_becomes_a_request_of_an_order_that_is_made_up(home: Home) -> None:
    request = await brought(home)

    assert (request.kind, request.stage.name, request.reason) == ("return_refund", "awaiting_buyer_ship", "damaged")
    assert (request.return_method, request.note) == (ReturnMethod.DROP_OFF, "It came broken")
    assert request.refund_max == idr(100_000)
    assert request.tags == {"imported"}
    assert [parcel.status for parcel in request.shipments] == [ShipmentStatus.EXPECTED]
    assert [clock.key for clock in request.clocks] == ["ship_back.drop_off"]
    assert request.order.stub
    assert [(line.sku_id, line.quantity, line.unit_paid) for line in request.order.lines] == [
        ("sku_1", 1, idr(100_000))
    ]


async def test_its_history_begins_where_the_marketplace_was(home: Home) -> None:
    await bring(home, record(home))
    await bring(home, record(home, return_status="BUYER_SHIPPED_ITEM", update_time=at(home, hours=2)))

    history = (await home.running.house.log.history([request_id(RETURN)], 20, None))[request_id(RETURN)]

    assert {event.rule for event in history} == {"14"}
    assert [event.type for event in reversed(history)] == [
        "RequestCreated", "TagAdded", "ShipmentExpected", "DeadlineStarted",
        "RequestImported", "RequestStatusChanged", "DeadlineCanceled", "DeadlineStarted",
    ]  # fmt: skip


@pytest.mark.parametrize(("type", "status", "kind"), STATUSES)
async def test_every_status_of_the_marketplace_puts_a_request_at_a_stage(
    home: Home, type: str, status: str, kind: str
) -> None:
    request = await brought(home, return_type=type, return_status=status)

    assert request.kind == kind
    assert request.stage.name == stages_of(kind, status, inspects=False)[0]
    assert (request.closed_at is not None) is request.stage.final
    assert request.stage.final or request.stage.name == "refunding" or request.next_clock is not None


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [
        ("REQUEST_REJECTED", "REFUND_OR_RETURN_REQUEST_REJECT"),
        ("RECEIVE_REJECTED", "REJECT_RECEIVE_PACKAGE"),
        ("RETURN_OR_REFUND_CANCEL", "RETURN_OR_REFUND_REQUEST_CANCEL"),
        ("RETURN_OR_REFUND_REQUEST_CANCELLED", "RETURN_OR_REFUND_REQUEST_CANCEL"),
        ("RETURN_OR_REFUND__REQUEST_PENDING", "RETURN_OR_REFUND_REQUEST_PENDING"),
        ("REQUEST_SUCCESS", "RETURN_OR_REFUND_REQUEST_SUCCESS"),
        (" awaiting_buyer_ship ", "AWAITING_BUYER_SHIP"),
    ],
)
def test_other_spellings_of_a_status_are_one(spelt: str, meant: str) -> None:
    assert canonical(spelt) == meant


@pytest.mark.parametrize("kind", ["reshipment", "exchange"])
@pytest.mark.parametrize(
    ("said", "stage"),
    [
        ("{}_REQUEST_CANCEL", "canceled"),
        ("{}_REQUEST_REJECT", "rejected"),
        ("{}_REQUEST_PENDING", "pending_review"),
        ("RETURN_OR_REFUND_REQUEST_PENDING", "pending_review"),
        # approved and a new order made, not delivered: nothing is paid
        ("{}_REQUEST_COMPLETE", "awaiting_seller_ship"),
        ("{}_REQUEST_REFUND_SUCCESS", "refunding"),
        ("RETURN_OR_REFUND_REQUEST_COMPLETE", "completed"),
    ],
)
def test_kinds_of_goods_have_words_of_their_own(kind: str, said: str, stage: str) -> None:
    assert stages_of(kind, said.format(FORMS[kind].type), inspects=False)[0] == stage


@pytest.mark.parametrize("type", ["REPLACEMENT", "EXCHANGE"])
async def test_goods_that_are_to_be_sent_are_no_refund(home: Home, type: str) -> None:
    request = await brought(home, return_type=type, return_status=f"{type}_REQUEST_COMPLETE")

    assert (request.stage.name, request.refunds, request.refund_paid) == ("awaiting_seller_ship", (), None)


async def test_what_waits_for_inspection_is_told_by_what_the_seller_must_do(home: Home) -> None:
    due = home.clock() + timedelta(hours=30)
    action = {"action": "SELLER_RESPOND_RECEIVE_PACKAGE", "deadline": int(due.timestamp())}

    request = await brought(home, return_status="BUYER_SHIPPED_ITEM", seller_next_action_response=[action])

    assert request.stage.name == "pending_inspection"
    assert running(request) == [("inspect.tracked", due)]


async def test_a_newer_record_tells_that_the_parcel_has_come(home: Home) -> None:
    """14: the status is the same on the way and at inspection."""
    await brought(home, return_status="BUYER_SHIPPED_ITEM", update_time=at(home, hours=20))
    due = home.clock() + timedelta(hours=30)
    action = {"action": "SELLER_RESPOND_RECEIVE_PACKAGE", "deadline": int(due.timestamp())}

    request = await brought(
        home, return_status="BUYER_SHIPPED_ITEM", update_time=at(home, hours=2), seller_next_action_response=[action]
    )

    assert request.stage.name == "pending_inspection"
    assert running(request) == [("inspect.tracked", due)]
    assert [parcel.status for parcel in request.shipments] == [ShipmentStatus.DELIVERED]


async def test_the_number_of_a_parcel_may_come_later(home: Home) -> None:
    await brought(home, return_status="BUYER_SHIPPED_ITEM", update_time=at(home, hours=20))

    request = await brought(
        home, return_status="BUYER_SHIPPED_ITEM", update_time=at(home, hours=2), return_tracking_number="JP1",
        return_provider_name="J&T",
    )  # fmt: skip

    assert [(parcel.carrier, parcel.tracking) for parcel in request.shipments] == [("J&T", "JP1")]
    assert request.stage.name == "return_in_transit"


async def test_the_deadline_of_the_marketplace_wins_over_the_policy(home: Home) -> None:
    """14: in milliseconds, too."""
    due = home.clock() + timedelta(hours=5)
    action = {"action": "SELLER_RESPOND_RETURN", "deadline": int(due.timestamp() * 1000)}
    asked = {"return_status": "RETURN_OR_REFUND_REQUEST_PENDING", "seller_next_action_response": [action]}

    request = await brought(home, **asked)
    await home.pass_time(hours=5)

    assert running(request) == [("review.first", due)]
    assert (await home.request(request.id)).stage.name == "awaiting_buyer_ship"


async def test_a_deadline_that_is_moved_is_told_as_a_new_clock(home: Home) -> None:
    def asked(hours: int, **changes: Any) -> dict[str, Any]:
        due = int((home.clock() + timedelta(hours=hours)).timestamp())
        action = {"action": "SELLER_RESPOND_RETURN", "deadline": due}
        return {"return_status": "RETURN_OR_REFUND_REQUEST_PENDING", "seller_next_action_response": [action]} | changes

    await brought(home, **asked(5))

    request = await brought(home, **asked(9, update_time=at(home, hours=1)))

    assert [clock.status.value for clock in request.clocks] == ["CANCELED", "RUNNING"]
    assert running(request) == [("review.first", home.clock() + timedelta(hours=9))]


async def test_the_same_file_again_changes_nothing(home: Home) -> None:
    first = await brought(home)

    assert await outcomes(home, record(home), record(home)) == ["UNCHANGED", "UNCHANGED"]
    assert await home.request(first.id) == first


async def test_an_older_record_is_stale_and_a_newer_one_moves_the_request(home: Home) -> None:
    newer = record(
        home, return_status="BUYER_SHIPPED_ITEM", update_time=at(home, hours=2), return_tracking_number="JP9"
    )

    assert await outcomes(home, record(home), newer, record(home)) == ["CREATED", "UPDATED", "STALE"]

    request = await home.request(request_id(RETURN))
    assert (request.stage.name, request.version) == ("return_in_transit", 2)
    assert [(parcel.status, parcel.tracking) for parcel in request.shipments] == [(ShipmentStatus.HANDED_OVER, "JP9")]


async def test_money_that_the_marketplace_gives_is_never_paid_by_us(home: Home) -> None:
    """Granted there, granted here by a person, granted by silence: it pays, and says so later."""
    await bring(home, record(home, return_type="REFUND", return_status="RETURN_OR_REFUND_REQUEST_SUCCESS"))
    by_person = record(home, return_id="2", order_id="2", return_type="REFUND",
                       return_status="RETURN_OR_REFUND_REQUEST_PENDING", update_time=at(home, minutes=1))  # fmt: skip
    await bring(home, by_person, by_person | {"return_id": "3", "order_id": "3"})
    await home.running.desk.act(request_id("2"), "approve", SELLER)
    await home.pass_time(days=30)

    requests = [await home.request(request_id(id)) for id in (RETURN, "2", "3")]
    assert [request.stage.name for request in requests] == ["refunding"] * 3
    assert [request.refunds[0].status for request in requests] == [RefundStatus.PENDING] * 3
    assert home.bank.asked == []

    paid = record(home, return_type="REFUND", return_status="RETURN_OR_REFUND_REQUEST_COMPLETE", update_time=at(home))
    assert await outcomes(home, paid) == ["UPDATED"]
    after = await home.request(request_id(RETURN))
    assert (after.stage.name, after.refund_paid, len(after.refunds)) == ("completed", idr(100_000), 1)
    await home.pass_time(days=1)
    assert home.bank.asked == []


@pytest.mark.parametrize(
    ("granted", "told", "paid"),
    [
        (None, "60000", 60_000),
        (None, "100000", 100_000),
        (50_000, "100000", 100_000),
        (50_000, "50000", 50_000),
        (50_000, "", 50_000),
    ],
)
async def test_what_the_marketplace_paid_counts_whatever_was_granted_here(
    home: Home, granted: int | None, told: str, paid: int
) -> None:
    """C18: the record says how much; where it does not, it is what was granted."""
    asked = {"return_type": "REFUND", "return_status": "RETURN_OR_REFUND_REQUEST_PENDING"}
    request = await brought(home, **asked)
    if granted:
        await home.running.desk.act(request.id, "approve", SELLER, given={"amount": idr(granted)})

    item_told = item(told)
    done = record(home, return_type="REFUND", return_status="RETURN_OR_REFUND_REQUEST_COMPLETE", update_time=at(home),
                  refund_amount={"currency": "IDR", "refund_total": told}, return_line_items=[item_told])  # fmt: skip
    assert await outcomes(home, done) == ["UPDATED"]

    after = await home.request(request.id)
    assert (after.refund_paid, after.refund_approved) == (idr(paid), idr(paid))
    assert [refund.amount for refund in after.refunds if refund.status is RefundStatus.PAID] == [idr(paid)]
    assert after.order.refunded() == idr(paid)


async def test_more_than_was_ever_asked_for_is_not_passed_off_as_less(home: Home) -> None:
    asked = {"return_type": "REFUND", "return_status": "RETURN_OR_REFUND_REQUEST_PENDING"}
    request = await brought(home, **asked)

    [result] = await bring(home, record(home, return_type="REFUND", update_time=at(home),
                                        return_status="RETURN_OR_REFUND_REQUEST_COMPLETE",
                                        refund_amount={"currency": "IDR", "refund_total": "120000"}))  # fmt: skip

    assert (result.outcome, result.text) == (
        Outcome.UNMAPPED, "It refunds 120000 IDR, and 100000 IDR can be refunded of the order.",
    )  # fmt: skip
    assert await home.request(request.id) == request


async def test_what_takes_the_place_of_a_return_that_was_brought_in_is_not_paid_by_us_either(home: Home) -> None:
    """C2: the marketplace still has the one that was edited here, and pays for it."""
    request = await brought(home, return_type="REFUND", return_status="RETURN_OR_REFUND_REQUEST_PENDING")
    asked = Asked(request.order.id, (ClaimLine(request.lines[0].order_line_id, 1),), "missed_delivery_date")

    edited = (await home.running.desk.replace(request.id, "edit", AGENT, asked, expected=request.version)).request
    await home.running.desk.act(edited.id, "approve", SELLER)
    await home.pass_time(days=30)

    assert (await home.request(edited.id)).stage.name == "refunding"
    assert home.bank.asked == []


async def test_what_people_did_here_is_not_undone_by_a_record_that_says_the_same(home: Home) -> None:
    pending = {"return_status": "RETURN_OR_REFUND_REQUEST_PENDING", "update_time": at(home, hours=1)}
    request = await brought(home, **pending)
    await home.running.desk.act(request.id, "approve", SELLER)

    again = record(home, **pending | {"update_time": at(home, minutes=1)})

    assert await outcomes(home, again) == ["UNCHANGED"]
    assert (await home.request(request.id)).stage.name == "awaiting_buyer_ship"


async def test_a_record_that_would_move_a_request_back_waits_for_a_person(home: Home) -> None:
    request = await brought(home, return_status="BUYER_SHIPPED_ITEM", update_time=at(home, hours=3))

    back = record(home, return_status="RETURN_OR_REFUND_REQUEST_PENDING", update_time=at(home, hours=1))
    [result] = await bring(home, back)

    assert result.outcome is Outcome.UNMAPPED
    assert "return_in_transit" in result.text
    assert await home.request(request.id) == request
    [kept] = await home.running.desk.ledger.unmapped()
    assert (kept.external_id, kept.request_id, json.loads(kept.record)) == (RETURN, request.id, back)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"return_status": "ON_THE_MOON"}, "ON_THE_MOON says nothing"),
        ({"return_type": "GIFT"}, "GIFT is no type"),
        ({"return_type": "REFUND"}, "AWAITING_BUYER_SHIP says nothing that is known here of a REFUND"),
        ({"arbitration_status": "PERHAPS"}, "arbitration_status"),
        ({"refund_amount": {"currency": "IDR", "refund_total": "12.50"}}, "IDR has 0 decimals"),
        ({"return_line_items": []}, "missing"),
        ({"return_line_items": None}, "missing"),
        ({"order_id": ""}, "missing"),
        ({"update_time": 99999999999}, "future"),
    ],
)
async def test_what_cannot_be_followed_is_kept_for_a_person(home: Home, changes: dict[str, Any], why: str) -> None:
    told = record(home, **changes)

    [result] = await bring(home, told)

    assert result.outcome is Outcome.UNMAPPED
    assert why in result.text
    [kept] = await home.running.desk.ledger.unmapped()
    assert json.loads(kept.record) == told
    assert await outcomes(home, told) == ["UNMAPPED"]
    assert await outcomes(home, record(home)) == ["CREATED"]
    assert await home.running.desk.ledger.unmapped() == []


async def test_an_unknown_reason_is_another_reason_and_flagged(home: Home) -> None:
    request = await brought(home, return_reason="it_sings")

    assert request.reason == "other"
    assert request.tags == {"imported", "unknown_reason"}


async def test_ids_and_amounts_may_be_numbers_and_stay_exact(home: Home) -> None:
    text = json.dumps(record(home, return_id=576460752303423489, order_id=576461413038785011))
    text = text.replace('"100000"', "100000.0")

    [result] = await bring(home, text)

    request = await home.request(request_id("576460752303423489"))
    assert result.outcome is Outcome.CREATED
    assert request.order.number == "576461413038785011"
    assert request.refund_max == idr(100_000)


async def test_the_dispute_beside_it_stops_the_clocks_until_it_is_decided(home: Home) -> None:
    rejected = {"return_status": "REQUEST_REJECTED", "arbitration_status": "IN_PROGRESS"}

    open_ = await brought(home, **rejected, update_time=at(home, hours=3))
    decided = await brought(
        home, return_status="AWAITING_BUYER_SHIP", arbitration_status="SUPPORT_BUYER", update_time=at(home, hours=1)
    )

    assert (open_.dispute_status, open_.waits_for) == ("OPEN", Party.PLATFORM)
    assert [clock.key for clock in open_.clocks if clock.due_at] == ["dispute.decision"]
    assert (decided.dispute_status, decided.stage.name, len(decided.disputes)) == (
        "SUPPORT_BUYER", "awaiting_buyer_ship", 1,
    )  # fmt: skip
    assert [clock.key for clock in decided.clocks if clock.alive] == ["ship_back.drop_off"]


async def test_who_paid_for_the_way_back_is_kept(home: Home) -> None:
    fees = [{"currency": "IDR", "seller_paid_return_shipping_fee": "9000", "buyer_paid_return_shipping_fee": ""}]

    request = await brought(home, return_status="BUYER_SHIPPED_ITEM", shipping_fee_amount=fees)

    assert [(cost.kind.value, cost.payer, cost.amount) for cost in request.costs] == [
        ("RETURN_SHIPPING", Party.SELLER, idr(9_000))
    ]


async def test_the_chain_is_known_whichever_end_comes_first(home: Home) -> None:
    second = record(home, return_id="2", pre_return_id=RETURN, return_status="RETURN_OR_REFUND_REQUEST_PENDING",
                    update_time=at(home, hours=1))  # fmt: skip
    first = record(home, return_status="RETURN_OR_REFUND_REQUEST_CANCEL", next_return_id="2")

    dangling = record(home, return_id="3", order_id="3", pre_return_id="never")

    assert await outcomes(home, second, first, dangling) == ["CREATED"] * 3
    assert (await home.request(request_id("2"))).previous_id == request_id(RETURN)
    assert (await home.request(request_id(RETURN))).next_id == request_id("2")
    query = "query ($by: RequestRef!) { request(by: $by) { previous { id } } }"
    shown = await home.ask(query, SELLER, by={"id": request_id("3")})
    assert shown["request"]["previous"] is None


async def test_the_order_fills_the_stub_and_the_buyer_finds_the_request(home: Home) -> None:
    """The product stands at another place, and its units on two lines."""
    request = await brought(home, return_line_items=[item("50000"), item("50000")])

    order = await home.order(
        line(sku_id="sku_9", paid=700), line(paid=60_000), line(paid=60_001), number=ORDER, shipping=500
    )
    await home.order(line(sku_id="sku_9", paid=700), line(paid=60_000), line(paid=60_001), number=ORDER, shipping=500)

    after = await home.request(request.id)
    assert not order.stub
    assert after.order.buyer_id == BUYER.id
    assert [(bought.sku_id, bought.quantity, bought.paid) for bought in order.lines] == [
        ("sku_9", 1, idr(700)), ("sku_1", 2, idr(120_001)),
    ]  # fmt: skip
    assert after.lines[0].order_line_id == order.lines[1].id
    assert order.total == idr(121_201)
    query = "query ($by: RequestRef!) { request(by: $by) { id order { stub } } }"
    assert (await home.ask(query, BUYER, by={"id": request.id}))["request"] == {
        "id": request.id, "order": {"stub": False},
    }  # fmt: skip


async def test_a_stub_grows_with_each_return_that_names_it(home: Home) -> None:
    """10: what is refunded of an order stays within what was paid for it, made up or not."""
    done = {"return_type": "REFUND", "return_status": "RETURN_OR_REFUND_REQUEST_COMPLETE"}
    dearer = {"refund_amount": {"currency": "IDR", "refund_total": "110001"}, "return_line_items": [item("55001")] * 2}
    other = {
        "refund_amount": {"currency": "IDR", "refund_total": "40000"},
        "return_line_items": [item("40000", "sku_2")],
    }

    assert await outcomes(home, record(home, **done), record(home, return_id="2", **done | dearer)) == ["CREATED"] * 2
    assert await outcomes(home, record(home, return_id="3", **other)) == ["CREATED"]

    first, third = [await home.request(request_id(id)) for id in (RETURN, "3")]
    assert [(line.sku_id, line.quantity) for line in third.order.lines] == [("sku_1", 3), ("sku_2", 1)]
    assert first.lines[0].order_line_id == third.order.lines[0].id
    assert third.order.refunded() == idr(210_001)
    assert third.order.total >= idr(250_001)
    assert third.order.total == sum((line.paid for line in third.order.lines), idr(0))


async def test_a_return_that_takes_the_place_of_another_claims_the_same_units_of_a_stub(home: Home) -> None:
    first = record(home, return_status="REQUEST_REJECTED", next_return_id="2")
    again = record(home, return_id="2", pre_return_id=RETURN, return_status="RETURN_OR_REFUND_REQUEST_PENDING")

    assert await outcomes(home, first, again) == ["CREATED"] * 2
    assert [line.quantity for line in (await home.request(request_id("2"))).order.lines] == [1]


async def test_an_order_that_was_a_stub_grows_no_more(home: Home) -> None:
    await bring(home, record(home))
    await home.order(line(), number=ORDER)

    assert await outcomes(home, record(home, return_id="2")) == ["UNMAPPED"]


async def test_an_order_that_lacks_what_was_returned_is_refused(home: Home) -> None:
    await brought(home)

    told = ImportedOrder(
        SHOP.id, ORDER, BUYER.id, "IDR", OrderState.DELIVERED, home.clock(), None, idr(1), idr(0),
        (line(sku_id="sku_9", paid=1),),
    )  # fmt: skip
    assert await home.running.desk.ledger.import_orders([told], home.clock()) == [imports.Outcome.LACKS_LINE]
    [stub] = (await home.running.desk.ledger.orders([order_id(SHOP.id, ORDER)])).values()
    assert stub.stub


async def test_a_known_order_keeps_its_money_and_two_returns_share_its_units(home: Home) -> None:
    order = await home.order(line(quantity=2, paid=50_000), number=ORDER, state=OrderState.DELIVERED)
    one = record(home, refund_amount={"currency": "IDR", "refund_total": "50000"}, return_line_items=[item("50000")])

    told = [one, one | {"return_id": "2"}, one | {"return_id": "3"}]

    assert await outcomes(home, *told) == ["CREATED", "CREATED", "UNMAPPED"]
    request = await home.request(request_id("2"))
    assert (request.order.id, request.order.stub, request.refund_max) == (order.id, False, idr(50_000))


async def test_more_money_than_was_paid_waits_for_a_person(home: Home) -> None:
    await home.order(line(paid=50_000), number=ORDER)

    [result] = await bring(home, record(home))

    assert result.outcome is Outcome.UNMAPPED
    assert "50000 IDR can be refunded" in result.text


@pytest.mark.parametrize("pack", ["envelope", "pages", "list", "pretty"])
async def test_a_file_may_be_an_envelope_pages_or_a_list(home: Home, pack: str) -> None:
    told = [record(home), record(home, return_id="2", order_id="2")]
    envelope = {"code": 0, "message": "Success", "data": {"return_orders": told, "total_count": 2}}
    files = {
        "envelope": json.dumps(envelope),
        "pages": json.dumps([envelope, {"code": 0, "data": {"return_orders": []}}]),
        "list": "\ufeff" + json.dumps(told),
        "pretty": json.dumps(envelope, indent=2),
    }

    results = await from_file(home, files[pack].encode())

    assert [result.outcome for result in results] == [Outcome.CREATED, Outcome.CREATED]


@pytest.mark.parametrize(
    "content",
    [
        "hello",
        "[1, 2]",
        '{"code": 36009004, "message": "Invalid token", "data": {}}',
        '{"a": NaN}',
        "[" * 100_000,
        "{}",
    ],
)
async def test_what_is_no_export_is_refused_and_nothing_else(home: Home, content: str) -> None:
    results = await from_file(home, content.encode())

    assert {result.outcome for result in results} == {Outcome.REFUSED}
    assert all(result.text for result in results)


@pytest.mark.parametrize("bad", ["{", '{"return_id": "9", ', "[", "nonsense", "\x00"])
async def test_a_first_line_that_is_bad_does_not_stop_the_others(home: Home, bad: str) -> None:
    lines = [json.dumps(record(home)), json.dumps(record(home, return_id="2", order_id="2"))]

    results = await from_file(home, "\n".join([bad, *lines]).encode())

    assert [(result.place, result.outcome.value) for result in results] == [
        (1, "REFUSED"), (2, "CREATED"), (3, "CREATED"),
    ]  # fmt: skip


async def test_a_document_with_a_record_on_a_line_of_its_own_is_still_one(home: Home) -> None:
    content = '{"code": 0, "data": {"return_orders": [\n' + json.dumps(record(home)) + "\n]}}"

    assert [result.outcome.value for result in await from_file(home, content.encode())] == ["CREATED"]


async def test_a_bad_line_does_not_stop_the_others(home: Home) -> None:
    assert await outcomes(home, record(home), "{", "", record(home, return_id="2", order_id="2")) == [
        "CREATED", "REFUSED", "CREATED",
    ]  # fmt: skip


# fmt: off
SAID = {
    "refund_only": {
        "pending_review": "RETURN_OR_REFUND_REQUEST_PENDING", "awaiting_buyer_response": "AWAITING_BUYER_RESPONSE",
        "rejected": "REFUND_OR_RETURN_REQUEST_REJECT", "refunding": "RETURN_OR_REFUND_REQUEST_SUCCESS",
        "completed": "RETURN_OR_REFUND_REQUEST_COMPLETE", "canceled": "RETURN_OR_REFUND_REQUEST_CANCEL",
        "closed": "RETURN_OR_REFUND_REQUEST_CANCEL",
    },
    "return_refund": {
        "pending_review": "RETURN_OR_REFUND_REQUEST_PENDING", "awaiting_buyer_response": "AWAITING_BUYER_RESPONSE",
        "rejected": "REFUND_OR_RETURN_REQUEST_REJECT", "awaiting_buyer_ship": "AWAITING_BUYER_SHIP",
        "return_in_transit": "BUYER_SHIPPED_ITEM", "pending_inspection": "BUYER_SHIPPED_ITEM",
        "package_rejected": "REJECT_RECEIVE_PACKAGE", "refunding": "RETURN_OR_REFUND_REQUEST_SUCCESS",
        "completed": "RETURN_OR_REFUND_REQUEST_COMPLETE", "canceled": "RETURN_OR_REFUND_REQUEST_CANCEL",
        "closed": "RETURN_OR_REFUND_REQUEST_CANCEL",
    },
    "reshipment": {
        "pending_review": "REPLACEMENT_REQUEST_PENDING", "awaiting_buyer_response": "AWAITING_BUYER_RESPONSE",
        "rejected": "REPLACEMENT_REQUEST_REJECT", "awaiting_seller_ship": "REPLACEMENT_REQUEST_COMPLETE",
        "outbound_in_transit": "REPLACEMENT_REQUEST_COMPLETE", "completed": "REPLACEMENT_REQUEST_COMPLETE",
        "refunding": "REPLACEMENT_REQUEST_REFUND_SUCCESS", "canceled": "RETURN_OR_REFUND_REQUEST_CANCEL",
        "closed": "RETURN_OR_REFUND_REQUEST_CANCEL",
    },
    "exchange": {
        "pending_review": "EXCHANGE_REQUEST_PENDING", "awaiting_buyer_response": "AWAITING_BUYER_RESPONSE",
        "rejected": "REFUND_OR_RETURN_REQUEST_REJECT", "awaiting_buyer_ship": "AWAITING_BUYER_SHIP",
        "return_in_transit": "BUYER_SHIPPED_ITEM", "pending_inspection": "BUYER_SHIPPED_ITEM",
        "package_rejected": "REJECT_RECEIVE_PACKAGE", "awaiting_seller_ship": "EXCHANGE_REQUEST_COMPLETE",
        "outbound_in_transit": "EXCHANGE_REQUEST_COMPLETE", "completed": "EXCHANGE_REQUEST_COMPLETE",
        "refunding": "EXCHANGE_REQUEST_REFUND_SUCCESS", "canceled": "RETURN_OR_REFUND_REQUEST_CANCEL",
        "closed": "RETURN_OR_REFUND_REQUEST_CANCEL",
    },
}
# fmt: on


async def test_every_stage_of_every_kind_has_the_word_of_the_marketplace(home: Home) -> None:
    kinds = home.running.registry.kinds
    request = await brought(home)
    said = {
        name: {
            stage.name: shown.status
            for stage in kind.process.stages.values()
            if (shown := external(replace(request, kind=name, stage=stage)))
        }
        for name, kind in kinds.items()
    }

    assert said == SAID


async def test_goods_that_ended_in_money_say_so(home: Home) -> None:
    request = await brought(home, return_type="REPLACEMENT", return_status="REPLACEMENT_REQUEST_REFUND_SUCCESS")
    done = replace(request, stage=COMPLETED, refund_paid=idr(100_000))

    assert external(done) == External("REPLACEMENT_REQUEST_REFUND_SUCCESS", None, None)
    assert external(replace(done, kind="partners_own")) is None


async def test_what_the_marketplace_would_ask_is_a_field_of_the_request(home: Home) -> None:
    due = home.clock() + timedelta(hours=5)
    action = {"action": "SELLER_RESPOND_RETURN", "deadline": int(due.timestamp())}
    request = await brought(
        home, return_status="RETURN_OR_REFUND__REQUEST_PENDING", seller_next_action_response=[action]
    )
    query = "query ($by: RequestRef!) { request(by: $by) { external { format status rawStatus nextAction deadline } } }"

    asked = (await home.ask(query, SELLER, by={"id": request.id}))["request"]["external"]
    approved = await home.running.desk.act(request.id, "approve", SELLER)
    after = (await home.ask(query, SELLER, by={"id": approved.request.id}))["request"]["external"]

    raw = {"format": "tiktok", "rawStatus": "RETURN_OR_REFUND__REQUEST_PENDING"}
    assert asked == raw | {
        "status": "RETURN_OR_REFUND_REQUEST_PENDING", "nextAction": "SELLER_RESPOND_RETURN",
        "deadline": due.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    assert after == raw | {"status": "AWAITING_BUYER_SHIP", "nextAction": None, "deadline": None}


@pytest.mark.parametrize(
    ("type", "action"),
    [
        ("REFUND", "SELLER_RESPOND_REFUND"),
        ("RETURN_AND_REFUND", "SELLER_RESPOND_RETURN"),
        ("REPLACEMENT", "SELLER_RESPOND_REPLACEMENT"),
        ("EXCHANGE", "SELLER_RESPOND_REPLACEMENT"),
    ],
)
async def test_each_kind_asks_its_own_of_the_seller(home: Home, type: str, action: str) -> None:
    now = at(home, minutes=1)
    request = await brought(
        home, return_type=type, return_status="RETURN_OR_REFUND_REQUEST_PENDING", create_time=now, update_time=now
    )

    said = external(request)

    assert request.next_clock
    assert said
    assert (said.next_action, said.deadline) == (action, request.next_clock.due_at)


async def test_a_parcel_that_has_come_is_to_be_looked_at(home: Home) -> None:
    request = await brought(home, return_status="BUYER_SHIPPED_ITEM", rma_status="PENDING_PACKAGE_REVIEW")

    said = external(request)

    assert said
    assert said.next_action == "SELLER_RESPOND_RECEIVE_PACKAGE"


async def test_an_offer_that_was_made_at_the_marketplace_is_answered_there(home: Home) -> None:
    """C7: nobody here knows what was offered; time alone goes on (C6x)."""
    request = await brought(home, return_status="AWAITING_BUYER_RESPONSE", update_time=at(home, hours=1))

    query = "query ($by: RequestRef!) { request(by: $by) { availableActions { mutation } } }"
    actions = (await home.ask(query, BUYER_OF_STUB, by={"id": request.id}))["request"]["availableActions"]

    assert [action["mutation"] for action in actions] == ["offerDecline", "requestCancel"]
    with pytest.raises(Refused, match="at the marketplace"):
        await home.running.desk.act(request.id, "offer_accept", BUYER_OF_STUB)
    await home.pass_time(days=2)

    assert (await home.request(request.id)).stage.name == "pending_review"


async def test_the_examples_of_the_documentation_can_be_imported(home: Home) -> None:
    document = Path(__file__).parents[2].joinpath("docs", "import.md").read_text(encoding="utf-8")
    [example] = re.findall(r"^```jsonl\n(.*?)^```", document, re.DOTALL | re.MULTILINE)
    home.clock.now = datetime(2025, 3, 4, 8, 0, tzinfo=UTC)

    results = await from_file(home, example.encode())

    assert [result.outcome for result in results] == [Outcome.CREATED] * 3


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("1" * 30) | st.floats(allow_nan=True)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


@given(damage=st.dictionaries(st.sampled_from([
    "return_id", "order_id", "return_type", "return_status", "return_reason", "arbitration_status", "create_time",
    "update_time", "refund_amount", "return_line_items", "seller_next_action_response", "shipping_fee_amount",
    "handover_method", "pre_return_id", "discount_amount", "return_tracking_number",
]), VALUES, max_size=5))  # fmt: skip
def test_a_damaged_record_is_always_told_what_is_wrong(damage: dict[str, Any]) -> None:
    now = datetime.fromisoformat("2025-03-10T10:00:00+00:00")
    whole: dict[str, Any] = {
        "return_id": "1", "order_id": "2", "return_type": "REFUND", "return_status": "X", "update_time": 1741000000,
        "refund_amount": {"currency": "IDR", "refund_total": "1"}, "return_line_items": [item("1")],
    }  # fmt: skip

    found = read(whole | damage, 1, lambda currency: {"IDR": 0, "THB": 2}[currency], now)

    assert (found.told is None) is bool(found.problems)
    assert bool(found.id) is bool(found.raw)

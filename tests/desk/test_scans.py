"""Carriers tell what they see, out of order and twice; each parcel moves its own request, and no more than once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.desk.acts import act, history, key, opened, return_opened, said
from tests.desk.conftest import Another
from tests.engine.builders import EX_ROWS

from aftersales.engine.reasons import reasons, reject_codes
from aftersales.engine.request import Leg, Request
from aftersales.engine.stages import AWAITING_BUYER_SHIP
from aftersales.engine.vocabulary import ReturnMethod
from aftersales.hookspecs import hookimpl
from aftersales.marketplace.scans import Scan, ScanEvent, Scanned, ScanOutcome, report
from aftersales.request_type import RequestType
from aftersales.testing import Home
from aftersales.testing.house import BUYER, CARRIER, SELLER

DONE, KNOWN, REFUSED = ScanOutcome


async def scan(home: Home, event: str, name: str = "", **told: Any) -> Scanned:
    """A scan with a key of its own, unless it is named."""
    name = name or f"key-{await home.running.house.log.last_serial()}-{event}-{home.clock()}"
    return await report(
        home.running.desk,
        CARRIER,
        Scan(ScanEvent[event], told.pop("carrier", "JNE"), **told),
        key(name, "same", "scans"),
    )


async def seen(home: Home, request: Request, event: str, leg: Leg = Leg.RETURN, **told: Any) -> Scanned:
    return await scan(home, event, request_id=request.id, leg=leg, **told)


async def approved(home: Home, method: ReturnMethod = ReturnMethod.DROP_OFF) -> Request:
    return await act(home, await return_opened(home, method), "approve")


def stage(scanned: Scanned) -> str:
    return scanned.request.stage.name if scanned.request else ""


def codes(scanned: Scanned) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in scanned.problems]


async def test_a_parcel_is_followed_from_hand_over_to_delivery(home: Home) -> None:
    """RR7, RR11."""
    request = await approved(home)

    first = await seen(home, request, "HANDED_OVER", tracking="JP1")
    then = await scan(home, "DELIVERED", tracking="JP1")

    assert [(first.outcome, stage(first)), (then.outcome, stage(then))] == [
        (DONE, "return_in_transit"), (DONE, "pending_inspection"),
    ]  # fmt: skip
    parcel = then.request.shipment(Leg.RETURN) if then.request else None
    assert parcel
    assert (parcel.carrier, parcel.tracking, parcel.handed_over_at, parcel.delivered_at) == (
        "JNE", "JP1", home.clock(), home.clock(),
    )  # fmt: skip


async def test_a_scan_again_is_known_and_changes_nothing(home: Home) -> None:
    request = await approved(home)
    await seen(home, request, "HANDED_OVER", tracking="JP1")
    await scan(home, "DELIVERED", tracking="JP1")
    before = await history(home, request)

    again = [await scan(home, event, tracking="JP1") for event in ("HANDED_OVER", "DELIVERED", "PICKUP_FAILED")]

    assert [(scanned.outcome, stage(scanned)) for scanned in again] == [(KNOWN, "pending_inspection")] * 3
    assert await history(home, request) == before


async def test_the_same_key_again_answers_as_before(home: Home) -> None:
    request = await approved(home)

    first = await seen(home, request, "HANDED_OVER", name="k")
    again = await seen(home, request, "HANDED_OVER", name="k")

    assert [(first.outcome, first.replayed), (again.outcome, again.replayed)] == [(DONE, False), (DONE, True)]
    assert len(await said(home, request, "ReturnShipped")) == 1


async def test_the_third_failed_pick_up_is_told_apart_from_the_second_told_twice(home: Home) -> None:
    """Worked case 18, RR5, RR6."""
    request = await approved(home, ReturnMethod.PICK_UP)

    tries = [await seen(home, request, "PICKUP_FAILED", name=name) for name in ("1", "2", "2", "3")]

    assert [(scanned.outcome, scanned.replayed) for scanned in tries] == [
        (DONE, False), (DONE, False), (DONE, True), (DONE, False),
    ]  # fmt: skip
    last = tries[-1].request
    assert last
    assert last.return_method is ReturnMethod.DROP_OFF
    assert len(await said(home, request, "PickupFailed")) == 3


@pytest.mark.parametrize(("event", "reached"), [("LOST", "refunding"), ("FAILED", "return_in_transit")])
async def test_a_parcel_that_came_to_harm_comes_to_it_once(home: Home, event: str, reached: str) -> None:
    """RR17."""
    request = await approved(home)
    await seen(home, request, "HANDED_OVER")

    first, again = await seen(home, request, event), await seen(home, request, event)

    assert [(first.outcome, stage(first)), (again.outcome, stage(again))] == [(DONE, reached), (KNOWN, reached)]


async def test_what_cannot_have_happened_yet_is_refused_with_the_record(home: Home) -> None:
    request = await approved(home)

    scanned = await seen(home, request, "DELIVERED")

    assert (scanned.outcome, codes(scanned), stage(scanned)) == (
        REFUSED, [("INVALID_STATE", "")], "awaiting_buyer_ship",
    )  # fmt: skip


async def test_a_parcel_of_the_buyers_own_is_not_the_carriers_to_tell_of(home: Home) -> None:
    """RR12"""
    request = await approved(home, ReturnMethod.SELF_ARRANGED)
    await act(home, request, "upload_tracking", BUYER, given={"carrier": "Bus", "tracking": "B1"})

    assert (await scan(home, "HANDED_OVER", tracking="B1")).outcome is KNOWN
    assert codes(await scan(home, "DELIVERED", tracking="B1")) == [("INVALID_STATE", "")]


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({}, ("INVALID_INPUT", "trackingNumber")),
        ({"tracking": "nobody's"}, ("NOT_FOUND", "trackingNumber")),
        ({"tracking": " "}, ("INVALID_INPUT", "trackingNumber")),
        ({"tracking": "J" * 101}, ("INVALID_INPUT", "trackingNumber")),
        ({"tracking": "JP1", "carrier": ""}, ("INVALID_INPUT", "carrier")),
        ({"request_id": "rq_none", "leg": Leg.RETURN}, ("NOT_FOUND", "requestId")),
        ({"request_id": "rq_none"}, ("INVALID_INPUT", "leg")),
        ({"tracking": "JP1", "leg": Leg.RETURN}, ("INVALID_INPUT", "requestId")),
    ],
)
async def test_a_scan_says_which_parcel(home: Home, told: dict[str, Any], problem: tuple[str, str]) -> None:
    scanned = await scan(home, "HANDED_OVER", **told)

    assert (scanned.outcome, codes(scanned)) == (REFUSED, [problem])


async def test_a_number_that_comes_round_again_means_the_parcel_on_its_way(home: Home) -> None:
    old, new = await approved(home), await approved(home)
    await seen(home, old, "HANDED_OVER", tracking="JP1")
    await seen(home, old, "LOST")
    await seen(home, new, "HANDED_OVER", tracking="JP1")

    scanned = await scan(home, "DELIVERED", tracking="JP1")

    assert scanned.request
    assert (scanned.outcome, scanned.request.id) == (DONE, new.id)


async def test_a_number_on_two_parcels_on_their_way_decides_nothing(home: Home) -> None:
    one, two = await approved(home), await approved(home)
    await seen(home, one, "HANDED_OVER", tracking="JP1")
    await seen(home, two, "HANDED_OVER", tracking="JP1")

    assert codes(await scan(home, "DELIVERED", tracking="JP1")) == [("INVALID_INPUT", "trackingNumber")]
    assert (await seen(home, two, "DELIVERED", tracking="JP1")).outcome is DONE


async def when(home: Home, request: Request, at: datetime) -> tuple[datetime, datetime]:
    """When the hand-over of a scan seen at that time happened, and when the server heard, by history."""
    await seen(home, request, "HANDED_OVER", at=at)
    [shipped] = await said(home, request, "ReturnShipped")
    return shipped.at, shipped.processed_at


@pytest.mark.parametrize(("minutes_ago", "counted"), [(0, 0), (20, 20), (60, 60), (61, 0), (-4, 0)])
async def test_a_scan_counts_from_when_it_was_seen_if_that_is_within_the_hour(
    home: Home, minutes_ago: int, counted: int
) -> None:
    request = await approved(home)
    now = home.clock.advance(hours=2)

    at, heard = await when(home, request, now - timedelta(minutes=minutes_ago))

    assert (at, heard) == (now - timedelta(minutes=counted), now)


async def test_a_scan_never_comes_before_what_happened_last(home: Home) -> None:
    request = await approved(home)
    approved_at = home.clock()
    now = home.clock.advance(minutes=10)

    assert await when(home, request, approved_at - timedelta(minutes=5)) == (approved_at, now)


async def test_a_scan_of_the_future_is_refused(home: Home) -> None:
    request = await approved(home)

    scanned = await seen(home, request, "HANDED_OVER", at=home.clock() + timedelta(minutes=6))

    assert codes(scanned) == [("INVALID_INPUT", "at")]


class Swaps:
    """A kind whose goods come back and go out: two parcels, moved by acts of the same name."""

    @hookimpl
    def aftersales_request_type(self) -> RequestType:
        return RequestType(
            "swap", "Swap", AWAITING_BUYER_SHIP, EX_ROWS, reasons("wrong_size"), reject_codes(), sends_back=True
        )


async def swapped(home: Home) -> Request:
    """The goods have come back; the seller is to send others."""
    request = await act(home, await opened(home, kind="swap", reason="wrong_size"), "approve")
    await seen(home, request, "HANDED_OVER", tracking="BACK")
    await scan(home, "DELIVERED", tracking="BACK")
    return await act(home, request, "accept_package", SELLER)


async def test_news_of_the_parcel_back_do_not_move_the_parcel_out(server: Another) -> None:
    async with server(Swaps()) as home:
        request = await swapped(home)

        assert stage(await scan(home, "HANDED_OVER", tracking="BACK")) == "awaiting_seller_ship"
        sent = await seen(home, request, "HANDED_OVER", Leg.OUTBOUND, tracking="OUT")
        assert (sent.outcome, stage(sent)) == (DONE, "outbound_in_transit")

        belated, wrong = await scan(home, "DELIVERED", tracking="BACK"), await scan(home, "LOST", tracking="BACK")
        assert (belated.outcome, stage(belated)) == (KNOWN, "outbound_in_transit")
        assert (wrong.outcome, codes(wrong), stage(wrong)) == (
            REFUSED, [("INVALID_STATE", "leg")], "outbound_in_transit",
        )  # fmt: skip

        arrived = await scan(home, "DELIVERED", tracking="OUT")
        assert (arrived.outcome, stage(arrived)) == (DONE, "completed")

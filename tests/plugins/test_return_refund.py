"""Return and refund: its reasons, its guards, its stories from open to end, and what silence does at each stage."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from tests.desk.acts import act, claim, codes, history, return_opened, said, staged

from aftersales.engine.request import Leg, Request, ShipmentStatus
from aftersales.engine.stages import expiry
from aftersales.engine.vocabulary import (
    ApprovedBy,
    CloseReason,
    EvidenceKind,
    OrderState,
    ReturnMethod,
    Shop,
    ShopKind,
)
from aftersales.testing import Home
from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, idr, line

DROP_OFF, PICK_UP, SELF = ReturnMethod.DROP_OFF, ReturnMethod.PICK_UP, ReturnMethod.SELF_ARRANGED
HOMELESS = Shop("sh_1", "Toko", "ID", ShopKind.MALL, "Asia/Jakarta", return_address=False)
TRACKING = {"carrier": "JNE", "tracking": "JP1"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BY, WHY = ApprovedBy, CloseReason

# fmt: off
REASONS = {
    # reason                needs evidence
    "missed_delivery_date": False,
    "not_as_described":     True,
    "wrong_item":           True,
    "missing_item":         True,
    "damaged":              True,
    "defective":            True,
    "counterfeit":          True,
    "no_longer_needed":     True,
    "wrong_size":           False,
    "other":                False,
}
# fmt: on


@pytest.mark.parametrize(("reason", "evidence"), REASONS.items())
async def test_a_reason_holds_once_the_goods_have_come_and_with_its_evidence(
    home: Home, reason: str, evidence: bool
) -> None:
    """Section 8; G_REASON, G_EVIDENCE, G_ORDER_STATE."""
    here, coming = await home.order(number="1"), await home.order(number="2", state=OrderState.IN_TRANSIT)
    desk = home.running.desk

    shown = (await staged(home),)
    early = await codes(
        desk.open("return_refund", BUYER, claim(coming, reason=reason, note="Look", evidence_ids=shown))
    )
    bare = await codes(desk.open("return_refund", BUYER, claim(here, reason=reason, note="Look")))
    if bare:
        await desk.open("return_refund", BUYER, claim(here, reason=reason, note="Look", evidence_ids=shown))

    assert early == ["INELIGIBLE", "REASON_NOT_ALLOWED"]
    assert bare == (["EVIDENCE_REQUIRED"] if evidence else [])


async def test_reasons_of_other_kinds_are_none_of_its_own(home: Home) -> None:
    order = await home.order()

    for reason in ("not_received", "wont_arrive_on_time", "wants_other_variation"):
        asked = claim(order, reason=reason, note="Look")
        assert await codes(home.running.desk.open("return_refund", BUYER, asked)) == ["REASON_NOT_ALLOWED"]


async def test_what_cannot_be_sent_back_is_not_asked_for(home: Home) -> None:
    """G_TYPE_OK."""
    kept, worn = await home.order(line(returnable=False), line(change_of_mind_ok=False, sku_id="sku_2")), "wrong_size"
    photo = (await staged(home),)

    open = home.running.desk.open
    assert await codes(open("return_refund", BUYER, claim(kept, reason=worn))) == ["INELIGIBLE"]
    changed = claim(kept, line=1, reason="no_longer_needed", evidence_ids=photo)
    assert await codes(open("return_refund", BUYER, changed)) == ["INELIGIBLE"]
    assert await codes(open("return_refund", BUYER, claim(kept, line=1, reason=worn))) == []


async def test_nothing_can_come_back_to_nowhere(home: Home) -> None:
    """RR1."""
    request = await return_opened(home, order=await home.order(shop=HOMELESS))

    assert await codes(act(home, request, "approve")) == ["INELIGIBLE"]
    assert (await act(home, request, "approve_keep_item")).stage.name == "refunding"


async def test_a_parcel_is_expected_once_the_return_is_approved(home: Home) -> None:
    """RR1."""
    approved = await act(home, await return_opened(home, PICK_UP), "approve")

    parcel = approved.shipment(Leg.RETURN)
    assert parcel is not None
    assert (approved.stage.name, parcel.status, parcel.method) == (
        "awaiting_buyer_ship",
        ShipmentStatus.EXPECTED,
        PICK_UP,
    )
    assert [event.rule for event in await said(home, approved, "ShipmentExpected")] == ["RR1"]
    assert approved.refunds == ()


async def test_the_buyer_may_keep_the_goods_and_get_part_of_the_money(home: Home) -> None:
    """RR2."""
    request = await return_opened(home)

    too_much = await codes(act(home, request, "approve_keep_item", given={"amount": idr(100_001)}))
    not_theirs = await codes(act(home, request, "approve_keep_item", AGENT))
    granted = await act(home, request, "approve_keep_item", given={"amount": idr(30_000)})

    assert (too_much, not_theirs) == (["AMOUNT_EXCEEDED"], ["FORBIDDEN"])
    assert (granted.stage.name, granted.refunds[0].amount, granted.shipments) == ("refunding", idr(30_000), ())


async def test_from_asking_to_the_last_cent(home: Home) -> None:
    """C1, RR1, RR7, RR11, RR13, C18."""
    request = await inspected(home)

    accepted = await act(home, request, "accept_package", expected=request.version)
    await home.running.tender.tend()

    done = await home.request(request.id)
    rules = list(dict.fromkeys(event.rule for event in await history(home, request)))
    assert (accepted.package_confirmed_at, accepted.approved_by) == (home.clock(), ApprovedBy.SELLER)
    assert (done.stage.name, done.refund_paid) == ("completed", idr(100_000))
    assert rules == ["C1", "RR1", "RR7", "RR11", "RR13", "C18"]
    assert {clock.status.value for clock in done.clocks} == {"MET"}


async def test_a_parcel_is_rejected_with_a_reason_of_the_second_review_and_a_photo(home: Home) -> None:
    """RR14; G_REJECT."""
    request = await inspected(home)

    first_review = await codes(act(home, request, "reject_package", given={"reason": "item_correct"}))
    unseen = await codes(act(home, request, "reject_package", given={"reason": "pkg_not_ours"}))
    photo = (await staged(home, by=SELLER),)
    no = await act(home, request, "reject_package", given={"reason": "pkg_not_ours"}, evidence_ids=photo)

    assert (first_review, unseen) == (["REASON_NOT_ALLOWED"], ["EVIDENCE_REQUIRED"])
    assert (no.stage.name, [clock.key for clock in no.clocks if clock.alive]) == (
        "package_rejected",
        ["rejection.followup"],
    )


async def test_a_buyer_who_sends_it_on_their_own_says_where_it_is_and_the_seller_that_it_came(home: Home) -> None:
    """RR9, RR12: the clock to inspect runs on from the tracking number."""
    request = await act(home, await return_opened(home, SELF), "approve")

    nowhere = await codes(act(home, request, "upload_tracking", BUYER, given={"carrier": "JNE"}))
    by_us = await codes(act(home, request, "handed_over", CARRIER))
    sent = await act(home, request, "upload_tracking", BUYER, given=TRACKING)
    home.clock.advance(days=3)
    received = await act(home, request, "mark_received")

    assert (nowhere, by_us) == (["INVALID_INPUT"], ["INVALID_STATE"])
    assert (sent.stage.name, received.stage.name) == ("return_in_transit", "pending_inspection")
    assert received.clock("inspect.self_arranged") == sent.clock("inspect.self_arranged")
    assert (await act(home, request, "accept_package")).stage.name == "refunding"


async def test_another_method_gives_no_more_time(home: Home) -> None:
    """RR3."""
    request = await act(home, await return_opened(home, DROP_OFF), "approve")
    first = request.next_clock
    home.clock.advance(days=4)

    chosen = await act(home, request, "choose_method", BUYER, given={"method": SELF})

    assert first is not None
    assert chosen.next_clock is not None
    assert (chosen.return_method, chosen.next_clock.key) == (SELF, "ship_back.self")
    assert chosen.next_clock.due_at == first.due_at
    assert await codes(act(home, request, "choose_method", BUYER)) == ["INVALID_INPUT"]


async def test_a_pick_up_is_tried_three_times_and_then_the_buyer_brings_it(home: Home) -> None:
    """RR4, RR5, RR6; case 18 of the model."""
    request = await act(home, await return_opened(home, PICK_UP), "approve")
    home.clock.advance(days=1)

    past = await codes(act(home, request, "schedule_pickup", BUYER, given={"pickup_at": home.clock() - HOUR}))
    far = await codes(act(home, request, "schedule_pickup", BUYER, given={"pickup_at": home.clock() + 3 * DAY}))
    booked = await act(home, request, "schedule_pickup", BUYER, given={"pickup_at": home.clock() + DAY})
    failed = [await act(home, request, "pickup_failed", CARRIER) for _ in range(3)]

    assert (past, far) == (["INVALID_INPUT"], ["INVALID_INPUT"])
    assert [clock.key for clock in booked.clocks if clock.alive] == ["ship_back.pickup"]
    assert [each.return_method for each in failed] == [PICK_UP, PICK_UP, DROP_OFF]
    assert failed[-1].next_clock is not None
    assert (failed[-1].next_clock.key, failed[-1].next_clock.due_at) == (
        "ship_back.drop_off",
        home.clock() + 10 * DAY,
    )
    assert [event.rule for event in await said(home, request, "PickupFailed")] == ["RR5", "RR5", "RR6"]


async def test_a_parcel_that_is_lost_is_refunded(home: Home) -> None:
    """RR17."""
    request = await in_transit(home)

    lost = await act(home, request, "lost", CARRIER)

    assert (lost.stage.name, lost.approved_by) == ("refunding", ApprovedBy.TIMEOUT_TRANSIT)
    assert [clock.status.value for clock in lost.clocks] == ["MET", "MET", "CANCELED"]


async def test_a_parcel_that_cannot_be_delivered_waits_for_the_seller_and_is_destroyed(home: Home) -> None:
    """RR17."""
    request = await in_transit(home)

    failed = await act(home, request, "failed", CARRIER)
    again = await codes(act(home, request, "failed", CARRIER))
    await home.pass_time(days=7)

    destroyed = (await home.request(request.id)).shipment(Leg.RETURN)
    assert failed.clock("failed_return.claim") is not None
    assert again == ["INVALID_STATE"]
    assert destroyed is not None
    assert destroyed.status is ShipmentStatus.DESTROYED


async def test_what_was_handed_over_can_no_longer_be_withdrawn(home: Home) -> None:
    """C3."""
    approved = await act(home, await return_opened(home), "approve")
    withdrawn = await act(home, approved, "cancel", BUYER)
    sent = await in_transit(home)

    assert withdrawn.stage.name == "canceled"
    assert await codes(act(home, sent, "cancel", BUYER)) == ["INVALID_STATE"]


async def test_the_platform_approves_in_the_sellers_place(home: Home) -> None:
    """C15."""
    approved = await act(home, await return_opened(home), "platform_approve", AGENT)

    assert (approved.stage.name, approved.tags) == ("awaiting_buyer_ship", frozenset({"platform_approved_return"}))


async def test_the_platform_refunds_and_lets_the_buyer_keep_it(home: Home) -> None:
    """C16."""
    waiting = await act(home, await return_opened(home), "approve")

    refunded = await act(home, waiting, "refund_without_return", AGENT)

    [compensation] = refunded.costs
    assert (refunded.stage.name, refunded.tags) == ("refunding", frozenset({"refund_without_return"}))
    assert compensation.amount == idr(100_000)


async def approved(home: Home, method: ReturnMethod = DROP_OFF) -> Request:
    return await act(home, await return_opened(home, method), "approve")


async def in_transit(home: Home) -> Request:
    return await act(home, await approved(home), "handed_over", CARRIER, given=TRACKING)


async def inspected(home: Home) -> Request:
    return await act(home, await in_transit(home), "delivered", CARRIER)


async def picked_up(home: Home) -> Request:
    given = {"pickup_at": home.clock() + DAY}
    return await act(home, await approved(home, PICK_UP), "schedule_pickup", BUYER, given=given)


async def sent_alone(home: Home) -> Request:
    return await act(home, await approved(home, SELF), "upload_tracking", BUYER, given=TRACKING)


async def received_alone(home: Home) -> Request:
    return await act(home, await sent_alone(home), "mark_received")


async def refused(home: Home) -> Request:
    request = await return_opened(home)
    return await act(home, request, "reject", given={"reason": "unclear_or_no_evidence"})


async def parcel_refused(home: Home) -> Request:
    request, photo = await inspected(home), (await staged(home, EvidenceKind.VIDEO, SELLER),)
    return await act(home, request, "reject_package", given={"reason": "pkg_not_ours"}, evidence_ids=photo)


@dataclass(frozen=True)
class Silence:
    """At a stage that the story leads to, nobody acts until the clock has run out."""

    story: Callable[[Home], Awaitable[Request]]
    key: str
    after: timedelta
    rule: str
    stage: str
    why: ApprovedBy | CloseReason | ReturnMethod


# fmt: off
SILENCES = [
    # where                 clock                    runs       rule    leads to               why
    Silence(return_opened,  "review.first",          2 * DAY,   "C17",  "awaiting_buyer_ship", BY.TIMEOUT_REVIEW),
    Silence(refused,        "rejection.followup",    48 * HOUR, "C10",  "closed",              WHY.REJECTION_STANDS),
    Silence(approved,       "ship_back.drop_off",    10 * DAY,  "RR10", "closed",              WHY.BUYER_DID_NOT_SHIP),
    Silence(lambda home: approved(home, SELF),
                            "ship_back.self",        10 * DAY,  "RR10", "closed",              WHY.BUYER_DID_NOT_SHIP),
    Silence(lambda home: approved(home, PICK_UP),
                            "ship_back.pickup_date", 3 * DAY,   "RR6",  "awaiting_buyer_ship", DROP_OFF),
    Silence(picked_up,      "ship_back.pickup",      7 * DAY,   "RR6",  "awaiting_buyer_ship", DROP_OFF),
    Silence(in_transit,     "return.transit",        14 * DAY,  "RR16", "refunding",           BY.TIMEOUT_TRANSIT),
    Silence(sent_alone,     "inspect.self_arranged", 14 * DAY,  "RR16", "refunding",           BY.TIMEOUT_TRANSIT),
    Silence(inspected,      "inspect.tracked",       2 * DAY,   "RR15", "refunding",           BY.TIMEOUT_INSPECTION),
    Silence(received_alone, "inspect.self_arranged", 14 * DAY,  "RR15", "refunding",           BY.TIMEOUT_INSPECTION),
    Silence(parcel_refused, "rejection.followup",    48 * HOUR, "C10",  "closed",              WHY.REJECTION_STANDS),
]
# fmt: on


@pytest.mark.parametrize("silence", SILENCES, ids=lambda silence: f"{silence.rule} {silence.key}")
async def test_silence_moves_it_on_at_the_very_instant(home: Home, silence: Silence) -> None:
    """Cases 2, 3, 4 and 15 of the model: the story begins on a Wednesday, so two working days are two days."""
    request = await silence.story(home)
    due_at = home.clock() + silence.after

    home.clock.now = due_at - timedelta(microseconds=1)
    await home.running.tender.tend()
    assert (await home.request(request.id)).version == request.version
    home.clock.now = due_at
    await home.running.tender.tend()

    [expired] = [event for event in await said(home, request, "DeadlineExpired") if event.data["key"] == silence.key]
    moved = await home.request(request.id)
    assert (expired.rule, expired.action, expired.at) == (silence.rule, expiry(silence.key), due_at)
    assert expired.to_stage == silence.stage
    assert silence.why in (moved.approved_by, moved.close_reason, moved.return_method)


async def test_an_inspection_over_a_weekend_waits_for_working_days(home: Home) -> None:
    """Case 4 of the model."""
    home.clock.advance(days=2)
    friday = await inspected(home)
    home.clock.advance(days=1)
    saturday = await inspected(home)

    for request in (friday, saturday):
        assert request.next_clock is not None
        assert request.next_clock.due_at is not None
    assert friday.next_clock is not None
    assert saturday.next_clock is not None
    assert friday.next_clock.due_at == saturday.next_clock.due_at


async def test_each_clock_of_the_kind_has_a_silence_here(home: Home) -> None:
    keys = home.running.registry.kinds["return_refund"].process.clock_keys

    # those of offers, disputes and speedy refunds run out in tests/desk/test_cases.py
    elsewhere = {"failed_return.claim", "offer.response", "speedy.not_received", "back_to_buyer.ship"}
    assert keys - {silence.key for silence in SILENCES} == elsewhere

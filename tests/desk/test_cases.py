"""Offers, disputes and appeals through the desk: written whole, read back the same, moved on by time, decided once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest_asyncio
from tests.desk import acts
from tests.desk.acts import act, codes, opened, return_opened, said, same, staged

from aftersales.engine.refusal import Refused
from aftersales.engine.request import Request
from aftersales.engine.vocabulary import EvidenceKind, OfferKind, OfferStatus, Party, ReturnMethod
from aftersales.testing import Home
from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, SHOP, house, idr

HALF = {"kind": OfferKind.PARTIAL_REFUND, "amount": idr(50_000)}


@pytest_asyncio.fixture
async def home() -> AsyncIterator[Home]:
    async with house() as home:
        yield home


async def rejected(home: Home) -> Request:
    return await acts.rejected(home, await opened(home))


async def disputed(home: Home) -> Request:
    return await act(home, await rejected(home), "dispute_open", BUYER, note="It never came.")


async def appealable(home: Home) -> Request:
    request = await act(home, await opened(home), "platform_approve", AGENT)
    await home.pass_time(minutes=1)
    return await home.request(request.id)


async def appealed(home: Home) -> Request:
    shown = [await staged(home, EvidenceKind.AWB, SELLER)]
    given = {"reason": "delivered_to_address", "statement": "He signed."}
    return await act(home, await appealable(home), "appeal_file", given=given, evidence_ids=shown)


async def speedily_refunded(home: Home) -> Request:
    """RR8: promised, handed over, paid."""
    approved = await act(home, await return_opened(home), "approve")
    promised = await act(home, approved, "grant_speedy", AGENT)
    handed = await act(home, promised, "handed_over", CARRIER)
    await home.pass_time(minutes=1)
    return await home.request(handed.id)


async def test_all_that_stands_beside_a_request_is_read_back_as_it_was_written(home: Home) -> None:
    photo, paper = await staged(home), await staged(home, EvidenceKind.DOCUMENT, SELLER)
    request = await disputed(home)
    for action, actor, facts in (
        ("dispute_submit_evidence", BUYER, {"evidence_ids": [photo]}),
        ("dispute_submit_evidence", SELLER, {"evidence_ids": [paper]}),
        ("dispute_request_evidence", AGENT, {"note": "Who signed?", "given": {"party": Party.SELLER}}),
        ("dispute_submit_evidence", SELLER, {"note": "Nobody."}),
        ("dispute_decide", AGENT, {"note": "Nobody signed.", "given": {"decision": Party.BUYER}}),
    ):
        request = await act(home, request, action, actor, **facts)
        assert same(await home.request(request.id), request)

    offered = await act(home, await return_opened(home), "offer_make", given=HALF, note="Keep it for half?")
    appeal = await appealed(home)

    assert same(await home.request(offered.id), offered)
    assert same(await home.request(appeal.id), appeal)
    assert {item.id for item in request.disputes[0].evidence} == {photo, paper}
    assert request.evidence == ()


async def test_an_offer_stops_the_review_and_lapses_after_a_day(home: Home) -> None:
    """C5, C6x; case 8."""
    request = await return_opened(home)
    await home.pass_time(hours=38)

    await act(home, request, "offer_make", given=HALF)
    await home.pass_time(days=1)

    lapsed = await home.request(request.id)
    assert (lapsed.stage.name, lapsed.offers[0].status) == ("pending_review", OfferStatus.LAPSED)
    assert lapsed.next_clock is not None
    assert lapsed.next_clock.due_at == home.clock() + timedelta(hours=10)
    assert await codes(act(home, lapsed, "offer_make", given=HALF)) == ["LIMIT_REACHED"]
    assert [event.rule for event in await said(home, lapsed, "DeadlineResumed")] == ["C6x"]


async def test_both_sides_silent_the_platform_judges_and_is_told_when_it_is_late(home: Home) -> None:
    """DI3, DI7: two clocks of one key that run out at one instant, each once."""
    request = await disputed(home)

    await home.pass_time(days=1)
    judged = await home.request(request.id)
    await home.pass_time(days=1)
    late = await home.request(request.id)

    assert judged.disputes[0].stage.name == "UNDER_REVIEW"
    assert len(await said(home, judged, "DisputeUnderReview")) == 1
    expired = await said(home, late, "DeadlineExpired")
    assert sorted(event.data["owedBy"] for event in expired) == ["BUYER", "PLATFORM", "SELLER"]
    assert late.disputes[0].escalated
    assert (late.stage.name, late.waits_for) == ("rejected", Party.PLATFORM)
    decided = await act(home, late, "dispute_decide", AGENT, note="He signed.", given={"decision": Party.SELLER})
    assert decided.stage.name == "closed"


async def test_a_rejection_waits_while_it_is_disputed(home: Home) -> None:
    """C9, C10, C14: at least a day is left after a withdrawal."""
    request = await rejected(home)
    await home.pass_time(hours=47)
    open = await act(home, request, "dispute_open", BUYER, note="It never came.")
    await home.pass_time(hours=20)

    withdrawn = await act(home, open, "dispute_withdraw", BUYER)
    await home.pass_time(hours=24)

    assert withdrawn.next_clock is not None
    assert withdrawn.next_clock.due_at == home.clock()
    assert (await home.request(request.id)).stage.name == "closed"


async def test_of_two_agents_who_decide_at_once_one_does(home: Home) -> None:
    request = await disputed(home)
    for actor in (BUYER, SELLER):
        request = await act(home, request, "dispute_submit_evidence", actor)

    answers = await asyncio.gather(
        *(
            home.running.desk.act(
                request.id, "dispute_decide", AGENT, note="Seen.", given={"decision": side}, expected=request.version
            )
            for side in (Party.BUYER, Party.SELLER)
        ),
        return_exceptions=True,
    )

    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [problem.code for problem in refused[0].problems] == ["VERSION_CONFLICT"]
    assert len(refused) == 1
    assert len(await said(home, request, "DisputeDecided")) == 1


async def test_an_appeal_that_nobody_files_expires_after_a_week(home: Home) -> None:
    """AP3."""
    request = await appealable(home)

    await home.pass_time(days=7)

    expired = await home.request(request.id)
    assert (expired.appeal_status, expired.stage.name) == ("EXPIRED", "completed")
    assert [event.rule for event in await said(home, expired, "AppealExpired")] == ["AP3"]


async def test_a_question_of_the_platform_stops_its_own_clock(home: Home) -> None:
    """AP6, AP8, AP13: without an answer it judges without, with the time it had left; then it is late."""
    request = await appealed(home)
    await home.pass_time(days=3)

    asked = await act(home, request, "appeal_request_evidence", AGENT, note="Who signed?")
    await home.pass_time(days=1)
    judging = await home.request(asked.id)
    await home.pass_time(days=4)

    assert judging.appeal_status == "UNDER_REVIEW"
    decision = judging.clock("appeal.decision")
    assert decision is not None
    assert decision.due_at == home.clock()
    late = (await home.request(request.id)).appeal
    assert late is not None
    assert late.escalated


async def test_a_speedy_refund_that_nothing_follows_may_be_appealed_after_three_days(home: Home) -> None:
    """RR8, RR20; case 6."""
    request = await speedily_refunded(home)
    handed_over_at = request.shipments[0].handed_over_at

    await home.pass_time(days=3)

    appeal = (await home.request(request.id)).appeal
    assert appeal is not None
    assert handed_over_at is not None
    assert (appeal.ground, appeal.opened_at) == ("speedy_refund_not_received", handed_over_at + timedelta(days=3))


async def test_a_speedy_parcel_that_was_confirmed_is_not_appealed(home: Home) -> None:
    """RR19, RR21, AP4; case 7."""
    came = await act(home, await speedily_refunded(home), "delivered", CARRIER)

    confirmed = await act(home, came, "confirm_package", SELLER)

    assert (came.appeal_status, confirmed.appeal_status) == ("AVAILABLE", "NOT_AVAILABLE")
    assert confirmed.appeal is not None
    assert await codes(act(home, confirmed, "appeal_file", appeal_id=confirmed.appeal.id)) == ["INELIGIBLE"]


async def test_of_an_appeal_the_buyer_is_told_that_there_is_none(home: Home) -> None:
    request = await appealable(home)
    assert request.appeal is not None

    assert await codes(act(home, request, "appeal_file", BUYER, appeal_id=request.appeal.id)) == ["NOT_FOUND"]
    assert await codes(act(home, request, "appeal_file", SELLER, appeal_id="ap_0_1_0")) == ["NOT_FOUND"]


async def test_a_file_is_shown_once_whether_for_a_request_a_dispute_or_an_appeal(home: Home) -> None:
    paper = await staged(home, EvidenceKind.AWB, SELLER)
    heard = await act(home, await disputed(home), "dispute_submit_evidence", SELLER, evidence_ids=[paper])
    given = {"reason": "delivered_to_address", "statement": "He signed."}

    again = act(home, await appealable(home), "appeal_file", given=given, evidence_ids=[paper])

    assert await codes(again) == ["NOT_FOUND"]
    assert [item.id for item in heard.disputes[0].evidence] == [paper]


async def test_a_request_that_the_platform_closes_ends_its_dispute(home: Home) -> None:
    """C20, DI8."""
    request = await disputed(home)

    closed = await act(home, request, "close", AGENT, note="Settled on the phone.")

    assert (closed.stage.name, closed.dispute_status) == ("closed", "WITHDRAWN")
    assert not any(clock.alive for clock in closed.clocks)
    assert await home.running.desk.ledger.next_wake() is None


async def test_a_seller_who_is_late_to_send_goods_back_is_marked(home: Home) -> None:
    """C13, in Vietnam."""
    hanoi = replace(SHOP, market="VN", timezone="Asia/Ho_Chi_Minh")
    request = await return_opened(home, ReturnMethod.SELF_ARRANGED, await home.order(shop=hanoi))
    request = await act(home, request, "approve")
    request = await act(home, request, "upload_tracking", BUYER, given={"carrier": "GHN", "tracking": "V0"})
    request = await act(home, request, "mark_received")
    photo = await staged(home, EvidenceKind.PHOTO, SELLER)
    request = await act(home, request, "reject_package", given={"reason": "pkg_not_ours"}, evidence_ids=[photo])
    request = await act(home, request, "dispute_open", BUYER, note="It is yours.")
    for actor in (BUYER, SELLER):
        request = await act(home, request, "dispute_submit_evidence", actor)
    ordered = {"decision": Party.SELLER, "send_back": True}
    early = await codes(
        act(home, request, "dispute_decide", AGENT, note="No.", given={"decision": Party.BUYER, "send_back": True})
    )
    lost = await act(home, request, "dispute_decide", AGENT, note="It is not.", given=ordered)

    await home.pass_time(days=5)

    late = await home.request(lost.id)
    assert early == ["INVALID_INPUT"]
    assert lost.waits_for is Party.SELLER
    assert late.tags == {"send_back_late"}
    assert lost.next_clock is not None
    assert lost.next_clock.key == "back_to_buyer.ship"
    assert await codes(act(home, late, "send_back", given={"carrier": "GHN", "tracking": "V1"})) == []

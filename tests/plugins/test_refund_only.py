"""Refund only: its reasons, its guards, its stories from open to end, and what silence does."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.desk.acts import act, claim, codes, history, opened, rejected, said, staged

from aftersales.desk import Asked
from aftersales.engine.money import Money
from aftersales.engine.request import Request
from aftersales.engine.stages import expiry
from aftersales.engine.vocabulary import (
    SYSTEM,
    Actor,
    ApprovedBy,
    CloseReason,
    EvidenceKind,
    OrderState,
    Party,
    Shop,
    ShopKind,
)
from aftersales.plugin import ON_ITS_WAY
from aftersales.testing import Home
from aftersales.testing.house import AGENT, BUYER, SELLER, SHOP, idr, line

DELIVERED = frozenset({OrderState.DELIVERED})
PHOTO, VIDEO = EvidenceKind.PHOTO, EvidenceKind.VIDEO
NON_MALL = Shop("sh_1", "Toko", "ID", ShopKind.NON_MALL, "Asia/Jakarta")

# fmt: off
REASONS = [
    # reason                 order states  any of this evidence
    ("wont_arrive_on_time",  ON_ITS_WAY,   []),
    ("not_received",         DELIVERED,    []),
    ("missed_delivery_date", DELIVERED,    []),
    ("not_as_described",     DELIVERED,    [PHOTO]),
    ("wrong_item",           DELIVERED,    [PHOTO]),
    ("missing_item",         DELIVERED,    [PHOTO]),
    ("damaged",              DELIVERED,    [PHOTO, VIDEO]),
    ("defective",            DELIVERED,    [PHOTO, VIDEO]),
    ("counterfeit",          DELIVERED,    [PHOTO]),
    ("other",                DELIVERED,    []),
]
# fmt: on


async def ask(home: Home, asked: Asked) -> list[str]:
    return await codes(home.running.desk.open("refund_only", BUYER, asked))


@pytest.mark.parametrize(("reason", "states", "evidence"), REASONS)
async def test_a_reason_holds_in_its_order_states(
    home: Home, reason: str, states: frozenset[OrderState], evidence: list[EvidenceKind]
) -> None:
    """Section 8; G_REASON."""
    held = set()
    for state in (*ON_ITS_WAY, OrderState.DELIVERED):
        order = await home.order(number=f"{state}", state=state)
        shown = tuple([await staged(home, kind) for kind in evidence])
        if not await ask(home, claim(order, reason=reason, note="Look", evidence_ids=shown)):
            held.add(state)

    assert held == states


@pytest.mark.parametrize(("reason", "states", "evidence"), REASONS)
async def test_a_reason_needs_any_of_its_evidence(
    home: Home, reason: str, states: frozenset[OrderState], evidence: list[EvidenceKind]
) -> None:
    """Section 8; G_EVIDENCE."""
    enough = set()
    for kind in EvidenceKind:
        order = await home.order(number=kind.value, state=next(iter(states)))
        if not await ask(home, claim(order, reason=reason, note="Look", evidence_ids=(await staged(home, kind),))):
            enough.add(kind)
    order = await home.order(number="bare", state=next(iter(states)))
    bare = await ask(home, claim(order, reason=reason, note="Look"))

    assert enough == set(evidence or EvidenceKind)
    assert bare == (["EVIDENCE_REQUIRED"] if evidence else [])


async def test_other_reasons_need_words(home: Home) -> None:
    order = await home.order()

    assert await ask(home, claim(order, reason="other", note="  ")) == ["NOTE_REQUIRED"]


async def test_reasons_of_other_kinds_are_none_of_its_own(home: Home) -> None:
    order = await home.order()

    for reason in ("no_longer_needed", "wrong_size", "wants_other_variation", ""):
        assert await ask(home, claim(order, reason=reason, note="Look")) == ["REASON_NOT_ALLOWED"]


async def test_damage_cannot_be_claimed_of_what_is_still_on_its_way(home: Home) -> None:
    """Case 17 of the model."""
    order = await home.order(state=OrderState.IN_TRANSIT)

    refused = await ask(home, claim(order, reason="damaged", evidence_ids=(await staged(home),)))

    assert refused == ["REASON_NOT_ALLOWED"]


async def test_everything_that_speaks_against_a_claim_is_told_at_once(home: Home) -> None:
    order = await home.order(line(2))

    assert await ask(home, claim(order, quantity=3, reason="damaged")) == ["INVALID_INPUT", "EVIDENCE_REQUIRED"]


@pytest.mark.parametrize(("shop", "days"), [(NON_MALL, 6), (SHOP, 15)])
async def test_the_time_to_ask_ends_at_its_very_instant(home: Home, shop: Shop, days: int) -> None:
    """Case 1 of the model; G_WINDOW."""
    order = await home.order(shop=shop)
    assert order.delivered_at is not None

    home.clock.now = order.delivered_at + timedelta(days=days)
    late = await ask(home, claim(order))
    home.clock.now -= timedelta(microseconds=1)
    in_time = await ask(home, claim(order))

    assert (late, in_time) == (["WINDOW_CLOSED"], [])


@pytest.mark.parametrize("actor", [SELLER, AGENT])
async def test_an_approval_grants_all_and_says_whose_it_was(home: Home, actor: Actor) -> None:
    """RO1."""
    request = await opened(home, await home.order(line(2)), quantity=2)

    granted = await act(home, request, "approve", actor)

    assert (granted.stage.name, granted.refund_approved) == ("refunding", idr(200_000))
    assert granted.approved_by is (ApprovedBy.PLATFORM if actor is AGENT else ApprovedBy.SELLER)
    assert {event.rule for event in await said(home, request, "RequestApproved")} == {"RO1"}


async def test_an_approval_may_grant_less(home: Home) -> None:
    """RO1; G_AMOUNT."""
    request = await opened(home)

    granted = await act(home, request, "approve", given={"amount": idr(40_000)})

    assert granted.refunds[0].amount == idr(40_000)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (idr(0), "AMOUNT_EXCEEDED"),
        (idr(-1), "AMOUNT_EXCEEDED"),
        (idr(100_001), "AMOUNT_EXCEEDED"),
        (Money(Decimal("0.5"), "IDR"), "INVALID_INPUT"),
        (Money(Decimal("1"), "USD"), "INVALID_INPUT"),
    ],
)
async def test_an_amount_is_more_than_nothing_and_at_most_what_was_paid(home: Home, amount: Money, code: str) -> None:
    """G_AMOUNT."""
    request = await opened(home)

    assert await codes(act(home, request, "approve", given={"amount": amount})) == [code]


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (BUYER, "FORBIDDEN"),
        (SYSTEM, "FORBIDDEN"),
        (Actor(Party.SELLER, "st_2", frozenset({"sh_1"}), frozenset({"view"})), "FORBIDDEN"),
        (Actor(Party.SELLER, "st_3", frozenset({"sh_2"}), frozenset({"*"})), "NOT_FOUND"),
    ],
)
async def test_only_those_who_may_review_approve(home: Home, actor: Actor, code: str) -> None:
    """G_OWNER."""
    request = await opened(home)

    assert await codes(act(home, request, "approve", actor)) == [code]


async def test_a_rule_of_the_sellers_grants_all_and_is_no_act_of_a_person(home: Home) -> None:
    """RO2; what rules say, and RO3, is in tests/desk/test_shop_rules.py."""
    request = await opened(home)

    denied = await codes(act(home, request, "match_rule", SELLER))
    granted = await act(home, request, "match_rule", SYSTEM)

    assert denied == ["FORBIDDEN"]
    assert granted.tags == {"seller_rule"}
    assert (granted.stage.name, granted.approved_by) == ("refunding", ApprovedBy.SELLER_RULE)
    assert {event.rule for event in await said(home, request, "RequestApproved")} == {"RO2"}


async def test_from_asking_to_the_last_cent(home: Home) -> None:
    """C1, RO1, C18."""
    request = await opened(home)
    await act(home, request, "approve", expected=1)
    await home.running.tender.tend()

    done = await home.request(request.id)

    assert (done.stage.name, done.refund_paid, done.closed_at) == ("completed", idr(100_000), home.clock())
    assert list(dict.fromkeys(event.rule for event in await history(home, request))) == ["C1", "RO1", "C18"]
    assert done.clocks[0].status.value == "MET"


async def test_rejected_twice_it_cannot_be_asked_a_third_time(home: Home) -> None:
    """Case 10 of the model; C4, C8."""
    order = await home.order()
    desk, first = home.running.desk, await opened(home, order)
    await rejected(home, first)
    home.clock.advance(hours=47)

    second = (await desk.replace(first.id, "resubmit", BUYER, claim(order), expected=2)).request
    await rejected(home, second)

    assert (second.attempt, second.previous_id) == (2, first.id)
    assert (await home.request(first.id)).close_reason is CloseReason.RESUBMITTED
    assert await codes(desk.replace(second.id, "resubmit", BUYER, claim(order), expected=2)) == ["LIMIT_REACHED"]


async def test_a_rejection_needs_a_reason_that_fits_and_what_shows_it(home: Home) -> None:
    """C4; G_REJECT."""
    request = await opened(home)

    for reason, refused in (
        ("cannot_change_address", "REASON_NOT_ALLOWED"),
        ("pkg_not_ours", "REASON_NOT_ALLOWED"),
        ("", "REASON_NOT_ALLOWED"),
        ("item_correct", "EVIDENCE_REQUIRED"),
    ):
        assert await codes(act(home, request, "reject", given={"reason": reason})) == [refused]
    shown = await staged(home, by=SELLER)
    no = await act(home, request, "reject", given={"reason": "item_correct"}, evidence_ids=(shown,))

    assert no.stage.name == "rejected"
    assert set(await home.running.desk.ledger.evidence([shown])) == {shown}


async def test_it_may_be_edited_twice(home: Home) -> None:
    """C2; G_EDIT."""
    order = await home.order(line(3))
    request = await opened(home, order)

    for quantity in (2, 3):
        asked = claim(order, quantity=quantity)
        request = (await home.running.desk.replace(request.id, "edit", BUYER, asked, expected=1)).request

    assert (request.edits, request.lines[0].quantity, request.refund_max) == (2, 3, idr(300_000))
    assert await codes(home.running.desk.replace(request.id, "edit", BUYER, claim(order), expected=1)) == [
        "LIMIT_REACHED"
    ]


# fmt: off
ENDS = [
    # act                      by      rule   stage        why
    ("cancel",                 BUYER,  "C3",  "canceled",  None),
    ("platform_approve",       AGENT,  "C15", "refunding", ApprovedBy.PLATFORM),
    ("refund_without_return",  AGENT,  "C16", "refunding", ApprovedBy.PLATFORM),
    ("close",                  AGENT,  "C20", "closed",    CloseReason.OPERATOR),
]
# fmt: on


@pytest.mark.parametrize(("action", "actor", "rule", "stage", "why"), ENDS)
async def test_the_other_ways_a_review_may_end(
    home: Home, action: str, actor: Actor, rule: str, stage: str, why: object
) -> None:
    request = await opened(home)

    ended = await act(home, request, action, actor, note="By phone")

    assert (ended.stage.name, ended.approved_by or ended.close_reason) == (stage, why)
    assert [event for event in await history(home, request) if event.rule == rule]


async def test_whatever_has_ended_stays_ended(home: Home) -> None:
    request = await act(home, await opened(home), "cancel", BUYER)

    for action, actor in (("approve", SELLER), ("cancel", BUYER), ("close", AGENT), ("reject", SELLER)):
        assert await codes(act(home, request, action, actor, note="Again")) == ["INVALID_STATE"]


async def test_silence_at_review_grants_all(home: Home) -> None:
    """C17: the approved stage of this kind is the refund itself."""
    request = await opened(home)

    ended = await silent_until_due(home, request, "review.first", timedelta(days=2))

    assert (ended.stage.name, ended.approved_by) == ("completed", ApprovedBy.TIMEOUT_REVIEW)
    assert ended.refund_paid == idr(100_000)


async def test_silence_after_a_rejection_closes(home: Home) -> None:
    """C10."""
    request = await rejected(home, await opened(home))

    ended = await silent_until_due(home, request, "rejection.followup", timedelta(hours=48))

    assert (ended.stage.name, ended.close_reason) == ("closed", CloseReason.REJECTION_STANDS)
    assert home.bank.asked == []


async def silent_until_due(home: Home, request: Request, key: str, after: timedelta) -> Request:
    """The request once its clock has run out, and not a moment before."""
    due_at = home.clock() + after
    home.clock.now = due_at - timedelta(microseconds=1)
    await home.running.tender.tend()
    assert (await home.request(request.id)).version == request.version
    home.clock.now = due_at
    await home.running.tender.tend()
    [expired] = await said(home, request, "DeadlineExpired")
    assert (expired.data["key"], expired.at, expired.action) == (key, due_at, expiry(key))
    return await home.request(request.id)

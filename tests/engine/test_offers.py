"""Offers: the seller proposes something else (C5 to C7, RR18, and section 9)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.builders import (
    BUYER,
    HOUR,
    INSTANT,
    SELF_ARRANGED,
    a_line,
    a_request,
    act,
    alive,
    an_order,
    attempt,
    claimed,
    goods,
    kinds,
    lived,
    opened,
    part,
    refusal,
    rp,
    run_out,
    said,
    under,
    with_order,
)
from tests.engine.rows import EX, RO, RR, RS

from aftersales.engine.decide import actions, decide
from aftersales.engine.money import Money
from aftersales.engine.refusal import Refused
from aftersales.engine.request import ClockStatus, Leg, Request
from aftersales.engine.vocabulary import ApprovedBy, OfferKind, OfferStatus, Party

PARTIAL, FULL, RETURN, SWAP, SEND = (
    OfferKind.PARTIAL_REFUND,
    OfferKind.FULL_REFUND,
    OfferKind.RETURN_REFUND,
    OfferKind.EXCHANGE,
    OfferKind.SEND_ITEMS,
)
NOT_ALLOWED = [("OFFER_NOT_ALLOWED", "G_OFFER")]
RO_PART: Mapping[str, int | bool] = {"offer.refund_only.partial": True}
AFTER_RECEIVING: Mapping[str, int | bool] = {"offer.partial_after_receiving": True}


def refused(request: Request, action: str, *args: Any, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as error:
        act(request, action, *args, **more)
    assert all(problem.text() for problem in error.value.problems)
    return list(refusal(error.value))


def answer(request: Request, kind: OfferKind) -> str:
    """What becomes of such an offer: asked, at once, or the code of the refusal."""
    amount = rp(40) if kind is PARTIAL else None
    try:
        after = act(request, "offer_make", kind=kind, amount=amount).request
    except Refused as error:
        return " ".join(dict.fromkeys(problem.code for problem in error.problems))
    return {"awaiting_buyer_response": "asked", "refunding": "at once"}[after.stage.name]


# Section 9, cell by cell: what may be offered for what, and whether the buyer is asked.
# fmt: off
NO = "OFFER_NOT_ALLOWED"
MATRIX = [
    # kind  a reason that       part     whole      return   swap     send
    (RO,   "missing_item",      (NO,      NO,        NO,      NO,      NO)),
    (RR,   "missing_item",      ("asked", "at once", NO,      "asked", "asked")),
    (RR,   "wrong_item",        ("asked", "at once", NO,      "asked", "asked")),
    (RR,   "damaged",           ("asked", "at once", NO,      "asked", "asked")),
    (RR,   "defective",         ("asked", "at once", NO,      "asked", "asked")),
    (RR,   "missed_delivery_date", ("asked", "at once", NO,   "asked", NO)),
    (RR,   "not_as_described",  ("asked", "at once", NO,      "asked", NO)),
    (RR,   "counterfeit",       ("asked", "at once", NO,      "asked", NO)),
    (RR,   "no_longer_needed",  ("asked", "at once", NO,      "asked", NO)),
    (RR,   "wrong_size",        ("asked", "at once", NO,      "asked", NO)),
    (RR,   "other",             ("asked", "at once", NO,      "asked", NO)),
    (RS,   "missing_item",      ("asked", "at once", NO,      NO,      NO)),
    (RS,   "wrong_item",        ("asked", "at once", NO,      NO,      NO)),
    (RS,   "damaged",           ("asked", "at once", NO,      NO,      NO)),
    (RS,   "defective",         ("asked", "at once", NO,      NO,      NO)),
    (EX,   "wrong_item",        ("asked", "at once", "asked", NO,      "asked")),
    (EX,   "damaged",           ("asked", "at once", "asked", NO,      "asked")),
    (EX,   "defective",         ("asked", "at once", "asked", NO,      "asked")),
    (EX,   "not_as_described",  ("asked", "at once", "asked", NO,      NO)),
    (EX,   "no_longer_needed",  ("asked", "at once", "asked", NO,      NO)),
    (EX,   "wrong_size",        ("asked", "at once", "asked", NO,      NO)),
    (EX,   "wants_other_variation", ("asked", "at once", "asked", NO,  NO)),
]
# fmt: on


@pytest.mark.parametrize(("kind", "reason", "cells"), MATRIX)
def test_g_offer_what_may_be_offered_for_what(kind: str, reason: str, cells: tuple[str, ...]) -> None:
    request = opened(kind, reason=reason, note="So it is.")

    assert tuple(answer(request, offer) for offer in (PARTIAL, FULL, RETURN, SWAP, SEND)) == cells


def test_the_matrix_has_every_reason_of_the_kinds_that_have_offers() -> None:
    for kind in (RR, RS, EX):
        assert {reason for one, reason, _ in MATRIX if one == kind} == set(kinds()[kind].reasons)


def test_a_part_of_a_refund_only_may_be_offered_where_the_policy_has_it_so_and_nothing_else() -> None:
    request = under(opened(RO), RO_PART)

    answers = [answer(request, offer) for offer in (PARTIAL, FULL, RETURN, SWAP, SEND)]

    assert answers == ["asked", NO, NO, NO, NO]


def test_where_nothing_may_be_offered_it_is_not_shown_either() -> None:
    shown = [
        {row.action for row in actions(kinds()[RO], request, seller, request.updated_at + HOUR)}
        for request in (opened(RO), under(opened(RO), RO_PART))
        for seller in [act(opened(RO), "approve").actor]
    ]

    assert ["offer_make" in acts for acts in shown] == [False, True]


def test_an_offer_of_goods_needs_the_kind_that_it_makes_of_the_request() -> None:
    request = opened(RR, reason="damaged")
    attempt_without: dict[str, Any] = {"kind": SWAP}
    without = {name: kind for name, kind in kinds().items() if name != EX}

    with pytest.raises(Refused) as error:
        decide_among(without, request, "offer_make", **attempt_without)

    assert refusal(error.value) == NOT_ALLOWED
    assert "SEND_ITEMS" in error.value.problems[0].text()
    assert "EXCHANGE" not in error.value.problems[0].text()


def decide_among(known: Mapping[str, Any], request: Request, action: str, **given: Any) -> Request:
    return decide(replace(attempt(request, action, **given), kinds=known)).request


def test_c7_what_is_no_longer_to_be_had_can_only_be_declined() -> None:
    request = lived(opened(RR, reason="damaged"), goods(SWAP))
    without = {name: kind for name, kind in kinds().items() if name != EX}

    with pytest.raises(Refused) as error:
        decide_among(without, request, "offer_accept")

    assert refusal(error.value) == NOT_ALLOWED
    assert decide_among(without, request, "offer_decline").stage.name == "pending_review"


@pytest.mark.parametrize("kind", [RR, RS, EX])
def test_c5_an_offer_asks_the_buyer_and_stops_the_sellers_time(kind: str) -> None:
    request = opened(kind)

    change = act(request, "offer_make", kind=PARTIAL, amount=rp(40), note="Keep it.")

    (offer,) = change.request.offers
    due = change.at + timedelta(days=1)
    assert (offer.kind, offer.status, offer.amount, offer.note) == (PARTIAL, OfferStatus.OPEN, rp(40), "Keep it.")
    assert (offer.made_at, offer.due_at, offer.answered_at) == (change.at, due, None)
    assert alive(change.request) == {"review.first": None, "offer.response": due}
    assert change.request.waits_for is Party.BUYER
    (made,) = [event for event in change.events if event.type == "OfferMade"]
    assert made.data == {"offerId": offer.id, "kind": "PARTIAL_REFUND", "amount": "40", "currency": "IDR"}


@pytest.mark.parametrize("kind", [RR, RS, EX])
def test_c5a_the_whole_refund_with_nothing_to_send_back_is_accepted_at_once(kind: str) -> None:
    change = act(opened(kind), "offer_make", kind=FULL)

    (offer,) = change.request.offers
    assert change.rule == "C5a"
    assert (offer.status, offer.amount, offer.due_at) == (OfferStatus.AUTO_ACCEPTED, rp(100), None)
    assert offer.answered_at == change.at
    assert (change.request.stage.name, change.request.approved_by) == ("refunding", ApprovedBy.OFFER)
    assert (change.request.refund_approved, change.request.kind) == (rp(100), kind)
    assert {"OfferMade", "OfferAutoAccepted", "RefundCreated"} <= set(said(change))


def test_c5a_an_offer_of_the_whole_is_what_can_still_be_paid() -> None:
    since = with_order(opened(RR), claims=(claimed(by=None, money=30),))

    change = act(since, "offer_make", kind=FULL)

    assert [offer.amount for offer in change.request.offers] == [rp(70)]
    assert change.request.refund_approved == rp(70)


@pytest.mark.parametrize("kind", [RR, RS, EX])
@pytest.mark.parametrize("ends", ["offer_decline", "expire:offer.response"])
def test_g_offer_one_offer_is_made_for_a_request_however_it_ended(kind: str, ends: str) -> None:
    request = lived(opened(kind), part(), ends)

    assert refused(request, "offer_make") == [("LIMIT_REACHED", "G_OFFER")]


def test_g_offer_there_is_no_second_offer_while_one_is_open_or_after_the_review() -> None:
    assert refused(a_request(RR, "awaiting_buyer_response"), "offer_make") == [("INVALID_STATE", "G_STATE")]
    assert refused(a_request(RR, "awaiting_buyer_ship"), "offer_make") == [("INVALID_STATE", "G_STATE")]


# How long is left of the review when the offer is made, and after it came to nothing; whole seconds are kept.
SECOND = timedelta(seconds=1)
LEFT = [(34 * HOUR, 34 * HOUR), (10 * HOUR, 10 * HOUR), (HOUR, HOUR), (HOUR - SECOND, HOUR), (SECOND, HOUR)]


@pytest.mark.parametrize(("left", "then"), LEFT)
@pytest.mark.parametrize(("ends", "rule"), [("offer_decline", "C6"), ("expire:offer.response", "C6x")])
def test_the_review_goes_on_with_exactly_what_was_left_and_at_least_an_hour(
    ends: str, rule: str, left: timedelta, then: timedelta
) -> None:
    request = opened(RR)
    due = alive(request)["review.first"]
    assert due
    asked = act(request, "offer_make", at=due - left, kind=PARTIAL, amount=rp(40)).request

    change = run_out(asked) if rule == "C6x" else act(asked, ends)

    assert change.rule == rule
    assert [clock.remaining for clock in asked.clocks if clock.status is ClockStatus.PAUSED] == [left]
    assert alive(change.request) == {"review.first": change.at + then}
    assert change.request.stage.name == "pending_review"
    assert [offer.status.value for offer in change.request.offers] == ["DECLINED" if rule == "C6" else "LAPSED"]
    assert [offer.answered_at for offer in change.request.offers] == [change.at]


def test_c6x_an_offer_lapses_at_its_very_instant_and_then_nobody_answers_it() -> None:
    asked = a_request(RR, "awaiting_buyer_response")
    due = alive(asked)["offer.response"]
    assert due

    assert act(asked, "offer_accept", at=due - INSTANT).rule == "C7"
    for action in ("offer_accept", "offer_decline"):
        assert refused(asked, action, at=due) == [("DEADLINE_PASSED", "G_IN_TIME")]
    assert run_out(asked).at == due


def test_after_an_offer_that_came_to_nothing_the_seller_still_reviews() -> None:
    declined = lived(a_request(RR, "awaiting_buyer_response"), "offer_decline")

    assert lived(declined, "reject").stage.name == "rejected"
    assert lived(declined, "approve").stage.name == "awaiting_buyer_ship"
    assert run_out(declined).rule == "C17"


@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
def test_c7_a_part_that_is_accepted_is_paid_as_offered(kind: str) -> None:
    change = act(a_request(kind, "awaiting_buyer_response"), "offer_accept")

    request = change.request
    assert (request.stage.name, request.refund_approved, request.approved_by) == (
        "refunding",
        rp(40),
        ApprovedBy.OFFER,
    )
    assert [refund.amount for refund in request.refunds] == [rp(40)]
    assert [offer.status for offer in request.offers] == [OfferStatus.ACCEPTED]
    assert request.kind == kind
    assert alive(request) == {}


def test_c7_no_more_is_paid_than_is_left_when_it_is_accepted() -> None:
    asked = a_request(RR, "awaiting_buyer_response")
    since = with_order(asked, claims=(claimed(by=None, money=75),))

    assert act(since, "offer_accept").request.refund_approved == rp(25)


# What a request becomes by an accepted offer of goods (section 9).
# fmt: off
CONVERTED = [
    (RR, "damaged",    SWAP,   EX, "awaiting_buyer_ship",  "ship_back.drop_off"),
    (RR, "wrong_size", SWAP,   EX, "awaiting_buyer_ship",  "ship_back.drop_off"),
    (RR, "damaged",    SEND,   RS, "awaiting_seller_ship", "ship_out"),
    (EX, "damaged",    SEND,   RS, "awaiting_seller_ship", "ship_out"),
    (EX, "wrong_size", RETURN, RR, "awaiting_buyer_ship",  "ship_back.drop_off"),
    (EX, "damaged",    RETURN, RR, "awaiting_buyer_ship",  "ship_back.drop_off"),
]
# fmt: on


@pytest.mark.parametrize(("kind", "reason", "offer", "becomes", "stage", "clock"), CONVERTED)
def test_c7_an_accepted_offer_of_goods_makes_the_request_one_of_another_kind(
    kind: str, reason: str, offer: OfferKind, becomes: str, stage: str, clock: str
) -> None:
    asked = act(opened(kind, reason=reason), "offer_make", kind=offer, details={"size": "L"}).request

    change = act(asked, "offer_accept")

    request = change.request
    assert (request.kind, request.original_kind, request.stage.name) == (becomes, kind, stage)
    assert (request.approved_by, request.refund_approved, request.refunds) == (ApprovedBy.OFFER, None, ())
    assert request.details == {"size": "L"}
    assert list(alive(request)) == [clock]
    assert [event.data for event in change.events if event.type == "RequestConverted"] == [
        {"from": kind, "to": becomes}
    ]
    assert (request.shipment(Leg.RETURN) is not None) == (stage == "awaiting_buyer_ship")


def test_c7_a_request_that_was_converted_keeps_what_it_counts_and_who_it_is() -> None:
    before = replace(opened(RR, reason="damaged"), attempt=2, edits=1, dispute_rounds=1)

    after = lived(before, goods(SWAP), "offer_accept")

    for kept in ("id", "number", "attempt", "edits", "dispute_rounds", "reason", "refund_max", "created_at", "terms"):
        assert getattr(after, kept) == getattr(before, kept)
    assert len(after.offers) == 1
    assert after.version == before.version + 2


def test_c7_a_converted_request_lives_on_by_the_rows_of_what_it_became() -> None:
    exchange = lived(opened(RR, reason="damaged"), goods(SWAP), "offer_accept", "handed_over", "delivered")

    change = act(exchange, "accept_package")

    assert (change.rule, change.request.stage.name) == ("EX5", "awaiting_seller_ship")
    assert lived(change.request, "handed_over", "delivered").stage.name == "completed"


def test_c7_a_return_that_was_offered_for_an_exchange_ends_in_money() -> None:
    returned = lived(opened(EX), goods(RETURN), "offer_accept", "handed_over", "delivered", "accept_package")

    assert (returned.stage.name, returned.refund_approved) == ("refunding", rp(100))


def test_c7_what_was_promised_at_hand_over_is_not_promised_for_an_exchange() -> None:
    """RR8: an exchange is never speedy (EX2); a promise made before does not outlive the kind."""
    exchange = lived(opened(RR, reason="damaged"), "grant_speedy", goods(SWAP), "offer_accept")

    assert "speedy_refund" not in exchange.tags
    assert act(exchange, "handed_over").rule == "EX2"


def test_c7_who_pays_for_the_way_back_follows_what_the_request_became() -> None:
    exchange = lived(opened(RR, reason="wrong_size"), goods(SWAP), "offer_accept")

    parcel = exchange.shipment(Leg.RETURN)

    assert parcel is not None
    assert parcel.payer is Party.BUYER


# How much may be offered as a part of 1000, where the market wants at least 10 and at most 80 of a hundred.
# fmt: off
BOUNDS: dict[str, int | bool] = {"offer.partial.least_percent": 10, "offer.partial.most_percent": 80}
WRONG = [("AMOUNT_EXCEEDED", "G_AMOUNT")]
AMOUNTS: list[tuple[str, Money | None, list[tuple[str, str]]]] = [
    ("nothing", rp(0), WRONG), ("less than nothing", rp(-1), WRONG), ("no amount", None, WRONG),
    ("under the least", rp(99), WRONG), ("the least", rp(100), []), ("between", rp(500), []),
    ("the most", rp(800), []), ("over the most", rp(801), WRONG), ("all", rp(1000), WRONG),
    ("more than all", rp(1001), WRONG), ("other money", Money(rp(500).amount, "USD"), WRONG),
]
# fmt: on


@pytest.mark.parametrize(("amount", "problems"), [pytest.param(*case[1:], id=case[0]) for case in AMOUNTS])
def test_g_offer_a_part_is_within_what_the_policy_says(amount: Money | None, problems: list[tuple[str, str]]) -> None:
    request = under(opened(RR, an_order(a_line(unit=1000))), BOUNDS)

    if problems:
        assert refused(request, "offer_make", kind=PARTIAL, amount=amount) == problems
    else:
        assert act(request, "offer_make", kind=PARTIAL, amount=amount).rule == "C5"


def test_g_offer_the_whole_is_no_part_though_the_policy_would_have_it() -> None:
    request = under(opened(RR), {"offer.partial.least_percent": 0, "offer.partial.most_percent": 100})

    assert refused(request, "offer_make", kind=PARTIAL, amount=rp(100)) == WRONG
    assert refused(request, "offer_make", kind=PARTIAL, amount=rp(0)) == WRONG
    assert act(request, "offer_make", kind=PARTIAL, amount=rp(99)).rule == "C5"
    assert act(request, "offer_make", kind=PARTIAL, amount=rp(1)).rule == "C5"


def test_g_offer_a_part_has_no_more_decimals_than_the_money() -> None:
    assert refused(opened(RR), "offer_make", kind=PARTIAL, amount=rp("40.5")) == [("INVALID_INPUT", "G_AMOUNT")]


def test_g_offer_a_part_is_of_what_can_still_be_paid() -> None:
    since = with_order(opened(RR), claims=(claimed(by=None, money=60),))

    assert refused(since, "offer_make", kind=PARTIAL, amount=rp(40)) == WRONG
    assert act(since, "offer_make", kind=PARTIAL, amount=rp(39)).rule == "C5"


def test_g_offer_a_part_is_offered_for_a_single_product() -> None:
    two = an_order(a_line("ol_1", sku_id="sku_a"), a_line("ol_2", sku_id="sku_b"))
    same = an_order(a_line("ol_1", sku_id="sku_a"), a_line("ol_2", sku_id="sku_a"))

    assert refused(opened(RR, two), "offer_make", kind=PARTIAL, amount=rp(40)) == NOT_ALLOWED
    assert act(opened(RR, same), "offer_make", kind=PARTIAL, amount=rp(40)).rule == "C5"
    assert act(opened(RR, two), "offer_make", kind=FULL).rule == "C5a"


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"kind": None}, NOT_ALLOWED),
        ({"kind": FULL, "amount": rp(99)}, WRONG),
        ({"kind": SWAP, "amount": rp(1)}, [("INVALID_INPUT", "G_OFFER")]),
        ({"kind": FULL, "note": "x" * 501}, [("INVALID_INPUT", "G_NOTE")]),
        ({"kind": PARTIAL, "amount": rp(0), "note": "x" * 501}, [*WRONG, ("INVALID_INPUT", "G_NOTE")]),
    ],
)
def test_g_offer_what_does_not_fit_is_refused_all_at_once(given: dict[str, Any], problems: Any) -> None:
    assert refused(opened(RR), "offer_make", **given) == problems


def test_g_offer_goods_that_cannot_come_back_are_not_to_be_exchanged() -> None:
    nowhere = opened(RR, an_order(shop={"return_address": False}), reason="damaged")
    kept = with_order(opened(RR, reason="damaged"), lines=(a_line(returnable=False),))

    assert refused(nowhere, "offer_make", kind=SWAP) == [("INELIGIBLE", "G_RETURN_ADDRESS")]
    assert refused(kept, "offer_make", kind=SWAP) == [("INELIGIBLE", "G_TYPE_OK")]
    assert act(nowhere, "offer_make", kind=SEND).rule == "C5"
    assert act(kept, "offer_make", kind=SEND).rule == "C5"


def received(**changes: Any) -> Request:
    """Come back on Thu 03-06, an hour after another; to be inspected within two working days."""
    return under(a_request(RR, "pending_inspection", **changes), AFTER_RECEIVING)


def test_rr18_a_part_may_be_offered_after_receiving_in_the_us_and_not_in_indonesia() -> None:
    us = an_order(shop={"market": "US", "timezone": "America/New_York"})

    assert refused(a_request(RR, "pending_inspection"), "offer_make") == [*NOT_ALLOWED, *NOT_ALLOWED]
    assert act(a_request(RR, "pending_inspection", order=us), "offer_make").rule == "RR18"


@pytest.mark.parametrize("kind", [FULL, RETURN, SWAP, SEND])
def test_rr18_nothing_but_a_part_is_offered_after_receiving(kind: OfferKind) -> None:
    assert refused(received(reason="damaged"), "offer_make", kind=kind, amount=None) == NOT_ALLOWED


def test_rr18_an_exchange_has_no_offers_after_receiving() -> None:
    request = under(a_request(EX, "pending_inspection"), AFTER_RECEIVING)

    assert refused(request, "offer_make") == [("INVALID_STATE", "G_STATE")]


@pytest.mark.parametrize(("method", "clock"), [(None, "inspect.tracked"), (SELF_ARRANGED, "inspect.self_arranged")])
@pytest.mark.parametrize(("ends", "rule"), [("offer_decline", "C6"), ("expire:offer.response", "C6x")])
def test_c6_after_rr18_the_inspection_goes_on_where_it_stopped(method: Any, clock: str, ends: str, rule: str) -> None:
    request = received(return_method=method)
    due = alive(request)[clock]
    assert due
    asked = act(request, "offer_make", at=due - 5 * HOUR).request

    change = run_out(asked) if rule == "C6x" else act(asked, ends)

    assert (change.rule, change.request.stage.name) == (rule, "pending_inspection")
    assert alive(asked)[clock] is None
    assert alive(change.request) == {clock: change.at + 5 * HOUR}
    assert lived(change.request, "reject_package").stage.name == "package_rejected"
    assert refused(change.request, "offer_make")[0] == ("LIMIT_REACHED", "G_OFFER")


def test_rr18_a_part_that_is_accepted_is_paid_and_the_parcel_was_not_confirmed() -> None:
    accepted = lived(received(), "offer_make", "offer_accept")

    assert (accepted.stage.name, accepted.refund_approved) == ("refunding", rp(50))
    assert (accepted.approved_by, accepted.package_confirmed_at) == (ApprovedBy.OFFER, None)


def test_rr18_an_offer_of_the_review_is_the_only_one() -> None:
    declined = lived(under(opened(RR), AFTER_RECEIVING), part(), "offer_decline", "approve", "handed_over", "delivered")

    assert refused(declined, "offer_make") == [("LIMIT_REACHED", "G_OFFER")]


@pytest.mark.parametrize(("action", "rule"), [("cancel", "C3"), ("close", "C20")])
@pytest.mark.parametrize("at_inspection", [False, True])
def test_an_offer_that_was_open_when_the_request_ended_is_void(action: str, rule: str, at_inspection: bool) -> None:
    asked = lived(received(), "offer_make") if at_inspection else a_request(RR, "awaiting_buyer_response")
    if at_inspection and action == "cancel":
        assert refused(asked, "cancel") == [("INVALID_STATE", "G_NOT_SENT")]
        return

    change = act(asked, action)

    assert change.rule == rule
    assert [(offer.status, offer.answered_at) for offer in change.request.offers] == [(OfferStatus.VOID, change.at)]
    assert alive(change.request) == {}


def test_only_the_buyer_answers() -> None:
    asked = a_request(RR, "awaiting_buyer_response")

    for action in ("offer_accept", "offer_decline"):
        for actor in (act(opened(RR), "approve").actor, act(opened(RR), "close").actor):
            assert refused(asked, action, actor) == [("FORBIDDEN", "G_OWNER")]
    assert act(asked, "offer_accept", BUYER).rule == "C7"

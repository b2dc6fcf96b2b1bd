"""Speedy refunds: the money goes when the parcel is handed over, and is judged after (RR8, RR19 to RR21)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.builders import (
    AGENT,
    BUYER,
    PICK_UP,
    SELF_ARRANGED,
    SELLER,
    Said,
    a_request,
    act,
    alive,
    claimed,
    kinds,
    lived,
    opened,
    refusal,
    rp,
    run_out,
    said,
    staff,
    with_order,
)
from tests.engine.rows import EX, RO, RR, RS

from aftersales.engine.decide import actions
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Leg, RefundStatus, Request
from aftersales.engine.vocabulary import SYSTEM, ApprovedBy

DAY = timedelta(days=1)


def refused(request: Request, action: str, *args: Any, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as error:
        act(request, action, *args, **more)
    return list(refusal(error.value))


def sped(*acts: Said, paid: bool = True, **changes: Any) -> Request:
    """Handed over, and with that refunded; the money is out, or still on its way."""
    given = a_request(RR, "awaiting_buyer_ship", "grant_speedy", "handed_over", **changes)
    return lived(given, *(("refund_paid",) if paid else ()), *acts)


both = pytest.mark.parametrize("paid", [True, False], ids=["paid", "not paid yet"])


@pytest.mark.parametrize("stage", ["pending_review", "awaiting_buyer_ship"])
@pytest.mark.parametrize("actor", [AGENT, SYSTEM])
def test_rr8_a_refund_at_hand_over_is_promised_by_the_platform_before_the_parcel_goes(stage: str, actor: Any) -> None:
    before = a_request(RR, stage)

    change = act(before, "grant_speedy", actor)

    assert (change.rule, set(change.request.tags - before.tags)) == ("RR8", {"speedy_refund"})
    assert (change.request.stage, alive(change.request)) == (before.stage, alive(before))
    assert (change.request.refunds, change.request.refund_approved) == ((), None)
    assert refused(change.request, "grant_speedy") == [("INVALID_STATE", "G_SPEEDY")]


@pytest.mark.parametrize("actor", [BUYER, SELLER])
def test_rr8_nobody_else_promises_it(actor: Any) -> None:
    assert refused(opened(RR), "grant_speedy", actor) == [("FORBIDDEN", "G_OWNER")]


@pytest.mark.parametrize("kind", [RO, RS, EX])
def test_rr8_only_a_return_is_ever_speedy(kind: str) -> None:
    assert refused(opened(kind), "grant_speedy") == [("INVALID_STATE", "G_STATE")]


def test_rr8_a_parcel_that_the_buyer_sends_themselves_is_not_seen_going() -> None:
    request = opened(RR, return_method=SELF_ARRANGED)

    assert refused(request, "grant_speedy") == [("INVALID_STATE", "G_METHOD")]


@pytest.mark.parametrize("promised", ["in review", "after it"])
def test_rr8_the_refund_goes_out_with_the_parcel(promised: str) -> None:
    acts = ("grant_speedy", "approve") if promised == "in review" else ("approve", "grant_speedy")
    waiting = lived(opened(RR), *acts)

    change = act(waiting, "handed_over", carrier="JNE", tracking="JNE9")

    request = change.request
    parcel = request.shipment(Leg.RETURN)
    assert (change.rule, request.stage.name, request.approved_by) == ("RR8", "refunding", ApprovedBy.PLATFORM)
    assert [refund.amount for refund in request.refunds] == [rp(100)]
    assert parcel is not None
    assert (parcel.status.value, parcel.tracking, parcel.handed_over_at) == ("IN_TRANSIT", "JNE9", change.at)
    assert alive(request) == {"speedy.not_received": change.at + 3 * DAY}


def test_rr8_a_picked_up_parcel_is_handed_over_too() -> None:
    waiting = a_request(RR, "awaiting_buyer_ship", "schedule_pickup", "grant_speedy", return_method=PICK_UP)

    assert act(waiting, "handed_over").rule == "RR8"


def test_rr7_without_the_promise_the_parcel_is_waited_for() -> None:
    assert act(a_request(RR, "awaiting_buyer_ship"), "handed_over").rule == "RR7"


def test_rr9_whoever_then_sends_it_on_their_own_waits_like_everybody() -> None:
    chosen = lived(a_request(RR, "awaiting_buyer_ship", "grant_speedy"), "choose_method")

    sent = act(chosen, "upload_tracking")

    assert (sent.rule, sent.request.stage.name, sent.request.refunds) == ("RR9", "return_in_transit", ())
    received = lived(sent.request, "mark_received", "reject_package")
    assert received.stage.name == "package_rejected"


def test_rr8_what_others_got_since_is_not_refunded_again() -> None:
    waiting = a_request(RR, "awaiting_buyer_ship", "grant_speedy")
    since = with_order(waiting, claims=(claimed(by=None, money=40),))

    assert act(since, "handed_over").request.refund_approved == rp(60)


def test_c18_the_payment_does_not_stop_the_wait_for_the_parcel() -> None:
    before = sped(paid=False)

    after = act(before, "refund_paid")

    assert (after.rule, after.request.stage.name) == ("C18", "completed")
    assert alive(after.request) == alive(before)
    assert after.request.appeal is None


@both
def test_rr19_the_parcel_comes_and_the_seller_may_look_at_it_and_appeal(paid: bool) -> None:
    before = sped(paid=paid)

    change = act(before, "delivered")

    parcel = change.request.shipment(Leg.RETURN)
    assert (change.rule, change.request.stage) == ("RR19", before.stage)
    assert parcel is not None
    assert (parcel.status.value, parcel.delivered_at) == ("DELIVERED", change.at)
    assert change.request.appeal is not None
    assert change.request.appeal.ground == "speedy_refund_item_issue"
    assert alive(change.request) == {"appeal.window": change.at + 7 * DAY}
    assert {"ReturnDelivered", "AppealAvailable"} <= set(said(change))
    assert refused(change.request, "delivered") == [("INVALID_STATE", "G_ARRIVED")]


@both
def test_rr20_the_parcel_does_not_come_for_three_days(paid: bool) -> None:
    before = sped(paid=paid)

    change = run_out(before, "speedy.not_received")

    assert (change.rule, change.request.stage) == ("RR20", before.stage)
    assert change.at == before.shipments[0].handed_over_at + 3 * DAY  # type: ignore[operator]
    assert change.request.appeal is not None
    assert change.request.appeal.ground == "speedy_refund_not_received"
    assert alive(change.request) == {"appeal.window": change.at + 7 * DAY}


@both
def test_rr20_a_parcel_that_comes_later_still_comes(paid: bool) -> None:
    late = run_out(sped(paid=paid), "speedy.not_received").request

    come = act(late, "delivered")

    assert (come.rule, alive(come.request)) == ("RR19", alive(late))
    assert act(come.request, "confirm_package").rule == "RR21"


@both
def test_rr21_whoever_confirms_the_parcel_appeals_no_more(paid: bool) -> None:
    before = sped("delivered", paid=paid)

    change = act(before, "confirm_package")

    assert (change.rule, {event.rule for event in change.events}) == ("RR21", {"RR21", "AP4"})
    assert (change.request.stage, change.request.package_confirmed_at) == (before.stage, change.at)
    assert (change.request.appeal_status, alive(change.request)) == ("NOT_AVAILABLE", {})
    assert "PackageAccepted" in said(change)
    assert refused(change.request, "appeal_file") == [("INELIGIBLE", "G_APPEAL")]


# fmt: off
CONFIRMED: list[tuple[str, Callable[[], Request], list[tuple[str, str]]]] = [
    ("before it came", lambda: sped(), [("INVALID_STATE", "G_ARRIVED")]),
    ("though it never came", lambda: run_out(sped(), "speedy.not_received").request, [("INVALID_STATE", "G_ARRIVED")]),
    ("twice", lambda: sped("delivered", "confirm_package"), [("INVALID_STATE", "G_ARRIVED")]),
    ("after the appeal was filed", lambda: sped("delivered", "appeal_file"), [("INVALID_STATE", "G_APPEAL")]),
    ("after it was withdrawn", lambda: sped("delivered", "appeal_file", "appeal_withdraw"),
        [("INVALID_STATE", "G_APPEAL")]),
    ("of a refund that was not speedy", lambda: a_request(RR, "completed"), [("INVALID_STATE", "G_SPEEDY")]),
]
# fmt: on


@pytest.mark.parametrize(("before", "problems"), [pytest.param(*case[1:], id=case[0]) for case in CONFIRMED])
def test_rr21_a_parcel_is_not_confirmed(before: Callable[[], Request], problems: list[tuple[str, str]]) -> None:
    request = before()

    found = refused(request, "confirm_package")

    assert found[: len(problems)] == problems
    offered = {row.action for row in actions(kinds()[RR], request, SELLER, request.updated_at)}
    assert "confirm_package" not in offered


def test_rr21_staff_need_the_grant_to_inspect() -> None:
    assert refused(sped("delivered"), "confirm_package", staff("review", "appeal")) == [("FORBIDDEN", "G_OWNER")]
    assert act(sped("delivered"), "confirm_package", staff("inspect")).rule == "RR21"


def test_rr14_what_is_refunded_at_hand_over_is_never_inspected() -> None:
    """G_NOT_SPEEDY: the seller appeals instead."""
    for action in ("reject_package", "accept_package"):
        assert refused(sped("delivered"), action) == [("INVALID_STATE", "G_STATE")]


def test_c19_a_refund_at_hand_over_that_fails_is_tried_again_beside_it_all() -> None:
    failed = sped("delivered", "refund_failed", "refund_failed last", paid=False)

    paid = lived(failed, "retry_refund", "refund_paid")

    assert [refund.status for refund in paid.refunds] == [RefundStatus.PAID]
    assert (paid.stage.name, alive(paid)) == ("completed", alive(failed))
    assert paid.appeal == failed.appeal


def test_c20_closing_what_cannot_be_paid_leaves_the_appeal_to_the_seller() -> None:
    stuck = sped("delivered", "refund_failed last", paid=False)

    closed = act(stuck, "close").request

    assert closed.stage.name == "closed"
    assert closed.appeal == stuck.appeal
    assert list(alive(closed)) == ["appeal.window"]


@both
def test_an_appeal_about_a_parcel_that_came_runs_its_course(paid: bool) -> None:
    approved = sped("delivered", "appeal_file", "appeal_take_up", *(("refund_paid",) if not paid else ()), paid=paid)

    settled = lived(approved, "appeal_approve", "compensation_paid")

    assert settled.appeal is not None
    assert (settled.appeal.stage.name, settled.appeal.compensation) == ("APPROVED", rp(100))


def test_ap9_nothing_is_made_good_before_the_buyer_was_paid() -> None:
    request = sped("delivered", "appeal_file", "appeal_take_up", paid=False)

    assert refused(request, "appeal_approve") == [("AMOUNT_EXCEEDED", "G_AMOUNT")]

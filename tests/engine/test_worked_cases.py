"""The worked cases of the model's section 15, as one table: instants in Jakarta, Monday to Friday, no holidays."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from tests.engine.builders import (
    DISPUTED,
    HOUR,
    INSTANT,
    JAKARTA,
    PICK_UP,
    SELF_ARRANGED,
    a_line,
    a_request,
    act,
    alive,
    an_opening,
    an_order,
    claimed,
    decided,
    jakarta,
    lived,
    on_its_way,
    opened,
    replaced,
    rp,
    run_out,
    staff,
)

from aftersales.engine.opening import open_request
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Request
from aftersales.engine.stages import expiry
from aftersales.engine.vocabulary import SYSTEM, OfferKind, Party, ShopKind

Facts = Mapping[str, object]


def wall(at: datetime | None) -> str:
    """An instant by Jakarta's clocks: "Sat 03-08 09:00"."""
    return f"{at.astimezone(JAKARTA):%a %m-%d %H:%M}" if at else ""


def due(request: Request) -> str:
    return wall(request.next_clock.due_at) if request.next_clock else ""


def answer(say: Callable[..., object], *args: Any, **more: Any) -> str:
    """What comes of it: "yes", or the codes of the refusal."""
    try:
        say(*args, **more)
    except Refused as refused:
        return " ".join(problem.code for problem in refused.problems)
    return "yes"


def raised(kind: ShopKind, at: datetime) -> Facts:
    order = an_order(shop={"kind": kind}, delivered_at=jakarta("03-03 10:00"))

    return {"create": answer(opened, order=order, at=at)}


def nobody_reviews(kind: str) -> Facts:
    request = opened(kind, at=jakarta("03-06 09:00"))

    approved = run_out(request)

    return {
        "an instant before": answer(run_out, request, at=approved.at - INSTANT),
        "approved": wall(approved.at),
        "stage": approved.request.stage.name,
        "tags": set(approved.request.tags),
        "due": due(approved.request),
    }


def nothing_is_sent() -> Facts:
    approved = act(opened("return_refund"), "approve", at=jakarta("03-07 15:00")).request

    closed = run_out(approved).request

    reason = closed.close_reason.value if closed.close_reason else ""
    return {"stage": closed.stage.name, "reason": reason, "at": wall(closed.closed_at)}


def parcel_comes(at: datetime) -> Facts:
    return {"due": due(act(a_request("return_refund", "return_in_transit"), "delivered", at=at).request)}


def rejected_twice() -> Facts:
    rejected = act(opened(), "reject").request
    at = rejected.updated_at + 47 * HOUR
    _, again = replaced(rejected, "resubmit", at)
    twice = act(again.request, "reject", at=at + HOUR).request

    return {
        "attempt": again.request.attempt,
        "resubmit": answer(replaced, twice, "resubmit", at + 2 * HOUR),
        "openDispute": answer(act, twice, "dispute_open", at=at + 2 * HOUR),
    }


def parcel_of_a_speedy_refund_never_comes() -> Facts:
    approved = a_request("return_refund", "awaiting_buyer_ship", "grant_speedy")
    scanned = act(approved, "handed_over", at=jakarta("03-10 16:00")).request
    paid = act(scanned, "refund_paid", at=jakarta("03-10 16:05")).request

    late = run_out(paid, "speedy.not_received")

    return {
        "an instant before": answer(run_out, paid, "speedy.not_received", late.at - INSTANT),
        "available": wall(late.at),
        "appeal": late.request.appeal_status,
        "ground": late.request.appeal.ground if late.request.appeal else "",
        "window ends": wall(alive(late.request)["appeal.window"]),
    }


def parcel_of_a_speedy_refund_is_confirmed() -> Facts:
    approved = a_request("return_refund", "awaiting_buyer_ship", "grant_speedy")
    scanned = act(approved, "handed_over", at=jakarta("03-10 16:00")).request
    paid = act(scanned, "refund_paid", at=jakarta("03-10 16:05")).request
    come = act(paid, "delivered", at=jakarta("03-12 10:00")).request

    confirmed = act(come, "confirm_package", at=jakarta("03-12 11:00")).request

    return {
        "appeal before": come.appeal_status,
        "appeal": confirmed.appeal_status,
        "fileAppeal": answer(act, confirmed, "appeal_file"),
    }


def offer_is_not_answered() -> Facts:
    request = opened("exchange", at=jakarta("03-06 09:00"))
    asked = act(request, "offer_make", at=jakarta("03-07 23:00"), kind=OfferKind.PARTIAL_REFUND, amount=rp(40)).request

    lapsed = run_out(asked).request

    due_at = alive(lapsed)["review.first"]
    return {
        "lapsed": wall(lapsed.updated_at),
        "stage": lapsed.stage.name,
        "left": due_at - lapsed.updated_at if due_at else None,
        "second offer": answer(act, lapsed, "offer_make"),
    }


def whole_refund_is_offered() -> Facts:
    change = act(opened("reshipment"), "offer_make", kind=OfferKind.FULL_REFUND)

    (offer,) = change.request.offers
    return {"rule": change.rule, "offer": offer.status.value, "stage": change.request.stage.name}


def disputed_to_the_end() -> Facts:
    judged = a_request("return_refund", "rejected", *DISPUTED)
    won = lived(judged, decided(Party.BUYER))
    rejected_again = lived(won, "handed_over", "delivered", "reject_package")
    second = lived(rejected_again, *DISPUTED, decided(Party.BUYER))

    withdrawn = lived(rejected_again, "dispute_open", "dispute_withdraw")
    return {
        "won": won.stage.name,
        "won again": second.stage.name,
        "rounds": second.dispute_rounds,
        "third dispute": answer(act, withdrawn, "dispute_open"),
    }


def decided_while_disputed(kind: str, stage: str, action: str) -> Facts:
    disputed = a_request(kind, stage, "dispute_open")

    return {action: answer(act, disputed, action)}


def seller_gave(amount: int, *, full: bool) -> Facts:
    unasked = claimed(by=None, money=amount, full=full)
    opening = an_opening(order=an_order(a_line(unit=100), claims=(unasked,)))

    if (said := answer(open_request, opening)) != "yes":
        return {"create": said}
    return {"create": said, "refund_max": str(open_request(opening).request.refund_max)}


def approved_at_the_very_instant() -> Facts:
    request = opened(at=jakarta("03-06 09:00"))
    due_at = jakarta("03-08 09:00")

    return {
        "an instant before": answer(act, request, "approve", at=due_at - INSTANT),
        "approve": answer(act, request, "approve", at=due_at),
        "after the worker": answer(act, run_out(request).request, "approve", at=due_at),
    }


def worker_runs_twice(kind: str, stage: str, **changes: Any) -> Facts:
    """The second one holds the clock as it was; a clock that does not move the stage is no exception."""
    request = a_request(kind, stage, **changes)
    clock = request.next_clock
    assert clock is not None

    once = run_out(request).request

    return {
        "stage": once.stage.name,
        "again": answer(act, once, expiry(clock.key), SYSTEM, clock.due_at),
        "version": once.version - request.version,
    }


def nothing_is_received() -> Facts:
    approved = a_request("return_refund", "awaiting_buyer_ship", return_method=SELF_ARRANGED)
    sent = act(approved, "upload_tracking", at=jakarta("03-08 09:00")).request

    late = run_out(sent)

    paid = act(late.request, "refund_paid", at=jakarta("03-22 10:00")).request
    by = late.request.approved_by.value if late.request.approved_by else ""
    return {
        "at": wall(late.at),
        "stage": late.request.stage.name,
        "approved_by": by,
        "appeal before payment": late.request.appeal_status,
        "appeal": paid.appeal_status,
        "ground": paid.appeal.ground if paid.appeal else "",
    }


def two_staff(expected: int | None) -> Facts:
    request = opened()
    first, second = staff("review"), staff("review")

    now = act(request, "approve", first, expected=expected).request

    return {"first": now.stage.name, "second": answer(act, now, "reject", second, expected=expected)}


def third_pick_up_fails() -> Facts:
    approved = act(opened("return_refund", return_method=PICK_UP), "approve", at=jakarta("03-07 15:00")).request
    booked = act(approved, "schedule_pickup", at=jakarta("03-08 09:00")).request
    once = act(booked, "pickup_failed", at=jakarta("03-10 09:00")).request
    twice = act(once, "pickup_failed", at=jakarta("03-11 09:00")).request

    thrice = act(twice, "pickup_failed", at=jakarta("03-12 09:00")).request

    method = thrice.return_method.value if thrice.return_method else ""
    return {"due before": due(twice), "method": method, "due": due(thrice)}


# fmt: off
CASES: list[tuple[str, Callable[..., Facts], tuple[object, ...], dict[str, Any], Facts]] = [
    ("1 non-Mall, delivered Mon 03-03 10:00, an instant before Sun 03-09 10:00",
        raised, (ShopKind.NON_MALL, jakarta("03-09 10:00") - INSTANT), {}, {"create": "yes"}),
    ("1 non-Mall, from Sun 03-09 10:00",
        raised, (ShopKind.NON_MALL, jakarta("03-09 10:00")), {}, {"create": "WINDOW_CLOSED"}),
    ("1 Mall, an instant before Tue 03-18 10:00",
        raised, (ShopKind.MALL, jakarta("03-18 10:00") - INSTANT), {}, {"create": "yes"}),
    ("1 Mall, from Tue 03-18 10:00",
        raised, (ShopKind.MALL, jakarta("03-18 10:00")), {}, {"create": "WINDOW_CLOSED"}),
    ("2 return raised Thu 03-06 09:00, no act: approved Sat 03-08 09:00",
        nobody_reviews, ("return_refund",), {},
        {"an instant before": "INVALID_STATE", "approved": "Sat 03-08 09:00", "stage": "awaiting_buyer_ship",
         "tags": {"auto_approved"}, "due": "Tue 03-18 09:00"}),
    ("3 return approved Fri 03-07 15:00, no drop-off: closed Mon 03-17 15:00",
        nothing_is_sent, (), {}, {"stage": "closed", "reason": "BUYER_DID_NOT_SHIP", "at": "Mon 03-17 15:00"}),
    ("4 delivered Fri 03-14 11:00: inspection due Tue 03-18 11:00",
        parcel_comes, (jakarta("03-14 11:00"),), {}, {"due": "Tue 03-18 11:00"}),
    ("4 delivered Sat 03-15 11:00: the same Tue 03-18 11:00",
        parcel_comes, (jakarta("03-15 11:00"),), {}, {"due": "Tue 03-18 11:00"}),
    ("5 reshipment approved by silence Sat 03-08 09:00: to be sent by Tue 03-11 09:00",
        nobody_reviews, ("reshipment",), {},
        {"an instant before": "INVALID_STATE", "approved": "Sat 03-08 09:00", "stage": "awaiting_seller_ship",
         "tags": {"auto_approved"}, "due": "Tue 03-11 09:00"}),
    ("6 speedy, scanned Mon 03-10 16:00, the parcel never comes: appeal from Thu 03-13 16:00 until Thu 03-20 16:00",
        parcel_of_a_speedy_refund_never_comes, (), {},
        {"an instant before": "INVALID_STATE", "available": "Thu 03-13 16:00", "appeal": "AVAILABLE",
         "ground": "speedy_refund_not_received", "window ends": "Thu 03-20 16:00"}),
    ("7 the same, it comes Wed 03-12 10:00 and the seller confirms it: no appeal",
        parcel_of_a_speedy_refund_is_confirmed, (), {},
        {"appeal before": "AVAILABLE", "appeal": "NOT_AVAILABLE", "fileAppeal": "INELIGIBLE"}),
    ("8 exchange, a part offered at 10 h left, silence for a day: review with 10 h left, no second offer",
        offer_is_not_answered, (), {},
        {"lapsed": "Sat 03-08 23:00", "stage": "pending_review", "left": 10 * HOUR, "second offer": "LIMIT_REACHED"}),
    ("9 reshipment, the whole refund offered: accepted at once",
        whole_refund_is_offered, (), {}, {"rule": "C5a", "offer": "AUTO_ACCEPTED", "stage": "refunding"}),
    ("10 rejected, resubmitted at 47 h, rejected again: no resubmission, but a dispute",
        rejected_twice, (), {}, {"attempt": 2, "resubmit": "LIMIT_REACHED", "openDispute": "yes"}),
    ("11 return rejected, dispute won: sent back first; parcel rejected, dispute won: refunding; no third",
        disputed_to_the_end, (), {},
        {"won": "awaiting_buyer_ship", "won again": "refunding", "rounds": 2, "third dispute": "LIMIT_REACHED"}),
    ("12 approve during a dispute about the review",
        decided_while_disputed, ("refund_only", "rejected", "approve"), {}, {"approve": "TRANSFERRED_TO_PLATFORM"}),
    ("12 reject during a dispute about the review",
        decided_while_disputed, ("refund_only", "rejected", "reject"), {}, {"reject": "TRANSFERRED_TO_PLATFORM"}),
    ("12 accept during a dispute about the parcel",
        decided_while_disputed, ("return_refund", "package_rejected", "accept_package"), {},
        {"accept_package": "TRANSFERRED_TO_PLATFORM"}),
    ("12 reject the parcel again during a dispute about it",
        decided_while_disputed, ("exchange", "package_rejected", "reject_package"), {},
        {"reject_package": "TRANSFERRED_TO_PLATFORM"}),
    ("13 the seller gave 40 of 100: refund_max 60",
        seller_gave, (40,), {"full": False}, {"create": "yes", "refund_max": "60 IDR"}),
    ("13 the seller gave all 100: INELIGIBLE",
        seller_gave, (100,), {"full": True}, {"create": "INELIGIBLE"}),
    ("14 approve at Sat 03-08 09:00, when it is due",
        approved_at_the_very_instant, (), {},
        {"an instant before": "yes", "approve": "DEADLINE_PASSED", "after the worker": "INVALID_STATE"}),
    ("14 the worker runs twice: the review",
        worker_runs_twice, ("refund_only", "pending_review"), {},
        {"stage": "refunding", "again": "INVALID_STATE", "version": 1}),
    ("14 the worker runs twice: the pick-up, which moves no stage",
        worker_runs_twice, ("return_refund", "awaiting_buyer_ship"), {"return_method": PICK_UP},
        {"stage": "awaiting_buyer_ship", "again": "INVALID_STATE", "version": 1}),
    ("15 self-arranged, tracking Sat 03-08 09:00, nothing received: refunding Sat 03-22 09:00",
        nothing_is_received, (), {},
        {"at": "Sat 03-22 09:00", "stage": "refunding", "approved_by": "TIMEOUT_TRANSIT",
         "appeal before payment": "NOT_AVAILABLE", "appeal": "AVAILABLE", "ground": "auto_refund_delivery_delay"}),
    ("16 two staff at once, who say what they saw",
        two_staff, (1,), {}, {"first": "refunding", "second": "VERSION_CONFLICT"}),
    ("16 two staff at once, who do not",
        two_staff, (None,), {}, {"first": "refunding", "second": "INVALID_STATE"}),
    ("17 refund only while in transit for DAMAGED",
        lambda: {"create": answer(opened, order=on_its_way(), reason="damaged")}, (), {},
        {"create": "REASON_NOT_ALLOWED"}),
    ("18 third pick-up fails Wed 03-12 09:00: drop-off, due Sat 03-22 09:00",
        third_pick_up_fails, (), {}, {"due before": "Sat 03-15 09:00", "method": "DROP_OFF", "due": "Sat 03-22 09:00"}),
]
# fmt: on


def test_every_worked_case_of_the_model_is_in_the_table() -> None:
    assert {int(case[0].split()[0]) for case in CASES} == set(range(1, 19))


@pytest.mark.parametrize(
    ("story", "args", "named", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_the_worked_case_comes_out_as_the_model_says(
    story: Callable[..., Facts], args: tuple[object, ...], named: dict[str, Any], expected: Facts
) -> None:
    assert story(*args, **named) == expected

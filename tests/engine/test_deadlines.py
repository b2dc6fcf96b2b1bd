"""Which clock runs where, from when and until when, as requests live; how one instant is computed is test_clocks."""

from dataclasses import replace
from datetime import timedelta

from tests.engine.builders import (
    DROP_OFF,
    HOUR,
    PICK_UP,
    SELF_ARRANGED,
    a_request,
    act,
    alive,
    an_order,
    jakarta,
    opened,
    run_out,
)
from tests.engine.rows import EX, RO, RR, RS

from aftersales.engine.decide import warn
from aftersales.engine.request import ClockStatus, Request
from aftersales.engine.vocabulary import Party

DAY = timedelta(days=1)


def waiting(method: object = None) -> Request:
    """Approved on Thu 03-06 10:00."""
    return a_request(RR, "awaiting_buyer_ship", return_method=method)


APPROVED = jakarta("03-06 10:00")


def test_each_stage_runs_its_own_clock_for_as_long_as_the_policy_says() -> None:
    stages = {
        (RO, "pending_review"): {"review.first": 2 * DAY},
        (RO, "rejected"): {"rejection.followup": 48 * HOUR},
        (RO, "refunding"): {},
        (RR, "awaiting_buyer_ship"): {"ship_back.drop_off": 10 * DAY},
        (RR, "return_in_transit"): {"return.transit": 14 * DAY},
        (RR, "pending_inspection"): {"inspect.tracked": 4 * DAY},  # over a week-end
        (RR, "package_rejected"): {"rejection.followup": 48 * HOUR},
        (RS, "awaiting_seller_ship"): {"ship_out": 4 * DAY},  # over a week-end
        (RS, "outbound_in_transit"): {"outbound.transit": 14 * DAY},
        (EX, "completed"): {},
    }

    lasting = {}
    for kind, stage in stages:
        request = a_request(kind, stage)
        lasting[kind, stage] = {key: due - request.updated_at for key, due in alive(request).items() if due}

    assert lasting == stages


def test_how_the_goods_come_back_decides_which_clock_runs() -> None:
    assert alive(waiting(DROP_OFF)) == {"ship_back.drop_off": APPROVED + 10 * DAY}
    assert alive(waiting(PICK_UP)) == {"ship_back.pickup_date": APPROVED + 3 * DAY}
    assert alive(waiting(SELF_ARRANGED)) == {"ship_back.self": APPROVED + 10 * DAY}
    assert alive(waiting()) == alive(waiting(DROP_OFF))


def test_another_method_never_gives_more_time_than_there_was() -> None:
    two_days_on = act(waiting(), "choose_method", at=APPROVED + 2 * DAY, method=SELF_ARRANGED).request
    picked_up = act(waiting(), "choose_method", at=APPROVED + 9 * DAY, method=PICK_UP).request
    and_back = act(waiting(PICK_UP), "choose_method", at=APPROVED + DAY, method=DROP_OFF).request

    assert alive(two_days_on) == {"ship_back.self": APPROVED + 10 * DAY}
    assert alive(picked_up) == {"ship_back.pickup_date": APPROVED + 10 * DAY}
    assert alive(and_back) == {"ship_back.drop_off": APPROVED + 3 * DAY}


def test_another_method_may_give_less_time() -> None:
    picked_up = act(waiting(), "choose_method", at=APPROVED + DAY, method=PICK_UP).request

    assert alive(picked_up) == {"ship_back.pickup_date": APPROVED + 4 * DAY}


def test_whom_the_carrier_failed_gets_the_whole_time_of_the_other_method() -> None:
    failed = act(act(waiting(PICK_UP), "schedule_pickup").request, "pickup_failed", at=APPROVED + 2 * DAY).request

    chosen = act(failed, "choose_method", at=APPROVED + 3 * DAY, method=SELF_ARRANGED).request

    assert alive(chosen) == {"ship_back.self": APPROVED + 13 * DAY}


def test_a_booked_pick_up_has_seven_days_however_often_it_is_booked_anew() -> None:
    booked = act(waiting(PICK_UP), "schedule_pickup", at=APPROVED + DAY).request
    again = act(booked, "schedule_pickup", at=APPROVED + 5 * DAY).request

    assert alive(booked) == alive(again) == {"ship_back.pickup": APPROVED + 8 * DAY}


def test_a_pick_up_can_be_booked_within_three_days_and_within_the_time_there_is() -> None:
    booked = act(waiting(PICK_UP), "schedule_pickup", at=APPROVED + DAY, pickup_at=APPROVED + 3 * DAY).request
    again = act(booked, "schedule_pickup", at=APPROVED + 6 * DAY, pickup_at=APPROVED + 8 * DAY).request

    assert [parcel.pickup_at for parcel in again.shipments] == [APPROVED + 8 * DAY]


def test_a_pick_up_that_failed_thrice_or_was_never_booked_gives_ten_days_for_the_drop_off() -> None:
    booked = act(waiting(PICK_UP), "schedule_pickup").request
    twice = act(act(booked, "pickup_failed").request, "pickup_failed").request

    thrice = act(twice, "pickup_failed", at=APPROVED + 5 * DAY).request

    assert alive(twice) == alive(booked)
    assert alive(thrice) == {"ship_back.drop_off": APPROVED + 15 * DAY}
    assert alive(run_out(waiting(PICK_UP)).request) == {"ship_back.drop_off": APPROVED + 13 * DAY}
    assert alive(run_out(booked).request) == {"ship_back.drop_off": APPROVED + HOUR + 17 * DAY}


def test_a_parcel_that_the_buyer_sent_has_one_clock_from_tracking_to_inspection() -> None:
    sent = act(waiting(SELF_ARRANGED), "upload_tracking", at=APPROVED + DAY).request
    received = act(sent, "mark_received", at=APPROVED + 10 * DAY).request

    assert alive(sent) == alive(received) == {"inspect.self_arranged": APPROVED + 15 * DAY}
    assert run_out(received).rule == "RR15"


def test_a_parcel_that_failed_can_be_claimed_while_the_way_back_runs_on() -> None:
    failed = act(a_request(RR, "return_in_transit"), "failed", at=APPROVED + 2 * DAY).request

    destroyed = run_out(failed)
    refunded = run_out(destroyed.request)

    transit = APPROVED + HOUR + 14 * DAY
    assert alive(failed) == {"return.transit": transit, "failed_return.claim": APPROVED + 9 * DAY}
    assert (destroyed.at, alive(destroyed.request)) == (APPROVED + 9 * DAY, {"return.transit": transit})
    assert (refunded.at, refunded.request.stage.name) == (transit, "refunding")


def test_clocks_are_owed_by_whoever_must_act() -> None:
    owed = {
        stage: request.waits_for
        for stage in ("pending_review", "awaiting_buyer_ship", "return_in_transit", "pending_inspection")
        for request in [a_request(RR, stage)]
    }

    assert owed == {
        "pending_review": Party.SELLER,
        "awaiting_buyer_ship": Party.BUYER,
        "return_in_transit": Party.CARRIER,
        "pending_inspection": Party.SELLER,
    }
    assert a_request(RO, "refunding").waits_for is Party.SYSTEM
    assert a_request(RO, "completed").waits_for is None


def test_the_next_clock_is_the_running_one_that_is_due_first() -> None:
    failed = act(a_request(RR, "return_in_transit"), "failed").request
    paused = replace(
        failed,
        clocks=tuple(
            replace(clock, status=ClockStatus.PAUSED) if clock.key == "failed_return.claim" else clock
            for clock in failed.clocks
        ),
    )

    assert [request.next_clock and request.next_clock.key for request in (failed, paused)] == [
        "failed_return.claim",
        "return.transit",
    ]


def test_a_request_keeps_the_terms_it_was_born_under() -> None:
    mall, vietnam = an_order(), an_order(shop={"market": "VN"})

    dues = [alive(opened(order=order))["review.first"] for order in (mall, vietnam)]

    assert dues == [jakarta("03-08 09:00"), jakarta("03-07 09:00")]


def test_a_warning_says_how_much_time_is_left_and_changes_nothing() -> None:
    request = a_request(RO)
    (clock,) = request.clocks

    change = warn(request, clock, jakarta("03-07 09:00"))

    (event,) = change.events
    assert change.request is request
    assert (event.type, event.clock_id, event.data["leftSeconds"]) == ("DeadlineWarning", clock.id, 86400)
    assert clock.warn_before == (24 * HOUR, 6 * HOUR, HOUR)

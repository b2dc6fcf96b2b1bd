"""Which clock runs where, from when and until when, as requests live; how one instant is computed is test_clocks."""

from dataclasses import replace
from datetime import timedelta

from tests.engine.builders import (
    ARRIVED,
    BUYER,
    DROP_OFF,
    HOUR,
    PICK_UP,
    RR_ROWS,
    SELF_ARRANGED,
    SELLER,
    a_request,
    act,
    alive,
    an_order,
    attempt,
    ended_clocks,
    jakarta,
    kinds,
    opened,
    run_out,
    said,
)
from tests.engine.rows import EX, RO, RR, RS

from aftersales.engine.common import COMMON
from aftersales.engine.decide import decide, warn
from aftersales.engine.process import Process, Transition
from aftersales.engine.request import Attempt, ClockStatus, Request
from aftersales.engine.stages import PENDING_INSPECTION, REFUNDING, RETURN_IN_TRANSIT, expiry
from aftersales.engine.telling import events
from aftersales.engine.vocabulary import Party, Stage, Status

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
    assert (event.type, event.clock_id) == ("DeadlineWarning", clock.id)
    assert event.data == {
        "key": "review.first",
        "owedBy": "SELLER",
        "dueAt": "2025-03-08T02:00:00+00:00",
        "leftSeconds": 86400,
    }
    assert clock.warn_before == (24 * HOUR, 6 * HOUR, HOUR)


def paused(request: Request) -> Request:
    (clock,) = request.clocks
    still = replace(clock, status=ClockStatus.PAUSED, due_at=None, remaining=HOUR)
    return replace(request, clocks=(still,))


def test_a_paused_clock_is_never_due_and_ends_with_the_stage() -> None:
    request = paused(a_request(RO))

    approved = act(request, "approve", at=jakarta("03-30 09:00")).request

    (clock,) = approved.clocks
    assert (clock.status, clock.remaining) == (ClockStatus.MET, None)
    assert (request.next_clock, request.waits_for) == (None, Party.SELLER)


def test_the_log_tells_of_a_pause_and_of_going_on() -> None:
    running = a_request(RO)
    still = paused(running)

    told = [
        [
            (event.type, event.data["dueAt"])
            for event in events(before, after, "C5", (), "offer", BUYER, ARRIVED, "", {})
        ]
        for before, after in ((running, still), (still, running))
    ]

    assert told == [[("DeadlinePaused", None)], [("DeadlineResumed", "2025-03-08T02:00:00+00:00")]]


CLEANED = Stage("cleaned", Status.IN_PROGRESS, "Cleaned", Party.SELLER, "ship_out")


def with_rows(request: Request, action: str, *rows: Transition) -> Attempt:
    """An attempt under a process that has these rows too."""
    kind = kinds()[request.kind]
    process = Process("x", (*RR_ROWS, *rows), COMMON, kind.process.approved)
    return replace(attempt(request, action, SELLER), kind=replace(kind, process=process))


def test_a_clock_that_a_row_keeps_runs_on_in_the_next_stage_beside_its_own() -> None:
    clean = Transition("X1", PENDING_INSPECTION, "clean", CLEANED, Party.SELLER, "Clean", keeps=("inspect.tracked",))
    ends = [Transition("X2", CLEANED, expiry(key), REFUNDING, Party.SYSTEM) for key in ("ship_out", "inspect.tracked")]
    request = a_request(RR, "pending_inspection")

    change = decide(with_rows(request, "clean", clean, *ends))

    assert alive(change.request) == alive(request) | {"ship_out": change.at + 4 * DAY}
    assert said(change) == ("RequestStatusChanged", "DeadlineStarted")


def test_a_stage_that_starts_anew_leaves_the_clocks_beside_it_alone() -> None:
    again = Transition("X1", RETURN_IN_TRANSIT, "again", None, Party.SELLER, "Send again", restarts=True)
    failed = act(a_request(RR, "return_in_transit"), "failed").request

    change = decide(with_rows(failed, "again", again))

    assert alive(change.request) == alive(failed) | {"return.transit": change.at + 14 * DAY}
    assert ended_clocks(change) == {"return.transit": "CANCELED"}

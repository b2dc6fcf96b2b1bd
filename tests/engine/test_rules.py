"""Every row of sections 4 to 6 does what the model says, and refuses whom and what the model refuses."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.engine.builders import (
    AGENT,
    APP,
    CARRIER,
    DROP_OFF,
    OPENED,
    PICK_UP,
    SELF_ARRANGED,
    a_line,
    a_request,
    act,
    an_order,
    claimed,
    clock_turns,
    kinds,
    new_clocks,
    rp,
    run_out,
    said,
    shown,
    with_order,
)
from tests.engine.rows import CASE_ROWS, EX, FOLLOWS, RO, ROWS, RR, RS, Row, performed, place

from aftersales.engine.cases import MIRROR
from aftersales.engine.costs import CostKind
from aftersales.engine.machines import MACHINES
from aftersales.engine.request import Change, Cost, Leg, RefundStatus
from aftersales.engine.telling import events
from aftersales.engine.vocabulary import Actor, ApprovedBy, EvidenceKind, Party, ReturnMethod

CLOSES = {
    "C2": "EDITED", "C8": "RESUBMITTED", "C10": "REJECTION_STANDS", "C20": "OPERATOR", "RR10": "BUYER_DID_NOT_SHIP",
    "EX3": "BUYER_DID_NOT_SHIP", "EX7": "BUYER_DID_NOT_SHIP", "C13": "ARBITRATION_SELLER",
}  # fmt: skip
ENDINGS = {"completed": "RequestCompleted", "canceled": "RequestCanceled", "closed": "RequestClosed"}
ENDED = {"MET": "DeadlineMet", "EXPIRED": "DeadlineExpired", "CANCELED": "DeadlineCanceled",
         "PAUSED": "DeadlinePaused", "RESUMED": "DeadlineResumed"}  # fmt: skip


def every_event(row: Row) -> Counter[str]:
    """What the model's column says, with what section 4 says of every row."""
    moved = row.stage != row.to
    follows = ["RequestStatusChanged"] * moved + [ENDINGS.get(row.to, "")] * (moved and row.to in ENDINGS)
    follows += [ENDED[how] for _, how in row.turned] + ["DeadlineStarted"] * len(row.started)
    return Counter([*row.events.split(), *follows])


@pytest.mark.parametrize("row", [*ROWS, *CASE_ROWS], ids=str)
def test_a_row_moves_the_request_as_the_model_says(row: Row) -> None:
    change = performed(row)

    before, after = change.before, change.request
    assert before is not None
    assert (before.stage.name, after.stage.name) == (row.stage, row.to)
    assert clock_turns(change) == row.turned
    assert [clock.key for clock in new_clocks(change)] == row.started
    assert Counter(said(change)) == every_event(row)
    assert after.version == before.version + 1
    ends = row.to in ENDINGS and row.to != row.stage
    assert (after.updated_at, after.closed_at) == (change.at, change.at if ends else before.closed_at)
    reason = after.close_reason.value if after.close_reason and ends else None
    assert reason == (CLOSES.get(row.rule, CLOSES.get(row.follows)) if row.to == "closed" and ends else None)


@pytest.mark.parametrize("row", CASE_ROWS, ids=str)
def test_a_row_beside_moves_its_case_and_the_request_says_the_same(row: Row) -> None:
    change = performed(row)

    stages = [MACHINES[row.machine].case(request).stage.name for request in (change.before, change.request) if request]
    dispute, appeal = change.request.dispute, change.request.appeal
    assert stages == row.case.split()
    assert change.request.dispute_status == (MIRROR[dispute.stage.name] if dispute else "NONE")
    assert change.request.appeal_status == (appeal.stage.name if appeal else "NOT_AVAILABLE")


@pytest.mark.parametrize("row", [*ROWS, *CASE_ROWS], ids=str)
def test_a_change_and_all_it_says_cite_the_rule_the_actor_and_the_instant(row: Row) -> None:
    change = performed(row)

    own = [event for event in change.events if event.rule == row.rule]
    assert change.rule == row.rule
    assert {event.rule for event in change.events} - {row.follows} == {row.rule}
    assert {(event.by, event.at) for event in change.events} == {(change.actor, change.at)}
    assert {event.action for event in own} == {change.action}
    assert {event.to_stage.name for event in own} == {row.stage if row.case else row.to}
    assert change.events[-1].to_stage.name == row.to
    assert own[0].from_stage is not None
    assert own[0].from_stage.name == row.stage


def test_every_row_of_every_kind_and_of_what_stands_beside_is_in_the_table() -> None:
    kinds_rows = {(row.rule, row.on.name, row.action) for kind in kinds().values() for row in kind.process.rows}
    beside = {(row.rule, row.on.name, row.action) for machine in MACHINES.values() for row in machine.process.rows}

    listed = {place(row) for row in (*ROWS, *CASE_ROWS)}
    follows = {(row.follows, FOLLOWS[row.follows]) for row in (*ROWS, *CASE_ROWS) if row.follows}
    assert {row for row in kinds_rows | beside if (row[0], row[2]) not in follows} - listed == set()


def test_every_rule_of_the_model_is_in_the_table() -> None:
    # C1 is the opening, in test_opening
    rules = [*(f"C{n}" for n in range(2, 21)), "C5a", "C6x", *(f"RO{n}" for n in range(1, 4))]
    rules += [f"RR{n}" for n in range(1, 22)] + [f"RS{n}" for n in range(1, 8)] + [f"EX{n}" for n in range(1, 13)]
    rules += [f"DI{n}" for n in range(2, 9)] + [f"AP{n}" for n in range(1, 14)]

    assert {rule for row in (*ROWS, *CASE_ROWS) for rule in (row.rule, row.follows)} - {""} == set(rules)


def done(
    kind: str,
    stage: str,
    action: str,
    *after: str,
    by: Actor | None = None,
    method: ReturnMethod | None = None,
    **given: Any,
) -> Callable[[], Change]:
    """An act, or `time`: the next clock runs out."""

    def perform() -> Change:
        request = a_request(kind, stage, *after, return_method=method)
        return run_out(request) if action == "time" else act(request, action, by, **given)

    return perform


# What a row leaves behind on the record, beside stage and clocks.
# fmt: off
LEFT: list[tuple[str, Callable[[], Change], dict[str, Any]]] = [
    ("C15 says who and how, for money", done(RO, "pending_review", "platform_approve"),
        {"approved_by": ApprovedBy.PLATFORM, "tags": {"platform_approved_refund"}, "refund_approved": rp(100)}),
    ("C15 says who and how, for a return", done(RR, "pending_review", "platform_approve"),
        {"approved_by": ApprovedBy.PLATFORM, "tags": {"platform_approved_return"}, "refund_approved": None}),
    ("C15 has no tag for goods that go out", done(RS, "pending_review", "platform_approve"),
        {"approved_by": ApprovedBy.PLATFORM, "tags": set()}),
    ("C16 leaves goods and money with the buyer", done(RR, "awaiting_buyer_ship", "refund_without_return"),
        {"approved_by": ApprovedBy.PLATFORM, "tags": {"refund_without_return"}, "refund_approved": rp(100)}),
    ("C17 is the seller's silence", done(RO, "pending_review", "time"),
        {"approved_by": ApprovedBy.TIMEOUT_REVIEW, "tags": {"auto_approved"}, "refund_approved": rp(100)}),
    ("C18 counts the money", done(RO, "refunding", "refund_paid"), {"refund_paid": rp(100)}),
    ("C18 clears the alarm", done(RO, "refunding", "refund_paid", "refund_failed last"), {"tags": set()}),
    ("C19 a first failure raises no alarm", done(RO, "refunding", "refund_failed"), {"tags": set()}),
    ("C19 the last one does", done(RO, "refunding", "refund_failed", last=True),
        {"tags": {"refund_stuck"}, "refund_paid": None}),
    ("C19 so does not knowing for too long", done(RO, "refunding", "refund_unknown", last=True),
        {"tags": {"refund_stuck"}, "refund_paid": None}),
    ("C19 a person clears it", done(RO, "refunding", "retry_refund", "refund_failed last"), {"tags": set()}),
    ("RO1 the amount given", done(RO, "pending_review", "approve", amount=rp(60)),
        {"approved_by": ApprovedBy.SELLER, "refund_approved": rp(60), "refund_max": rp(100)}),
    ("RO1 by the platform", done(RO, "pending_review", "approve", by=AGENT),
        {"approved_by": ApprovedBy.PLATFORM, "refund_approved": rp(100), "tags": set()}),
    ("RO1 by an app, for the seller", done(RO, "pending_review", "approve", by=APP),
        {"approved_by": ApprovedBy.SELLER}),
    ("RO2 is the seller's rule", done(RO, "pending_review", "match_rule"),
        {"approved_by": ApprovedBy.SELLER_RULE, "tags": {"seller_rule"}, "refund_approved": rp(100)}),
    ("RO3 is the platform's", done(RO, "pending_review", "enforce"),
        {"approved_by": ApprovedBy.PLATFORM, "tags": {"platform_approved_refund", "enforced"},
         "refund_approved": rp(100)}),
    ("RR1 grants no money yet", done(RR, "pending_review", "approve"),
        {"approved_by": ApprovedBy.SELLER, "refund_approved": None, "refunds": ()}),
    ("RR2 may give a part", done(RR, "pending_review", "approve_keep_item", amount=rp(30)),
        {"approved_by": ApprovedBy.SELLER, "refund_approved": rp(30)}),
    ("RR3 is remembered", done(RR, "awaiting_buyer_ship", "choose_method"), {"return_method": SELF_ARRANGED}),
    ("RR6 the third time",
        done(RR, "awaiting_buyer_ship", "pickup_failed", "pickup_failed", "pickup_failed", method=PICK_UP),
        {"return_method": DROP_OFF}),
    ("RR6 no date chosen", done(RR, "awaiting_buyer_ship", "time", method=PICK_UP), {"return_method": DROP_OFF}),
    ("RR10 grants nothing", done(RR, "awaiting_buyer_ship", "time"), {"refund_approved": None, "refunds": ()}),
    ("RR13 takes no amount", done(RR, "pending_inspection", "accept_package", amount=rp(1)),
        {"approved_by": ApprovedBy.SELLER, "refund_approved": rp(100)}),
    ("RR14 grants nothing", done(RR, "pending_inspection", "reject_package"),
        {"refund_approved": None, "package_confirmed_at": None}),
    ("RR15 is silence", done(RR, "pending_inspection", "time"),
        {"approved_by": ApprovedBy.TIMEOUT_INSPECTION, "refund_approved": rp(100), "package_confirmed_at": None}),
    ("RR16 is the way's", done(RR, "return_in_transit", "time"),
        {"approved_by": ApprovedBy.TIMEOUT_TRANSIT, "refund_approved": rp(100)}),
    ("RR17 a lost parcel is paid for whole", done(RR, "return_in_transit", "lost", amount=rp(1)),
        {"approved_by": ApprovedBy.TIMEOUT_TRANSIT, "refund_approved": rp(100)}),
    ("RR17 one that failed is not", done(RR, "return_in_transit", "failed"), {"refund_approved": None}),
    ("RS1 grants no money", done(RS, "pending_review", "approve"),
        {"approved_by": ApprovedBy.SELLER, "refund_approved": None}),
    ("RS4 may give a part", done(RS, "awaiting_seller_ship", "refund_instead", amount=rp(60)),
        {"approved_by": ApprovedBy.SELLER, "refund_approved": rp(60)}),
    ("RS5 is the seller's fault", done(RS, "awaiting_seller_ship", "time"),
        {"approved_by": ApprovedBy.TIMEOUT_SHIP_OUT, "refund_approved": rp(100), "fault": Party.SELLER}),
    ("RS6 ends without money", done(RS, "outbound_in_transit", "delivered"),
        {"refunds": (), "refund_approved": None}),
    ("RS7 is paid for whole", done(RS, "outbound_in_transit", "lost", amount=rp(1)), {"refund_approved": rp(100)}),
    ("RS7 too long on the way", done(RS, "outbound_in_transit", "time"),
        {"approved_by": ApprovedBy.TIMEOUT_TRANSIT, "refund_approved": rp(100)}),
    ("EX5 grants goods, not money", done(EX, "pending_inspection", "accept_package"),
        {"approved_by": ApprovedBy.SELLER, "refund_approved": None}),
    ("EX7 what was received is exchanged", done(EX, "pending_inspection", "time"),
        {"approved_by": ApprovedBy.TIMEOUT_INSPECTION, "refund_approved": None}),
    ("EX7 what was not received is not", done(EX, "return_in_transit", "time", method=SELF_ARRANGED),
        {"refund_approved": None, "refunds": ()}),
    ("EX10 is the seller's fault", done(EX, "awaiting_seller_ship", "time"),
        {"refund_approved": rp(100), "fault": Party.SELLER}),
]
# fmt: on


@pytest.mark.parametrize(("perform", "left"), [pytest.param(*case[1:], id=case[0]) for case in LEFT])
def test_a_row_leaves_on_the_record(perform: Callable[[], Change], left: dict[str, Any]) -> None:
    request = perform().request

    assert {name: getattr(request, name) for name in left} == left


def test_the_latest_yes_counts_whoever_gave_an_earlier_one() -> None:
    by_silence = run_out(a_request(EX)).request
    back = act(act(by_silence, "handed_over").request, "delivered").request

    accepted = act(back, "accept_package").request

    assert (back.approved_by, accepted.approved_by) == (ApprovedBy.TIMEOUT_REVIEW, ApprovedBy.SELLER)


def test_an_accepted_parcel_is_confirmed_at_the_instant_of_the_act() -> None:
    change = act(a_request(RR, "pending_inspection"), "accept_package")

    assert change.request.package_confirmed_at == change.at


def test_a_refund_without_return_makes_the_seller_whole() -> None:
    change = act(a_request(RR), "refund_without_return")

    (cost,) = change.request.costs
    assert (cost.kind, cost.payer, cost.amount) == (CostKind.COMPENSATION, Party.PLATFORM, rp(100))
    (event,) = [event for event in change.events if event.type == "CompensationCreated"]
    assert event.data == {"kind": "COMPENSATION", "payer": "PLATFORM", "amount": "100", "currency": "IDR"}


# How a parcel stands, how it goes, and how often a pick-up was tried.
# fmt: off
PARCELS: list[tuple[str, Callable[[], Change], Leg, tuple[str, ReturnMethod | None, int]]] = [
    ("RR1 expected", done(RR, "pending_review", "approve"), Leg.RETURN, ("EXPECTED", DROP_OFF, 0)),
    ("RR3 otherwise", done(RR, "awaiting_buyer_ship", "choose_method"), Leg.RETURN, ("EXPECTED", SELF_ARRANGED, 0)),
    ("RR4 booked", done(RR, "awaiting_buyer_ship", "schedule_pickup", method=PICK_UP), Leg.RETURN,
        ("BOOKED", PICK_UP, 0)),
    ("RR5 not met", done(RR, "awaiting_buyer_ship", "pickup_failed", "schedule_pickup", method=PICK_UP), Leg.RETURN,
        ("PICKUP_FAILED", PICK_UP, 1)),
    ("RR6 thrice not met",
        done(RR, "awaiting_buyer_ship", "pickup_failed", "pickup_failed", "pickup_failed", method=PICK_UP), Leg.RETURN,
        ("EXPECTED", DROP_OFF, 3)),
    ("RR6 no date", done(RR, "awaiting_buyer_ship", "time", method=PICK_UP), Leg.RETURN, ("EXPECTED", DROP_OFF, 0)),
    ("RR7 sent back", done(RR, "awaiting_buyer_ship", "handed_over"), Leg.RETURN, ("IN_TRANSIT", DROP_OFF, 0)),
    ("RR9 sent by the buyer", done(RR, "awaiting_buyer_ship", "upload_tracking", method=SELF_ARRANGED), Leg.RETURN,
        ("IN_TRANSIT", SELF_ARRANGED, 0)),
    ("RR12 come back by itself", done(RR, "return_in_transit", "mark_received", method=SELF_ARRANGED), Leg.RETURN,
        ("DELIVERED", SELF_ARRANGED, 0)),
    ("RR11 come back", done(RR, "return_in_transit", "delivered"), Leg.RETURN, ("DELIVERED", DROP_OFF, 0)),
    ("RR17 lost", done(RR, "return_in_transit", "lost"), Leg.RETURN, ("LOST", DROP_OFF, 0)),
    ("RR17 failed", done(RR, "return_in_transit", "failed"), Leg.RETURN, ("FAILED", DROP_OFF, 0)),
    ("RR17 unclaimed", done(RR, "return_in_transit", "time", "failed"), Leg.RETURN, ("DESTROYED", DROP_OFF, 0)),
    ("RS2 arranged", done(RS, "awaiting_seller_ship", "arrange"), Leg.OUTBOUND, ("BOOKED", None, 0)),
    ("RS3 sent out", done(RS, "awaiting_seller_ship", "send"), Leg.OUTBOUND, ("IN_TRANSIT", None, 0)),
    ("RS3 collected", done(RS, "awaiting_seller_ship", "handed_over"), Leg.OUTBOUND, ("IN_TRANSIT", None, 0)),
    ("RS6 arrived", done(RS, "outbound_in_transit", "delivered"), Leg.OUTBOUND, ("DELIVERED", None, 0)),
    ("RS7 never arrived", done(RS, "outbound_in_transit", "failed"), Leg.OUTBOUND, ("FAILED", None, 0)),
    ("EX8 the second parcel", done(EX, "awaiting_seller_ship", "send"), Leg.OUTBOUND, ("IN_TRANSIT", None, 0)),
]
# fmt: on


@pytest.mark.parametrize(("perform", "leg", "stands"), [pytest.param(*case[1:], id=case[0]) for case in PARCELS])
def test_a_parcel_stands_as_the_last_act_left_it(
    perform: Callable[[], Change], leg: Leg, stands: tuple[str, ReturnMethod | None, int]
) -> None:
    parcels = [parcel for parcel in perform().request.shipments if parcel.leg is leg]

    assert [(parcel.status.value, parcel.method, parcel.attempts) for parcel in parcels] == [stands]


def test_another_method_forgets_what_was_booked() -> None:
    booked = a_request(RR, "awaiting_buyer_ship", "schedule_pickup", return_method=PICK_UP)

    otherwise = act(booked, "choose_method").request
    by_time = run_out(booked).request

    assert [(parcel.status.value, parcel.pickup_at) for parcel in (*otherwise.shipments, *by_time.shipments)] == [
        ("EXPECTED", None),
        ("EXPECTED", None),
    ]


def test_a_parcel_knows_its_carrier_and_when_it_was_given_and_taken() -> None:
    sent = act(a_request(RR, "awaiting_buyer_ship"), "handed_over", carrier="JNE", tracking="JNE1")
    come = act(sent.request, "delivered")

    parcel = come.request.shipment(Leg.RETURN)

    assert parcel is not None
    assert (parcel.carrier, parcel.tracking) == ("JNE", "JNE1")
    assert (parcel.handed_over_at, parcel.delivered_at) == (sent.at, come.at)
    assert sent.events[0].data == {"carrier": "JNE", "tracking": "JNE1"}


def test_a_parcel_is_expected_by_whoevers_yes_and_section_10_says_who_pays() -> None:
    by_silence = run_out(a_request(RR)).request

    parcel = by_silence.shipment(Leg.RETURN)

    assert parcel is not None
    assert (parcel.status.value, parcel.payer) == ("EXPECTED", Party.PLATFORM)
    assert act(by_silence, "handed_over").request.shipments == (
        act(by_silence, "handed_over").request.shipment(Leg.RETURN),
    )


@pytest.mark.parametrize(
    ("kind", "reason", "method", "payer"),
    [
        (RR, "damaged", DROP_OFF, Party.SELLER),
        (RR, "damaged", SELF_ARRANGED, Party.BUYER),
        (RR, "missed_delivery_date", DROP_OFF, Party.PLATFORM),
        (RR, "no_longer_needed", DROP_OFF, Party.PLATFORM),
        (EX, "damaged", DROP_OFF, Party.SELLER),
        (EX, "wrong_size", DROP_OFF, Party.BUYER),
    ],
)
def test_the_way_back_is_paid_by_whom_section_10_names(
    kind: str, reason: str, method: ReturnMethod, payer: Party
) -> None:
    request = a_request(kind, "awaiting_buyer_ship", reason=reason, return_method=method)

    assert [parcel.payer for parcel in request.shipments] == [payer]


def test_what_is_shown_with_an_act_stays_with_the_request_each_once() -> None:
    request = a_request(RR, "pending_inspection")
    seen = shown(EvidenceKind.VIDEO, Party.SELLER)

    rejected = act(request, "reject_package", evidence=(seen, *request.evidence)).request

    assert rejected.evidence == (*request.evidence, seen)


def test_entering_refunding_makes_one_intent_of_all_that_is_granted() -> None:
    request = a_request(RO, order=an_order(a_line("ol_1", 100), a_line("ol_2", 50)))

    change = act(request, "approve", amount=rp(90))

    (refund,) = change.request.refunds
    assert (refund.amount, refund.status, refund.initiator) == (rp(90), RefundStatus.PENDING, Party.SELLER)
    assert refund.lines == (("ol_1", rp(60)), ("ol_2", rp(30)))
    assert [line.refund_approved for line in change.request.lines] == [rp(60), rp(30)]
    assert refund.id == "rf_1_2_0"


def test_money_that_others_got_since_is_not_granted_again_and_no_line_gets_more_than_it_has_left() -> None:
    request = a_request(RO, order=an_order(a_line("ol_1", 100), a_line("ol_2", 100)))
    since = with_order(request, claims=(claimed("ol_1", by=None, money=80),))

    change = act(since, "approve")

    (refund,) = change.request.refunds
    assert refund.lines == (("ol_1", rp(20)), ("ol_2", rp(100)))


def test_what_rounding_leaves_over_never_lifts_a_line_above_what_it_cost() -> None:
    tiny = [a_line(f"ol_{place}", 1) for place in range(10)]

    change = act(a_request(RO, order=an_order(*tiny)), "approve", amount=rp(4))

    (refund,) = change.request.refunds
    assert sum(share.amount for _, share in refund.lines) == 4
    assert max(share.amount for _, share in refund.lines) == 1


def test_shipping_is_granted_on_top_though_a_part_of_the_line_was_given_before() -> None:
    order = an_order(a_line(unit=100), shipping=10, claims=(claimed(by=None, money=40),))

    change = act(a_request(RO, order=order), "approve")

    assert change.request.refund_max == rp(70)
    assert change.request.refund_approved == rp(70)


def test_a_refund_that_failed_is_tried_again_under_the_same_id() -> None:
    failed = act(a_request(RO, "refunding"), "refund_failed").request

    again = act(act(failed, "refund_failed", last=True).request, "retry_refund").request
    paid = act(again, "refund_paid").request

    assert [refund.tries for refund in (*failed.refunds, *again.refunds)] == [1, 0]
    assert {refund.id for refund in (*failed.refunds, *again.refunds, *paid.refunds)} == {failed.refunds[0].id}
    assert [refund.status for refund in again.refunds] == [RefundStatus.PENDING]
    assert [(refund.status, refund.paid_at) for refund in paid.refunds] == [(RefundStatus.PAID, paid.updated_at)]


def test_a_refund_whose_outcome_is_unknown_stays_open_even_if_it_failed_before() -> None:
    failed = act(a_request(RO, "refunding"), "refund_failed").request

    unknown = act(failed, "refund_unknown", last=True).request

    assert (unknown.refunds[0].status, unknown.refunds[0].tries) == (RefundStatus.PENDING, 2)


def test_the_log_says_which_refund_was_paid() -> None:
    change = act(a_request(RO, "refunding"), "refund_paid")

    assert change.events[0].type == "RefundPaid"
    assert change.events[0].data == {"refundId": change.request.refunds[0].id}


def test_the_log_says_that_a_tag_is_gone() -> None:
    change = act(a_request(RO, "refunding", "refund_failed last"), "retry_refund")

    assert [event.data for event in change.events if event.type == "TagRemoved"] == [{"tag": "refund_stuck"}]


def test_the_note_of_an_act_stands_on_its_first_event_alone() -> None:
    change = act(a_request(RO), "reject", note="Seen it work.")

    assert [event.note for event in change.events] == ["Seen it work.", "", "", ""]
    assert change.events[0].data == {"reason": "unclear_or_no_evidence"}


def test_a_deadline_event_always_says_what_who_and_when() -> None:
    change = act(a_request(RO), "reject")

    (started,) = [event for event in change.events if event.type == "DeadlineStarted"]
    (clock,) = new_clocks(change)
    assert started.clock_id == clock.id == "dl_1_2_0"
    assert started.data == {"key": "rejection.followup", "owedBy": "BUYER", "dueAt": "2025-03-08T03:00:00+00:00"}


def test_only_a_change_that_moves_money_or_ends_the_request_takes_of_the_order() -> None:
    request = a_request(RR)

    takes = {name: change.takes_of_order for name, change in {
        "approve": act(request, "approve"), "cancel": act(request, "cancel"),
        "approve_keep_item": act(request, "approve_keep_item"), "reject": act(request, "reject"),
    }.items()}  # fmt: skip

    assert takes == {"approve": False, "cancel": True, "approve_keep_item": True, "reject": False}


def test_a_change_of_stage_says_both_statuses_and_the_stage() -> None:
    change = act(a_request(RO), "reject")

    (moved,) = [event for event in change.events if event.type == "RequestStatusChanged"]
    assert moved.data == {"from": "PENDING_REVIEW", "to": "REJECTED", "stage": "rejected"}


def test_what_was_given_is_told_once() -> None:
    twice = a_request(RR, "awaiting_buyer_ship", "pickup_failed", "pickup_failed", return_method=PICK_UP)

    change = act(twice, "pickup_failed", carrier="JNE")

    assert [event.data for event in change.events][:2] == [{"carrier": "JNE"}, {}]


def test_a_cost_is_told_with_its_amount_once_that_is_known() -> None:
    before = a_request(RO)
    costs = (
        Cost("co_1", CostKind.RETURN_SHIPPING, Party.SELLER),
        Cost("co_2", CostKind.BUYER_COUPON, Party.SELLER, rp(5)),
    )

    told = list(events(before, replace(before, costs=costs), "X1", (), "bill", CARRIER, OPENED, "", {}))

    assert [(event.type, event.data) for event in told] == [
        ("CostAdded", {"kind": "RETURN_SHIPPING", "payer": "SELLER"}),
        ("CostAdded", {"kind": "BUYER_COUPON", "payer": "SELLER", "amount": "5", "currency": "IDR"}),
    ]
    assert (
        list(events(replace(before, costs=costs), replace(before, costs=costs), "X1", (), "", CARRIER, OPENED, "", {}))
        == []
    )


def test_who_pays_for_the_way_back_follows_the_method_and_a_coupon_follows_the_acceptance() -> None:
    """Section 10: at the seller's fault a buyer who sends it on their own pays first, and gets a coupon."""
    request = a_request(RR, "awaiting_buyer_ship", reason="wrong_item", return_method=DROP_OFF)

    chosen = act(request, "choose_method", method=SELF_ARRANGED).request
    sent = act(chosen, "upload_tracking", carrier="JNE", tracking="T1").request
    received = act(sent, "mark_received").request
    accepted = act(received, "accept_package")

    assert [r.shipment(Leg.RETURN).payer for r in (request, chosen)] == [Party.SELLER, Party.BUYER]  # type: ignore[union-attr]
    assert [(cost.kind, cost.payer, cost.amount) for cost in accepted.request.costs] == [
        (CostKind.BUYER_COUPON, Party.SELLER, None)
    ]
    assert "CostAdded" in said(accepted)

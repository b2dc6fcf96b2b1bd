"""Whom a row refuses, and why: parties, grants, time, versions, and every guard of section 3 with its code."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.engine.builders import (
    AGENT,
    APP,
    BUYER,
    CARRIER,
    HOUR,
    INSTANT,
    OPENED,
    PICK_UP,
    RO_ROWS,
    SELF_ARRANGED,
    SELLER,
    a_request,
    act,
    alive,
    an_order,
    attempt,
    claimed,
    kinds,
    on_its_way,
    rp,
    run_out,
    shown,
    staff,
    with_order,
)
from tests.engine.rows import EX, FOLLOWS, RO, RR, RS, Row, brought, expected, performed
from tests.engine.walking import first_due

from aftersales.engine.common import COMMON
from aftersales.engine.decide import decide, rows_for
from aftersales.engine.guards import reject_codes_for
from aftersales.engine.machines import MACHINES
from aftersales.engine.money import Money
from aftersales.engine.process import Process, Transition
from aftersales.engine.reasons import Review
from aftersales.engine.refusal import Problem, Refused
from aftersales.engine.request import Leg, Request
from aftersales.engine.rights import acts_as
from aftersales.engine.stages import PENDING_REVIEW, REFUNDING, expired_key, expiry
from aftersales.engine.vocabulary import SYSTEM, EvidenceKind, Party

EVERYBODY = (BUYER, SELLER, AGENT, CARRIER, APP, SYSTEM)
SOME_GRANTS = ("view", "review", "inspect", "offer", "ship", "refund", "appeal", "settings")
# What follows from another act at once is nobody's to do, and never offered.
BUILT = [
    (kind.name, row)
    for kind in kinds().values()
    for row in kind.process.rows
    if row.rule not in FOLLOWS or row.action != FOLLOWS[row.rule]
]
BESIDE = [
    (RO, row)
    for machine in MACHINES.values()
    for row in machine.process.rows
    if row.rule not in FOLLOWS or row.action != FOLLOWS[row.rule]
]


def rows(which: Callable[[Transition], object]) -> Any:
    """All rows of all kinds, and of what stands beside a request, of which it holds."""
    return pytest.mark.parametrize(
        ("place", "row"),
        [
            pytest.param(expected(kind, row), row, id=f"{row.rule} {kind} {row.on.name} {row.action}")
            for kind, row in (*BUILT, *BESIDE)
            if which(row)
        ],
    )


def refused(say: Callable[..., object], *args: Any, **more: Any) -> list[Problem]:
    with pytest.raises(Refused) as refusal:
        say(*args, **more)
    for problem in refusal.value.problems:
        assert problem.text(), problem.code
    return list(refusal.value.problems)


def codes(problems: list[Problem]) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.guard, problem.field) for problem in problems]


@rows(lambda row: True)
def test_whoever_is_not_named_by_a_row_is_refused(place: Row, row: Transition) -> None:
    request = brought(place)

    for actor in EVERYBODY:
        if not any(acts_as(actor) in one.by for one in rows_for(attempt(request, row.action, actor))):
            (problem,) = refused(act, request, row.action, actor)
            assert (problem.code, problem.guard) == ("FORBIDDEN", "G_OWNER")
            assert problem.facts["permission"] == (row.grant or "party")


@rows(lambda row: row.grant)
def test_staff_and_apps_without_the_grant_are_refused_and_told_which(place: Row, row: Transition) -> None:
    request = brought(place)
    others = frozenset(SOME_GRANTS) - {row.grant}

    for actor in (staff(*others), replace(APP, grants=others)):
        (problem,) = refused(act, request, row.action, actor)
        assert (problem.code, problem.facts["permission"]) == ("FORBIDDEN", row.grant)


@rows(lambda row: row.grant and Party.SELLER in row.by)
def test_one_grant_is_enough_for_its_act(place: Row, row: Transition) -> None:
    change = performed(replace(place, by=staff(row.grant)))

    assert (change.rule, change.actor.id) == (row.rule, "staff")


def test_the_grants_of_the_rows_are_those_of_section_11() -> None:
    grants = {row.action: row.grant for _, row in (*BUILT, *BESIDE) if row.personal and Party.SELLER in row.by}

    assert grants == {
        "approve": "review",
        "approve_keep_item": "review",
        "reject": "review",
        "accept_package": "inspect",
        "reject_package": "inspect",
        "mark_received": "inspect",
        "arrange": "ship",
        "send": "ship",
        "refund_instead": "review",
        "offer_make": "offer",
        "claim_package": "inspect",
        "confirm_package": "inspect",
        "send_back": "ship",
        "dispute_submit_evidence": "review",
        "appeal_file": "appeal",
        "appeal_add_evidence": "appeal",
        "appeal_withdraw": "appeal",
    }


@rows(lambda row: not row.by_time and not row.late)
def test_whoever_comes_at_the_due_instant_or_later_is_too_late(place: Row, row: Transition) -> None:
    request = brought(place)
    clock = first_due(request)
    if clock is None or clock.due_at is None:
        assert row.on.name in ("refunding", "completed", "closed")
        return

    for actor in EVERYBODY:
        if acts_as(actor) in row.by and acts_as(actor) is not Party.SYSTEM:
            for at in (clock.due_at, clock.due_at + HOUR):
                (problem, *_) = refused(act, request, row.action, actor, at)
                assert (problem.code, problem.guard) == ("DEADLINE_PASSED", "G_IN_TIME")
                assert problem.facts["clock"].due_at == clock.due_at


@rows(lambda row: row.late)
def test_an_operator_may_close_what_time_should_have_ended_and_has_not(place: Row, row: Transition) -> None:
    request = brought(place)
    clock = first_due(request)
    if clock is None or clock.due_at is None:
        assert row.on.name == "refunding"
        return

    change = act(request, row.action, at=clock.due_at + HOUR)

    assert (change.rule, change.request.stage.name, alive(change.request)) == ("C20", "closed", {})


def test_who_asks_for_what_has_no_row_any_more_hears_of_the_deadline_first() -> None:
    request = a_request(RO)

    (problem,) = refused(act, request, "refund_paid", SYSTEM, OPENED + timedelta(days=2))

    assert problem.code == "DEADLINE_PASSED"


@rows(lambda row: row.by_time)
def test_time_does_nothing_before_its_instant(place: Row, row: Transition) -> None:
    request = brought(place)
    clock = request.clock(expired_key(row.action) or "")
    assert clock is not None
    assert clock.due_at is not None

    for at in (OPENED, clock.due_at - INSTANT):
        (problem, *_) = refused(act, request, row.action, SYSTEM, at)
        assert (problem.code, problem.guard) == ("INVALID_STATE", "G_DUE")


def test_a_clock_that_was_stopped_does_not_act_when_it_would_have_been_due() -> None:
    approved = a_request(RR, "awaiting_buyer_ship", return_method=PICK_UP)
    due = approved.next_clock.due_at if approved.next_clock else None
    booked = act(approved, "schedule_pickup").request

    (problem,) = refused(act, booked, expiry("ship_back.pickup_date"), SYSTEM, due)

    assert problem.guard == "G_DUE"


def test_a_rejection_does_not_stand_while_a_dispute_is_open() -> None:
    request = a_request(RO, "rejected")
    due = alive(request)["rejection.followup"]
    open_since = act(request, "dispute_open").request

    problems = refused(act, open_since, expiry("rejection.followup"), SYSTEM, due)

    assert [problem.guard for problem in problems] == ["G_DUE", "G_NOT_FROZEN"]


def test_only_the_system_moves_a_clock() -> None:
    for actor in (BUYER, SELLER, AGENT, CARRIER, APP):
        (problem,) = refused(act, a_request(RO), expiry("review.first"), actor, OPENED + timedelta(days=2))
        assert problem.code == "FORBIDDEN"


def test_a_stale_reader_hears_of_that_alone() -> None:
    approved = act(a_request(RO), "approve").request

    (problem,) = refused(act, approved, "reject", SELLER, expected=1, reason="nonsense")

    assert codes([problem]) == [("VERSION_CONFLICT", "G_VERSION", "expectedVersion")]
    assert (problem.facts["expected"], problem.facts["current"], problem.retryable) == (1, 2, True)


def test_whoever_expects_the_version_that_is_may_act() -> None:
    assert act(a_request(RO), "approve", expected=1).request.version == 2


@pytest.mark.parametrize("stage", ["completed", "canceled", "closed"])
@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
def test_nothing_moves_a_request_that_has_ended(kind: str, stage: str) -> None:
    ended = a_request(kind, stage)
    still = {"compensation_paid": "G_COMPENSATION", "collected": "G_CANCELED", "send_back": "G_SEND_BACK"}
    still |= {"revoke_enforcement": "G_ENFORCED"}
    back = {"delivered": "G_SPEEDY" if stage == "completed" else "G_SEND_BACK", "confirm_package": "G_SPEEDY"}

    for action in {row.action for _, row in (*BUILT, *BESIDE)}:
        (problem, *_) = refused(act, ended, action, SYSTEM if expired_key(action) else None)
        has_row = kinds()[kind].process.at(stage, action)
        assert problem.code == "INVALID_STATE"
        time_or_state = "G_DUE" if expired_key(action) else (still | back).get(action, "G_STATE")
        assert problem.guard == (time_or_state if has_row else "G_STATE")


def changed(request: Request, leg: Leg = Leg.RETURN, **facts: Any) -> Request:
    """The same request, its parcel otherwise."""
    parcel = request.shipment(leg)
    assert parcel is not None
    return replace(request, shipments=(replace(parcel, **facts),))


def money_out(request: Request) -> Request:
    paid = a_request(RO, "completed").refunds
    return replace(request, tags=frozenset({"speedy_refund"}), refunds=paid)


def disputed(kind: str, stage: str) -> Request:
    """A dispute is open: really, or as if one could be where none can."""
    if stage in ("rejected", "package_rejected"):
        return a_request(kind, stage, "dispute_open")
    return replace(a_request(kind, stage), dispute_status="OPEN")


LONG = "x" * 501
DAY = timedelta(days=1)
THREE_DAYS = 3 * DAY
IN_VIETNAM = an_order(shop={"market": "VN"})


def at(kind: str, stage: str = "pending_review", *after: str, **changes: Any) -> Callable[[], Request]:
    return lambda: a_request(kind, stage, *after, **changes)


def others_got(amount: int) -> Callable[[], Request]:
    """Since the request was made."""
    return lambda: with_order(a_request(RO), claims=(claimed(by=None, money=amount),))


# fmt: off
GUARDED: list[tuple[str, Callable[[], Request], str, dict[str, Any], list[tuple[str, str, str]]]] = [
    # G_NOT_FROZEN, where a dispute can be and where it cannot (yet)
    *((f"{action} while a dispute is open", lambda kind=kind, stage=stage: disputed(kind, stage), action, {},
       [("TRANSFERRED_TO_PLATFORM", "G_NOT_FROZEN", "")])
      for kind, stage, action in (
          (RO, "pending_review", "approve"), (RO, "pending_review", "reject"), (RO, "pending_review", "cancel"),
          (RO, "pending_review", "platform_approve"), (RO, "pending_review", "refund_without_return"),
          (RO, "rejected", "cancel"), (RO, "rejected", "resubmit"), (RO, "rejected", "approve"),
          (RR, "pending_review", "approve_keep_item"), (RR, "awaiting_buyer_ship", "choose_method"),
          (RR, "pending_inspection", "accept_package"), (RR, "pending_inspection", "reject_package"),
          (RR, "package_rejected", "reject_package"), (RS, "pending_review", "approve"))),
    # C3, C20
    ("C3 the parcel is on its way", lambda: changed(a_request(RR, "awaiting_buyer_ship"), handed_over_at=OPENED),
        "cancel", {}, [("INVALID_STATE", "G_NOT_SENT", "")]),
    ("C3 too many words", at(RO), "cancel", {"note": LONG}, [("INVALID_INPUT", "G_NOTE", "note")]),
    ("C20 without a word", at(RO), "close", {"note": " "}, [("NOTE_REQUIRED", "G_NOTE", "note")]),
    ("C20 with too many", at(RO), "close", {"note": LONG}, [("INVALID_INPUT", "G_NOTE", "note")]),
    ("C20 money is moving", at(RO, "refunding"), "close", {}, [("INVALID_STATE", "G_NOT_PAYING", "")]),
    ("C20 money will be tried again", at(RO, "refunding", "refund_failed"), "close", {},
        [("INVALID_STATE", "G_NOT_PAYING", "")]),
    ("C20 nobody knows whether it moved", at(RO, "refunding", "refund_failed", "refund_unknown last"),
        "close", {}, [("INVALID_STATE", "G_NOT_PAYING", "")]),
    # C18, C19
    ("C18 another refund", at(RO, "refunding"), "refund_paid", {"refund_id": "rf_other"},
        [("INVALID_STATE", "G_REFUND_OPEN", "")]),
    ("C19 another refund", at(RO, "refunding"), "refund_failed", {"refund_id": "rf_other"},
        [("INVALID_STATE", "G_REFUND_OPEN", "")]),
    ("C19 nobody knows of another refund", at(RO, "refunding"), "refund_unknown", {"refund_id": "rf_other"},
        [("INVALID_STATE", "G_REFUND_OPEN", "")]),
    ("C19 a person says too much", at(RO, "refunding", "refund_failed last"), "retry_refund", {"note": LONG},
        [("INVALID_INPUT", "G_NOTE", "note")]),
    ("C15 an agent says too much", at(RO), "platform_approve", {"note": LONG}, [("INVALID_INPUT", "G_NOTE", "note")]),
    ("C16 an agent says too much", at(RO), "refund_without_return", {"note": LONG},
        [("INVALID_INPUT", "G_NOTE", "note")]),
    ("RR13 the seller says too much", at(RR, "pending_inspection"), "accept_package", {"note": LONG},
        [("INVALID_INPUT", "G_NOTE", "note")]),
    ("RR14 the seller says too much", at(RR, "pending_inspection"), "reject_package", {"note": LONG},
        [("INVALID_INPUT", "G_NOTE", "note")]),
    ("C19 nothing has failed", at(RO, "refunding"), "retry_refund", {},
        [("INVALID_STATE", "G_REFUND_FAILED", "")]),
    # G_REJECT
    ("C4 a code that is none", at(RO), "reject", {"reason": "because"},
        [("REASON_NOT_ALLOWED", "G_REJECT", "reason")]),
    ("C4 no code", at(RO), "reject", {"reason": None}, [("REASON_NOT_ALLOWED", "G_REJECT", "reason")]),
    ("C4 a code of the second review", at(RR), "reject", {"reason": "pkg_not_ours"},
        [("REASON_NOT_ALLOWED", "G_REJECT", "reason")]),
    ("C4 a code of another kind", at(RS), "reject", {"reason": "not_eligible_used"},
        [("REASON_NOT_ALLOWED", "G_REJECT", "reason")]),
    ("C4 a code for what is on its way", at(RO), "reject", {"reason": "cannot_change_address"},
        [("REASON_NOT_ALLOWED", "G_REJECT", "reason")]),
    ("C4 a code for what has arrived", at(RO, order=on_its_way()), "reject",
        {"reason": "need_return_and_refund"},
        [("REASON_NOT_ALLOWED", "G_REJECT", "reason")]),
    ("C4 nothing shown", at(RO), "reject", {"reason": "item_correct"},
        [("EVIDENCE_REQUIRED", "G_EVIDENCE", "evidenceIds")]),
    ("C4 the wrong thing shown", at(RO), "reject",
        {"reason": "agreed_with_buyer", "evidence": (shown(EvidenceKind.PHOTO),)},
        [("EVIDENCE_REQUIRED", "G_EVIDENCE", "evidenceIds")]),
    ("C4 a change of mind is protected", at(RR, order=IN_VIETNAM, reason="no_longer_needed"), "reject",
        {"reason": "unclear_or_no_evidence"}, [("REASON_NOT_ALLOWED", "G_REJECT", "reason")]),
    ("RR14 a code of the first review", at(RR, "pending_inspection"), "reject_package",
        {"reason": "item_correct"}, [("REASON_NOT_ALLOWED", "G_REJECT", "reason")]),
    ("RR14 nothing shown", at(RR, "pending_inspection"), "reject_package", {"evidence": ()},
        [("EVIDENCE_REQUIRED", "G_EVIDENCE", "evidenceIds")]),
    ("RR14 the money is out", lambda: money_out(a_request(RR, "pending_inspection")),
        "reject_package", {}, [("INVALID_STATE", "G_NOT_SPEEDY", "")]),
    # G_AMOUNT
    *((f"RO1 {amount}", at(RO), "approve", {"amount": amount}, [(code, "G_AMOUNT", "amount")])
      for amount, code in (
          (rp(0), "AMOUNT_EXCEEDED"), (rp(-1), "AMOUNT_EXCEEDED"), (rp(101), "AMOUNT_EXCEEDED"),
          (rp("0.5"), "INVALID_INPUT"), (Money(Decimal(50), "USD"), "INVALID_INPUT"))),
    ("RO1 others have got it all", others_got(100), "approve", {},
        [("AMOUNT_EXCEEDED", "G_AMOUNT", "amount")]),
    ("RO1 others have got a part", others_got(40), "approve",
        {"amount": rp(61)}, [("AMOUNT_EXCEEDED", "G_AMOUNT", "amount")]),
    ("RO1 the order has no more", lambda: with_order(a_request(RO), total=rp(30)), "approve", {"amount": rp(31)},
        [("AMOUNT_EXCEEDED", "G_AMOUNT", "amount")]),
    ("C16 others have got it all", others_got(100),
        "refund_without_return", {}, [("AMOUNT_EXCEEDED", "G_AMOUNT", "amount")]),
    ("RR2 too much", at(RR), "approve_keep_item", {"amount": rp(101)},
        [("AMOUNT_EXCEEDED", "G_AMOUNT", "amount")]),
    # The journey back
    ("RR1 nowhere to send it", at(RR, order=an_order(shop={"return_address": False})), "approve", {},
        [("INELIGIBLE", "G_RETURN_ADDRESS", "")]),
    ("RR3 no method", at(RR, "awaiting_buyer_ship"), "choose_method", {"method": None},
        [("INVALID_INPUT", "G_METHOD", "method")]),
    ("RR3 after it was handed over", lambda: changed(a_request(RR, "awaiting_buyer_ship"), handed_over_at=OPENED),
        "choose_method", {}, [("INVALID_STATE", "G_NOT_SENT", "")]),
    ("RR4 it is not picked up", at(RR, "awaiting_buyer_ship"), "schedule_pickup", {},
        [("INVALID_STATE", "G_METHOD", "")]),
    ("RR4 no date", at(RR, "awaiting_buyer_ship", return_method=PICK_UP), "schedule_pickup",
        {"pickup_at": None}, [("INVALID_INPUT", "G_PICKUP_DATE", "pickupAt")]),
    ("RR4 a date gone by", at(RR, "awaiting_buyer_ship", return_method=PICK_UP), "schedule_pickup",
        {"pickup_at": OPENED}, [("INVALID_INPUT", "G_PICKUP_DATE", "pickupAt")]),
    ("RR4 a date after the three days", at(RR, "awaiting_buyer_ship", return_method=PICK_UP),
        "schedule_pickup", {"pickup_at": OPENED + HOUR + THREE_DAYS + INSTANT},
        [("INVALID_INPUT", "G_PICKUP_DATE", "pickupAt")]),
    ("RR4 a date after the pick-up's own time", lambda: act(
        a_request(RR, "awaiting_buyer_ship", "schedule_pickup", return_method=PICK_UP), "pickup_failed",
        at=OPENED + 6 * DAY).request,
        "schedule_pickup", {"pickup_at": OPENED + 2 * HOUR + 7 * DAY + INSTANT},
        [("INVALID_INPUT", "G_PICKUP_DATE", "pickupAt")]),
    ("RR4 after it was handed over",
        lambda: changed(a_request(RR, "awaiting_buyer_ship", return_method=PICK_UP), handed_over_at=OPENED),
        "schedule_pickup", {}, [("INVALID_STATE", "G_NOT_SENT", "")]),
    ("RR6 it is not picked up, though it once was", lambda: act(
        a_request(RR, "awaiting_buyer_ship", "pickup_failed", "pickup_failed", return_method=PICK_UP),
        "choose_method").request, "pickup_failed", {}, [("INVALID_STATE", "G_METHOD", "")]),
    ("RR17 a parcel of ours did not fail", at(RR, "return_in_transit", return_method=SELF_ARRANGED), "failed", {},
        [("INVALID_STATE", "G_METHOD", "")]),
    ("RR5 it is not picked up", at(RR, "awaiting_buyer_ship"), "pickup_failed", {},
        [("INVALID_STATE", "G_METHOD", "")]),
    ("RR7 the buyer sends it", at(RR, "awaiting_buyer_ship", return_method=SELF_ARRANGED), "handed_over", {},
        [("INVALID_STATE", "G_METHOD", "")]),
    ("RR9 our carrier brings it", at(RR, "awaiting_buyer_ship"), "upload_tracking", {},
        [("INVALID_STATE", "G_METHOD", "")]),
    ("RR9 which carrier?", at(RR, "awaiting_buyer_ship", return_method=SELF_ARRANGED), "upload_tracking",
        {"carrier": " "}, [("INVALID_INPUT", "G_TRACKING", "carrier")]),
    ("RR11 the buyer sent it", at(RR, "return_in_transit", return_method=SELF_ARRANGED), "delivered", {},
        [("INVALID_STATE", "G_METHOD", "")]),
    ("RR12 our carrier will say", at(RR, "return_in_transit"), "mark_received", {},
        [("INVALID_STATE", "G_METHOD", "")]),
    ("RR17 the buyer sent it", at(RR, "return_in_transit", return_method=SELF_ARRANGED), "lost", {},
        [("INVALID_STATE", "G_METHOD", "")]),
    ("RR17 it has failed already", at(RR, "return_in_transit", "failed"), "failed", {},
        [("INVALID_STATE", "G_NOT_FAILED", "")]),
    ("RR17 and was destroyed", lambda: run_out(a_request(RR, "return_in_transit", "failed")).request,
        "failed", {}, [("INVALID_STATE", "G_NOT_FAILED", "")]),
    # The journey out
    ("RS3 which number?", at(RS, "awaiting_seller_ship"), "send", {"tracking": ""},
        [("INVALID_INPUT", "G_TRACKING", "tracking")]),
    ("RS4 a change of heart", at(RS, "awaiting_seller_ship"), "refund_instead", {"reason": "rather_not"},
        [("REASON_NOT_ALLOWED", "G_REFUND_INSTEAD", "reason")]),
    ("RS4 too much", at(RS, "awaiting_seller_ship"), "refund_instead", {"amount": rp(101)},
        [("AMOUNT_EXCEEDED", "G_AMOUNT", "amount")]),
    # Several at once, in the order a person would raise them
    ("reject: code and note", at(RO), "reject", {"reason": "because", "note": LONG},
        [("REASON_NOT_ALLOWED", "G_REJECT", "reason"), ("INVALID_INPUT", "G_NOTE", "note")]),
    ("reject: too late, and the code", at(RO), "reject", {"reason": "because", "at": OPENED + THREE_DAYS},
        [("DEADLINE_PASSED", "G_IN_TIME", ""), ("REASON_NOT_ALLOWED", "G_REJECT", "reason")]),
    ("approve: a dispute, too late, and too much", lambda: disputed(RO, "pending_review"), "approve",
        {"amount": rp(101), "at": OPENED + THREE_DAYS},
        [("DEADLINE_PASSED", "G_IN_TIME", ""), ("TRANSFERRED_TO_PLATFORM", "G_NOT_FROZEN", ""),
         ("AMOUNT_EXCEEDED", "G_AMOUNT", "amount")]),
    ("upload: neither carrier nor number", at(RR, "awaiting_buyer_ship", return_method=SELF_ARRANGED),
        "upload_tracking", {"carrier": None, "tracking": None},
        [("INVALID_INPUT", "G_TRACKING", "carrier"), ("INVALID_INPUT", "G_TRACKING", "tracking")]),
    ("refund instead: amount, reason and note", at(EX, "awaiting_seller_ship"), "refund_instead",
        {"amount": rp(0), "reason": "", "note": LONG},
        [("AMOUNT_EXCEEDED", "G_AMOUNT", "amount"), ("REASON_NOT_ALLOWED", "G_REFUND_INSTEAD", "reason"),
         ("INVALID_INPUT", "G_NOTE", "note")]),
    ("close: money moving, and not a word", at(RO, "refunding"), "close", {"note": ""},
        [("INVALID_STATE", "G_NOT_PAYING", ""), ("NOTE_REQUIRED", "G_NOTE", "note")]),
]
# fmt: on


@pytest.mark.parametrize(
    ("request_", "action", "said", "problems"), [pytest.param(*case[1:], id=case[0]) for case in GUARDED]
)
def test_a_guard_refuses_with_its_code_its_name_and_the_field(
    request_: Callable[[], Request], action: str, said: dict[str, Any], problems: list[tuple[str, str, str]]
) -> None:
    assert codes(refused(act, request_(), action, **said)) == problems


def test_a_protected_change_of_mind_is_refused_only_for_goods_that_cannot_be_sold_again() -> None:
    request = a_request(RR, order=IN_VIETNAM, reason="no_longer_needed")

    allowed = [code.code for code in reject_codes_for(request, kinds()[RR], Review.FIRST)]
    allowed += [code.code for code in reject_codes_for(request, kinds()[RR], Review.SECOND)]

    assert allowed == ["not_eligible_used", "change_of_mind_not_allowed", "pkg_damaged_used", "pkg_parts_missing"]


def test_a_sellers_reasons_are_those_of_the_orders_state() -> None:
    arrived = {code.code for code in reject_codes_for(a_request(RO), kinds()[RO], Review.FIRST)}
    moving = {code.code for code in reject_codes_for(a_request(RO, order=on_its_way()), kinds()[RO], Review.FIRST)}

    assert arrived - moving == {"need_return_and_refund", "wrong_address_buyer"}
    assert moving - arrived == {"cannot_change_address", "on_schedule_or_not_recallable"}


def test_the_row_of_ones_own_party_is_taken_where_two_parties_have_one() -> None:
    kind = kinds()[RO]
    theirs = Transition("X1", PENDING_REVIEW, "approve", REFUNDING, Party.PLATFORM, "Approve for them")
    ours = tuple(replace(row, by=Party.SELLER) if row.rule == "RO1" else row for row in RO_ROWS)
    both = Process("x", (theirs, *ours), COMMON, REFUNDING)

    change = decide(replace(attempt(a_request(RO), "approve"), kind=replace(kind, process=both)))

    assert change.rule == "RO1"


# fmt: off
ALLOWED: list[tuple[str, Callable[[], Request], str, dict[str, Any]]] = [
    ("all that there is", at(RO), "approve", {"amount": rp(100)}),
    ("as little as there is", at(RO), "approve", {"amount": rp(1)}),
    ("all that others left", others_got(40), "approve", {"amount": rp(60)}),
    ("as many words as may be said", at(RO), "cancel", {"note": "x" * 500}),
    ("a parcel of a speedy refund that is not out", lambda: replace(
        a_request(RR, "pending_inspection"), tags=frozenset({"speedy_refund"})), "reject_package", {}),
    ("any reason against a change of mind that is not protected", at(RR, reason="no_longer_needed"), "reject", {}),
    ("any reason against another reason where a change of mind is", at(RR, order=IN_VIETNAM), "reject", {}),
    ("a pick-up on the last instant of the three days", at(RR, "awaiting_buyer_ship", return_method=PICK_UP),
        "schedule_pickup", {"pickup_at": OPENED + HOUR + THREE_DAYS}),
    ("a pick-up at once", at(RR, "awaiting_buyer_ship", return_method=PICK_UP), "schedule_pickup",
        {"pickup_at": OPENED + 2 * HOUR}),
    ("closing what nobody pays any more", at(RO, "refunding", "refund_failed last"), "close", {}),
]
# fmt: on


@pytest.mark.parametrize(("request_", "action", "said"), [pytest.param(*case[1:], id=case[0]) for case in ALLOWED])
def test_a_guard_lets_pass(request_: Callable[[], Request], action: str, said: dict[str, Any]) -> None:
    before = request_()

    assert act(before, action, **said).request.version == before.version + 1

"""Disputes: a buyer takes a rejection to the platform (C9, C11 to C14, and section 5)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.engine.builders import (
    AGENT,
    ARRIVED,
    BUYER,
    DISPUTED,
    HOUR,
    INSTANT,
    SELLER,
    Said,
    a_request,
    act,
    alive,
    an_order,
    decided,
    lived,
    refusal,
    replaced,
    run_out,
    said,
    shown,
    under,
)
from tests.engine.rows import EX, RO, RR, RS

from aftersales.engine.refusal import Refused
from aftersales.engine.request import Change, Clock, ClockStatus, Leg, Request
from aftersales.engine.vocabulary import ApprovedBy, EvidenceKind, Party, ShopKind

DAY = timedelta(days=1)
MALL = an_order(shop={"kind": ShopKind.MALL})
FROZEN = [("TRANSFERRED_TO_PLATFORM", "G_NOT_FROZEN")]


def refused(request: Request, action: str, *args: Any, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as error:
        act(request, action, *args, **more)
    assert all(problem.text() for problem in error.value.problems)
    return list(refusal(error.value))


def disputed(kind: str = RO, stage: str = "rejected", *acts: Said, **changes: Any) -> Request:
    return a_request(kind, stage, "dispute_open", *acts, **changes)


def judged(kind: str = RO, stage: str = "rejected", **changes: Any) -> Request:
    """Both sides have said what they had to say: the platform is to decide."""
    return a_request(kind, stage, *DISPUTED, **changes)


def evidence_clocks(request: Request) -> dict[Party, Clock]:
    return {clock.owed_by: clock for clock in request.clocks if clock.key == "dispute.evidence" and clock.alive}


def rejected(reason: str = "not_received", after: timedelta = 3 * DAY) -> Request:
    """Rejected an hour after it was asked for, so long after delivery; the buyer then has 48 hours."""
    return a_request(RO, "rejected", order=MALL, reason=reason, at=ARRIVED + after)


def disputed_twice(reason: str = "not_received") -> Request:
    return lived(rejected(reason), "dispute_open", "dispute_withdraw", "dispute_open", "dispute_withdraw")


# fmt: off
OPENED: list[tuple[str, Callable[[], Request], datetime, list[tuple[str, str]]]] = [
    ("after the first review", rejected, ARRIVED + 4 * DAY, []),
    ("after the second", lambda: a_request(RR, "package_rejected"), ARRIVED + 4 * DAY, []),
    ("after the second, of an exchange", lambda: a_request(EX, "package_rejected"), ARRIVED + 4 * DAY, []),
    ("before any review", lambda: a_request(RO), ARRIVED + 4 * DAY, [("INVALID_STATE", "G_STATE")]),
    ("after the end", lambda: a_request(RO, "closed"), ARRIVED + 4 * DAY, [("INVALID_STATE", "G_STATE")]),
    ("an instant before the 48 hours are over", rejected, ARRIVED + 5 * DAY + HOUR - INSTANT, []),
    ("when they are over", rejected, ARRIVED + 5 * DAY + HOUR, [("DEADLINE_PASSED", "G_IN_TIME")]),
    ("while one is open", disputed, ARRIVED + 4 * DAY, FROZEN),
    ("a second", lambda: lived(rejected(), "dispute_open", "dispute_withdraw"), ARRIVED + 4 * DAY, []),
    ("a third", disputed_twice, ARRIVED + 4 * DAY, [("LIMIT_REACHED", "G_DISPUTES")]),
    ("not as described, an instant before delivery + 6 days",
        lambda: rejected("not_as_described", 5 * DAY), ARRIVED + 6 * DAY - INSTANT, []),
    ("not as described, from delivery + 6 days",
        lambda: rejected("not_as_described", 5 * DAY), ARRIVED + 6 * DAY, [("WINDOW_CLOSED", "G_ACCEPTANCE")]),
    ("counterfeit, an instant before delivery + 14 days",
        lambda: rejected("counterfeit", 13 * DAY), ARRIVED + 14 * DAY - INSTANT, []),
    ("counterfeit, from delivery + 14 days",
        lambda: rejected("counterfeit", 13 * DAY), ARRIVED + 14 * DAY, [("WINDOW_CLOSED", "G_ACCEPTANCE")]),
    ("of what the table does not name, whenever", lambda: rejected("damaged", 14 * DAY), ARRIVED + 15 * DAY, []),
    ("too late in every way, and too often", lambda: disputed_twice("not_as_described"), ARRIVED + 9 * DAY,
        [("DEADLINE_PASSED", "G_IN_TIME"), ("LIMIT_REACHED", "G_DISPUTES"), ("WINDOW_CLOSED", "G_ACCEPTANCE")]),
]
# fmt: on


@pytest.mark.parametrize(("request_", "at", "problems"), [pytest.param(*case[1:], id=case[0]) for case in OPENED])
def test_c9_a_dispute_may_be_opened_in_time_twice_and_while_the_platform_takes_such_cases(
    request_: Callable[[], Request], at: datetime, problems: list[tuple[str, str]]
) -> None:
    request = request_()

    if problems:
        assert refused(request, "dispute_open", at=at) == problems
    else:
        assert act(request, "dispute_open", at=at).request.dispute_status == "OPEN"


@pytest.mark.parametrize(("note", "problem"), [(" ", "NOTE_REQUIRED"), ("x" * 501, "INVALID_INPUT")])
def test_c9_the_claim_is_said_in_words_and_in_few(note: str, problem: str) -> None:
    assert refused(a_request(RO, "rejected"), "dispute_open", note=note) == [(problem, "G_NOTE")]


def test_c9_opening_keeps_the_claim_stops_the_buyers_time_and_asks_both_sides() -> None:
    before = a_request(RO, "rejected")
    picture = shown(EvidenceKind.VIDEO)

    change = act(before, "dispute_open", note=" It never came. ", evidence=(picture,))

    (dispute,) = change.request.disputes
    assert (dispute.round, dispute.stage.name, dispute.claim) == (1, "EVIDENCE", "It never came.")
    assert dispute.evidence == (picture,)
    assert picture not in change.request.evidence
    assert {party: clock.due_at for party, clock in evidence_clocks(change.request).items()} == {
        Party.SELLER: change.at + 24 * HOUR,
        Party.BUYER: change.at + 24 * HOUR,
    }
    paused = change.request.clock("rejection.followup")
    assert paused is not None
    assert (paused.status, paused.remaining) == (ClockStatus.PAUSED, 47 * HOUR)
    (opened,) = [event for event in change.events if event.type == "DisputeOpened"]
    assert opened.data == {"disputeId": dispute.id, "round": 1, "status": "EVIDENCE"}


def test_c8_rounds_are_counted_over_requests_that_took_each_others_place() -> None:
    first = lived(a_request(RO, "rejected"), "dispute_open", "dispute_withdraw")
    _, made = replaced(first, "resubmit")
    again = lived(made.request, "reject", "dispute_open", "dispute_withdraw")

    assert made.request.dispute_rounds == 1
    assert [dispute.round for dispute in again.disputes] == [2]
    assert refused(again, "dispute_open") == [("LIMIT_REACHED", "G_DISPUTES")]


def test_a_case_that_was_won_and_rejected_again_has_one_round_left() -> None:
    won = lived(judged(RR), decided(Party.BUYER))
    second = lived(won, "handed_over", "delivered", "reject_package", "dispute_open")

    lost_again = lived(second, "dispute_withdraw")

    assert [dispute.round for dispute in second.disputes] == [1, 2]
    assert refused(lost_again, "dispute_open") == [("LIMIT_REACHED", "G_DISPUTES")]


@pytest.mark.parametrize(
    ("kind", "stage", "action"),
    [
        (RO, "rejected", "resubmit"),
        (RO, "rejected", "cancel"),
        (RO, "rejected", "approve"),
        (RO, "rejected", "reject"),
        (RO, "rejected", "platform_approve"),
        (RR, "rejected", "approve_keep_item"),
        (RR, "rejected", "offer_make"),
        (RR, "package_rejected", "accept_package"),
        (RR, "package_rejected", "reject_package"),
        (EX, "package_rejected", "accept_package"),
        (RS, "rejected", "approve"),
    ],
)
def test_what_the_platform_judges_nobody_else_decides(kind: str, stage: str, action: str) -> None:
    request = disputed(kind, stage)

    if action == "resubmit":
        with pytest.raises(Refused) as error:
            replaced(request, action)
        assert refusal(error.value) == FROZEN
    else:
        assert refused(request, action) == FROZEN


def test_di2_each_side_gives_once_and_the_last_one_brings_it_before_the_platform() -> None:
    request = disputed()
    mine, theirs = shown(EvidenceKind.DOCUMENT), shown(EvidenceKind.AWB, Party.SELLER)

    first = act(request, "dispute_submit_evidence", BUYER, evidence=(mine,))
    second = act(first.request, "dispute_submit_evidence", SELLER, evidence=(theirs,))

    assert set(evidence_clocks(first.request)) == {Party.SELLER}
    assert refused(first.request, "dispute_submit_evidence", BUYER) == [("INVALID_STATE", "G_TURN")]
    assert (first.request.dispute_status, second.request.dispute_status) == ("OPEN", "OPEN")
    assert second.request.dispute is not None
    assert second.request.dispute.stage.name == "UNDER_REVIEW"
    assert second.request.dispute.evidence == (mine, theirs)
    assert evidence_clocks(second.request) == {}
    assert alive(second.request)["dispute.decision"] == second.at + 24 * HOUR
    assert "DisputeUnderReview" in said(second)


def test_di2_a_side_may_say_that_it_has_nothing_more() -> None:
    done = act(disputed(), "dispute_submit_evidence", SELLER, evidence=(), note="Nothing more.").request

    assert set(evidence_clocks(done)) == {Party.BUYER}


def test_di2_the_platform_adds_what_it_finds_and_takes_nobodys_turn() -> None:
    found = shown(EvidenceKind.PHOTO, Party.PLATFORM)

    early = act(disputed(), "dispute_submit_evidence", AGENT, evidence=(found,)).request
    late = act(judged(), "dispute_submit_evidence", AGENT, evidence=(found,)).request

    assert set(evidence_clocks(early)) == {Party.BUYER, Party.SELLER}
    assert [request.dispute.evidence[-1:] for request in (early, late) if request.dispute] == [(found,), (found,)]


def test_di2_what_was_shown_before_is_kept_once() -> None:
    again = shown(EvidenceKind.DOCUMENT)

    twice = lived(disputed(), ("dispute_submit_evidence", {"actor": BUYER, "evidence": (again,)}))
    twice = act(twice, "dispute_submit_evidence", SELLER, evidence=(again,)).request

    assert twice.dispute is not None
    assert twice.dispute.evidence == (again,)


def test_di3_when_both_sides_are_silent_time_ends_both_at_one_instant_and_only_once_asks_the_platform() -> None:
    request = disputed()

    one = run_out(request, "dispute.evidence")
    other = run_out(one.request, "dispute.evidence")

    assert one.at == other.at
    assert [change.rule for change in (one, other)] == ["DI3", "DI3"]
    assert [said(change).count("DisputeUnderReview") for change in (one, other)] == [0, 1]
    assert evidence_clocks(other.request) == {}
    assert alive(other.request)["dispute.decision"] == other.at + 24 * HOUR


def test_di3_whose_time_is_over_may_say_no_more() -> None:
    opened_one = disputed()
    asked_again = lived(opened_one, ("dispute_submit_evidence", {"actor": SELLER}))

    silent = run_out(asked_again, "dispute.evidence").request

    assert silent.dispute is not None
    assert silent.dispute.stage.name == "UNDER_REVIEW"
    assert refused(silent, "dispute_submit_evidence", BUYER)[0][0] == "FORBIDDEN"


def test_di3_silence_decides_nothing_by_itself() -> None:
    judging = run_out(run_out(disputed(), "dispute.evidence").request, "dispute.evidence").request

    assert judging.stage.name == "rejected"
    assert lived(judging, decided(Party.BUYER)).stage.name == "refunding"


@pytest.mark.parametrize("party", [Party.BUYER, Party.SELLER])
def test_di4_the_platform_asks_one_side_and_that_side_alone_answers(party: Party) -> None:
    asked = act(judged(), "dispute_request_evidence", party=party, note="Show the label.")

    other = {Party.BUYER: SELLER, Party.SELLER: BUYER}[party]
    assert set(evidence_clocks(asked.request)) == {party}
    assert evidence_clocks(asked.request)[party].due_at == asked.at + 24 * HOUR
    assert refused(asked.request, "dispute_submit_evidence", other) == [("INVALID_STATE", "G_TURN")]
    answerer = {Party.BUYER: BUYER, Party.SELLER: SELLER}[party]
    answered = act(asked.request, "dispute_submit_evidence", answerer).request
    assert alive(answered)["dispute.decision"] == answered.updated_at + 24 * HOUR


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"party": None}, [("INVALID_INPUT", "G_PARTY")]),
        ({"party": Party.PLATFORM}, [("INVALID_INPUT", "G_PARTY")]),
        ({"note": ""}, [("NOTE_REQUIRED", "G_NOTE")]),
        ({"party": None, "note": "x" * 501}, [("INVALID_INPUT", "G_PARTY"), ("INVALID_INPUT", "G_NOTE")]),
    ],
)
def test_di4_a_question_says_whom_and_what(given: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    assert refused(judged(), "dispute_request_evidence", **given) == problems


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"decision": None}, [("INVALID_INPUT", "G_DECISION")]),
        ({"decision": Party.PLATFORM}, [("INVALID_INPUT", "G_DECISION")]),
        ({"note": " "}, [("NOTE_REQUIRED", "G_NOTE")]),
        ({"note": "x" * 501}, [("INVALID_INPUT", "G_NOTE")]),
        ({"send_back": True}, [("INVALID_INPUT", "G_SEND_BACK")]),
        ({"decision": Party.SELLER, "send_back": True}, [("INVALID_INPUT", "G_SEND_BACK")]),
        ({"decision": None, "note": ""}, [("INVALID_INPUT", "G_DECISION"), ("NOTE_REQUIRED", "G_NOTE")]),
    ],
)
def test_di5_a_decision_says_for_whom_and_why(given: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    assert refused(judged(), "dispute_decide", **given) == problems


def test_di5_only_what_lies_before_the_platform_is_decided() -> None:
    assert refused(disputed(), "dispute_decide") == [("INVALID_STATE", "G_STATE")]


# Where a decision leads: for the buyer (C11 after the first review, C12 after the second), and for the seller (C13).
# fmt: off
DECIDED = [
    #rule   kind stage               for           to                      approved by             money
    ("C11", RO, "rejected",         Party.BUYER,  "refunding",            ApprovedBy.ARBITRATION, True),
    ("C11", RR, "rejected",         Party.BUYER,  "awaiting_buyer_ship",  ApprovedBy.ARBITRATION, False),
    ("C11", RS, "rejected",         Party.BUYER,  "awaiting_seller_ship", ApprovedBy.ARBITRATION, False),
    ("C11", EX, "rejected",         Party.BUYER,  "awaiting_buyer_ship",  ApprovedBy.ARBITRATION, False),
    ("C12", RR, "package_rejected", Party.BUYER,  "refunding",            ApprovedBy.ARBITRATION, True),
    ("C12", EX, "package_rejected", Party.BUYER,  "refunding",            ApprovedBy.ARBITRATION, True),
    ("C13", RO, "rejected",         Party.SELLER, "closed",               None,                   False),
    ("C13", RR, "rejected",         Party.SELLER, "closed",               None,                   False),
    ("C13", RS, "rejected",         Party.SELLER, "closed",               None,                   False),
    ("C13", EX, "rejected",         Party.SELLER, "closed",               None,                   False),
    ("C13", RR, "package_rejected", Party.SELLER, "closed",               ApprovedBy.SELLER,      False),
    ("C13", EX, "package_rejected", Party.SELLER, "closed",               ApprovedBy.SELLER,      False),
]
# fmt: on


@pytest.mark.parametrize(("rule", "kind", "stage", "party", "to", "by", "money"), DECIDED)
def test_di5_a_decision_leads_where_the_model_says(
    rule: str, kind: str, stage: str, party: Party, to: str, by: ApprovedBy | None, money: bool
) -> None:
    change: Change = act(judged(kind, stage), "dispute_decide", decision=party, note="The label says so.")

    request = change.request
    assert {event.rule for event in change.events} == {"DI5", rule}
    assert request.version == judged(kind, stage).version + 1
    assert request.dispute is not None
    assert (request.dispute.decision_note, request.dispute.decided_by) == ("The label says so.", AGENT.id)
    assert request.dispute.decided_at == change.at
    assert request.dispute_status == f"SUPPORT_{party.title}"
    assert (request.stage.name, request.approved_by, bool(request.refunds)) == (to, by, money)
    assert (request.close_reason and request.close_reason.value) == ("ARBITRATION_SELLER" if to == "closed" else None)


def test_c13_goods_go_back_to_a_buyer_who_lost_where_the_market_has_it_so() -> None:
    market = under(judged(RR, "package_rejected"), {"back_to_buyer": True})

    closed = lived(market, decided(Party.SELLER, send_back=True))
    sent = lived(closed, "send_back")
    back = lived(sent, "delivered")
    late = run_out(closed, "back_to_buyer.ship").request

    parcels = [request.shipment(Leg.BACK_TO_BUYER) for request in (closed, sent, back)]
    assert [parcel.status.value for parcel in parcels if parcel] == ["EXPECTED", "IN_TRANSIT", "DELIVERED"]
    assert [sorted(alive(request)) for request in (closed, sent, back, late)] == [["back_to_buyer.ship"], [], [], []]
    assert (late.stage.name, set(late.tags)) == ("closed", {"send_back_late"})
    assert refused(sent, "send_back") == [("INVALID_STATE", "G_SEND_BACK")]
    assert lived(late, "send_back").shipment(Leg.BACK_TO_BUYER) is not None


@pytest.mark.parametrize("actor", [BUYER, AGENT])
@pytest.mark.parametrize(("kind", "stage"), [(RO, "rejected"), (RR, "package_rejected"), (EX, "package_rejected")])
def test_di6_a_withdrawn_dispute_gives_the_buyer_back_the_time_that_was_left(kind: str, stage: str, actor: Any) -> None:
    request = act(a_request(kind, stage), "dispute_open").request

    change = act(request, "dispute_withdraw", actor, at=request.updated_at + 9 * HOUR)

    assert {event.rule for event in change.events} == {"DI6", "C14"}
    assert change.request.dispute_status == "WITHDRAWN"
    assert change.request.stage.name == stage
    assert alive(change.request) == {"rejection.followup": change.at + 47 * HOUR}


def test_c14_at_least_24_hours_are_left_after_a_dispute_that_came_to_nothing() -> None:
    request = a_request(RO, "rejected")
    due = alive(request)["rejection.followup"]
    assert due
    at_the_last = act(request, "dispute_open", at=due - INSTANT).request

    change = act(at_the_last, "dispute_withdraw")

    assert alive(change.request) == {"rejection.followup": change.at + 24 * HOUR}


def test_di6_the_seller_cannot_withdraw_it_and_nobody_what_is_decided() -> None:
    assert refused(disputed(), "dispute_withdraw", SELLER) == [("FORBIDDEN", "G_OWNER")]
    assert refused(lived(judged(RR), decided(Party.BUYER)), "dispute_withdraw") == [("INVALID_STATE", "G_STATE")]


def test_di7_a_platform_that_is_late_is_told_so_and_still_decides() -> None:
    late = run_out(judged(), "dispute.decision")

    assert late.request.dispute is not None
    assert late.request.dispute.escalated
    assert (late.request.dispute_status, late.request.waits_for) == ("OPEN", Party.PLATFORM)
    assert sorted(alive(late.request)) == ["rejection.followup"]
    assert lived(late.request, decided(Party.BUYER)).stage.name == "refunding"


@pytest.mark.parametrize("request_", [disputed, judged], ids=["while evidence is given", "while it is judged"])
def test_di8_what_the_operator_closes_has_nothing_left_to_dispute(request_: Callable[[], Request]) -> None:
    change = act(request_(), "close")

    assert {event.rule for event in change.events} == {"C20", "DI8"}
    assert change.request.dispute_status == "WITHDRAWN"
    assert change.request.dispute is not None
    assert change.request.dispute.decided_at == change.at
    assert (change.request.stage.name, alive(change.request)) == ("closed", {})
    assert said(change).count("DisputeWithdrawn") == 1


def test_a_request_says_of_its_latest_dispute_only() -> None:
    second = lived(a_request(RR, "package_rejected"), "dispute_open", "dispute_withdraw", "dispute_open")

    assert [dispute.stage.name for dispute in second.disputes] == ["WITHDRAWN", "EVIDENCE"]
    assert second.dispute_status == "OPEN"

"""Appeals: a seller asks the platform to make good a refund that others granted (section 6)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.builders import (
    AGENT,
    BUYER,
    DISPUTED,
    HOUR,
    INSTANT,
    SELF_ARRANGED,
    SELLER,
    Said,
    act,
    alive,
    an_order,
    decided,
    goods,
    jakarta,
    kinds,
    lived,
    on_its_way,
    opened,
    part,
    refusal,
    rp,
    run_out,
    said,
    shown,
    staff,
    under,
    with_order,
)
from tests.engine.rows import ASKED, EX, FILED, REVIEWED, RO, RR, RS, SPEEDY

from aftersales.engine.appeal import GROUNDS, REASONS_TO_APPEAL, compensation_max
from aftersales.engine.costs import CostKind
from aftersales.engine.decide import actions
from aftersales.engine.money import Money
from aftersales.engine.refusal import Refused
from aftersales.engine.request import ClockStatus, Cost, Request
from aftersales.engine.stages import expiry
from aftersales.engine.vocabulary import EvidenceKind, OfferKind, OrderState, Party

DAY = timedelta(days=1)
WEEK = 7 * DAY
PHOTO, VIDEO, PAPER, CHAT, AWB = (
    EvidenceKind.PHOTO,
    EvidenceKind.VIDEO,
    EvidenceKind.DOCUMENT,
    EvidenceKind.CHAT_SCREENSHOT,
    EvidenceKind.AWB,
)


def refused(request: Request, action: str, *args: Any, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as error:
        act(request, action, *args, **more)
    assert all(problem.text() for problem in error.value.problems)
    return list(refusal(error.value))


def told(*acts: Said, kind: str = RO, flags: Mapping[str, int | bool] | None = None, **changes: Any) -> Request:
    return lived(under(opened(kind, **changes), flags or {}), *acts)


def canceled(request: Request) -> Request:
    """Its order was canceled since."""
    return with_order(request, state=OrderState.CANCELED)


SILENCE = expiry("review.first")
INSPECTED = expiry("inspect.tracked")
WON = (*DISPUTED, decided(Party.BUYER))
BACK: tuple[Said, ...] = ("approve", "handed_over", "delivered")
SPED: tuple[Said, ...] = ("approve", *SPEEDY)

# Section 6.1: what came before, the act that opens the window at its instant, and the ground; empty: none.
# fmt: off
GROUND: list[tuple[str, Callable[[], Request], str, str]] = [
    ("a dispute was won after the first review", lambda: told("reject", *WON), "refund_paid", "arbitration_unfair"),
    ("a dispute was won after the second", lambda: told(*BACK, "reject_package", *WON, kind=RR), "refund_paid",
        "arbitration_unfair"),
    ("a dispute was won over an exchange's parcel", lambda: told(*BACK, "reject_package", *WON, kind=EX),
        "refund_paid", "arbitration_unfair"),
    ("the parcel back was lost", lambda: told("approve", "handed_over", "lost", kind=RR), "refund_paid",
        "auto_refund_delivery_delay"),
    ("the parcel back took too long", lambda: told("approve", "handed_over", expiry("return.transit"), kind=RR),
        "refund_paid", "auto_refund_delivery_delay"),
    ("a parcel of the buyer's own was never received", lambda: told(
        "approve", "handed_over", expiry("inspect.self_arranged"), kind=RR, return_method=SELF_ARRANGED),
        "refund_paid", "auto_refund_delivery_delay"),
    ("the parcel out was lost", lambda: told("approve", "handed_over", "lost", kind=RS), "refund_paid",
        "auto_refund_delivery_delay"),
    ("the platform refunded what is late", lambda: told("platform_approve", order=on_its_way()), "refund_paid",
        "auto_refund_delivery_delay"),
    ("the platform refunded what came late", lambda: told("platform_approve", reason="missed_delivery_date"),
        "refund_paid", "auto_refund_delivery_delay"),
    ("the platform refunded for another reason", lambda: told("platform_approve"), "refund_paid",
        "platform_approved_refund"),
    ("an agent approved in the seller's place", lambda: told(("approve", {"actor": AGENT})), "refund_paid",
        "platform_approved_refund"),
    ("an agent accepted the parcel", lambda: told(*BACK, ("accept_package", {"actor": AGENT}), kind=RR),
        "refund_paid", ""),
    ("the product was taken down, and that is revoked", lambda: told("enforce", "refund_paid"), "revoke_enforcement",
        "enforcement_revoked"),
    ("the refund went out at hand-over, and the parcel came", lambda: told(*SPED, "refund_paid", kind=RR),
        "delivered", "speedy_refund_item_issue"),
    ("it came before the refund was paid", lambda: told(*SPED, kind=RR), "delivered", "speedy_refund_item_issue"),
    ("it did not come for three days", lambda: told(*SPED, "refund_paid", kind=RR),
        expiry("speedy.not_received"), "speedy_refund_not_received"),
    ("nor was the refund paid", lambda: told(*SPED, kind=RR), expiry("speedy.not_received"),
        "speedy_refund_not_received"),
    ("the refund at hand-over was paid", lambda: told(*SPED, kind=RR), "refund_paid", ""),
    ("collected though the order was canceled", lambda: canceled(told(SILENCE, "refund_paid")), "collected",
        "canceled_but_collected"),
    # What never opens one.
    ("the product was taken down", lambda: told("enforce"), "refund_paid", ""),
    ("of what was late, too", lambda: told("enforce", reason="missed_delivery_date"), "refund_paid", ""),
    ("the seller approved", lambda: told("approve"), "refund_paid", ""),
    ("the seller let the buyer keep it", lambda: told("approve_keep_item", kind=RR), "refund_paid", ""),
    ("the seller accepted the parcel", lambda: told(*BACK, "accept_package", kind=RR), "refund_paid", ""),
    ("the seller refunded instead", lambda: told("approve", "refund_instead", kind=RS), "refund_paid", ""),
    ("the seller approved, and it was collected", lambda: canceled(told("approve", "refund_paid")), "collected", ""),
    ("the seller's rule did, and it was collected", lambda: canceled(told("match_rule", "refund_paid")), "collected",
        ""),
    ("the buyer took an offer, and it was collected", lambda: canceled(
        told(part(), "offer_accept", "refund_paid", kind=RR)), "collected", ""),
    ("the seller's rule did", lambda: told("match_rule"), "refund_paid", ""),
    ("the buyer took an offer", lambda: told(part(), "offer_accept", kind=RR), "refund_paid", ""),
    ("an offer was better for the buyer", lambda: told("offer_make", kind=RR), "refund_paid", ""),
    ("the platform paid the seller already", lambda: told("refund_without_return"), "refund_paid", ""),
    ("nobody reviewed", lambda: told(SILENCE), "refund_paid", ""),
    ("nobody inspected", lambda: told(*BACK, INSPECTED, kind=RR), "refund_paid", ""),
    ("the seller did not send", lambda: told("approve", expiry("ship_out"), kind=RS), "refund_paid", ""),
    ("an exchange came back", lambda: told("approve", "handed_over", kind=EX), "delivered", ""),
    ("an exchange was promised a refund once", lambda: told(
        "grant_speedy", goods(OfferKind.EXCHANGE), "offer_accept", "handed_over", "delivered",
        INSPECTED, "handed_over", kind=RR), "delivered", ""),
]
# fmt: on


@pytest.mark.parametrize(("before", "action", "ground"), [pytest.param(*case[1:], id=case[0]) for case in GROUND])
def test_ap1_a_ground_opens_the_window_at_its_own_instant_and_nothing_else_does(
    before: Callable[[], Request], action: str, ground: str
) -> None:
    request = before()
    assert request.appeal is None

    change = run_out(request, action.removeprefix("expire:")) if ":" in action else act(request, action)

    appeal = change.request.appeal
    assert (appeal.ground if appeal else "") == ground
    assert ("AppealAvailable" in said(change)) == bool(ground)
    if appeal:
        assert (appeal.stage.name, appeal.opened_at, change.request.appeal_status) == (
            "AVAILABLE",
            change.at,
            "AVAILABLE",
        )
        assert alive(change.request)["appeal.window"] == change.at + WEEK
    else:
        assert change.request.appeal_status == "NOT_AVAILABLE"
        assert refused(change.request, "appeal_file", reason="item_was_correct", statement="No.") != []


def test_every_ground_that_the_engine_has_is_in_the_table() -> None:
    assert {case[3] for case in GROUND} - {""} == set(GROUNDS)


# What the seller let pass may be appealed where the market says so.
@pytest.mark.parametrize(
    ("flag", "acts", "kind"),
    [
        ("appeal.on_review_timeout", (SILENCE,), RO),
        ("appeal.on_inspection_timeout", (*BACK, INSPECTED), RR),
    ],
)
@pytest.mark.parametrize("on", [False, True])
def test_ap1_silence_is_appealed_where_the_policy_has_it_so(
    flag: str, acts: tuple[Said, ...], kind: str, on: bool
) -> None:
    request = told(*acts, "refund_paid", kind=kind, flags={flag: on})

    assert (request.appeal.ground if request.appeal else None) == ("platform_approved_refund" if on else None)


def test_ap1_one_silence_is_not_the_other() -> None:
    flags = {"appeal.on_inspection_timeout": True}

    assert told(SILENCE, "refund_paid", flags=flags).appeal is None


def test_ap1_where_the_policy_has_no_appeals_none_opens() -> None:
    assert told("platform_approve", "refund_paid", flags={"limit.appeals": 0}).appeal is None


def test_ap1_the_first_ground_that_holds_opens_the_only_window() -> None:
    late = run_out(told(*SPED, "refund_paid", kind=RR), "speedy.not_received").request

    come = act(late, "delivered").request

    assert come.appeal is not None
    assert (come.appeal.ground, come.appeal.opened_at) == ("speedy_refund_not_received", late.updated_at)
    assert alive(come) == alive(late)
    assert "AppealAvailable" not in said(act(late, "delivered"))


def test_ap1_a_market_may_give_refunds_without_return_more_time() -> None:
    thailand = an_order(shop={"market": "TH", "timezone": "Asia/Bangkok"})

    paid = told("platform_approve", "refund_paid", order=thailand)

    assert alive(paid) == {"appeal.window": paid.updated_at + 15 * DAY}


def test_the_window_ends_at_its_instant_and_for_good() -> None:
    """AP3."""
    request = appealable()
    due = alive(request)["appeal.window"]
    assert due

    expired = run_out(request, "appeal.window")

    assert act(request, "appeal_file", at=due - INSTANT).rule == "AP2"
    assert refused(request, "appeal_file", at=due) == [("DEADLINE_PASSED", "G_IN_TIME")]
    assert (expired.rule, expired.request.appeal_status) == ("AP3", "EXPIRED")
    assert "AppealExpired" in said(expired)
    assert refused(expired.request, "appeal_file") == [("INVALID_STATE", "G_STATE")]


def appealable() -> Request:
    """Refunded by the platform on Thu 03-06, 11:00 of Jakarta: the seller may appeal for seven days."""
    return told("platform_approve", "refund_paid")


def filed() -> Request:
    return told(*FILED)


def reviewed() -> Request:
    return told(*REVIEWED)


def asked() -> Request:
    return told(*ASKED)


def stage_of(request: Request) -> str:
    return request.appeal.stage.name if request.appeal else ""


def test_ap2_filing_says_what_is_wrong_and_starts_the_platforms_time() -> None:
    label = shown(PAPER, Party.SELLER)
    picture = shown(PHOTO, Party.SELLER)

    change = act(
        appealable(), "appeal_file", reason="item_was_correct", statement=" We sent it. ", evidence=(label, picture)
    )

    appeal = change.request.appeal
    assert appeal is not None
    assert (appeal.reason, appeal.statement, appeal.filed_at) == ("item_was_correct", "We sent it.", change.at)
    assert appeal.evidence == (label, picture)
    assert picture not in change.request.evidence[1:]
    assert alive(change.request) == {"appeal.decision": change.at + WEEK}
    (told_of,) = [event for event in change.events if event.type == "AppealFiled"]
    assert told_of.data["appealId"] == appeal.id
    assert told_of.data["ground"] == "platform_approved_refund"


# Section 6.3: what must be shown with a reason; one of each set. The first that suffices, then those that do not.
# fmt: off
NEEDS: list[tuple[str, list[set[EvidenceKind]], list[set[EvidenceKind]]]] = [
    ("return_not_received",    [{AWB}, {PAPER}],                        [set(), {PHOTO}, {VIDEO}, {CHAT}]),
    ("return_damaged_or_used", [{AWB, PHOTO}, {AWB, VIDEO}],            [set(), {AWB}, {PHOTO, VIDEO}, {AWB, PAPER}]),
    ("return_missing_parts",   [{AWB, PHOTO, PAPER}],             [set(), {AWB, PHOTO}, {AWB, PAPER}, {PHOTO, PAPER}]),
    ("return_wrong_item",      [{AWB, PHOTO}],                          [set(), {AWB}, {PHOTO}, {AWB, VIDEO}]),
    ("item_was_correct",       [{PAPER, PHOTO}, {PAPER, VIDEO}],        [set(), {PAPER}, {PHOTO}, {PAPER, AWB}]),
    ("delivered_to_address",   [{AWB}, {PAPER}, {PHOTO}],               [set(), {VIDEO}, {CHAT}]),
    ("arbitration_wrong",      [set(), {CHAT}],                         []),
    ("late_not_our_fault",     [{AWB}, {PAPER}],                        [set(), {PHOTO}, {VIDEO}]),
]
# fmt: on
CELLS = [(reason, kinds_, True) for reason, good, _ in NEEDS for kinds_ in good]
CELLS += [(reason, kinds_, False) for reason, _, bad in NEEDS for kinds_ in bad]


@pytest.mark.parametrize(
    ("reason", "kinds_", "enough"),
    [
        pytest.param(*cell, id=f"{cell[0]} {' '.join(sorted(kind.value for kind in cell[1])) or 'nothing'}")
        for cell in CELLS
    ],
)
def test_ap2_each_reason_has_its_evidence(reason: str, kinds_: set[EvidenceKind], enough: bool) -> None:
    ground = next(code for code, ground in GROUNDS.items() if reason in ground.reasons)
    request = appealable()
    assert request.appeal is not None
    request = replace(request, appeal=replace(request.appeal, ground=ground))
    given: dict[str, Any] = {
        "reason": reason,
        "statement": "It is so.",
        "evidence": tuple(shown(kind, Party.SELLER) for kind in kinds_),
    }

    if enough:
        assert act(request, "appeal_file", **given).rule == "AP2"
    else:
        assert set(refused(request, "appeal_file", **given)) == {("EVIDENCE_REQUIRED", "G_EVIDENCE")}


def test_every_reason_to_appeal_is_in_the_table_and_offered_by_a_ground() -> None:
    offered = {reason for ground in GROUNDS.values() for reason in ground.reasons}

    assert {reason for reason, _, _ in NEEDS} == set(REASONS_TO_APPEAL) == offered


def test_ap2_a_reason_is_one_that_the_ground_offers() -> None:
    reasons: dict[str, list[str]] = {}
    for reason in REASONS_TO_APPEAL:
        codes = refused(appealable(), "appeal_file", reason=reason, statement="", evidence=())
        reasons.setdefault(codes[0][0], []).append(reason)

    assert reasons["EVIDENCE_REQUIRED"] == ["item_was_correct", "delivered_to_address", "late_not_our_fault"]
    assert len(reasons["REASON_NOT_ALLOWED"]) == 5


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"reason": None}, [("REASON_NOT_ALLOWED", "G_APPEAL_REASON")]),
        ({"statement": " "}, [("NOTE_REQUIRED", "G_STATEMENT")]),
        ({"statement": None}, [("NOTE_REQUIRED", "G_STATEMENT")]),
        ({"statement": "x" * 5001}, [("INVALID_INPUT", "G_STATEMENT")]),
        (
            {"evidence": (), "statement": ""},
            [
                ("EVIDENCE_REQUIRED", "G_EVIDENCE"),
                ("EVIDENCE_REQUIRED", "G_EVIDENCE"),
                ("NOTE_REQUIRED", "G_STATEMENT"),
            ],
        ),
    ],
)
def test_ap2_all_that_is_wrong_with_an_appeal_is_said_at_once(given: dict[str, Any], problems: Any) -> None:
    assert refused(appealable(), "appeal_file", **given) == problems


def test_ap2_as_many_words_as_may_be_said() -> None:
    assert act(appealable(), "appeal_file", statement="x" * 5000).rule == "AP2"


def test_an_appeal_is_the_sellers_alone_and_of_staff_who_may() -> None:
    """Section 11."""
    assert refused(appealable(), "appeal_file", BUYER) == [("FORBIDDEN", "G_OWNER")]
    assert refused(appealable(), "appeal_file", staff("review", "refund")) == [("FORBIDDEN", "G_OWNER")]
    assert act(appealable(), "appeal_file", staff("appeal")).rule == "AP2"


def confirmed() -> Request:
    return told(*SPED, "refund_paid", "delivered", "confirm_package", kind=RR)


def test_ap4_whoever_confirmed_the_parcel_lost_the_appeal_for_good() -> None:
    """Case 7."""
    request = confirmed()

    assert stage_of(request) == request.appeal_status == "NOT_AVAILABLE"
    assert alive(request) == {}
    for action in ("appeal_file", "appeal_add_evidence", "appeal_withdraw"):
        assert refused(request, action) == [("INELIGIBLE", "G_APPEAL")]


def test_ap4_a_window_that_had_ended_before_stays_ended() -> None:
    expired = run_out(told(*SPED, "refund_paid", "delivered", kind=RR), "appeal.window").request

    after = act(expired, "confirm_package")

    assert (stage_of(after.request), {event.rule for event in after.events}) == ("EXPIRED", {"RR21"})


def test_ap5_the_platform_takes_it_up_and_its_time_runs_on() -> None:
    before = filed()

    after = act(before, "appeal_take_up")

    assert (stage_of(before), stage_of(after.request)) == ("SUBMITTED", "UNDER_REVIEW")
    assert alive(after.request) == alive(before)


@pytest.mark.parametrize("action", ["appeal_approve", "appeal_deny"])
def test_ap5_nothing_is_decided_before_it_is_taken_up(action: str) -> None:
    assert refused(filed(), action) == [("INVALID_STATE", "G_STATE")]


@pytest.mark.parametrize("before", [filed, reviewed])
def test_ap6_a_question_stops_the_platforms_time_and_gives_the_seller_a_day(before: Callable[[], Request]) -> None:
    request = before()
    due = alive(request)["appeal.decision"]

    change = act(request, "appeal_request_evidence", note="Show the label.")

    assert due
    assert change.request.appeal is not None
    assert (stage_of(change.request), change.request.appeal.evidence_rounds) == ("EVIDENCE_REQUESTED", 1)
    assert alive(change.request) == {"appeal.decision": None, "appeal.evidence": change.at + 24 * HOUR}
    paused = change.request.clock("appeal.decision")
    assert paused is not None
    assert (paused.status, paused.remaining) == (ClockStatus.PAUSED, due - change.at)
    assert change.events[0].note == "Show the label."
    assert refused(request, "appeal_request_evidence", note="") == [("NOTE_REQUIRED", "G_NOTE")]


def test_ap6_evidence_is_asked_for_three_times() -> None:
    request = reviewed()
    for _ in range(3):
        request = lived(request, "appeal_request_evidence", "appeal_add_evidence")

    assert request.appeal is not None
    assert request.appeal.evidence_rounds == 3
    assert refused(request, "appeal_request_evidence") == [("LIMIT_REACHED", "G_ROUNDS")]
    offered = {row.action for row in actions(kinds()[RO], request, AGENT, request.updated_at + HOUR, "appeal")}
    assert offered == {"appeal_approve", "appeal_deny"}


def test_ap7_what_was_asked_for_is_added_and_the_platform_goes_on() -> None:
    request = asked()
    left = request.clock("appeal.decision")
    film = shown(VIDEO, Party.SELLER)

    change = act(request, "appeal_add_evidence", evidence=(film,))

    assert left is not None
    assert left.remaining is not None
    assert change.request.appeal is not None
    assert (stage_of(change.request), change.request.appeal.evidence[-1]) == ("UNDER_REVIEW", film)
    assert alive(change.request) == {"appeal.decision": change.at + left.remaining}
    assert refused(request, "appeal_add_evidence", evidence=()) == [("EVIDENCE_REQUIRED", "G_EVIDENCE")]
    assert refused(reviewed(), "appeal_add_evidence") == [("INVALID_STATE", "G_STATE")]


def test_ap8_the_platform_judges_without_what_did_not_come() -> None:
    request = asked()
    due = alive(request)["appeal.evidence"]

    change = run_out(request, "appeal.evidence")

    assert refused(request, "appeal_add_evidence", at=due) == [("DEADLINE_PASSED", "G_IN_TIME")]
    assert (change.rule, stage_of(change.request)) == ("AP8", "UNDER_REVIEW")
    assert list(alive(change.request)) == ["appeal.decision"]


def test_ap7_the_platform_has_at_least_an_hour_left() -> None:
    request = reviewed()
    due = alive(request)["appeal.decision"]
    assert due

    answered = lived(
        act(request, "appeal_request_evidence", at=due - timedelta(minutes=1)).request, "appeal_add_evidence"
    )

    assert alive(answered) == {"appeal.decision": answered.updated_at + HOUR}


def with_freight(*costs: tuple[CostKind, Party, int | None]) -> Request:
    """Refunded 100, and these costs known."""
    request = reviewed()
    known = [
        Cost(f"co_{place}", kind, payer, rp(amount) if amount is not None else None)
        for place, (kind, payer, amount) in enumerate(costs)
    ]
    return replace(request, costs=tuple(known))


BACK_LEG, OUT_LEG, COUPON = CostKind.RETURN_SHIPPING, CostKind.OUTBOUND_SHIPPING, CostKind.BUYER_COUPON
# fmt: off
MOST: list[tuple[str, tuple[tuple[CostKind, Party, int | None], ...], int]] = [
    ("the refund alone", (), 100),
    ("and the way back that the seller paid", ((BACK_LEG, Party.SELLER, 10),), 110),
    ("and both ways", ((BACK_LEG, Party.SELLER, 10), (OUT_LEG, Party.SELLER, 7)), 117),
    ("but no way that others paid", ((BACK_LEG, Party.PLATFORM, 10), (OUT_LEG, Party.BUYER, 7)), 100),
    ("nor one whose price is not known", ((BACK_LEG, Party.SELLER, None),), 100),
    ("nor a coupon", ((COUPON, Party.SELLER, 5),), 100),
]
# fmt: on


@pytest.mark.parametrize(("costs", "most"), [pytest.param(*case[1:], id=case[0]) for case in MOST])
def test_ap9_the_platform_pays_at_most_the_refund_and_the_ways_that_the_seller_paid(
    costs: tuple[tuple[CostKind, Party, int | None], ...], most: int
) -> None:
    request = with_freight(*costs)

    whole = act(request, "appeal_approve").request
    assert compensation_max(request) == rp(most)
    assert whole.appeal is not None
    assert whole.appeal.compensation == rp(most)
    assert act(request, "appeal_approve", amount=rp(most)).rule == "AP9"
    assert act(request, "appeal_approve", amount=rp(1)).rule == "AP9"
    for amount in (rp(most + 1), rp(0), rp(-1), Money(rp(1).amount, "USD")):
        assert refused(request, "appeal_approve", amount=amount) == [("AMOUNT_EXCEEDED", "G_AMOUNT")]
    assert refused(request, "appeal_approve", amount=rp("0.5")) == [("INVALID_INPUT", "G_AMOUNT")]


def test_ap9_only_what_was_paid_is_made_good() -> None:
    partly = lived(opened(RO), ("approve", {"actor": AGENT, "amount": rp(60)}), *FILED[1:], "appeal_take_up")

    assert compensation_max(partly) == rp(60)


def test_ap9_an_approved_appeal_makes_the_seller_whole_and_leaves_the_buyers_refund() -> None:
    before = reviewed()

    change = act(before, "appeal_approve", amount=rp(80), note="The label shows it.")

    appeal = change.request.appeal
    assert appeal is not None
    assert (appeal.stage.name, appeal.compensation, appeal.decision_note) == ("APPROVED", rp(80), "The label shows it.")
    assert (appeal.decided_by, appeal.decided_at) == (AGENT.id, change.at)
    (cost,) = change.request.costs
    assert (cost.kind, cost.payer, cost.amount, cost.paid_at) == (CostKind.COMPENSATION, Party.PLATFORM, rp(80), None)
    assert change.request.refunds == before.refunds
    assert change.request.refund_paid == rp(100)
    assert alive(change.request) == {}
    (created,) = [event for event in change.events if event.type == "CompensationCreated"]
    assert created.data == {"kind": "COMPENSATION", "payer": "PLATFORM", "amount": "80", "currency": "IDR"}


def test_ap10_a_denied_appeal_says_why_and_pays_nothing() -> None:
    change = act(reviewed(), "appeal_deny", note="Nothing shows it.")

    assert change.request.appeal is not None
    assert (stage_of(change.request), change.request.appeal.decision_note) == ("DENIED", "Nothing shows it.")
    assert (change.request.appeal.compensation, change.request.costs) == (None, ())
    for action in ("appeal_approve", "appeal_deny"):
        assert refused(reviewed(), action, note=" ") == [("NOTE_REQUIRED", "G_NOTE")]
        assert refused(reviewed(), action, note="x" * 501) == [("INVALID_INPUT", "G_NOTE")]


@pytest.mark.parametrize("before", [filed, reviewed, asked])
def test_ap11_a_withdrawn_appeal_is_over_and_there_is_no_second(before: Callable[[], Request]) -> None:
    withdrawn = lived(before(), "appeal_withdraw")

    assert (stage_of(withdrawn), alive(withdrawn)) == ("WITHDRAWN", {})
    for action in ("appeal_file", "appeal_withdraw", "appeal_take_up", "appeal_add_evidence"):
        assert refused(withdrawn, action) == [("INVALID_STATE", "G_STATE")]


@pytest.mark.parametrize("ends", ["appeal_approve", "appeal_deny"])
def test_there_is_one_appeal_for_a_request_however_it_ended(ends: str) -> None:
    decided_one = canceled(lived(reviewed(), ends))

    again = act(decided_one, "collected").request

    assert again.appeal == decided_one.appeal
    assert refused(again, "appeal_file") == [("INVALID_STATE", "G_STATE")]


def test_ap11_what_is_not_filed_is_not_withdrawn() -> None:
    assert refused(appealable(), "appeal_withdraw") == [("INVALID_STATE", "G_STATE")]


def test_ap12_what_the_platform_owes_is_paid_once() -> None:
    owed = lived(reviewed(), "appeal_approve")

    change = act(owed, "compensation_paid")

    assert [cost.paid_at for cost in change.request.costs] == [change.at]
    assert "CompensationPaid" in said(change)
    assert stage_of(change.request) == "APPROVED"
    assert refused(change.request, "compensation_paid") == [("INVALID_STATE", "G_COMPENSATION")]
    assert refused(reviewed(), "compensation_paid") == [("INVALID_STATE", "G_COMPENSATION")]


@pytest.mark.parametrize("before", [filed, reviewed])
def test_ap13_a_platform_that_is_late_is_told_so_and_still_decides(before: Callable[[], Request]) -> None:
    request = before()

    late = run_out(request, "appeal.decision").request

    assert late.appeal is not None
    assert (late.appeal.escalated, stage_of(late)) == (True, stage_of(request))
    assert alive(late) == {}
    taken_up = late if stage_of(late) == "UNDER_REVIEW" else lived(late, "appeal_take_up")
    assert stage_of(lived(taken_up, "appeal_deny")) == "DENIED"


def test_ap13_a_late_platform_that_asks_first_has_its_time_anew_for_the_answer() -> None:
    late = run_out(reviewed(), "appeal.decision").request

    answered = lived(late, "appeal_request_evidence", "appeal_add_evidence")

    assert (stage_of(answered), alive(answered)) == (
        "UNDER_REVIEW",
        {"appeal.decision": answered.updated_at + WEEK},
    )


def test_a_buyer_hears_nothing_of_an_appeals_clocks() -> None:
    """Section 11."""
    request = appealable()

    assert all(clock.of_appeal for clock in request.clocks if clock.alive)
    assert (request.next_clock, request.waits_for) == (None, None)


def test_the_window_is_seven_days_to_the_instant() -> None:
    request = act(told("platform_approve"), "refund_paid", at=jakarta("03-08 12:00")).request

    assert alive(request) == {"appeal.window": jakarta("03-15 12:00")}


def test_ap1_what_was_not_canceled_was_not_collected_wrongly_and_that_is_known_once() -> None:
    collected = act(canceled(told(SILENCE, "refund_paid")), "collected").request

    assert refused(told(SILENCE, "refund_paid"), "collected") == [("INVALID_STATE", "G_CANCELED")]
    assert refused(collected, "collected") == [("INVALID_STATE", "G_CANCELED")]
    assert "order_collected" in collected.tags


def test_ap1_an_appeal_is_about_money_that_was_granted() -> None:
    goods_only = canceled(told(SILENCE, "handed_over", "delivered", kind=RS))

    after = act(goods_only, "collected").request

    assert (after.appeal, after.appeal_status) == (None, "NOT_AVAILABLE")
    assert refused(after, "appeal_file", SELLER) == [("INVALID_STATE", "G_STATE")]

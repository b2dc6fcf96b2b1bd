"""A request is made, or made anew: every guard of creation, what may be refunded, what is carried on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.builders import (
    AGENT,
    APP,
    ARRIVED,
    BOOK,
    BUYER,
    CARRIER,
    HOUR,
    INSTANT,
    OPENED,
    PICK_UP,
    REASONS,
    SELLER,
    a_line,
    a_request,
    act,
    alive,
    an_opening,
    an_order,
    claimed,
    kinds,
    lines,
    on_its_way,
    opened,
    replaced,
    rp,
    run_out,
    said,
    shown,
)
from tests.engine.rows import EX, RO, RR, RS

from aftersales.engine.opening import (
    GUARDS,
    facts_of,
    judged,
    maximum,
    objections,
    open_request,
    speaks_for,
    window_ends,
)
from aftersales.engine.reasons import REASONS as EVERY_REASON
from aftersales.engine.refusal import Problem, Refused
from aftersales.engine.request import Request
from aftersales.engine.terms import Term
from aftersales.engine.vocabulary import (
    CloseReason,
    EvidenceKind,
    Order,
    OrderState,
    Party,
    ReturnMethod,
    ShopKind,
)

DAY = timedelta(days=1)
TWO = an_order(a_line(quantity=2))


def problems(
    kind: str = RO, order: Order | None = None, at: Any = OPENED, **changes: Any
) -> list[tuple[str, str, str]]:
    """Code, guard and field of everything that the opening is refused for."""
    found = objections(an_opening(kind, order, at, **changes))
    assert all(problem.text() for problem in found)
    return [(problem.code, problem.guard, problem.field) for problem in found]


def in_state(state: OrderState) -> Order:
    delivered = ARRIVED if state in (OrderState.DELIVERED, OrderState.COMPLETED) else None
    return an_order(state=state, delivered_at=delivered)


def test_a_good_claim_becomes_a_request_in_review_with_its_clock_and_its_log() -> None:
    change = open_request(an_opening(RR, note="Too small.", return_method=PICK_UP, details={"size": "M"}))

    request = change.request
    assert (change.before, change.rule, change.action, change.actor) == (None, "C1", "open", BUYER)
    assert (request.stage.name, request.version, request.attempt, request.edits) == ("pending_review", 1, 1, 0)
    assert (request.kind, request.original_kind, request.reason, request.fault) == (RR, RR, "wrong_size", None)
    assert (request.note, request.return_method, dict(request.details)) == ("Too small.", PICK_UP, {"size": "M"})
    assert (request.created_at, request.updated_at) == (OPENED, OPENED)
    assert alive(request) == {"review.first": OPENED + 2 * DAY}
    assert said(change) == ("RequestCreated", "DeadlineStarted")
    assert change.events[0].data == {"reason": "wrong_size"}
    assert change.takes_of_order


def test_the_fault_is_what_the_reason_says() -> None:
    faults = {reason: opened(RO, reason=reason).fault for reason in ("not_received", "damaged")}

    assert faults == {"not_received": Party.CARRIER, "damaged": Party.SELLER}


# fmt: off
# What is asked, and all that is objected to.
REFUSED: list[tuple[str, dict[str, Any], list[tuple[str, str, str]]]] = [
    ("nothing", {}, []),
    # G_ORDER_STATE and G_REASON go by the same state, and so say the same
    *((f"{kind} while {state.value}", {"kind": kind, "order": in_state(state), "reason": EVERY_REASON["damaged"].code},
       [("INELIGIBLE", "G_ORDER_STATE", "orderId"), ("REASON_NOT_ALLOWED", "G_REASON", "reason")])
      for kind, state in ((RO, OrderState.UNPAID), (RO, OrderState.AWAITING_SHIPMENT), (RO, OrderState.COMPLETED),
                          (RO, OrderState.CANCELED), (RR, OrderState.IN_TRANSIT), (RS, OrderState.AWAITING_COLLECTION),
                          (EX, OrderState.COMPLETED))),
    ("refund only on its way", {"order": on_its_way(), "reason": "wont_arrive_on_time"}, []),
    ("refund only before it is collected", {
        "order": in_state(OrderState.AWAITING_COLLECTION), "reason": "wont_arrive_on_time"}, []),
    # G_WINDOW
    ("an instant before the window closes", {"at": ARRIVED + 6 * DAY - INSTANT}, []),
    ("when the window closes", {"at": ARRIVED + 6 * DAY}, [("WINDOW_CLOSED", "G_WINDOW", "orderId")]),
    ("of a mall, when another's would be closed",
        {"order": an_order(shop={"kind": ShopKind.MALL}), "at": ARRIVED + 6 * DAY}, []),
    ("on its way, however long", {"order": on_its_way(), "at": ARRIVED + 60 * DAY}, []),
    # G_LINE
    ("no line", {"lines": ()}, [("INVALID_INPUT", "G_LINE", "lines")]),
    ("a line of another order", {"lines": lines(1, ol_9=1)}, [("NOT_FOUND", "G_LINE", "lines.1.orderLineId")]),
    ("a line of another order, to be sent back", {"kind": RR, "lines": lines(ol_9=1)},
        [("NOT_FOUND", "G_LINE", "lines.0.orderLineId")]),
    ("a line twice", {"order": TWO, "lines": lines(1, ol_1=1)}, [("INVALID_INPUT", "G_LINE", "lines.1.orderLineId")]),
    ("no unit", {"lines": lines(0)}, [("INVALID_INPUT", "G_LINE", "lines.0.quantity")]),
    ("fewer than none", {"lines": lines(-1)}, [("INVALID_INPUT", "G_LINE", "lines.0.quantity")]),
    ("more than were bought", {"order": TWO, "lines": lines(3)}, [("INVALID_INPUT", "G_LINE", "lines.0.quantity")]),
    ("more than are left", {"order": replace(TWO, claims=(claimed(money=100, full=True),)), "lines": lines(2)},
        [("INVALID_INPUT", "G_LINE", "lines.0.quantity")]),
    ("what is left", {"order": replace(TWO, claims=(claimed(money=100, full=True),)), "lines": lines(1)}, []),
    ("when nothing is left", {"order": an_order(claims=(claimed(money=100, full=True),))},
        [("INELIGIBLE", "G_LINE", "lines.0.quantity")]),
    ("what was granted in part and has ended", {"order": an_order(claims=(claimed(money=60),))}, []),
    # G_ACTIVE
    ("what another request holds", {"order": an_order(claims=(claimed(active=True),))},
        [("DUPLICATE", "G_ACTIVE", "lines.0.quantity")]),
    ("a unit that none holds", {"order": replace(TWO, claims=(claimed(active=True),)), "lines": lines(1)}, []),
    ("both, of which one is held", {"order": replace(TWO, claims=(claimed(active=True),)), "lines": lines(2)},
        [("DUPLICATE", "G_ACTIVE", "lines.0.quantity")]),
    ("one gone, one held",
        {"order": replace(TWO, claims=(claimed(full=True), claimed(by="rq_3", active=True))), "lines": lines(1)},
        [("DUPLICATE", "G_ACTIVE", "lines.0.quantity")]),
    ("what another request holds whose money is on its way", {
        "order": an_order(claims=(claimed(active=True, full=True, money=100),))},
        [("DUPLICATE", "G_ACTIVE", "lines.0.quantity")]),
    # G_FULL
    ("what the seller gave back unasked", {"order": an_order(claims=(claimed(by=None, money=100, full=True),))},
        [("INELIGIBLE", "G_FULL", "lines.0.orderLineId")]),
    ("of which the seller gave a part unasked", {"order": an_order(claims=(claimed(by=None, money=40),))}, []),
    # G_COUNT
    ("a fifth time", {"order": an_order(claims=tuple(claimed(by=f"rq_{n}") for n in range(4)))}, []),
    ("a fifth time, and the seller gave some unasked", {
        "order": an_order(claims=(claimed(by=None, money=1), *(claimed(by=f"rq_{n}") for n in range(4))))}, []),
    ("a sixth time", {"order": an_order(claims=tuple(claimed(by=f"rq_{n}") for n in range(5)))},
        [("LIMIT_REACHED", "G_COUNT", "lines.0.orderLineId")]),
    ("a sixth time, on another line of the same product", {
        "order": an_order(a_line("ol_1", sku_id="sku"), a_line("ol_2", sku_id="sku"),
                          claims=tuple(claimed("ol_2", by=f"rq_{n}") for n in range(5))), "lines": lines(1)},
        [("LIMIT_REACHED", "G_COUNT", "lines.0.orderLineId")]),
    # G_REASON
    ("a reason that is none", {"reason": "because"}, [("REASON_NOT_ALLOWED", "G_REASON", "reason")]),
    ("another kind's reason", {"reason": "wrong_size"}, [("REASON_NOT_ALLOWED", "G_REASON", "reason")]),
    ("another state's reason", {"reason": "wont_arrive_on_time"}, [("REASON_NOT_ALLOWED", "G_REASON", "reason")]),
    ("another state's reason, on its way", {"order": on_its_way(), "reason": "not_received"},
        [("REASON_NOT_ALLOWED", "G_REASON", "reason")]),
    ("another reason, unsaid", {"reason": "other"}, [("NOTE_REQUIRED", "G_REASON", "note")]),
    ("another reason, said", {"reason": "other", "note": "It hums."}, []),
    # G_EVIDENCE
    ("nothing shown", {"reason": "damaged", "evidence": ()}, [("EVIDENCE_REQUIRED", "G_EVIDENCE", "evidenceIds")]),
    ("the wrong thing shown", {"reason": "wrong_item", "evidence": (shown(EvidenceKind.VIDEO),)},
        [("EVIDENCE_REQUIRED", "G_EVIDENCE", "evidenceIds")]),
    ("either thing shown", {"reason": "damaged", "evidence": (shown(EvidenceKind.VIDEO),)}, []),
    ("nothing needed", {"evidence": ()}, []),
    ("as much shown as may be", {"evidence": (shown(),) * 10}, []),
    ("too much shown", {"evidence": (shown(),) * 11}, [("LIMIT_REACHED", "G_EVIDENCE", "evidenceIds")]),
    # G_TYPE_OK
    ("a return of what cannot come back", {"kind": RR, "order": an_order(a_line(returnable=False))},
        [("INELIGIBLE", "G_TYPE_OK", "lines.0.orderLineId")]),
    ("an exchange of what cannot come back", {"kind": EX, "order": an_order(a_line(returnable=False))},
        [("INELIGIBLE", "G_TYPE_OK", "lines.0.orderLineId")]),
    ("a refund of what cannot come back", {"order": an_order(a_line(returnable=False))}, []),
    ("a reshipment of what cannot come back", {"kind": RS, "order": an_order(a_line(returnable=False))}, []),
    ("a change of mind where none is taken",
        {"kind": RR, "order": an_order(a_line(change_of_mind_ok=False)), "reason": "no_longer_needed"},
        [("INELIGIBLE", "G_TYPE_OK", "lines.0.orderLineId")]),
    ("another reason where no change of mind is taken",
        {"kind": RR, "order": an_order(a_line(change_of_mind_ok=False))}, []),
    ("a change of mind where it is", {"kind": RR, "reason": "no_longer_needed"}, []),
    # The note
    ("as much said as may be", {"note": "x" * 500}, []),
    ("too much said", {"note": "x" * 501}, [("INVALID_INPUT", "G_NOTE", "note")]),
    # Who
    ("by an agent for the buyer", {"actor": AGENT}, []),
    *((f"by {actor.id}", {"actor": actor, "lines": ()}, [("FORBIDDEN", "G_OWNER", "")])
      for actor in (SELLER, APP, CARRIER)),
    # Everything at once
    ("everything wrong", {
        "kind": RR, "at": ARRIVED + 7 * DAY, "reason": "no_longer_needed", "evidence": (), "note": "x" * 501,
        "order": an_order(
            a_line("ol_1", returnable=False, change_of_mind_ok=False), a_line("ol_2"),
            claims=(claimed("ol_1", active=True), claimed("ol_2", by=None, money=100, full=True),
                    *(claimed("ol_1", by=f"rq_{n}") for n in range(5)))),
        "lines": lines(1, 2)},
        [("WINDOW_CLOSED", "G_WINDOW", "orderId"), ("INVALID_INPUT", "G_LINE", "lines.1.quantity"),
         ("DUPLICATE", "G_ACTIVE", "lines.0.quantity"), ("INELIGIBLE", "G_FULL", "lines.1.orderLineId"),
         ("LIMIT_REACHED", "G_COUNT", "lines.0.orderLineId"), ("EVIDENCE_REQUIRED", "G_EVIDENCE", "evidenceIds"),
         ("INELIGIBLE", "G_TYPE_OK", "lines.0.orderLineId"), ("INELIGIBLE", "G_TYPE_OK", "lines.0.orderLineId"),
         ("INVALID_INPUT", "G_NOTE", "note")]),
]
# fmt: on


@pytest.mark.parametrize(("asked", "found"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_a_claim_is_objected_to_for_all_that_is_wrong_with_it(
    asked: dict[str, Any], found: list[tuple[str, str, str]]
) -> None:
    assert problems(**asked) == found


def test_every_guard_of_creation_has_a_case() -> None:
    cited = {guard for _, _, found in REFUSED for _, guard, _ in found}

    assert set(GUARDS) - cited == {"G_KIND"}


def test_a_refused_claim_raises_with_every_problem_and_makes_nothing() -> None:
    with pytest.raises(Refused) as refused:
        open_request(an_opening(lines=(), reason="because"))

    assert [problem.guard for problem in refused.value.problems] == ["G_LINE", "G_REASON"]


def test_each_guard_says_what_it_thinks_whether_or_not_it_objects() -> None:
    said_by = dict(judged(an_opening(reason="because")))

    assert list(said_by) == list(GUARDS)
    assert [name for name, found in said_by.items() if found] == ["G_REASON"]


def test_a_kind_may_object_to_what_only_it_knows() -> None:
    red = Problem("WRONG_COLOUR", "Choose {colour}.", "colour", colour="red")
    picky = replace(kinds()[RO], validate=lambda claim: [red])

    (problem,) = objections(replace(an_opening(), kind=picky))

    assert (problem.code, problem.guard, problem.text()) == ("WRONG_COLOUR", "G_KIND", "Choose red.")


def test_a_kind_that_the_market_does_not_offer_cannot_be_asked_for() -> None:
    opening = an_opening()
    off = {**opening.terms, "kind.enabled": Term(False)}

    found = objections(replace(opening, terms=replace(opening.terms, by_key=off)))

    assert [(problem.code, problem.guard) for problem in found] == [("INELIGIBLE", "G_TYPE_OK")]


def test_a_reshipment_takes_no_change_of_mind_even_if_it_had_the_reason() -> None:
    kind = replace(kinds()[RS], reasons=EVERY_REASON)

    found = objections(replace(an_opening(RS, reason="no_longer_needed"), kind=kind))

    assert [(problem.code, problem.guard, problem.field) for problem in found] == [
        ("INELIGIBLE", "G_TYPE_OK", "reason")
    ]


def test_whoever_gives_a_wrong_reason_is_told_the_right_ones() -> None:
    (problem,) = objections(an_opening(order=on_its_way(), reason="damaged"))

    assert (problem.facts["state"], problem.facts["allowed"]) == ("IN_TRANSIT", "wont_arrive_on_time")


def test_the_policies_depend_on_the_claimed_lines_alone() -> None:
    order = an_order(a_line("ol_1", category="lamps"), a_line("ol_2", category="books"), a_line("ol_3"))

    facts = facts_of(an_opening(order=order, lines=lines(ol_1=1, ol_3=1)).claim, kinds()[RO], OPENED)

    assert facts.categories == {"lamps"}
    assert (facts.market, facts.kind, facts.order_value, facts.at) == ("ID", RO, rp(300), OPENED)


def test_a_retired_reason_is_no_longer_given() -> None:
    retired = {code: replace(reason, retired=True) for code, reason in kinds()[RO].reasons.items()}

    (problem,) = objections(replace(an_opening(), kind=replace(kinds()[RO], reasons=retired)))

    assert (problem.code, problem.facts["allowed"]) == ("REASON_NOT_ALLOWED", "-")


# Section 8: which reason is for which kind, in which state of the order, and what must be shown.
# fmt: off
SECTION_8 = {
    "wont_arrive_on_time":   ((RO,),             "AWAITING_COLLECTION IN_TRANSIT", Party.CARRIER, ""),
    "not_received":          ((RO,),             "DELIVERED",                      Party.CARRIER, ""),
    "missed_delivery_date":  ((RO, RR),          "DELIVERED",                      Party.CARRIER, ""),
    "not_as_described":      ((RO, RR, EX),      "DELIVERED",                      Party.SELLER,  "PHOTO"),
    "wrong_item":            ((RO, RR, RS, EX),  "DELIVERED",                      Party.SELLER,  "PHOTO"),
    "missing_item":          ((RO, RR, RS),      "DELIVERED",                      Party.SELLER,  "PHOTO"),
    "damaged":               ((RO, RR, RS, EX),  "DELIVERED",                      Party.SELLER,  "PHOTO VIDEO"),
    "defective":             ((RO, RR, RS, EX),  "DELIVERED",                      Party.SELLER,  "PHOTO VIDEO"),
    "counterfeit":           ((RO, RR),          "DELIVERED",                      Party.SELLER,  "PHOTO"),
    "no_longer_needed":      ((RR, EX),          "DELIVERED",                      Party.BUYER,   "PHOTO"),
    "wrong_size":            ((RR, EX),          "DELIVERED",                      None,          ""),
    "wants_other_variation": ((EX,),             "DELIVERED",                      None,          ""),
    "other":                 ((RO, RR),          "DELIVERED",                      None,          ""),
}
# fmt: on


def test_the_reasons_are_those_of_section_8() -> None:
    known = {
        code: (
            tuple(kind for kind in (RO, RR, RS, EX) if code in kinds()[kind].reasons),
            " ".join(sorted(state.value for state in reason.order_states)),
            reason.fault,
            " ".join(sorted(kind.value for kind in reason.evidence)),
        )
        for code, reason in EVERY_REASON.items()
    }

    assert known == SECTION_8


def test_only_the_buyer_of_the_order_claims_on_it() -> None:
    claim = an_opening().claim

    assert [speaks_for(actor, claim) for actor in (BUYER, replace(BUYER, id="by_2"), AGENT)] == [True, False, True]


def test_the_window_ends_where_the_policy_says_and_nowhere_while_on_the_way() -> None:
    assert window_ends(an_opening()) == ARRIVED + 6 * DAY
    assert window_ends(an_opening(order=on_its_way())) is None
    assert window_ends(an_opening(order=in_state(OrderState.COMPLETED))) is None


PAIR = (a_line("ol_1", 100), a_line("ol_2", 300))
TRIPLE = (a_line("ol_1", 100), a_line("ol_2", 100), a_line("ol_3", 100))
THREE_UNITS = a_line(unit=100, quantity=3)

# fmt: off
# What is claimed, and the maximum of each line.
MAXIMA: list[tuple[str, dict[str, Any], list[int]]] = [
    ("price times units", {"order": an_order(THREE_UNITS), "lines": lines(2)}, [200]),
    ("with the tax of the units", {"order": an_order(replace(THREE_UNITS, tax=rp(30))), "lines": lines(2)}, [220]),
    ("with tax that does not divide", {"order": an_order(replace(THREE_UNITS, tax=rp(10))), "lines": lines(1)}, [103]),
    ("with shipping for the whole order", {"order": an_order(*PAIR, shipping=40)}, [110, 330]),
    ("with shipping that does not divide", {"order": an_order(*TRIPLE, shipping=10)}, [103, 103, 104]),
    ("without shipping for a part of the order", {"order": an_order(*PAIR, shipping=40), "lines": lines(1)}, [100]),
    ("without shipping for a part of a line", {"order": an_order(THREE_UNITS, shipping=40), "lines": lines(1)}, [100]),
    ("without shipping if it is the buyer's fault",
        {"kind": RR, "order": an_order(shipping=40), "reason": "no_longer_needed"}, [100]),
    ("with shipping if it is nobody's", {"kind": RR, "order": an_order(shipping=40), "reason": "wrong_size"}, [140]),
    ("less what the seller gave", {"order": an_order(claims=(claimed(by=None, money=40),))}, [60]),
    ("less what the seller gave, whatever else was bought",
        {"order": an_order(*PAIR, claims=(claimed(by=None, money=40),)), "lines": lines(1)}, [60]),
    ("less what an earlier request got", {"order": an_order(claims=(claimed(money=70),))}, [30]),
    ("no more than the line has left, for a part of its units",
        {"order": an_order(THREE_UNITS, claims=(claimed(by=None, money=250),)), "lines": lines(1)}, [50]),
    ("no more than the order has left", {"order": an_order(*PAIR, total=rp(150))}, [100, 50]),
    ("no more than others left of the order",
        {"order": an_order(*PAIR, total=rp(150), claims=(claimed("ol_2", by=None, money=90),))}, [60, 0]),
    ("never below nothing", {"order": an_order(claims=(claimed(by=None, money=400),))}, [0]),
]
# fmt: on


@pytest.mark.parametrize(("asked", "most"), [pytest.param(*case[1:], id=case[0]) for case in MAXIMA])
def test_the_maximum_is(asked: dict[str, Any], most: list[int]) -> None:
    opening = an_opening(**asked)

    request = open_request(opening).request

    assert [int(line.refund_max.amount) for line in request.lines] == most
    assert request.refund_max == maximum(opening) == request.payable == rp(sum(most))


def test_an_edit_closes_the_request_and_makes_another_in_its_place() -> None:
    first = opened(RR, return_method=PICK_UP)

    closed, made = replaced(first, "edit", reason="damaged", note="A crack.", return_method=ReturnMethod.DROP_OFF)

    assert (closed.request.stage.name, closed.request.close_reason) == ("closed", CloseReason.EDITED)
    assert (closed.request.next_id, made.request.previous_id) == (made.request.id, first.id)
    assert (closed.rule, made.rule) == ("C2", "C2")
    assert said(made) == ("RequestCreated", "DeadlineStarted")
    assert (made.before, made.request.version, made.request.stage.name) == (None, 1, "pending_review")
    assert (made.request.edits, made.request.attempt) == (1, 1)
    assert alive(made.request) == {"review.first": made.at + 2 * DAY}
    assert (made.request.reason, made.request.note, made.request.fault) == ("damaged", "A crack.", Party.SELLER)


def test_a_resubmission_is_the_second_attempt_and_outlives_the_window() -> None:
    rejected = act(opened(at=ARRIVED + 5 * DAY), "reject", at=ARRIVED + 6 * DAY - HOUR).request

    closed, made = replaced(rejected, "resubmit", ARRIVED + 7 * DAY)

    assert closed.request.close_reason is CloseReason.RESUBMITTED
    assert (made.rule, made.request.attempt, made.request.edits) == ("C8", 2, 0)


def test_an_edit_does_not_outlive_the_window() -> None:
    request = opened(at=ARRIVED + 5 * DAY)

    assert refusal_of(request, "edit", ARRIVED + 6 * DAY) == [("WINDOW_CLOSED", "G_WINDOW")]


def refusal_of(request: Request, action: str, at: Any = None, **changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        replaced(request, action, at, **changes)
    return [(problem.code, problem.guard) for problem in refused.value.problems]


def chain(request: Request, *actions: str) -> Request:
    for action in actions:
        if action == "resubmit":
            request = act(request, "reject").request
        request = replaced(request, action)[1].request
    return request


def test_edits_and_attempts_are_counted_along_the_chain_and_have_their_limits() -> None:
    edited_twice = chain(opened(), "edit", "edit")
    asked_again = chain(opened(), "edit", "resubmit")
    rejected_twice = act(chain(opened(), "resubmit"), "reject").request

    assert refusal_of(edited_twice, "edit") == [("LIMIT_REACHED", "G_EDIT")]
    assert (asked_again.edits, asked_again.attempt, asked_again.previous_id) == (1, 2, "rq_1x")
    assert (chain(asked_again, "edit").edits, chain(asked_again, "edit").attempt) == (2, 2)
    assert refusal_of(rejected_twice, "resubmit") == [("LIMIT_REACHED", "G_ATTEMPTS")]


def test_what_the_old_request_held_is_free_for_the_new_one() -> None:
    order = an_order(claims=(claimed(by="rq_1", active=True), *(claimed(by=f"rq_old{n}") for n in range(4))))
    request = replace(opened(), order=order)

    _, made = replaced(request, "edit")

    assert made.request.refund_max == rp(100)


def test_what_others_hold_is_not() -> None:
    request = replace(
        opened(), order=an_order(claims=(claimed(by="rq_1", active=True), claimed(by="rq_2", active=True)))
    )

    assert refusal_of(request, "edit") == [("DUPLICATE", "G_ACTIVE")]


def test_the_new_request_lives_under_the_policies_of_its_own_time_and_reason() -> None:
    first = opened()

    _, made = replaced(first, "edit", reason="damaged")

    opening = an_opening(reason="damaged", at=made.at)
    assert made.request.terms == BOOK.terms(facts_of(opening.claim, kinds()[RO], made.at))


def test_the_kind_a_request_began_as_is_never_forgotten() -> None:
    converted = replace(opened(RR), original_kind=EX)

    assert replaced(converted, "edit")[1].request.original_kind == EX


def test_the_refusal_of_a_replacement_names_what_is_wrong_with_the_old_and_the_new() -> None:
    edited_twice = chain(opened(), "edit", "edit")

    assert refusal_of(edited_twice, "edit", lines=(), reason="because", note="x" * 501) == [
        ("LIMIT_REACHED", "G_EDIT"),
        ("INVALID_INPUT", "G_LINE"),
        ("REASON_NOT_ALLOWED", "G_REASON"),
        ("INVALID_INPUT", "G_NOTE"),
    ]


@pytest.mark.parametrize(
    ("stage", "action", "more", "found"),
    [
        ("pending_review", "edit", {"actor": SELLER}, [("FORBIDDEN", "G_OWNER")]),
        ("pending_review", "edit", {"actor": SELLER, "at": OPENED + 2 * DAY}, [("FORBIDDEN", "G_OWNER")]),
        ("pending_review", "edit", {"expected": 7}, [("VERSION_CONFLICT", "G_VERSION")]),
        ("pending_review", "edit", {"at": OPENED + 2 * DAY}, [("DEADLINE_PASSED", "G_IN_TIME")]),
        ("pending_review", "resubmit", {}, [("INVALID_STATE", "G_STATE")]),
        ("rejected", "edit", {}, [("INVALID_STATE", "G_STATE")]),
        ("rejected", "resubmit", {"at": OPENED + 49 * HOUR}, [("DEADLINE_PASSED", "G_IN_TIME")]),
        ("rejected", "resubmit", {"actor": SELLER}, [("FORBIDDEN", "G_OWNER")]),
    ],
)
def test_a_replacement_is_refused_for_who_when_and_where(
    stage: str, action: str, more: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert refusal_of(a_request(RO, stage), action, **more) == found


def test_an_agent_edits_for_the_buyer_and_the_log_says_so() -> None:
    closed, made = replaced(opened(), "edit", actor=AGENT)

    assert {event.by for event in (*closed.events, *made.events)} == {AGENT}


def test_a_replaced_request_stays_as_it_was_when_it_closed() -> None:
    closed, _ = replaced(opened(), "edit")

    with pytest.raises(Refused):
        run_out(replace(closed.request, clocks=opened().clocks))


def test_every_reason_of_a_kind_can_be_given() -> None:
    for kind, reasons in REASONS.items():
        for reason in reasons.split():
            order = on_its_way() if reason == "wont_arrive_on_time" else an_order()
            assert problems(kind, order, reason=reason, note="So it is.") == []

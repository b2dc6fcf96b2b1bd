"""A process is proven when it is built: the four kinds are whole, and every fault is named, all at once."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.engine.builders import BOOK, EX_APPROVE, EX_BACK, EX_OUT, EX_ROWS, OFFERS, kinds

from aftersales.engine.common import COMMON
from aftersales.engine.legs import back, out
from aftersales.engine.machines import MACHINES
from aftersales.engine.offers import offers
from aftersales.engine.process import MalformedProcess, Process, Transition, mutation_name
from aftersales.engine.stages import (
    APPROVED,
    AWAITING_BUYER_SHIP,
    AWAITING_SELLER_SHIP,
    CLOSED,
    PENDING_REVIEW,
    REFUNDING,
    expiry,
)
from aftersales.engine.vocabulary import CloseReason, Party, Stage, Status

REVIEW = Stage("review", Status.PENDING_REVIEW, "In review", Party.SELLER, "review.first")
MENDING = Stage("mending", Status.IN_PROGRESS, "At the bench", Party.SELLER, "mend")
DONE = Stage("done", Status.COMPLETED, "Done")
YES = Transition("X1", REVIEW, "approve", DONE, Party.SELLER, "Approve")
SILENCE = Transition("X2", REVIEW, expiry("review.first"), DONE, Party.SYSTEM)
BENCH = replace(MENDING, clock="")
START = Transition("X3", REVIEW, "start", BENCH, Party.SELLER, "Start")


def untold(stage: str, key: str) -> str:
    return f"{stage} does not say what follows when {key} runs out"


def built(*rows: Transition, common: Iterable[Transition] = (), start: Stage = REVIEW) -> Process:
    return Process("x", rows, common, approved=DONE, start=start)


def faults(*rows: Transition, common: Iterable[Transition] = (), start: Stage = REVIEW) -> set[str]:
    with pytest.raises(MalformedProcess) as malformed:
        built(*rows, common=common, start=start)
    return set(malformed.value.faults)


BACK = "awaiting_buyer_ship return_in_transit pending_inspection package_rejected "
OUT = "awaiting_seller_ship outbound_in_transit "
EVERY = "pending_review awaiting_buyer_response rejected refunding completed canceled closed"
STAGES = {
    "refund_only": EVERY,
    "return_refund": BACK + EVERY,
    "reshipment": OUT + EVERY,
    "exchange": BACK + OUT + EVERY,
}


@pytest.mark.parametrize("kind", STAGES)
def test_a_kind_reaches_the_stages_that_the_model_gives_it(kind: str) -> None:
    assert set(kinds()[kind].process.stages) == set(STAGES[kind].split())


@pytest.mark.parametrize("kind", STAGES)
def test_every_clock_of_a_kind_has_a_policy_in_the_book(kind: str) -> None:
    assert kinds()[kind].process.clock_keys <= BOOK.keys


@pytest.mark.parametrize("kind", STAGES)
def test_approval_by_silence_and_by_the_platform_leads_to_the_approved_stage_of_the_kind(kind: str) -> None:
    process = kinds()[kind].process

    targets = {row.target for row in process.leaving("pending_review") if row.rule in ("C15", "C17")}

    assert targets == {process.approved}


def test_a_process_that_ends_by_its_people_and_by_time_is_whole() -> None:
    assert set(built(YES, SILENCE).stages) == {"review", "done"}


def test_a_row_is_performed_by_its_owners_mutation_or_else_by_the_kinds() -> None:
    hurry = replace(YES, rule="X3", action="hurry", owner="request")

    personal = [row for row in built(YES, SILENCE, hurry).rows if row.personal]

    assert [mutation_name(row.owner, row.action) for row in personal] == ["xApprove", "requestHurry"]
    assert mutation_name("return_refund", "approve_keep_item") == "returnRefundApproveKeepItem"


def test_the_mutations_of_a_journey_and_of_every_kind_are_the_cores() -> None:
    names = {mutation_name(row.owner, row.action) for row in kinds()["exchange"].process.rows if row.personal}

    assert {"exchangeApprove", "returnChooseMethod", "outboundSend", "requestReject"} <= names


def test_what_time_does_to_a_parcel_nobody_received_depends_on_the_kind() -> None:
    said = {
        name: [row.label for row in kind.process.at("return_in_transit", expiry("inspect.self_arranged"))]
        for name, kind in kinds().items()
    }

    assert said["return_refund"] == ["The refund is granted."]
    assert said["exchange"] == ["The parcel counts as not received."]


# fmt: off
FAULTS = {
    "a stage that nothing leads to":
        ((YES, SILENCE, Transition("X3", MENDING, "mend", DONE, Party.SELLER, "Mend")),
         {"mending is never reached"}),
    "a dead end":
        ((YES, SILENCE, START),
         {"mending has no way out"}),
    "a stage that only an operator can leave":
        ((YES, SILENCE, START,
          Transition("X4", BENCH, "close", CLOSED, Party.PLATFORM, "Shut", closes=CloseReason.OPERATOR)),
         {"mending has no way out"}),
    "a stage that comes back to itself only":
        ((YES, SILENCE, START,
          Transition("X4", BENCH, "look", BENCH, Party.SELLER, "Look")),
         {"mending has no way out"}),
    "a stage that waits for people alone":
        ((YES, SILENCE, START,
          Transition("X4", BENCH, "mend", DONE, Party.SELLER, "Mend")),
         {"mending may wait for ever: it has no clock and the system cannot leave it"}),
    "a stage's clock without a sequel":
        ((YES,),
         {untold("review", "review.first")}),
    "a clock that a row starts, without a sequel":
        ((replace(YES, rule="X3", action="poke", target=None, starts=("claim",)), YES, SILENCE),
         {untold("review", "claim")}),
    "a clock that is kept, without a sequel where it runs on":
        ((YES, SILENCE, replace(START, target=MENDING, keeps=("review.first",)),
          Transition("X4", MENDING, expiry("mend"), DONE, Party.SYSTEM)),
         {untold("mending", "review.first")}),
    "two rows of one act for one party":
        ((YES, SILENCE, replace(YES, rule="X3")),
         {"approve at review has two rows, and X1 does not say when"}),
    "a row without a number":
        ((YES, replace(SILENCE, rule="")),
         {"a row (expire:review.first at review) has no number"}),
    "a person's row without a label":
        ((replace(YES, label=""), SILENCE),
         {"X1 (approve at review) has no label"}),
    "an act of time that a person may do":
        ((YES, replace(SILENCE, by=Party.SYSTEM | Party.SELLER)),
         {"X2 (expire:review.first at review) is an act of time, and only the system's"}),
    "a row that leaves an end":
        ((YES, SILENCE, Transition("X3", DONE, "again", REVIEW, Party.SELLER, "Again")),
         {"X3 (again at done) leaves a stage that has ended"}),
    "a row into closed that does not say why":
        ((YES, SILENCE, Transition("X3", REVIEW, "shut", CLOSED, Party.PLATFORM, "Shut")),
         {"X3 (shut at review) must say why it closes, if and only if it does"}),
    "a row that says why it closes, and does not":
        ((replace(YES, closes=CloseReason.OPERATOR), SILENCE),
         {"X1 (approve at review) must say why it closes, if and only if it does"}),
    "a clock that goes on though nothing pauses it":
        ((replace(YES, resumes=("review.first",)), SILENCE),
         {"X1 (approve at review) lets review.first go on, and nothing pauses it"}),
    "a clock that is paused for ever":
        ((replace(YES, pauses=("review.first",)), SILENCE),
         {"X1 (approve at review) pauses review.first, and nothing lets it go on"}),
    "a row that leads to another kind and to a stage of this one":
        ((replace(YES, converts=True), SILENCE),
         {"X1 (approve at review) goes on as another kind, and cannot also lead to a stage of this one"}),
    "one name for two stages":
        ((YES, SILENCE, Transition("X3", REVIEW, "redo", replace(DONE, label="Ready"), Party.SELLER, "Redo")),
         {"done is defined twice, and differently"}),
}
# fmt: on


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_place(fault: str) -> None:
    rows, named = FAULTS[fault]

    assert faults(*rows) == named


def test_all_faults_are_named_at_once() -> None:
    rows = (
        replace(YES, label=""),
        replace(YES, rule="X3"),
        Transition("", MENDING, "mend", DONE, Party.SELLER, "Mend"),
    )

    assert faults(*rows) == {
        "mending is never reached",
        untold("review", "review.first"),
        "approve at review has two rows, and X1 does not say when",
        "X1 (approve at review) has no label",
    }


def test_the_exception_says_which_kind_and_everything_that_is_wrong_with_it() -> None:
    with pytest.raises(MalformedProcess, match=r"^x: .*has no label; X3 .*has no label$"):
        built(replace(YES, label=""), SILENCE, replace(YES, rule="X3", action="hurry", label=""))


def test_two_rows_of_one_act_are_told_apart_by_when_or_by_who_acts() -> None:
    by_when = replace(YES, rule="X3", when=lambda attempt: True), YES
    by_party = YES, replace(YES, rule="X3", by=Party.PLATFORM)

    assert [row.rule for row in built(*by_when, SILENCE).at("review", "approve")] == ["X3", "X1"]
    assert [row.rule for row in built(*by_party, SILENCE).at("review", "approve")] == ["X1", "X3"]


def test_a_stage_that_the_system_may_leave_together_with_others_does_not_wait_for_ever() -> None:
    mend = Transition("X4", BENCH, "mend", DONE, Party.PLATFORM | Party.SYSTEM, "Mend")

    assert "mending" in built(YES, SILENCE, START, mend).stages


def test_something_may_still_be_done_to_a_request_that_has_ended_if_it_stays_ended() -> None:
    confirm = Transition("X3", DONE, "confirm", None, Party.SELLER, "Confirm the parcel")

    assert built(YES, SILENCE, confirm).at("done", "confirm")


def test_common_rows_of_stages_that_a_kind_never_reaches_are_left_out() -> None:
    common = (Transition("C1", MENDING, "mend", DONE, Party.SELLER, "Mend"),)

    assert [row.rule for row in built(YES, SILENCE, common=common).rows] == ["X1", "X2"]


def test_a_kind_that_forgets_to_resolve_its_approved_stage_does_not_build() -> None:
    with pytest.raises(MalformedProcess) as malformed:
        Process("x", (), COMMON, approved=APPROVED)

    assert malformed.value.faults == ("(approved) has no way out",)


def test_an_approved_stage_of_which_the_kind_says_no_more_is_a_dead_end() -> None:
    with pytest.raises(MalformedProcess) as malformed:
        Process("x", (), COMMON, approved=MENDING)

    assert malformed.value.faults == (
        "mending has no way out",
        untold("mending", "mend"),
    )


def test_an_exchange_without_the_way_out_is_refused_and_told_why() -> None:
    with pytest.raises(MalformedProcess) as malformed:
        Process("exchange", (EX_APPROVE, *EX_BACK), COMMON, AWAITING_BUYER_SHIP)

    assert malformed.value.faults == (
        "awaiting_seller_ship has no way out",
        "awaiting_seller_ship does not say what follows when ship_out runs out",
    )


def test_an_exchange_without_the_way_back_is_refused_and_told_why() -> None:
    with pytest.raises(MalformedProcess) as malformed:
        Process("exchange", (EX_APPROVE, *EX_OUT), COMMON, AWAITING_BUYER_SHIP)

    # the buyer may still withdraw, and so there is a way out; what is missing is what time does
    assert set(malformed.value.faults) == {
        "awaiting_seller_ship is never reached",
        "outbound_in_transit is never reached",
        untold("awaiting_buyer_ship", "ship_back.drop_off"),
        untold("awaiting_buyer_ship", "ship_back.pickup_date"),
        untold("awaiting_buyer_ship", "ship_back.self"),
    }


# What is missing from an exchange when all rows of one act are left out. Acts that may be left out are
# absent here: without them a stage only offers less.
# fmt: off
NEEDED = {
    expiry("ship_back.drop_off"): {untold("awaiting_buyer_ship", "ship_back.drop_off")},
    expiry("ship_back.pickup_date"): {untold("awaiting_buyer_ship", "ship_back.pickup_date")},
    expiry("ship_back.pickup"): {untold("awaiting_buyer_ship", "ship_back.pickup")},
    expiry("ship_back.self"): {untold("awaiting_buyer_ship", "ship_back.self")},
    expiry("return.transit"): {untold("return_in_transit", "return.transit")},
    expiry("failed_return.claim"): {untold("return_in_transit", "failed_return.claim")},
    expiry("inspect.tracked"): {untold("pending_inspection", "inspect.tracked")},
    expiry("inspect.self_arranged"): {untold("return_in_transit", "inspect.self_arranged"),
                                      untold("pending_inspection", "inspect.self_arranged")},
    expiry("ship_out"): {untold("awaiting_seller_ship", "ship_out")},
    expiry("outbound.transit"): {untold("outbound_in_transit", "outbound.transit")},
    expiry("review.first"): {untold("pending_review", "review.first")},
    expiry("rejection.followup"): {untold("rejected", "rejection.followup"),
                                   untold("package_rejected", "rejection.followup")},
    expiry("back_to_buyer.ship"): {untold("closed", "back_to_buyer.ship")},
    expiry("offer.response"): {untold("awaiting_buyer_response", "offer.response")},
    "reject_package": {"package_rejected is never reached"},
    "refund_paid": {"refunding has no way out"},
    "dispute_open": {f"C14 (dispute_withdrawn at {stage}) lets rejection.followup go on, and nothing pauses it"
                     for stage in ("rejected", "package_rejected")},
    "dispute_withdrawn": {f"C9 (dispute_open at {stage}) pauses rejection.followup, and nothing lets it go on"
                          for stage in ("rejected", "package_rejected")},
}
# fmt: on

EX_OFFERS = offers(OFFERS["exchange"])


@pytest.mark.parametrize("action", sorted({row.action for row in (*EX_ROWS, *COMMON, *EX_OFFERS)}))
def test_an_exchange_without_one_act_names_exactly_what_is_missing(action: str) -> None:
    own = [row for row in EX_ROWS if row.action != action]
    common = [row for row in (*COMMON, *EX_OFFERS) if row.action != action]

    if action in NEEDED:
        with pytest.raises(MalformedProcess) as malformed:
            Process("exchange", own, common, AWAITING_BUYER_SHIP)
        assert set(malformed.value.faults) == NEEDED[action]
    else:
        Process("exchange", own, common, AWAITING_BUYER_SHIP)


def test_a_partners_kind_is_made_of_the_legs_and_rows_of_its_own() -> None:
    approve = replace(EX_APPROVE, rule="REPAIR1")
    mend = Transition("REPAIR2", MENDING, "mend", AWAITING_SELLER_SHIP, Party.SELLER, "Mended")
    late = Transition("REPAIR3", MENDING, expiry("mend"), REFUNDING, Party.SYSTEM)

    repair = Process("repair", (approve, *back(accepted=MENDING), mend, late, *out()), COMMON, AWAITING_BUYER_SHIP)

    assert {row.target for row in repair.at("pending_inspection", "accept_package")} == {MENDING}
    assert repair.clock_keys - kinds()["exchange"].process.clock_keys == {"mend"}


def test_the_ends_of_every_kind_lead_nowhere() -> None:
    for process in (*(kind.process for kind in kinds().values()), *(machine.process for machine in MACHINES.values())):
        for stage in process.stages.values():
            onward = {row.target.name for row in process.leaving(stage.name) if row.target}
            assert not stage.final or onward <= {stage.name}


@pytest.mark.parametrize(("machine", "stages"), [
    ("dispute", "EVIDENCE UNDER_REVIEW DECIDED_BUYER DECIDED_SELLER WITHDRAWN"),
    ("appeal", "AVAILABLE SUBMITTED UNDER_REVIEW EVIDENCE_REQUESTED APPROVED DENIED EXPIRED WITHDRAWN NOT_AVAILABLE"),
])  # fmt: skip
def test_what_stands_beside_a_request_reaches_the_stages_that_the_model_gives_it(machine: str, stages: str) -> None:
    process = MACHINES[machine].process

    assert set(process.stages) == set(stages.split())
    assert process.clock_keys <= BOOK.keys


def test_every_kind_begins_in_review() -> None:
    assert {kind.process.start for kind in kinds().values()} == {PENDING_REVIEW}

"""What is offered is what would not be refused: in every state that can be reached, to all, in time or too late."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from tests.engine.builders import (
    AGENT,
    APP,
    BUYER,
    CARRIER,
    HOUR,
    SELLER,
    a_request,
    act,
    an_order,
    kinds,
    opened,
    replaced,
    rp,
    run_out,
    staff,
    under,
    with_order,
)
from tests.engine.rows import EX, FOLLOWS, RO, RR, RS
from tests.engine.walking import first_due

from aftersales.engine.decide import actions
from aftersales.engine.machines import MACHINES
from aftersales.engine.process import Process
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Leg, Request
from aftersales.engine.stages import expired_key
from aftersales.engine.vocabulary import Actor, OfferKind, OrderState, Party, ReturnMethod

PEOPLE = {
    "buyer": BUYER,
    "owner": SELLER,
    "reviewer": staff("view", "review"),
    "inspector": staff("view", "inspect"),
    "sender": staff("view", "ship"),
    "staff without grants": staff(),
    "app": APP,
    "agent": AGENT,
    "carrier": CARRIER,
}
# Asked at every state while there is time; the others, who have less of the same, at every seventh, and all, when
# there is none, at every third: then it is the clock that refuses, whatever the rest of the state. An act that has no
# row where the request stands is tried by one of them, in turn: it is not there for anybody.
FOREMOST = ("buyer", "owner", "agent")
# What a good input cannot mend.
OF_THE_STATE = {
    "INVALID_STATE", "FORBIDDEN", "TRANSFERRED_TO_PLATFORM", "DEADLINE_PASSED", "LIMIT_REACHED", "INELIGIBLE",
    "WINDOW_CLOSED", "OFFER_NOT_ALLOWED",
}  # fmt: skip
REPLACEMENTS = ("edit", "resubmit")


# What some markets allow, all at once.
ALLOWED: dict[str, int | bool] = {
    "offer.refund_only.partial": True, "offer.partial_after_receiving": True, "back_to_buyer": True,
    "appeal.max_evidence_rounds": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Lived:
    """One request for every state there is, and each row that led on from one: its process, its stage and its act."""

    requests: tuple[Request, ...]
    rows: frozenset[tuple[str, str, str]]


@cache
def reachable(kind: str) -> Lived:
    """From every beginning by every act, and by time."""
    nowhere = an_order(shop={"return_address": False})
    beginnings = [opened(kind, return_method=method) for method in ReturnMethod] + [opened(kind, nowhere)]
    found = {state(request): request for request in (*(under(one, ALLOWED) for one in beginnings), beginnings[0])}
    left, rows = deque(found.values()), set()
    while left:
        request = left.popleft()
        for action, after in followers(request):
            rows |= {
                (process.name, stage, action)
                for _, process, stage in processes(request)
                if any(row.action == action for row in process.leaving(stage))
            }
            # what an offer made one of another kind is there among the others of that kind
            if state(after) not in found and after.kind == kind:
                found[state(after)] = after
                left.append(after)
    return Lived(tuple(found.values()), frozenset(rows))


def state(request: Request) -> tuple[object, ...]:
    """All that gates ask about at a stage, and nothing else."""
    stage, parcel = request.stage.name, request.shipment(Leg.RETURN)
    terms = (request.terms.flag("offer.refund_only.partial"), request.order.shop.return_address)
    asked: tuple[object, ...] = ()
    if stage in ("pending_review", "pending_inspection"):
        asked = (terms, request.return_method, len(request.offers))
    if stage in ("pending_review", "rejected", "package_rejected"):
        asked = (*asked, request.edits, request.attempt, request.dispute_rounds)
    if stage == "awaiting_buyer_ship":
        asked = (request.return_method, min(parcel.attempts, 3) if parcel else 0)
    if stage == "awaiting_buyer_response":
        asked = (request.offer.kind if request.offer else None,)
    if stage == "return_in_transit":
        asked = (request.return_method,)
    if stage in ("refunding", "completed", "closed"):
        asked = (
            frozenset(refund.status for refund in request.refunds),
            any(cost.paid_at is None for cost in request.costs),
            request.package_confirmed_at is not None,
            request.approved_by,
            request.order.state,
        )
    appeal, back = request.appeal, request.shipment(Leg.BACK_TO_BUYER)
    beside = (
        [MACHINES[name].case(request).stage.name for name in MACHINES if MACHINES[name].case(request)],
        appeal.evidence_rounds if appeal else 0,
        back.status if back else None,
    )
    parcels = (parcel.status if parcel else None,)
    tags = request.tags & {"refund_stuck", "speedy_refund", "order_collected"}
    clocks = frozenset((clock.key, clock.owed_by, clock.status) for clock in request.clocks if clock.alive)
    return stage, clocks, *asked, str(beside), parcels, tags


def processes(request: Request) -> Iterator[tuple[str, Process, str]]:
    """Where an act may find a row: of the kind, and of what stands beside."""
    yield "", kinds()[request.kind].process, request.stage.name
    for name, machine in MACHINES.items():
        if case := machine.case(request):
            yield name, machine.process, case.stage.name


def acts_at(request: Request) -> set[str]:
    """All but what follows from another act by itself."""
    found = {row.action for _, process, stage in processes(request) for row in process.leaving(stage)}
    return found - set(FOLLOWS.values())


def followers(request: Request) -> Iterator[tuple[str, Request]]:
    if request.stage.name == "completed" and request.order.state is OrderState.DELIVERED:
        yield "", with_order(request, state=OrderState.CANCELED)
    for action in sorted(acts_at(request)):
        for given in VARIANTS.get(action, [{}]):
            try:
                yield from ((action, after) for after in performed(request, action, **given))
            except Refused:
                continue


VARIANTS: dict[str, list[dict[str, Any]]] = {
    "choose_method": [{"method": method} for method in ReturnMethod],
    "refund_failed": [{}, {"last": True}],
    "offer_make": [
        {}, {"kind": OfferKind.PARTIAL_REFUND, "amount": rp(40)},
        *({"kind": kind} for kind in (OfferKind.EXCHANGE, OfferKind.RETURN_REFUND)),
    ],
    "dispute_submit_evidence": [{"actor": BUYER}, {"actor": SELLER}, {"actor": AGENT}],
    "dispute_request_evidence": [{"party": Party.BUYER}, {"party": Party.SELLER}],
    "dispute_decide": [
        {"decision": Party.BUYER}, {"decision": Party.SELLER}, {"decision": Party.SELLER, "send_back": True},
    ],
}  # fmt: skip


def performed(request: Request, action: str, **given: Any) -> list[Request]:
    if key := expired_key(action):
        return [run_out(request, key).request] if request.clock(key) else []
    if action in REPLACEMENTS:
        return [change.request for change in replaced(request, action)]
    return [act(request, action, **given).request]


def refused_by_the_state(request: Request, action: str, actor: Actor, at: datetime) -> bool:
    try:
        if action in REPLACEMENTS:
            replaced(request, action, at, actor=actor)
        else:
            act(request, action, actor, at)
    except Refused as refused:
        return any(problem.code in OF_THE_STATE for problem in refused.problems)
    return False


def instants(request: Request) -> Iterator[datetime]:
    """While there is time, and when there is none."""
    yield request.updated_at + HOUR
    clock = first_due(request)
    if clock and clock.due_at:
        yield clock.due_at


def offered_to(request: Request, actor: Actor, at: datetime) -> set[str]:
    """To the request, and in what stands beside it."""
    kind = kinds()[request.kind]
    return {row.action for beside in ("", *MACHINES) for row in actions(kind, request, actor, at, beside)}


@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
def test_an_act_is_offered_if_and_only_if_nothing_in_the_state_refuses_it(kind: str) -> None:
    tables = (kinds()[kind].process, *(machine.process for machine in MACHINES.values()))
    personal = {row.action for process in tables for row in process.rows if row.personal}

    wrong = [
        (request.stage.name, request.dispute_status, request.appeal_status, who, action, action in offered)
        for number, request in enumerate(reachable(kind).requests)
        for here in [acts_at(request)]
        for at in list(instants(request))[: 1 if number % 3 else 2]
        for turn, who in enumerate(who for who in PEOPLE if who in FOREMOST or number % 7 == 0)
        for offered in [offered_to(request, PEOPLE[who], at)]
        for action in sorted(offered | (personal if turn == number % len(FOREMOST) else personal & here))
        if (action in offered) == refused_by_the_state(request, action, PEOPLE[who], at) or action not in personal
    ]

    assert wrong == []


@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
def test_every_stage_of_the_process_and_of_what_stands_beside_can_be_reached_by_living(kind: str) -> None:
    reached = {stage for request in reachable(kind).requests for stage in processes(request)}
    stages = {(name, stage) for name, _, stage in reached}

    beside = {(name, stage) for name, machine in MACHINES.items() for stage in machine.process.stages}
    # only a parcel whose refund went out when it was handed over is confirmed after the refund
    beside -= {("appeal", "NOT_AVAILABLE")} if kind != RR else set()
    assert stages == {("", stage) for stage in kinds()[kind].process.stages} | beside


@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
def test_every_row_of_the_process_is_lived_by_somebody(kind: str) -> None:
    tables = (kinds()[kind].process, *(machine.process for machine in MACHINES.values()))
    rows = {
        (process.name, row.on.name, row.action)
        for process in tables
        for row in process.rows
        if row.action not in FOLLOWS.values()
    }
    lived = reachable(kind).rows
    assert lived - rows == set()
    assert rows - lived == set()


# fmt: off
OFFERED = {
    (RO, "pending_review"): {"buyer": "cancel edit", "owner": "approve reject", "agent":
                             "approve cancel close edit platform_approve refund_without_return reject"},
    (RO, "awaiting_buyer_response"): {"buyer": "cancel offer_accept offer_decline", "owner": "", "agent":
                                      "cancel close"},
    (RO, "rejected"): {"buyer": "cancel dispute_open resubmit", "owner": "", "agent": "cancel close resubmit"},
    (RO, "refunding"): {"buyer": "", "owner": "", "agent": ""},
    (RO, "completed"): {"buyer": "", "owner": "", "agent": ""},
    (RR, "pending_review"): {"buyer": "cancel edit", "owner": "approve approve_keep_item offer_make reject", "agent":
                             "approve cancel close edit grant_speedy platform_approve refund_without_return reject"},
    (RR, "awaiting_buyer_ship"): {"buyer": "cancel choose_method", "owner": "", "agent":
                                  "cancel choose_method close grant_speedy refund_without_return"},
    (RR, "return_in_transit"): {"buyer": "", "owner": "", "agent": "close"},
    (RR, "pending_inspection"): {"buyer": "", "owner": "accept_package reject_package", "agent":
                                 "accept_package close reject_package"},
    (RR, "package_rejected"): {"buyer": "dispute_open", "owner": "", "agent": "close"},
    (RS, "awaiting_seller_ship"): {"buyer": "", "owner": "arrange refund_instead send", "agent":
                                   "arrange close refund_instead send"},
    (RS, "outbound_in_transit"): {"buyer": "", "owner": "", "agent": "close"},
}
# fmt: on


@pytest.mark.parametrize(("kind", "stage"), OFFERED)
def test_what_is_offered_to_whom(kind: str, stage: str) -> None:
    request = a_request(kind, stage)

    offered = {
        who: " ".join(
            sorted(row.action for row in actions(kinds()[kind], request, PEOPLE[who], request.updated_at + HOUR))
        )
        for who in ("buyer", "owner", "agent")
    }

    assert offered == OFFERED[kind, stage]


def test_what_is_offered_in_a_dispute_to_whom() -> None:
    opened_one = a_request(RO, "rejected", "dispute_open")
    given = act(opened_one, "dispute_submit_evidence", BUYER).request
    heard = act(given, "dispute_submit_evidence", SELLER).request

    offered = [
        {
            who: " ".join(sorted(row.action for row in actions(kinds()[RO], request, PEOPLE[who], at, "dispute")))
            for who in ("buyer", "owner", "agent")
        }
        for request in (opened_one, given, heard)
        for at in [request.updated_at + HOUR]
    ]

    assert offered == [
        {"buyer": "dispute_submit_evidence dispute_withdraw", "owner": "dispute_submit_evidence",
         "agent": "dispute_submit_evidence dispute_withdraw"},
        {"buyer": "dispute_withdraw", "owner": "dispute_submit_evidence",
         "agent": "dispute_submit_evidence dispute_withdraw"},
        {"buyer": "dispute_withdraw", "owner": "", "agent":
         "dispute_decide dispute_request_evidence dispute_submit_evidence dispute_withdraw"},
    ]  # fmt: skip


def test_nothing_is_offered_from_the_very_instant_on_at_which_time_decides() -> None:
    request = a_request(RO)
    assert request.next_clock
    assert request.next_clock.due_at

    assert actions(kinds()[RO], request, SELLER, request.next_clock.due_at) == ()

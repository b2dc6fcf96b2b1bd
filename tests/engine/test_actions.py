"""What is offered is what would not be refused: in every state that can be reached, to all, in time or too late."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
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
    alive,
    an_order,
    kinds,
    opened,
    replaced,
    run_out,
    staff,
)
from tests.engine.rows import EX, RO, RR, RS

from aftersales.engine.decide import actions
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Leg, Request, ShipmentStatus
from aftersales.engine.stages import expired_key
from aftersales.engine.vocabulary import Actor, ReturnMethod

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
# What a good input cannot mend.
OF_THE_STATE = {
    "INVALID_STATE", "FORBIDDEN", "TRANSFERRED_TO_PLATFORM", "DEADLINE_PASSED", "LIMIT_REACHED", "INELIGIBLE",
}  # fmt: skip
REPLACEMENTS = ("edit", "resubmit")


@cache
def reachable(kind: str) -> tuple[Request, ...]:
    """One request for every state there is: reached from every beginning by every act, and by time."""
    nowhere = an_order(shop={"return_address": False})
    beginnings = [opened(kind, return_method=method) for method in ReturnMethod] + [opened(kind, nowhere)]
    found = {state(request): request for request in beginnings}
    left = deque(found.values())
    while left:
        for after in followers(left.popleft()):
            if state(after) not in found:
                found[state(after)] = after
                left.append(after)
    return tuple(found.values())


GIVEN_UP = (ShipmentStatus.FAILED, ShipmentStatus.DESTROYED)


def state(request: Request) -> tuple[object, ...]:
    """All that gates ask about at a stage, and nothing else."""
    stage, parcel = request.stage.name, request.shipment(Leg.RETURN)
    match stage:
        case "pending_review":
            asked: tuple[object, ...] = (request.edits, request.attempt, request.order.shop.return_address)
        case "rejected":
            asked = (request.attempt,)
        case "awaiting_buyer_ship":
            asked = (request.return_method, min(parcel.attempts, 3) if parcel else 0)
        case "return_in_transit":
            asked = (request.return_method, parcel is not None and parcel.status in GIVEN_UP)
        case "pending_inspection":
            asked = (request.return_method,)
        case "refunding":
            asked = (request.refunds[-1].status, request.tags & {"refund_stuck"})
        case _:
            asked = ()
    return stage, frozenset(alive(request)), *asked


def followers(request: Request) -> Iterator[Request]:
    for action in {row.action for row in kinds()[request.kind].process.leaving(request.stage.name)}:
        variants: list[dict[str, Any]] = [{}]
        if action == "choose_method":
            variants = [{"method": method} for method in ReturnMethod]
        if action == "refund_failed":
            variants = [{}, {"last": True}]
        for given in variants:
            try:
                yield from performed(request, action, **given)
            except Refused:
                continue


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


def seen(request: Request) -> Iterator[Request]:
    """As it is, and were a dispute open."""
    yield request
    yield replace(request, dispute_status="OPEN")


def instants(request: Request) -> Iterator[datetime]:
    """While there is time, and when there is none."""
    yield request.updated_at + HOUR
    if request.next_clock and request.next_clock.due_at:
        yield request.next_clock.due_at


@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
def test_an_act_is_offered_if_and_only_if_nothing_in_the_state_refuses_it(kind: str) -> None:
    personal = {row.action for row in kinds()[kind].process.rows if row.personal}

    wrong = [
        (request.stage.name, request.dispute_status, who, action, action in offered)
        for reached in reachable(kind)
        for request in seen(reached)
        for at in instants(request)
        for who, actor in PEOPLE.items()
        for offered in [{row.action for row in actions(kinds()[kind], request, actor, at)}]
        for action in personal
        if (action in offered) == refused_by_the_state(request, action, actor, at) or not offered <= personal
    ]

    assert wrong == []


@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
def test_every_stage_of_the_process_can_be_reached_by_living(kind: str) -> None:
    assert {request.stage.name for request in reachable(kind)} == set(kinds()[kind].process.stages)


@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
def test_every_row_of_the_process_is_lived_by_somebody(kind: str) -> None:
    lived = set()
    for request in reachable(kind):
        for row in kinds()[kind].process.leaving(request.stage.name):
            try:
                performed_now = performed(request, row.action)
            except Refused:
                continue
            if performed_now:
                lived.add((row.on.name, row.action))

    assert lived == {(row.on.name, row.action) for row in kinds()[kind].process.rows}


# fmt: off
OFFERED = {
    (RO, "pending_review"): {"buyer": "cancel edit", "owner": "approve reject", "agent":
                             "approve cancel close edit platform_approve refund_without_return reject"},
    (RO, "rejected"): {"buyer": "cancel resubmit", "owner": "", "agent": "cancel close resubmit"},
    (RO, "refunding"): {"buyer": "", "owner": "", "agent": ""},
    (RO, "completed"): {"buyer": "", "owner": "", "agent": ""},
    (RR, "awaiting_buyer_ship"): {"buyer": "cancel choose_method", "owner": "", "agent":
                                  "cancel choose_method close refund_without_return"},
    (RR, "return_in_transit"): {"buyer": "", "owner": "", "agent": "close"},
    (RR, "pending_inspection"): {"buyer": "", "owner": "accept_package reject_package", "agent":
                                 "accept_package close reject_package"},
    (RR, "package_rejected"): {"buyer": "", "owner": "", "agent": "close"},
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


def test_nothing_is_offered_from_the_very_instant_on_at_which_time_decides() -> None:
    request = a_request(RO)
    assert request.next_clock
    assert request.next_clock.due_at

    assert actions(kinds()[RO], request, SELLER, request.next_clock.due_at) == ()

"""The worked cases of the model's section 15, as one table: instants in Jakarta, Monday to Friday, no holidays."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from aftersales.engine.dispute import may_open
from aftersales.engine.opening import open_request
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Request
from aftersales.engine.stages import CLOSED
from aftersales.engine.vocabulary import OrderState, ReturnMethod, ShopKind

from tests.engine.builders import (
    HOUR,
    INSTANT,
    JAKARTA,
    PICK_UP,
    SELF_ARRANGED,
    a_line,
    a_request,
    act,
    an_opening,
    an_order,
    claimed,
    jakarta,
    on_its_way,
    opened,
    replaced,
    run_out,
    staff,
)

Facts = Mapping[str, object]


def wall(at: datetime | None) -> str:
    """An instant by Jakarta's clocks: "Sat 03-08 09:00"."""
    return f"{at.astimezone(JAKARTA):%a %m-%d %H:%M}" if at else ""


def due(request: Request) -> str:
    return wall(request.next_clock.due_at) if request.next_clock else ""


def answer(say: Callable[[], object]) -> str:
    """What comes of it: "yes", or the codes of the refusal."""
    try:
        say()
    except Refused as refused:
        return " ".join(problem.code for problem in refused.problems)
    return "yes"


def ended(request: Request) -> Facts:
    reason = request.close_reason.value if request.close_reason else ""
    return {"stage": request.stage.name, "reason": reason, "at": wall(request.closed_at)}


def raised(kind: ShopKind, at: datetime) -> Facts:
    return {"may raise": answer(lambda: opened(order=an_order(shop={"kind": kind}), at=at))}


def nobody_reviews() -> Facts:
    request = opened("return_refund", at=jakarta("03-06 09:00"))

    approved = run_out(request)

    return {
        "at": wall(approved.at),
        "stage": approved.request.stage.name,
        "tags": set(approved.request.tags),
        "before": answer(lambda: run_out(request, at=approved.at - INSTANT)),
    }


def nothing_is_sent() -> Facts:
    approved = act(opened("return_refund"), "approve", at=jakarta("03-07 15:00")).request

    return ended(run_out(approved).request)


def return_comes(at: datetime) -> Facts:
    moving = a_request("return_refund", "return_in_transit")

    return {"due": due(act(moving, "delivered", at=at).request)}


def reshipment_by_silence() -> Facts:
    approved = run_out(opened("reshipment", at=jakarta("03-06 09:00")))

    return {"at": wall(approved.at), "stage": approved.request.stage.name, "due": due(approved.request)}


def rejected_twice() -> Facts:
    rejected = act(opened(), "reject").request
    at = rejected.updated_at + 47 * HOUR
    _, again = replaced(rejected, "resubmit", at, lines=rejected_lines(rejected))
    twice = act(again.request, "reject", at=at + HOUR).request

    return {
        "attempt": again.request.attempt,
        "resubmit": answer(lambda: replaced(twice, "resubmit", at + 2 * HOUR)),
        "dispute": [problem.code for problem in may_open(twice, at + 2 * HOUR)],
    }


def rejected_lines(request: Request) -> tuple[object, ...]:
    return an_opening(request.kind, request.order).claim.lines


def decided_while_disputed(kind: str, stage: str, action: str) -> Facts:
    disputed = replace(a_request(kind, stage), dispute_status="OPEN")

    return {action: answer(lambda: act(disputed, action))}


def seller_gave(amount: int, *, full: bool) -> Facts:
    unasked = claimed(by=None, money=amount, full=full)
    opening = an_opening(order=an_order(a_line(unit=100), claims=(unasked,)))

    said = answer(lambda: open_request(opening))

    most = open_request(opening).request.refund_max if said == "yes" else None
    return {"create": said, "refund_max": str(most.amount) if most else ""}


def approved_at_the_very_instant() -> Facts:
    request = opened()
    due_at = request.next_clock.due_at if request.next_clock else None
    expired = run_out(request)

    return {
        "before": answer(lambda: act(request, "approve", at=expired.at - INSTANT)),
        "approve": answer(lambda: act(request, "approve", at=due_at)),
        "expired": (expired.request.stage.name, expired.at == due_at),
        "approve later": answer(lambda: act(expired.request, "approve", at=due_at)),
    }


def worker_runs_twice(kind: str, stage: str, method: ReturnMethod | None = None) -> Facts:
    request = a_request(kind, stage, return_method=method)
    key = request.next_clock.key if request.next_clock else ""

    expired = run_out(request)

    again = replace(request, version=expired.request.version)
    stale = replace(again, stage=expired.request.stage, clocks=expired.request.clocks)
    return {"again": answer(lambda: expire_as_before(stale, request, key)), "version": expired.request.version - request.version}


def expire_as_before(now: Request, before: Request, key: str) -> None:
    """The second worker holds the due instant of the clock as it was."""
    from aftersales.engine.decide import decide

    from tests.engine.builders import attempt
    from aftersales.engine.stages import expiry
    from aftersales.engine.vocabulary import SYSTEM

    clock = before.clock(key)
    assert clock is not None
    decide(attempt(now, expiry(key), SYSTEM, clock.due_at))

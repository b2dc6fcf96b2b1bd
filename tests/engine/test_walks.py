"""Whatever people, carriers and time do, in any order, by right or not: what must hold holds after every step."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.engine.builders import (
    AGENT,
    APP,
    BUYER,
    CARRIER,
    OPENED,
    SELLER,
    USUAL_ACTOR,
    a_line,
    act,
    an_opening,
    an_order,
    claimed,
    kinds,
    replaced,
    rp,
    run_out,
    staff,
)
from tests.engine.rows import EX, RO, RR, RS
from tests.engine.walking import Logged, assert_answered, assert_sound, overdue

from aftersales.engine.opening import objections, open_request
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Change, Request
from aftersales.engine.stages import expired_key, expiry
from aftersales.engine.vocabulary import SYSTEM, ClaimLine, Order, ReturnMethod

PEOPLE = (BUYER, SELLER, staff("review"), staff(), APP, AGENT, CARRIER)
HOUR = timedelta(hours=1)
# Left to steps of their own, else walks would be short.
ENDS = ("cancel", "close", "refund_without_return", "lost")
LONGEST = 40  # more clocks than can run out one after another


@dataclass(frozen=True)
class Step:
    """What somebody does next, as numbers that the walk reads by where it stands."""

    kind: str
    act: int
    who: int
    hours: int
    share: int
    sound: bool


steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["act"] * 8 + ["wrong act", "wrong act", "end", "wait", "sleep", "others", "again"]),
        act=st.integers(0, 40),
        who=st.integers(0, 20),
        hours=st.integers(0, 300),
        share=st.integers(-10, 130),
        sound=st.booleans(),
    ),
    min_size=12,
    max_size=40,
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    amounts = st.integers(0, 300)
    lines = [
        a_line(f"ol_{place}", draw(amounts), draw(st.integers(1, 3)), draw(st.integers(0, 20)))
        for place in range(1, draw(st.integers(1, 4)) + 1)
    ]
    order = an_order(*lines, shipping=draw(st.integers(0, 60)))
    given = [claimed(line.id, by=None, money=int(line.paid.amount) * draw(st.integers(0, 90)) // 100) for line in lines]
    discount = draw(st.integers(0, 50))
    total = order.total.amount * (100 - discount) // 100
    taken = sum(claim.refunded.amount for claim in given)
    return replace(order, total=rp(int(max(total, taken))), claims=tuple(given) if draw(st.booleans()) else ())


@dataclass
class Walk:
    """One request, or those that take its place, through time."""

    request: Request
    now: datetime
    log: list[Logged] = field(default_factory=list)

    def changed(self, change: Change) -> None:
        self.request, self.now = change.request, max(self.now, change.at)
        self.log += [(change.request.version, event) for event in change.events]
        assert_sound(change, self.log)

    def time_passes(self, until: datetime) -> None:
        """As time would act: in order, each at its instant."""
        for _ in range(LONGEST):
            clock = self.request.next_clock
            if clock is None or clock.due_at is None or clock.due_at > until:
                self.now = until
                return
            self.changed(run_out(self.request, clock.key))
        raise AssertionError(f"time alone never ends: {self.log}")

    def step(self, step: Step) -> None:
        match step.kind:
            case "act" | "wrong act" | "end":
                self.time_passes(self.now + step.hours % 13 * HOUR)
                self.acts(step, self.now)
            case "wait":
                self.time_passes(self.now + step.hours * HOUR)
            case "sleep":
                self.too_late(step)
            case "others":
                self.others_are_paid(step)
            case "again":
                self.a_second_worker_comes()

    def acts(self, step: Step, at: datetime) -> None:
        process = kinds()[self.request.kind].process
        rows = [row for row in process.leaving(self.request.stage.name) if not row.by_time]
        if step.kind == "act":
            rows = [row for row in rows if row.action not in ENDS]
        if step.kind == "wrong act" or not rows:
            rows = list(process.rows)
        action = rows[step.act % len(rows)].action
        usual = SYSTEM if expired_key(action) else USUAL_ACTOR[action]
        actor = (*PEOPLE, SYSTEM)[step.who % (len(PEOPLE) + 1)] if step.kind == "wrong act" else usual
        try:
            if action in ("edit", "resubmit"):
                self.starts_anew(action, step, at, actor)
            else:
                self.changed(act(self.request, action, actor, at, **self.said(step, action)))
        except Refused as refused:
            assert_answered(refused)

    def said(self, step: Step, action: str) -> dict[str, Any]:
        """Good input, a good amount now and then, or anything at all."""
        whole = self.request.refund_max
        facts: dict[str, Any] = {"method": list(ReturnMethod)[step.who % 3], "last": step.sound and step.share > 100}
        if action != "choose_method":
            facts.pop("method")
        if step.share % 3:
            facts["amount"] = rp(int(whole.amount) * step.share // 100)
        if not step.sound and step.kind == "wrong act":
            facts |= {"reason": None, "evidence": (), "refund_id": "rf_none", "method": None, "pickup_at": None}
            facts |= {"carrier": "", "note": "x" * (step.share * 10), "expected": step.who}
        return facts

    def starts_anew(self, action: str, step: Step, at: datetime, actor: Any) -> None:
        order = replace(self.request.order, claims=(*self.request.order.claims, claimed(by=self.request.id)))
        closed, made = replaced(self.request, action, at, actor=actor, order=order)
        self.changed(closed)
        self.log = []
        self.changed(made)

    def too_late(self, step: Step) -> None:
        """Time has run out, and nobody has said so yet: no person and no carrier comes through any more."""
        late = self.now + step.hours * HOUR
        if overdue(self.request, late):
            for action in sorted({row.action for row in kinds()[self.request.kind].process.rows if not row.late}):
                if action not in ("edit", "resubmit"):
                    with pytest.raises(Refused):
                        act(self.request, action, PEOPLE[step.who % len(PEOPLE)], late)
        self.time_passes(late)

    def others_are_paid(self, step: Step) -> None:
        """What the store allows them: never more than the line and the order have left beside ours."""
        order, request = self.request.order, self.request
        line = order.lines[step.act % len(order.lines)]
        ours = {id: share for refund in request.refunds for id, share in refund.lines}
        left = line.paid - order.refunded(line.id) - ours.get(line.id, rp(0))
        left_of_order = order.total - order.refunded() - sum(ours.values(), rp(0))
        most = max(rp(0), min(left, left_of_order))
        money = int(most.amount) * max(0, min(step.share, 100)) // 100
        claims = (*order.claims, claimed(line.id, by=None, money=money))
        self.request = replace(request, order=replace(order, claims=claims))

    def a_second_worker_comes(self) -> None:
        for clock in self.request.clocks:
            if not clock.alive and clock.due_at:
                with pytest.raises(Refused):
                    act(self.request, expiry(clock.key), SYSTEM, min(clock.due_at, self.now))

    def left_alone(self) -> None:
        """Nobody acts any more: time ends it, or brings it where the payment ends it."""
        self.time_passes(self.now + 400 * 24 * HOUR)
        if self.request.stage.name == "refunding":
            self.changed(act(self.request, "refund_paid", at=self.now))
        assert self.request.stage.final


@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(order=orders(), method=st.sampled_from([None, *ReturnMethod]), units=st.integers(1, 3), steps=steps)
def test_whatever_happens_what_must_hold_holds(
    kind: str, order: Order, method: ReturnMethod | None, units: int, steps: list[Step]
) -> None:
    claim = tuple(ClaimLine(line.id, min(units, line.quantity)) for line in order.lines)
    opening = an_opening(kind, order, lines=claim, return_method=method)
    assume(not objections(opening))
    walk = Walk(open_request(opening).request, OPENED)
    walk.changed(open_request(opening))

    for step in steps:
        walk.step(step)
    walk.left_alone()

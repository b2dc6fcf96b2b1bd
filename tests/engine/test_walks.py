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
    terms_with,
    with_order,
)
from tests.engine.rows import EX, FOLLOWS, RO, RR, RS
from tests.engine.walking import Logged, assert_answered, assert_sound, first_due, overdue

from aftersales.engine.machines import MACHINES
from aftersales.engine.opening import objections, open_request
from aftersales.engine.process import Transition
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Change, Request
from aftersales.engine.stages import expired_key, expiry
from aftersales.engine.vocabulary import SYSTEM, ClaimLine, OfferKind, Order, OrderState, Party, ReturnMethod

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
        act=st.integers(0, 60),
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
            clock = first_due(self.request)
            if clock is None or clock.due_at is None or clock.due_at > until:
                self.now = until
                return
            self.changed(run_out(self.request, clock=clock))
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

    def rows(self) -> list[Transition]:
        """What somebody may do to the request, or to the dispute or the appeal beside it."""
        rows = list(kinds()[self.request.kind].process.leaving(self.request.stage.name))
        for machine in MACHINES.values():
            if case := machine.case(self.request):
                rows += machine.process.leaving(case.stage.name)
        return [row for row in rows if not row.by_time and row.action not in FOLLOWS.values()]

    def acts(self, step: Step, at: datetime) -> None:
        rows = self.rows()
        if step.kind == "act":
            rows = [row for row in rows if row.action not in ENDS]
        if step.kind == "wrong act" or not rows:
            processes = (kinds()[self.request.kind].process, *(machine.process for machine in MACHINES.values()))
            rows = [row for process in processes for row in process.rows if row.action not in FOLLOWS.values()]
        action = rows[step.act % len(rows)].action
        usual = SYSTEM if expired_key(action) else USUAL_ACTOR[action]
        if action == "dispute_submit_evidence" and step.sound:
            usual = SELLER
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
        facts: dict[str, Any] = {"last": step.sound and step.share > 100}
        if step.share % 3:
            facts["amount"] = rp(int(whole.amount) * step.share // 100)
        match action:
            case "choose_method":
                facts["method"] = list(ReturnMethod)[step.who % 3]
            case "offer_make":
                facts = self.offered(step)
            case "dispute_request_evidence":
                facts["party"] = (Party.BUYER, Party.SELLER)[step.who % 2]
            case "dispute_decide":
                facts["decision"] = (Party.BUYER, Party.SELLER)[step.who % 2]
                facts["send_back"] = not step.sound
        if not step.sound and step.kind == "wrong act":
            facts |= {"reason": None, "evidence": (), "refund_id": "rf_none", "method": None, "pickup_at": None}
            facts |= {"carrier": "", "note": "x" * (step.share * 10), "expected": step.who, "statement": " "}
            facts |= {"kind": None, "party": None, "decision": None}
        return facts

    def offered(self, step: Step) -> dict[str, Any]:
        """A part, or anything else, and now and then an amount that does not fit it."""
        kind = (OfferKind.PARTIAL_REFUND, *OfferKind)[step.who % (len(OfferKind) + 1)]
        share = max(1, min(step.share, 95)) if step.sound else step.share
        amount = rp(int(self.request.payable.amount) * share // 100)
        return {"kind": kind, "amount": amount if kind is OfferKind.PARTIAL_REFUND or not step.sound else None}

    def starts_anew(self, action: str, step: Step, at: datetime, actor: Any) -> None:
        order = replace(self.request.order, claims=(*self.request.order.claims, claimed(by=self.request.id)))
        closed, made = replaced(self.request, action, at, actor=actor, order=order, terms=self.request.terms)
        self.changed(closed)
        self.log = []
        self.changed(made)

    def too_late(self, step: Step) -> None:
        """Time has run out, and nobody has said so yet: no person and no carrier comes through any more."""
        late = self.now + step.hours * HOUR
        if overdue(self.request, late):
            processes = (kinds()[self.request.kind].process, *(machine.process for machine in MACHINES.values()))
            rows = [row for process in processes for row in process.rows if not row.late]
            for action in sorted({row.action for row in rows} - set(FOLLOWS.values())):
                if action not in ("edit", "resubmit"):
                    with pytest.raises(Refused):
                        act(self.request, action, PEOPLE[step.who % len(PEOPLE)], late)
        self.time_passes(late)

    def others_are_paid(self, step: Step) -> None:
        """What the store allows them: never more than the line and the order have left beside ours."""
        order, request = self.request.order, self.request
        if request.stage.name == "completed" and step.sound:
            self.request = with_order(request, state=OrderState.CANCELED)
            return
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
        """Nobody acts any more but the platform, which is late but not gone: time, payment and it end everything."""
        for _ in range(LONGEST):
            self.time_passes(self.now + 400 * 24 * HOUR)
            action = self.still_owed()
            if action is None:
                break
            self.changed(act(self.request, action, at=self.now))
        request = self.request
        assert request.stage.final
        assert request.dispute_status != "OPEN"
        assert request.appeal is None or request.appeal.stage.final
        assert not any(clock.alive for clock in request.clocks)

    def still_owed(self) -> str | None:
        """What has no clock any more: a case that is escalated, and a refund."""
        request = self.request
        if request.dispute_status == "OPEN":
            return "dispute_decide"
        if request.stage.name == "refunding":
            return "refund_paid"
        waiting = {"SUBMITTED": "appeal_take_up", "UNDER_REVIEW": "appeal_deny"}
        return waiting.get(request.appeal.stage.name) if request.appeal else None


FLAGS = (
    "offer.refund_only.partial", "offer.partial_after_receiving", "back_to_buyer", "appeal.on_inspection_timeout",
    "appeal.on_review_timeout",
)  # fmt: skip


@pytest.mark.parametrize("kind", [RO, RR, RS, EX])
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    order=orders(),
    method=st.sampled_from([None, *ReturnMethod]),
    reason=st.integers(0, 20),
    units=st.integers(1, 3),
    flags=st.sets(st.sampled_from(FLAGS)),
    steps=steps,
)
def test_whatever_happens_what_must_hold_holds(
    kind: str,
    order: Order,
    method: ReturnMethod | None,
    reason: int,
    units: int,
    flags: set[str],
    steps: list[Step],
) -> None:
    claim = tuple(ClaimLine(line.id, min(units, line.quantity)) for line in order.lines)
    why = list(kinds()[kind].reasons.values())[reason % len(kinds()[kind].reasons)]
    said: dict[str, Any] = {"reason": why.code, "note": "So it is."} if OrderState.DELIVERED in why.order_states else {}
    opening = an_opening(kind, order, lines=claim, return_method=method, **said)
    opening = replace(opening, terms=terms_with(opening.terms, dict.fromkeys(flags, True)))
    assume(not objections(opening))
    walk = Walk(open_request(opening).request, OPENED)
    walk.changed(open_request(opening))

    for step in steps:
        walk.step(step)
    walk.left_alone()

"""The one path of every change: plugins may object and hear, a key has one effect, and of two who race one wins."""

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import timedelta

import pytest
from tests.desk.acts import act, claim, codes, history, key, opened, rejected, said, same
from tests.desk.conftest import Another

from aftersales import registry
from aftersales.engine.refusal import Problem
from aftersales.engine.request import Change
from aftersales.engine.vocabulary import CloseReason
from aftersales.plugin import hookimpl
from aftersales.testing import FakeClock, Home
from aftersales.testing.house import BUYER, SELLER, idr, line


class Objects:
    """Finds two things wrong with every approval."""

    @hookimpl
    def aftersales_objections(self, change: Change) -> Iterable[Problem]:
        if change.action == "approve":
            yield Problem("SUSPICIOUS", "Call the buyer first.")
            yield Problem("TOO_QUICK", "Look at it for a minute.")


class FailsToObject:
    @hookimpl
    def aftersales_objections(self, change: Change) -> Iterable[Problem]:
        if change.action == "approve":
            raise LookupError("the fraud service has no such buyer")
        return []


class FailsToHear:
    """One way or the other."""

    @hookimpl
    def aftersales_changed(self, change: Change) -> Awaitable[None] | None:
        if change.action == "open":
            raise LookupError("fails at once")
        return self._later()

    async def _later(self) -> None:
        raise LookupError("fails later")


class Hears:
    """Reads what is committed when it hears of a change; waits for `go_on` first."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.called: list[str] = []
        self.read: list[tuple[str, int]] = []
        self.home: Home | None = None

    @hookimpl
    def aftersales_changed(self, change: Change) -> Awaitable[None]:
        self.called.append(change.action)
        return self._look(change.request.id)

    async def _look(self, request_id: str) -> None:
        await self.go_on.wait()
        assert self.home is not None
        request = await self.home.request(request_id)
        self.read.append((request.stage.name, request.version))


async def test_what_is_asked_for_is_opened_and_what_is_granted_is_refunded(home: Home) -> None:
    request = await opened(home)

    granted = await act(home, request, "approve", expected=1)

    assert (request.version, request.stage.name) == (1, "pending_review")
    assert (granted.version, granted.stage.name, len(granted.refunds)) == (2, "refunding", 1)
    assert same(await home.request(request.id), granted)
    assert [(event.type, event.rule, event.version) for event in await history(home, request)][:3] == [
        ("RequestCreated", "C1", 1),
        ("DeadlineStarted", "C1", 1),
        ("RequestApproved", "RO1", 2),
    ]


async def test_an_edit_closes_the_old_request_and_answers_with_the_new_one(home: Home) -> None:
    order = await home.order(line(2))
    old = await opened(home, order, quantity=1)

    done = await home.running.desk.replace(old.id, "edit", BUYER, claim(order, quantity=2), expected=1)

    closed = await home.request(old.id)
    assert (closed.close_reason, closed.next_id) == (CloseReason.EDITED, done.request.id)
    assert (done.request.previous_id, done.request.lines[0].quantity) == (old.id, 2)
    assert (done.request.version, done.request.edits) == (1, 1)


async def test_what_is_not_ones_own_does_not_exist(home: Home) -> None:
    request = await opened(home)
    stranger = type(BUYER)(BUYER.party, "by_2")

    assert await codes(home.running.desk.act(request.id, "cancel", stranger)) == ["NOT_FOUND"]
    assert await codes(home.running.desk.open("refund_only", stranger, claim(request.order))) == ["NOT_FOUND"]


async def test_all_objections_are_told_and_nothing_is_changed(server: Another) -> None:
    async with server(Objects()) as home:
        request = await opened(home)
        before = await history(home, request)

        refused = await codes(home.running.desk.act(request.id, "approve", SELLER, expected=1))

        assert refused == ["SUSPICIOUS", "TOO_QUICK"]
        assert same(await home.request(request.id), request)
        assert await history(home, request) == before


async def test_a_plugin_that_fails_while_asked_for_objections_refuses(server: Another) -> None:
    async with server(FailsToObject()) as home:
        request = await opened(home)

        with pytest.raises(RuntimeError, match="FailsToObject"):
            await act(home, request, "approve")

        assert same(await home.request(request.id), request)


async def test_plugins_hear_of_a_change_once_it_is_committed_and_in_order(server: Another) -> None:
    hears = Hears()
    hears.go_on.set()
    async with server(hears) as home:
        hears.home = home
        request = await opened(home)
        await home.running.registry.heard()
        await rejected(home, request)
        await home.running.registry.heard()

        assert hears.called == ["open", "reject"]
        assert hears.read == [("pending_review", 1), ("rejected", 2)]


async def test_both_requests_of_an_edit_are_heard_of(server: Another) -> None:
    hears = Hears()
    async with server(hears) as home:
        hears.home = home
        order = await home.order()
        old = await opened(home, order)
        await home.running.desk.replace(old.id, "edit", BUYER, claim(order, note="Really"), expected=1)
        hears.go_on.set()

    assert hears.called == ["open", "edit", "open"]


async def test_a_plugin_that_fails_to_hear_harms_nobody_and_is_named(
    server: Another, caplog: pytest.LogCaptureFixture
) -> None:
    hears = Hears()
    hears.go_on.set()
    async with server(FailsToHear(), hears) as home:
        hears.home = home
        request = await rejected(home, await opened(home))
        await home.running.registry.heard()

        assert request.stage.name == "rejected"
        # both read beside each other, once what they heard of was there
        assert "rejected" in [stage for stage, _ in hears.read]
        assert len(hears.read) == 2
        assert caplog.text.count("plugin FailsToHear_1 failed") == 2


async def test_nobody_waits_for_a_plugin_that_hears_slowly(server: Another) -> None:
    hears = Hears()
    async with server(hears) as home:
        hears.home = home

        request = await rejected(home, await opened(home))

        assert (request.stage.name, hears.called, hears.read) == ("rejected", ["open", "reject"], [])
        hears.go_on.set()


async def test_a_plugin_that_does_not_end_hearing_is_given_up(
    server: Another, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry, "HEARING_SECONDS", 0.01)
    async with server(Hears()) as home:
        await opened(home)

        await home.running.registry.heard()

        assert "plugin Hears_1 took more than 0.01 s" in caplog.text


async def test_the_same_key_twice_has_one_effect(home: Home) -> None:
    order = await home.order(line(5))
    desk = home.running.desk

    first = await desk.open("refund_only", BUYER, claim(order), key("k"))
    again = await desk.open("refund_only", BUYER, claim(order), key("k"))

    assert (first.replayed, again.replayed) == (False, True)
    assert same(again.request, first.request)
    assert await requests_on(home, order.id) == [first.request.id]


async def test_the_same_key_for_another_input_is_refused(home: Home) -> None:
    order = await home.order(line(5))
    await home.running.desk.open("refund_only", BUYER, claim(order), key("k", "one"))

    refused = await codes(home.running.desk.open("refund_only", BUYER, claim(order, quantity=2), key("k", "other")))

    assert refused == ["KEY_REUSED"]
    assert len(await requests_on(home, order.id)) == 1


async def test_the_same_key_of_somebody_else_is_another_key(home: Home) -> None:
    order = await home.order(line(5))
    desk = home.running.desk

    first = await desk.open("refund_only", BUYER, claim(order), key("k"))
    other = await desk.open("refund_only", BUYER, claim(order), key("k", scope="BUYER:by_1:returnRefundOpen"))

    assert not other.replayed
    assert other.request.id != first.request.id


async def test_what_was_refused_may_be_tried_again_with_its_key(home: Home) -> None:
    order = await home.order(line(5))
    desk = home.running.desk

    assert await codes(desk.open("refund_only", BUYER, claim(order, reason="bogus"), key("k"))) == [
        "REASON_NOT_ALLOWED"
    ]
    done = await desk.open("refund_only", BUYER, claim(order), key("k"))

    assert not done.replayed


async def test_a_key_is_free_again_after_72_hours_and_not_before(home: Home, clock: FakeClock) -> None:
    order = await home.order(line(5))
    desk = home.running.desk
    first = await desk.open("refund_only", BUYER, claim(order), key("k"))

    clock.advance(hours=72)
    replayed = await desk.open("refund_only", BUYER, claim(order), key("k"))
    clock.now += timedelta(microseconds=1)
    anew = await desk.open("refund_only", BUYER, claim(order), key("k", "another input"))

    assert (replayed.replayed, replayed.request.id) == (True, first.request.id)
    assert not anew.replayed
    assert anew.request.id != first.request.id


async def test_two_calls_at_once_with_one_key_have_one_effect_and_one_replay(home: Home, server: Another) -> None:
    async with server() as other:
        for round in range(30):
            request = await opened(home)
            first, second = await asyncio.gather(
                *(
                    each.running.desk.act(request.id, "reject", SELLER, expected=1, key=key(f"k{round}"),
                                          given={"reason": "unclear_or_no_evidence"})
                    for each in (home, other)
                )
            )  # fmt: skip

            assert sorted((first.replayed, second.replayed)) == [False, True]
            assert same(first.request, second.request)
            assert len(await said(home, request, "RequestRejected")) == 1


async def test_a_call_whose_own_effect_stands_in_the_way_is_told_of_the_effect(home: Home) -> None:
    """The second time the units are claimed, the version is another, and the request has been decided."""
    order, desk = await home.order(), home.running.desk
    opens = [await desk.open("refund_only", BUYER, claim(order), key("open")) for _ in range(2)]
    request = opens[0].request

    approvals = [
        await desk.act(request.id, "approve", SELLER, expected=1, key=key("approve"), given={"amount": idr(1)})
        for _ in range(2)
    ]

    assert [done.replayed for done in opens + approvals] == [False, True, False, True]
    assert len(await said(home, request, "RequestApproved")) == 1
    assert await requests_on(home, order.id) == [request.id]


async def test_two_claims_at_once_with_one_key_make_one_request(home: Home) -> None:
    for round in range(30):
        order = await home.order(number=f"R{round}")
        asked = (home.running.desk.open("refund_only", BUYER, claim(order), key(f"k{round}")) for _ in range(2))

        first, second = await asyncio.gather(*asked)

        assert sorted((first.replayed, second.replayed)) == [False, True]
        assert await requests_on(home, order.id) == [first.request.id] == [second.request.id]


@pytest.mark.parametrize("servers", [1, 2])
async def test_of_two_who_decide_at_once_one_wins_a_hundred_times_over(
    home: Home, server: Another, servers: int
) -> None:
    """Case 16 of the model, but that both have said which version they saw."""
    async with server() as second:
        other = home if servers == 1 else second
        for _ in range(100):
            request = await opened(home)

            outcomes = await asyncio.gather(
                act(home, request, "approve", expected=1), rejected(other, request, expected=1), return_exceptions=True
            )

            [won] = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
            [lost] = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
            assert [problem.code for problem in lost.problems] == ["VERSION_CONFLICT"]  # type: ignore[attr-defined]
            assert same(await home.request(request.id), won)
            assert won.version == 2
            assert {event.action for event in await history(home, request)} == {"open", "approve", "reject"} - (
                {"reject"} if won.stage.name == "refunding" else {"approve"}
            )


async def test_whoever_says_no_version_is_refused_by_the_new_stage(home: Home) -> None:
    request = await opened(home)

    outcomes = await asyncio.gather(codes(act(home, request, "approve")), codes(act(home, request, "cancel", BUYER)))

    assert sorted(outcomes) == [[], ["INVALID_STATE"]]


async def requests_on(home: Home, order_id: str) -> list[str]:
    return await home.running.desk.ledger.requests_of_order(order_id)

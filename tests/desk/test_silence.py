"""What time does when nobody else does: at the very instant, in order, once, and whatever else fails."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from tests.desk.acts import act, away, codes, history, opened, rejected, return_opened, said, same
from tests.desk.conftest import Another

from aftersales import tender
from aftersales.engine.refusal import Problem
from aftersales.engine.request import Change, ClockStatus
from aftersales.engine.stages import expiry
from aftersales.engine.vocabulary import SYSTEM, ApprovedBy, CloseReason, ReturnMethod
from aftersales.plugin import Payment, PaymentOutcome, hookimpl
from aftersales.store.database import Statement, StoreBusy
from aftersales.store.urls import open_database
from aftersales.testing import Bank, FakeClock, Home, places
from aftersales.testing.house import BUYER, CARRIER, line

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOMENT = timedelta(microseconds=1)
AGAIN = timedelta(seconds=5)


class Stubborn:
    """Fails whenever it is asked about one request."""

    def __init__(self) -> None:
        self.about = ""

    @hookimpl
    def aftersales_objections(self, change: Change) -> Iterable[Problem]:
        if change.request.id == self.about:
            raise LookupError("no such buyer")
        return []


class ObjectsToAll:
    @hookimpl
    def aftersales_objections(self, change: Change) -> Iterable[Problem]:
        return [] if change.action == "open" else [Problem("NEVER", "Not while I am here.")]


class Waits:
    """Sets an event for each act it hears of, so that a test need not sleep."""

    def __init__(self) -> None:
        self.heard: dict[str, asyncio.Event] = {}

    @hookimpl
    def aftersales_changed(self, change: Change) -> None:
        self.of(change.request.id, change.action).set()

    def of(self, request_id: str, action: str) -> asyncio.Event:
        return self.heard.setdefault(f"{request_id} {action}", asyncio.Event())


class Told:
    """How many changes were announced at a time."""

    def __init__(self) -> None:
        self.together: list[int] = []

    def announce(self, changes: Sequence[Change]) -> None:
        self.together.append(len(changes))


class Stalls(Bank):
    """Does not answer while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def pay(self, payment: Payment) -> PaymentOutcome:
        self.begun.set()
        await self.go_on.wait()
        return await super().pay(payment)


async def test_silence_approves_at_the_very_instant_however_late_the_server_wakes(home: Home) -> None:
    """C17."""
    request = await opened(home)
    due_at = home.clock() + 2 * DAY

    home.clock.advance(days=2, hours=5)
    await home.running.tender.tend()

    approved = await home.request(request.id)
    [event] = await said(home, request, "RequestApproved")
    assert (approved.approved_by, approved.tags) == (ApprovedBy.TIMEOUT_REVIEW, frozenset({"auto_approved"}))
    assert (event.rule, event.at, event.processed_at) == ("C17", due_at, home.clock())
    assert approved.refunds[0].created_at == due_at


async def test_silence_approves_not_a_moment_earlier(home: Home) -> None:
    request = await opened(home)

    home.clock.now += 2 * DAY - MOMENT
    await home.running.tender.tend()
    before = await home.request(request.id)
    home.clock.now += MOMENT
    await home.running.tender.tend()
    after = await home.request(request.id)

    assert before.stage.name == "pending_review"
    assert after.stage.name == "completed"


async def test_an_act_at_the_due_instant_comes_too_late_though_time_has_not_acted_yet(home: Home) -> None:
    """Case 14 of the model."""
    request = await opened(home)

    home.clock.advance(days=2)
    refused = await codes(act(home, request, "approve", expected=1))
    await home.running.tender.tend()
    await home.running.tender.tend()

    assert refused == ["DEADLINE_PASSED"]
    assert len(await said(home, request, "RequestApproved")) == 1


async def test_after_downtime_each_step_happens_at_the_instant_it_should_have(home: Home) -> None:
    """Cases 2 and 3 of the model, both slept through."""
    request = await return_opened(home)
    began = home.clock()

    home.clock.advance(days=30)
    await home.running.tender.tend()

    closed = await home.request(request.id)
    expired = await said(home, request, "DeadlineExpired")
    assert (closed.close_reason, closed.closed_at) == (CloseReason.BUYER_DID_NOT_SHIP, began + 12 * DAY)
    assert [(event.data["key"], event.at - began) for event in expired] == [
        ("review.first", 2 * DAY),
        ("ship_back.drop_off", 12 * DAY),
    ]
    assert {event.processed_at for event in expired} == {home.clock()}


async def test_after_downtime_what_was_due_earlier_comes_first_warned_of_or_not(home: Home) -> None:
    picked_up = await act(home, await return_opened(home, ReturnMethod.PICK_UP), "approve")
    await act(home, picked_up, "schedule_pickup", BUYER, given={"pickup_at": home.clock() + DAY})
    home.clock.advance(days=4, hours=12)
    unwarned = [await opened(home) for _ in range(3)]
    home.clock.advance(hours=13)
    later = await opened(home)

    home.clock.advance(days=30)
    await home.running.tender.tend()

    lines = await home.running.house.log.after(0, 1000)
    expired = [(line.request_id, line.at) for line in lines if line.type == "DeadlineExpired"]
    assert [request_id for request_id, _ in expired[:5]] == [r.id for r in (*unwarned, picked_up, later)]
    assert [at for _, at in expired] == sorted(at for _, at in expired)


async def test_a_tender_that_runs_twice_fires_once(home: Home) -> None:
    request = await opened(home)

    home.clock.advance(days=2)
    counts = [await home.running.tender.tend() for _ in range(2)]
    lines = await history(home, request)
    refused = await codes(home.running.desk.act(request.id, expiry("review.first"), SYSTEM, at=home.clock()))

    assert counts[0] > 0
    assert counts[1] == 0
    assert [line.type for line in lines].count("RequestApproved") == 1
    assert refused == ["INVALID_STATE"]
    assert await history(home, request) == lines


async def test_two_tenders_at_once_warn_once_and_fire_once(home: Home, server: Another) -> None:
    async with server() as other:
        requests = [await opened(home) for _ in range(20)]
        for step in (DAY, 18 * HOUR, 5 * HOUR, HOUR):
            home.clock.now += step
            await asyncio.gather(home.running.tender.tend(), other.running.tender.tend())

        for request in requests:
            types = [line.type for line in await history(home, request)]
            assert types.count("DeadlineWarning") == 3
            assert types.count("RequestApproved") == types.count("RequestCompleted") == 1
        assert await home.running.desk.ledger.parked() == []
        assert len(home.bank.paid) == 20


async def test_requests_of_one_order_that_fall_due_together_each_know_of_the_other(home: Home) -> None:
    """What the first is granted is gone from what the second may have."""
    order = await home.order(line(), line())
    requests = [await opened(home, order, line=number) for number in range(2)]

    home.clock.advance(days=2)
    await home.running.tender.tend()

    ended = [await home.request(request.id) for request in requests]
    assert [request.stage.name for request in ended] == ["completed", "completed"]
    assert len(home.bank.paid) == 2
    claimed = await home.running.desk.ledger.order(order.id)
    assert claimed is not None
    assert claimed.claims_version == order.claims_version + 6, "asked for, granted and paid, each for itself"


# The warnings that were slept through, then the ends; the first of many does not wait for the last.
@pytest.mark.parametrize("together", [[2, 2], [20, 40, 60]])
async def test_what_is_due_together_is_written_together(
    home: Home, together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(together[-1]):
        await return_opened(home, order=await home.order(number=f"M{number}"))
    home.clock.advance(days=2)
    written, told = [], Told()
    write = home.running.database.write
    home.running.desk.announces.append(told)

    async def counted(*statements: Statement) -> list[list[tuple[object, ...]]]:
        written.append(statements)
        return await write(*statements)

    monkeypatch.setattr(home.running.database, "write", counted)
    await home.running.tender.tend()

    of_events = [batch for batch in written if any("INTO events" in statement.sql for statement in batch)]
    assert told.together == together
    assert len(of_events) == len(together)


async def test_whoever_owes_it_is_warned_as_the_policy_says_and_once_each(home: Home) -> None:
    request = await opened(home)
    due_at = home.clock() + 2 * DAY

    await home.pass_time(days=2)

    warnings = await said(home, request, "DeadlineWarning")
    assert [(due_at - event.at, event.data["leftSeconds"]) for event in warnings] == [
        (24 * HOUR, 86_400),
        (6 * HOUR, 21_600),
        (HOUR, 3_600),
    ]
    assert {(event.data["owedBy"], event.data["key"], event.version) for event in warnings} == {
        ("SELLER", "review.first", 1)
    }


async def test_warnings_that_were_slept_through_are_not_all_given_at_once(home: Home) -> None:
    request = await opened(home)

    home.clock.advance(days=1, hours=20)
    await home.running.tender.tend()
    await home.running.tender.tend()

    assert len(await said(home, request, "DeadlineWarning")) == 1
    assert (await home.request(request.id)).stage.name == "pending_review"


async def test_a_warning_is_given_whatever_plugins_object_to(server: Another) -> None:
    async with server(ObjectsToAll()) as home:
        request = await opened(home)

        await home.pass_time(days=1)

        assert len(await said(home, request, "DeadlineWarning")) == 1


async def test_a_clock_whose_act_fails_is_tried_alone_and_parked_while_the_others_fire(server: Another) -> None:
    stubborn = Stubborn()
    async with server(stubborn) as home:
        first, failing, last = [await opened(home) for _ in range(3)]
        stubborn.about = failing.id
        ledger = home.running.desk.ledger

        home.clock.advance(days=2)
        await home.running.tender.tend()
        others = [(await home.request(request.id)).stage.name for request in (first, last)]
        next_tries = []
        for _ in range(4):
            next_tries.append(await ledger.next_wake())
            assert await ledger.parked() == []
            home.clock.now += AGAIN
            await home.running.tender.tend()

        [parked] = await ledger.parked()
        assert others == ["completed", "completed"]
        assert next_tries == [home.clock() - (3 - n) * AGAIN for n in range(4)]
        assert (parked.request_id, parked.key, parked.tries) == (failing.id, "review.first", 5)
        assert "Stubborn" in parked.text
        assert await ledger.next_wake() is None
        assert same(await home.request(failing.id), failing)


async def test_a_database_that_is_away_parks_no_clock(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    request = await opened(home)
    home.clock.advance(days=2)

    for _ in range(2 * tender.FIRING_TRIES):
        with away(home, "INSERT INTO events", monkeypatch), pytest.raises(StoreBusy):
            await home.running.tender.tend()
        # as if the seconds had passed for which nobody else would have looked at it
        await home.running.database.write(Statement("UPDATE deadlines SET claimed_until = NULL"))
    assert await home.running.desk.ledger.parked() == []

    await home.running.tender.tend()

    assert (await home.request(request.id)).stage.name == "completed"


async def test_a_clock_that_a_person_has_looked_at_fires_at_its_own_instant(server: Another) -> None:
    stubborn = Stubborn()
    async with server(stubborn) as home:
        request = await opened(home)
        due_at, stubborn.about = home.clock() + 2 * DAY, request.id
        await home.pass_time(days=3)
        [parked] = await home.running.desk.ledger.parked()

        stubborn.about = ""
        assert await home.running.desk.ledger.unpark(parked.deadline_id)
        await home.running.tender.tend()

        [event] = await said(home, request, "RequestApproved")
        assert event.at == due_at


async def test_what_plugins_object_to_is_parked_too(server: Another) -> None:
    async with server(ObjectsToAll()) as home:
        request = await opened(home)

        await home.pass_time(days=3)

        [parked] = await home.running.desk.ledger.parked()
        assert parked.request_id == request.id
        assert parked.text.startswith("NEVER")


async def test_the_end_of_a_clock_never_fires_a_newer_one_of_the_same_key(home: Home) -> None:
    request = await act(home, await return_opened(home, ReturnMethod.PICK_UP), "approve")
    # once a pick-up has failed, a new choice of method gives all the time anew
    await act(home, request, "pickup_failed", CARRIER)
    first = await act(home, request, "choose_method", BUYER, given={"method": ReturnMethod.DROP_OFF})
    ended = first.clock("ship_back.drop_off")
    home.clock.advance(days=5)
    await act(home, request, "choose_method", BUYER, given={"method": ReturnMethod.SELF_ARRANGED})
    second = await act(home, request, "choose_method", BUYER, given={"method": ReturnMethod.DROP_OFF})
    newer = second.clock("ship_back.drop_off")
    assert ended is not None
    assert newer is not None
    assert ended.due_at is not None

    home.clock.now = ended.due_at
    refused = await codes(home.running.desk.act(request.id, expiry("ship_back.drop_off"), SYSTEM, at=ended.due_at))
    await home.running.tender.tend()

    now = await home.request(request.id)
    assert refused == ["INVALID_STATE"]
    assert (now.stage.name, now.clock("ship_back.drop_off")) == ("awaiting_buyer_ship", newer)
    assert newer.due_at == ended.due_at + 5 * DAY


async def test_a_clock_that_was_stopped_says_nothing_more(home: Home) -> None:
    request = await rejected(home, await opened(home))

    await home.pass_time(hours=47)

    warnings = await said(home, request, "DeadlineWarning")
    assert [event.data["key"] for event in warnings] == ["rejection.followup"]
    assert [clock.status for clock in (await home.request(request.id)).clocks] == [
        ClockStatus.MET,
        ClockStatus.RUNNING,
    ]


async def test_the_loop_wakes_when_it_is_nudged(server: Another, clock: FakeClock) -> None:
    waits = Waits()
    async with server(waits) as home:
        request = await opened(home)
        loop = asyncio.create_task(home.running.tender.run())

        clock.advance(days=2)
        home.running.tender.announce(())
        async with asyncio.timeout(10):
            await waits.of(request.id, expiry("review.first")).wait()
            await waits.of(request.id, "refund_paid").wait()

        loop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loop


async def test_a_provider_who_takes_his_time_stops_no_clock(server: Another, clock: FakeClock) -> None:
    waits, bank = Waits(), Stalls()
    async with server(waits, bank=bank) as home:
        paying = await act(home, await opened(home), "approve")
        silent = await opened(home)
        loop = asyncio.create_task(home.running.tender.run())

        async with asyncio.timeout(10):
            await bank.begun.wait()
            clock.advance(days=2)
            home.running.tender.announce(())
            await waits.of(silent.id, expiry("review.first")).wait()
            stage = (await home.request(paying.id)).stage.name
            bank.go_on.set()
            await waits.of(paying.id, "refund_paid").wait()

        assert stage == "refunding"
        loop.cancel()


async def test_the_loop_goes_on_after_a_fault(
    server: Another, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tender, "ERROR_SECONDS", 0.01)
    waits = Waits()
    async with server(waits) as home:
        request = await opened(home)
        clock.advance(days=2)
        beside = await open_database(await places.place(tmp_path / "aftersales.sqlite3"))
        await beside.write(Statement("ALTER TABLE deadlines RENAME TO away"))

        loop = asyncio.create_task(home.running.tender.run())
        async with asyncio.timeout(10):
            while "the tender failed and goes on" not in caplog.text:  # noqa: ASYNC110 - the log has no event
                await asyncio.sleep(0)
            await beside.write(Statement("ALTER TABLE away RENAME TO deadlines"))
            await waits.of(request.id, expiry("review.first")).wait()

        loop.cancel()
        await beside.close()

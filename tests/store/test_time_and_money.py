"""What waits for time, and refunds on their way: in order, once each, and in the end before a person."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.store.builders import AGENT, NOON, SYSTEM, money, world

from aftersales.store.columns import COLUMNS
from aftersales.store.database import Statement
from aftersales.store.ledger import StaleVersion
from aftersales.store.values import micros

DAY = timedelta(days=1)


async def test_a_clock_wakes_time_for_each_warning_and_then_for_its_end(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order())
        woken = []
        for _ in range(2):
            at = await w.ledger.next_wake()
            assert at is not None
            [due] = await w.ledger.due(at)
            woken.append((due.wake_at, due.warning))
            await w.warn(request, at)

        [end] = await w.ledger.due(NOON + 2 * DAY)

        assert woken == [(NOON + DAY, True), (NOON + 2 * DAY - timedelta(hours=6), True)]
        assert (end.warning, end.due_at, end.key, end.request_id) == (False, NOON + 2 * DAY, "review.first", request.id)
        assert await w.ledger.due(NOON + 2 * DAY - timedelta(microseconds=1)) == []


async def test_warnings_missed_while_the_server_was_down_are_not_given_late(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order())
        late = NOON + 2 * DAY - timedelta(hours=1)

        await w.warn(request, late)

        assert await w.ledger.next_wake() == NOON + 2 * DAY


async def test_what_is_due_comes_earliest_first_and_leaves_once_it_is_done(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        opened = [await w.open(await w.order(f"A{n}"), at=NOON - n * timedelta(hours=1)) for n in range(3)]
        now = NOON + 3 * DAY

        due = await w.ledger.due(now)

        assert [item.request_id for item in due] == [request.id for request in reversed(opened)]
        assert [item.request_id for item in await w.ledger.due(now, 1)] == [opened[2].id]
        await w.act(opened[2], "expire:review.first", SYSTEM, due[0].due_at)
        assert [item.request_id for item in await w.ledger.due(now)] == [opened[1].id, opened[0].id]


async def test_a_warning_for_a_clock_that_ended_meanwhile_is_not_written(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order())
        await w.act(request, "approve")

        with pytest.raises(StaleVersion):
            await w.warn(request, NOON + DAY)


async def test_a_clock_whose_act_fails_is_tried_later_and_in_the_end_parked_for_a_person(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order())
        [due] = await w.ledger.due(now := NOON + 3 * DAY)

        assert await w.ledger.failed_once(due.deadline_id, "boom", now + DAY) == 1
        assert await w.ledger.due(now) == []
        [again] = await w.ledger.due(now + DAY)
        assert (again.due_at, again.warning) == (NOON + 2 * DAY, False)
        assert await w.ledger.failed_once(due.deadline_id, "boom", now + DAY) == 2

        await w.ledger.park(due.deadline_id, "boom again", now + DAY)
        assert (await w.ledger.due(now + 9 * DAY), await w.ledger.next_wake()) == ([], None)
        [parked] = await w.ledger.parked()
        assert (parked.request_id, parked.tries, parked.text) == (request.id, 2, "boom again")

        assert await w.ledger.unpark(due.deadline_id)
        assert not await w.ledger.unpark(due.deadline_id)
        assert len(await w.ledger.due(now + DAY)) == 1


async def test_a_refund_is_due_at_once_and_its_outcome_unknown_from_the_moment_it_is_asked_for(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.act(await w.open(await w.order()), "approve")

        [refund] = await w.ledger.refunds_due(NOON)
        assert (refund.id, refund.amount, refund.asked_at) == (request.refunds[0].id, money("21.67"), None)
        assert await w.ledger.next_refund_at() == NOON
        assert await w.ledger.mark_asked(refund, NOON)
        await w.ledger.schedule_retry(refund.id, NOON + DAY)

        assert await w.ledger.refunds_due(NOON) == []
        [refund] = await w.ledger.refunds_due(NOON + DAY)
        assert refund.asked_at == NOON


@pytest.mark.engine("postgres")  # a file has one server
async def test_of_two_who_look_for_refunds_one_has_each_for_a_while(tmp_path: Path) -> None:
    minute = timedelta(minutes=1)
    async with world(tmp_path / "s.db") as w:
        await w.act(await w.open(await w.order()), "approve")
        [one] = await w.ledger.take_refunds(NOON, minute)

        assert await w.ledger.take_refunds(NOON, minute) == []
        assert await w.ledger.next_refund_at() == NOON + minute
        assert await w.ledger.mark_asked(one, NOON)
        # whoever had it is gone: what became of it is asked first, as it may be paid
        [again] = await w.ledger.take_refunds(NOON + minute, minute)
        assert (again.id, again.asked_at) == (one.id, NOON)
        # and whoever seemed to be gone, and is not, may not ask any more
        assert not await w.ledger.mark_asked(one, NOON + minute)


@pytest.mark.engine("postgres")
async def test_clocks_that_are_due_are_taken_by_one_each_without_waiting(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        opened = [await w.open(await w.order(f"A{number}")) for number in range(5)]
        now = NOON + 3 * DAY

        taken = await asyncio.gather(*(w.ledger.take_due(now, 2) for _ in range(4)))

        assert sorted(len(part) for part in taken) == [0, 1, 2, 2]
        assert {due.request_id for part in taken for due in part} == {request.id for request in opened}
        assert await w.ledger.take_due(now) == []
        assert await w.ledger.next_wake() is None, "nothing that is not looked after"


@pytest.mark.engine("postgres")
async def test_what_the_dead_have_taken_is_free_after_some_seconds_of_the_database(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.open(await w.order())
        now = NOON + 3 * DAY
        [due] = await w.ledger.take_due(now)

        # as if those seconds had passed: nobody can set the database's clock
        await w.ledger.database.write(Statement("UPDATE deadlines SET claimed_until = claimed_until - ?", (3_000_000,)))

        assert await w.ledger.take_due(now) == [due]


@pytest.mark.engine("postgres")
async def test_by_the_databases_time_nothing_is_due_early_whatever_ours_shows(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.open(await w.order())
        ahead = datetime.now(UTC) + timedelta(days=365)
        [due] = await w.ledger.due(ahead)
        # an hour from now by everybody's clock
        soon = micros(datetime.now(UTC) + timedelta(hours=1))
        await w.ledger.database.write(Statement("UPDATE deadlines SET wake_at = ?, due_at = ?", (soon, soon)))

        assert await w.ledger.take_due(ahead, by_database=True) == []
        assert [item.deadline_id for item in await w.ledger.take_due(ahead)] == [due.deadline_id]


@pytest.mark.engine("postgres")
async def test_of_a_requests_clocks_the_earliest_is_taken_alone(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order())
        [first] = await w.ledger.due(NOON + 3 * DAY)
        columns = ", ".join(name for name in (*COLUMNS["deadlines"], "tries") if name not in ("id", "wake_at"))
        await w.ledger.database.write(
            Statement(
                f"INSERT INTO deadlines (id, wake_at, {columns})"
                f" SELECT id || 'b', wake_at + 1, {columns} FROM deadlines"
            )
        )

        assert [due.deadline_id for due in await w.ledger.take_due(NOON + 9 * DAY)] == [first.deadline_id]
        assert await w.ledger.take_due(NOON + 9 * DAY) == [], "nor is the next one, while that is looked after"
        assert request.id == first.request_id


async def test_a_paid_refund_is_never_asked_for_again(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.act(await w.open(await w.order()), "approve")
        refund_id = request.refunds[0].id
        [intent] = await w.ledger.refunds_due(NOON)
        await w.ledger.mark_asked(intent, NOON)

        await w.act(request, "refund_paid", SYSTEM, refund_id=refund_id)
        await w.ledger.schedule_retry(refund_id, NOON)

        assert await w.ledger.refunds_due(NOON + 9 * DAY) == []
        assert await w.ledger.next_refund_at() is None
        assert not await w.ledger.mark_asked(intent, NOON)


async def test_a_refund_that_fails_for_the_last_time_waits_for_a_person_who_frees_it(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.act(await w.open(await w.order()), "approve")
        refund_id = request.refunds[0].id
        [intent] = await w.ledger.refunds_due(NOON)
        await w.ledger.mark_asked(intent, NOON)

        failed = await w.act(request, "refund_failed", SYSTEM, refund_id=refund_id)
        assert [(due.tries, due.asked_at) for due in await w.ledger.refunds_due(NOON)] == [(1, None)]
        failed = await w.act(failed, "refund_failed", SYSTEM, refund_id=refund_id, last=True)

        assert await w.ledger.refunds_due(NOON + 9 * DAY) == []
        assert [(stuck.id, stuck.tries, stuck.stuck_at) for stuck in await w.ledger.stuck()] == [(refund_id, 2, NOON)]
        await w.act(failed, "retry_refund", AGENT, note="Bank fixed")
        assert [due.tries for due in await w.ledger.refunds_due(NOON)] == [0]
        assert await w.ledger.stuck() == []

"""What waits for time, and refunds on their way: in order, once each, and in the end before a person."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.store.builders import AGENT, NOON, SYSTEM, money, world

from aftersales.store.ledger import StaleVersion

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


async def test_of_two_who_see_a_refund_that_is_due_one_asks_for_it_and_has_it_for_a_while(tmp_path: Path) -> None:
    minute = timedelta(minutes=1)
    async with world(tmp_path / "s.db") as w:
        await w.act(await w.open(await w.order()), "approve")
        [one], [other] = await w.ledger.refunds_due(NOON), await w.ledger.refunds_due(NOON)

        assert await w.ledger.mark_asked(one, NOON, minute)
        assert not await w.ledger.mark_asked(other, NOON, minute)
        assert await w.ledger.refunds_due(NOON) == []
        # whoever had it is gone: what became of it is asked first, as it may be paid
        [again] = await w.ledger.refunds_due(NOON + minute)
        assert (again.id, again.asked_at) == (one.id, NOON)


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

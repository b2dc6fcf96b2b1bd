"""The log: newest first for history, in order for streams, each reader from where it was."""

from datetime import timedelta
from pathlib import Path

from tests.store.builders import NOON, SELLER, world

from aftersales.engine.filter import facets, then
from aftersales.engine.vocabulary import Party
from aftersales.store.database import Statement
from aftersales.store.log import Log, Missed


async def test_history_is_the_latest_so_many_of_each_request_newest_first(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        log = Log(w.ledger.database)
        first, second = await w.open(await w.order("A1")), await w.open(await w.order("A2"))
        await w.act(first, "approve")

        history = await log.history([first.id, second.id, "rq_none"], 3)

        assert [event.type for event in history[first.id]] == ["DeadlineMet", "RefundCreated", "RequestStatusChanged"]
        assert [event.type for event in history[second.id]] == ["DeadlineStarted", "RequestCreated"]
        assert history["rq_none"] == []
        older = await log.history([first.id], 3, history[first.id][-1].sequence)
        assert [event.type for event in older[first.id]] == ["RequestApproved", "DeadlineStarted", "RequestCreated"]
        assert (await log.history([first.id], 3, 1))[first.id] == []


async def test_an_event_says_who_did_what_when_and_by_which_rule(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order())
        late = NOON + timedelta(hours=1)
        await w.commit(w.decide(request, "approve", note="Fine"), processed_at=late)

        event = (await Log(w.ledger.database).missed(request.id, 1))[0]

        assert (event.type, event.rule, event.action, event.note) == ("RequestApproved", "RO1", "approve", "Fine")
        assert (event.at, event.processed_at, event.version) == (NOON, late, 2)
        assert (event.party, event.actor_id, event.client) == (Party.SELLER, SELLER.id, "tests")
        assert (event.from_stage, event.to_stage) == ("pending_review", "refunding")
        assert await Log(w.ledger.database).events([event.id, "ev_none", "ev_00_1"]) == [event]


async def test_the_first_event_of_a_change_keeps_what_filters_saw_before_it(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        before = await w.open(await w.order())
        after = await w.act(before, "approve")

        events = await Log(w.ledger.database).missed(before.id, 0)

        kept = [event.was for event in events]
        assert [was is not None for was in kept] == [False, False, True, False, False, False]
        assert kept[2]
        assert then(facets(after), kept[2]) == facets(before)


async def test_a_stream_of_some_shops_goes_on_from_the_position_of_each(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        log = Log(w.ledger.database)
        for number in range(6):
            await w.open(await w.order(f"A{number}", f"sh_{number % 2 + 1}"))

        events = await log.since({"sh_1": 2, "sh_2": 4})

        assert [(event.shop_id, event.position) for event in events] == [
            ("sh_1", 3), ("sh_1", 4), ("sh_1", 5), ("sh_1", 6), ("sh_2", 5), ("sh_2", 6),
        ]  # fmt: skip
        assert [event.serial for event in events] == sorted(event.serial for event in events)
        assert await log.since({"sh_1": 2, "sh_2": 4}, 2) == events[:2]
        assert await log.positions(["sh_1", "sh_2", "sh_none"]) == {"sh_1": 6, "sh_2": 6, "sh_none": 0}
        assert await log.since({}) == []


async def test_a_stream_of_all_shops_goes_on_from_a_serial(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        log = Log(w.ledger.database)
        assert await log.last_serial() == 0
        await w.open(await w.order())

        first, second = await log.after(0)
        assert (first.sequence, second.sequence) == (1, 2)
        assert await log.after(first.serial) == [second]
        assert await log.last_serial() == second.serial


async def test_how_much_was_missed_is_counted_up_to_a_bound_and_dated_by_its_oldest_line(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        log = Log(w.ledger.database)
        for hour, (shop, buyer) in enumerate([("sh_1", "by_1"), ("sh_2", "by_2"), ("sh_1", "by_1")]):
            opening = w.opening(await w.order(f"A{hour}", shop, buyer_id=buyer))
            await w.commit(opening, processed_at=NOON + timedelta(hours=hour))
        serials = [line.serial for line in await log.after(0)]

        assert await log.missed_of({"sh_1": 1, "sh_2": 2}, 100) == Missed(3, NOON)
        assert await log.missed_of({"sh_1": 2, "sh_2": 1}, 2) == Missed(3, NOON + timedelta(hours=1))
        assert await log.missed_of({"sh_1": 0, "sh_2": 0}, 2) == Missed(3, NOON)
        assert await log.missed_of({"sh_1": 4, "sh_2": 2}, 100) == Missed(0, None)
        assert await log.missed_after(0, 100) == Missed(6, NOON)
        assert await log.missed_after(serials[1], 3) == Missed(4, NOON + timedelta(hours=1))
        assert await log.missed_after(serials[1], 100, "by_1") == Missed(2, NOON + timedelta(hours=2))
        assert await log.missed_after(serials[-1], 100) == Missed(0, None)
        assert [line.serial for line in await log.after(0, buyer_id="by_1")] == [*serials[:2], *serials[4:]]


async def test_lines_that_are_gone_are_not_taken_for_none(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        log = Log(w.ledger.database)
        await w.open(await w.order())
        await w.ledger.database.write(Statement("DELETE FROM events WHERE position = 1"))

        assert await log.missed_of({"sh_1": 0}, 100) == Missed(2, NOON, cut=True)
        assert await log.missed_of({"sh_1": 1}, 100) == Missed(1, NOON)

"""What waits is counted from the indexes of what waits, and never without end."""

from datetime import timedelta
from pathlib import Path

from tests.store.builders import NOON, world

from aftersales.store import standing as module
from aftersales.store.database import Statement
from aftersales.store.standing import figures, standing

DAY = timedelta(days=1)


async def test_clocks_count_as_overdue_from_the_instant_that_time_should_act(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        for number in range(3):
            await w.open(await w.order(f"A{number}"), at=NOON - number * timedelta(hours=1))
        database = w.ledger.database
        # each first warns, a day after it began
        [before, one, all] = [
            await standing(database, at, None) for at in (NOON, NOON + DAY - timedelta(hours=2), NOON + DAY)
        ]

        assert (before.overdue, before.overdue_for) == (0, timedelta())
        assert (one.overdue, one.overdue_for) == (1, timedelta())
        assert (all.overdue, all.overdue_for) == (3, timedelta(hours=2))


async def test_a_parked_clock_is_no_longer_overdue_but_parked(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.open(await w.order())
        [due] = await w.ledger.due(NOON + 3 * DAY)
        await w.ledger.park(due.deadline_id, "it failed", NOON)

        found = await standing(w.ledger.database, NOON + 3 * DAY, None)

        assert (found.overdue, found.parked) == (0, 1)


async def test_a_refund_is_pending_until_it_was_asked_about_and_then_unknown_or_stuck(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.act(await w.open(await w.order()), "approve")
        database = w.ledger.database
        [intent] = await w.ledger.refunds_due(NOON + 9 * DAY)
        assert intent.next_try_at is not None
        later = intent.next_try_at + timedelta(minutes=1)

        states = [await standing(database, later, None)]
        await w.ledger.mark_asked(intent, later)
        states.append(await standing(database, later, None))
        await database.write(Statement("UPDATE refunds SET stuck_at = 1"))
        states.append(await standing(database, later, None))

        assert [(state.pending, state.unknown, state.stuck) for state in states] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
        assert states[0].unpaid_for == timedelta(minutes=1)


async def test_the_feed_lags_since_the_first_line_that_it_has_not_read(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.open(await w.order())
        database = w.ledger.database

        behind = await standing(database, NOON + timedelta(seconds=7), 0)
        [[[last]]] = await database.read(Statement("SELECT MAX(serial) FROM events"))
        level = await standing(database, NOON + timedelta(seconds=7), last)

        assert behind.unread_for == timedelta(seconds=7)
        assert level.unread_for == timedelta()
        told = {each.name: each.values for each in figures(behind, lambda span: span.total_seconds() / 7)}
        assert told["feed_lag_seconds"] == [((), 1.0)]


async def test_none_of_it_reads_a_whole_table(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        database = w.ledger.database
        postgres = type(database).__name__ == "PostgresDatabase"
        asked = [
            (module._OVERDUE, (0, 5)),
            (module._PARKED, (5,)),
            (module._TO_PAY, (5,)),
            (module._STUCK, (5,)),
            (module._UNREAD, (0,)),
        ]
        for sql, args in asked:
            if postgres:
                _, [*rows] = await database.read(
                    Statement("SELECT set_config('enable_seqscan', 'off', true)"), Statement(f"EXPLAIN {sql}", args)
                )
            else:
                [rows] = await database.read(Statement(f"EXPLAIN QUERY PLAN {sql}", args))
            plan = "\n".join(str(cell) for row in rows for cell in row)
            assert "Seq Scan" not in plan, plan
            assert "idx_" in plan or "pkey" in plan or "INTEGER PRIMARY KEY" in plan, plan

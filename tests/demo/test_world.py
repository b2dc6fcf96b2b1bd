"""The demo's world is whole, true to the rules, the same for the same seed, and lives on."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio
from tests.demo.world import logged, made, rows, taken_up

from aftersales.demo.acts import ACTS
from aftersales.demo.catalog import STALLS
from aftersales.demo.history import Almanac
from aftersales.demo.making import book_of
from aftersales.demo.stories import SILENCE, STORIES
from aftersales.demo.world import HABITS, World
from aftersales.running import Running
from aftersales.store.urls import open_database

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await made(tmp_path_factory.mktemp("demo"), NOW)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(path: Path) -> AsyncIterator[Running]:
    async with taken_up(path, NOW) as (running, _):
        yield running


async def test_requests_stand_at_every_stage_of_every_kind(running: Running) -> None:
    found = await rows(running.database, "SELECT DISTINCT kind, stage FROM requests")

    assert set(found) == stages_of(running)


def stages_of(running: Running) -> set[tuple[str, str]]:
    """All that a kind has, but for the one that no market's policy opens to refunds only (section 9)."""
    kinds = running.registry.kinds.items()
    return {(name, stage) for name, kind in kinds for stage in kind.process.stages} - {
        ("refund_only", "awaiting_buyer_response")
    }


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(datetime(2026, 3, 23, 3, 0, tzinfo=UTC), id="in the days off around Eid in Indonesia"),
        pytest.param(datetime(2026, 4, 16, 1, 0, tzinfo=UTC), id="after Songkran in Thailand"),
        pytest.param(datetime(2027, 1, 3, 20, 0, tzinfo=UTC), id="on a Sunday night"),
    ],
)
async def test_so_they_do_on_whatever_day_the_demo_is_started(tmp_path: Path, now: datetime) -> None:
    path = await made(tmp_path, now)

    async with taken_up(path, now) as (running, _):
        found = await rows(running.database, "SELECT DISTINCT kind, stage FROM requests")
        assert set(found) == stages_of(running)


async def test_requests_have_every_status_that_can_be_reached(running: Running) -> None:
    found = await rows(running.database, "SELECT DISTINCT status FROM requests")

    reachable = {
        stage.status.value for kind in running.registry.kinds.values() for stage in kind.process.stages.values()
    }
    assert {status for (status,) in found} == reachable


async def test_there_are_two_markets_two_kinds_of_shop_and_two_currencies(running: Running) -> None:
    assert set(await rows(running.database, "SELECT DISTINCT market FROM requests")) == {("ID",), ("TH",)}
    assert set(await rows(running.database, "SELECT DISTINCT kind FROM shops")) == {("MALL",), ("NON_MALL",)}
    assert set(await rows(running.database, "SELECT DISTINCT currency FROM orders")) == {("IDR",), ("THB",)}
    assert len(STALLS) == 3


async def test_there_is_enough_to_look_at(running: Running) -> None:
    [(requests,)] = await rows(running.database, "SELECT COUNT(*) FROM requests")
    [(orders,)] = await rows(running.database, "SELECT COUNT(*) FROM orders")

    assert requests > 250
    assert orders > requests + 50


async def test_dewi_has_requests_and_may_make_more(running: Running) -> None:
    [(active,)] = await rows(running.database, "SELECT COUNT(*) FROM requests WHERE buyer_id = 'by_dewi'")
    [(free,)] = await rows(
        running.database,
        "SELECT COUNT(*) FROM orders o WHERE buyer_id = 'by_dewi' AND state = 'DELIVERED'"
        " AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.order_id = o.id)",
    )

    assert active > 5
    assert free >= 5


async def test_nothing_has_happened_that_is_yet_to_come(running: Running) -> None:
    last, first = NOW.timestamp() * 1e6, (NOW - timedelta(days=60)).timestamp() * 1e6

    [(earliest, latest, acted)] = await rows(running.database, "SELECT MIN(at), MAX(at), MAX(processed_at) FROM events")

    assert first < earliest
    assert latest <= acted <= last


async def test_every_clock_that_ran_out_has_done_its_work_at_its_instant(running: Running) -> None:
    overdue = "SELECT id FROM deadlines WHERE status = 'RUNNING' AND due_at <= ?"
    failed = "SELECT id FROM deadlines WHERE parked_at IS NOT NULL OR tries > 0"
    late = """
        SELECT d.id FROM events e JOIN deadlines d ON d.id = e.deadline_id
        WHERE e.type = 'DeadlineExpired' AND e.at != d.due_at
    """

    assert await rows(running.database, overdue, int(NOW.timestamp() * 1_000_000)) == []
    assert await rows(running.database, failed) == []
    assert await rows(running.database, late) == []


async def test_the_log_has_no_gap_and_runs_forward(running: Running) -> None:
    for owner, number in (("shop_id", "position"), ("request_id", "sequence")):
        gaps = f"SELECT {owner} FROM events GROUP BY {owner} HAVING COUNT(*) != MAX({number}) OR MIN({number}) != 1"
        assert await rows(running.database, gaps) == []
    acted = [at for (at,) in await rows(running.database, "SELECT processed_at FROM events ORDER BY serial")]
    assert acted == sorted(acted)


async def test_no_order_gives_back_more_than_was_paid(running: Running) -> None:
    beyond = """
        SELECT o.id FROM orders o JOIN refunds r ON r.order_id = o.id AND r.status != 'FAILED'
        GROUP BY o.id, o.total HAVING SUM(r.amount) > o.total
    """
    assert await rows(running.database, beyond) == []


async def test_the_provider_has_paid_each_refund_once(running: Running, path: Path) -> None:
    book = await open_database(f"sqlite://{book_of(path)}")

    paid = await rows(book, "SELECT id, asked FROM payments ORDER BY id")

    ours = await rows(running.database, "SELECT id, 1 FROM refunds WHERE status = 'PAID' AND amount > 0 ORDER BY id")
    assert paid == ours
    await book.close()


async def test_the_same_seed_tells_the_same_story_also_after_a_world_was_left_half_made(
    running: Running, tmp_path: Path
) -> None:
    half = tmp_path / "demo.sqlite3.making"
    half.mkdir()
    (half / "demo.sqlite3").write_text("killed on the way")
    story = """
        SELECT o.number, r.kind, r.stage, r.reason, r.version, r.refund_max
        FROM requests r JOIN orders o ON o.id = r.order_id ORDER BY 1, r.created_at
    """

    async with taken_up(await made(tmp_path, NOW), NOW) as (again, _):
        assert await rows(again.database, story) == await rows(running.database, story)
        assert not half.exists()


async def test_stories_and_habits_name_only_what_is_known(running: Running) -> None:
    told = {step for story in STORIES for step, _, _ in story.steps} | {act for acts in HABITS.values() for act in acts}

    assert told == {*ACTS, SILENCE}
    assert {story.kind for story in STORIES} == set(running.registry.kinds)


async def test_life_goes_on_and_does_not_grow_without_end(path: Path, tmp_path: Path) -> None:
    shutil.copytree(path.parent, tmp_path, dirs_exist_ok=True)

    async with taken_up(tmp_path / path.name, NOW) as (running, almanac):
        world = World(running.desk, running.house.lists, Random(1))

        acts = [await _a_while_later(running, almanac, world) for _ in range(400)]

        [(active,)] = await rows(running.database, "SELECT COUNT(*) FROM requests WHERE closed_at IS NULL")
        assert sum(acts) > 390
        assert active <= 260
        assert await rows(running.database, "SELECT id FROM deadlines WHERE parked_at IS NOT NULL") == []


async def test_an_error_in_the_world_does_not_end_it(path: Path) -> None:
    async with taken_up(path, NOW) as (running, _):
        world = World(running.desk, running.house.lists, Random(1), pause=(0, 0))
    # its database is closed now, so that whatever it tries fails

    with logged("aftersales.demo", times=3) as enough:
        life = asyncio.create_task(world.play())
        async with asyncio.timeout(10):
            await enough.wait()

    assert not life.done()
    life.cancel()
    await asyncio.wait([life])


async def _a_while_later(running: Running, almanac: Almanac, world: World) -> bool:
    almanac.at += timedelta(minutes=10)
    acted = await world.act()
    await running.tender.tend()
    return acted is not None

"""Who comes in a crowd gets a turn after the others, and what is dear runs alone."""

import asyncio
import gc
import threading
from collections.abc import Callable

import pytest
from tests.transport.world import until

from aftersales.transport.aside import MOST_WAITING, OF_ONE, Aside
from aftersales.transport.pace import AT_ONCE, UNIT, WAITING, Lanes, Pace
from aftersales.transport.refusal import Turned


async def test_a_few_begin_at_once_and_the_rest_with_the_next_turns() -> None:
    pace, begun = Pace(), list[int]()
    seen = []

    for n in range(AT_ONCE * 3):
        pace.do(lambda n=n: begun.append(n))  # type: ignore[misc]
    for _ in range(3):
        seen.append(len(begun))
        await asyncio.sleep(0)

    assert seen == [AT_ONCE, AT_ONCE * 2, AT_ONCE * 3]
    assert begun == sorted(begun)


async def test_with_a_pause_the_loop_is_free_between_two_turns() -> None:
    pace, begun = Pace(pause=0.01), list[int]()

    for n in range(AT_ONCE * 2):
        pace.do(lambda n=n: begun.append(n))  # type: ignore[misc]
    for _ in range(10):
        await asyncio.sleep(0)
    before = len(begun)
    await until(lambda: len(begun) == AT_ONCE * 2)

    assert before == AT_ONCE


async def test_each_caller_comes_in_turn_however_many_one_of_them_brings() -> None:
    pace, begun = Pace(), list[str]()

    for _ in range(20):
        pace.do(lambda: begun.append("many"), "many")
    pace.do(lambda: begun.append("one"), "one")
    await until(lambda: len(begun) == 21)

    assert begun.index("one") <= 2 * AT_ONCE


async def test_what_fails_keeps_nobody_from_their_turn(caplog: pytest.LogCaptureFixture) -> None:
    pace, begun = Pace(), list[int]()
    for n in range(AT_ONCE):
        pace.do(lambda n=n: begun.append(n))  # type: ignore[misc]

    pace.do(lambda: [][0], "a")
    pace.do(lambda: begun.append(7), "b")
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    await until(lambda: 7 in begun)


# ---------------------------------------------------------------- lanes


async def hold(lanes: Lanes, cost: int, inside: list[int], go: asyncio.Event) -> None:
    async with lanes.one("a", cost):
        inside.append(cost)
        await go.wait()
        inside.remove(cost)


async def test_cheap_ones_run_side_by_side_and_a_dear_one_alone_and_nobody_overtakes() -> None:
    lanes, inside, go = Lanes(4), list[int](), asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, cost, inside, go)) for cost in (0, UNIT, 9 * UNIT, 1, 2)]
    await until(lambda: len(inside) == 2)
    for _ in range(5):
        await asyncio.sleep(0)
    first = list(inside)

    tasks[2].cancel()
    await until(lambda: len(inside) == 3)
    second = list(inside)
    go.set()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert (first, second) == ([0, UNIT], [0, UNIT, 1])
    assert lanes.of == {}


async def test_so_many_of_one_caller_may_wait_and_others_have_their_own_lane() -> None:
    lanes, inside, go = Lanes(1), list[int](), asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, 0, inside, go)) for _ in range(1 + WAITING)]
    await until(lambda: "a" in lanes.of and lanes.of["a"].people == 1 + WAITING)

    with pytest.raises(Turned) as refused:
        async with lanes.one("a", 0):
            raise AssertionError
    async with lanes.one("b", 0):
        pass
    go.set()
    await asyncio.gather(*tasks)

    assert (refused.value.status, lanes.of) == (429, {})


# ---------------------------------------------------------------- aside


@pytest.fixture
def locked() -> tuple[Callable[[], str], threading.Event]:
    go = threading.Event()

    def waits() -> str:
        go.wait(10)
        return threading.current_thread().name

    return waits, go


async def test_it_is_done_in_a_thread_of_its_own_while_the_loop_goes_on(
    locked: tuple[Callable[[], str], threading.Event],
) -> None:
    aside, (waits, go) = Aside(), locked
    task = asyncio.create_task(aside.run("a", waits))
    await until(lambda: aside.waiting == 1)
    go.set()

    assert (await task).startswith("aside")
    assert (aside.waiting, aside.of, gc.isenabled()) == (0, {}, True)
    aside.close()


async def test_one_caller_and_all_together_may_have_so_much_done(
    locked: tuple[Callable[[], str], threading.Event],
) -> None:
    aside, (waits, go) = Aside(), locked
    tasks = [asyncio.create_task(aside.run("a", waits)) for _ in range(OF_ONE)]
    await until(lambda: aside.waiting == OF_ONE)
    with pytest.raises(Turned) as own:
        await aside.run("a", waits)
    tasks += [asyncio.create_task(aside.run(f"b{n}", waits)) for n in range(MOST_WAITING - OF_ONE)]
    await until(lambda: aside.waiting == MOST_WAITING)
    with pytest.raises(Turned) as all_together:
        await aside.run("c", waits)
    go.set()
    await asyncio.gather(*tasks)

    assert (own.value.status, all_together.value.status) == (429, 503)
    aside.close()


async def test_a_fault_is_raised_to_whoever_waits_and_the_collector_is_on_again() -> None:
    aside = Aside()

    with pytest.raises(ZeroDivisionError):
        await aside.run("a", divmod, 1, 0)

    assert gc.isenabled()
    aside.close()

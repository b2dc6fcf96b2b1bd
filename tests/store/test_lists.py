"""Lists: what SQL finds is what `matches` says, in order, page after page, and by an index."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.builders import BUYER, NOON, SELLER, Counted, World, money, terms, world

from aftersales.engine.filter import Filter, Urgency, facets, matches, objections, urgency
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Request
from aftersales.engine.vocabulary import Party, Status
from aftersales.store.lists import Lists, Sort, _page_statement

HOUR = timedelta(hours=1)
NOTES = ["Broken kettle", "100% gone_", "ÄRGER! with it", "x"]
REJECTION: dict[str, Any] = {"reason": "unclear_or_no_evidence", "note": "No"}


async def filled(world: World) -> dict[str, Request]:
    """Three hundred requests at many stages, some of them equal in all that is sorted by."""
    made = []
    for number in range(300):
        order = await world.order(str(number // 2), f"sh_{number % 4 // 2 + 1}", buyer_id=f"by_{number % 3}")
        made.append(
            await world.open(
                order, kind=("refund_only", "return_refund")[number % 2], line=number % 2, note=NOTES[number % 4],
                at=NOON - (number % 40) * HOUR, terms=terms(f"v{number % 2}"),
            )
        )  # fmt: skip
    for number, request in enumerate(made):
        if action := {1: "approve", 3: "cancel", 4: "reject"}.get(number % 6):
            actor = BUYER if action == "cancel" else SELLER
            await world.act(await world.load(request.id), action, actor, NOON - 39 * HOUR, **REJECTION)
    ids = [request.id for request in made]
    return await world.ledger.requests(ids)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(
    engine: object, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Lists, dict[str, Request]]]:
    async with world(tmp_path_factory.mktemp("lists") / "s.db") as w:
        yield Lists(w.ledger.database), await filled(w)


def some(values: list[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.frozensets(st.sampled_from(values), max_size=3)


instants = st.integers(-60, 80).map(lambda hours: NOON + hours * HOUR)
filters = st.builds(
    Filter,
    scope_shops=some(["sh_1", "sh_2", "sh_none"]),
    scope_buyer=st.none() | st.sampled_from(["by_0", "by_1", "by_none"]),
    shop_ids=some(["sh_1", "sh_2"]),
    kinds=some(["refund_only", "return_refund", "repair"]),
    statuses=some(list(Status)),
    stages=some(["pending_review", "awaiting_buyer_ship", "rejected"]),
    reasons=some(["other", "damaged"]),
    tags=some(["auto_approved", "a%", "to_"]),
    waiting_for=st.none() | st.sampled_from([Party.SELLER, Party.BUYER, Party.SYSTEM]),
    due_before=st.none() | instants,
    urgency=some(list(Urgency)),
    appeal_statuses=some(["NOT_AVAILABLE", "AVAILABLE"]),
    disputed=st.none() | st.booleans(),
    created_after=st.none() | instants,
    created_before=st.none() | instants,
    updated_after=st.none() | instants,
    order_number=st.none() | st.sampled_from(["7", "70", "none"]),
    text=st.none()
    | st.sampled_from(["kettle", "KETTLE broken", "100%", "wool_s", "ärger!", "as-0000002", "%", "_", "e r"]),
)
# most filters at random find nothing: leave most questions unasked
sparse = st.builds(
    lambda whole, asked: Filter(**{name: getattr(whole, name) for name in asked}),
    filters,
    st.sets(st.sampled_from([name for name in Filter.__slots__ if not name.startswith("__")]), max_size=3),
)


def key(sort: Sort, request: Request) -> tuple[Any, str]:
    seen = facets(request)
    latest = datetime.max.replace(tzinfo=NOON.tzinfo)
    return {
        Sort.NEXT_DEADLINE: seen.next_due_at or latest,
        Sort.CREATED_DESC: seen.created_at,
        Sort.UPDATED_DESC: seen.updated_at,
        Sort.AMOUNT_DESC: request.refund_max.amount,
    }[sort], request.id


@pytest.mark.asyncio(loop_scope="module")  # that of its database
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sparse | filters, st.sampled_from(list(Sort)), st.integers(1, 100), instants)
async def test_pages_counts_and_matches_agree(
    full: tuple[Lists, dict[str, Request]], filter: Filter, sort: Sort, first: int, now: datetime
) -> None:
    lists, requests = full
    expected = [request for request in requests.values() if matches(filter, request, now)]
    expected.sort(key=lambda request: key(sort, request), reverse=sort is not Sort.NEXT_DEADLINE)

    found: list[str] = []
    after, more = None, True
    while more:
        page = await lists.page(filter, sort, first, after, now=now)
        assert len(page.ids) == len(page.cursors) <= first
        assert page.has_previous == (after is not None)
        found += page.ids
        after, more = page.cursors[-1] if page.cursors else None, page.has_next
    counts = await lists.counts(filter, now=now)

    assert found == [request.id for request in expected]
    assert await lists.total(filter, now=now) == len(expected)
    assert sum(count.count for count in counts) == len(expected)
    assert sum(count.overdue for count in counts) == sum(
        urgency(facets(request).next_due_at, now) is Urgency.OVERDUE for request in expected
    )
    assert {(count.status, count.waiting_for) for count in counts} == {
        (request.stage.status, request.waits_for.title if request.waits_for else None) for request in expected
    }


async def test_a_row_that_moves_while_somebody_pages_is_neither_seen_twice_nor_hides_another(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        made = [await w.open(await w.order(str(n)), at=NOON - n * HOUR) for n in range(6)]
        lists = Lists(w.ledger.database)
        first = await lists.page(Filter(), Sort.NEXT_DEADLINE, 3, now=NOON)

        await w.act(await w.load(made[5].id), "approve", at=NOON - 4 * HOUR)
        second = await lists.page(Filter(), Sort.NEXT_DEADLINE, 3, first.cursors[-1], now=NOON)

        assert [*first.ids, *second.ids] == [request.id for request in reversed(made)]
        assert second.has_next


@pytest.mark.parametrize("cursor", ["", "x", "!!", "bnVsbA", "W10", "é", "WyJDUkVBVEVEX0RFU0MiLDEsInJxIl0", "A" * 9999])
async def test_what_is_no_cursor_of_this_list_is_refused(full: tuple[Lists, dict[str, Request]], cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        await full[0].page(Filter(), Sort.NEXT_DEADLINE, 10, cursor, now=NOON)

    assert [(problem.code, problem.field) for problem in refused.value.problems] == [("INVALID_INPUT", "after")]


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_has_one_to_a_hundred_rows(full: tuple[Lists, dict[str, Request]], first: int) -> None:
    with pytest.raises(Refused) as refused:
        await full[0].page(Filter(), Sort.NEXT_DEADLINE, first, now=NOON)

    assert refused.value.problems[0].field == "first"


@pytest.mark.parametrize(
    ("filter", "field"),
    [
        (Filter(text="a" * 201), "filter.text"),
        (Filter(text="a b c d e f g h i j k"), "filter.text"),
        (Filter(shop_ids=frozenset(map(str, range(101)))), "filter.shopIds"),
    ],
)
def test_a_filter_that_costs_too_much_is_refused(filter: Filter, field: str) -> None:
    assert [(problem.code, problem.field) for problem in objections(filter)] == [("INVALID_INPUT", field)]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (0, Urgency.OVERDUE),
        (1, Urgency.URGENT),
        (6, Urgency.URGENT),
        (7, Urgency.WARNING),
        (24, Urgency.WARNING),
        (25, Urgency.CALM),
    ],
)
def test_urgency_is_told_by_what_is_left(hours: int, expected: Urgency) -> None:
    assert urgency(NOON + hours * HOUR, NOON) is expected
    assert urgency(None, NOON) is Urgency.CALM


ONE, TWO = frozenset({"sh_1"}), frozenset({"sh_1", "sh_2"})
REVIEW = frozenset({Status.PENDING_REVIEW})
OFFERED = [
    (Filter(scope_shops=ONE), Sort.NEXT_DEADLINE),
    (Filter(scope_shops=TWO), Sort.NEXT_DEADLINE),
    (Filter(scope_shops=ONE, statuses=REVIEW), Sort.NEXT_DEADLINE),
    (Filter(scope_shops=ONE, statuses=REVIEW | {Status.REJECTED}), Sort.NEXT_DEADLINE),
    (Filter(scope_shops=ONE, statuses=REVIEW, kinds=frozenset({"refund_only"})), Sort.NEXT_DEADLINE),
    (Filter(scope_shops=TWO, kinds=frozenset({"refund_only", "exchange"})), Sort.NEXT_DEADLINE),
    (Filter(scope_shops=ONE, waiting_for=Party.SELLER), Sort.NEXT_DEADLINE),
    (Filter(scope_shops=ONE, due_before=NOON), Sort.NEXT_DEADLINE),
    (Filter(scope_shops=ONE), Sort.CREATED_DESC),
    (Filter(scope_shops=ONE), Sort.UPDATED_DESC),
    (Filter(scope_shops=ONE), Sort.AMOUNT_DESC),
    (Filter(scope_shops=TWO, statuses=REVIEW), Sort.CREATED_DESC),
    (Filter(scope_shops=ONE, statuses=REVIEW), Sort.UPDATED_DESC),
    (Filter(), Sort.NEXT_DEADLINE),
    (Filter(statuses=REVIEW), Sort.NEXT_DEADLINE),
    (Filter(), Sort.CREATED_DESC),
    (Filter(), Sort.UPDATED_DESC),
    (Filter(), Sort.AMOUNT_DESC),
    (Filter(scope_buyer="by_1"), Sort.CREATED_DESC),
]


@pytest.mark.engine("sqlite")  # it reads SQLite's plan
@pytest.mark.parametrize(("filter", "sort"), OFFERED)
async def test_a_list_is_a_range_of_an_index_and_sorts_nothing_but_the_merge(
    tmp_path: Path, filter: Filter, sort: Sort
) -> None:
    async with world(tmp_path / "s.db"):
        statement = _page_statement(filter, sort, 51, (5, "rq_5"), NOON)
        assert statement is not None
        with sqlite3.connect(tmp_path / "s.db") as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.args).fetchall()

    sorting = {parent for _, parent, _, step in plan if "TEMP B-TREE" in step}
    reading = [(parent, step) for _, parent, _, step in plan if " requests" in step]
    assert [step for parent, step in reading if "USING COVERING INDEX" not in step and "USING INDEX" not in step] == []
    assert [step for parent, step in reading if parent in sorting] == []


@pytest.mark.parametrize("shops", [4, 5, 40, 41, 100, 10_000])
async def test_the_fullest_filter_still_is_a_statement_that_sqlite_takes(tmp_path: Path, shops: int) -> None:
    hundred = frozenset(f"value {number}" for number in range(100))
    filter = Filter(
        scope_shops=frozenset(map(str, range(shops))), kinds=hundred, statuses=frozenset(Status), stages=hundred,
        reasons=hundred, tags=hundred, waiting_for=Party.SELLER, due_before=NOON, urgency=frozenset(Urgency),
        appeal_statuses=hundred, disputed=True, created_after=NOON, created_before=NOON, updated_after=NOON,
        order_number="1", text="a b c d e f g h i j",
    )  # fmt: skip
    async with world(tmp_path / "s.db") as w:
        for sort in Sort:
            page = await Lists(w.ledger.database).page(filter, sort, 100, now=NOON)
            assert page.ids == ()


async def test_a_page_is_one_statement(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.open(await w.order(total=money("100.00")))
        counted = Counted(w.ledger.database)

        await Lists(counted).page(Filter(scope_shops=TWO, waiting_for=Party.SELLER), Sort.NEXT_DEADLINE, 50, now=NOON)

        assert counted.hops == [1]


async def test_nothing_is_asked_of_the_database_when_nothing_can_match(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        counted = Counted(w.ledger.database)

        page = await Lists(counted).page(Filter(scope_shops=frozenset()), Sort.NEXT_DEADLINE, 50, now=NOON)

        assert (page.ids, counted.hops) == ((), [])


def test_the_shops_of_a_filter_are_those_asked_for_as_far_as_they_may_be_seen() -> None:
    both = Filter(scope_shops=ONE, shop_ids=TWO)

    assert (both.shops, replace(both, shop_ids=None).shops, replace(both, scope_shops=None).shops) == (ONE, ONE, TWO)

"""The short way of executing gives what graphql-core gives: the same data in the same order, and the same errors."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import graphql
import pytest
import strawberry
from graphql import ExecutionResult, GraphQLSchema, execute_root_selection_set
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from tests.graphql.forest import SCHEMA, Ground, Tree, grown

from aftersales.graphql.context import context_for
from aftersales.graphql.documents import DocumentLimits
from aftersales.graphql.executor import FastExecutor
from aftersales.graphql.masking import GraphQLErrors
from aftersales.graphql.operations import Operations
from aftersales.graphql.schema import build_schema
from aftersales.testing import Home, house
from aftersales.testing.house import AGENT, BUYER, SELLER

pytestmark = pytest.mark.engine("sqlite")  # nothing here is the database's

ROOT = Path(__file__).parents[2]
WIDE = DocumentLimits(depth=60, fields=100_000, aliases=10_000, root_fields=10_000)
SCALARS = {
    "DateTime": st.sampled_from(["2025-03-03T10:00:00Z", "2025-03-04T10:00:00+07:00"]).map(nodes.String),
    "Decimal": st.just("1.50").map(nodes.String),
    **dict.fromkeys(("Cursor", "URL", "JSON", "Odd"), st.sampled_from(["", "a"]).map(nodes.String)),
}
AT_LEISURE = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=100)


class Both:
    """One schema, asked the short way and by the book."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self.short = Operations(schema, WIDE)
        self.by_the_book = Operations(schema, WIDE)
        self.by_the_book.executor_class = StrawberryGraphQLCoreExecutionContext

    async def answers(self, document: str, context: Any, **variables: Any) -> list[tuple[str, list[Any]]]:
        return [await answer(way, document, context(), variables) for way in (self.short, self.by_the_book)]


async def answer(way: Operations, document: str, context: Any, variables: dict[str, Any]) -> tuple[str, list[Any]]:
    executor = way._executor(way.prepare(document, None, variables), context)
    result = execute_root_selection_set(executor)
    told = result if isinstance(result, ExecutionResult) else await result
    # what waits beside a field that failed is not part of the answer, and ends by itself
    while executor.background_futures:
        await asyncio.wait(executor.background_futures)
    return json.dumps(told.data, default=repr), [error.formatted for error in told.errors or ()]


FOREST = Both(SCHEMA)


@AT_LEISURE
@given(queries(SCHEMA.as_str(), custom_scalars=SCALARS), st.integers(0, 2**32), st.sampled_from([0.0, 0.02, 0.1]))
def test_whatever_is_asked_of_whatever_objects_the_answer_is_the_same(document: str, seed: int, wrong: float) -> None:
    dice = Random(seed)
    ground = Ground(grown(dice, wrong), [grown(dice, wrong) for _ in range(3)])

    # twice: first the selections are compiled, then they are known
    for _ in range(2):
        short, book = asyncio.run(FOREST.answers(document, lambda: ground))

        assert short == book


@pytest.mark.parametrize("deep", [True, False, None])
@pytest.mark.parametrize("times", [None, 3])
async def test_what_variables_change_is_changed_each_time(deep: bool | None, times: int | None) -> None:
    document = """query($deep: Boolean! = true, $times: Int! = 5) {
        trees { name times(times: $times) trunk @include(if: $deep) { rings } ...More @skip(if: $deep) } }
        fragment More on Tree { branches { times(times: $times) } }"""
    given = {"deep": deep, "times": times}
    trees = [grown(Random(1), 0)]

    short, book = await FOREST.answers(
        document, lambda: Ground(None, trees), **{name: value for name, value in given.items() if value is not None}
    )

    assert short == book
    assert ("trunk" in short[0], "branches" in short[0]) == (deep is not False, deep is False)


async def test_what_is_plain_is_not_left_to_graphql_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would hold, and nothing be gained."""
    slow: list[str] = []
    by_the_book = FastExecutor.execute_field

    def seen(self: Any, parent: Any, source: Any, details: Any, *more: Any) -> Any:
        slow.append(f"{parent.name}.{details[0].node.name.value}")
        return by_the_book(self, parent, source, details, *more)

    monkeypatch.setattr(FastExecutor, "execute_field", seen)
    document = """{ tree { __typename id name age old colour plantedAt price note tint any words numbers
        trunk { rings tree { name } } branches { times(times: 3) some(colours: [GREEN]) { id } } like { loud }
        below { name } later nowOrLater seen } }"""
    tree: Tree = grown(Random(3), 0)
    tree.old = False

    await FOREST.answers(document, lambda: Ground(tree, []))

    # an interface, what waits, and what asks for `info`
    assert sorted({name for name in slow if not name.startswith(("Query.", "Moss."))}) == [
        "Tree.below", "Tree.later", "Tree.seen",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    return graphql.build_schema((ROOT / "schema" / "aftersales.graphql").read_text())


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def home(runner: asyncio.Runner) -> Iterator[Home]:
    """Two requests, one granted; nothing moves any more."""
    entered = house()
    home = runner.run(entered.__aenter__())
    runner.run(busy(home))
    yield home
    runner.run(entered.__aexit__(None, None, None))


async def busy(home: Home) -> None:
    document = (ROOT / "schema" / "operations" / "RefundOnlyOpen.graphql").read_text()
    for number in ("1001", "1002"):
        order = await home.order(number=number)
        lines = [{"orderLineId": order.lines[0].id, "quantity": 1}]
        input: dict[str, Any] = {
            "idempotencyKey": number,
            "orderId": order.id,
            "lines": lines,
            "reason": "not_received",
        }
        payload = (await home.ask(document, BUYER, input=input))["refundOnlyOpen"]
        assert payload["problems"] == []
    approve = (ROOT / "schema" / "operations" / "RefundOnlyApprove.graphql").read_text()
    input = {"idempotencyKey": "y", "requestId": payload["request"]["id"], "expectedVersion": 1}
    await home.ask(approve, SELLER, input=input)


def test_whatever_is_asked_of_the_contract_the_answer_is_the_same(
    contract: GraphQLSchema, home: Home, runner: asyncio.Runner
) -> None:
    both = Both(build_schema(home.running.registry))

    @AT_LEISURE
    @given(queries(contract, fields=["requests", "order", "nodes", "plugins", "me"], custom_scalars=SCALARS))
    def asked(document: str) -> None:
        try:
            both.short.prepare(document)
        except GraphQLErrors:
            reject()  # a text with a NUL in it, and the like
        for actor in (BUYER, SELLER, AGENT, None):
            short, book = runner.run(
                both.answers(document, lambda actor=actor: context_for(home.running.house, actor, "id"))
            )
            assert short == book

    asked()

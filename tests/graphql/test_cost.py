"""What operations of the real schema cost, told without running them."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_introspection_query

from aftersales.graphql.cost import SIZES, marked
from aftersales.graphql.operations import Operations
from aftersales.graphql.schema import build_schema
from aftersales.running import policies_of, registry_of
from aftersales.settings import Settings

pytestmark = pytest.mark.engine("sqlite")  # nothing here is the database's

SETTINGS = Settings()
OPERATIONS = Operations(build_schema(registry_of(SETTINGS, policies_of(SETTINGS))))


def cost(document: str, **variables: Any) -> int:
    return OPERATIONS.prepare(document, None, variables).cost


# fmt: off
COSTS = {
    "{ __typename }":                                                          0,
    "{ me { id grants } }":                                                    1,
    "{ me { shops { id } } }":                                                 2,
    "{ a: me { id } b: me { id } }":                                           2,
    "{ requestCounts { count } }":                                             10,
    "{ requests(first: 7) { pageInfo { hasNextPage } } }":                     1 + 7 + 1,
    "{ requests(first: 7) { totalCount } }":                                   1 + 7 + 10,
    "{ requests(first: 7) { nodes { id number } } }":                          1 + 7,
    "{ requests(first: 7) { edges { cursor node { id } } } }":                 1 + 7 + 7,
    "{ requests(first: 7) { nodes { stage { handle } } } }":                   1 + 7 + 7,
    "{ requests { nodes { id } } }":                                           1 + 20,
    "{ requests(first: 7) { nodes { history(first: 3) { nodes { id } } } } }": 1 + 7 + 7 * (1 + 3),
    "{ requests(first: 2) { nodes { deadlines { pausedSpans: id } } } }":      1 + 2 + 2,
    "{ requests(first: 2) { nodes { lines { orderLine { id } } } } }":         1 + 2 + 2 * (1 + 5 * 1),
    '{ nodes(ids: ["a", "b", "c"]) { id ... on Request { stage { handle } } } }': 1 + 3 + 3,
    "{ __schema { queryType { name } } }":                                     1_000,
    "{ a: __typename __type(name: \"Request\") { name } }":                     200,
}
# fmt: on


@pytest.mark.parametrize("document", COSTS)
def test_a_document_costs_what_it_may_give(document: str) -> None:
    assert cost(document) == COSTS[document]


def test_a_page_size_may_come_by_a_variable() -> None:
    document = (
        "query($n: Int! = 4, $m: Int!) {"
        " requests(first: $n) { nodes { history(first: $m) { nodes { toStage { handle } } } } } }"
    )

    assert cost(document, n=3, m=5) == 1 + 3 + 3 * (1 + 5 + 5)
    assert cost(document, m=5) == 1 + 4 + 4 * (1 + 5 + 5)
    assert cost("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["a"] * 9) == 1 + 9


@pytest.mark.parametrize(("asked", "counted"), [(10_000, 100), (2**31 - 1, 100), (0, 0), (-5, 0)])
def test_a_page_that_will_be_refused_costs_no_more_than_a_full_one_and_never_less_than_nothing(
    asked: int, counted: int
) -> None:
    assert cost("query($n: Int!) { requests(first: $n) { nodes { id } } }", n=asked) == 1 + counted
    assert cost(f"{{ requests(first: {asked}) {{ nodes {{ id }} }} }}") == 1 + counted


def test_fragments_cost_what_they_stand_for_each_time() -> None:
    plain = "{ requests(first: 9) { nodes { stage { handle } order { shop { id } } } } }"
    spread = (
        "{ requests(first: 9) { ...page } } fragment page on RequestConnection { nodes { ...row ... on Request {"
        " order { shop { id } } } } } fragment row on Request { stage { handle } }"
    )
    twice = "{ a: requests(first: 9) { ...p } b: requests(first: 2) { ...p } } fragment p on RequestConnection { nodes { stage { handle } } }"  # noqa: E501

    assert cost(spread) == cost(plain)
    assert cost(twice) == (1 + 9 + 9) + (1 + 2 + 2)


def test_pages_within_pages_multiply_until_they_are_too_dear() -> None:
    inner = "id"
    for _ in range(3):
        inner = f"order {{ requests(first: 100) {{ nodes {{ {inner} }} }} }}"

    assert cost(f"{{ requests(first: 100) {{ nodes {{ {inner} }} }} }}") > 100**4


def test_a_mutation_costs_ten_and_a_great_import_more() -> None:
    act = "mutation($i: RequestActInput!) { requestCancel(input: $i) { request { id } } }"
    wish = {"i": {"idempotencyKey": "k", "requestId": "rq_1", "expectedVersion": 1}}
    bring = "mutation($i: OrdersImportInput!) { ordersImport(input: $i) { replayed } }"

    assert cost(act, **wish) == 10 + 1
    assert cost(bring, i={"idempotencyKey": "k", "orders": []}) == 200


def test_the_introspection_of_tools_is_one_price() -> None:
    assert cost(get_introspection_query()) == 1_000


def test_every_page_of_the_schema_says_what_its_items_cost() -> None:
    silent = [name for name, field in paged(OPERATIONS.schema) if not (price := marked(field)) or not price.per_item]

    assert silent == []


def paged(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    for type in schema.type_map.values():
        if isinstance(type, GraphQLObjectType | GraphQLInterfaceType) and not type.name.startswith("__"):
            for name, field in type.fields.items():
                if set(SIZES) & set(field.args):
                    yield f"{type.name}.{name}", field

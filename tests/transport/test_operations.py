"""Operations before they run: limits in linear time, a memory with an end, and no hints for strangers."""

import json
import time
from typing import Any

import pytest
from graphql import ExecutionResult, OperationType, get_introspection_query
from tests.transport.world import SCHEMA

from aftersales.graphql.documents import DocumentLimits
from aftersales.graphql.masking import GraphQLErrors
from aftersales.graphql.operations import Operations
from aftersales.graphql.variables import VariableLimits


def code(operations: Operations, query: str, **given: Any) -> str:
    with pytest.raises(GraphQLErrors) as refused:
        operations.prepare(query, **given)
    codes = {(error.extensions or {})["code"] for error in refused.value.errors}
    assert len(codes) == 1
    return str(codes.pop())


def doubling(links: int) -> str:
    """Two thousand bytes that are as many fields as there are atoms."""
    link = "fragment f{n} on Node {{ a: node {{ ...f{m} }} b: node {{ ...f{m} }} }}"
    chain = " ".join(link.format(n=n, m=n + 1) for n in range(links))
    return f"{{ node {{ ...f0 }} }} {chain} fragment f{links} on Node {{ id }}"


CYCLE = "{ node { ...a } } fragment a on Node { ...b } fragment b on Node { ...a }"
CHAIN = "{ node { ...f0 } } " + " ".join(f"fragment f{n} on Node {{ ...f{n + 1} }}" for n in range(150))

MANY = "hello " * 30
ALIASES = " ".join(f"a{n}: id" for n in range(60))

# fmt: off
REFUSED = {
    "no text":               ("SYNTAX_ERROR",         ""),
    "half a document":       ("SYNTAX_ERROR",         "{ hello"),
    "a schema":              ("UNKNOWN_OPERATION",    "type A { b: C }"),
    "only a fragment":       ("UNKNOWN_OPERATION",    "fragment a on Query { hello }"),
    "a million tokens":      ("SYNTAX_ERROR",         "{" + " a" * 5_000 + "}"),
    "a million comments":    ("SYNTAX_ERROR",         "#\n" * 20_000 + "{ hello }"),
    "a long document":       ("DOCUMENT_TOO_LARGE",   "{ hello }" + " " * 50_000),
    "many aliases":          ("DOCUMENT_TOO_COMPLEX", f"{{ node {{ {ALIASES} }} }}"),
    "many fields at once":   ("DOCUMENT_TOO_COMPLEX", f"{{ {MANY} }}"),
    "the same in fragments": ("DOCUMENT_TOO_COMPLEX", f"{{ ...f }} fragment f on Query {{ {MANY} }}"),
    "many fields":           ("DOCUMENT_TOO_COMPLEX", "{ node {" + " id" * 1_100 + " } }"),
    "deep fields":           ("DOCUMENT_TOO_COMPLEX", "{ node" + " { node" * 20 + " { id }" + " }" * 21),
    "doubling fragments":    ("DOCUMENT_TOO_COMPLEX", doubling(50)),
    "a chain of fragments":  ("DOCUMENT_TOO_COMPLEX", CHAIN),
    "circular fragments":    ("DOCUMENT_INVALID",     CYCLE),
    "many directives":       ("DOCUMENT_TOO_COMPLEX",     "{ hello" + " @a" * 900 + " }"),
    "a NUL":                 ("DOCUMENT_INVALID",     '{ hello(name: "\\u0000") }'),
    "a NUL in a block":      ("DOCUMENT_INVALID",     '{ hello(name: """\0""") }'),
    "lists in lists":        ("SYNTAX_ERROR",         "{ total(amounts: " + "[" * 900 + "]" * 900 + ") }"),
    "the schema and more":   ("INTROSPECTION_APART",  "{ hello __schema { queryType { name } } }"),
    "a type in a fragment":  ("INTROSPECTION_APART",
                              "{ ...f hello } fragment f on Query { __type(name: \"A\") { name } }"),
    "defer":                 ("DOCUMENT_INVALID",     "{ ... @defer { hello } }"),
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_a_document_that_asks_too_much_is_refused_before_it_costs_much(case: str) -> None:
    expected, query = REFUSED[case]
    operations = Operations(SCHEMA)
    began = time.thread_time()

    refused = code(operations, query)

    assert refused == expected
    # of our own work, as others keep the machine busy; the attack it stands for takes seconds or minutes
    assert time.thread_time() - began < 2
    assert not operations.documents.kept


def test_fields_that_overlap_in_many_fragments_do_not_hold_everybody_up() -> None:
    spread = " ".join(f"...f{n}" for n in range(150))
    fragments = " ".join(f"fragment f{n} on Node {{ id node {{ id }} }}" for n in range(150))
    operations = Operations(SCHEMA)
    began = time.thread_time()

    refused = code(operations, f"{{ node {{ {spread} }} }} {fragments}")

    assert refused == "DOCUMENT_INVALID"
    assert time.thread_time() - began < 2


def test_the_introspection_that_tools_send_fits_in() -> None:
    query = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)

    prepared = Operations(SCHEMA).prepare(query)

    assert prepared.document.introspects


@pytest.mark.parametrize("query", ["{ hell }", "{ hello(nam: 1) }", "{ node { idd } }", "{ ... on Quer { hello } }"])
def test_nobody_is_told_what_they_may_have_meant(query: str) -> None:
    with pytest.raises(GraphQLErrors) as refused:
        Operations(SCHEMA).prepare(query)

    assert "Did you mean" not in str(refused.value)


def test_a_document_is_read_once_and_the_memory_has_an_end() -> None:
    operations = Operations(SCHEMA, DocumentLimits(kept=3))

    first = operations.prepare("{ hello }").document
    again = operations.prepare("{ hello }").document
    for n in range(5):
        operations.prepare(f"{{ a{n}: hello }}")

    assert first is again
    assert [key[0] for key in operations.documents.kept] == [
        "{ a2: hello }",
        "{ a3: hello }",
        "{ a4: hello }",
    ]


def test_the_memory_is_bounded_by_size_too() -> None:
    operations = Operations(SCHEMA, DocumentLimits(kept_tokens=100))

    for n in range(20):
        operations.prepare("{ hello " + f"a{n}: hello " * 5 + "}")

    assert operations.documents.kept_tokens <= 100
    assert operations.documents.kept_tokens == sum(kept.tokens for kept in operations.documents.kept.values())


def test_the_named_operation_is_the_one_prepared() -> None:
    query = "query A { hello } mutation B { bump } subscription C { three }"
    operations = Operations(SCHEMA)

    kinds = [operations.prepare(query, name).kind for name in "ABC"]

    assert kinds == [OperationType.QUERY, OperationType.MUTATION, OperationType.SUBSCRIPTION]
    assert code(operations, query, operation_name="D") == "UNKNOWN_OPERATION"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"n": "x"}, "VARIABLES_INVALID"),
        ({}, "VARIABLES_INVALID"),
        ({"n": 1, "unused": "\0"}, "VARIABLES_INVALID"),
        ({"n": 1, "unused": [1] * 101}, "VARIABLES_TOO_LARGE"),
        ({"n": 1, "unused": [1] * 51}, "VARIABLES_TOO_LARGE"),
        ({"n": 1, "unused": ["x" * 300, {"y" * 300: 1}]}, "VARIABLES_TOO_LARGE"),
        ({"n": 1, "unused": {"a": {"b": {"c": {"d": 1}}}}}, "VARIABLES_TOO_LARGE"),
    ],
)
def test_variables_are_checked_before_the_operation_runs(variables: dict[str, Any], expected: str) -> None:
    operations = Operations(SCHEMA, variables=VariableLimits(values=100, depth=4, items=50, characters=500))

    refused = code(operations, "query($n: Int!) { total(count: $n) }", variables=variables)

    assert refused == expected


async def test_variables_reach_the_resolver_as_what_they_are() -> None:
    operations = Operations(SCHEMA)
    query = "query($n: Int = 3, $a: [Decimal!]) { total(count: $n, amounts: $a) }"

    result = await operations.execute(operations.prepare(query, None, {"a": ["1.10", "2.20"]}), None)

    assert result == ExecutionResult({"total": "6.30"}, None)


async def test_fragments_and_directives_are_honoured() -> None:
    operations = Operations(SCHEMA)
    fragment = "fragment f on Query { node { ... on Node { id } } }"
    query = f"query($no: Boolean!) {{ ...f hello @skip(if: $no) }} {fragment}"

    result = await operations.execute(operations.prepare(query, None, {"no": True}), None)

    assert json.dumps(result.data) == '{"node": {"id": "1"}}'

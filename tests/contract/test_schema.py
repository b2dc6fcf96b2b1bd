"""What `schema/` publishes is what is served, every part of it is described, and nobody is broken unawares."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLNamedType,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    find_breaking_changes,
    get_introspection_query,
    is_input_object_type,
    is_introspection_type,
    is_object_type,
    is_specified_directive,
    is_specified_scalar_type,
    lexicographic_sort_schema,
    print_schema,
)

from aftersales.graphql.published import sdl
from aftersales.registry import Registry
from aftersales.testing.house import BUYER, house

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "schema" / "aftersales.graphql"
CORE = ROOT / "schema" / "core.graphql"
# A copy of aftersales.graphql, made with each release: what clients out there were written against.
RELEASED = ROOT / "schema" / "released.graphql"
CHANGELOG = ROOT / "CHANGELOG.md"
BUILT_IN = frozenset(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))

NAME = re.compile(r"@?[A-Za-z_]\w*(?:\.\w+)?")


def test_the_schema_published_is_the_schema_of_the_code() -> None:
    code = sdl(Registry.installed(BUILT_IN))

    assert PUBLISHED.read_text(encoding="utf-8") == code, "run `just schema`, and look at what has changed"


def test_the_core_schema_published_is_that_of_a_server_without_plugins() -> None:
    code = sdl(Registry([]))

    assert CORE.read_text(encoding="utf-8") == code, "run `just schema`, and look at what has changed"


async def test_the_schema_served_is_the_schema_published() -> None:
    async with house() as home:
        told = await home.ask(get_introspection_query(specified_by_url=True, one_of=True), BUYER)

    served = build_client_schema(told)  # type: ignore[arg-type]
    assert printed(served) == printed(read(PUBLISHED))


def test_plugins_add_to_the_core_and_take_nothing_away() -> None:
    assert find_breaking_changes(read(CORE), read(PUBLISHED)) == []


@pytest.mark.parametrize("path", [PUBLISHED, CORE], ids=lambda path: path.name)
def test_every_part_of_the_schema_is_described(path: Path) -> None:
    assert list(undescribed(read(path))) == []


def test_every_mutation_takes_one_input_with_a_key_and_answers_with_problems() -> None:
    schema = read(PUBLISHED)
    assert schema.mutation_type is not None

    for name, field in schema.mutation_type.fields.items():
        assert list(field.args) == ["input"], name
        taken, given = field.args["input"].type.of_type, field.type.of_type
        assert is_input_object_type(taken), name
        assert is_object_type(given), name
        assert str(taken.fields["idempotencyKey"].type) == "String!", name
        assert str(given.fields["problems"].type) == "[Problem!]!", name
        assert str(given.fields["replayed"].type) == "Boolean!", name


def test_every_decision_about_a_request_says_which_version_it_saw() -> None:
    schema = read(PUBLISHED)
    assert schema.mutation_type is not None
    inputs = [field.args["input"].type.of_type for field in schema.mutation_type.fields.values()]

    for taken in inputs:
        if "requestId" in taken.fields:
            assert str(taken.fields["expectedVersion"].type) == "Int!", taken.name


def test_what_breaks_a_client_of_the_last_release_is_told_in_the_changelog() -> None:
    old = read(RELEASED) if RELEASED.exists() else read(PUBLISHED)

    assert untold(old, read(PUBLISHED), api_section(CHANGELOG.read_text(encoding="utf-8"))) == []


def test_a_breaking_change_that_the_changelog_does_not_name_is_found() -> None:
    old = build_schema("type Query { a: Int, b: Int, c(d: Int): Int } type Gone { a: Int }")
    new = build_schema("type Query { a: String, c: Int }")

    told = "- `Query.b` is gone.\n- `Gone` is gone."

    assert untold(old, new, told) == [
        "Field Query.a changed type from Int to String.",
        "Argument Query.c(d:) was removed.",
    ]


def read(path: Path) -> GraphQLSchema:
    return build_schema(path.read_text(encoding="utf-8"))


def printed(schema: GraphQLSchema) -> str:
    return print_schema(lexicographic_sort_schema(schema))


def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    for directive in schema.directives:
        if not is_specified_directive(directive) and not directive.description:
            yield f"@{directive.name}"
    for type in ours(schema):
        if not type.description:
            yield type.name
        for name, field in getattr(type, "fields", {}).items():
            if not field.description:
                yield f"{type.name}.{name}"


def ours(schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    return (
        type
        for type in schema.type_map.values()
        if not is_introspection_type(type) and not is_specified_scalar_type(type)
    )


def untold(old: GraphQLSchema, new: GraphQLSchema, told: str) -> list[str]:
    """Breaking changes that the text does not name in backticks, by the field or, if it is none, by the type."""
    return [
        change.description
        for change in find_breaking_changes(old, new)
        if not any(f"`{name}" in told for name in named(change.description, old))
    ]


def named(description: str, schema: GraphQLSchema) -> list[str]:
    """What a change is about: graphql-core says it in words only."""
    words = NAME.findall(description)
    fields = [word for word in words if "." in word]
    return fields or [word for word in words if word in schema.type_map or word.startswith("@")]


def api_section(changelog: str) -> str:
    """What is not released yet, under API."""
    unreleased = re.search(r"^## Unreleased$(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    assert unreleased, "CHANGELOG.md has no section for what is not released yet"
    section = re.search(r"^### API$(.*?)(?=^### |\Z)", unreleased[1], re.MULTILINE | re.DOTALL)
    assert section, "CHANGELOG.md has no section for the API"
    return section[1]

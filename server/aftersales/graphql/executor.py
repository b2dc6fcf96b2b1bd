"""Executes in one go what needs no waiting, and leaves the rest, and every error, to graphql-core.

Most of an answer are attributes of objects that are there already. For each, graphql-core makes a path and an
info object and calls a dozen functions. Here a selection is compiled, once for a document, into plain functions.
What they do not know raises, and that field is executed again by the book: answers and errors are the same,
only the time differs. Fields that are resolved here must therefore bear to be asked twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from operator import attrgetter
from types import CoroutineType
from typing import Any, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInputType,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
    get_argument_values,
    get_nullable_type,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetails
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.field import StrawberryField

Step = Callable[[Any, "FastExecutor"], Any]
Steps = dict[str, Step | None]
FieldSet = dict[str, list[FieldDetails]]
Arguments = Callable[["FastExecutor"], dict[str, Any]]

LEAVES = (GraphQLScalarType, GraphQLEnumType)
LARGEST = 2**31 - 1
# What a scalar may be given here: nothing that could be waited for, and no exception that stands for a value.
PLAIN = frozenset({str, int, float, bool, dict, list, tuple, datetime, date, time, Decimal})
OWN_KIND: Mapping[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


class Unknown(Exception):
    """Not for the short way. Never leaves this module."""


@dataclass(slots=True)
class Plans:
    """What was worked out of a document, for one choice of what it skips and includes.

    Args:
        fields: which fields are asked of a type where certain nodes stand.
        steps: how they are answered, by the identity of the field set, which `fields` keeps alive.
    """

    fields: dict[tuple[str, tuple[int, ...]], CollectedFields] = field(default_factory=dict)
    steps: dict[int, Steps] = field(default_factory=dict)


class FastExecutor(StrawberryGraphQLCoreExecutionContext):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plans = Plans()
        self.known_arguments: dict[tuple[int, int], dict[str, Any]] = {}

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_details_list: list[FieldDetails]
    ) -> CollectedFields:
        key = return_type.name, tuple([id(details.node) for details in field_details_list])
        known = self.plans.fields.get(key)
        if known is None:
            known = self.plans.fields[key] = super().collect_subfields(return_type, field_details_list)
        return known

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, grouped_field_set: FieldSet,
        position_context: Any,
    ) -> Awaitable[dict[str, Any]] | dict[str, Any]:  # fmt: skip
        if path is None or position_context is not None:
            # the fields of the root wait, and their set is another each time, as are those of a deferred part
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        results: dict[str, Any] = {}
        rest: FieldSet = {}
        for key, step in self.steps(parent_type, grouped_field_set).items():
            if step is None:
                rest[key] = grouped_field_set[key]
                continue
            try:
                results[key] = step(source_value, self)
            except Exception:
                rest[key] = grouped_field_set[key]
        if not rest:
            return results
        slow = super().execute_fields(parent_type, source_value, path, rest, position_context)
        if isinstance(slow, dict):
            return in_order(grouped_field_set, results | slow)
        return self.joined(grouped_field_set, results, slow)

    async def joined(self, order: FieldSet, results: dict[str, Any], slow: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        return in_order(order, results | await slow)

    def steps(self, parent_type: GraphQLObjectType, fields: FieldSet) -> Steps:
        known = self.plans.steps.get(id(fields))
        if known is None:
            known = {key: compiled(self, parent_type, details) for key, details in fields.items()}
            self.plans.steps[id(fields)] = known
        return known


def in_order(order: FieldSet, results: dict[str, Any]) -> dict[str, Any]:
    return {key: results[key] for key in order if key in results}


def compiled(run: FastExecutor, parent: GraphQLObjectType, details: list[FieldDetails]) -> Step | None:
    """How a field is answered; None where only graphql-core can."""
    name = details[0].node.name.value
    if name == "__typename":
        return lambda source, run: parent.name
    field = parent.fields.get(name)
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF) if field else None
    if field is None or not isinstance(definition, StrawberryField) or definition.extensions:
        return None
    if definition.base_resolver is None:
        return attribute(run, field, definition, details)
    return method(run, field, definition, details)


def attribute(
    run: FastExecutor, field: GraphQLField, definition: StrawberryField, details: list[FieldDetails]
) -> Step | None:
    completed = completion(run, field.type, details)
    if completed is None or definition.default_resolver is not getattr:
        return None
    get, kind = attrgetter(definition.python_name), own_kind(field.type)

    def same(source: Any, run: FastExecutor) -> Any:
        value = get(source)
        return value if type(value) is kind else completed(value, run)

    def other(source: Any, run: FastExecutor) -> Any:
        return completed(get(source), run)

    return same if kind else other


def own_kind(type: GraphQLOutputType) -> type | None:
    """The class whose values are answered as they are."""
    return OWN_KIND.get(get_nullable_type(type))


def method(
    run: FastExecutor, field: GraphQLField, definition: StrawberryField, details: list[FieldDetails]
) -> Step | None:
    """A resolver that takes the object itself, and besides only what is a leaf."""
    resolver, completed = definition.base_resolver, completion(run, field.type, details)
    if resolver is None or completed is None or definition.is_async or not resolver.self_parameter:
        return None
    if resolver.info_parameter or resolver.root_parameter or resolver.parent_parameter:
        return None
    function = cast("Callable[..., Any]", resolver.wrapped_func)
    if not field.args:
        return lambda source, run: completed(function(source), run)
    given = arguments(run, field, details)
    return (lambda source, run: completed(function(source, **given(run)), run)) if given else None


def arguments(run: FastExecutor, field: GraphQLField, details: list[FieldDetails]) -> Arguments | None:
    """What the resolver is called with: the same for every object, so worked out once for an execution."""
    node, definitions = details[0].node, {name: arg.extensions for name, arg in field.args.items()}
    names: dict[str, str] = {}
    key = id(node), id(field)
    for name, argument in field.args.items():
        strawberry = definitions[name].get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if strawberry is None or strawberry.is_maybe or not simple(argument.type):
            return None
        names[name] = strawberry.python_name

    def given(run: FastExecutor) -> dict[str, Any]:
        known = run.known_arguments.get(key)
        if known is None:
            told = get_argument_values(field, node, run.variable_values, None, run.hide_suggestions)
            known = {names[name]: list(value) if isinstance(value, list) else value for name, value in told.items()}
            run.known_arguments[key] = known
        return known

    return given


def simple(type: GraphQLInputType) -> bool:
    """A leaf, or a list of leaves: what strawberry passes on as it is, a list as a copy."""
    bare = get_nullable_type(type)
    return isinstance(get_nullable_type(bare.of_type) if isinstance(bare, GraphQLList) else bare, LEAVES)


def completion(run: FastExecutor, type: GraphQLOutputType, details: list[FieldDetails]) -> Step | None:
    """How a value of the type is written."""
    if isinstance(type, GraphQLNonNull):
        return present(run, type.of_type, details)
    written = present(run, type, details)
    if written is None:
        return None
    return lambda value, run: None if value is None else written(value, run)


def present(run: FastExecutor, type: GraphQLOutputType, details: list[FieldDetails]) -> Step | None:
    """How a value that must not be null is written. Each of these raises for None."""
    if isinstance(type, GraphQLList):
        return many(run, type, details)
    if isinstance(type, GraphQLObjectType):
        return one(run, type, details)
    if isinstance(type, LEAVES):
        return leaf(type)
    # an interface or a union: which type it is, graphql-core finds out; but an empty list asks nobody
    return unknown


def many(run: FastExecutor, type: GraphQLList[Any], details: list[FieldDetails]) -> Step | None:
    each = completion(run, type.of_type, details)
    if each is None:
        return None

    def written(values: Any, run: FastExecutor) -> Any:
        if values.__class__ is not list and values.__class__ is not tuple:
            unknown(values, run)
        return [each(value, run) for value in values]

    return written


def one(run: FastExecutor, type: GraphQLObjectType, details: list[FieldDetails]) -> Step | None:
    definition = type.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    found = [
        (key, compiled(run, type, below))
        for key, below in run.collect_subfields(type, details).grouped_field_set.items()
    ]
    steps = [(key, step) for key, step in found if step is not None]
    if definition is None or len(steps) < len(found):
        return None
    kind = definition.origin

    def written(value: Any, run: FastExecutor) -> Any:
        if value.__class__ is not kind:
            unknown(value, run)
        return {key: step(value, run) for key, step in steps}

    return written


def unknown(value: Any, run: FastExecutor) -> Any:
    if isinstance(value, CoroutineType):
        # its resolver is asked again, and awaited then
        value.close()
    raise Unknown


def leaf(type: GraphQLLeafType) -> Step | None:
    if isinstance(type, CustomGraphQLEnumType):
        return member(type) if all(isinstance(value.value, Hashable) for value in type.values.values()) else None
    if (kind := OWN_KIND.get(type)) is not None:
        return lambda value, run: value if value.__class__ is kind else unknown(value, run)
    if type is GraphQLInt:
        return number
    coerce = type.coerce_output_value

    def written(value: Any, run: FastExecutor) -> Any:
        if value.__class__ not in PLAIN:
            unknown(value, run)
        told = coerce(value)
        return unknown(value, run) if told is None or told is Undefined else told

    return written


def number(value: Any, run: FastExecutor) -> Any:
    return value if value.__class__ is int and -LARGEST <= value <= LARGEST else unknown(value, run)


def member(type: CustomGraphQLEnumType) -> Step:
    kind: Any = type.wrapped_cls
    names = {value.value: name for name, value in type.values.items()}

    def written(value: Any, run: FastExecutor) -> Any:
        # `_value_` is what `value` reads, without a descriptor in between
        return names[value._value_] if value.__class__ is kind else unknown(value, run)

    return written

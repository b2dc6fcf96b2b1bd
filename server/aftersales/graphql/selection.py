"""Which fields an operation asks below the current one, so that a page reads what is needed and no more."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    IntValueNode,
    SelectionSetNode,
    VariableNode,
)

ResolveInfo = GraphQLResolveInfo[Any]
PAGE_LEVELS = ("edges", "nodes", "node")


def node_fields(info: ResolveInfo) -> Iterator[FieldNode]:
    """The fields asked of each node of the connection that `info` resolves."""
    for field in info.field_nodes:
        if field.selection_set:
            yield from _below(info, field.selection_set)


def fields_below(info: ResolveInfo) -> Iterator[FieldNode]:
    """The fields asked of the object that `info` resolves."""
    for field in info.field_nodes:
        if field.selection_set:
            yield from _fields(info, field.selection_set)


def _below(info: ResolveInfo, selections: SelectionSetNode) -> Iterator[FieldNode]:
    for field in _fields(info, selections):
        if field.name.value in PAGE_LEVELS and field.selection_set:
            for inner in _fields(info, field.selection_set):
                if inner.name.value == "node" and inner.selection_set:
                    yield from _fields(info, inner.selection_set)
                else:
                    yield inner


def _fields(info: ResolveInfo, selections: SelectionSetNode) -> Iterator[FieldNode]:
    for selection in selections.selections:
        match selection:
            case FieldNode():
                yield selection
            case InlineFragmentNode():
                yield from _fields(info, selection.selection_set)
            case FragmentSpreadNode():
                yield from _fields(info, info.fragments[selection.name.value].selection_set)


def integer_argument(field: FieldNode, name: str, variables: Mapping[str, Any], default: int) -> int | None:
    """The value of an argument, or None where it can only be known later."""
    for argument in field.arguments or ():
        if argument.name.value == name:
            value = argument.value
            if isinstance(value, IntValueNode):
                return int(value.value)
            if isinstance(value, VariableNode):
                given = variables.get(value.name.value)
                return given if isinstance(given, int) else None
            return None
    return default


def has_argument(field: FieldNode, name: str) -> bool:
    return any(argument.name.value == name for argument in field.arguments or ())

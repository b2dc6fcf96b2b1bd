"""What an operation costs at most, told from its document and its page sizes alone, before anything is read.

A field of objects costs 1, a leaf nothing, a mutation or a subscription 10, unless `@cost` says otherwise. What lies
below a page counts once for each item that the page may hold; below a list that has no pages, `ASSUMED` times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from .directives import Cost
from .paging import DEFAULT, MOST

ASSUMED: Final = 5
# The whole schema, or one type of it. graphql-core lets nobody nest the lists of these more than three deep.
META: Final = {"__schema": 1_000, "__type": 200, "__typename": 0}
ROOT: Final = {OperationType.QUERY: 1, OperationType.MUTATION: 10, OperationType.SUBSCRIPTION: 10}
# The arguments that say how many items there may be: a number, or the items themselves.
SIZES: Final = ("first", "ids")


@dataclass(frozen=True, slots=True)
class Size:
    """How many items: a number, or a variable that tells."""

    number: int = DEFAULT
    variable: str | None = None

    def at(self, variables: Mapping[str, Any]) -> int:
        return counted(variables.get(self.variable, self.number)) if self.variable else self.number


@dataclass(frozen=True, slots=True)
class Price:
    """A cost that may depend on variables: `fixed`, and for each page its size times what an item costs."""

    fixed: int = 0
    pages: tuple[tuple[Size, Price], ...] = ()

    def at(self, variables: Mapping[str, Any]) -> int:
        return self.fixed + sum([size.at(variables) * item.at(variables) for size, item in self.pages])

    def plus(self, other: Price) -> Price:
        return Price(self.fixed + other.fixed, self.pages + other.pages)

    def times(self, size: Size) -> Price:
        if self == FREE:
            return FREE
        if size.variable:
            return Price(0, ((size, self),))
        return Price(size.number * self.fixed, tuple((inner, item.times(size)) for inner, item in self.pages))


FREE: Final = Price()


class Prices:
    """What the fields of one schema cost."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        roots = ((schema.get_root_type(kind), cost) for kind, cost in ROOT.items())
        self.roots = {type.name: cost for type, cost in roots if type}
        self.marked = {
            (type.name, name): cost
            for type in schema.type_map.values()
            if isinstance(type, GraphQLObjectType | GraphQLInterfaceType)
            for name, field in type.fields.items()
            if (cost := marked(field)) is not None
        }

    def of(self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Price:
        """Of a valid operation."""
        root = self.schema.get_root_type(operation.operation)
        assert root is not None, "it was validated"
        return Walk(self, fragments).below(operation.selection_set, root, None)

    def own(self, parent: GraphQLCompositeType, name: str, field: GraphQLField) -> Cost:
        """What the field itself costs, without what is asked of it."""
        if (cost := self.marked.get((parent.name, name))) is not None:
            return cost
        return Cost(weight=self.roots.get(parent.name, int(is_composite_type(get_named_type(field.type)))))


class Walk:
    """One pass over a document. Each fragment is walked once for each page size that it stands under."""

    def __init__(self, prices: Prices, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.prices = prices
        self.fragments = fragments
        self.known: dict[tuple[str, Size | None], Price] = {}

    def below(self, selections: SelectionSetNode, parent: GraphQLCompositeType, page: Size | None) -> Price:
        """
        Args:
            page: of the field whose type this is; None when it has no pages.
        """
        total = FREE
        for node in selections.selections:
            if isinstance(node, FieldNode):
                total = total.plus(self.field(node, parent, page))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                total = total.plus(self.below(node.selection_set, self.type(condition.name.value), page)
                                   if condition else self.below(node.selection_set, parent, page))  # fmt: skip
            elif isinstance(node, FragmentSpreadNode):
                total = total.plus(self.spread(node.name.value, page))
        return total

    def spread(self, name: str, page: Size | None) -> Price:
        if (known := self.known.get((name, page))) is None:
            fragment = self.fragments[name]
            known = self.below(fragment.selection_set, self.type(fragment.type_condition.name.value), page)
            self.known[name, page] = known
        return known

    def field(self, node: FieldNode, parent: GraphQLCompositeType, page: Size | None) -> Price:
        name = node.name.value
        if name in META:
            return Price(META[name])
        field = parent.fields[name]  # type: ignore[union-attr] # a union has no other field than __typename
        own, inner = self.prices.own(parent, name, field), get_named_type(field.type)
        many = isinstance(get_nullable_type(field.type), GraphQLList)
        size = sized(field, node)
        price = Price(own.weight)
        if own.per_item and size:
            price = price.plus(Price(own.per_item).times(size))
        if node.selection_set is None or not is_composite_type(inner):
            return price
        below = self.below(node.selection_set, inner, None if many else size)
        if not many:
            return price.plus(below)
        if page:  # the items of a page, which the field above has paid for
            return below.times(page)
        return price.plus(below.times(size or Size(ASSUMED)))

    def type(self, name: str) -> GraphQLCompositeType:
        type = self.prices.schema.type_map[name]
        assert is_composite_type(type), "it was validated"
        return type


def marked(field: GraphQLField) -> Cost | None:
    """What `@cost` says of a field."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    directives = definition.directives if isinstance(definition, StrawberryField) else ()
    return next((directive for directive in directives if isinstance(directive, Cost)), None)


def sized(field: GraphQLField, node: FieldNode) -> Size | None:
    """How many items a field may give, where one of its arguments says so."""
    name = next((name for name in SIZES if name in field.args), None)
    if name is None:
        return None
    value = next((given.value for given in node.arguments or () if given.name.value == name), None)
    if isinstance(value, VariableNode):
        return Size(variable=value.name.value)
    if isinstance(value, IntValueNode):
        return Size(counted(int(value.value)))
    if isinstance(value, ListValueNode):
        return Size(counted(list(value.values)))
    return Size()


def counted(given: Any) -> int:
    """More than a page may hold is refused by whoever makes it, so it costs no more than a full one."""
    number = len(given) if isinstance(given, list) else given
    return min(max(number, 0), MOST) if isinstance(number, int) else DEFAULT

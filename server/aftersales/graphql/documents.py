"""Documents: parsed, measured and validated once, and the last ones kept."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
    visit,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.language import TokenKind
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from .cost import META, Price, Prices
from .executor import Plans
from .masking import coded, mistake
from .measure import Measure, measure, root_fields

# Of one document: most have no switch, and who has one turns it seldom.
MOST_CHOICES: Final = 2

RULES: Final = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)

# graphql-core spends up to a second before it gives up comparing fields. Twenty fragments that all ask
# the same of one object need a quarter of this. It is read when the rule starts.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 20_000


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """What a document may ask, fragments spread out. The introspection of any IDE fits in.

    Args:
        characters, tokens: of the text, comments included.
        directives: on fields and fragments.
        errors: that validation tells before it gives up.
        kept: documents, and `kept_tokens` over all of them: a token costs about 400 bytes, and as much again for
            each choice of what is skipped that was executed.
    """

    characters: int = 50_000
    tokens: int = 2_000
    depth: int = 16
    fields: int = 1_000
    aliases: int = 50
    directives: int = 50
    root_fields: int = 20
    errors: int = 20
    kept: int = 500
    kept_tokens: int = 40_000


@dataclass(frozen=True, slots=True)
class Document:
    """One operation of a valid document, and the fragments it may spread.

    Args:
        items_depend_on: of a subscription, the variables that the answer to an item depends on.
        conditions: the variables that decide what is skipped or included.
    """

    operation: OperationDefinitionNode
    fragment_definitions: dict[str, FragmentDefinitionNode]
    fragments: dict[str, FragmentDetails]
    introspects: bool
    measure: Measure
    price: Price
    tokens: int
    items_depend_on: frozenset[str]
    conditions: tuple[str, ...] = ()
    planned: dict[tuple[Any, ...], Plans] = field(default_factory=dict)

    @property
    def kind(self) -> OperationType:
        return self.operation.operation

    def plans(self, variables: Mapping[str, Any]) -> Plans:
        """What executions of this document have worked out, for what these variables skip and include."""
        choice = tuple(variables.get(name) for name in self.conditions)
        if (known := self.planned.get(choice)) is None:
            if len(self.planned) >= MOST_CHOICES:
                self.planned.clear()
            known = self.planned[choice] = Plans()
        return known


class Documents:
    """Gives the document for a text, from memory when it was asked for lately.

    Bounded in number and in size, so that a flood of distinct documents costs time but no memory.
    """

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits) -> None:
        self.schema = schema
        self.limits = limits
        self.prices = Prices(schema)
        self.kept: OrderedDict[tuple[str, str | None], Document] = OrderedDict()
        self.kept_tokens = 0

    def document(self, text: str, operation_name: str | None) -> Document:
        """
        Raises:
            GraphQLErrors: what `read` does.
        """
        if (known := self.known(text, operation_name)) is not None:
            return known
        document = self.read(text, operation_name)
        self.keep(text, operation_name, document)
        return document

    def known(self, text: str, operation_name: str | None) -> Document | None:
        key = (text, operation_name)
        if (known := self.kept.get(key)) is not None:
            self.kept.move_to_end(key)
        return known

    def read(self, text: str, operation_name: str | None) -> Document:
        """The document, but not kept: this may be called in any thread, and takes up to a tenth of a second.

        Raises:
            GraphQLErrors: SYNTAX_ERROR, DOCUMENT_TOO_LARGE, DOCUMENT_TOO_COMPLEX, UNKNOWN_OPERATION, DOCUMENT_INVALID
                or INTROSPECTION_APART.
        """
        return read(text, operation_name, self.prices, self.limits)

    def keep(self, text: str, operation_name: str | None, document: Document) -> None:
        key = (text, operation_name)
        if key in self.kept:
            return  # another was read at the same time
        self.kept[key] = document
        self.kept_tokens += document.tokens
        while len(self.kept) > self.limits.kept or self.kept_tokens > self.limits.kept_tokens:
            _, oldest = self.kept.popitem(last=False)
            self.kept_tokens -= oldest.tokens


def read(text: str, operation_name: str | None, prices: Prices, limits: DocumentLimits) -> Document:
    """Each step is linear and bounds the next, so that nothing quadratic ever sees a large document."""
    tree = parsed(text, limits)
    tokens = counted(tree)
    operation = selected(tree, operation_name)
    definitions = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
    size = measure(operation.selection_set, definitions)
    roots = root_fields(operation.selection_set, definitions)
    within(size, len(roots), limits)
    if errors := validate(prices.schema, tree, RULES, max_errors=limits.errors, hide_suggestions=True):
        raise coded(errors, "DOCUMENT_INVALID")
    return Document(
        operation=operation,
        fragment_definitions=definitions,
        fragments={name: FragmentDetails(node) for name, node in definitions.items()},
        introspects=introspects(roots),
        measure=size,
        price=prices.of(operation, definitions),
        tokens=tokens,
        items_depend_on=items_depend_on(operation, definitions),
        conditions=conditions(tree),
    )


def introspects(roots: list[FieldNode]) -> bool:
    """Whether it asks about the schema. Then it may ask for nothing else: it is not executed where the rest is."""
    about = {node.name.value in META for node in roots if node.name.value != "__typename"}
    if about == {True, False}:
        raise mistake("Ask about the schema in an operation of its own.", "INTROSPECTION_APART")
    return True in about


def parsed(text: str, limits: DocumentLimits) -> DocumentNode:
    if len(text) > limits.characters:
        raise mistake(f"A document has at most {limits.characters} characters.", "DOCUMENT_TOO_LARGE")
    try:
        # `max_tokens` counts comments too, which its successors leave to a second limit
        return parse(text, max_tokens=limits.tokens)
    except GraphQLError as error:
        raise coded([error], "SYNTAX_ERROR") from None


def counted(tree: DocumentNode) -> int:
    """The number of tokens; refuses a text that holds a NUL on the way, as PostgreSQL would later."""
    count = 0
    token = tree.loc.start_token if tree.loc else None
    while token is not None:
        if token.kind in (TokenKind.STRING, TokenKind.BLOCK_STRING) and "\0" in (token.value or ""):
            raise mistake("A text in the document holds the character NUL.", "DOCUMENT_INVALID")
        count += 1
        token = token.next
    return count


class Conditions(Visitor):
    """Collects the variables that directives ask about."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.names |= {arg.value.name.value for arg in node.arguments or () if isinstance(arg.value, VariableNode)}


def conditions(tree: DocumentNode) -> tuple[str, ...]:
    found = Conditions()
    visit(tree, found)
    return tuple(sorted(found.names))


def items_depend_on(
    operation: OperationDefinitionNode, definitions: Mapping[str, FragmentDefinitionNode]
) -> frozenset[str]:
    """The variables that are named below the root field: those of the field itself only say which items there are."""
    found = Named()
    if operation.operation is OperationType.SUBSCRIPTION:
        for field in operation.selection_set.selections:
            below = getattr(field, "selection_set", None)
            for node in (*([below] if below else ()), *(field.directives or ())):
                visit(node, found)
        for fragment in definitions.values():
            visit(fragment, found)
    return frozenset(found.names)


class Named(Visitor):
    """Collects the variables that are used."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


def selected(tree: DocumentNode, operation_name: str | None) -> OperationDefinitionNode:
    if operation := get_operation_ast(tree, operation_name):
        return operation
    if operation_name is not None:
        raise mistake("The document has no operation of that name.", "UNKNOWN_OPERATION")
    raise mistake("Name one operation of the document in operationName.", "UNKNOWN_OPERATION")


def within(size: Measure, roots: int, limits: DocumentLimits) -> None:
    # fmt: off
    rows = (
        (size.depth,      limits.depth,       "levels"),
        (size.fields,     limits.fields,      "fields"),
        (size.aliases,    limits.aliases,     "aliases"),
        (size.directives, limits.directives,  "directives"),
        (roots,           limits.root_fields, "fields at the root"),
    )
    # fmt: on
    if over := [f"at most {most} {what}" for count, most, what in rows if count > most]:
        raise mistake(f"Ask for less at once: {', '.join(over)}.", "DOCUMENT_TOO_COMPLEX")

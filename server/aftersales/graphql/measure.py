"""How deep, wide, aliased and directed an operation is with its fragments spread out, told in linear time."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from .masking import mistake

# No honest document nests its selections so deep; beyond it the walk itself would be the attack.
DEEPEST_WALK = 100


@dataclass(frozen=True, slots=True)
class Measure:
    """Of an operation as it would be without fragments.

    A fragment counts each time it is spread. A chain of fragments that doubles at every link so has a
    number of fields with many digits, but is walked once.
    """

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "Measure") -> "Measure":
        return Measure(
            max(self.depth, other.depth), self.fields + other.fields, self.aliases + other.aliases,
            self.directives + other.directives,
        )  # fmt: skip


NOTHING = Measure()


def measure(operation: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Measure:
    """
    Raises:
        GraphQLErrors: DOCUMENT_TOO_COMPLEX, when it cannot even be walked.
    """
    return Walk(fragments).within(operation, 1)


def root_fields(operation: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> list[FieldNode]:
    """The fields an operation asks of its root, fragments spread out, each fragment once."""
    found: list[FieldNode] = []
    spread: set[str] = set()
    waiting = [operation]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                found.append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                if fragment := fragments.get(node.name.value):
                    waiting.append(fragment.selection_set)
    return found


class Walk:
    """One pass over a document; remembers each fragment, so that no spreading costs twice."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.fragments = fragments
        self.known: dict[str, Measure] = {}

    def within(self, selections: SelectionSetNode, level: int) -> Measure:
        if level > DEEPEST_WALK:
            raise mistake("The document nests too deep.", "DOCUMENT_TOO_COMPLEX")
        total = NOTHING
        for node in selections.selections:
            if node.directives:
                total = total.beside(Measure(directives=len(node.directives)))
            if isinstance(node, FieldNode):
                total = total.beside(self.field(node, level))
            elif isinstance(node, InlineFragmentNode):
                total = total.beside(self.within(node.selection_set, level + 1))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(self.spread(node.name.value, level))
        return total

    def field(self, node: FieldNode, level: int) -> Measure:
        below = self.within(node.selection_set, level + 1) if node.selection_set else NOTHING
        return Measure(below.depth + 1, below.fields + 1, below.aliases + (node.alias is not None), below.directives)

    def spread(self, name: str, level: int) -> Measure:
        if name not in self.known:
            # unknown, or inside itself: nothing, and validation says which
            self.known[name] = NOTHING
            if fragment := self.fragments.get(name):
                self.known[name] = self.within(fragment.selection_set, level + 1)
        return self.known[name]

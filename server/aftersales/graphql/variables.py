"""Variables as they came, before any type has looked at them: how many, how long, how nested, and no NUL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .masking import GraphQLErrors, mistake


@dataclass(frozen=True, slots=True)
class VariableLimits:
    """
    Args:
        values: objects, lists, texts, numbers and so on, counted together. Coercing one costs a few
            microseconds, and everybody waits meanwhile.
        depth: of lists and objects inside each other.
        items: in any one list.
        characters: of all texts and names together.
    """

    values: int = 20_000
    depth: int = 32
    items: int = 1_000
    characters: int = 500_000


def check(variables: Mapping[str, Any], limits: VariableLimits) -> None:
    """
    Raises:
        GraphQLErrors: VARIABLES_TOO_LARGE, or VARIABLES_INVALID when a text holds a NUL.
    """
    values, characters = limits.values, limits.characters
    level: list[Any] = [variables]
    for _ in range(limits.depth + 1):
        values -= len(level)
        if values < 0:
            raise too_large(f"Send at most {limits.values} values in variables.")
        inner: list[Any] = []
        for value in level:
            if isinstance(value, str):
                characters -= len(value)
                known_text(value)
            elif isinstance(value, list):
                if len(value) > limits.items:
                    raise too_large(f"Send lists of at most {limits.items} items.")
                inner += value
            elif isinstance(value, Mapping):
                inner += value
                inner += value.values()
        if characters < 0:
            raise too_large(f"Send texts of at most {limits.characters} characters together.")
        if not inner:
            return
        level = inner
    raise too_large(f"Nest variables at most {limits.depth} deep.")


def known_text(text: str) -> None:
    # PostgreSQL refuses it in any text; better here, where it is nobody's internal error
    if "\0" in text:
        raise mistake("A text in variables holds the character NUL.", "VARIABLES_INVALID")


def too_large(message: str) -> GraphQLErrors:
    return mistake(message, "VARIABLES_TOO_LARGE")

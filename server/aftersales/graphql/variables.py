"""Variables as they came, before any type has looked at them: how many, how nested, and no NUL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .masking import mistake


@dataclass(frozen=True, slots=True)
class VariableLimits:
    """
    Args:
        values: objects, lists, texts, numbers and so on, counted together. Coercing one costs a few
            microseconds, and everybody waits meanwhile.
        depth: of lists and objects inside each other.
    """

    values: int = 20_000
    depth: int = 32


def check(variables: Mapping[str, Any], limits: VariableLimits) -> None:
    """
    Raises:
        GraphQLErrors: VARIABLES_TOO_LARGE, or VARIABLES_INVALID when a text holds a NUL.
    """
    left = limits.values
    level: list[Any] = [variables]
    for _ in range(limits.depth + 1):
        left -= len(level)
        if left < 0:
            raise mistake(f"Send at most {limits.values} values in variables.", "VARIABLES_TOO_LARGE")
        level = [inner for value in level for inner in parts(value)]
        if not level:
            return
    raise mistake(f"Nest variables at most {limits.depth} deep.", "VARIABLES_TOO_LARGE")


def parts(value: Any) -> list[Any]:
    """What is directly inside a value."""
    if isinstance(value, str):
        # PostgreSQL refuses it in any text; better here, where it is nobody's internal error
        if "\0" in value:
            raise mistake("A text in variables holds the character NUL.", "VARIABLES_INVALID")
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    return []

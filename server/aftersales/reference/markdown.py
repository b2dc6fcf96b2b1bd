"""Markdown: tables, and words as code."""

from collections.abc import Iterable, Sequence

GENERATED = "<!-- Made by `python -m aftersales.reference` from the code. Change that, not this; a test compares. -->"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a cell holds no line end."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def codes(texts: Iterable[str], between: str = ", ") -> str:
    return between.join(code(text) for text in texts)


def document(*parts: str) -> str:
    """Parts with an empty line between them, one line end at the end."""
    return "\n\n".join(part.strip("\n") for part in (GENERATED, *parts)) + "\n"

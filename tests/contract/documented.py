"""What docs/plugins.md shows: its examples by name, and the signatures of the hooks."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "plugins.md"
BLOCK = re.compile(r"<!-- (?:example: )?([\w-]+) -->\n```\w+\n(.*?)```\n", re.DOTALL)


def examples() -> dict[str, str]:
    """The marked blocks, by their names."""
    return dict(BLOCK.findall(DOCS.read_text(encoding="utf-8")))


def signatures() -> dict[str, str]:
    """Each hook's first line, as `hookspecs.py` has it."""
    source = ROOT / "server" / "aftersales" / "hookspecs.py"
    return {
        node.name: ast.unparse(node).splitlines()[1]
        for node in ast.parse(source.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    }

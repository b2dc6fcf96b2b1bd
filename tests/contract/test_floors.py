"""The floors hold: who may import whom, and that the engine never asks for the time."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server" / "aftersales"
TELL_THE_TIME = frozenset({"now", "utcnow", "today"})


def test_every_import_contract_is_kept() -> None:
    # a process of its own: the linter resets the logging of the one it runs in
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]

    linted = subprocess.run([*lint, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True)

    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_no_room_is_hidden_from_the_contracts() -> None:
    # the linter does not see a folder without an __init__.py
    rooms = {path.parent for path in SERVER.rglob("*.py")}

    hidden = sorted(str(room.relative_to(ROOT)) for room in rooms if not (room / "__init__.py").exists())

    assert hidden == []


def test_the_engine_never_asks_for_the_time() -> None:
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((SERVER / "engine").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in TELL_THE_TIME
    ]

    assert asked == []

"""`docs/security.md` leaves out no attack, and every test it names is there."""

import re
from pathlib import Path

from tests.attacks.moves import MOVES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_each_attack_that_is_tried_has_its_row() -> None:
    rows = {cells[1].strip() for line in PAGE.splitlines() if len(cells := line.split("|")) > 4}

    assert set(MOVES) - rows == set()


def test_each_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)

    assert len(named) > 30
    missing = [
        (path, name)
        for path, name in named
        if not (ROOT / path).exists() or (name and f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_each_line_of_what_servers_like_ours_get_wrong_is_answered() -> None:
    told = PAGE.partition("## What servers of this kind get wrong")[2]

    assert [int(number) for number in re.findall(r"^\| (\d+) \|", told, re.MULTILINE)] == list(range(1, 19))

"""What is generated is what the code gives, and leaves nothing unexplained."""

from pathlib import Path

import pytest

from aftersales.policy_book import book
from aftersales.reference.documents import BUILT_IN, documents
from aftersales.reference.guards import unexplained
from aftersales.reference.operations import FILE, operations
from aftersales.registry import Registry

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", documents())
def test_a_generated_document_is_what_the_code_gives(name: str) -> None:
    text = documents()[name]

    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, "run `python -m aftersales.reference`"


def test_the_page_offers_the_published_operations() -> None:
    assert (ROOT / FILE).read_text(encoding="utf-8") == operations(ROOT), "run `python -m aftersales.reference`"


def test_every_guard_says_what_must_hold() -> None:
    assert list(unexplained(Registry.installed(BUILT_IN).kinds.values())) == []


def test_every_rule_and_every_policy_stands_in_the_rulebook() -> None:
    rulebook = documents()["rulebook.md"]
    rules = {row.rule for kind in Registry.installed(BUILT_IN).kinds.values() for row in kind.process.rows}

    assert [rule for rule in rules if f"| {rule} |" not in rulebook] == []
    assert [record for record in book().records if f"| `{record.key}` |" not in rulebook] == []


def test_the_rulebook_is_of_the_plugins_in_this_repository() -> None:
    assert frozenset(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")) == BUILT_IN

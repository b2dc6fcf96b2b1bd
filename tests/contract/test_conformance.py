"""Ours are as yours: the installed kinds keep what every plugin must keep, by the tests that are given away."""

from pathlib import Path

import pytest

from aftersales.testing import *  # noqa: F403 - as a partner's test file has it

DETAILS = {"exchange": {"wanted": [{"orderLineId": "ol_1", "skuId": "sku_1b"}]}}
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("plugin", sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml")))
def test_the_operation_in_a_readme_is_the_one_in_the_contract(plugin: Path) -> None:
    text = (plugin / "README.md").read_text(encoding="utf-8")
    name = text.partition("`schema/operations/")[2].partition("`")[0]

    operation = (ROOT / "schema" / "operations" / name).read_text(encoding="utf-8")

    assert f"```graphql\n{operation}```" in text

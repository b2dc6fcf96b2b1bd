"""What must fit together before a server starts: plugins, policies and settings."""

from pathlib import Path

import pytest

from aftersales.running import policies_of, registry_of
from aftersales.settings import CannotStart, Settings

RUNS_ON = """
version = "2026-01-01"
market = "ID"
policies = [
  { key = "review.first", value = 3, unit = "CAL_DAY", owed_by = "SELLER", mark = "INF", source = "ours" },
  { key = "appeal.decision", value = 3, unit = "CAL_DAY", owed_by = "PLATFORM", mark = "INF", source = "ours" },
]
"""


def test_a_clock_that_a_table_pauses_may_not_run_on_by_policy(tmp_path: Path) -> None:
    (tmp_path / "id.toml").write_text(RUNS_ON, encoding="utf-8")
    settings = Settings(policies=tmp_path)

    with pytest.raises(CannotStart, match=r"pauses appeal\.decision, review\.first, and a policy has it run on"):
        registry_of(settings, policies_of(settings))


def test_a_plugin_that_the_settings_name_must_be_installed() -> None:
    settings = Settings(plugins=frozenset({"refund_only", "acme_repair"}))

    with pytest.raises(CannotStart, match="acme_repair"):
        registry_of(settings, policies_of(settings))

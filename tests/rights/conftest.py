"""Who may do what is decided before a database is asked, so these run on SQLite unless `--engine` says otherwise."""

import pytest


@pytest.fixture(autouse=True)
def _both(_own_databases: None) -> None: ...

"""All tests of the store run on both databases, unless one says why not."""

import pytest


@pytest.fixture(autouse=True)
def _both(_own_databases: None) -> None: ...

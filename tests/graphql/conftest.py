"""The fixtures of this folder stand in `tests.graphql.server`: a whole server in process, on both databases."""

import pytest
from tests.graphql.server import bring, opened, server

__all__ = ["bring", "opened", "server"]


@pytest.fixture(autouse=True)
def _both(_own_databases: None) -> None: ...

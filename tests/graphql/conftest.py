"""The fixtures of this folder stand in `tests.graphql.server`: a whole server in process."""

from tests.graphql.server import bring, empty_database, opened, server

__all__ = ["bring", "empty_database", "opened", "server"]

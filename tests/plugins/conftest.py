"""The same whole server as at the desk, on SQLite unless `--engine` says otherwise."""

from tests.desk.conftest import _both, bank, clock, home, server

__all__ = ["_both", "bank", "clock", "home", "server"]

"""The same whole server as at the desk."""

from tests.desk.conftest import bank, clock, home, server

__all__ = ["bank", "clock", "home", "server"]

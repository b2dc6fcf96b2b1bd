"""A whole server for each test, with the installed plugins and a bank of the test's own. Time stands still."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from aftersales.testing import Bank, FakeClock, Home, house

Another = Callable[..., AbstractAsyncContextManager[Home]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def server(tmp_path: Path, clock: FakeClock, bank: Bank) -> Another:
    """Starts one more server process on the same database: `async with server(plugins=[…]) as home`."""

    def start(*plugins: object, bank: Bank = bank) -> AbstractAsyncContextManager[Home]:
        return house(tmp_path / "aftersales.sqlite3", plugins=plugins, clock=clock, bank=bank)

    return start


@pytest_asyncio.fixture
async def home(server: Another) -> AsyncIterator[Home]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(server())


@pytest.fixture(autouse=True)
def _both(_own_databases: None) -> None:
    """All tests of the desk run on both databases."""

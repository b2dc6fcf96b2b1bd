"""One server for each file of tests; a test that needs limits of its own starts its own."""

from collections.abc import AsyncIterator

import pytest_asyncio
from tests.transport.world import Door, serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door() -> AsyncIterator[Door]:
    async with serving() as door:
        yield door

"""The page to try things on: pinned, policed, and only where it is wanted."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from tests.transport.world import Door, serving

from aftersales.transport.graphiql import GraphiQL

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TOKENS = {"Bea, a buyer": "a.b.c", "Sam </script> & Co": "d.e.f"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo() -> AsyncIterator[Door]:
    async with serving(page=GraphiQL(lambda: TOKENS)) as door:
        yield door


async def seen(door: Door, accept: str = BROWSER) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(door.url, headers={"accept": accept})


async def test_a_browser_gets_the_page_and_a_program_does_not(demo: Door) -> None:
    page, program = await seen(demo), await seen(demo, "*/*")

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (program.status_code, program.headers["content-type"]) == (400, "application/json; charset=utf-8")


async def test_without_a_page_a_browser_gets_what_everyone_gets(door: Door) -> None:
    answer = await seen(door)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json; charset=utf-8")


async def test_everything_from_elsewhere_is_of_an_exact_version_with_its_hash(demo: Door) -> None:
    page = (await seen(demo)).text

    foreign = re.findall(r"<(?:script|link)[^>]*https:[^>]*>", page)
    assert len(foreign) == 5
    for tag in foreign:
        assert re.search(r"/npm/[a-z-]+@\d+\.\d+\.\d+/", tag)
        assert re.search(r'integrity="sha384-[A-Za-z0-9+/]{64}" crossorigin="anonymous"', tag)


async def test_no_script_runs_without_the_nonce_of_this_page(demo: Door) -> None:
    first, second = await seen(demo), await seen(demo)

    policy = first.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]{20,})'(?:;|$)", policy)
    assert nonce
    assert nonce[1] not in second.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    scripts = re.findall(r"<script[^>]*>", first.text)
    assert all(f'nonce="{nonce[1]}"' in tag or 'type="application/json"' in tag for tag in scripts)
    assert "onclick" not in first.text


async def test_the_page_carries_the_tokens_and_nothing_in_them_can_break_out(demo: Door) -> None:
    page = await seen(demo)

    assert "a.b.c" in page.text
    assert "Sam </script>" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "{{" not in page.text

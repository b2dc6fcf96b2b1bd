"""The page to try things on: whole by itself, policed, and only where it is wanted."""

import re
from collections.abc import AsyncIterator
from importlib.resources import files

import httpx
import pytest
import pytest_asyncio
from tests.transport.world import Door, serving

import aftersales.transport
from aftersales.transport.page import Page, found

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TOKENS = {"Bea, a buyer": "a.b.c", "Sam </script> & Co": "d.e.f"}
ORDERS = [("or_1", "ol_1")]
FILES = found(files(aftersales.transport) / "page_files")
# What of a file names another: of HTML, of a style, of a module.
NAMED = re.compile(r"""(?:href|src)="(?!#)([^"]+)"|url\(([^)]+)\)|(?:from|import) "([^"]+)";""")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo() -> AsyncIterator[Door]:
    async with serving(page=Page("/graphql", lambda: TOKENS, ORDERS, "type Query @cost(weight: 1)")) as door:
        yield door


async def seen(door: Door, accept: str = BROWSER) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(door.url, headers={"accept": accept})


async def file(door: Door, name: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.request(method, f"{door.url.removesuffix('graphql')}page/{name}", headers=headers)


async def test_a_browser_gets_the_page_and_a_program_does_not(demo: Door) -> None:
    page, program = await seen(demo), await seen(demo, "*/*")

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (program.status_code, program.headers["content-type"]) == (400, "application/json; charset=utf-8")


async def test_without_a_page_a_browser_gets_what_everyone_gets(door: Door) -> None:
    answer, script = await seen(door), await file(door, "main.js")

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json; charset=utf-8")
    assert script.status_code == 404


async def test_nothing_of_it_is_from_elsewhere() -> None:
    for name, each in FILES.items():
        text = each.body.decode()
        # the name of a language is no address, and a sample is asked for by nobody
        allowed = ("http://www.w3.org/2000/svg", "https://files.example/")
        foreign = [] if name == "operations.json" else re.findall(r"https?://[^\s\"']+|\"//[^\"]+", text)

        assert [address for address in foreign if not address.startswith(allowed)] == [], name


async def test_every_file_that_is_named_is_there(demo: Door) -> None:
    for name, each in FILES.items():
        if name == "operations.json":
            continue
        base = httpx.URL(f"http://x/page/{name}" if name != "index.html" else "http://x/graphql")
        for found_here in NAMED.findall(each.body.decode()):
            path = base.join("".join(found_here)).path.removeprefix("/page/")

            assert (await file(demo, path)).status_code == 200, (name, path)


async def test_only_its_own_scripts_and_styles_run_and_nobody_frames_it(demo: Door) -> None:
    page, script = await seen(demo), await file(demo, "main.js")

    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"<style|style=|<script(?! type=\"module\" src=)| on\w+=", page.text)
    for answer in (page, script):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_file_is_sent_once_and_then_only_asked_for(demo: Door) -> None:
    first = await file(demo, "main.js")
    again = await file(demo, "main.js", **{"if-none-match": first.headers["etag"]})
    other = await file(demo, "main.js", **{"if-none-match": '"another"'})

    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize("name", ["nothing.js", "../page.py", "..%2fpage.py", "%2e%2e/page.py", "styles", ""])
async def test_what_is_no_file_of_the_page_is_not_found(demo: Door, name: str) -> None:
    assert (await file(demo, name)).status_code == 404


async def test_files_are_only_read(demo: Door) -> None:
    answer = await file(demo, "main.js", "POST")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_head_has_no_body(demo: Door) -> None:
    answer = await file(demo, "main.js", "HEAD")

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(FILES["main.js"].body)


async def test_the_tokens_go_with_the_start_and_are_kept_by_nobody(demo: Door) -> None:
    start = await file(demo, "start.json")

    assert start.json() == {"people": [list(pair) for pair in TOKENS.items()], "orders": [["or_1", "ol_1"]]}
    assert start.headers["cache-control"] == "no-store"
    assert "a.b.c" not in (await seen(demo)).text


async def test_the_schema_comes_with_its_directives(demo: Door) -> None:
    assert (await file(demo, "schema.graphql")).text == "type Query @cost(weight: 1)"


async def test_the_files_lie_beside_the_path_wherever_that_is() -> None:
    assert [Page(path).folder for path in ("/graphql", "/api/v1/graphql")] == ["/page", "/api/v1/page"]

"""The launcher: up on a free port, down when told, with what it has begun brought to its end."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from aftersales.transport.listening import address, bound
from aftersales.transport.stack import big_stack

# A server of its own process, with one operation that ends only when the server is told to stop.
SCRIPT = """
import asyncio
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from contextlib import asynccontextmanager
from aftersales.transport.launcher import serve

@asynccontextmanager
async def lifespan(app):
    yield
    print("closed", flush=True)

async def loop(http):
    return JSONResponse(type(asyncio.get_running_loop()).__module__)

async def drained(http):
    print("begun", flush=True)
    await http.state.draining.wait()
    return JSONResponse("drained")

app = Starlette(routes=[Route("/loop", loop), Route("/drained", drained)], lifespan=lifespan)
serve(app, port=0, ready=lambda address: print(address, flush=True))
print("returned", flush=True)
"""


@asynccontextmanager
async def running() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process, await line(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    return (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_that_is_told_to_stop_answers_first_and_then_returns(told: signal.Signals) -> None:
    async with running() as (process, url), httpx.AsyncClient() as client:
        answer = asyncio.create_task(client.get(f"{url}/drained"))
        begun = await line(process)
        process.send_signal(told)
        last = [await line(process), await line(process)]

        assert begun == "begun"
        assert (await answer).json() == "drained"
        assert last == ["closed", "returned"]
        assert await asyncio.wait_for(process.wait(), 10) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not made for it")
async def test_the_fast_loop_is_used() -> None:
    async with running() as (_, url), httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/loop")

    assert answer.json() == "uvloop"
    assert "server" not in answer.headers


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:")])
def test_the_address_can_be_typed_into_a_browser(host: str, expected: str) -> None:
    with bound(host, 0) as listener:
        assert address(listener) == f"{expected}{listener.getsockname()[1]}"


def test_a_function_on_a_big_stack_is_the_same_function() -> None:
    assert big_stack(divmod)(7, 2) == (3, 1)

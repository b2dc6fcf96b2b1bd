"""Several processes on one address: looked after, never orphans, and stopped as one."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from tests.processes import PATIENCE_SECONDS, Server, run, serving
from tests.transport.many import claim, opened, port, sequences, shared
from tests.transport.test_kill import SELLER
from tests.transport.test_live import by_socket, heard_until

from aftersales.transport.listening import bound

# a file has one process
pytestmark = [pytest.mark.engine("postgres"), pytest.mark.usefixtures("_own_databases")]


@contextmanager
def workers(settings: dict[str, str], count: int = 2) -> Iterator[Server]:
    with serving("--workers", str(count), settings=settings) as server:
        children: list[psutil.Process] = []
        try:
            children = of(server)
            yield server
        finally:
            for child in children:
                if child.is_running():
                    child.kill()


def of(server: Server) -> list[psutil.Process]:
    """The workers; beside them runs what Python's own multiprocessing needs."""
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


async def until_gone(processes: list[psutil.Process], seconds: float) -> None:
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, seconds)
    assert alive == []


async def test_sockets_are_spread_and_each_hears_what_any_worker_does(tmp_path: Path) -> None:
    settings, orders = await shared(tmp_path, 1)
    with workers(settings) as server:
        async with AsyncExitStack() as stack, httpx.AsyncClient(timeout=30) as http:
            streams = [await stack.enter_async_context(by_socket(port(server.url), SELLER)) for _ in range(32)]
            for stream in streams:
                assert (await anext(stream))["__typename"] == "StreamReady"
            held = [connections(child, port(server.url)) for child in of(server)]
            request = opened(await claim(http, server.url, orders[0]))
            heard = [await heard_until(stream, "DeadlineStarted") for stream in streams]
        server.process.send_signal(signal.SIGTERM)
        children = of(server)
        status = await asyncio.to_thread(server.process.wait, 30)
        await until_gone(children, 1)

    assert [line.split()[0] for line in server.said].count("Ready") == 1
    # by chance: that one of two gets less than a tenth of 32 happens once in ten million times
    assert len(held) == 2
    assert min(held) > 3
    assert all(sequences(told, request) for told in heard)
    assert status == 0


def connections(process: psutil.Process, port: int) -> int:
    return sum(at.status == "ESTABLISHED" and at.laddr.port == port for at in process.net_connections("tcp"))


async def test_one_that_dies_is_started_again_and_the_others_serve_on(tmp_path: Path) -> None:
    settings, orders = await shared(tmp_path, 8)
    with workers(settings) as server:
        before = of(server)
        before[0].kill()
        await until_gone(before[:1], 10)
        async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_keepalive_connections=0)) as http:
            ids = [opened(await claim(http, server.url, order)) for order in orders]
        listening = await asyncio.to_thread(two_listen, server)
        for child in listening:
            if child not in before:
                child.kill()
        server.end()

    assert len(set(ids)) == 8
    assert before[1] in listening
    assert any("a worker ended (-9) and is started again" in line for line in server.said)


def two_listen(server: Server) -> list[psutil.Process]:
    end = time.monotonic() + PATIENCE_SECONDS
    while len(listening := [child for child in of(server) if takes(child, port(server.url))]) < 2:
        assert time.monotonic() < end, server.said
    return listening


def takes(process: psutil.Process, port: int) -> bool:
    return any(at.status == "LISTEN" and at.laddr.port == port for at in process.net_connections("tcp"))


async def test_when_the_parent_is_killed_nobody_is_left_behind(tmp_path: Path) -> None:
    settings, _ = await shared(tmp_path, 0)
    with workers(settings) as server:
        everybody = psutil.Process(server.process.pid).children(recursive=True)
        server.process.kill()
        await until_gone(everybody, 20)


async def test_a_second_signal_ends_all_at_once(tmp_path: Path) -> None:
    settings, _ = await shared(tmp_path, 0)
    with workers(settings | {"AFTERSALES_NOTICE_SECONDS": "600"}) as server:
        children = of(server)
        server.process.send_signal(signal.SIGINT)
        async with httpx.AsyncClient() as http, asyncio.timeout(10):
            while (await http.get(httpx.URL(server.url).join("/readyz"))).status_code != 503:
                continue
        began = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        status = await asyncio.to_thread(server.process.wait, 20)
        await until_gone(children, 5)

    assert status == 1
    assert time.monotonic() - began < 10


async def test_what_stands_against_all_is_said_once(tmp_path: Path) -> None:
    settings, _ = await shared(tmp_path, 0)
    gone = {"AFTERSALES_DATABASE": "postgres://me:hush@127.0.0.1:1/x"}
    with bound("127.0.0.1", 0, shared=True) as taken:
        held = str(taken.getsockname()[1])
        there = await asyncio.to_thread(run, "serve", "--workers", "2", "--port", held, settings=settings)
    began = time.monotonic()
    away = await asyncio.to_thread(run, "serve", "--workers", "2", "--port", "0", settings=settings | gone)
    took = time.monotonic() - began

    assert (there.returncode, away.returncode) == (1, 1)
    assert there.stderr.splitlines()[-1] == f"127.0.0.1:{held} cannot be listened on: Address already in use."
    assert away.stderr.count("me:***@127.0.0.1:1/x cannot be opened") == 1
    assert "Traceback" not in away.stderr
    assert took < 60

"""`aftersales` as a process: run to its end, or until it is ready.

To import it all takes a process longer than what most tests ask of it. So where the system can, it is forked off one
that has imported everything and done nothing yet; `cold` asks for one that begins at the beginning.
"""

import fcntl
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import IO, Protocol

# Generous: nothing waits so long unless it is broken.
PATIENCE_SECONDS = 180.0
ROOT = Path(__file__).parents[1]

# What its commands import, but for the one that is run.
IMPORTED = (
    "aftersales.cli.faults", "aftersales.cli.attention", "aftersales.cli.records", "aftersales.cli.serving",
    "aftersales.cli.shown", "aftersales.cli.tokens", "aftersales.demo.making", "aftersales.store.hints",
    "aftersales.store.postgres", "tortoise.migrations.api", "tests.store.builders",
)  # fmt: skip


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what a developer may have set."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AFTERSALES_")} | dict(settings)


class Process(Protocol):
    """As `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Forked:
    """`python -m MODULE ARGS`, out of a process that has imported what it needs."""

    def __init__(
        self, module: str, args: tuple[str, ...], folder: Path | None, env: Mapping[str, str], *streams: int
    ) -> None:
        """`streams`: what it reads, what it says, and where it complains."""
        # so that they can be sent; they stay ours to close
        sent = [Connection(os.dup(stream)) for stream in streams]
        self._process = _warm().Process(target=_as_main, args=(module, args, folder, dict(env), *sent))
        self._process.start()
        for connection in sent:
            connection.close()
        assert self._process.pid
        self.pid = self._process.pid

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("aftersales", timeout or 0)
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        if self._process.exitcode is None:
            # it may have ended, and its exit status be on its way
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def started(
    *args: str,
    folder: Path | None,
    env: Mapping[str, str],
    streams: tuple[int, int, int],
    module: str = "aftersales",
    cold: bool = False,
) -> Process:
    if cold or "forkserver" not in multiprocessing.get_all_start_methods():
        command = [sys.executable, "-m", module, *args]
        given, said, complained = streams
        return subprocess.Popen(command, cwd=folder, env=env, stdin=given, stdout=said, stderr=complained)
    return Forked(module, args, folder, env, *streams)


@contextmanager
def telling(module: str, *args: str) -> Iterator[tuple[Process, IO[str]]]:
    """A module of the tests as a process, and what it says; killed at the end, unless it has ended."""
    out, into = os.pipe()
    with open(out) as lines:
        with open(os.devnull) as nothing, open(into, "w") as says:
            streams = (nothing.fileno(), says.fileno(), 2)
            process = started(*args, module=module, folder=ROOT, env=environment({}), streams=streams)
        try:
            yield process, lines
        finally:
            process.kill()
            process.wait()


@cache
def _warm() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    plugins = [point.module for point in entry_points(group="aftersales")]
    context.set_forkserver_preload(["tests.processes", *IMPORTED, *plugins])
    return context


def _as_main(
    module: str, args: tuple[str, ...], folder: Path | None, env: Mapping[str, str], *streams: Connection
) -> None:
    """In the forked process: nothing of who forked it is left."""
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115 - to its end
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    os.chdir(folder or os.curdir)
    sys.argv = [module, *args]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def run(
    *args: str,
    folder: Path | None = None,
    settings: Mapping[str, str] | None = None,
    input: str = "",
    cold: bool = False,
) -> subprocess.CompletedProcess[str]:
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as said,
        tempfile.TemporaryFile("w+") as no,
    ):
        given.write(input)
        given.seek(0)
        streams = (given.fileno(), said.fileno(), no.fileno())
        process = started(*args, folder=folder, env=environment(settings or {}), streams=streams, cold=cold)
        try:
            status = process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        no.seek(0)
        return subprocess.CompletedProcess(args, status, said.read(), no.read())


@dataclass
class Server:
    """One that is ready. What it has said so far is in `said`."""

    process: Process
    url: str
    said: list[str]

    @property
    def tokens(self) -> dict[str, str]:
        """Of a demo: the line after a name is the token."""
        pairs = zip(self.said, self.said[1:], strict=False)
        return {name: token.strip() for name, token in pairs if token.startswith("  ey")}

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)


def made_demo(folder: Path) -> Path:
    """A demo's world as it is when it has just been made: made once for all who share the folder, and then copied."""
    world = folder / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not world.exists():
            making = folder / "demo.making"
            making.mkdir()
            with serving("--demo", "--database", f"sqlite://{making / 'demo.sqlite3'}") as server:
                server.end()
            making.rename(world)
    return world


@contextmanager
def serving(
    *args: str, folder: Path | None = None, settings: Mapping[str, str] | None = None, cold: bool = False
) -> Iterator[Server]:
    """`aftersales serve` on a free port; killed at the end, unless it has ended."""
    out, into = os.pipe()
    with open(out) as lines:
        with open(os.devnull) as nothing, open(into, "w") as says:
            streams = (nothing.fileno(), says.fileno(), says.fileno())
            env = environment(settings or {})
            process = started("serve", "--port", "0", *args, folder=folder, env=env, streams=streams, cold=cold)
        said: list[str] = []
        ready = threading.Event()
        # read to its end: a pipe that nobody empties would stop the server
        reader = threading.Thread(target=_read, args=(lines, said, ready))
        reader.start()
        try:
            ready.wait(PATIENCE_SECONDS)
            urls = [line.removeprefix("Ready at ") for line in said if line.startswith("Ready at ")]
            assert urls, "\n".join(said)
            yield Server(process, urls[0], said)
        finally:
            process.kill()
            process.wait()
            reader.join()


def _read(lines: IO[str], said: list[str], ready: threading.Event) -> None:
    """Ready is also who has ended."""
    for line in lines:
        said.append(line.rstrip("\n"))
        if line.startswith("Ready at "):
            ready.set()
    ready.set()

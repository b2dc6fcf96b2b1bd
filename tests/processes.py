"""`aftersales` as a process: run to its end, or until it is ready."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# Generous: nothing waits so long unless it is broken.
PATIENCE_SECONDS = 180.0


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what a developer may have set."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AFTERSALES_")} | dict(settings)


def run(
    *args: str, folder: Path | None = None, settings: Mapping[str, str] | None = None, input: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aftersales", *args],
        cwd=folder,
        env=environment(settings or {}),
        input=input,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


@dataclass
class Server:
    """One that is ready. What it has said so far is in `said`."""

    process: subprocess.Popen[str]
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
def serving(*args: str, folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """`aftersales serve` on a free port; killed at the end, unless it has ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aftersales", "serve", "--port", "0", *args],
        cwd=folder,
        env=environment(settings or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    ready = threading.Event()
    # read to its end: a pipe that nobody empties would stop the server
    reader = threading.Thread(target=_read, args=(process.stdout, said, ready))
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
        process.stdout.close()


def _read(lines: IO[str], said: list[str], ready: threading.Event) -> None:
    """Ready is also who has ended."""
    for line in lines:
        said.append(line.rstrip("\n"))
        if line.startswith("Ready at "):
            ready.set()
    ready.set()

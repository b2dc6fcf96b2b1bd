"""The reference audit and the reference clients, which others wrote and we did not, against a real server."""

import asyncio
import json
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.missing import left_out
from tests.transport.world import HOUR, NOW, Door, serving, token, until

from aftersales.transport.limits import TransportSettings

HERE = Path(__file__).parent
PACKAGE = HERE / "package.json"
INSTALL_SECONDS = 300
RUN_SECONDS = 60
# Without budgets: what is tested here is how it is said.
ENDLESS = TransportSettings(budget=10**9)


@pytest.fixture(scope="session")
def room() -> Path:
    """A folder with the packages, made once for each list of them, outside the repository."""
    if not shutil.which("node") or not shutil.which("npm"):
        left_out("Node.js and npm are not here, so the reference audit and clients were not run (tests/peers).")
    mark = sha256(PACKAGE.read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"aftersales-peers-{mark}"
    if not (folder / "whole").exists():
        folder.mkdir(exist_ok=True)
        shutil.copy(PACKAGE, folder)
        install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS)
        (folder / "whole").touch()
    return folder


async def run(room: Path, script: str, *args: str) -> Any:
    """What the script prints. It is copied beside the packages, since that is where Node.js looks for them."""
    shutil.copy(HERE / script, room)
    process = await asyncio.create_subprocess_exec(
        "node", script, *args, cwd=room, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        told, complaint = await asyncio.wait_for(process.communicate(), RUN_SECONDS)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, complaint.decode()
    return json.loads(told)


async def test_the_reference_audit_of_graphql_over_http_has_nothing_to_say(room: Path) -> None:
    async with serving(ENDLESS) as door:
        told = await run(room, "audit.js", door.url)

    assert told == {"count": 61, "others": []}


async def test_the_reference_client_of_graphql_transport_ws_gets_along_with_us(room: Path) -> None:
    async with serving(ENDLESS) as door:
        saw = await run(room, "socket.js", door.socket, token(), token(now=NOW - 2 * HOUR))
        await nothing_is_left(door)

        assert saw["mutation"] == {"items": [{"bump": door.world.count}]}
    assert saw["query"] == {"items": [{"me": "seller s1"}]}
    assert saw["subscription"] == {"items": [{"three": number} for number in (1, 2, 3)]}
    assert saw["bad"] == [
        {"items": [], "problem": "SYNTAX_ERROR"},
        {"items": [], "problem": "DOCUMENT_INVALID"},
        {"items": [], "problem": "UNKNOWN_OPERATION"},
        {"items": [{"breaks": 1}], "problem": "INTERNAL"},
        {"items": [{"fails": None}]},
    ]
    assert saw["neighbour"] == 2_000
    assert saw["returned"] == {"items": True, "connections": 2}
    assert saw["refused"] == {
        "items": [], "problem": {"code": 4403, "reason": "Forbidden: TOKEN_INVALID"}, "closes": [4403] * 4,
    }  # fmt: skip
    assert saw["renewed"] == {"items": [{"me": "seller s1"}], "closes": [4419]}


async def test_the_reference_client_of_graphql_sse_gets_along_with_us(room: Path) -> None:
    async with serving(ENDLESS) as door:
        saw = await run(room, "events.js", door.url, token())
        await nothing_is_left(door)

        assert saw["mutation"] == {"items": [{"bump": door.world.count}]}
    assert saw["query"] == {"items": [{"me": "seller s1"}]}
    assert saw["subscription"] == {"items": [{"three": number} for number in (1, 2, 3)]}
    assert saw["bad"] == [
        {"items": [["SYNTAX_ERROR"]]},
        {"items": [["DOCUMENT_INVALID"]]},
        {"items": [{"breaks": 1}, ["INTERNAL"]]},
        {"items": [{"fails": None}]},
    ]
    assert saw["left"] == 500


async def nothing_is_left(door: Door) -> None:
    await until(lambda: not door.gate.streams.taken and not door.gate.connections.of and not door.world.listeners)

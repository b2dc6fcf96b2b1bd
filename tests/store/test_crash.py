"""Killed in the midst of writing: what was said to be done is done, and the rest is whole or not there."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from tests.store.builders import NOON, World, world

from aftersales.store.database import Statement
from aftersales.store.log import Log
from aftersales.testing import places

SOUND = Statement("PRAGMA integrity_check")
ROOT = Path(__file__).parents[2]

# Opens and approves requests, four at a time and for ever; says of each what was acknowledged.
CHILD = """
import asyncio, sys
from tests.store.builders import world

async def work(w, lane):
    for number in range(10_000):
        request = await w.open(await w.order(f"{sys.argv[2]}-{lane}-{number}", f"sh_{number % 2 + 1}"))
        print(request.id, 1, flush=True)
        await w.act(request, "approve")
        print(request.id, 2, flush=True)

async def main():
    async with world(sys.argv[1]) as w:
        w.number_from(int(sys.argv[2]) * 100_000)
        await asyncio.gather(*(work(w, lane) for lane in range(4)))

asyncio.run(main())
"""


def killed_after(acknowledgements: int, url: str, run: int) -> dict[str, int]:
    """Versions by request id that a child had acknowledged when it was killed without warning."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, url, str(run)], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert child.stdout
    said = [child.stdout.readline() for _ in range(acknowledgements)]
    child.kill()
    said += child.communicate()[0].splitlines(keepends=True)
    return {id: int(version) for id, version in (line.split() for line in said if line.endswith("\n"))}


async def faults(w: World, acknowledged: dict[str, int]) -> list[str]:
    [ids] = await w.ledger.database.read(Statement("SELECT id FROM requests"))
    stored = [id for (id,) in ids]
    requests = await w.ledger.requests(stored)
    log = Log(w.ledger.database)
    found = [
        f"{id} is lost" for id, version in acknowledged.items() if id not in requests or requests[id].version < version
    ]
    for id, history in (await log.history(stored, 1_000)).items():
        request, sequences = requests[id], [event.sequence for event in reversed(history)]
        if sequences != list(range(1, len(sequences) + 1)) or len(sequences) != (2, 6)[request.version - 1]:
            found.append(f"{id} has the events {sequences} at version {request.version}")
        if (history[0].version, history[0].to_stage) != (request.version, request.stage.name):
            found.append(f"{id} is not as the log says")
        if not request.lines or len(request.clocks) != 1 or len(request.refunds) != request.version - 1:
            found.append(f"{id} is half there")
    for shop in ("sh_1", "sh_2"):
        positions = [event.position for event in await log.since({shop: 0}, 100_000)]
        if positions != list(range(1, len(positions) + 1)):
            found.append(f"the log of {shop} has gaps")
    due = await w.ledger.due(NOON + timedelta(days=99), 100_000)
    if {item.request_id for item in due} != {id for id, request in requests.items() if request.version == 1}:
        found.append("a clock does not fit its request")
    return found


@pytest.mark.parametrize("acknowledgements", [1, 20, 100])
async def test_nothing_acknowledged_is_lost_and_nothing_is_half_done_after_kill_9(
    tmp_path: Path, acknowledgements: int
) -> None:
    acknowledged: dict[str, int] = {}
    url = await places.place(tmp_path / "s.db")
    for run in range(1, 4):
        acknowledged |= killed_after(acknowledgements, url, run)

        async with world(url) as w:
            assert url.startswith("postgres") or await w.ledger.database.read(SOUND) == [[("ok",)]]
            assert await faults(w, acknowledged) == []

"""Killed in the midst of writing: what was said to be done is done, and the rest is whole or not there."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.processes import telling
from tests.store.builders import NOON, World, world

from aftersales.store.database import Statement
from aftersales.store.log import Log
from aftersales.testing import places

SOUND = Statement("PRAGMA integrity_check")


def killed_after(acknowledgements: int, url: str, run: int) -> dict[str, int]:
    """Versions by request id that a child had acknowledged when it was killed without warning."""
    with telling("tests.store.mortal", url, str(run)) as (child, lines):
        said = [lines.readline() for _ in range(acknowledgements)]
        child.kill()
        said += lines
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

"""To be killed: `python -m tests.store.mortal URL RUN` opens and approves requests, four at a time and for ever.

It says of each what was acknowledged.
"""

import asyncio
import sys

from tests.store.builders import World, world


async def work(w: World, run: int, lane: int) -> None:
    for number in range(10_000):
        request = await w.open(await w.order(f"{run}-{lane}-{number}", f"sh_{number % 2 + 1}"))
        print(request.id, 1, flush=True)
        await w.act(request, "approve")
        print(request.id, 2, flush=True)


async def main(url: str, run: int) -> None:
    async with world(url) as w:
        w.number_from(run * 100_000)
        await asyncio.gather(*(work(w, run, lane) for lane in range(4)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))

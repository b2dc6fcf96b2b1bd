"""Fills a database, starts both servers on a copy each, compares what they answer, and prints what that costs."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from statistics import median

import uvloop

from .asking import Asking
from .compared import READS, WRITES, compare
from .data import fill
from .server import Server, Spent

# The most one may cost of the other; None: only told.
TARGETS: dict[str, float | None] = {"page": 12, "detail": None, "tiny": None, "open": 4, "approve": 4}
IDLE_MB = 120
MB = 1_000_000
# Mutations are asked once each: so many, in all, does the data hold.
MOST = {"page": 4_000, "detail": 10_000, "tiny": 10_000, "open": 700, "approve": 700}


def main(argv: Sequence[str] | None = None) -> int:
    args = _arguments().parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="aftersales-benchmark-", dir=args.folder) as folder:
        path = Path(folder) / "filled.sqlite3"
        fill(path)
        ours, bare = (Path(shutil.copy(path, path.with_name(f"{which}.sqlite3"))) for which in ("ours", "bare"))
        with (
            Server("bare", bare, args.connections) as bare_server,
            Server("ours", ours, args.connections) as our_server,
        ):
            idle = our_server.settled_bytes(), bare_server.settled_bytes()
            spent = uvloop.run(_measured(our_server, bare_server, path, args))
            busy = our_server.busy_bytes, bare_server.busy_bytes
            return _tell(spent, idle, busy)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of which the median counts")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each operation, server and round")
    parser.add_argument("--connections", type=int, default=4, help="that ask at once")
    parser.add_argument("--only", nargs="*", choices=TARGETS, default=list(TARGETS), help="these operations")
    parser.add_argument("--folder", help="where the databases lie meanwhile")
    return parser


Costs = dict[str, tuple[float, float]]


async def _measured(ours: Server, bare: Server, path: Path, args: argparse.Namespace) -> Costs:
    """Milliseconds of CPU for one operation, ours and the bare one's: medians of rounds that take turns."""
    pairs = ((ours, Asking(path)), (bare, Asking(path)))
    await compare(*pairs)
    found: dict[tuple[str, str], list[Spent]] = {}
    # reads first: mutations change what a page shows
    for names in (READS, WRITES):
        for round in range(args.rounds + 1):
            for name, (server, asking) in product([name for name in names if name in args.only], pairs):
                spent = await server.measure(asking.asks[name], args.seconds, MOST[name])
                if round:  # the first only warms up
                    found.setdefault((name, server.which), []).append(spent)
    each = {key: median(spent.milliseconds for spent in rounds) for key, rounds in found.items()}
    return {name: (each[name, ours.which], each[name, bare.which]) for name in args.only}


def _tell(costs: Costs, idle: tuple[int, int], busy: tuple[int, int]) -> int:
    """The table; 1 if a target is missed."""
    missed = 0
    print(f"{'CPU ms an operation':<22}{'ours':>9}{'bare':>9}{'ratio':>8}{'at most':>9}")
    for name, (mine, its) in costs.items():
        most = TARGETS[name]
        over = most is not None and mine / its > most
        missed += over
        print(f"{name:<22}{mine:>9.3f}{its:>9.3f}{mine / its:>8.1f}{most or '':>9}{told(over)}")
    ours, bare = (held / MB for held in idle)
    missed += ours > IDLE_MB
    print(f"{'MB resident, idle':<22}{ours:>9.0f}{bare:>9.0f}{'':>8}{IDLE_MB:>9}{told(ours > IDLE_MB)}")
    ours, bare = (held / MB for held in busy)
    print(f"{'MB resident, after':<22}{ours:>9.0f}{bare:>9.0f}")
    return int(missed > 0)


def told(missed: bool) -> str:
    return "  missed" if missed else ""


if __name__ == "__main__":
    sys.exit(main())

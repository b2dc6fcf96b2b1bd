"""Attacks on demand, in a process of their own: a line of JSON in, what the server did out."""

import asyncio
import json
import os
import sys

from .moves import MOVES
from .tools import Attacker


def main() -> None:
    # a real one has a machine of its own; this one must not take ours from the server and its other client
    os.nice(10)
    for line in sys.stdin:
        order = json.loads(line)
        attacker = Attacker(order["url"], order["tokens"], order["seconds"])
        asyncio.run(MOVES[order["name"]].attack(attacker))
        print(json.dumps({name: count for name, count in attacker.saw.items() if count}), flush=True)


if __name__ == "__main__":
    main()

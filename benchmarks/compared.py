"""Holds the two servers against each other: the same answers, and the same rows written."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import orjson

from .asking import Asking
from .server import Server

READS, WRITES = ("page", "detail", "tiny"), ("open", "approve")
SAMPLES = 20

# By table, what a mutation may write.
WRITTEN = {
    "requests": "id", "request_lines": "request_id", "deadlines": "request_id", "refunds": "request_id",
    "events": "request_id", "idempotency": "request_id",
}  # fmt: skip
# Made anew by each: ids and numbers, instants of now, digests.
NEW = (
    (re.compile(r"AS-[0-9A-Z]{4}-[0-9A-Z]{4}\b", re.IGNORECASE), "NUMBER"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r'(?<!")\b1[0-9]{15}\b'), "0"),
    (re.compile(r"\b20[0-9-]{8}T[0-9:.]+(Z|\+00:00)"), "INSTANT"),
)


class Unequal(Exception):
    """They do not answer the same: what is measured would mean nothing."""


async def compare(ours: tuple[Server, Asking], bare: tuple[Server, Asking]) -> None:
    """Ask both the same, over connections of their own.

    Raises:
        Unequal: with what the two said.
    """
    for name in (*READS, *WRITES):
        for _ in range(SAMPLES):
            # what an answer cost is ours alone to say
            mine, its = [(await server.ask(asking.asks[name]()))["data"] for server, asking in (ours, bare)]
            if name in READS:
                equal(name, mine, its)
                continue
            ids = id_of(mine), id_of(its)
            equal(name, masked(mine, ids[0]), masked(its, ids[1]))
            equal(
                f"rows of {name}",
                *(written(Path(server.path), id) for (server, _), id in zip((ours, bare), ids, strict=True)),
            )
    for server, _ in (ours, bare):
        await server.hang_up()


def equal(what: str, ours: Any, bare: Any) -> None:
    if ours != bare:
        raise Unequal(f"{what}\nours: {ours}\nbare: {bare}")


def id_of(answer: dict[str, Any]) -> str:
    [payload] = answer.values()
    return str(payload["request"]["id"])


def masked(value: Any, id: str) -> Any:
    """Without what must differ."""
    text = orjson.dumps(value).decode().replace(id.partition("_")[2], "REQUEST")
    for pattern, word in NEW:
        text = pattern.sub(word, text)
    return orjson.loads(text)


def written(path: Path, id: str) -> Any:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    found = {}
    for table, owner in WRITTEN.items():
        rows = connection.execute(f"SELECT * FROM {table} WHERE {owner} = ? ORDER BY 1", (id,))
        found[table] = [_without(dict(row)) for row in rows]
    connection.close()
    return masked(found, id)


def _without(row: dict[str, Any]) -> dict[str, Any]:
    # whether it was asked is up to the provider's turn
    return {name: value for name, value in row.items() if name not in ("asked_at", "next_try_at")}

"""What README shows is what happens: its operations are run, its answers compared, its links followed.

`README_WRITE=1 pytest tests/contract/test_readme.py` writes the answers anew.
"""

import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from graphql import ExecutionResult
from tests.graphql.server import BUYER, SELLER, Bring, Server, bring, line, server

from aftersales.engine.common import COMMON
from aftersales.engine.process import Process
from aftersales.plugin import AWAITING_BUYER_SHIP

__all__ = ["bring", "server"]

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"<!-- (story|stream): (\w+) (\w+) -->\n```json\n(.*?)```\n", re.DOTALL)
ACTORS = {"buyer": BUYER, "seller": SELLER}


def shown(value: Any) -> Any:
    """Ids, numbers and cursors are other ones each time: shown by how they begin."""
    match value:
        case dict():
            return {name: "…" if name == "cursor" else shown(inner) for name, inner in value.items()}
        case list():
            return [shown(inner) for inner in value]
        case str() if re.fullmatch(r"(rq|or|ol|dl|ev)_\w+", value):
            return value[:3] + "…"
        case str() if re.fullmatch(r"AS-\w{4}-\w{4}", value):
            return "AS-…"
    return value


def written(told: Any) -> str:
    """As JSON, with what fits on a line on one line."""
    return _laid_out(shown(told), "") + "\n"


def _laid_out(value: Any, indent: str, width: int = 165) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent) + len(line) <= width - 20:
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        rows = [f"{json.dumps(name)}: {_laid_out(item, inner)}" for name, item in value.items()]
        return "{\n" + ",\n".join(inner + row for row in rows) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _laid_out(item, inner) for item in value) + f"\n{indent}]"


async def story(server: Server, bring: Bring) -> dict[str, str]:
    """A refund from its claim to the silence of the seller, by the operations that README names."""
    await server.running.house.feed.begin()
    order = await bring("1001")
    stream = await server.follow(operation("RequestStream"), SELLER)
    assert (await item(stream))["__typename"] == "StreamReady"

    claim = {"idempotencyKey": "c1", "orderId": order.id, "lines": [line(order)], "reason": "not_received"}
    opened = await server.ask(operation("RefundOnlyOpen"), BUYER, input=claim)
    request = opened["refundOnlyOpen"]["request"]
    amount = {"amount": "250000", "currency": "IDR"}
    too_much = {"idempotencyKey": "s1", "requestId": request["id"], "expectedVersion": 1, "amount": amount}
    refused = await server.ask(operation("RefundOnlyApprove"), SELLER, input=too_much)

    await server.time_passes(days=2, minutes=1)
    await server.running.house.feed._catch_up()
    while (heard := await item(stream)).get("event", {}).get("type") != "DeadlineExpired":
        pass
    return {
        "RefundOnlyOpen": written({"input": claim}) + written({"data": opened}),
        "RefundOnlyApprove": written({"input": too_much}) + written({"data": refused}),
        "DeadlineExpired": written({"data": {"requestStream": heard}}),
    }


def operation(name: str) -> str:
    return (ROOT / "schema" / "operations" / f"{name}.graphql").read_text()


async def item(stream: AsyncIterator[ExecutionResult]) -> Any:
    result = await anext(stream)
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data["requestStream"]


async def test_the_answers_in_readme_are_the_servers(server: Server, bring: Bring) -> None:
    expected = await story(server, bring)
    page = README.read_text()
    if os.environ.get("README_WRITE"):
        page = BLOCK.sub(lambda m: m[0].replace(f"```json\n{m[4]}```", f"```json\n{expected[m[2]]}```"), page)
        README.write_text(page)

    blocks = {name: text for _, name, _, text in BLOCK.findall(page)}

    assert blocks == expected


def test_every_link_in_readme_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README.read_text()) if "://" not in link]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_readme_fits_a_quarter_of_an_hour() -> None:
    assert len(README.read_text().splitlines()) <= 200


@pytest.mark.parametrize("marker", ["run-command", "test-command"])
def test_the_two_commands_are_there(marker: str) -> None:
    found = re.search(rf"<!-- {marker} -->\n```sh\n(.+)\n```", README.read_text())

    assert found is not None
    assert shutil.which(found[1].split()[0]) is not None


def test_the_exchange_in_readme_is_a_whole_process() -> None:
    table = next(text for text in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "EX1" in text)
    names: dict[str, Any] = {}
    exec("from aftersales.plugin import *", names)
    exec(table, names)

    process = Process("exchange", names["TRANSITIONS"], COMMON, AWAITING_BUYER_SHIP)

    assert {"awaiting_seller_ship", "pending_inspection"} <= set(process.stages)

"""What an operation costs in SQL: a fixed small number of statements and hops, whatever the size of the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.graphql.server import BUYER, SELLER, Bring, Open, Server, line

from aftersales.store.database import Row, Statement

OPERATIONS = Path(__file__).parents[2] / "schema" / "operations"

# The fields of a page that need rows of their own, beside those of the board.
EVERYTHING = """query($first: Int!) { requests(first: $first) { totalCount streamCursor edges { cursor node {
    availableActions { handle maximumAmount { amount } } evidence { nodes { id } } details { kind { handle } }
    money { parts { amount { amount } } } shipments { id } deadlines { onExpiry } shop { name } buyer { name }
    previous { id } next { id } newest: history(first: 1) { nodes { id } } history(first: 5) { nodes { id } }
    order { total { amount } lines { skuId } requests { streamCursor nodes { number } } } } } } }"""


class Counted:
    """Counts what goes to the database, and passes it on."""

    def __init__(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements = self.hops = 0
        database = server.running.database
        for name in ("read", "write"):
            monkeypatch.setattr(database, name, self._counting(getattr(database, name)))

    def _counting(self, passed_on: Any) -> Any:
        async def counted(*statements: Statement) -> Sequence[Sequence[Row]]:
            self.hops += 1
            self.statements += len(statements)
            found: Sequence[Sequence[Row]] = await passed_on(*statements)
            return found

        return counted

    def taken(self) -> tuple[int, int]:
        """Hops, and the statements in them, since it was last asked."""
        counted = self.hops, self.statements
        self.statements = self.hops = 0
        return counted


@pytest.fixture
def counted(server: Server, monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(server, monkeypatch)


def operation(name: str) -> str:
    return (OPERATIONS / f"{name}.graphql").read_text()


@pytest.fixture
async def fifty(opened: Open) -> list[str]:
    return [(await opened(number=str(1001 + number)))["id"] for number in range(50)]


@pytest.mark.parametrize(
    ("document", "hops", "statements"),
    [
        # where the log ends; which requests; these, with lines, clocks, parcels, refunds and costs, their orders, shops
        # and order lines; and their latest events
        (operation("Board"), 4, 1 + 1 + 9 + 1),
        # the same; claims, refunds of the orders and evidence as well; histories, files, the orders' other requests
        # and these whole; the count
        (EVERYTHING, 9, 1 + 1 + 16 + 1 + 1 + 1 + 1 + 16 + 1),
    ],
    ids=["the board", "everything"],
)
async def test_a_page_costs_the_same_whatever_its_size(
    server: Server, fifty: list[str], counted: Counted, document: str, hops: int, statements: int
) -> None:
    costs = {}
    for first in (1, 2, 10, 50):
        counted.taken()
        page = (await server.ask(document, SELLER, first=first))["requests"]
        costs[first] = counted.taken()
        assert len(page.get("nodes") or page["edges"]) == first

    assert costs == dict.fromkeys((1, 2, 10, 50), (hops, statements))


async def test_a_single_request_costs_little(server: Server, opened: Open, counted: Counted) -> None:
    request = await opened()
    asked = {
        "the detail": (operation("RequestDetail"), {"by": {"id": request["id"]}}),
        "a tiny one": ("query($id: ID!) { request(by: {id: $id}) { id status } }", {"id": request["id"]}),
    }

    costs = {}
    for name, (document, variables) in asked.items():
        counted.taken()
        await server.ask(document, SELLER, **variables)
        costs[name] = counted.taken()

    # the request whole; its evidence; its history
    assert costs == {"the detail": (3, 16 + 1 + 1), "a tiny one": (1, 9)}


async def test_an_order_costs_the_same_however_many_requests_it_has(
    server: Server, bring: Bring, counted: Counted
) -> None:
    order = await bring("2001")
    costs = []
    for position in (0, 1):
        await server.do("refundOnlyOpen", BUYER, orderId=order.id, lines=[line(order, position)], reason="not_received")
        counted.taken()
        found = await server.ask(operation("OrderDetail"), BUYER, id=order.id)
        costs.append(counted.taken())
        assert len(found["order"]["requests"]["nodes"]) == position + 1

    # the order with shop, lines, claims and refunds; where the log ends; which requests; and these whole
    assert costs == [(5, 5 + 1 + 1 + 1 + 16)] * 2


async def test_a_mutation_reads_once_and_writes_once(server: Server, bring: Bring, counted: Counted) -> None:
    order = await bring("2001")
    costs: dict[str, tuple[int, int]] = {}

    async def cost(of: str, mutation: str, actor: Any, **input: Any) -> Any:
        counted.taken()
        payload = await server.do(mutation, actor, **input)
        costs[of] = counted.taken()
        return payload["request"]

    claim = {"orderId": order.id, "lines": [line(order)], "reason": "not_received"}
    request = await cost("open", "refundOnlyOpen", BUYER, **claim, idempotencyKey="open")
    decision = {"requestId": request["id"], "expectedVersion": 1, "idempotencyKey": "approve"}
    await cost("approve", "refundOnlyApprove", SELLER, **decision)
    await cost("the same again", "refundOnlyApprove", SELLER, **decision)
    await cost("too late", "refundOnlyApprove", SELLER, **decision | {"idempotencyKey": "other"})

    assert costs == {
        # the order with shop, lines, claims and refunds; the shop's turn, key, order, terms, request, line, clock,
        # shop and log
        "open": (2, 6 + 9),
        # the request whole; the shop's turn, key, order, request, line, clock, refund, shop and log
        "approve": (2, 16 + 9),
        # it is refused first; then the key is known, and the request is read anew
        "the same again": (3, 16 + 1 + 16),
        # the key is not known; the request as it is, and what was missed
        "too late": (4, 16 + 1 + 16 + 1),
    }

"""Refunds unasked, as each party is shown them, and what they cost in SQL."""

from typing import Any

import pytest
from tests.graphql.server import BUYER, SELLER, Bring, Server, line
from tests.graphql.test_statements import Counted

from aftersales.store.imports import ImportedOrder, order_line_id

REFUNDS = "refunds { note actorId reason { handle label } lines { full amount { amount } } }"
OF_A_PAGE = f"{{ requests {{ nodes {{ order {{ {REFUNDS} }} }} }} }}"
OF_AN_ORDER = f"query($id: ID!) {{ order(id: $id) {{ {REFUNDS} }} }}"


def given(order: ImportedOrder, amount: int | None = None, place: int = 0) -> dict[str, Any]:
    money = None if amount is None else {"amount": str(amount), "currency": "IDR"}
    return {"orderLineId": order_line_id(order.id, place), "amount": money}


async def create(server: Server, order: ImportedOrder, *lines: dict[str, Any], **said: Any) -> Any:
    fields = "replayed refund { id status amount { amount } lines { full } } problems { __typename code path message }"
    said = {"reason": "goodwill", "note": "For the scratch."} | said
    return await server.do("sellerRefundCreate", SELLER, fields, orderId=order.id, lines=list(lines), **said)


async def test_a_line_says_whether_anything_is_left_of_it_whichever_way_one_comes(server: Server, bring: Bring) -> None:
    """G_FULL."""
    order = await bring("2001")
    await server.do("refundOnlyOpen", BUYER, orderId=order.id, lines=[line(order, 1)], reason="not_received")

    done = await create(server, order, given(order, 199_999))
    part = (await server.ask(OF_AN_ORDER, BUYER, id=order.id))["order"]["refunds"]
    rest = await create(server, order, given(order))
    of_order = (await server.ask(OF_AN_ORDER, BUYER, id=order.id))["order"]["refunds"]
    [of_page] = (await server.ask(OF_A_PAGE, BUYER))["requests"]["nodes"]

    assert [refund["lines"][0]["full"] for refund in (done["refund"], part[0], rest["refund"])] == [False, False, True]
    assert [refund["lines"][0]["full"] for refund in of_order] == [True, True]
    assert of_page["order"]["refunds"] == of_order


@pytest.mark.parametrize(("actor", "note", "who"), [(SELLER, "For the scratch.", "st_owner"), (BUYER, None, None)])
async def test_what_a_seller_says_and_who_said_it_is_not_for_buyers(
    server: Server, bring: Bring, actor: Any, note: str | None, who: str | None
) -> None:
    """Section 11."""
    order = await bring("2001")
    await create(server, order, given(order, 1))

    [refund] = (await server.ask(OF_AN_ORDER, actor, id=order.id))["order"]["refunds"]

    assert (refund["note"], refund["actorId"]) == (note, who)


async def test_why_it_was_given_is_said_in_the_callers_language(server: Server, bring: Bring) -> None:
    order = await bring("2001")
    await create(server, order, given(order, 1))

    said = [
        (await server.ask(OF_AN_ORDER, BUYER, language, id=order.id))["order"]["refunds"][0]["reason"]
        for language in ("en", "id")
    ]

    assert [reason["handle"] for reason in said] == ["goodwill", "goodwill"]
    assert [reason["label"] for reason in said] == ["As a favour", "Sebagai itikad baik"]


async def test_each_thing_that_is_wrong_is_told_once(server: Server, bring: Bring) -> None:
    order = await bring("2001")

    many = await create(server, order, *[given(order, 1)] * 101)

    assert [(problem["code"], problem["path"]) for problem in many["problems"]] == [("INVALID_INPUT", ["lines"])]


async def test_a_refund_reads_once_and_writes_once(
    server: Server, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await bring("2001")
    counted = Counted(server, monkeypatch)

    await create(server, order, given(order, 1), given(order, 1, place=1))

    # the order with shop, lines, claims and refunds; key, order and refund; the order as it is now
    assert counted.taken() == (3, 5 + 3 + 5)

"""Orders and scans come in by mutation: each row judged for itself, each call done once for its key."""

from typing import Any

import pytest
from tests.graphql.server import AGENT, BANGKOK, BUYER, CARRIER, JAKARTA, SELLER, Open, Server
from tests.market import line_told, objections, order_told, shop_told

from aftersales.engine.vocabulary import Actor, Party
from aftersales.graphql.masking import GraphQLErrors

APP = Actor(Party.PARTNER, "app", frozenset({JAKARTA.id}), frozenset({"orders.import", "view"}))
MARKETPLACE = Actor(Party.PLATFORM, "marketplace", grants=frozenset({"orders.import"}))

IMPORTED = """
    results {
      index number outcome
      order { id number state total { amount currency } lines { skuId quantity } }
      problems { __typename code path message }
    }
    shops { index outcome problems { code path } }
    problems { code path message ... on NotAllowed { permission } ... on KeyReused { firstUsedAt } }
    replayed
"""
REPORTED = """
    results { index outcome request { id stage { handle } version } problems { __typename code path } }
    problems { code path ... on NotAllowed { permission } }
    replayed
"""


async def bring(server: Server, *orders: dict[str, Any], actor: Actor = APP, **input: Any) -> Any:
    return await server.do("ordersImport", actor, IMPORTED, orders=list(orders), **input)


async def report(server: Server, *scans: dict[str, Any], actor: Actor = CARRIER, **input: Any) -> Any:
    told = [{"carrier": "JNE", **scan} for scan in scans]
    return await server.do("carrierReport", actor, REPORTED, scans=told, **input)


def outcomes(payload: Any) -> list[str]:
    return [row["outcome"] for row in payload["results"]]


async def test_an_order_comes_in_and_is_answered_as_it_is_now(server: Server) -> None:
    payload = await bring(server, order_told("A1", total="110000", lines=[line_told(tax="0", category="lamps")]))

    [row] = payload["results"]
    assert (payload["problems"], payload["replayed"], payload["shops"]) == ([], False, [])
    assert (row["index"], row["number"], row["outcome"], row["problems"]) == (0, "A1", "CREATED", [])
    assert row["order"] == {
        "id": row["order"]["id"],
        "number": "A1",
        "state": "DELIVERED",
        "total": {"amount": "110000", "currency": "IDR"},
        "lines": [{"skuId": "lamp-1", "quantity": 2}],
    }


async def test_bad_orders_are_told_by_their_index_and_do_not_stop_the_others(server: Server) -> None:
    bad, foreign = order_told("A 2", shippingPaid="1.5"), order_told("A3", shopId="bangkok")

    payload = await bring(server, order_told("A1"), bad, foreign, order_told("A4"))

    assert outcomes(payload) == ["CREATED", "REFUSED", "REFUSED", "CREATED"]
    assert [objections(row) for row in payload["results"]] == [
        [],
        [("INVALID_INPUT", "orders.1.shippingPaid"), ("INVALID_INPUT", "orders.1.number")],
        [("NOT_FOUND", "orders.2.shopId")],
        [],
    ]
    assert [row["order"] is None for row in payload["results"]] == [False, True, True, False]


async def test_an_order_told_again_with_news_moves_on(server: Server) -> None:
    shipped = order_told("A1", state="IN_TRANSIT", deliveredAt=None)

    told = [await bring(server, order) for order in (shipped, shipped, order_told("A1"))]

    assert [outcomes(payload) for payload in told] == [["CREATED"], ["UNCHANGED"], ["UPDATED"]]
    assert told[-1]["results"][0]["order"]["state"] == "DELIVERED"


async def test_a_call_with_the_same_key_writes_nothing_the_second_time(server: Server) -> None:
    old, new = order_told("A1"), order_told("A1", buyer={"id": "ani", "name": "Ani B."})
    calls = [order_told("A2", currency="XXY"), old, order_told("A1", currency="USD")]
    await bring(server, *calls, idempotencyKey="k")
    await bring(server, new)

    again = await bring(server, *calls, idempotencyKey="k")

    assert (outcomes(again), again["replayed"]) == (["REFUSED", "UNCHANGED", "REFUSED"], True)
    assert outcomes(await bring(server, new)) == ["UNCHANGED"]


async def test_a_key_used_for_other_orders_is_refused_until_it_is_forgotten(server: Server) -> None:
    await bring(server, order_told("A1"), idempotencyKey="k")
    server.clock.passes(hours=71)

    refused = await bring(server, order_told("A2"), idempotencyKey="k")
    server.clock.passes(hours=2)
    taken = await bring(server, order_told("A2"), idempotencyKey="k")

    assert (objections(refused), refused["results"]) == ([("KEY_REUSED", "idempotencyKey")], [])
    assert refused["problems"][0]["firstUsedAt"] == "2025-03-03T03:00:00Z"
    assert (outcomes(taken), taken["replayed"]) == (["CREATED"], False)


async def test_shops_come_in_before_their_orders(server: Server) -> None:
    told = [shop_told("bandung"), shop_told("jakarta", market="TH"), shop_told("medan", market="??")]

    payload = await bring(server, order_told("A1", shopId="bandung"), shops=told, actor=MARKETPLACE)

    assert outcomes(payload) == ["CREATED"]
    assert [(row["outcome"], objections(row)) for row in payload["shops"]] == [
        ("CREATED", []),
        ("REFUSED", [("INVALID_INPUT", "shops.1.market")]),
        ("REFUSED", [("INVALID_INPUT", "shops.2.market")]),
    ]


async def test_a_partner_speaks_for_its_own_shops_only(server: Server) -> None:
    payload = await bring(server, order_told("A1", shopId="bangkok"), shops=[shop_told("bangkok", market="TH")])

    assert (outcomes(payload), payload["shops"][0]["outcome"]) == (["REFUSED"], "REFUSED")
    found = await server.running.desk.ledger.shops([BANGKOK.id])
    assert found[BANGKOK.id] == BANGKOK


@pytest.mark.parametrize(
    "actor", [SELLER, BUYER, AGENT, CARRIER, Actor(Party.PARTNER, "app", APP.shops, frozenset({"view"}))]
)
async def test_nobody_else_brings_in_orders(server: Server, actor: Actor) -> None:
    payload = await bring(server, order_told(), actor=actor)

    assert (objections(payload), payload["results"]) == ([("FORBIDDEN", "")], [])
    assert payload["problems"][0]["permission"] == "orders.import"


async def test_a_partner_that_may_not_look_brings_in_orders_unseen(server: Server) -> None:
    blind = Actor(Party.PARTNER, "app", APP.shops, frozenset({"orders.import"}))

    payload = await bring(server, order_told(), actor=blind)

    assert [(row["outcome"], row["order"]) for row in payload["results"]] == [("CREATED", None)]


async def test_a_call_takes_100_orders_and_not_one_more(server: Server) -> None:
    few = {"number": "", "shopId": "jakarta", "buyer": {"id": "ani"}, "currency": "IDR", "state": "UNPAID",
           "placedAt": "2025-02-27T10:00:00Z", "lines": [line_told()]}  # fmt: skip

    many = await server.do("ordersImport", APP, "results { outcome } problems { code path }", orders=[
        few | {"number": str(number)} for number in range(100)
    ])  # fmt: skip
    more = await server.do("ordersImport", APP, IMPORTED, orders=[few] * 101, idempotencyKey="")

    assert (many["problems"], outcomes(many)) == ([], ["CREATED"] * 100)
    assert objections(more) == [("INVALID_INPUT", "idempotencyKey"), ("INVALID_INPUT", "orders")]


@pytest.mark.parametrize("wrong", [{"shippingPaid": 1.5}, {"placedAt": "2025-02-27"}, {"state": "GONE"}, {"totl": "1"}])
async def test_what_the_types_forbid_never_reaches_the_orders(server: Server, wrong: dict[str, Any]) -> None:
    with pytest.raises(GraphQLErrors) as refused:
        await bring(server, order_told() | wrong)

    assert [error.extensions for error in refused.value.errors] == [{"code": "VARIABLES_INVALID"}]


async def approved(server: Server, opened: Open, number: str) -> str:
    """A return that waits for its parcel; its id."""
    request = await opened("returnRefund", number)
    await server.do("returnRefundApprove", SELLER, requestId=request["id"], expectedVersion=1)
    return str(request["id"])


async def test_a_carrier_tells_of_many_parcels_and_the_bad_rows_do_not_stop_the_others(
    server: Server, opened: Open
) -> None:
    first, second = await approved(server, opened, "1"), await approved(server, opened, "2")

    payload = await report(
        server,
        {"event": "HANDED_OVER", "requestId": first, "leg": "RETURN", "trackingNumber": "JP1"},
        {"event": "DELIVERED", "trackingNumber": "nobody's"},
        {"event": "LOST", "requestId": second, "leg": "RETURN"},
        {"event": "DELIVERED", "trackingNumber": " JP1 "},
        {"event": "HANDED_OVER", "trackingNumber": "JP1"},
    )

    assert payload["problems"] == []
    assert [
        (row["index"], row["outcome"], row["request"] and row["request"]["stage"]["handle"], objections(row))
        for row in payload["results"]
    ] == [
        (0, "DONE", "return_in_transit", []),
        (1, "REFUSED", None, [("NOT_FOUND", "scans.1.trackingNumber")]),
        (2, "REFUSED", "awaiting_buyer_ship", [("INVALID_STATE", "scans.2")]),
        (3, "DONE", "pending_inspection", []),
        (4, "KNOWN", "pending_inspection", []),
    ]
    assert payload["results"][2]["problems"][0]["__typename"] == "IllegalTransition"


async def test_a_report_with_the_same_key_does_nothing_twice_and_takes_what_was_mended(
    server: Server, opened: Open
) -> None:
    first, second = await approved(server, opened, "1"), await approved(server, opened, "2")
    good = {"event": "HANDED_OVER", "requestId": first, "leg": "RETURN"}
    bad = {"event": "HANDED_OVER", "requestId": second}

    once = await report(server, good, bad, idempotencyKey="k")
    again = await report(server, good, bad, idempotencyKey="k")
    mended = await report(server, good, bad | {"leg": "RETURN"}, idempotencyKey="k")
    other = await report(server, good | {"event": "LOST"}, idempotencyKey="k")

    assert [(outcomes(payload), payload["replayed"]) for payload in (once, again, mended)] == [
        (["DONE", "REFUSED"], False), (["DONE", "REFUSED"], True), (["DONE", "DONE"], False),
    ]  # fmt: skip
    assert again["results"][0]["request"]["version"] == once["results"][0]["request"]["version"]
    assert objections(other["results"][0]) == [("KEY_REUSED", "idempotencyKey")]


@pytest.mark.parametrize("actor", [SELLER, BUYER, AGENT, APP, MARKETPLACE])
async def test_nobody_else_tells_of_parcels(server: Server, actor: Actor) -> None:
    payload = await report(server, {"event": "LOST", "trackingNumber": "JP1"}, actor=actor)

    assert (objections(payload), payload["results"]) == ([("FORBIDDEN", "")], [])


async def test_a_report_takes_100_scans_and_not_one_more(server: Server) -> None:
    payload = await report(server, *[{"event": "LOST", "trackingNumber": "JP1"}] * 101)

    assert objections(payload) == [("INVALID_INPUT", "scans")]

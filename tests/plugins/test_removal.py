"""Any plugin can be taken away: its kind is gone from schema and registry, and the others live on without it."""

import pytest
from graphql import build_schema
from tests.contract.test_stories import KINDS, STORIES, Walk

from aftersales.graphql.published import sdl
from aftersales.registry import Registry
from aftersales.testing.house import SELLER, house

NAMES = {
    "refund_only": "RefundOnly",
    "return_refund": "ReturnRefund",
    "reshipment": "Reshipment",
    "exchange": "Exchange",
}
# Without exchange nobody may offer one; without return-and-refund no exchange can become it.
CONVERSIONS = {"return_refund_offer": "exchange", "exchange_offer": "return_refund"}


def others(kind: str) -> frozenset[str]:
    return frozenset(KINDS) - {kind}


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_is_gone_from_registry_and_schema_and_the_others_are_there(kind: str) -> None:
    registry = Registry.installed(only=others(kind))

    schema = build_schema(sdl(registry))

    assert schema.mutation_type
    fields = schema.mutation_type.fields
    opens = {name: f"{prefix[0].lower()}{prefix[1:]}Open" for name, prefix in NAMES.items()}
    assert kind not in registry.kinds
    assert opens[kind] not in fields
    assert {opens[name] for name in others(kind)} <= set(fields)
    assert [name for name in schema.type_map if name.startswith(f"{NAMES[kind]}Open")] == []


@pytest.mark.parametrize("kind", KINDS)
async def test_the_others_live_from_open_to_end_without_it(kind: str) -> None:
    for other in sorted(others(kind)):
        async with house(only=others(kind)) as home:
            await STORIES[f"{other}_happy"](Walk(home, f"{other}_happy"))


@pytest.mark.parametrize("kind", KINDS)
async def test_what_the_others_may_offer_lacks_nothing_but_it(kind: str) -> None:
    for file in sorted(f"{other}_offer" for other in others(kind)):
        async with house(only=others(kind)) as home:
            walk = Walk(home, file)
            if CONVERSIONS.get(file) == kind:
                request = await walk.asked()
                offer = {"kind": {"exchange": "EXCHANGE", "return_refund": "RETURN_REFUND"}[kind]}
                seen = {"requestId": request["id"], "expectedVersion": 1, "idempotencyKey": "offer"}
                answer = await walk.ask("SellerOffers", SELLER, input=seen | offer)
                assert [problem["code"] for problem in answer["problems"]] == ["OFFER_NOT_ALLOWED"]
            elif file != "refund_only_offer":
                await STORIES[file](walk)

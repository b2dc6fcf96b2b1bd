"""What the seller's side says among itself reaches no buyer and no carrier, however much they ask for."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import cache
from typing import Any

import orjson
import pytest
from graphql import (
    ExecutionResult,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from tests.contract.test_operations import PUBLISHED
from tests.contract.town import Town
from tests.postgres import Postgres

from aftersales.engine.vocabulary import Actor, Party
from aftersales.graphql.context import context_for
from aftersales.graphql.documents import DocumentLimits
from aftersales.graphql.operations import Operations
from aftersales.graphql.schema import build_schema
from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, Home, house, line

# Deep enough for what is beside a request to show the request again.
DEEP = 3
BOUNDLESS = DocumentLimits(
    characters=10**7, tokens=10**6, depth=50, fields=10**6, aliases=10**6, root_fields=100, directives=100
)
# Said by the seller's side in what follows.
SECRETS = (
    "AMONG-US-STATEMENT", "AMONG-US-DECISION", "AMONG-US-REFUND", "AMONG-US-REJECTION", "AMONG-US-ANSWER",
    "AMONG-US-INSPECTION", "AMONG-US-RULE", "AMONG-US-APP", "COMPENSATION", "Compensation", "AppealFiled",
    "appeal.window", "ruleId",
)  # fmt: skip
NAME = "Siti Kenari"
IDS = re.compile(r"\b(?:rq|or|dl|ev|ed|di|ap|sh|rf)_[0-9a-z]+(?:_[a-z0-9]+)*")
[SELLER_SHOP] = SELLER.shops
APP = Actor(Party.PARTNER, "ap_1", SELLER.shops, frozenset({"view", "review"}))
WITHOUT_SHIP = Actor(Party.SELLER, "st_2", SELLER.shops, frozenset({"view", "review", "inspect", "offer", "appeal"}))
WITH_SHIP = Actor(Party.SELLER, "st_3", SELLER.shops, frozenset({"view", "ship"}))


@cache
def everything(name: str, depth: int) -> str:
    """Every field of a type that asks for no argument, and what is below; each under a name that meets no other."""
    type: GraphQLNamedType = PUBLISHED.type_map[name]
    if isinstance(type, GraphQLUnionType | GraphQLInterfaceType):
        of_each = (
            f"... on {member.name} {{ {everything(member.name, depth)} }}"
            for member in PUBLISHED.get_possible_types(type)
        )
        return f"__typename {' '.join(of_each)}"
    assert isinstance(type, GraphQLObjectType)
    return " ".join(["__typename", *(one for field in type.fields if (one := asked(type, field, depth)))])


def asked(type: GraphQLObjectType, name: str, depth: int) -> str:
    field = type.fields[name]
    if any(is_required_argument(argument) for argument in field.args.values()):
        return ""
    below = get_named_type(field.type)
    if is_leaf_type(below):
        return f"{type.name}_{name}: {name}"
    return f"{type.name}_{name}: {name} {{ {everything(below.name, depth - 1)} }}" if depth else ""


_operations: dict[int, Operations] = {}


def without_limits(home: Home) -> Operations:
    """Made once for a house."""
    if id(home) not in _operations:
        _operations[id(home)] = Operations(build_schema(home.running.registry), BOUNDLESS)
    return _operations[id(home)]


async def told(home: Home, actor: Actor, query: str, **variables: Any) -> str:
    operations = without_limits(home)
    answer = await operations.execute(
        operations.prepare(query, None, variables), context_for(home.running.house, actor, "en")
    )
    assert answer.data is not None, answer.errors
    return orjson.dumps(answer.formatted, default=str).decode()


QUERY = f"query ($by: RequestRef!) {{ request(by: $by) {{ {everything('Request', DEEP)} }} }}"
LIST = f"query {{ requests(first: 20) {{ nodes {{ {everything('Request', 1)} }} }} }}"
ORDER = f"query ($id: ID!) {{ order(id: $id) {{ {everything('Order', DEEP)} }} }}"
NODES = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {everything('Node', 1)} }} }}"
STALE = (
    f"mutation ($input: RequestActInput!) {{ requestCancel(input: $input) {{ {everything('RequestPayload', DEEP)} }} }}"
)
STREAM = f"subscription ($after: Cursor) {{ requestStream(after: $after) {{ {everything('StreamItem', 2)} }} }}"


async def lived(town: Town) -> Any:
    """Granted by the platform, paid, appealed, compensated; and refunded unasked beside."""
    order = await town.home.order(line(quantity=2), number="N1", buyer_name=NAME)
    claim = {"orderId": order.id, "lines": [{"orderLineId": order.lines[0].id, "quantity": 1}]}
    request = (await town.do("RefundOnlyOpen", BUYER, **claim, reason="not_received", note="Where is it?"))["request"]
    request = await town.decide("RequestPlatformApprove", AGENT, request, note="For the buyer")
    await town.home.pass_time(minutes=1)
    page = await town.ask("Appeals", SELLER)
    shown = [await town.photo(SELLER, "AWB"), await town.photo(SELLER)]
    appeal = await town.appeal(
        "AppealFile", SELLER, page["nodes"][0], reason="delivered_to_address", statement="AMONG-US-STATEMENT",
        evidenceIds=shown,
    )  # fmt: skip
    appeal = await town.appeal("AppealTakeUp", AGENT, appeal)
    await town.appeal("AppealApprove", AGENT, appeal, note="AMONG-US-DECISION")
    await town.do(
        "SellerRefundCreate", SELLER, orderId=order.id, reason="goodwill", note="AMONG-US-REFUND",
        lines=[{"orderLineId": order.lines[0].id, "amount": {"amount": "1000", "currency": "IDR"}}],
    )  # fmt: skip
    await quarreled(town)
    return request


async def quarreled(town: Town) -> None:
    """Rejected and disputed; inspected and rejected; granted by a rule: each with words of the seller's side."""
    buyers = (await town.home.order(line(quantity=4), number="N2", buyer_name=NAME), "not_received")
    claim = {"orderId": buyers[0].id, "lines": [{"orderLineId": buyers[0].lines[0].id, "quantity": 1}]}
    request = (await town.do("RefundOnlyOpen", BUYER, **claim, reason=buyers[1]))["request"]
    request = await town.decide("RequestReject", APP, request, reason="unclear_or_no_evidence", note="AMONG-US-APP")
    request = await town.decide("DisputeOpen", BUYER, request, note="It never came.")
    await town.decide("DisputeSubmitEvidence", SELLER, request, note="AMONG-US-ANSWER")
    back = await town.parcel_that_came_back()
    back = await town.decide(
        "ReturnRejectPackage", SELLER, back, reason="pkg_damaged_used", evidenceIds=[await town.photo(SELLER)],
        note="AMONG-US-INSPECTION",
    )  # fmt: skip
    await town.decide("RequestReject", SELLER, await town.refund_only(), reason="unclear_or_no_evidence",
                      note="AMONG-US-REJECTION")  # fmt: skip
    await town.do(
        "ShopRuleSave", SELLER, shopId=SELLER_SHOP, name="AMONG-US-RULE", conditions={"reasons": ["not_received"]}
    )
    await town.refund_only()


@pytest.fixture(scope="module")
def seen(engine: Postgres | None) -> dict[str, str]:
    """What each hears who asks for everything there is of one request, its order, its list and its stream."""
    return asyncio.run(_seen())


async def _seen() -> dict[str, str]:
    parties = {"buyer": BUYER, "carrier": CARRIER, "seller": SELLER, "agent": AGENT,
               "without ship": WITHOUT_SHIP, "with ship": WITH_SHIP}  # fmt: skip
    async with house() as home:
        town = Town(home)
        starts = {who: await first_cursor(home, actor) for who, actor in parties.items()}
        request = await lived(town)
        order = (await town.shown(request))["order"]["id"]
        seen = {
            who: [
                await told(home, actor, QUERY, by={"id": request["id"]}),
                await told(home, actor, LIST),
                await told(home, actor, ORDER, id=order),
                *[item async for item in heard(home, actor, starts[who])],
            ]
            for who, actor in parties.items()
        }
        # whatever has an id that anybody was told, by that id; and what a refusal tells of what was missed
        ids = sorted({found[0] for text in seen["agent"] + seen["seller"] for found in IDS.finditer(text)})
        assert len(ids) > 50
        late = {"requestId": request["id"], "expectedVersion": 1}
        for who, actor in parties.items():
            for start in range(0, len(ids), 100):
                seen[who].append(await told(home, actor, NODES, ids=ids[start : start + 100]))
            seen[who].append(await told(home, actor, STALE, input=late | {"idempotencyKey": f"late-{who}"}))
        return {who: "\n".join(texts) for who, texts in seen.items()}


async def first_cursor(home: Home, actor: Actor) -> str:
    async with aclosing(home.follow("subscription { requestStream { ... on StreamReady { cursor } } }", actor)) as live:
        return str((await anext(live))["requestStream"]["cursor"])


async def heard(home: Home, actor: Actor, after: str) -> AsyncIterator[str]:
    operations = without_limits(home)
    prepared = operations.prepare(STREAM, None, {"after": after})
    answers = await operations.subscribe(prepared, context_for(home.running.house, actor, "en"))
    assert not isinstance(answers, ExecutionResult)
    async with aclosing(answers):
        async for answer in answers:
            text = orjson.dumps(answer.formatted, default=str).decode()
            yield text
            if "StreamHeartbeat" in text:
                return


@pytest.mark.parametrize("secret", SECRETS)
def test_what_the_sellers_side_says_among_itself_is_there_and_reaches_no_buyer(
    seen: dict[str, str], secret: str
) -> None:
    who = {who for who, text in seen.items() if secret in text}

    assert who >= {"seller", "agent"}, "it was asked for in a way that shows it"
    assert who & {"buyer", "carrier"} == set()


def test_the_buyers_name_is_shown_to_those_who_must_write_it_on_a_parcel(seen: dict[str, str]) -> None:
    assert {who for who, text in seen.items() if NAME in text} == {"buyer", "seller", "with ship", "agent"}


def test_everything_is_asked_for() -> None:
    """Each field without a required argument, of each type that is reached, is in one of the documents."""
    asked_for = "\n".join((QUERY, ORDER, STREAM))
    assert len(asked_for) > 20_000
    for name in (
        "Request_note",
        "Request_appeal",
        "Appeal_statement",
        "RequestEvent_note",
        "Buyer_name",
        "Order_refunds",
    ):
        assert f" {name}: " in asked_for

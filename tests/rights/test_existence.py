"""Of what is not theirs nobody learns so much as that it exists: every id there is, in every place that takes one.

Whoever has no right to a record asks about it and, in the same words, about one that never was. All else in the wish is
their own. Status, headers and body of the two answers are the same, byte for byte.
"""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import Any

import httpx
import pytest
import pytest_asyncio
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from tests.contract.test_operations import PUBLISHED
from tests.contract.town import OPERATIONS, Town
from tests.postgres import Postgres
from tests.record import undone
from tests.rights.test_matrix import CALLERS, SUBSCRIPTION
from tests.rights.test_secrets import everything
from tests.transport.people import headers

from aftersales.asgi import create_app
from aftersales.engine.vocabulary import Actor
from aftersales.testing.house import AGENT, BUYER, SELLER, SHOP, Home, house

pytestmark = pytest.mark.asyncio(loop_scope="module")

OUTSIDERS = {
    who: CALLERS[who]
    for who in ("another buyer", "another shop's owner", "another shop's app", "staff with no grant", "a stranger")
}
THEIR_BUYER, THEIR_SELLER = CALLERS["another buyer"], CALLERS["another shop's owner"]
THEIR_SHOP = replace(SHOP, id="sh_9", name="Warung")
# What differs between any two answers.
PASSING = {"date", "ratelimit", "ratelimit-policy", "x-request-id"}
FIELDS = {
    **(PUBLISHED.query_type.fields if PUBLISHED.query_type else {}),
    **(PUBLISHED.mutation_type.fields if PUBLISHED.mutation_type else {}),
}
KEYS = count()

# fmt: off
# What a wish says where it names no record: good enough to be looked at.
SAID: dict[str, Any] = {
    "idempotencyKey": "-", "expectedVersion": 1, "version": 1, "reason": "not_received", "kind": "refund_only",
    "note": "A word.", "statement": "A word.", "name": "A name", "action": "approve", "skuId": "sku_1b",
    "carrier": "JNE", "tracking": "J1", "trackingNumber": "J1", "mediaType": "image/jpeg", "bytes": 9,
    "sha256": "0" * 64, "url": "https://files.example/1.jpg", "quantity": 1, "first": 5, "pickupAt":
    "2025-03-06T03:00:00Z", "number": "A1", "currency": "IDR", "unitPaid": "1",
    "placedAt": "2025-02-28T10:00:00+07:00", "productName": "Lamp", "market": "ID", "amount": "1",
}
# Where a record is named by a text.
NAMES = {"RequestRef.number": "number", "RequestFilter.orderNumber": "orderNumber", "RequestFilter.text": "orderNumber",
         "OrderInput.shopId": "marketplaceShop", "ShopInput.id": "marketplaceShop"}
# fmt: on


@dataclass
class World:
    """What there is, by the name of the field that takes it: of ours, which is hidden, and of the outsiders' own."""

    home: Home
    http: httpx.AsyncClient
    hidden: dict[str, list[str]] = field(default_factory=dict)
    own: dict[str, dict[str, str]] = field(default_factory=dict)
    uploaded: str = ""

    async def answer(self, actor: Actor | None, document: str, variables: dict[str, Any], named: str) -> bytes:
        """Status, headers and body, in which the id that was named is a dash."""
        with undone(self.home) if document.startswith("mutation") else nullcontext():
            told = await self.http.post(
                "/graphql", json={"query": document, "variables": variables}, headers=headers(actor)
            )
        heads = sorted((name, value) for name, value in told.headers.items() if name not in PASSING)
        # not where it is a number that an answer happens to hold
        body = re.sub(rb"(?<![:\w])%s\b" % re.escape(named.encode()), b"-", told.content)
        return b"%d\n%s\n%s" % (told.status_code, json.dumps(heads).encode(), body)


def never(named: str) -> str:
    """An id, a number or a name of the same form and length that was never given."""
    prefix, parted, rest = named.partition("_")
    if not parted:
        return re.sub(r"\d", "0", named) if named != re.sub(r"\d", "0", named) else "0" * len(named)
    body, *tail = rest.split("_")
    return "_".join([prefix, "0" * len(body), *tail])


async def lived(town: Town, buyer: Actor, seller: Actor, shop: Any, name: str) -> dict[str, list[str]]:
    """A life with something of every sort in it, and the ids of all that came of it."""
    home = town.home
    first, second, third = [
        await home.order(shop=shop, buyer_id=buyer.id, buyer_name=name, number=f"{shop.id}-{number}7{number}")
        for number in (1, 2, 3)
    ]

    async def opened(order: Any) -> Any:
        claim = {"orderId": order.id, "lines": [{"orderLineId": order.lines[0].id, "quantity": 1}]}
        return (await town.do("RefundOnlyOpen", buyer, **claim, reason="not_received"))["request"]

    disputed = await town.decide("RequestReject", seller, await opened(second), reason="unclear_or_no_evidence")
    disputed = await town.decide(
        "DisputeOpen", buyer, disputed, note="It never came.", evidenceIds=[await town.photo(buyer)]
    )
    granted = await town.decide("RequestPlatformApprove", AGENT, await opened(third))
    await home.pass_time(minutes=1)
    page = await town.ask("Appeals", seller)
    [appeal] = [appeal for appeal in page["nodes"] if appeal["request"]["id"] == granted["id"]]
    shown = [await town.photo(seller, "AWB"), await town.photo(seller)]
    await town.appeal(
        "AppealFile", seller, appeal, reason="delivered_to_address", statement="He signed.", evidenceIds=shown
    )
    rule = await town.do(
        "ShopRuleSave", seller, shopId=shop.id, name="Rule", active=False, conditions={"reasons": ["not_received"]}
    )
    pending = await opened(first)
    files = [await town.uploaded(buyer), await town.photo(buyer), await town.photo(seller)]
    requests = [await home.request(request["id"]) for request in (pending, disputed, granted)]
    clocks = [clock.id for request in requests for clock in request.clocks]
    history = await town.ask("RequestDetail", AGENT, by={"id": granted["id"]})
    events = [event["id"] for event in history["history"]["nodes"]]
    dispute = (await town.shown(disputed, AGENT))["disputes"][0]["id"]
    ids = {
        "requestId": [requests[0].id, requests[2].id],
        "orderId": [first.id, third.id],
        "orderLineId": [first.lines[0].id],
        "appealId": [appeal["id"]],
        "shopId": [shop.id],
        "ruleId": [rule["rule"]["id"]],
        "evidenceIds": [*files, shown[0]],
        "supersedes": [*files, shown[0]],
        "buyerId": [buyer.id],
        "number": [pending["number"]],
        "orderNumber": [first.number],
        "marketplaceShop": [shop.id.partition("_")[2]],
    }
    ids["shopIds"] = ids["shopId"]
    named = ("requestId", "orderId", "appealId", "shopId", "evidenceIds", "orderLineId", "ruleId")
    ids["id"] = [dispute, *clocks, *events[:3], *(id for name in named for id in ids[name])]
    ids["ids"] = ids["id"]
    return ids


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(engine: Postgres | None) -> AsyncIterator[World]:
    assert THEIR_BUYER
    assert THEIR_SELLER
    async with house() as home:
        generous = {"budget": 10**9, "budget_per_second": 10**8, "document_fields": 10**5, "document_tokens": 10**5}
        generous |= {"document_characters": 10**6, "document_aliases": 10**4}
        app = create_app(replace(home.running, settings=replace(home.running.settings, **generous)))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://aftersales") as http:
            world = World(home, http)
            town = Town(home)
            world.hidden = await lived(town, BUYER, SELLER, SHOP, "Siti")
            theirs = await lived(town, THEIR_BUYER, THEIR_SELLER, THEIR_SHOP, "Budi")
            of_seller = {name: ids[0] for name, ids in theirs.items()}
            linked = {THEIR_SELLER: await town.photo(THEIR_SELLER), THEIR_BUYER: await town.photo(THEIR_BUYER)}
            mine = {actor: of_seller | {"evidenceIds": id, "supersedes": id} for actor, id in linked.items()}
            world.own = {
                "another buyer": mine[THEIR_BUYER],
                "another shop's owner": mine[THEIR_SELLER],
                "another shop's app": mine[THEIR_SELLER],
                "staff with no grant": {name: never(ids[0]) for name, ids in theirs.items()},
                "a stranger": {name: never(ids[0]) for name, ids in theirs.items()},
            }
            world.uploaded = theirs["evidenceIds"][0]
            yield world
        await app.state.gate.settle()


Path = tuple[str, ...]


def places(field: GraphQLField) -> Iterator[tuple[Path, str]]:
    """Where a field takes a record, and the name of what it takes."""
    for name, argument in field.args.items():
        yield from _places(argument.type, (name,), name, "")


def _places(type: GraphQLInputType, path: Path, name: str, owner: str) -> Iterator[tuple[Path, str]]:
    inner = get_named_type(type)
    if isinstance(inner, GraphQLInputObjectType):
        for below, given in inner.fields.items():
            yield from _places(given.type, (*path, below), below, inner.name)
    elif inner.name == "ID" or f"{owner}.{name}" in NAMES:
        yield path, NAMES.get(f"{owner}.{name}", name)


def wish(field: GraphQLField, place: Path, named: str, own: dict[str, str]) -> dict[str, Any]:
    """All that must be said, and what leads to the place, where that one is named."""
    return {name: _said(field.args[name].type, (name,), place, named, own) for name in asked_of(field, place)}


def asked_of(field: GraphQLField, place: Path) -> list[str]:
    return [name for name, given in field.args.items() if is_required_argument(given) or place[0] == name]


def _said(type: GraphQLInputType, path: Path, place: Path, named: str, own: dict[str, str]) -> Any:
    nullable = get_nullable_type(type)
    if isinstance(nullable, GraphQLList):
        return [_said(nullable.of_type, path, place, named, own)]
    name, of = path[-1], get_named_type(nullable)
    if path == place:
        return named
    if isinstance(of, GraphQLInputObjectType):
        return _fields(of, path, place, named, own)
    if of.name == "ID":
        return own[name]
    if isinstance(of, GraphQLEnumType):
        return next(iter(of.values))
    if name == "idempotencyKey":
        return f"key-{next(KEYS)}"
    return SAID.get(name, {"Boolean": True, "Int": 1}.get(of.name, "A word."))


def _fields(type: GraphQLInputObjectType, path: Path, place: Path, named: str, own: dict[str, str]) -> dict[str, Any]:
    return {
        name: _said(given.type, (*path, name), place, named, own)
        for name, given in type.fields.items()
        if is_required_input_field(given) or (*path, name) == place[: len(path) + 1]
    }


@cache
def document(name: str, place: Path) -> str:
    field = FIELDS[name]
    kind = "query" if PUBLISHED.query_type and name in PUBLISHED.query_type.fields else "mutation"
    inner = get_named_type(field.type)
    below = "" if is_leaf_type(inner) else f"{{ {everything(inner.name, 1)} }}"
    asked = asked_of(field, place)
    taken = ", ".join(f"${argument}: {field.args[argument].type}" for argument in asked)
    given = ", ".join(f"{argument}: ${argument}" for argument in asked)
    return f"{kind} ({taken}) {{ {name}({given}) {below} }}"


async def test_every_field_that_takes_a_record_is_tried() -> None:
    tried = {name for name, field in FIELDS.items() if list(places(field))}

    # what these take is no record
    assert set(FIELDS) - tried == {"me", "policies", "plugins", "evidenceLink"}


@pytest.mark.parametrize("who", OUTSIDERS)
async def test_what_is_hidden_is_answered_as_what_never_was(world: World, who: str) -> None:
    actor, apart, asked = OUTSIDERS[who], {}, 0
    absent: dict[tuple[Path, str], bytes] = {}
    for name, taking in FIELDS.items():
        for place, sort in places(taking):
            text = document(name, place)
            for hidden in world.hidden[sort]:
                if actor and hidden in actor.shops:  # staff may know their shop's name, whatever else they may not
                    continue
                if sort == "marketplaceShop" and f"sh_{hidden}" in (actor.shops if actor else ()):
                    continue
                there = await world.answer(actor, text, wish(taking, place, hidden, world.own[who]), hidden)
                kind = (name, *place), hidden.partition("_")[0]
                if kind not in absent:
                    nobody = never(hidden)
                    absent[kind] = await world.answer(actor, text, wish(taking, place, nobody, world.own[who]), nobody)
                not_there = absent[kind]
                asked += 1
                # an answer that did not even look would prove nothing
                assert not re.search(rb"DOCUMENT_|VARIABLES_|SYNTAX|INTERNAL|TOO_", there), (name, there)
                if _but_for_what_is_new(there) != _but_for_what_is_new(not_there):
                    apart[name, place, hidden] = there, not_there

    assert asked > 250
    assert apart == {}


def _but_for_what_is_new(answer: bytes) -> bytes:
    """Where the place is not looked at, both wishes may have made something."""
    return re.sub(rb"\b(?:(?:rq|ed|rf|sr)_[0-9a-f]{32}|AS-\w{4}-\w{4}|ru_\w+)", b"(new)", answer)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_an_address_of_a_file_tells_nothing_without_the_right_signature(world: World, method: str) -> None:
    """Neither with none, nor with one of another file."""
    assert THEIR_BUYER
    file = world.hidden["evidenceIds"][0]
    node = "query ($id: ID!) { node(id: $id) { ... on Evidence { url } } }"
    address = httpx.URL((await world.home.ask(node, THEIR_BUYER, id=world.uploaded))["node"]["url"])
    signed = address.query.decode()
    for query in ("", "signature=x&expires=9999999999", signed):
        there, absent = [
            await world.http.request(method, f"/evidence/{one}?{query}", content=b"x" if method == "PUT" else b"")
            for one in (file, never(file))
        ]

        assert 400 <= there.status_code < 500
        assert (there.status_code, there.content) == (absent.status_code, absent.content)
        passing = {"date": "", "x-request-id": ""}
        assert {**there.headers, **passing} == {**absent.headers, **passing}
    assert (await world.http.get(address.raw_path.decode())).status_code == 200


def cursor(told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")


@pytest.mark.parametrize("who", ["another buyer", "another shop's owner", "another shop's app", "staff with no grant"])
async def test_no_cursor_of_a_stream_leads_to_what_is_hidden(world: World, who: str) -> None:
    """One that holds the hidden shop's place, or is narrowed to that shop, is one of a shop that never was."""
    actor, shop = OUTSIDERS[who], SHOP.id
    assert actor
    own = {THEIR_SHOP.id: 0} if actor.party is not CALLERS["another buyer"].party else {}  # type: ignore[union-attr]

    async def heard(actor: Actor, shop: str, place: int, narrowed: bool) -> list[Any]:
        after = cursor({"p": {shop: place, **own}, "s": 0})
        narrow = {"shopIds": [shop]} if narrowed else None
        items = []
        async with aclosing(world.home.follow(OPERATIONS[SUBSCRIPTION], actor, filter=narrow, after=after)) as stream:
            async for answer in stream:
                items.append(answer["requestStream"])
                if items[-1]["__typename"] in ("StreamHeartbeat", "StreamReset"):
                    break
        return items

    ways = [(place, narrowed) for place in (0, 2**40) for narrowed in (False, True)]
    told = await asyncio.gather(*(heard(actor, one, *way) for way in ways for one in (shop, never(shop))))
    for there, not_there in zip(told[::2], told[1::2], strict=True):
        assert there == not_there
        assert not any(id in json.dumps(there) for id in (shop, *world.hidden["requestId"]))


async def test_no_cursor_of_a_list_leads_to_what_is_hidden(world: World) -> None:
    """A place in ours, taken into theirs, is where their own order has it, and nothing more."""
    page = "query ($after: Cursor) { requests(sort: CREATED_DESC, after: $after) { edges { cursor node { id } } } }"
    ours = (await world.home.ask(page, SELLER))["requests"]["edges"]
    theirs = (await world.home.ask(page, THEIR_SELLER))["requests"]["edges"]

    for edge in ours:
        found = (await world.home.ask(page, THEIR_SELLER, after=edge["cursor"]))["requests"]["edges"]

        assert found == theirs[len(theirs) - len(found) :]
    assert {edge["node"]["id"] for edge in ours} & {edge["node"]["id"] for edge in theirs} == set()

"""Operations that nobody thought of, made from the schema and sent by everybody to a server with a life of its own.

They are the same ones each time, unless `AFTERSALES_TEST_SEED` asks for others; `AFTERSALES_TEST_SECONDS` says for how
long on each database.
"""

import asyncio
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    ValueNode,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis_graphql import Mode, from_schema, mutations, nodes, queries
from tests.contract.town import Town
from tests.postgres import Postgres
from tests.processes import Server, serving
from tests.transport.conforming import faults, served, telling
from tests.transport.people import headers

from aftersales.engine.vocabulary import Actor
from aftersales.testing.fakes import FakeClock
from aftersales.testing.house import AGENT, BUYER, SELLER, house

SECONDS = float(os.environ.get("AFTERSALES_TEST_SECONDS", "8"))
SEED = int(os.environ.get("AFTERSALES_TEST_SEED", "0"))
# Of one round, and the rounds there are however slow the machine is.
ROUND, LEAST = 20, 3
SOME, DEEP = 4, 4
EVERYBODY: Mapping[str, Actor | None] = {"buyer": BUYER, "seller": SELLER, "agent": AGENT, "stranger": None}
# What is refused for its size or its price was not tried.
GENEROUS = {
    "AFTERSALES_BUDGET": "1000000000", "AFTERSALES_BUDGET_PER_SECOND": "100000000", "AFTERSALES_COST": "1000000",
    "AFTERSALES_DOCUMENT_TOKENS": "20000", "AFTERSALES_DOCUMENT_ALIASES": "1000", "AFTERSALES_DOCUMENT_FIELDS": "10000",
}  # fmt: skip
SCHEMA = served()
ROOTS = [(root.name, field) for root in (SCHEMA.query_type, SCHEMA.mutation_type) if root for field in root.fields]
RICH = ("requests", "appeals", "order", "node", "policies")
# Words that mean something here, so that not everything is refused at the first look.
WORDS = (
    "", "not_received", "wrong_size", "missing_item", "wants_other_variation", "unclear_or_no_evidence", "other",
    "refund_only", "return_refund", "reshipment", "exchange", "approve", "request_reject", "pending_review", "IDR",
    "ID", "image/png", "JNE", "Toko", "0" * 64,
)  # fmt: skip
WORLD = """
    { requests(first: 60) { nodes {
        id number order { id shop { id } lines { id } } deadlines { id } disputes { id } appeal { id }
        evidence { nodes { id } } history(first: 1) { nodes { id } }
    } } }
"""


@pytest.fixture(scope="module")
def server(engine: Postgres | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a request of every sort, none of which time has ended yet."""
    path = tmp_path_factory.mktemp("generated") / "aftersales.sqlite3"
    where = asyncio.run(settled(path))
    with serving(settings={**GENEROUS, **where}) as server:
        yield server


async def settled(path: Path) -> dict[str, str]:
    async with house(path, clock=FakeClock(datetime.now(UTC) - timedelta(hours=1))) as home:
        town = Town(home)
        for tell in (
            town.refund_only, town.return_refund, town.approved_return, town.reshipment, town.exchange, town.to_be_sent,
            town.rejected, town.disputed, town.judged, town.parcel_that_came_back, town.appealable, town.appealed,
        ):  # fmt: skip
            await tell()
        settings = home.running.settings
    return {"AFTERSALES_DATABASE": settings.database, "AFTERSALES_EVIDENCE": settings.evidence or ""}


def test_whatever_there_is_is_shown_as_the_schema_has_it(server: Server) -> None:
    """What is made at random seldom goes deep; this goes everywhere, once."""
    wrong, kinds = [], set()
    with httpx.Client(timeout=60) as http:
        known = by_kind(there(http, server.url))
        ids = json.dumps([id for same in known.values() for id in same[:SOME]])
        for type in SCHEMA.get_possible_types(SCHEMA.type_map["Node"]):  # type: ignore[arg-type]
            for field in all_below(type, (type.name,)):
                document = telling(f"{{ nodes(ids: {ids}) {{ ... on {type.name} {{ {field} }} }} }}")
                for who, actor in EVERYBODY.items():
                    told = http.post(server.url, json={"query": document}, headers=headers(actor)).json()
                    wrong += [f"{who}: {one}\n{document}" for one in faults(document, told)]
                    kinds |= {node["__typename"] for node in (told.get("data") or {}).get("nodes", ()) if node}

    assert wrong == []
    assert kinds == {type.name for type in SCHEMA.get_possible_types(SCHEMA.type_map["Node"])}  # type: ignore[arg-type]


def test_whatever_is_asked_the_answer_is_one_of_the_schema(server: Server) -> None:
    told: Counter[str] = Counter()
    wrong: list[str] = []
    until, rounds = time.monotonic() + SECONDS, 0
    with httpx.Client(timeout=60) as http:
        documents = operations(there(http, server.url))

        def everybody_asks(document: str) -> None:
            document = telling(document)
            for who in EVERYBODY:
                if rounds < LEAST or time.monotonic() < until:
                    outcome, against = asked(http, server.url, who, document)
                    told[outcome] += 1
                    wrong.extend(f"{who}: {one}\n{document}" for one in against)

        while (rounds < LEAST or time.monotonic() < until) and not wrong:
            one_round = settings(
                max_examples=ROUND, database=None, deadline=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            seed(SEED + rounds)(one_round(given(documents)(everybody_asks)))()
            rounds += 1
    print(f"{told.total()} sent in {rounds} rounds: {dict(told.most_common())}")

    assert wrong == []
    assert [line for line in server.said if "Internal error" in line or "Traceback" in line] == []
    assert {"data", "refused", "UNAUTHENTICATED"} <= told.keys()


def all_below(type: GraphQLNamedType, path: tuple[str, ...]) -> Iterator[str]:
    """Each field with all that it leads to, but for types that it came through."""
    if not isinstance(type, GraphQLObjectType):
        return
    for name, field in type.fields.items():
        found = get_named_type(field.type)
        if is_leaf_type(found):
            yield name
        elif found.name not in path and len(path) < DEEP and (below := " ".join(all_below(found, (*path, found.name)))):
            yield f"{name} {{ {below} }}"


def operations(ids: list[str]) -> st.SearchStrategy[str]:
    """One root field at a time, mostly, and as often one that shows much; now and then what breaks the schema."""
    values = scalars(ids)

    def of(root: tuple[str, str]) -> st.SearchStrategy[str]:
        made = queries if root[0] == "Query" else mutations
        return made(SCHEMA, fields=[root[1]], custom_scalars=values)

    own = {name: values[name] for name in ("Cursor", "URL", "DateTime", "Decimal")}
    broken = from_schema(SCHEMA, custom_scalars=own, mode=Mode.NEGATIVE)
    one = st.sampled_from(ROOTS).flatmap(of)
    rich = st.sampled_from(RICH).flatmap(lambda field: queries(plain(), fields=[field], custom_scalars=values))
    several = queries(SCHEMA, custom_scalars=values)
    return st.sampled_from([*[one] * 4, *[rich] * 4, several, broken]).flatmap(lambda made: made)


@cache
def plain() -> GraphQLSchema:
    """The same without any argument that may be left out: what narrows an answer mostly empties it."""
    schema = served()
    for type in schema.type_map.values():
        # those of introspection are every schema's
        if isinstance(type, GraphQLObjectType) and not type.name.startswith("__"):
            for field in type.fields.values():
                field.args = {name: given for name, given in field.args.items() if is_required_argument(given)}
    return schema


def scalars(ids: list[str]) -> Mapping[str, st.SearchStrategy[ValueNode]]:
    kinds = by_kind(ids)
    # most are looked for among requests
    kinds["rq again"] = kinds["rq"]
    words = st.sampled_from(WORDS) | st.text(max_size=20)
    one = st.sampled_from(sorted(kinds)).flatmap(lambda kind: st.sampled_from(kinds[kind]))
    # fmt: off
    texts = {
        "ID":       one | st.text(max_size=5),
        "String":   words,
        "Cursor":   st.sampled_from(["", "eyJzIjogMH0", "W10"]) | st.text(max_size=5),
        "URL":      st.sampled_from(["https://files.example/1.jpg", "http://[", "x"]),
        "DateTime": st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")),
        "Decimal":  st.decimals(-10, 10**6, places=2).map(str) | st.sampled_from(["1000", "0", "-0", "9" * 18]),
    }
    # fmt: on
    whole = st.integers(1, 4) | st.integers(-1, 120) | st.integers(-(2**31), 2**31 - 1)
    return {name: text.map(nodes.String) for name, text in texts.items()} | {"Int": whole.map(nodes.Int)}


def by_kind(ids: list[str]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for id in ids:
        kinds.setdefault(id.partition("_")[0], []).append(id)
    return kinds


def there(http: httpx.Client, url: str) -> list[str]:
    """Ids that exist, of every kind."""
    answer = http.post(url, json={"query": WORLD}, headers=headers(AGENT))
    return sorted({*re.findall(r'"id":"(\w+)"', answer.text), BUYER.id})


def asked(http: httpx.Client, url: str, who: str, document: str) -> tuple[str, list[str]]:
    """What became of it in a word, and all that is wrong with the answer."""
    answer = http.post(url, json={"query": document}, headers=headers(EVERYBODY[who]))
    if answer.status_code >= 500:
        return str(answer.status_code), [answer.text]
    told = answer.json()
    return outcome(told), list(faults(document, told))


def outcome(told: Mapping[str, Any]) -> str:
    if told.get("errors"):
        return str(told["errors"][0].get("extensions", {}).get("code"))
    payloads = [
        field for field in told["data"].values() if isinstance(field, dict) and "Payload" in field["__typename"]
    ]
    if not payloads:
        return "data"
    return "done" if any(payload.get("problems") == [] for payload in payloads) else "refused"

"""Everything hostile in every place that takes a value: answered like any other mistake, and nothing is changed by it.

Each operation has a story that brings a shop to where it can be done (tests/contract). Here the story is told again; at
the operation itself each value that it takes is in turn replaced by every hostile one. Where such a value is taken all
the same, as words are that a person may have typed, `TAKEN` says so.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import httpx
import pytest
import pytest_asyncio
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_input_field,
)
from starlette.applications import Starlette
from tests.contract.test_operations import STORIES
from tests.contract.town import OPERATIONS, Town, operation_of
from tests.contract.town import root_field as read_root_field
from tests.postgres import Postgres
from tests.record import Record, record_of
from tests.transport.conforming import faults, served, telling
from tests.transport.people import headers

from aftersales.asgi import create_app
from aftersales.engine.vocabulary import Actor
from aftersales.testing.fakes import MORNING
from aftersales.testing.house import BUYER, SELLER, SHOP, Home, house

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEMA = served()
root_field = cache(read_root_field)
SUBSCRIPTION = "RequestStream"
PARTS = 12
MUTATIONS = SCHEMA.mutation_type.fields.keys() if SCHEMA.mutation_type else frozenset()
ASKED = sorted(set(OPERATIONS) - {SUBSCRIPTION})


def packed(told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


# fmt: off
WORDS: dict[str, Any] = {
    "a NUL":                "a\0b",
    "half a pair":          "a\ud800b",
    "a bell":               "a\x07b",
    "an escape":            "\x1b[2J",
    "turned around":        "\u202eevil\u2066\u200b",
    "nothing":              "",
    "blanks":               " \t\r\n ",
    "SQL":                  "x'; DROP TABLE requests; --\"",
    "a template":           "{limit} {0.__class__} %s %(x)s ${x} {{7*7}}",
    "a path":               "../../etc/passwd",
    "far planes":           "\U0001f4a9\U0010ffff\ufffe",
    "heaped accents":       "a" + "\u0301" * 3_000,
    "a long text":          "x" * 100_000,
}
SHAPES: dict[str, Any] = {
    "a number":             1,
    "a fraction":           1.5,
    "a truth":              True,
    "an object":            {"a": 1},
    "a list":               ["a", ["b"]],
    "lists in lists":       json.loads("[" * 30 + "]" * 30),
    "objects in objects":   json.loads('{"a":' * 25 + "1" + "}" * 25),
    "not a number":         float("nan"),
}
NUMBERS: dict[str, Any] = {
    "below nothing":        -1,
    "nothing at all":       0,
    "the least":            -(2**31),
    "the most":             2**31 - 1,
    "past 32 bits":         2**31,
    "past 64 bits":         2**63,
    "a great many digits":  10**400,
    "a fraction":           1.5,
    "an endless fraction":  float("inf"),
    "digits as text":       "1",
    "a truth":              True,
    "no text":              "",
    "an object":            {},
    "a list":               [1, 2],
}
DECIMALS: dict[str, Any] = {
    "thirty digits":        "9" * 30,
    "eighteen digits":      "9" * 18,
    "the finest":           "0.000001",
    "too fine":             "0.0000001",
    "an exponent":          "1e5",
    "a huge exponent":      "1E+999999999",
    "less than nothing":    "-1",
    "minus nothing":        "-0",
    "nil":                  "0",
    "no number":            "NaN",
    "a silent one":         "sNaN",
    "without end":          "-Infinity",
    "grouped":              "1_000",
    "with a comma":         "1,5",
    "a bare point":         ".",
    "other digits":         "\u0661\u0662",
    "hexadecimal":          "0x10",
    "padded":               " 1\n",
}
INSTANTS: dict[str, Any] = {
    "an offset of no clock":  "9999-12-31T23:59:59+99:99",
    "past the last":          "9999-12-31T23:59:59-23:59",
    "the last":               "9999-12-31T23:59:59.999999Z",
    "before the first":       "0001-01-01T00:00:00+23:59",
    "the first":              "0001-01-01T00:00:00Z",
    "the year nought":        "0000-01-01T00:00:00Z",
    "no such day":            "2025-02-30T00:00:00Z",
    "no such hour":           "2025-02-28T25:00:00Z",
    "a leap second":          "2016-12-31T23:59:60Z",
    "no offset":              "2025-03-05T03:00:00",
    "no time":                "2025-03-05",
    "a week":                 "2025-W10-3T03:00:00Z",
    "seconds of an epoch":    "1741143600",
    "an odd offset":          "2025-03-05T03:00:00+00:00:00.000001",
}
CURSORS: dict[str, Any] = {
    "a list in a cursor":     packed([]),
    "nothing in a cursor":    packed(None),
    "no end in a cursor":     packed({"s": 10**400}),
    "less than none":         packed({"s": -1, "p": {SHOP.id: -1}}),
    "the last there can be":  packed({"s": 2**63 - 1, "p": {SHOP.id: 2**63 - 1}}),
    "a truth in a cursor":    packed({"s": True, "p": {SHOP.id: True}}),
    "words in a cursor":      packed({"s": "1", "p": "1"}),
    "texts in a list":        packed(["a", "b", "c", "d"]),
    "a deep cursor":          base64.urlsafe_b64encode(b"[" * 3_000).decode(),
    "no letters of base64":   "\u00e4\u00f6$$",
    "half a cursor":          packed({"p": {SHOP.id: 1}})[:7],
}
IDS: dict[str, Any] = {
    "a shop's":               SHOP.id,
    "a buyer's":              BUYER.id,
    "nobody's":               "rq_00000000000000000000000000000000",
    "only a prefix":          "rq_",
    "only lines":             "____",
    "an appeal's, in pieces": "ap__1_",
    "a line's":               "ol_x_99999999999999999999",
    "with other digits":      "dl_x_\u0661_\u0662",
}
CURRENCIES: dict[str, Any] = {
    "no currency":            "XXX",
    "a strange currency":     "ZZZ",
    "another currency":       "USD",
    "four letters":           "IDRR",
    "a letter that grows":    "\u0130DR",
}
NAMES: dict[str, Any] = {
    "no such name":           "NO_SUCH_NAME",
    "in small letters":       "delivered",
    "no name":                "",
}
TRUTHS: dict[str, Any] = {"yes in words": "true", "one": 1, "no": 0, "an object": {}}
# fmt: on

SCALARS: Mapping[str, Mapping[str, Any]] = {
    "String": WORDS | SHAPES,
    "ID": WORDS | SHAPES | IDS,
    "URL": WORDS | SHAPES,
    "Cursor": WORDS | SHAPES | CURSORS,
    "Decimal": WORDS | SHAPES | DECIMALS,
    "DateTime": WORDS | SHAPES | INSTANTS,
    "Int": NUMBERS,
    "Boolean": TRUTHS,
}

# What is taken all the same, by the field that takes it: of an input of this name, or of all.
TYPED = {"turned around", "SQL", "a template", "a path", "far planes"}
LEFT_OUT = {"nothing", "blanks", "null"}
MARKS = {"a path"}
REFUSED = {"a NUL", "half a pair", "a bell", "an escape", "a long text"}
TAKEN: Mapping[str, set[str]] = {
    "idempotencyKey": {*TYPED, "blanks"},
    "note": {*TYPED, *LEFT_OUT},
    "statement": {*TYPED, "heaped accents"},
    "carrier": TYPED,
    "tracking": TYPED,
    "trackingNumber": {*TYPED, "null"},
    # what is not asked of a new rule, and what a rule may leave open
    "ShopRuleSaveInput.name": TYPED,
    "ShopRuleSaveInput.ruleId": {"null"},
    "ShopRuleSaveInput.expectedVersion": {"null", "below nothing", "nothing at all", "the least", "the most"},
    "ShopRuleSaveInput.conditions": {"no fields"},
    "ShopRuleConditionsInput.reasons": {"no items", "the same again", "more than may be"},
    "ShopRuleConditionsInput.orderStates": {"no items", "the same again", "more than may be"},
    "ShopRuleConditionsInput.categories": {
        *TYPED,
        "nothing",
        "blanks",
        "no items",
        "the same again",
        "more than may be",
    },
    "ShopRuleConditionsInput.maximum": {"null"},
    # a rule may speak of any money there is, and of much
    "MoneyInput.amount": {"eighteen digits"},
    "MoneyInput.currency": {"no currency", "another currency"},
    "amount": {"null"},
    # told later than an hour, it counts from now
    "CarrierScanInput.at": {"null", "the first"},
    "OutboundArrangeInput.carrier": {*TYPED, *LEFT_OUT},
    "OutboundArrangeInput.tracking": {*TYPED, *LEFT_OUT},
    "EvidenceStageInput.supersedes": {"nothing", "null"},
    "evidenceIds": {"no items", "the same again"},
    # read by an exchange only
    "OfferMakeInput.wanted": {"null", "no items", "the same again"},
    "RequestReplaceInput.wanted": {"null", "no items", "the same again"},
    "WantedInput.orderLineId": {*WORDS, *IDS, "a number"} - REFUSED,
    "WantedInput.skuId": {*WORDS} - REFUSED,
    # the same row twice is the same
    "CarrierReportInput.scans": {"no items", "the same again"},
    "OrdersImportInput.shops": {"no items", "the same again"},
    "OrdersImportInput.orders": {"no items", "the same again"},
    # as the marketplace has it
    "ShopInput.name": TYPED,
    "OrderBuyerInput.name": {*TYPED, "null"},
    "OrderBuyerInput.id": MARKS,
    "OrderInput.number": MARKS,
    "OrderInput.currency": {"no currency", "another currency"},
    "OrderInput.placedAt": {"the first"},
    "OrderInput.deliveredAt": {"null"},
    "OrderInput.shippingOption": {*TYPED, "null"},
    "OrderInput.shippingPaid": {"null", "nil"},
    "OrderInput.total": {"null"},
    "OrderInput.lines": {"the same again", "more than may be"},
    "OrderLineInput.skuId": MARKS,
    "OrderLineInput.sellerSku": {*TYPED, "null"},
    "OrderLineInput.productId": {*MARKS, "null"},
    "OrderLineInput.productName": TYPED,
    "OrderLineInput.variationName": {*TYPED, "null"},
    "OrderLineInput.category": {*TYPED, "null"},
    "OrderLineInput.unitPaid": {"nil"},
    "OrderLineInput.tax": {"null", "nil"},
    "OrderLineInput.platformDiscount": {"null", "nil"},
    "OrderLineInput.sellerDiscount": {"null", "nil"},
    "ShopInput.timezone": {"null"},
}

# Of which `parts` does not give all at once.
ROWS = frozenset({"OrdersImportInput.shops", "OrdersImportInput.orders"})
EXAMPLES: Mapping[str, Any] = {
    "ID": "x", "String": "x", "Int": 1, "Decimal": "1", "Boolean": True, "DateTime": "2025-03-05T03:00:00Z",
    "URL": "https://files.example/1.jpg", "Cursor": packed({"s": 0}),
}  # fmt: skip


@dataclass(frozen=True)
class Spot:
    """A place in the variables that takes a value.

    Args:
        owner: the field of an input, or the argument, whose value it is.
        meaning: the same for fields that many inputs have alike, such as `idempotencyKey`.
        around: the variables, with all that the place lies in.
    """

    owner: str
    meaning: str
    path: tuple[str | int, ...]
    type: GraphQLInputType
    around: dict[str, Any]

    def hostile(self) -> Iterator[tuple[str, dict[str, Any]]]:
        values = hostile(self.type, found(self.around, self.path)) | (
            CURRENCIES if self.owner.endswith(".currency") else {}
        )
        for name, value in values.items():
            if value != found(self.around, self.path):
                yield name, placed(self.around, self.path, value)


def hostile(type: GraphQLInputType, given: Any) -> dict[str, Any]:
    match get_nullable_type(type):
        case GraphQLList(of_type=item):
            one = given[0] if isinstance(given, list) and given else example(item)
            return {
                "a lone null": [None], "more than may be": [one] * 101, "far more than may be": [one] * 1_001,
                "a list in a list": [[[one]]], "an object for a list": {"0": one}, "no items": [],
                "the same again": [one, one],
            }  # fmt: skip
        case GraphQLEnumType():
            return NAMES | SHAPES
        case GraphQLInputObjectType():
            return SHAPES | {"no fields": {}, "a field too much": {"__proto__": {}}, "a text": "x", "null": None}
        case GraphQLNamedType(name=name):
            return {**SCALARS[name], "null": None}
    raise TypeError(type)


def example(type: GraphQLInputType) -> Any:
    """The plainest value there is."""
    match get_nullable_type(type):
        case GraphQLList(of_type=item):
            return [example(item)]
        case GraphQLEnumType(values=values):
            return next(iter(values))
        case GraphQLInputObjectType(fields=fields):
            return {name: example(field.type) for name, field in fields.items() if is_required_input_field(field)}
        case GraphQLNamedType(name=name):
            return EXAMPLES[name]
    raise TypeError(type)


def spots(
    owner: str, meaning: str, type: GraphQLInputType, path: tuple[str | int, ...], around: dict[str, Any]
) -> Iterator[Spot]:
    """The place itself, and all within it."""
    yield Spot(owner, meaning, path, type, around)
    match get_nullable_type(type):
        case GraphQLList(of_type=item):
            items = found(around, path) or [example(item)]
            if found(around, path) == [] and owner in ROWS:
                return
            yield from spots(owner, f"{meaning} 0", item, (*path, 0), placed(around, path, items))
        case GraphQLInputObjectType(name=name, fields=fields, is_one_of=only_one):
            given = {} if only_one else found(around, path) or example(type)
            for field, definition in fields.items():
                meaning = f"{field}: {definition.type} {definition.description}"
                around_it = placed(around, path, given)
                yield from spots(f"{name}.{field}", meaning, definition.type, (*path, field), around_it)


def found(variables: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        if isinstance(variables, dict) and key not in variables:
            return None
        variables = variables[key]
    return variables


def placed(variables: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    changed: Any = deepcopy(variables)
    within = changed
    for key in path[:-1]:
        within = within[key]
    within[path[-1]] = value
    return dict(changed)


class Arrived(Exception):
    """The story need not be told to its end."""


@dataclass
class Siege:
    home: Home
    app: Starlette
    http: httpx.AsyncClient
    record: Record
    content: Mapping[str, list[Any]] | None = None

    def keep(self) -> None:
        self.record.keep()
        self.content = self._content()

    def changed(self) -> bool:
        return self._content() != self.content

    def _content(self) -> Mapping[str, list[Any]]:
        """All but the keys: a caller's own are theirs, whatever became of the call; and terms, which never change."""
        rows = self.record.content()
        return {table: rows[table] for table in rows.keys() - {"idempotency", "terms"}}

    async def ask(self, document: str, actor: Actor, variables: Mapping[str, Any]) -> httpx.Response:
        body = json.dumps({"query": document, "variables": variables}).encode()
        return await self.http.post(
            "/graphql", content=body, headers={**headers(actor), "content-type": "application/json"}
        )


class Besieged(Town):
    """A town that is attacked where it would do the operation."""

    def __init__(self, siege: Siege, name: str) -> None:
        super().__init__(siege.home)
        self.siege = siege
        self.name = name
        self.sent = 0
        self.wrong: list[str] = []

    async def ask(self, name: str, actor: Actor, **variables: Any) -> Any:
        if name != self.name:
            return await super().ask(name, actor, **variables)
        document = telling(OPERATIONS[name])
        for part in parts(name, variables):
            self.siege.keep()
            whole = await self.siege.ask(document, actor, part)
            assert done(whole.json(), name), whole.text
            self.siege.record.put_back()
            for spot in spots_of(name, part):
                turn, turns = whose_turn(spot.meaning, name)
                for index, (hostile, changed) in enumerate(spot.hostile()):
                    if index % turns == turn % turns:
                        await self._attack(document, actor, spot, hostile, changed)
            # the next part may stand on this one
            await self.siege.ask(document, actor, part)
        raise Arrived

    async def _attack(self, document: str, actor: Actor, spot: Spot, name: str, variables: dict[str, Any]) -> None:
        record = self.siege.record
        answer = await self.siege.ask(document, actor, variables)
        self.sent += 1
        told, taken = judged(document, answer), False
        if not told and answer.status_code == 200 and done(answer.json(), self.name):
            taken = root_field(self.name) in MUTATIONS
        if taken and name not in TAKEN.get(spot.owner, TAKEN.get(spot.owner.rpartition(".")[2], ())):
            told.append("it was taken")
        if record.written():
            if not taken and self.siege.changed():
                told.append("it was not done, and has changed something")
            record.put_back()
        self.wrong += [f"{'.'.join(map(str, spot.path))} [{spot.owner}] as {name}: {what}" for what in told]


def parts(name: str, variables: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """Rows answer for themselves: what is said of a shop must not be done for the sake of an order beside it."""
    if name != "OrdersImport":
        return [variables]
    key, shops, orders = (variables["input"][field] for field in ("idempotencyKey", "shops", "orders"))
    return [
        {"input": {"idempotencyKey": f"{key}-shops", "shops": shops, "orders": []}},
        {"input": {"idempotencyKey": key, "shops": [], "orders": orders[:1]}},
    ]


def judged(document: str, answer: httpx.Response) -> list[str]:
    if answer.status_code >= 500:
        return [f"{answer.status_code} {answer.text[:200]}"]
    told = answer.json()
    if answer.status_code >= 400 and not told.get("errors"):
        return [f"{answer.status_code} without errors"]
    return list(faults(document, told))


def done(told: Mapping[str, Any], name: str) -> bool:
    """Whether nothing spoke against it, or not against all its rows."""
    if told.get("errors"):
        return False
    payload = told["data"][root_field(name)]
    if not isinstance(payload, dict):
        return True
    rows = [row for field in ("results", "shops") for row in payload.get(field) or ()]
    return not payload.get("problems") and (not rows or any(not row.get("problems") for row in rows))


def spots_of(name: str, variables: dict[str, Any]) -> Iterator[Spot]:
    for argument, definition in arguments_of(name).items():
        owner = f"{root_field(name)}.{argument}"
        yield from spots(owner, owner, definition.type, (argument,), variables)


@cache
def arguments_of(name: str) -> Mapping[str, GraphQLArgument]:
    root = SCHEMA.get_root_type(operation_of(name).operation)
    assert root
    arguments: Mapping[str, GraphQLArgument] = root.fields[root_field(name)].args
    return arguments


@cache
def takers() -> Mapping[str, Sequence[str]]:
    """The operations that take the same, in the order of their names."""
    found: dict[str, list[str]] = {}
    for name in ASKED:
        for spot in spots_of(name, {}):
            found.setdefault(spot.meaning, []).append(name)
    return found


def whose_turn(meaning: str, name: str) -> tuple[int, int]:
    """What many operations take, the first of them is tried with whole, and each other with a part: which, of how
    many."""
    turn = takers()[meaning].index(name)
    return turn, 1 if turn == 0 else PARTS


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def siege(engine: Postgres | None) -> AsyncIterator[Siege]:
    """One server for all stories; its database begins anew with each."""
    async with house() as home:
        # nobody is told to wait: what is behind the budget is to be seen
        settings = replace(home.running.settings, budget=10**9, budget_per_second=10**8)
        app = create_app(replace(home.running, settings=settings))
        home.operations = app.state.gate.operations
        record, transport = record_of(home), httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://aftersales") as http:
            yield Siege(home, app, http, record)
        await app.state.gate.settle()
        record.close()


@pytest_asyncio.fixture(loop_scope="module")
async def empty(siege: Siege) -> AsyncIterator[Siege]:
    siege.home.clock.now = MORNING
    siege.home.bank.answers.clear()
    siege.home.shelf.held.clear()
    with closing(record_of(siege.home)) as begun:
        yield siege
        begun.put_back()


@pytest.mark.parametrize("name", ASKED)
async def test_what_is_hostile_is_a_mistake_like_any_other(empty: Siege, name: str) -> None:
    town = Besieged(empty, name)

    with pytest.raises(Arrived):
        await STORIES[name](town)

    assert town.wrong == []


async def test_every_argument_is_a_variable_of_its_operation() -> None:
    """Else it would not be tried."""
    left_out = {
        f"{name}.{argument}"
        for name in OPERATIONS
        for argument in arguments_of(name)
        if argument not in {node.variable.name.value for node in operation_of(name).variable_definitions or ()}
    }

    assert left_out == set()


async def test_arguments_within_an_answer_are_no_less_strict(empty: Siege) -> None:
    town, wrong = Town(empty.home), []
    request, appeal = await town.shown(await town.disputed()), await town.appealed()
    ids = {
        "Request": request["id"], "Order": request["order"]["id"], "Dispute": request["disputes"][0]["id"],
        "Appeal": appeal["id"], "Money": request["id"],
    }  # fmt: skip

    for owner, field, argument, type in within():
        name = f"{owner}.{field.partition('(')[0]}.{argument}"
        asks = f"... on {owner} {{ {field} }}"
        if owner == "Money":
            asks = f"... on Request {{ money {{ maximum {{ {field} }} }} }}"
        document = telling(f"query ($id: ID!, $value: {type}) {{ node(id: $id) {{ {asks} }} }}")
        plain = await empty.ask(document, SELLER, {"id": ids[owner], "value": example(type)})
        assert argument == "after" or done(plain.json(), "Node"), (name, plain.text)
        for hostile_name, value in hostile(type, None).items():
            answer = await empty.ask(document, SELLER, {"id": ids[owner], "value": value})
            wrong += [f"{name} as {hostile_name}: {what}" for what in judged(document, answer)]

    assert wrong == []


def within() -> Iterator[tuple[str, str, str, GraphQLInputType]]:
    """Every argument of a field that is no root: of which type, the field as it is asked for, and its name and type."""
    roots = (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type)
    for owner in SCHEMA.type_map.values():
        if not isinstance(owner, GraphQLObjectType) or owner in roots or owner.name.startswith("__"):
            continue
        for name, field in owner.fields.items():
            for argument, definition in field.args.items():
                rest = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
                yield owner.name, f"{name}({argument}: $value){rest}", argument, definition.type


async def test_a_stream_is_begun_or_refused_whatever_it_is_given(empty: Siege) -> None:
    town, wrong = Town(empty.home), []
    await town.refund_only()
    document = telling(OPERATIONS[SUBSCRIPTION])

    assert "StreamReady" in await begun(empty, document, {})
    for spot in spots_of(SUBSCRIPTION, {}):
        for name, variables in spot.hostile():
            first = await begun(empty, document, variables)
            told = faults(document, json.loads(first))
            wrong += [f"{'.'.join(map(str, spot.path))} as {name}: {what}" for what in told]

    assert wrong == []
    assert not empty.home.running.house.feed.followers


async def begun(siege: Siege, document: str, variables: Mapping[str, Any]) -> str:
    """What a stream says first, after which its listener leaves; or the refusal, where there is no stream."""
    body = json.dumps({"query": document, "variables": variables}).encode()
    given = {**headers(SELLER), "content-type": "application/json", "accept": "text/event-stream"}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/graphql",
        "raw_path": b"/graphql", "query_string": b"", "root_path": "", "scheme": "http", "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }  # fmt: skip
    parts = iter([{"type": "http.request", "body": body}])
    heard, leaving = bytearray(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        if part := next(parts, None):
            return part
        await leaving.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        heard.extend(message.get("body", b""))
        if b"\ndata: {" in heard or not message.get("more_body", True):
            leaving.set()

    await siege.app(scope, receive, send)
    _, _, data = heard.partition(b"\ndata: ")
    return (data.partition(b"\n")[0] or bytes(heard)).decode()


@pytest.mark.parametrize("field", ["idempotencyKey", "note"])
async def test_a_text_of_ten_megabytes_is_not_even_read(empty: Siege, field: str) -> None:
    given = {"idempotencyKey": "k", "requestId": "rq_1", "expectedVersion": 1, field: "x" * 10_000_000}

    answer = await empty.ask(OPERATIONS["RequestCancel"], BUYER, {"input": given})

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (413, "BODY_TOO_LARGE")

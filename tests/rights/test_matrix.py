"""Everybody tries everything: each query, each mutation and each item of the stream, against section 11 of the model.

Each operation has a story that brings a shop to where it can be done (tests/contract). Here the story is told again; at
the operation itself everybody else tries it first, in the very same words, and only then the one whose turn it is.
"""

import re
from functools import cache
from typing import Any

import orjson
import pytest
from graphql import ExecutionResult
from tests.contract.test_operations import PUBLISHED, STORIES
from tests.contract.town import OPERATIONS, Town, root_field
from tests.record import undone

from aftersales.engine.permissions import BUYER as B
from aftersales.engine.permissions import PARTNER as A
from aftersales.engine.permissions import PLATFORM as P
from aftersales.engine.permissions import SELLER as S
from aftersales.engine.permissions import Permission
from aftersales.engine.rights import GRANTS
from aftersales.engine.vocabulary import Actor, Party
from aftersales.graphql.context import context_for
from aftersales.reference.documents import BUILT_IN, documents
from aftersales.reference.rights import cells, fields
from aftersales.registry import Registry
from aftersales.store.columns import COLUMNS
from aftersales.store.database import Statement
from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, SHOP, Home, house

OURS, THEIRS = frozenset({SHOP.id, "sh_2"}), frozenset({"sh_9"})
STAFF = tuple(grant for grant in GRANTS if grant not in ("view", "orders.import"))
SUBSCRIPTION = "RequestStream"
ID = re.compile(r"([a-z]{2})_[0-9a-z]{1,32}((?:_[a-z0-9]+)*)")
ASKED = sorted(set(OPERATIONS) - {SUBSCRIPTION})


def staff(*grants: str, party: Party = S, shops: frozenset[str] = OURS) -> Actor:
    return Actor(party, "st_2" if party is S else "ap_2", shops, frozenset(grants))


# fmt: off
CALLERS: dict[str, Actor | None] = {
    "a stranger":              None,
    "the buyer":               BUYER,
    "another buyer":           Actor(B, "by_9"),
    "the owner":               SELLER,
    "another shop's owner":    Actor(S, "st_9", THEIRS, frozenset({"*"})),
    "staff with no grant":     staff(),
    "staff who only see":      staff("view"),
    **{f"staff with {grant}":  staff("view", grant) for grant in STAFF},
    "an app with no scope":    staff(party=A),
    "an app that only sees":   staff("view", party=A),
    **{f"an app with {grant}": staff("view", grant, party=A) for grant in (*STAFF, "orders.import")},
    "another shop's app":      staff("*", party=A, shops=THEIRS),
    "an agent":                Actor(P, "ag_2"),
    "an agent who imports":    AGENT,
    "a carrier":               CARRIER,
}
# fmt: on


@cache
def permissions() -> dict[str, Permission]:
    return fields(Registry.installed(BUILT_IN))


class Watched(Town):
    """A town in which everybody tries one operation before it is done."""

    def __init__(self, home: Home, name: str) -> None:
        super().__init__(home)
        self.name = name
        self.tried: dict[str, str] = {}
        self.told_apart: dict[str, tuple[bytes, bytes]] = {}

    async def ask(self, name: str, actor: Actor, **variables: Any) -> Any:
        if name == self.name:
            before = await self._state()
            for caller, other in CALLERS.items():
                if expected(name, caller) != "yes":
                    await self._try(caller, other, variables)
            assert await self._state() == before, "nobody who may not do it has changed anything"
            for caller, other in CALLERS.items():
                if expected(name, caller) == "yes":
                    with undone(self.home):
                        await self._try(caller, other, variables)
            assert await self._state() == before, "each found all as the one before had found it"
        return await super().ask(name, actor, **variables)

    async def _try(self, caller: str, actor: Actor | None, variables: dict[str, Any]) -> None:
        answer = await self._run(self.name, actor, variables)
        self.tried[caller] = verdict(self.name, answer)
        if self.tried[caller] == "hidden":
            of_nothing = await self._run(self.name, actor, never_was(variables))
            if wire(answer) != wire(of_nothing):
                self.told_apart[caller] = wire(answer), wire(of_nothing)

    async def _run(self, name: str, actor: Actor | None, variables: dict[str, Any]) -> ExecutionResult:
        variables = self._as_ones_own(variables)
        operations = self.home.operations
        prepared = operations.prepare(OPERATIONS[name], None, variables)
        return await operations.execute(prepared, context_for(self.home.running.house, actor, "en"))

    def _as_ones_own(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The same wish under a key of one's own, without the files that somebody else has shown."""
        if isinstance(wish := variables.get("input"), dict):
            wish = {
                name: value for name, value in wish.items() if name != "evidenceIds" or self.name == "EvidenceSubmit"
            }
            if "idempotencyKey" in wish:
                wish["idempotencyKey"] = f"try-{next(self._keys)}"
            return {**variables, "input": wish}
        if isinstance(
            ids := variables.get("ids"), list
        ):  # staff of a shop may know its name, whatever else they may not
            return {**variables, "ids": [id for id in ids if not id.startswith("sh_")]}
        return variables

    async def _state(self) -> list[Any]:
        """How many rows each table has, and at which version each request is."""
        database = self.home.running.database
        # a caller's own keys are theirs, whatever became of the call
        tables = COLUMNS.keys() - {"idempotency"}
        return await database.read(
            *(Statement(f"SELECT COUNT(*) FROM {table}") for table in sorted(tables)),
            Statement("SELECT id, version, stage FROM requests ORDER BY id"),
        )


def never_was(variables: Any) -> Any:
    """The same wish about what is not there: every id is another of its sort."""
    match variables:
        case dict():
            return {name: never_was(value) for name, value in variables.items()}
        case list():
            return [never_was(value) for value in variables]
        case str() if found := ID.fullmatch(variables):
            return f"{found[1]}_{'0' * 32}{found[2] or ''}"
    return variables


def wire(result: ExecutionResult) -> bytes:
    """As it goes over the line."""
    return orjson.dumps(result.formatted, default=str)


def verdict(name: str, result: ExecutionResult) -> str:
    """What an answer comes to: yes, no, hidden or sign in."""
    codes = [str((error.extensions or {}).get("code")) for error in result.errors or ()]
    told = (result.data or {}).get(root_field(name))
    if isinstance(told, dict) and "problems" in told:
        codes += [problem["code"] for problem in told["problems"]]
        codes += [problem["code"] for row in told.get("results", ()) for problem in row["problems"]]
    if name in ("OpenPreview", "ActPreview"):
        codes = [code for code in codes if code != "FORBIDDEN"]  # it tells what would come of it, a refusal too
    for code, word in (("UNAUTHENTICATED", "sign in"), ("FORBIDDEN", "no"), ("NOT_FOUND", "hidden")):
        if code in codes:
            return word
    if not result.errors and nothing(told):
        return "hidden"
    return "yes"


def nothing(told: Any) -> bool:
    """No record: null, an empty list, or a page without rows."""
    if isinstance(told, dict) and "nodes" in told:
        told = told["nodes"]
    return told is None or (isinstance(told, list) and not any(told))


def expected(name: str, caller: str) -> str:
    """What section 11 says, for a record of the buyer's in the shop."""
    actor, permission = CALLERS[caller], permissions()[root_field(name)]
    if actor is None:
        return "sign in"
    able = may(actor, permission)
    if not there_for(actor, name, permission, able):
        return "hidden"
    if able:
        return "yes"
    return "hidden" if permission.handle.startswith("view") else "no"


def there_for(actor: Actor, name: str, permission: Permission, able: bool) -> bool:
    """Whether what it is about exists for them at all."""
    match permission.handle:
        case "view.common" | "carrier" | "privacy":  # about no record
            return True
        case "evidence":  # one's own file, when it is submitted
            return not able or name != "EvidenceSubmit" or actor == BUYER
        case "orders":  # an app's own shops
            return not able or actor.party is Party.PLATFORM or bool(actor.shops & OURS)
        case "settings":  # the shop itself
            return sees(actor) and actor.party is not Party.BUYER
    if root_field(name).startswith("appeal"):
        return sees(actor) and actor.party not in (Party.BUYER, Party.CARRIER)
    return sees(actor)


def sees(actor: Actor) -> bool:
    match actor.party:
        case Party.BUYER:
            return actor.id == BUYER.id
        case Party.SELLER | Party.PARTNER:
            return SHOP.id in actor.shops and bool({"view", "*"} & actor.grants)
    return True


def may(actor: Actor, permission: Permission) -> bool:
    """By the very cells that the document shows."""
    buyer, owner, staff, app, agent, carrier = cells(permission)
    match actor.party:
        case Party.BUYER:
            return buyer == "own"
        case Party.SELLER:
            return owner == "yes" if "*" in actor.grants else holds(actor, staff)
        case Party.PARTNER:
            return holds(actor, app)
        case Party.PLATFORM:
            return holds(actor, agent)
    return carrier == "yes"


def holds(actor: Actor, cell: str) -> bool:
    return cell == "yes" or (cell != "" and bool({cell.strip("`"), "*"} & actor.grants))


@pytest.mark.parametrize("name", ASKED)
async def test_everybody_tries_and_section_11_decides(name: str) -> None:
    async with house() as home:
        town = Watched(home, name)
        await STORIES[name](town)

    assert "yes" in town.tried.values()
    assert town.told_apart == {}, "what is hidden is answered byte for byte as what never was"
    assert town.tried == {caller: expected(name, caller) for caller in CALLERS}


def test_every_field_has_its_row_and_every_row_its_field() -> None:
    roots = (PUBLISHED.query_type, PUBLISHED.mutation_type)
    there = {name for root in roots if root for name in root.fields}
    there |= {type.name for type in PUBLISHED.type_map["StreamItem"].types}  # type: ignore[attr-defined]

    assert set(permissions()) == there


def test_the_document_shows_what_was_tried() -> None:
    page = documents()["rights.md"].partition("## Every field")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")
    ]

    assert {name.strip("`"): tuple(told) for name, *told in rows} == {
        name: (*cells(permission), f"`{permission.handle}`") for name, permission in permissions().items()
    }

"""What is offered to somebody is what they may do, and nothing else is: every act is tried where it is not offered too.

The engine's own tests walk every state (tests/engine/test_actions); here the two are compared through the one door.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLInputObjectType, get_named_type
from tests.contract.test_operations import PUBLISHED
from tests.contract.town import Town
from tests.postgres import Postgres
from tests.record import undone
from tests.rights.test_existence import FIELDS, wish
from tests.rights.test_matrix import CALLERS
from tests.rights.test_secrets import without_limits

from aftersales.engine.vocabulary import Actor
from aftersales.graphql.context import context_for
from aftersales.testing.house import AGENT, BUYER, SELLER, Home, house

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRANTS = ("review", "inspect", "offer", "ship", "appeal")
TRYING = (
    "the buyer", "another buyer", "the owner", "staff who only see", *(f"staff with {grant}" for grant in GRANTS),
    "staff with no grant", "an app that only sees", "an app with review", "another shop's owner", "an agent",
    "a carrier",
)  # fmt: skip
# They try at every place; the others, who have less of the same or nothing, at every fifth, each at other ones.
FOREMOST = ("the buyer", "the owner", "an agent")
# What no better input mends: the party, the place where it stands, the time.
NOT_TO_BE_MENDED = {
    "FORBIDDEN", "NOT_FOUND", "INVALID_STATE", "DEADLINE_PASSED", "TRANSFERRED_TO_PLATFORM", "LIMIT_REACHED",
    "INELIGIBLE", "WINDOW_CLOSED", "OFFER_NOT_ALLOWED",
}  # fmt: skip
OFFERED = """
    query ($id: ID!) { request(by: {id: $id}) {
      availableActions { ...a } disputes { availableActions { ...a } } appeal { availableActions { ...a } }
    } }
    fragment a on AvailableAction { mutation reasons { handle } }
"""


@cache
def acts() -> dict[str, str]:
    """The mutations that act on a request or its appeal as it was seen, and what names it in their inputs."""
    found = {}
    for name in PUBLISHED.mutation_type.fields if PUBLISHED.mutation_type else ():
        input = get_named_type(FIELDS[name].args["input"].type)
        assert isinstance(input, GraphQLInputObjectType)
        for named in ("requestId", "appealId"):
            if named in input.fields and "expectedVersion" in input.fields:
                found[name] = named
    return found


class State:
    """A request where it stands, and what an act on it says."""

    def __init__(self, home: Home, request: Any) -> None:
        self.home, self.id, self.version = home, request.id, request.version
        self.appeal = request.appeal.id if request.appeal else None
        self.lines = [line.order_line_id for line in request.lines]

    def acts(self) -> set[str]:
        return {name for name, named in acts().items() if named == "requestId" or self.appeal}

    async def offered(self, actor: Actor) -> dict[str, list[str]]:
        """The mutations that are offered, with the reasons that may be given."""
        told = (await self.home.ask(OFFERED, actor, id=self.id))["request"]
        lists = [told, *told["disputes"], *([told["appeal"]] if told["appeal"] else [])] if told else []
        return {
            action["mutation"]: [reason["handle"] for reason in action["reasons"]]
            for each in lists
            for action in each["availableActions"]
        }

    async def tried(self, actor: Actor, names: Iterable[str], reasons: list[str]) -> dict[str, set[str]]:
        """The codes of all that is said against each."""
        names = sorted(names)
        operations = without_limits(self.home)
        variables = {name: self._input(name, reasons) for name in names}
        answer = await operations.execute(
            operations.prepare(document(tuple(names)), None, variables),
            context_for(self.home.running.house, actor, "en"),
        )
        assert not answer.errors, answer.errors
        assert answer.data
        return {name: {problem["code"] for problem in answer.data[name]["problems"]} for name in names}

    def _input(self, name: str, reasons: list[str]) -> Any:
        named = acts()[name]
        id = self.appeal if named == "appealId" else self.id
        input = wish(FIELDS[name], ("input", named), str(id), {"orderLineId": self.lines[0]})["input"]
        soon = (self.home.clock() + timedelta(days=1)).isoformat()
        said = {"expectedVersion": self.version, "pickupAt": soon, "kind": "PARTIAL_REFUND"}
        said["reason"] = reasons[0] if reasons else "not_received"
        return {field: said.get(field, value) for field, value in input.items()}


@cache
def document(names: tuple[str, ...]) -> str:
    taken = ", ".join(f"${name}: {FIELDS[name].args['input'].type}" for name in names)
    return f"mutation ({taken}) {{ {' '.join(f'{name}(input: ${name}) {{ problems {{ code }} }}' for name in names)} }}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def states(engine: Postgres | None) -> AsyncIterator[dict[str, State]]:
    """One request at each place that the town knows a way to, all in one house."""
    async with house() as home:
        town = Town(home)
        # those first in which time passes
        made = {"canceled order": await town.canceled_order_that_was_refunded()}
        made["appealable"] = (await town.appealable())["request"]
        made["appealed"] = (await town.appealed())["request"]
        taken_up = await town.appeal("AppealTakeUp", AGENT, await town.appealed())
        made["appeal taken up"] = taken_up["request"]
        made |= {
            "pending review": await town.refund_only(),
            "pending review of a return": await town.return_refund(),
            "approved, to drop off": await town.approved_return(),
            "approved, to be picked up": await town.approved_return("PICK_UP"),
            "approved, sent by themselves": await town.approved_return("SELF_ARRANGED"),
            "came back": await town.parcel_that_came_back(),
            "to be sent": await town.to_be_sent(),
            "exchange": await town.exchange(),
            "reshipment": await town.reshipment(),
            "rejected": await town.rejected(),
            "disputed": await town.disputed(),
            "judged": await town.judged(),
            "refunding": await town.decide("RefundOnlyApprove", SELLER, await town.refund_only()),
            "canceled": await town.decide("RequestCancel", BUYER, await town.refund_only()),
            "closed": await town.decide("RequestClose", AGENT, await town.refund_only(), note="Twice."),
            "promised at hand-over": await town.decide("ReturnGrantSpeedy", AGENT, await town.approved_return()),
            "offered": await town.decide(
                "OfferMake", SELLER, await town.return_refund(), kind="PARTIAL_REFUND",
                amount={"amount": "1000", "currency": "IDR"},
            ),
        }  # fmt: skip
        yield {name: State(home, await home.request(request["id"])) for name, request in made.items()}


@pytest.mark.parametrize("who", TRYING)
async def test_what_is_offered_is_allowed_and_nothing_else(states: dict[str, State], who: str) -> None:
    actor = CALLERS[who]
    assert actor
    wrong: dict[tuple[str, str], Any] = {}
    places = list(states) if who in FOREMOST else list(states)[TRYING.index(who) % 5 :: 5]
    for where in places:
        state = states[where]
        offered = await state.offered(actor)
        assert offered.keys() <= state.acts(), "each that is offered can be tried"

        refused = await state.tried(actor, state.acts() - offered.keys(), [])
        wrong |= {(where, name): codes for name, codes in refused.items() if not codes & NOT_TO_BE_MENDED}
        assert (await state.home.request(state.id)).version == state.version, "what is refused changes nothing"

        for name, reasons in offered.items():
            with undone(state.home):
                codes = (await state.tried(actor, [name], reasons))[name]
            if codes & NOT_TO_BE_MENDED:
                wrong[where, name] = codes

    assert wrong == {}


async def test_everybody_whose_turn_it_may_be_is_offered_something(states: dict[str, State]) -> None:
    """Else nothing of what is offered would be tried at all."""
    found = {}
    for who in TRYING:
        actor = CALLERS[who]
        assert actor
        found[who] = {name for state in states.values() for name in await state.offered(actor)}
    tried = set().union(*found.values())

    assert {who for who, names in found.items() if not names} == {
        "another buyer", "another shop's owner", "staff who only see", "staff with no grant", "an app that only sees"
    }  # fmt: skip
    assert len(tried) > 30

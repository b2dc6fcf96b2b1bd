"""Everybody follows: what each party hears of a request, live and when it resumes, is what section 11 lets it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import ExecutionResult
from tests.contract.test_operations import PUBLISHED
from tests.contract.town import OPERATIONS, Town
from tests.postgres import Postgres
from tests.rights.test_matrix import CALLERS, SUBSCRIPTION, may, permissions, sees

from aftersales.engine.vocabulary import Actor, Party
from aftersales.graphql.context import context_for
from aftersales.graphql.masking import GraphQLErrors
from aftersales.reference.documents import documents
from aftersales.testing.house import AGENT, Home, house

FOLLOWERS = {caller: actor for caller, actor in CALLERS.items() if actor is not None}
# What is said to whoever follows, whether or not they hear of anything.
SAID_TO_ALL = {"StreamReady", "StreamHeartbeat"}
ITEMS = {"RequestChanged", "DeadlineChanged", "AppealChanged"}
OPEN_ONES = {"statuses": ["PENDING_REVIEW"]}


class Follower:
    def __init__(self, home: Home, actor: Actor, stack: AsyncExitStack) -> None:
        self.home, self.actor, self.stack = home, actor, stack

    async def follows(self, **variables: Any) -> AsyncIterator[dict[str, Any]]:
        stream = await self.stack.enter_async_context(
            aclosing(self.home.follow(OPERATIONS[SUBSCRIPTION], self.actor, **variables))
        )
        return (answer["requestStream"] async for answer in stream)


async def until_it_is_quiet(stream: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is said until the server has nothing to say for its heartbeat's while."""
    heard = []
    async for item in stream:
        heard.append(item)
        if item["__typename"] == "StreamHeartbeat":
            return heard
    return heard


def lets(actor: Actor, item: str) -> bool:
    return sees(actor) and may(actor, permissions()[item])


def expected(actor: Actor, narrowed: bool) -> set[str]:
    """All that is heard of a request's life; of one that is not asked about any more, that it has left."""
    items = {item for item in ITEMS if lets(actor, item)}
    return ({"RequestLeft"} if narrowed and items else set() if narrowed else items) | SAID_TO_ALL


@dataclass
class Heard:
    """What each caller was told: of all or narrowed, live or resumed."""

    ready: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: dict[tuple[str, bool, bool], list[dict[str, Any]]] = field(default_factory=dict)
    # of a cursor that is not of this log
    first: dict[str, str] = field(default_factory=dict)

    def items(self, caller: str) -> set[str]:
        """Every item that the caller ever heard."""
        heard = {item["__typename"] for key, items in self.told.items() if key[0] == caller for item in items}
        return heard | {self.ready[caller]["__typename"], self.first[caller]}

    def events(self, caller: str, resumed: bool) -> list[tuple[str, str]]:
        events = [item.get("event") for item in self.told[caller, False, resumed]]
        return [(event["type"], event["id"]) for event in events if event]


@pytest.fixture(scope="module")
def heard(engine: Postgres | None) -> Heard:
    return asyncio.run(_heard())


async def _heard() -> Heard:
    heard, ahead = Heard(), {}
    async with house() as home, AsyncExitStack() as stack:

        async def follows(caller: str, narrowed: bool, **more: Any) -> AsyncIterator[dict[str, Any]]:
            follower = Follower(home, FOLLOWERS[caller], stack)
            return await follower.follows(filter=OPEN_ONES if narrowed else None, **more)

        async def listens(one: tuple[str, bool], resumed: bool, stream: AsyncIterator[dict[str, Any]]) -> None:
            heard.told[*one, resumed] = await until_it_is_quiet(stream)

        which = [(caller, narrowed) for caller in FOLLOWERS for narrowed in (False, True)]
        live = {one: await follows(*one) for one in which}
        ready = {one: await anext(stream) for one, stream in live.items()}
        # granted by the platform and paid, and the seller appeals and is compensated
        town = Town(home)
        appeal = await town.appeal("AppealTakeUp", AGENT, await town.appealed())
        await town.appeal("AppealApprove", AGENT, appeal, note="He did sign.")
        again = {one: await follows(*one, after=ready[one]["cursor"]) for one in which}
        await asyncio.gather(
            *(listens(one, False, stream) for one, stream in live.items()),
            *(listens(one, True, stream) for one, stream in again.items()),
        )
        heard.ready = {caller: ready[caller, False] for caller in FOLLOWERS}
        for caller, actor in FOLLOWERS.items():
            ahead[caller] = (await anext(await Follower(home, actor, stack).follows()))["cursor"]
    async with house() as elsewhere, AsyncExitStack() as stack:
        for caller, actor in FOLLOWERS.items():
            stream = await Follower(elsewhere, actor, stack).follows(after=ahead[caller])
            heard.first[caller] = (await anext(stream))["__typename"]
    return heard


def test_what_each_party_hears_live_and_when_it_resumes(heard: Heard) -> None:
    wrong: dict[tuple[str, bool, bool], set[str]] = {}
    for (caller, narrowed, resumed), items in heard.told.items():
        actor, names = FOLLOWERS[caller], {item["__typename"] for item in items} | {"StreamReady"}
        if narrowed:
            # while it was asked about, there may have been more to tell, or not
            names -= {item for item in ("RequestChanged", "DeadlineChanged") if lets(actor, item)}
        if differing := names ^ expected(actor, narrowed):
            wrong[caller, narrowed, resumed] = differing

    assert all(item["__typename"] == "StreamReady" for item in heard.ready.values())
    assert len(heard.told) == 4 * len(FOLLOWERS)
    assert wrong == {}


def test_whoever_resumes_hears_the_very_events_that_they_would_have_heard_live(heard: Heard) -> None:
    for caller in FOLLOWERS:
        assert heard.events(caller, resumed=True) == heard.events(caller, resumed=False)


def test_each_event_reaches_all_who_see_it_but_for_those_of_the_sellers_side(heard: Heard) -> None:
    everything = heard.events("an agent", resumed=False)
    of_sellers = {event for event in everything if event[0].startswith(("Appeal", "Compensation"))}
    timed = [item for item in heard.told["an agent", False, False] if item["__typename"] == "DeadlineChanged"]
    clocks = {item["event"]["id"] for item in timed if item["deadline"]["handle"].startswith("appeal.")}
    assert {type for type, _ in of_sellers} >= {
        "AppealAvailable",
        "AppealFiled",
        "AppealDecided",
        "CompensationCreated",
    }
    assert clocks
    theirs = [event for event in everything if event not in of_sellers and event[1] not in clocks]

    for caller, actor in FOLLOWERS.items():
        due = theirs if actor.party in Party.BUYER | Party.CARRIER else everything
        assert heard.events(caller, resumed=False) == (due if sees(actor) else []), caller


def test_the_document_says_of_each_item_who_was_seen_to_hear_it(heard: Heard) -> None:
    """A row for each item of the stream, in the words of the page."""
    table = documents()["rights.md"].partition("## Every field")[2]
    rows = {cells[1].strip(" `"): cells[2:-2] for line in table.splitlines() if (cells := line.split("|"))[1:]}
    items = {type.name for type in PUBLISHED.type_map["StreamItem"].types}  # type: ignore[attr-defined]
    told = {item: tuple(cell.strip() for cell in rows[item]) for item in items}

    assert {item: observed(heard, item) for item in items} == told


def observed(heard: Heard, item: str) -> tuple[str, ...]:
    def hears(caller: str) -> bool:
        return item in heard.items(caller)

    def at_least(none: str, view: str) -> str:
        return "yes" if hears(none) else "`view`" if hears(view) else ""

    return (
        "own" if hears("the buyer") else "",
        "yes" if hears("the owner") else "",
        at_least("staff with no grant", "staff who only see"),
        at_least("an app with no scope", "an app that only sees"),
        "yes" if hears("an agent") else "",
        "yes" if hears("a carrier") else "",
    )


async def test_a_stranger_hears_nothing_but_to_sign_in() -> None:
    async with house() as home:
        prepared = home.operations.prepare(OPERATIONS[SUBSCRIPTION], None, {})
        answers = await home.operations.subscribe(prepared, context_for(home.running.house, None, "en"))

        assert not isinstance(answers, ExecutionResult)
        with pytest.raises(GraphQLErrors) as refused:
            await anext(answers)
        assert [(error.extensions or {})["code"] for error in refused.value.errors] == ["UNAUTHENTICATED"]


def test_a_cursor_of_elsewhere_is_reset_for_everybody_and_tells_nothing(heard: Heard) -> None:
    # who has no such shop is told nothing of how far its log has come
    known = {
        caller: actor.party in Party.BUYER | Party.PLATFORM | Party.CARRIER or sees(actor)
        for caller, actor in FOLLOWERS.items()
    }
    assert heard.first == {caller: "StreamReset" if sees_it else "StreamReady" for caller, sees_it in known.items()}

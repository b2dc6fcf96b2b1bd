"""Everybody follows: what each party hears of a request, live and when it resumes, is what section 11 lets it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest
from graphql import ExecutionResult
from tests.contract.town import OPERATIONS, Town
from tests.rights.test_matrix import CALLERS, SUBSCRIPTION, may, permissions, sees

from aftersales.engine.vocabulary import Actor, Party
from aftersales.graphql.context import context_for
from aftersales.graphql.masking import GraphQLErrors
from aftersales.testing.house import Home, house

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


async def test_what_each_party_hears_live_and_when_it_resumes() -> None:
    wrong: dict[tuple[str, bool, bool], set[str]] = {}
    async with house() as home, AsyncExitStack() as stack:

        async def tells(caller: str, narrowed: bool, resumed: bool, stream: AsyncIterator[dict[str, Any]]) -> None:
            heard = {item["__typename"] for item in await until_it_is_quiet(stream)} | {"StreamReady"}
            if narrowed:
                # while it was asked about, there may have been more to tell, or not
                heard -= {item for item in ("RequestChanged", "DeadlineChanged") if lets(FOLLOWERS[caller], item)}
            if differing := heard ^ expected(FOLLOWERS[caller], narrowed):
                wrong[caller, narrowed, resumed] = differing

        async def follows(caller: str, narrowed: bool, **more: Any) -> AsyncIterator[dict[str, Any]]:
            follower = Follower(home, FOLLOWERS[caller], stack)
            return await follower.follows(filter=OPEN_ONES if narrowed else None, **more)

        which = [(caller, narrowed) for caller in FOLLOWERS for narrowed in (False, True)]
        live = {one: await follows(*one) for one in which}
        ready = {one: await anext(stream) for one, stream in live.items()}
        # granted by the platform and paid, and the seller appeals
        await Town(home).appealed()
        again = {one: await follows(*one, after=ready[one]["cursor"]) for one in which}

        await asyncio.gather(
            *(tells(*one, False, stream) for one, stream in live.items()),
            *(tells(*one, True, stream) for one, stream in again.items()),
        )

    assert all(item["__typename"] == "StreamReady" for item in ready.values())
    assert wrong == {}


async def test_a_stranger_hears_nothing_but_to_sign_in() -> None:
    async with house() as home:
        prepared = home.operations.prepare(OPERATIONS[SUBSCRIPTION], None, {})
        answers = await home.operations.subscribe(prepared, context_for(home.running.house, None, "en"))

        assert not isinstance(answers, ExecutionResult)
        with pytest.raises(GraphQLErrors) as refused:
            await anext(answers)
        assert [(error.extensions or {})["code"] for error in refused.value.errors] == ["UNAUTHENTICATED"]


async def test_a_cursor_of_elsewhere_is_reset_for_everybody_and_tells_nothing() -> None:
    ahead, first = {}, {}
    async with house() as elsewhere, AsyncExitStack() as stack:
        await Town(elsewhere).refund_only()
        for caller, actor in FOLLOWERS.items():
            ahead[caller] = (await anext(await Follower(elsewhere, actor, stack).follows()))["cursor"]
    async with house() as home, AsyncExitStack() as stack:
        for caller, actor in FOLLOWERS.items():
            first[caller] = (await anext(await Follower(home, actor, stack).follows(after=ahead[caller])))["__typename"]

    # who has no such shop is told nothing of how far its log has come
    known = {
        caller: actor.party in Party.BUYER | Party.PLATFORM | Party.CARRIER or sees(actor)
        for caller, actor in FOLLOWERS.items()
    }
    assert first == {caller: "StreamReset" if sees_it else "StreamReady" for caller, sees_it in known.items()}

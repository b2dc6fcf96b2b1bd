"""An item of the stream is made once for all who ask the same with the same rights, and for nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Any

import pytest
from tests.contract.town import Town

from aftersales.engine.vocabulary import Actor
from aftersales.graphql import sharing
from aftersales.graphql.context import context_for
from aftersales.testing.house import AGENT, BUYER, SELLER, Home, house
from aftersales.transport.answer import encoded

COLLEAGUE = replace(SELLER, id="st_9", client="another board")
CLERK = replace(SELLER, id="st_9", grants=frozenset({"view"}))
STREAM = """
    subscription ($filter: RequestFilter, $after: Cursor, $note: Boolean = true) {
      requestStream(filter: $filter, after: $after) {
        ... on RequestChanged {
          request { number note @include(if: $note) buyer { id name } availableActions { handle } stage { label } }
        }
      }
    }
"""


class Crowd:
    """Followers of one house, and how often an answer was made for them."""

    def __init__(self, home: Home, stack: AsyncExitStack) -> None:
        self.home, self.stack = home, stack
        self.followers: list[AsyncIterator[Any]] = []

    async def joins(self, actor: Actor, language: str = "en", document: str = STREAM, **variables: Any) -> None:
        prepared = self.home.operations.prepare(document, None, variables)
        context = context_for(self.home.running.house, actor, language)
        stream = await self.home.operations.subscribe(prepared, context)
        assert isinstance(stream, AsyncIterator)
        self.followers.append(await self.stack.enter_async_context(aclosing(stream)))
        await anext(stream)  # ready

    async def hears(self) -> list[Any]:
        """The next that each is told."""
        async with asyncio.timeout(10):
            return list(await asyncio.gather(*(anext(follower) for follower in self.followers)))


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    async with house() as home, AsyncExitStack() as stack:
        yield Crowd(home, stack)


async def test_those_who_ask_the_same_with_the_same_rights_get_the_same_answer_and_its_bytes(crowd: Crowd) -> None:
    for actor in (SELLER, COLLEAGUE, SELLER):
        await crowd.joins(actor)

    await Town(crowd.home).refund_only()
    first, *others = await crowd.hears()

    assert first.data["requestStream"]["request"]["number"]
    assert all(other is first for other in others)
    assert all(encoded(other) is encoded(first) for other in others)


@pytest.mark.parametrize(
    ("actor", "asked"),
    [
        pytest.param(CLERK, {}, id="other grants"),
        pytest.param(AGENT, {}, id="another party"),
        pytest.param(SELLER, {"language": "id"}, id="another language"),
        pytest.param(SELLER, {"document": STREAM.replace("number note", "note")}, id="another document"),
        pytest.param(SELLER, {"note": False}, id="another variable below the root"),
    ],
)
async def test_whoever_is_or_asks_otherwise_gets_an_answer_of_their_own(
    crowd: Crowd, actor: Actor, asked: dict[str, Any]
) -> None:
    await crowd.joins(SELLER)
    await crowd.joins(actor, **asked)

    await Town(crowd.home).refund_only()
    first, other = await crowd.hears()

    assert other is not first
    assert encoded(other) != encoded(first)


async def test_a_filter_says_only_which_items_there_are(crowd: Crowd) -> None:
    await crowd.joins(SELLER)
    await crowd.joins(COLLEAGUE, filter={"kinds": ["refund_only"]})

    await Town(crowd.home).refund_only()
    first, other = await crowd.hears()

    assert other is first


async def test_a_buyer_is_nobody_else(crowd: Crowd) -> None:
    await crowd.joins(BUYER)
    await crowd.joins(SELLER)

    await Town(crowd.home).refund_only()
    buyer, seller = (answer.data["requestStream"]["request"] for answer in await crowd.hears())

    assert {action["handle"] for action in buyer["availableActions"]} == {"cancel", "edit"}
    assert {action["handle"] for action in seller["availableActions"]} >= {"approve", "reject"}


async def test_who_leaves_while_an_answer_is_made_takes_it_from_nobody(crowd: Crowd) -> None:
    for _ in range(3):
        await crowd.joins(SELLER)
    waiting = [asyncio.ensure_future(anext(follower)) for follower in crowd.followers]
    await asyncio.sleep(0)

    await Town(crowd.home).refund_only()
    waiting[0].cancel()
    async with asyncio.timeout(10):
        others = await asyncio.gather(*waiting[1:])

    assert all(other.data["requestStream"]["request"] for other in others)


async def test_the_memory_for_answers_has_an_end(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "KEPT", 3)
    await crowd.joins(AGENT)
    town = Town(crowd.home)
    for _ in range(3):
        await town.refund_only()
        await crowd.hears()
        await crowd.hears()

    assert len(crowd.home.operations.sharing._answers) <= 3

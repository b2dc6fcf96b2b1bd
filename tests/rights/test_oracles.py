"""Whoever may not know of an appeal is answered as where there is none, however they ask."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.test_operations import PUBLISHED
from tests.contract.town import OPERATIONS, Town
from tests.postgres import Postgres
from tests.record import undone
from tests.rights.test_matrix import SUBSCRIPTION

from aftersales.engine.machines import MACHINES
from aftersales.engine.vocabulary import Actor
from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, house

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWING = {"the buyer": BUYER, "a carrier": CARRIER}
KNOWING = {"the owner": SELLER, "an agent": AGENT}
STATUSES = tuple(PUBLISHED.type_map["AppealStatus"].values)  # type: ignore[attr-defined]
ACTS = sorted({row.action for row in MACHINES["appeal"].process.rows})
COUNT = "query ($filter: RequestFilter) { requests(filter: $filter) { totalCount } }"


class Pair:
    """Two requests that stand alike, but that one has an appeal which was filed."""

    def __init__(self, town: Town, appealed: Any, plain: Any) -> None:
        self.town, self.appealed, self.plain = town, appealed, plain

    async def answers(self, actor: Actor, name: str, **input: Any) -> tuple[Any, Any]:
        """What is answered about each, but for what differs between any two requests."""
        return await self._one(self.appealed, actor, name, input), await self._one(self.plain, actor, name, input)

    async def _one(self, request: Any, actor: Actor, name: str, input: dict[str, Any]) -> Any:
        about = {"requestId": request["id"], **input}
        if name != "ActPreview":
            about |= {"expectedVersion": request["version"], "idempotencyKey": f"{name}-{request['id']}"}
        with undone(self.town.home):
            answer = await self.town.ask(name, actor, input=about)
        return {field: told for field, told in answer.items() if field != "request"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(engine: Postgres | None) -> AsyncIterator[Pair]:
    async with house() as home:
        town = Town(home)
        plain = await town.decide("RefundOnlyApprove", SELLER, await town.refund_only())
        appeal = await town.appealed()
        yield Pair(town, await town.shown(appeal["request"]), await town.shown(plain))


async def test_the_two_stand_alike(pair: Pair) -> None:
    assert pair.appealed["stage"] == pair.plain["stage"]


@pytest.mark.parametrize("who", UNKNOWING)
async def test_a_filter_by_appeals_finds_what_it_would_if_there_were_none(pair: Pair, who: str) -> None:
    found = {status: await count(pair, UNKNOWING[who], status) for status in STATUSES}

    assert found == dict.fromkeys(STATUSES, 0) | {"NOT_AVAILABLE": 2}


@pytest.mark.parametrize("who", KNOWING)
async def test_the_same_filter_finds_them_for_the_sellers_side(pair: Pair, who: str) -> None:
    found = {status: await count(pair, KNOWING[who], status) for status in STATUSES}

    assert found == dict.fromkeys(STATUSES, 0) | {"NOT_AVAILABLE": 1, "SUBMITTED": 1}


async def count(pair: Pair, actor: Actor, status: str) -> int:
    answer = await pair.town.home.ask(COUNT, actor, filter={"appealStatuses": [status]})
    return int(answer["requests"]["totalCount"])


@pytest.mark.parametrize("who", UNKNOWING)
async def test_a_preview_of_an_appeals_act_says_the_same(pair: Pair, who: str) -> None:
    for action in ACTS:
        appealed, plain = await pair.answers(UNKNOWING[who], "ActPreview", action=action)

        assert [problem["code"] for problem in plain["problems"]] == ["INVALID_STATE"]
        assert appealed == plain, action


async def test_the_sellers_side_is_told_where_the_appeal_stands(pair: Pair) -> None:
    appealed, plain = await pair.answers(SELLER, "ActPreview", action="appeal_file")

    assert appealed != plain


@pytest.mark.parametrize("who", UNKNOWING)
async def test_an_appeals_clock_that_ran_out_is_nobodys_news(pair: Pair, who: str) -> None:
    clock = pair.town.home.clock
    before = clock.now
    clock.advance(days=60)
    try:
        knowing, _ = await pair.answers(SELLER, "RequestReject", reason="unclear_or_no_evidence")
        appealed, plain = await pair.answers(UNKNOWING[who], "RequestCancel")
    finally:
        clock.now = before

    assert [problem["code"] for problem in knowing["problems"]] == ["DEADLINE_PASSED"]
    assert [problem["code"] for problem in plain["problems"]] == ["INVALID_STATE"]
    assert appealed == plain


async def test_a_stream_narrowed_by_appeals_never_says_that_one_came(pair: Pair) -> None:
    """The rows stay where they would be if there were none: nothing enters and nothing leaves."""
    home = pair.town.home
    for status in STATUSES:
        heard = set()
        after = beginning()
        async for answer in home.follow(
            OPERATIONS[SUBSCRIPTION], BUYER, filter={"appealStatuses": [status]}, after=after
        ):
            item = answer["requestStream"]
            heard.add(item["__typename"])
            if item["__typename"] == "StreamHeartbeat":
                break

        expected = {"StreamReady", "StreamHeartbeat"}
        assert heard == expected | ({"RequestChanged", "DeadlineChanged"} if status == "NOT_AVAILABLE" else set())


def beginning() -> str:
    """Of the whole log, as a buyer's cursor says it."""
    return base64.urlsafe_b64encode(b'{"s":0}').decode().rstrip("=")


async def test_a_carrier_is_asked_to_wait_and_not_told_for_what() -> None:
    """Refunded at hand-over; when nothing comes back the seller may appeal. Time must act on that first."""
    async with house() as home:
        town = Town(home)
        request = await town.decide("ReturnGrantSpeedy", AGENT, await town.approved_return())
        scan = {"carrier": "JNE", "requestId": request["id"], "leg": "RETURN", "trackingNumber": "J7"}
        await town.do("CarrierReport", CARRIER, scans=[scan | {"event": "HANDED_OVER"}])
        await home.pass_time(minutes=1)
        [clock] = [clock for clock in (await home.request(request["id"])).clocks if clock.key == "speedy.not_received"]
        assert clock.due_at
        home.clock.now = clock.due_at

        late = await town.ask(
            "CarrierReport", CARRIER, input={"idempotencyKey": "late", "scans": [scan | {"event": "DELIVERED"}]}
        )
        await home.running.tender.tend()
        then = await town.ask(
            "CarrierReport", CARRIER, input={"idempotencyKey": "late", "scans": [scan | {"event": "DELIVERED"}]}
        )

    [refused], [done] = late["results"], then["results"]
    assert [(problem["code"], problem["retryable"]) for problem in refused["problems"]] == [("BUSY", True)]
    assert done["outcome"] == "DONE"

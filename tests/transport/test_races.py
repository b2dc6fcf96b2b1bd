"""Two staff, a retrying client and the clock race on one request, a hundred times over: each time one effect.

Fifty times on each database.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.contract.town import OPERATIONS
from tests.transport.world import listening

from aftersales.asgi import create_app, transport_settings
from aftersales.engine.request import ClockStatus
from aftersales.settings import Settings
from aftersales.testing.house import Home, house
from aftersales.transport.tokens import mint

ROUNDS = 50
SECRET = Settings().secret
# What a loser may be told: that it came too late, in one way or another.
TOO_LATE = {"VERSION_CONFLICT", "INVALID_STATE", "DEADLINE_PASSED", "BUSY"}


@dataclass
class Race:
    """A server that listens, and the people who speak to it."""

    home: Home
    url: str
    http: httpx.AsyncClient

    async def ask(self, name: str, who: str, input: dict[str, Any]) -> Any:
        party = "buyer" if who == "1" else "seller"
        claims = {"sub": who, "party": party, "shops": ["sh_1"] if party == "seller" else [], "grants": ["*"]}
        token = mint(SECRET, claims, timedelta(days=3_650), now=datetime.now(UTC))
        answer = await self.http.post(
            self.url,
            json={"query": OPERATIONS[name], "variables": {"input": input}},
            headers={"authorization": f"Bearer {token}"},
        )
        told = answer.json()
        assert "errors" not in told, told
        (payload,) = told["data"].values()
        return payload

    async def opened(self, name: str, number: int, **more: Any) -> Any:
        order = await self.home.order(number=f"r{number}")
        claim = {
            "idempotencyKey": f"open-{number}", "orderId": order.id,
            "lines": [{"orderLineId": order.lines[0].id, "quantity": 1}], **more,
        }  # fmt: skip
        payload = await self.ask(name, "1", claim)
        assert payload["problems"] == []
        return payload["request"]

    async def hangs_up(self, name: str, who: str, input: dict[str, Any]) -> None:
        """Sends the same and leaves without waiting for the answer."""
        task = asyncio.create_task(self.ask(name, who, input))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def race(_own_databases: None, tmp_path: Path) -> AsyncIterator[Race]:
    async with house(tmp_path / "race.sqlite3") as home:
        settings = home.running.settings
        app = create_app(home.running)
        limits = httpx.Limits(max_connections=50)
        async with listening(app, transport_settings(settings)) as url, httpx.AsyncClient(limits=limits) as http:
            yield Race(home, url + "/graphql", http)


async def runs_out(race: Race, id: str) -> datetime:
    """When the first of the running clocks does."""
    clocks = (await race.home.request(id)).clocks
    return min(clock.due_at for clock in clocks if clock.status is ClockStatus.RUNNING and clock.due_at)


async def effects(race: Race, id: str) -> Counter[str]:
    """How often each rule has moved the request, and how often money was promised."""
    lines = (await race.home.running.house.log.history([id], 100, None))[id]
    moved = Counter(line.rule for line in lines if line.type == "RequestStatusChanged")
    money = Counter(line.type for line in lines if line.type in ("RefundCreated", "RefundPaid"))
    return moved + money


async def test_a_review_is_decided_once_however_many_decide_it(race: Race) -> None:
    winners: Counter[str] = Counter()
    for number in range(ROUNDS):
        request = await race.opened("RefundOnlyOpen", number, reason="not_received")
        seen = {"requestId": request["id"], "expectedVersion": request["version"]}
        # at the very instant at which silence approves, or a second before
        until = await runs_out(race, request["id"])
        race.home.clock.now = until - timedelta(seconds=number % 2)
        yes = {**seen, "idempotencyKey": f"yes-{number}"}
        no = {**seen, "idempotencyKey": f"no-{number}", "reason": "unclear_or_no_evidence"}

        *answers, _, _ = await asyncio.gather(
            race.ask("RefundOnlyApprove", "staff_a", yes),
            race.ask("RequestReject", "staff_b", no),
            race.ask("RefundOnlyApprove", "staff_a", yes),
            race.ask("RefundOnlyApprove", "staff_a", yes),
            race.hangs_up("RefundOnlyApprove", "staff_a", yes),
            race.home.running.tender.tend(),
        )
        race.home.clock.now = until + timedelta(seconds=1)
        await race.home.running.tender.tend()

        approved, rejected, *again = answers
        done = [name for name, answer in (("yes", approved), ("no", rejected)) if not answer["problems"]]
        stands = await race.home.request(request["id"])
        told = await effects(race, request["id"])
        assert len(done) <= 1
        winner = done[0] if done else "time"
        winners[winner] += 1
        # every retry of one key is told the same
        assert {bool(answer["problems"]) for answer in again} == {bool(approved["problems"])}
        codes = {problem["code"] for answer in answers for problem in answer["problems"]}
        assert codes <= TOO_LATE, codes
        # one decision, and money once or not at all
        paid = stands.refunds
        assert len(paid) == (0 if winner == "no" else 1), (winner, told)
        assert told["RefundCreated"] == len(paid), told
        assert told["RefundPaid"] <= 1
        if winner == "no":
            assert stands.stage.name == "rejected"
    assert winners["time"]
    assert winners["yes"] + winners["no"]
    assert len(race.home.bank.paid) == sum(count for who, count in winners.items() if who != "no")


async def test_an_offer_is_answered_once_while_it_lapses(race: Race) -> None:
    ended: Counter[str] = Counter()
    for number in range(ROUNDS):
        request = await race.opened("ReturnRefundOpen", number, reason="wrong_size", returnMethod="DROP_OFF")
        offer = {
            "requestId": request["id"], "expectedVersion": request["version"], "idempotencyKey": f"offer-{number}",
            "kind": "PARTIAL_REFUND", "amount": {"amount": "50000", "currency": "IDR"},
        }  # fmt: skip
        made = await race.ask("OfferMake", "staff_a", offer)
        assert made["problems"] == [], made
        seen = {"requestId": request["id"], "expectedVersion": made["request"]["version"]}
        race.home.clock.now = await runs_out(race, request["id"]) - timedelta(seconds=number % 2)

        accepted, again, declined, _ = await asyncio.gather(
            race.ask("OfferAccept", "1", {**seen, "idempotencyKey": f"accept-{number}"}),
            race.ask("OfferAccept", "1", {**seen, "idempotencyKey": f"accept-{number}"}),
            race.ask("OfferDecline", "1", {**seen, "idempotencyKey": f"decline-{number}"}),
            race.home.running.tender.tend(),
        )

        done = [name for name, answer in (("accepted", accepted), ("declined", declined)) if not answer["problems"]]
        assert len(done) <= 1
        assert bool(accepted["problems"]) == bool(again["problems"])
        ended[done[0] if done else "lapsed"] += 1
        lines = (await race.home.running.house.log.history([request["id"]], 100, None))[request["id"]]
        told = Counter(line.type for line in lines if line.type in ("OfferAccepted", "OfferDeclined", "OfferLapsed"))
        assert sum(told.values()) == 1, told
    assert ended["lapsed"]
    assert len(ended) > 1

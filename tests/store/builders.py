"""A small world for the tests of the store: two kinds, terms, shops, orders, and a desk that forgets nothing."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aftersales.engine.clocks import Calendar, Unit
from aftersales.engine.common import COMMON, grant
from aftersales.engine.decide import decide, warn
from aftersales.engine.kind import Kind
from aftersales.engine.legs import back
from aftersales.engine.money import Money
from aftersales.engine.opening import Opening, open_request
from aftersales.engine.process import Process, Transition
from aftersales.engine.reasons import reasons, reject_codes
from aftersales.engine.request import Attempt, Change, Request
from aftersales.engine.stages import AWAITING_BUYER_SHIP, PENDING_REVIEW, REFUNDING
from aftersales.engine.terms import Term, Terms
from aftersales.engine.vocabulary import (
    ON_ITS_WAY,
    Actor,
    Claim,
    ClaimLine,
    Evidence,
    Order,
    OrderState,
    Party,
    Shop,
    ShopKind,
    Stage,
)
from aftersales.store.database import Database, Load
from aftersales.store.imports import ImportedLine, ImportedOrder
from aftersales.store.keys import Key
from aftersales.store.ledger import Ledger
from aftersales.store.urls import open_database
from aftersales.testing import places

NOON = datetime(2025, 3, 6, 12, tzinfo=UTC)
CALENDAR = Calendar(ZoneInfo("Asia/Jakarta"), frozenset(range(5)), frozenset())

SELLER = Actor(Party.SELLER, "se_1", frozenset({"sh_1", "sh_2"}), frozenset({"*"}), "tests")
BUYER = Actor(Party.BUYER, "by_1")
CARRIER = Actor(Party.CARRIER, "ca_1")
AGENT = Actor(Party.PLATFORM, "ag_1", grants=frozenset({"*"}))
SYSTEM = Actor(Party.SYSTEM, "system")

_REVIEWERS = Party.SELLER | Party.PLATFORM
_DIGITS = {"IDR": 0, "USD": 2, "KWD": 3}

# fmt: off
REFUND_ONLY = Kind(
    "refund_only", "Refund only",
    Process("refund_only", (
        Transition("RO1", PENDING_REVIEW, "approve", REFUNDING, _REVIEWERS, "Grant the refund",
                   effect=grant(), events=("RequestApproved",)),
    ), COMMON, REFUNDING),
    reasons("not_received", "damaged", "other"), reject_codes("reason_not_valid", "unclear_or_no_evidence"),
    order_states=ON_ITS_WAY | {OrderState.DELIVERED},
)
RETURN_REFUND = Kind(
    "return_refund", "Return and refund",
    Process("return_refund", (
        Transition("RR1", PENDING_REVIEW, "approve", AWAITING_BUYER_SHIP, _REVIEWERS, "Approve the return",
                   events=("RequestApproved",)),
        *back(accepted=REFUNDING),
    ), COMMON, AWAITING_BUYER_SHIP),
    reasons("damaged", "other"), reject_codes("reason_not_valid", "pkg_not_ours"), sends_back=True,
)
# fmt: on
KINDS = {kind.name: kind for kind in (REFUND_ONLY, RETURN_REFUND)}


def terms(version: str = "ID@2025-01-01+00000000") -> Terms:
    def clock(days: int, owed_by: str, *warn_before: int) -> Term:
        return Term(days, Unit.CAL_DAY, warn_before=warn_before, owed_by=owed_by)

    keys = frozenset().union(*(kind.process.clock_keys for kind in KINDS.values()))
    by_key = {key: clock(5, "BUYER") for key in sorted(keys)}
    by_key |= {
        "review.first": clock(2, "SELLER", 86_400, 21_600),
        "inspect.tracked": clock(2, "SELLER", 3_600),
        "window.raise": clock(6, "BUYER"),
        "limit.requests_per_sku": Term(50),
        "limit.evidence_files": Term(9),
        "limit.attempts": Term(2),
        "limit.edits": Term(2),
        "limit.pickup_attempts": Term(3),
        "kind.enabled": Term(True),
        "reason.enabled": Term(True),
        "reject.change_of_mind_protected": Term(True),
    }
    return Terms(version, by_key)


TERMS = terms()


def digits(currency: str) -> int:
    return _DIGITS[currency]


def stage_of(kind: str, stage: str) -> Stage | None:
    return KINDS[kind].process.stages.get(stage) if kind in KINDS else None


def nothing_known(kind: str, stage: str) -> Stage | None:
    """What a server says whose plugins are all gone."""
    return None


def money(amount: str, currency: str = "USD") -> Money:
    return Money(Decimal(amount), currency)


def shop(id: str = "sh_1", **changes: Any) -> Shop:
    return Shop(
        **{"id": id, "name": "Shop", "market": "ID", "kind": ShopKind.NON_MALL, "timezone": "Asia/Jakarta", **changes}
    )


def imported(number: str = "A1", shop_id: str = "sh_1", **changes: Any) -> ImportedOrder:
    """An order of two lines, of 3 and 1 units, worth 100.00 in all."""
    values: dict[str, Any] = {
        "shop_id": shop_id,
        "number": number,
        "buyer_id": "by_1",
        "currency": "USD",
        "state": OrderState.DELIVERED,
        "placed_at": NOON - timedelta(days=5),
        "delivered_at": NOON - timedelta(days=1),
        "total": money("100.00"),
        "shipping_paid": money("5.00"),
        "buyer_name": "Ayu",
        "lines": (
            ImportedLine("sku_1", "Blue Kettle", 3, money("20.00"), money("5.00"), money("1.00"), money("0")),
            ImportedLine(
                "sku_2", "100% Wool_Scarf", 1, money("30.00"), money("0"), money("0"), money("2.50"), category="wear"
            ),
        ),
    }
    return ImportedOrder(**{**values, **changes})


@dataclass
class World:
    """A ledger on a real file, and the path of a change in short: load, decide, commit."""

    ledger: Ledger
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.number_from(1)

    def number_from(self, first: int) -> None:
        """Give the requests to come ids and numbers from here on."""
        self._numbers = count(first)

    async def order(self, number: str = "A1", shop_id: str = "sh_1", **changes: Any) -> Order:
        order = imported(number, shop_id, **changes)
        await self.ledger.import_orders([order], self.now)
        found = await self.ledger.order(order.id)
        assert found is not None
        return found

    def opening(
        self, order: Order, kind: str = "refund_only", quantity: int = 1, reason: str = "other", note: str = "Broken",
        evidence: tuple[Evidence, ...] = (), terms: Terms = TERMS, at: datetime | None = None, line: int = 0,
        **claim: Any,
    ) -> Change:  # fmt: skip
        number = next(self._numbers)
        made = Opening(
            Claim(order, (ClaimLine(order.lines[line].id, quantity),), reason, note, evidence, **claim),
            KINDS[kind], BUYER, at or self.now, terms, CALENDAR, f"rq_{number:032x}", f"AS-{number:08d}",
        )  # fmt: skip
        return open_request(made)

    async def open(self, order: Order, *, key: Key | None = None, **claim: Any) -> Request:
        """Make a request, and read it back."""
        return await self.load((await self.commit(self.opening(order, **claim), key=key)).id)

    async def act(
        self,
        request: Request,
        action: str,
        actor: Actor = SELLER,
        at: datetime | None = None,
        key: Key | None = None,
        **given: Any,
    ) -> Request:
        """Do something to a request, and read it back."""
        return await self.load((await self.commit(self.decide(request, action, actor, at, **given), key=key)).id)

    def decide(
        self, request: Request, action: str, actor: Actor = SELLER, at: datetime | None = None, **given: Any
    ) -> Change:
        note = given.pop("note", "")
        return decide(Attempt(request, KINDS[request.kind], action, actor, at or self.now, CALENDAR, note, given=given))

    async def warn(self, request: Request, at: datetime) -> None:
        clock = request.next_clock
        assert clock is not None
        await self.commit(warn(request, clock, at), processed_at=at)

    async def commit(self, *changes: Change, key: Key | None = None, processed_at: datetime | None = None) -> Request:
        await self.ledger.commit(changes, processed_at=processed_at or self.now, key=key)
        return changes[-1].request

    async def load(self, id: str) -> Request:
        found = await self.ledger.request(id)
        assert found is not None
        return found


@asynccontextmanager
async def world(place: Path | str, stage_of: Callable[[str, str], Stage | None] = stage_of) -> AsyncIterator[World]:
    """A new database with two shops, or one that is there already: at a path, or at the URL itself."""
    database = await open_database(place if isinstance(place, str) else await places.place(place))
    ledger = Ledger(database, stage_of, digits)
    await ledger.import_shops([shop("sh_1"), shop("sh_2", name="Other", kind=ShopKind.MALL)])
    try:
        yield World(ledger)
    finally:
        await database.close()


class Counted:
    """A database that counts hops and statements."""

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self.hops: list[int] = []

    @property
    def shared(self) -> bool:
        return self.inner.shared

    async def read(self, *statements: Any) -> list[list[tuple[Any, ...]]]:
        self.hops.append(len(statements))
        return await self.inner.read(*statements)

    async def write(self, *statements: Any) -> list[list[tuple[Any, ...]]]:
        self.hops.append(len(statements))
        return await self.inner.write(*statements)

    async def scrub(self) -> None:
        await self.inner.scrub()

    def load(self) -> Load:
        return self.inner.load()

    async def close(self) -> None:
        await self.inner.close()

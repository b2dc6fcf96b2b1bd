"""What people do at the desk, in one word each."""

from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from aftersales.desk import Asked, Done, new_id
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Request
from aftersales.engine.vocabulary import Actor, ClaimLine, Evidence, EvidenceKind, Order, ReturnMethod
from aftersales.store.database import Row, Statement, StoreBusy
from aftersales.store.files import StoredEvidence
from aftersales.store.keys import Key
from aftersales.store.log import LoggedEvent
from aftersales.testing import Home
from aftersales.testing.house import BUYER, SELLER


def claim(order: Order, quantity: int = 1, line: int = 0, reason: str = "not_received", **more: Any) -> Asked:
    return Asked(order.id, (ClaimLine(order.lines[line].id, quantity),), reason, **more)


async def opened(home: Home, order: Order | None = None, kind: str = "refund_only", **claimed: Any) -> Request:
    """A request of the buyer's, on a new order unless one is given."""
    order = order or await home.order(number=f"N{await home.running.house.log.last_serial()}")
    done = await home.running.desk.open(kind, BUYER, claim(order, **claimed))
    return done.request


async def return_opened(
    home: Home, method: ReturnMethod = ReturnMethod.DROP_OFF, order: Order | None = None, kind: str = "return_refund"
) -> Request:
    return await opened(home, order, kind, reason="wrong_size", return_method=method)


async def act(home: Home, request: Request, action: str, actor: Actor = SELLER, **how: Any) -> Request:
    return (await home.running.desk.act(request.id, action, actor, **how)).request


async def rejected(home: Home, request: Request, **how: Any) -> Request:
    return await act(home, request, "reject", given={"reason": "unclear_or_no_evidence"}, **how)


async def staged(home: Home, kind: EvidenceKind = EvidenceKind.PHOTO, by: Actor = BUYER) -> str:
    """A file that somebody may show; its id."""
    id = new_id("ed")
    shown = Evidence(id, kind, by.party, by.id)
    stored = StoredEvidence(shown, f"https://files.example/{id}", "image/jpeg", 1, "00", home.clock())
    await home.running.desk.ledger.add_evidence(stored)
    return id


async def codes(perform: Awaitable[Any]) -> list[str]:
    """What the desk holds against it; nothing if it was done."""
    try:
        await perform
    except Refused as refused:
        return [problem.code for problem in refused.problems]
    return []


async def effects(*performed: Awaitable[Done]) -> tuple[list[Done], list[str]]:
    """What came of several things tried in turn or at once."""
    done, refused = [], []
    for each in performed:
        try:
            done.append(await each)
        except Refused as no:
            refused += [problem.code for problem in no.problems]
    return done, refused


async def history(home: Home, request: Request | str) -> list[LoggedEvent]:
    """All that is said of a request, oldest first."""
    request_id = request if isinstance(request, str) else request.id
    found = await home.running.house.log.history([request_id], first=1000)
    return found[request_id][::-1]


async def said(home: Home, request: Request | str, type: str) -> list[LoggedEvent]:
    return [event for event in await history(home, request) if event.type == type]


def same(one: Request, other: Request) -> bool:
    """The same record; what is claimed of its order meanwhile is not part of it."""
    return replace(one, order=other.order) == other


def key(name: str, fingerprint: str = "same", scope: str = "BUYER:by_1:refundOnlyOpen") -> Key:
    return Key(scope, name, fingerprint)


def ids(requests: Sequence[Request]) -> list[str]:
    return [request.id for request in requests]


@contextmanager
def away(home: Home, sql: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Meanwhile the database has no time for what has this in it."""
    write = home.running.database.write

    async def busy(*statements: Statement) -> list[list[Row]]:
        if any(sql in statement.sql for statement in statements):
            raise StoreBusy("It is away.")
        return await write(*statements)

    with monkeypatch.context() as patch:
        patch.setattr(home.running.database, "write", busy)
        yield

"""Brings returns that the marketplace exported into the record: each kept as it came, and followed where it can be."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from uuid import NAMESPACE_URL, uuid5

from ..desk import ALPHABET, TRIES, Desk
from ..engine.arrival import Told, Unfit, arrive, news
from ..engine.kind import Kind
from ..engine.money import Money
from ..engine.opening import facts_of
from ..engine.refusal import Problem
from ..engine.request import Change, Request, RequestLine
from ..engine.stages import COMPLETED, REFUNDING
from ..engine.vocabulary import Actor, Claim, ClaimLine, Order, Party, Shop
from ..store.external import ExternalRecord
from ..store.imports import ImportedOrder, order_id
from ..store.ledger import NumberTaken, OrderMoved, StaleVersion
from ..store.values import EPOCH
from .return_files import Unread, documents
from .return_lines import as_order, grown, lines_of, stub_of
from .statuses import FORMAT, KINDS, stages_of
from .tiktok import Record, Return, read

MARKETPLACE = Actor(Party.PLATFORM, "marketplace", client=FORMAT)
BATCH = 100


class Outcome(Enum):
    """What became of a record.

    STALE: a newer one is known. UNMAPPED: it is kept, and a person must look. REFUSED: it is no record that could be
    kept.
    """

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    STALE = "STALE"
    UNMAPPED = "UNMAPPED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Result:
    """
    Args:
        place: the line of the file, or the record's number in the document.
        id: the marketplace's own; empty if it has none.
        text: what a person should know.
    """

    place: int
    id: str
    outcome: Outcome
    text: str = ""


@dataclass(slots=True)
class Summary:
    """How many records came to what end."""

    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    def add(self, result: Result) -> None:
        self.counts[result.outcome] += 1

    @property
    def wants_a_person(self) -> int:
        return self.counts[Outcome.UNMAPPED] + self.counts[Outcome.REFUSED]

    def __str__(self) -> str:
        return ", ".join(f"{count} {outcome.value.lower()}" for outcome, count in self.counts.items())


def record_id(return_id: str) -> str:
    """The same return has the same id, whenever and wherever it is imported."""
    return f"xr_{uuid5(NAMESPACE_URL, f'{FORMAT}|{return_id}').hex}"


def request_id(return_id: str) -> str:
    return f"rq_{record_id(return_id).partition('_')[2]}"


def number_of(request_id: str, attempt: int = 0) -> str:
    """Like any other request's, and always the same for the same return, unless another has it."""
    digest = sha256(f"{request_id}|{attempt}".encode()).digest()
    digits = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:8])
    return f"AS-{digits[:4]}-{digits[4:]}"


async def import_returns(source: Path | BinaryIO, desk: Desk, shop: Shop) -> AsyncIterator[Result]:
    """Each record's result as soon as it is written, in the order of the file.

    Stopped on its way, it has done what it has told; the whole file again changes nothing of that.

    Raises:
        OSError: the file cannot be read.
        TooLarge: it is one document, and too large to be held at once.
    """
    told = documents(source)
    while batch := await asyncio.to_thread(_batch, told, desk):
        for run in _runs(batch):
            for result in await _bring(desk, shop, run):
                yield result


def _batch(told: Iterator[tuple[int, object]], desk: Desk) -> list[Record]:
    return [_read(place, document, desk) for place, document in islice(told, BATCH)]


def _read(place: int, document: object, desk: Desk) -> Record:
    if isinstance(document, Unread):
        problem = Problem("INVALID_INPUT", "This is not JSON: {fault}.", fault=document.fault)
        return Record(place, "", "", "", None, None, (problem,))
    return read(document, place, desk.ledger.digits, desk.clock())


def _runs(batch: Sequence[Record]) -> Iterator[list[Record]]:
    """Cut where something is told of a second time, so that the later record meets what the earlier one left."""
    run: list[Record] = []
    seen: set[str] = set()
    for record in batch:
        if record.id in seen:
            yield run
            run, seen = [], set()
        run.append(record)
        seen |= {record.id} if record.id else set()
    yield run


@dataclass(frozen=True, slots=True)
class _Facts:
    """All that records are judged by, read at once."""

    known: Mapping[str, ExternalRecord]
    requests: Mapping[str, Request]
    orders: Mapping[str, Order]


async def _facts(desk: Desk, shop: Shop, batch: Iterable[Record]) -> _Facts:
    ids = [record.id for record in batch if record.id]
    numbers = {record.told.order_number for record in batch if record.told}
    ledger = desk.ledger
    return _Facts(
        await ledger.external_records([record_id(id) for id in ids]),
        await ledger.requests([request_id(id) for id in ids]),
        await ledger.orders([order_id(shop.id, number) for number in numbers]),
    )


async def _bring(desk: Desk, shop: Shop, run: Sequence[Record]) -> list[Result]:
    facts = await _facts(desk, shop, run)
    return [await _one(desk, shop, record, facts) for record in run]


async def _one(desk: Desk, shop: Shop, record: Record, facts: _Facts) -> Result:
    if not record.id:
        return Result(record.place, "", Outcome.REFUSED, _text(record.problems))
    for attempt in range(TRIES):
        try:
            return await _kept(desk, shop, record, facts, attempt)
        except (StaleVersion, OrderMoved, NumberTaken):
            # what it was judged by is another by now: an earlier record of the same order, or somebody's act
            facts = await _facts(desk, shop, [record])
    return Result(record.place, record.id, Outcome.REFUSED, "Too much changed at once. Import it again.")


async def _kept(desk: Desk, shop: Shop, record: Record, facts: _Facts, attempt: int) -> Result:
    known = facts.known.get(record_id(record.id))
    if known and known.shop_id != shop.id:
        return Result(record.place, record.id, Outcome.REFUSED, "This return is another shop's.")
    if known and record.updated_at and record.updated_at < known.updated_at:
        return Result(record.place, record.id, Outcome.STALE)
    if known and known.record == record.raw and known.unmapped is None:
        return Result(record.place, record.id, Outcome.UNCHANGED)
    before = facts.requests.get(request_id(record.id))
    change, stub, why = _judged(desk, shop, record, known, before, facts.orders, attempt)
    if known and known.record == record.raw and known.unmapped == why and change is None:
        return Result(record.place, record.id, Outcome.UNMAPPED, why or "")
    mapped = change.request.id if change else before.id if before else None
    await desk.arrived(
        ExternalRecord(
            record_id(record.id), FORMAT, record.id, shop.id, mapped, record.told.order_number if record.told else None,
            record.status, why, record.raw, record.updated_at or (known.updated_at if known else EPOCH),
        ),
        change, stub,
    )  # fmt: skip
    if why is not None:
        return Result(record.place, record.id, Outcome.UNMAPPED, why)
    if change is None:
        return Result(record.place, record.id, Outcome.UNCHANGED)
    return Result(record.place, record.id, Outcome.UPDATED if change.before else Outcome.CREATED)


Judged = tuple[Change | None, ImportedOrder | None, str | None]


def _judged(
    desk: Desk, shop: Shop, record: Record, known: ExternalRecord | None, before: Request | None,
    orders: Mapping[str, Order], attempt: int,
) -> Judged:  # fmt: skip
    """The change that a record makes, the order that must be made up for it, and why a person must look instead."""
    said = record.told
    if said is None:
        return None, None, _text(record.problems)
    try:
        kind = _kind(desk, said, before)
        stages = _stages(kind, said)
        calendar = desk.calendar(shop.market)
        if before:
            granted = before.refund_approved if before.refund_approved is not None else before.refund_max
            told = _told(said, stages, kind, before.lines, granted)
            earlier = _earlier(desk, known, kind)
            return news(told, before, kind, calendar, MARKETPLACE, earlier), None, None
        known_order = order = orders.get(order_id(shop.id, said.order_number))
        if order and order.currency != said.currency:
            raise Unfit(f"The order was placed in {order.currency}, not in {said.currency}.")
        ended = stages[0] in kind.process.stages and kind.process.stages[stages[0]].final
        ended = ended and not {REFUNDING.name, COMPLETED.name} & {*stages}
        chain = frozenset(request_id(other) for other in (said.previous, said.next) if other)
        stub = None
        if order is None or order.stub:
            digits = desk.ledger.digits(said.currency)
            stub = grown(order, said, shop, kind, chain, ended=ended) if order else stub_of(said, shop, kind, digits)
            order = as_order(stub, shop, digits, known_order)
            stub = None if order == known_order else stub
        lines = tuple(lines_of(said, order, chain, ended=ended))
        refund = sum((line.refund_max for line in lines), Money.zero(order.currency))
        told = _told(said, stages, kind, lines, refund)
        claim = Claim(order, tuple(ClaimLine(line.order_line_id, line.quantity) for line in lines), told.reason)
        terms = desk.book.terms(facts_of(claim, kind, said.created_at))
        id = request_id(record.id)
        return arrive(told, order, kind, terms, calendar, MARKETPLACE, id, number_of(id, attempt)), stub, None
    except Unfit as unfit:
        return None, None, str(unfit)


def _kind(desk: Desk, said: Return, before: Request | None) -> Kind:
    name = KINDS.get(said.type)
    if name is None:
        raise Unfit(f"{said.type} is no type of return that is known here.")
    kind = desk.registry.kinds.get(name)
    if kind is None:
        raise Unfit(f"The plugin of {name} is not installed.")
    if before and before.kind != name:
        raise Unfit(f"It is a {before.kind} here, and a {name} at the marketplace.")
    return kind


def _stages(kind: Kind, said: Return) -> tuple[str, ...]:
    stages = stages_of(kind.name, said.status, inspects=said.inspects)
    if not stages:
        raise Unfit(f"{said.status} says nothing that is known here of a {said.type}.")
    return stages


def _earlier(desk: Desk, known: ExternalRecord | None, kind: Kind) -> tuple[str, ...]:
    """What the record before this one said."""
    if known is None or known.unmapped is not None:
        return ()
    told = read(json.loads(known.record, parse_float=Decimal), 0, desk.ledger.digits, desk.clock()).told
    return stages_of(kind.name, told.status, inspects=told.inspects) if told else ()


def _told(said: Return, stages: tuple[str, ...], kind: Kind, lines: tuple[RequestLine, ...], refund: Money) -> Told:
    known = said.reason_known and said.reason in kind.reasons
    return Told(
        stages=stages, lines=lines, refund=said.refund if said.refund is not None else refund,
        reason=said.reason if known else "other", reason_known=known, note=said.note, created_at=said.created_at,
        updated_at=said.updated_at, method=said.method if kind.sends_back else None, carrier=said.carrier,
        tracking=said.tracking, deadline=said.deadline, dispute=said.dispute, shipping=said.shipping,
        previous_id=request_id(said.previous) if said.previous else None,
        next_id=request_id(said.next) if said.next else None,
    )  # fmt: skip


def _text(problems: Sequence[Problem]) -> str:
    return " ".join(f"{problem.field}: {problem.text()}" if problem.field else problem.text() for problem in problems)

"""The one path of every change: load, decide, commit, announce. No rules, no SQL."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import uuid_utils

from .engine.clocks import Calendar
from .engine.decide import decide, through_its_own
from .engine.kind import Kind
from .engine.knowing import decided
from .engine.opening import Opening, facts_of, open_request, replace_request, speaks_for
from .engine.policies import Book
from .engine.refusal import Problem, Refused, busy
from .engine.request import Attempt, Change, Request
from .engine.rights import may_see, sees_seller_side
from .engine.seller_refund import RefundLine, SellerRefund, Wish, refund_unasked
from .engine.shop_rules import Rule, matches
from .engine.stock import in_stock
from .engine.vocabulary import SYSTEM, Actor, Claim, ClaimLine, Evidence, Order, ReturnMethod, Shop, Variation
from .evidence.rules import unusable
from .registry import Registry
from .store.external import ExternalRecord
from .store.imports import ImportedOrder
from .store.keys import Key, Remembered
from .store.ledger import KeyTaken, Ledger, NumberTaken, OrderMoved, StaleVersion

TRIES = 5
STOCK_SECONDS = 3.0
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

log = logging.getLogger("aftersales.desk")


class Announces(Protocol):
    """Whoever wakes those who wait for changes."""

    def announce(self, changes: Sequence[Change]) -> None: ...


@dataclass(frozen=True, slots=True)
class Done:
    """The record after an act. `replayed`: this answer was given before for the same key."""

    request: Request
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Refunded:
    """What a seller gave unasked. `replayed`: this answer was given before for the same key."""

    refund: SellerRefund
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A claim as it came through a door: ids, not yet facts."""

    order_id: str
    lines: tuple[ClaimLine, ...]
    reason: str
    note: str = ""
    evidence_ids: tuple[str, ...] = ()
    return_method: ReturnMethod | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def new_id(prefix: str) -> str:
    return f"{prefix}_{uuid_utils.uuid7().hex}"


def new_number() -> str:
    """Short and unambiguous over the phone; uniqueness is the ledger's to guarantee."""
    digits = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"AS-{digits[:4]}-{digits[4:]}"


class Desk:
    """Where every change passes, whoever asks for it: a person, a carrier, a partner's app, or time."""

    def __init__(
        self, ledger: Ledger, registry: Registry, book: Book, calendar: Callable[[str], Calendar],
        clock: Callable[[], datetime], announces: Sequence[Announces] = (),
    ) -> None:  # fmt: skip
        self.ledger = ledger
        self.registry = registry
        self.book = book
        self.calendar = calendar
        self.clock = clock
        self.announces = list(announces)

    async def open(self, kind: str, actor: Actor, asked: Asked, key: Key | None = None) -> Done:
        """Make a request (C1).

        Raises:
            Refused: everything that speaks against it, at once.
        """

        async def opened() -> Done:
            opening = await self._opening(kind, actor, asked)
            made = open_request(opening)
            return await self._settle((made,), key, self._at_once(made, opening.rules))

        return await self._once(key, opened)

    async def act(
        self, request_id: str, action: str, actor: Actor, *, note: str = "", expected: int | None = None,
        given: Mapping[str, Any] | None = None, evidence_ids: Sequence[str] = (), key: Key | None = None,
        at: datetime | None = None, clock_id: str | None = None, appeal_id: str | None = None, mutation: str = "",
    ) -> Done:  # fmt: skip
        """Do something to a request, its dispute or its appeal.

        Args:
            mutation: by which it is done, where it is done by one.
            at: given by time alone, whose acts happen at the due instant.
            clock_id: the clock that ran out, given by time alone.
            appeal_id: the appeal that is acted on; whoever may not know of it is told that there is none.

        Raises:
            Refused: NOT_FOUND, VERSION_CONFLICT, INVALID_STATE, DEADLINE_PASSED, or what the row's guards say.
        """

        async def done() -> Done:
            facts = dict(given or {})
            if evidence_ids:
                facts["evidence"] = await self.evidence(evidence_ids, actor)
            request = await (self.appealed(appeal_id, request_id, actor) if appeal_id else self.seen(request_id, actor))
            facts |= await self._looked_up(request, action, facts)
            attempt = self.attempt(request, action, actor, at or self.clock(), note, expected, facts, clock_id)
            if mutation and (problems := tuple(through_its_own(mutation, attempt))):
                raise Refused(problems)
            return await self._settle((decided(attempt),), key)

        return await self._once(key, done)

    async def replace(
        self, request_id: str, action: str, actor: Actor, asked: Asked, *, expected: int | None, key: Key | None = None
    ) -> Done:
        """Edit or resubmit (C2, C8): the old request closes, a new one is answered with."""

        async def replaced() -> Done:
            old = await self.seen(request_id, actor)
            attempt, opening = await self.replacement(old, action, actor, asked, expected)
            closed, made = replace_request(attempt, opening)
            return await self._settle((closed, made), key, self._at_once(made, opening.rules))

        return await self._once(key, replaced)

    async def refund_unasked(
        self, order_id: str, lines: tuple[RefundLine, ...], reason: str, note: str, actor: Actor, key: Key
    ) -> Refunded:
        """A seller gives money back that nobody asked for.

        Raises:
            Refused: everything that speaks against it, at once.
        """
        try:
            for _ in range(TRIES):
                order = await self.seen_order(order_id, actor)
                wish = Wish(new_id("rf"), order, lines, reason, note, actor, self.clock())
                refund = refund_unasked(wish)
                try:
                    await self.ledger.commit_seller_refund(
                        refund, order.claims_version, processed_at=self.clock(), key=key
                    )
                except OrderMoved:
                    continue
                for listener in self.announces:
                    # nothing changed that streams tell of; but there is a refund to be paid
                    listener.announce(())
                return Refunded(refund)
            raise Refused([busy()])
        except (KeyTaken, Refused) as lost:
            if again := await self._refunded_before(key):
                return again
            raise lost if isinstance(lost, Refused) else Refused([busy()]) from None

    async def _refunded_before(self, key: Key) -> Refunded | None:
        remembered = await self.ledger.remembered(key, self.clock() - key.lifetime)
        if remembered is None:
            return None
        if remembered.fingerprint != key.fingerprint:
            raise Refused([key_reused(remembered)])
        refund = await self.ledger.seller_refund(remembered.request_id)
        if refund is None:
            raise RuntimeError(f"{remembered.request_id} is remembered and gone")
        return Refunded(refund, replayed=True)

    async def seen_order(self, order_id: str, actor: Actor) -> Order:
        """The order, if it is the actor's to see; to others it does not exist."""
        order = await self.seen_order_or_none(order_id, actor)
        if order is None:
            raise Refused([Problem("NOT_FOUND", "There is no such order.", "orderId", guard="G_OWNER")])
        return order

    async def seen_order_or_none(self, order_id: str, actor: Actor) -> Order | None:
        order = await self.ledger.order(order_id)
        return order if order and may_see(actor, order.shop.id, order.buyer_id) else None

    async def arrived(self, record: ExternalRecord, change: Change | None, stub: ImportedOrder | None = None) -> None:
        """Keep what the marketplace told, with what it made of the request. Nobody objects: it has happened there.

        Raises:
            StaleVersion, OrderMoved, NumberTaken: it was decided on what is no longer so.
        """
        await self.ledger.commit_arrival(record, change=change, stub=stub, processed_at=self.clock())
        if change:
            self.told((change,))

    async def seen(self, request_id: str, actor: Actor) -> Request:
        """The request, if it is the actor's to see; to others it does not exist."""
        request = await self.ledger.request(request_id)
        if request is None or not may_see(actor, request.order.shop.id, request.order.buyer_id):
            raise Refused([Problem("NOT_FOUND", "There is no such request.", "requestId", guard="G_OWNER")])
        return request

    async def appealed(self, appeal_id: str, request_id: str, actor: Actor) -> Request:
        """The request of an appeal, if both are the actor's to see."""
        request = await self.ledger.request(request_id)
        mine = request is not None and may_see(actor, request.order.shop.id, request.order.buyer_id)
        if request is None or not mine or not sees_seller_side(actor) or _appeal_id(request) != appeal_id:
            raise Refused([Problem("NOT_FOUND", "There is no such appeal.", "appealId", guard="G_OWNER")])
        return request

    def _at_once(self, made: Change, rules: Sequence[Rule]) -> tuple[Change, ...]:
        """RO2, RO3: what is decided as soon as it is asked, by a rule of the seller's or by enforcement.

        The seller's own rules beat the platform's. Where a plugin objects, the request waits for a person.
        """
        request = made.request
        kind = self.registry.kinds[request.kind]
        process = kind.process
        if process.at(request.stage.name, "match_rule"):
            for rule in rules:
                if rule.active and matches(rule.conditions, request, kind.reasons):
                    facts = {"rule_id": rule.id, "rule_name": rule.name}
                    return self._unless_objected(self.attempt(request, "match_rule", SYSTEM, made.at, given=facts))
        enforced = process.at(request.stage.name, "enforce")
        if enforced and not any(problem for row in enforced for gate in row.gates for problem in gate(request)):
            return self._unless_objected(self.attempt(request, "enforce", SYSTEM, made.at))
        return ()

    def _unless_objected(self, attempt: Attempt) -> tuple[Change, ...]:
        """What stands against it, or fails, keeps it from being done at once, and not the claim from being made."""
        try:
            change = decide(attempt)
            return () if self.registry.objections(change) else (change,)
        except Refused:
            return ()
        except Exception:
            log.exception("%s of %s was not done at once: it waits for a person", attempt.action, attempt.request.id)
            return ()

    async def _looked_up(self, request: Request, action: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """What stock says, where the act is judged by it."""
        skus = self.skus(request, action, facts)
        return {"variations": await self.variations(request.order.shop, skus)} if skus else {}

    def skus(self, request: Request, action: str, facts: Mapping[str, Any]) -> set[str]:
        """What stock must be asked about: for a yes to goods, or an offer of them."""
        kind = self.registry.kinds.get(request.kind)
        rows = kind.process.at(request.stage.name, action) if kind else []
        skus: set[str] = set()
        if kind and any(in_stock in row.guards for row in rows):
            skus.update(kind.wants(request.lines, request.details))
        elif action == "offer_make" and (details := facts.get("details")):
            skus.update(*(kind.wants(request.lines, details) for kind in self.registry.kinds.values()))
        return skus

    async def variations(self, shop: Shop, sku_ids: Collection[str]) -> Mapping[str, Variation]:
        """What there is of these variations.

        Raises:
            Refused: INELIGIBLE, nobody knows what the shop has; BUSY, its stock does not answer.
        """
        stock = self.registry.stock(shop)
        if stock is None:
            raise Refused([
                Problem(
                    "INELIGIBLE", "Nobody can say what this shop has in stock: ask for something else.", guard="G_EX"
                )
            ])  # fmt: skip
        try:
            with self.registry.watch.provider("stock", "look"):
                async with asyncio.timeout(STOCK_SECONDS):
                    return await stock.look(sorted(sku_ids))
        except Exception as error:
            log.exception("the stock of %s could not be asked", shop.id)
            raise Refused([
                Problem("BUSY", "The shop's stock does not answer. Send the same again with the same key.")
            ]) from error  # fmt: skip

    def attempt(
        self, request: Request, action: str, actor: Actor, at: datetime, note: str = "", expected: int | None = None,
        given: Mapping[str, Any] | None = None, clock_id: str | None = None,
    ) -> Attempt:  # fmt: skip
        """The facts of an act. A kind whose plugin is gone can be read, and nothing more."""
        kind = self.registry.kinds.get(request.kind)
        if kind is None:
            raise Refused([Problem("INVALID_STATE", "The plugin of this kind is not installed.", guard="G_STATE")])
        kinds = self._offered(request, at) if action == "offer_make" else self.registry.kinds
        return Attempt(
            request, kind, action, actor, at, self.calendar(request.order.shop.market), note, expected, given or {},
            clock_id, kinds,
        )  # fmt: skip

    def _offered(self, request: Request, at: datetime) -> Mapping[str, Kind]:
        """The kinds that the request's market has, of which an offer may make it one."""
        lines = tuple(ClaimLine(line.order_line_id, line.quantity) for line in request.lines)
        claim = Claim(request.order, lines, request.reason)
        return {
            name: kind
            for name, kind in self.registry.kinds.items()
            if self.book.terms(facts_of(claim, kind, at)).flag("kind.enabled")
        }

    async def opening(self, kind: str, actor: Actor, asked: Asked, instead_of: Request | None = None) -> Opening:
        return await self._opening(kind, actor, asked, instead_of)

    async def replacement(
        self, old: Request, action: str, actor: Actor, asked: Asked, expected: int | None
    ) -> tuple[Attempt, Opening]:
        """An edit carries on what it does not say: how goods come back and what only the kind knows."""
        asked = replace(
            asked, order_id=old.order.id, return_method=asked.return_method or old.return_method,
            details=asked.details or old.details,
        )  # fmt: skip
        now = self.clock()
        attempt = self.attempt(old, action, actor, now, asked.note, expected)
        opening = await self._opening(old.kind, actor, asked, old)
        return attempt, replace(opening, at=now)

    def claim(self, kind: str, order: Order, asked: Asked, evidence: tuple[Evidence, ...]) -> Claim:
        return Claim(order, asked.lines, asked.reason, asked.note, evidence, asked.return_method, asked.details)

    async def evidence(
        self, ids: Sequence[str], actor: Actor, instead_of: Request | None = None
    ) -> tuple[Evidence, ...]:
        """The files by id. Only one's own, and each supports one request; an edit keeps those it had.

        Raises:
            Refused: NOT_FOUND for every id that is not there to be used, EVIDENCE_REQUIRED for every file whose
                content has not come, INELIGIBLE for every one whose place another has taken.
        """
        stored = await self.ledger.evidence(tuple(dict.fromkeys(ids)))
        kept = {item.id for item in instead_of.evidence} if instead_of else set()
        if problems := tuple(unusable([stored.get(id) for id in ids], actor, kept)):
            raise Refused(problems)
        return tuple(stored[id].evidence for id in dict.fromkeys(ids))

    async def _opening(self, kind: str, actor: Actor, asked: Asked, instead_of: Request | None = None) -> Opening:
        known = self.registry.kinds[kind]
        order, rules = await self.ledger.order_with_rules(asked.order_id)
        evidence = await self.evidence(asked.evidence_ids, actor, instead_of) if asked.evidence_ids else ()
        if order is None or not may_see(actor, order.shop.id, order.buyer_id):
            raise Refused([Problem("NOT_FOUND", "There is no such order.", "orderId", guard="G_OWNER")])
        claim = self.claim(kind, order, asked, evidence)
        if not speaks_for(actor, claim):
            raise Refused([Problem("NOT_FOUND", "There is no such order.", "orderId", guard="G_OWNER")])
        if wanted := known.wants(claim.lines, claim.details):
            claim = replace(claim, variations=await self.variations(order.shop, wanted))
        now = self.clock()
        terms = self.book.terms(facts_of(claim, known, now))
        return Opening(
            claim,
            known,
            actor,
            now,
            terms,
            self.calendar(order.shop.market),
            new_id("rq"),
            new_number(),
            instead_of,
            rules=rules,
        )

    async def _settle(self, changes: Sequence[Change], key: Key | None, at_once: Sequence[Change] = ()) -> Done:
        """Object, commit, announce. The last change is the one that is answered with.

        Args:
            at_once: what follows in the same transaction; plugins have been asked about it.
        """
        if problems := [problem for change in changes for problem in self.registry.objections(change)]:
            raise Refused(problems)
        written = (*changes, *at_once)
        await self.write(written, key)
        return Done(written[-1].request)

    async def write(self, changes: Sequence[Change], key: Key | None = None) -> None:
        """Commit and announce what has been decided; nobody is asked to object."""
        await self.ledger.commit(changes, processed_at=self.clock(), key=key)
        self.told(changes)

    def told(self, changes: Sequence[Change]) -> None:
        """Say to streams and plugins what was written."""
        for listener in self.announces:
            listener.announce(changes)
        for change in changes:
            self.registry.tell(change)

    async def _once(self, key: Key | None, perform: Callable[[], Awaitable[Done]]) -> Done:
        """One key, one effect: a call that comes later, or loses the race, is told what the first one did.

        Nobody asks beforehand whether the key was used, as it hardly ever was: the commit takes it or fails.
        """
        try:
            return await _tried(perform)
        except (KeyTaken, Refused) as lost:
            # perhaps it is the same key's own effect that now stands in the way
            if again := await self._replayed(key):
                return again
            raise lost if isinstance(lost, Refused) else Refused([busy()]) from None

    async def _replayed(self, key: Key | None) -> Done | None:
        if key is None:
            return None
        remembered = await self.ledger.remembered(key, self.clock() - key.lifetime)
        return await self._again(key, remembered) if remembered else None

    async def _again(self, key: Key, remembered: Remembered) -> Done:
        if remembered.fingerprint != key.fingerprint:
            raise Refused([key_reused(remembered)])
        request = await self.ledger.request(remembered.request_id)
        if request is None:
            raise RuntimeError(f"{remembered.request_id} is remembered and gone")
        return Done(request, replayed=True)


async def _tried(perform: Callable[[], Awaitable[Done]]) -> Done:
    """What changed since it was read is read anew: whoever expected it as it was is then told so."""
    for _ in range(TRIES):
        try:
            return await perform()
        except (StaleVersion, OrderMoved, NumberTaken):
            continue
    raise Refused([busy()])


def key_reused(remembered: Remembered) -> Problem:
    return Problem(
        "KEY_REUSED", "This key was used with another input at {used}. Make a new key.", "idempotencyKey",
        used=remembered.created_at.isoformat(), first_used_at=remembered.created_at,
    )  # fmt: skip


def _appeal_id(request: Request) -> str | None:
    return request.appeal.id if request.appeal else None

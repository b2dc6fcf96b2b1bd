"""Erases a buyer's personal data: all of it or, cut off in the middle, the rest when it is said again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from .audit import audited
from .desk import TRIES, Desk, key_reused
from .engine.permissions import may
from .engine.privacy import erase, pseudonym, settled, unsettled
from .engine.refusal import Problem, Refused, busy
from .engine.request import Request
from .engine.vocabulary import Actor
from .evidence.locker import Locker
from .store.keys import Key
from .store.ledger import KeyTaken, OrderMoved, StaleVersion
from .store.privacy import PORTION, Erasure, HeldOrder


@dataclass(frozen=True, slots=True)
class Erased:
    erasure: Erasure
    replayed: bool = False


class Privacy:
    def __init__(self, desk: Desk, locker: Locker) -> None:
        self._desk = desk
        self._locker = locker

    async def erase(self, buyer_id: str, actor: Actor, key: Key | None = None) -> Erased:
        """Erase what is held of a buyer.

        Raises:
            Refused: FORBIDDEN, NOT_FOUND, INELIGIBLE while a request is not settled, KEY_REUSED, BUSY.
        """
        if denied := tuple(may(actor, "privacyErase")):
            raise Refused(denied)
        ledger = self._desk.ledger
        if before := await self._before(key):
            return before
        if problems := tuple(unsettled(await self._unsettled(buyer_id))):
            raise Refused(problems)
        if not (await ledger.held_orders(buyer_id) or await ledger.has_files(buyer_id)):
            raise Refused([Problem("NOT_FOUND", "Nothing is held of this buyer.", "buyerId", guard="G_OWNER")])
        name = pseudonym(uuid4().hex)
        try:
            while await self._portion(buyer_id, name, actor, key):
                pass
        except KeyTaken:
            # the same call at the same time has done it
            if before := await self._before(key):
                return before
            raise Refused([busy()]) from None
        await self._locker.clear()
        await ledger.database.scrub()
        erasure = await self._kept(name)
        audited(actor, "privacyErase", f"{name}, {erasure.orders} orders, {erasure.requests} requests")
        return Erased(erasure)

    async def _portion(self, buyer_id: str, name: str, actor: Actor, key: Key | None) -> bool:
        """Some orders with their requests, as they stand: whatever comes in between is looked at anew.

        Returns:
            Whether there are more. The key is remembered with the last ones: until then it is to be said again.
        """
        ledger = self._desk.ledger
        for _ in range(TRIES):
            orders = await ledger.held_orders(buyer_id)
            requests, more = await self._of(orders), len(orders) == PORTION
            if problems := tuple(unsettled(requests)):
                raise Refused(problems)
            now = self._desk.clock()
            changes = [erase(request, name, actor, now) for request in requests]
            done = Erasure(name, actor.id, actor.client, now, len(orders), len(requests), 0)
            try:
                await ledger.commit_erasure(
                    buyer_id, done, orders, changes, processed_at=now, key=None if more else key
                )
            except (OrderMoved, StaleVersion):
                continue
            self._desk.told(changes)
            return more
        raise Refused([busy()])

    async def _unsettled(self, buyer_id: str) -> list[Request]:
        """All of the buyer's requests that somebody still waits for."""
        found: list[Request] = []
        after = ""
        while orders := await self._desk.ledger.held_orders(buyer_id, after):
            found += [request for request in await self._of(orders) if not settled(request)]
            after = orders[-1].id
        return found

    async def _of(self, orders: list[HeldOrder]) -> list[Request]:
        ledger = self._desk.ledger
        ids = await ledger.requests_of_orders([order.id for order in orders]) if orders else []
        return list((await ledger.requests(ids)).values()) if ids else []

    async def _before(self, key: Key | None) -> Erased | None:
        ledger = self._desk.ledger
        remembered = await ledger.remembered(key, self._desk.clock() - key.lifetime) if key else None
        if key is None or remembered is None:
            return None
        if remembered.fingerprint != key.fingerprint:
            raise Refused([key_reused(remembered)])
        return Erased(await self._kept(remembered.request_id), replayed=True)

    async def _kept(self, id: str) -> Erasure:
        kept = await self._desk.ledger.erasure(id)
        if kept is None:
            raise RuntimeError(f"{id} is remembered and gone")
        return kept

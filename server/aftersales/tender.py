"""Lets time act: fires clocks that have run out, warns before they do, and sees refunds through to their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from .desk import Desk
from .engine.refusal import Refused
from .engine.request import Change, ReservationStatus
from .engine.vocabulary import SYSTEM, Order, Shop
from .feed import happens
from .firing import Firing
from .hookspecs import Payment, PaymentOutcome, RefundGateway
from .store.agenda import Due
from .store.database import OutcomeUnknown, StoreBusy, StoreClosed
from .store.encoding import wakes_at
from .store.ledger import Ledger, StaleVersion
from .store.payments import Payable
from .store.reservations import ToTell
from .watching.watch import Watch

log = logging.getLogger("aftersales.tender")

# The first of many waits for the last of its batch: after a rest, for few.
FIRST_BATCH, BATCH = 20, 200
FIRING_TRIES = 5
AGAIN_AFTER = timedelta(seconds=5)
PAYING_AT_ONCE = 8
PAYING_SECONDS = 20.0
# Longer than it takes to be asked about, and then for.
LEASE = timedelta(seconds=60)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440))
ASK_AGAIN = timedelta(hours=1)
LOOK_SECONDS = 1.0
LEAST_SECONDS = 0.002
ERROR_SECONDS = 1.0


AWAY = (StoreBusy, StoreClosed, OutcomeUnknown)


class Clock(Protocol):
    """Where the time comes from. `real_seconds` says how long to wait for a span of it."""

    def __call__(self) -> datetime: ...

    def real_seconds(self, span: timedelta) -> float: ...


class Taken(Exception):
    """Another process was quicker, and sees it through."""


class Tender:
    """Three loops per process, for clocks, refunds and stock: each sleeps until its next instant, or until nudged."""

    def __init__(self, desk: Desk, clock: Clock, lease: timedelta = LEASE, *, by_database: bool = False) -> None:
        """
        Args:
            lease: how long what is asked of a payment provider, or of stock, is one process's to see through, where
                several share the record: longer than they may take, by the clock.
            by_database: whether clocks must have run out by the database's own time, too.
        """
        self._desk = desk
        self._firing = Firing(desk)
        self._clock = clock
        self._lease = lease
        self._by_database = by_database
        self._batch = FIRST_BATCH
        self._nudges = (asyncio.Event(), asyncio.Event(), asyncio.Event())

    @property
    def _ledger(self) -> Ledger:
        return self._desk.ledger

    @property
    def _watch(self) -> Watch:
        return self._desk.registry.watch

    def announce(self, changes: Sequence[Change]) -> None:
        """Wake, if a change started a clock or made a refund that is due before the present sleep ends."""
        clocks, refunds, stock = self._nudges
        if not changes or any(self._soon(change) for change in changes):
            clocks.set()
        if not changes or any(_holds(change) for change in changes):
            stock.set()
        if not changes or any(_pays(change) for change in changes):
            refunds.set()

    def _soon(self, change: Change) -> bool:
        """Whether a clock of it warns or runs out before the next look."""
        now = self._clock()
        wakes = (wakes_at(clock, change.at) for clock in change.request.clocks)
        return any(at and self._clock.real_seconds(at - now) <= LOOK_SECONDS for at in wakes)

    async def run(self) -> None:
        """Until canceled. What fails is logged and tried again; nothing that is due is forgotten."""
        clocks, refunds, stock = self._nudges
        async with asyncio.TaskGroup() as all:
            # side by side, so that a payment provider who takes its time stops no clock
            all.create_task(self._keep_at(self._fire_due, self._ledger.next_wake, clocks))
            all.create_task(self._keep_at(self._pay_due, self._ledger.next_refund_at, refunds))
            all.create_task(self._keep_at(self._tell_stock, self._ledger.next_reservation_at, stock))

    async def tend(self) -> int:
        """Do all that is due now, and what becomes due by it. How many clocks, refunds and intents were settled."""
        settled = 0
        while done := await self._all_due():
            settled += done
        return settled

    async def next_instant(self) -> datetime | None:
        """When something is due next; None if nothing waits for time."""
        return min((at for at in await self._ledger.next_instants() if at), default=None)

    async def _all_due(self) -> int:
        now, work = self._clock(), (self._fire_due, self._pay_due, self._tell_stock)
        due = zip(work, await self._ledger.next_instants(), strict=True)
        return sum([await do() for do, at in due if at and at <= now])

    async def _keep_at(
        self,
        work: Callable[[], Awaitable[int]],
        next_at: Callable[[], Awaitable[datetime | None]],
        nudge: asyncio.Event,
    ) -> None:
        while True:
            try:
                nudge.clear()
                while await work():
                    continue
                await self._sleep(await next_at(), nudge)
            except AWAY as away:
                # which the store has said; a claim of which it is not known whether it was made lapses by itself
                log.debug("the tender waits: %s", away)
                await asyncio.sleep(ERROR_SECONDS)
            except Exception:
                log.exception("the tender failed and goes on")
                await asyncio.sleep(ERROR_SECONDS)

    async def _sleep(self, until: datetime | None, nudge: asyncio.Event) -> None:
        span = self._clock.real_seconds(until - self._clock()) if until else LOOK_SECONDS
        # never long: a clock may jump, and another process may have set a nearer deadline
        await happens(nudge, min(max(span, LEAST_SECONDS), LOOK_SECONDS))

    async def _fire_due(self) -> int:
        now = self._clock()
        batch = await self._ledger.take_due(now, self._batch, by_database=self._by_database)
        full = len(batch) == self._batch
        self._batch = BATCH if full else FIRST_BATCH
        if not batch:
            return 0
        # a clock that ran out before its warning was given stands in line by the warning, not by its end
        unwarned = [due for due in batch if due.warning and due.due_at <= now]
        done = await self._all_fired(unwarned)
        # what stands behind the last of a full batch is not known, and comes before what runs out after it
        last = batch[-1].wake_at if full else now
        ended = [replace(due, wake_at=due.due_at, warning=False) for due in unwarned if due.due_at <= last]
        rest = [due for due in batch if due not in unwarned]
        # in order of their instants: what one does may be what the next depends on
        return done + await self._all_fired(sorted([*rest, *ended], key=lambda due: (due.wake_at, due.deadline_id)))

    async def _all_fired(self, due: Sequence[Due]) -> int:
        if not due:
            return 0
        with self._watch.firing(len(due)):
            left = await self._firing.together(due)
        for alone in left:
            with self._watch.firing(1, alone.key):
                await self._fired(alone)
        return len(due)

    async def _fired(self, due: Due) -> None:
        try:
            await self._firing.alone(due)
        except Refused as refused:
            await self._lost_race(due, refused)
        except StaleVersion:
            # only of a warning: another process has given it
            return
        except AWAY:
            # no fault of the clock's
            raise
        except Exception as error:
            log.exception("the clock %s of %s could not fire", due.deadline_id, due.request_id)
            await self._failed(due, repr(error))

    async def _lost_race(self, due: Due, refused: Refused) -> None:
        """Somebody stopped the clock in between, which is fine. If it still runs, a person must look at it."""
        request = await self._ledger.request(due.request_id)
        clock = next((clock for clock in request.clocks if clock.id == due.deadline_id), None) if request else None
        if clock is not None and clock.is_due(self._clock()):
            log.error("the clock %s of %s may not fire: %s", due.deadline_id, due.request_id, refused)
            await self._failed(due, str(refused))

    async def _failed(self, due: Due, text: str) -> None:
        """Tried again alone, a little later; parked where a person sees it once it has failed too often."""
        if await self._ledger.failed_once(due.deadline_id, text, self._clock() + AGAIN_AFTER) >= FIRING_TRIES:
            await self._ledger.park(due.deadline_id, text, self._clock())
            log.error("the clock %s of %s is parked: %s", due.deadline_id, due.request_id, text)

    async def _pay_due(self) -> int:
        intents = await self._ledger.take_refunds(self._clock(), self._lease, PAYING_AT_ONCE)
        return await _all(self._seen_through(intent) for intent in intents)

    async def _seen_through(self, intent: Payable) -> int:
        try:
            order = await self._ledger.order(intent.order_id)
            if order is None:
                raise RuntimeError(f"refund {intent.id} has no order")
            outcome = await self._outcome(intent, order)
            if intent.request_id is None:
                await self._settle_unasked(intent, outcome)
            else:
                await self._settle(intent, intent.request_id, outcome)
        except Taken:
            log.info("refund %s is settled already, or another process sees it through", intent.id)
        except Refused as refused:
            # mostly because another process has settled it, and then there is nothing to try again
            log.warning("the outcome of refund %s was refused: %s", intent.id, refused)
            await self._ledger.schedule_retry(intent.id, self._clock() + ASK_AGAIN)
        except AWAY:
            raise
        except Exception:
            log.exception("refund %s could not be settled", intent.id)
            await self._ledger.schedule_retry(intent.id, self._clock() + BACKOFF[0])
        return 1

    async def _outcome(self, intent: Payable, order: Order) -> PaymentOutcome:
        """Ask the gateway once. An intent that was asked before without an answer is first asked about."""
        if not intent.amount:
            return PaymentOutcome.PAID
        gateway = self._gateway(order.shop)
        if gateway is None:
            # nobody was asked; but what a gateway that is gone was asked, it alone knows
            return PaymentOutcome.UNKNOWN if intent.asked_at else PaymentOutcome.FAILED
        payment = Payment(intent.id, intent.request_id, order.number, order.shop.id, order.buyer_id, intent.amount)
        if intent.asked_at is not None:
            found = await self._answered("find", lambda: gateway.find(payment.id), intent)
            if found is not PaymentOutcome.FAILED:
                return found
        # first written, then asked: where it cannot be written, nobody is asked, and nothing is unknown
        if not await self._ledger.mark_asked(intent, self._clock()):
            raise Taken
        return await self._answered("pay", lambda: gateway.pay(payment), intent)

    async def _answered(
        self, call: str, ask: Callable[[], Awaitable[PaymentOutcome]], intent: Payable
    ) -> PaymentOutcome:
        try:
            async with asyncio.timeout(PAYING_SECONDS):
                with self._watch.provider("refund", call):
                    return await ask()
        except Exception:
            log.exception("the outcome of refund %s is unknown", intent.id)
            return PaymentOutcome.UNKNOWN

    async def _settle_unasked(self, intent: Payable, outcome: PaymentOutcome) -> None:
        """As for a request's refund; there is no request to tell of it, so the row itself says how it stands."""
        now, last = self._clock(), intent.tries + 1 >= len(BACKOFF)
        if outcome is PaymentOutcome.PAID:
            await self._ledger.seller_refund_paid(intent.id, now)
            return
        unknown = outcome is PaymentOutcome.UNKNOWN
        if last:
            log.error(
                "refund %s of order %s needs a person after %s tries", intent.id, intent.order_id, intent.tries + 1
            )
        wait = BACKOFF[intent.tries] if intent.tries < len(BACKOFF) else ASK_AGAIN
        await self._ledger.seller_refund_not_paid(
            intent.id, tries=intent.tries, again_at=None if last and not unknown else now + wait, unknown=unknown,
            stuck_at=now if last else None,
        )  # fmt: skip

    def _gateway(self, shop: Shop) -> RefundGateway | None:
        try:
            gateway = self._desk.registry.gateway(shop)
        except Exception:
            log.exception("the gateway of %s could not be had", shop.id)
            return None
        if gateway is None:
            log.error("no plugin pays the refunds of %s", shop.id)
        return gateway

    async def _settle(self, intent: Payable, request_id: str, outcome: PaymentOutcome) -> None:
        facts: dict[str, object] = {"refund_id": intent.id, "last": intent.tries + 1 >= len(BACKOFF)}
        if outcome is PaymentOutcome.PAID:
            await self._desk.act(request_id, "refund_paid", SYSTEM, given=facts)
            return
        if outcome is PaymentOutcome.FAILED:
            await self._desk.act(request_id, "refund_failed", SYSTEM, given=facts)
        elif intent.tries < len(BACKOFF):
            await self._desk.act(request_id, "refund_unknown", SYSTEM, given=facts)
        if facts["last"]:
            log.error("refund %s of %s needs a person after %s tries", intent.id, request_id, intent.tries + 1)
        # after the last no, only a person tries again; what is unknown is asked about for ever
        wait = BACKOFF[intent.tries] if intent.tries < len(BACKOFF) else ASK_AGAIN
        await self._ledger.schedule_retry(intent.id, self._clock() + wait)

    async def _tell_stock(self) -> int:
        intents = await self._ledger.take_reservations(self._clock(), self._lease, PAYING_AT_ONCE)
        return await _all(self._told(intent) for intent in intents)

    async def _told(self, intent: ToTell) -> int:
        """Hold back, or let go, by one id for ever; stock that does not answer is asked again later."""
        try:
            request = await self._ledger.request(intent.request_id)
            if request is None:
                raise RuntimeError(f"reservation {intent.id} has no request")
            stock = self._desk.registry.stock(request.order.shop)
            if stock is None:
                raise RuntimeError(f"no plugin keeps the stock of {request.order.shop.id}")
            async with asyncio.timeout(PAYING_SECONDS):
                if intent.status is ReservationStatus.FREED:
                    with self._watch.provider("stock", "release"):
                        await stock.release(intent.id)
                    await self._ledger.released(intent.id)
                    return 1
                with self._watch.provider("stock", "reserve"):
                    held = await stock.reserve(intent.id, intent.items)
            await self._desk.act(intent.request_id, "stock_reserved" if held else "stock_refused", SYSTEM)
        except Refused as refused:
            # the request has ended meanwhile, and the intent is now to let go
            log.info("the reservation %s was overtaken: %s", intent.id, refused)
            await self._ledger.tell_again(intent.id, intent.status, self._clock() + BACKOFF[0])
        except AWAY:
            # no fault of the stock's
            raise
        except Exception:
            log.exception("stock could not be told of reservation %s", intent.id)
            wait = BACKOFF[min(intent.tries, len(BACKOFF) - 1)]
            await self._ledger.tell_again(intent.id, intent.status, self._clock() + wait)
        return 1


async def _all(of: Iterable[Awaitable[int]]) -> int:
    """None is left running when one fails: it would be begun a second time beside itself."""
    done = await asyncio.gather(*of, return_exceptions=True)
    if failed := next((each for each in done if isinstance(each, BaseException)), None):
        raise failed
    return sum(each for each in done if isinstance(each, int))


def _holds(change: Change) -> bool:
    return change.request.reservation != (change.before.reservation if change.before else None)


def _pays(change: Change) -> bool:
    return change.request.refunds != (change.before.refunds if change.before else ())

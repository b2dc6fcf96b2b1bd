"""What a person must look at: clocks that could not fire, and refunds that could not be paid."""

import asyncio
from argparse import Namespace

from ..running import build
from ..settings import Settings
from ..store.ledger import Ledger
from ..store.payments import Payable

MOST = 100


def attention(args: Namespace, settings: Settings) -> int:
    """Exit status 1 while anything waits for a person, so that a watch can be hung on it."""
    return asyncio.run(_attend(args.retry, settings))


async def _attend(retry: list[str], settings: Settings) -> int:
    running = await build(settings)
    ledger = running.desk.ledger
    try:
        for deadline_id in retry:
            freed = await ledger.unpark(deadline_id)
            print(f"{deadline_id} {'is tried again' if freed else 'is not parked'}.")
        return await _list(ledger)
    finally:
        await running.close()


def _next(refund: Payable) -> str:
    if refund.next_try_at is not None:
        return "unknown, and asked about on"
    return "requestRetryRefund tries it again" if refund.request_id else "given up; sellerRefundCreate makes a new one"


async def _list(ledger: Ledger) -> int:
    clocks, refunds = await ledger.parked(MOST), await ledger.stuck(MOST)
    for clock in clocks:
        print(f"{clock.deadline_id}  {clock.key} of {clock.request_id}, due {clock.due_at}: {clock.text}")
    for refund in refunds:
        owner = refund.request_id or f"order {refund.order_id}, unasked"
        print(f"{refund.id}  {refund.amount} of {owner}, tried {refund.tries} times: {_next(refund)}")
    if not clocks and not refunds:
        print("Nothing waits for a person.")
    return 1 if clocks or refunds else 0

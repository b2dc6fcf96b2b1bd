"""What a person must look at: clocks that could not fire, refunds not paid, returns that cannot be followed."""

import asyncio
from argparse import Namespace

from ..running import build
from ..settings import Settings
from ..store.ledger import Ledger
from ..store.payments import Payable

MOST = 100


def attention(args: Namespace, settings: Settings) -> int:
    """Exit status 1 while anything waits for a person, so that a watch can be hung on it."""
    return asyncio.run(_attend(args.retry, args.seen, settings))


async def _attend(retry: list[str], seen: list[str], settings: Settings) -> int:
    running = await build(settings)
    ledger = running.desk.ledger
    try:
        for deadline_id in retry:
            freed = await ledger.unpark(deadline_id)
            print(f"{deadline_id} {'is tried again' if freed else 'is not parked'}.")
        for refund_id in seen:
            known = await ledger.acknowledge_failed(refund_id)
            print(f"{refund_id} {'is listed no more' if known else 'was not given up'}.")
        return await _list(ledger)
    finally:
        await running.close()


def _next(refund: Payable) -> str:
    if refund.next_try_at is not None:
        return "unknown, and asked about on"
    return (
        "requestRetryRefund tries it again"
        if refund.request_id
        else "given up; sellerRefundCreate makes a new one, --seen ends this"
    )


async def _list(ledger: Ledger) -> int:
    clocks, refunds, returns = await ledger.parked(MOST), await ledger.stuck(MOST), await ledger.unmapped(MOST)
    for clock in clocks:
        print(f"{clock.deadline_id}  {clock.key} of {clock.request_id}, due {clock.due_at}: {clock.text}")
    for refund in refunds:
        owner = refund.request_id or f"order {refund.order_id}, unasked"
        print(f"{refund.id}  {refund.amount} of {owner}, tried {refund.tries} times: {_next(refund)}")
    for record in returns:
        where = record.request_id or f"order {record.order_number}"
        print(f"return {record.external_id} ({record.status}), {where}: {record.unmapped}")
    if not clocks and not refunds and not returns:
        print("Nothing waits for a person.")
    return 1 if clocks or refunds or returns else 0

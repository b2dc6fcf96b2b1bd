"""A payment provider that takes its time: what is measured is the approval, not what is paid afterwards."""

import asyncio

from aftersales.plugin import Payment, PaymentOutcome, RefundGateway, Shop, hookimpl

# below what the server waits for an answer
SECONDS = 15


class SlowProvider(RefundGateway):
    async def pay(self, payment: Payment) -> PaymentOutcome:
        await asyncio.sleep(SECONDS)
        return PaymentOutcome.UNKNOWN

    async def find(self, payment_id: str) -> PaymentOutcome:
        return PaymentOutcome.UNKNOWN

    @hookimpl
    def aftersales_refund_gateway(self, shop: Shop) -> RefundGateway:
        return self

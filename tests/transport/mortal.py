"""A server to be killed, whose time runs on meanwhile.

`python -m tests.transport.mortal FOLDER URL PORT BEGAN SPEED [LEASE]`: at its usual speed a week passes in some twenty
seconds, and a lease is in seconds that pass for people. Its payment provider keeps a book of its own.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aftersales.asgi import create_app
from aftersales.clock import FastClock
from aftersales.demo.gateway import DemoGateway
from aftersales.engine.vocabulary import Shop
from aftersales.hookspecs import RefundGateway, hookimpl
from aftersales.registry import Plugin
from aftersales.running import Running, build
from aftersales.settings import Settings
from aftersales.store.sqlite import SqliteDatabase
from aftersales.tender import LEASE
from aftersales.transport.launcher import serve

SPEED = 30_000.0
BASE = datetime(2025, 3, 3, 3, 0, tzinfo=UTC)


class Pays:
    def __init__(self, gateway: DemoGateway) -> None:
        self.gateway = gateway

    @hookimpl
    def aftersales_refund_gateway(self, shop: Shop) -> RefundGateway:
        return self.gateway


def main(folder: Path, url: str, port: int, began: float, speed: float, lease: float) -> None:
    clock = FastClock(speed, BASE + timedelta(seconds=(time.time() - began) * speed))

    async def made() -> Running:
        gateway = await DemoGateway.open(await SqliteDatabase.open(folder / "provider.sqlite3"))
        settings = Settings(database=url, evidence=f"file://{folder / 'record.evidence'}")
        return await build(
            settings, clock=clock, plugins=[Plugin("pays", "1.0", Pays(gateway))], lease=timedelta(seconds=lease)
        )

    serve(create_app(asyncio.run(made())), "127.0.0.1", port, ready=lambda address: print("ready", address, flush=True))


if __name__ == "__main__":
    lease = float(sys.argv[6]) if sys.argv[6:] else LEASE.total_seconds()
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]), lease)

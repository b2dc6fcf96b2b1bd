"""Four servers on one PostgreSQL, killed one after another, and it as well: nothing is lost, nothing happens twice.

Clients and 500 streams go to any of the servers, as behind a balancer that knows no sessions.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from tests.embedded import Embedded, NoPostgres
from tests.missing import left_out
from tests.transport.cluster import Cluster, Follower, cluster
from tests.transport.mortal import BASE
from tests.transport.test_kill import rows, token

from aftersales.engine.money import Money
from aftersales.engine.vocabulary import OrderState, Shop, ShopKind
from aftersales.markets import digits
from aftersales.store.imports import ImportedLine, ImportedOrder, order_line_id
from aftersales.store.ledger import Ledger
from aftersales.store.migrate import migrate
from aftersales.store.urls import open_database

PROCESSES, SHOPS, BUYERS, ORDERS, CLIENTS = 4, 20, 20, 160, 4
# Nobody is too late to ask, however slow the machine.
LATER = BASE + timedelta(days=20)
# Streams of each seller, of each buyer, and of the platform: 500 in all.
EACH, OF_PLATFORM = 12, 20
# What is acknowledged must outlive a crash of the database; that the machine stays up is assumed.
CAREFUL = ("fsync=off", "synchronous_commit=on", "max_connections=200")

PLATFORM = token("platform", "agent", grants=["*"])


@pytest.fixture
def postgres() -> Iterator[Embedded]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(Embedded(*CAREFUL))
        except NoPostgres as reason:
            left_out(f"no PostgreSQL: {reason}")
        yield server


def shop_id(number: int) -> str:
    return f"sh_{number:02}"


def seller(number: int) -> dict[str, str]:
    return token("seller", f"owner-{number}", shops=[shop_id(number).removeprefix("sh_")], grants=["*"])


def buyer(number: int) -> dict[str, str]:
    return token("buyer", f"ani-{number}")


async def prepare(record: str) -> list[ImportedOrder]:
    """Orders, each of some shop and of some buyer, so that every pair of both is rare."""
    await migrate(record)
    database = await open_database(record)
    ledger = Ledger(database, lambda kind, stage: None, digits)
    await ledger.import_shops(
        [Shop(shop_id(number), f"Shop {number}", "ID", ShopKind.MALL, "Asia/Jakarta") for number in range(SHOPS)]
    )
    zero, price = Money(Decimal(0), "IDR"), Money(Decimal(1000), "IDR")
    thing = ImportedLine("sku", "Thing", 1, price, zero, zero, zero)
    orders = [
        ImportedOrder(
            shop_id(number % SHOPS), str(number), f"by_ani-{(number * 7 + number // SHOPS) % BUYERS}", "IDR",
            OrderState.DELIVERED, BASE - timedelta(days=2), LATER, price, zero, (thing,),
        )
        for number in range(ORDERS)
    ]  # fmt: skip
    await ledger.import_orders(orders, BASE)
    await database.close()
    return orders


async def client(servers: Cluster, http: httpx.AsyncClient, orders: list[ImportedOrder], chance: random.Random) -> None:
    for order in orders:
        claim = {
            "idempotencyKey": f"open-{order.number}", "orderId": order.id, "reason": "not_received",
            "lines": [{"orderLineId": order_line_id(order.id, 0), "quantity": 1}],
        }  # fmt: skip
        payload = await servers.insist(http, "RefundOnlyOpen", buyer(int(order.buyer_id.rpartition("-")[2])), claim)
        assert payload["problems"] == []
        if chance.random() < 0.5:
            decision = {
                "idempotencyKey": f"yes-{order.number}", "requestId": payload["request"]["id"], "expectedVersion": 1,
            }  # fmt: skip
            payload = await servers.insist(http, "RefundOnlyApprove", seller(int(order.shop_id[3:])), decision)
            # silence may have been faster
            assert {problem["code"] for problem in payload["problems"]} <= {"VERSION_CONFLICT", "DEADLINE_PASSED"}


def followers(servers: Cluster) -> dict[str, list[Follower]]:
    """Streams by whose they are: a shop, a buyer, or empty for the platform."""
    sellers = {shop_id(n): [Follower(servers, seller(n)) for _ in range(EACH)] for n in range(SHOPS)}
    buyers = {f"by_ani-{n}": [Follower(servers, buyer(n)) for _ in range(EACH)] for n in range(BUYERS)}
    return sellers | buyers | {"": [Follower(servers, PLATFORM) for _ in range(OF_PLATFORM)]}


@pytest.mark.quiet
async def test_whoever_dies_nothing_is_lost_and_nothing_happens_twice(
    tmp_path: Path, postgres: Embedded, unused_tcp_port_factory: object
) -> None:
    record = postgres.url("postgres")
    orders = await prepare(record)
    ports = [unused_tcp_port_factory() for _ in range(PROCESSES)]  # type: ignore[operator]
    async with cluster(tmp_path, record, ports) as servers, httpx.AsyncClient(timeout=20) as http:
        streams = followers(servers)
        every = [one for some in streams.values() for one in some]
        assert len(every) == 500
        async with asyncio.TaskGroup() as following:
            listening = [following.create_task(one.follow()) for one in every]
            async with asyncio.timeout(120):
                await asyncio.gather(*(one.ready.wait() for one in every))
            clients = [
                following.create_task(client(servers, http, orders[number::CLIENTS], random.Random(number)))
                for number in range(CLIENTS)
            ]
            for turn, port in enumerate(ports):
                promised = len(servers.acknowledged) + ORDERS // 20
                await servers.until(lambda: len(servers.acknowledged) >= promised)  # noqa: B023
                assert not all(task.done() for task in clients), "it dies in the midst of work"
                await servers.die(port)
                if turn == PROCESSES // 2:
                    await asyncio.to_thread(postgres.crash)
                    await asyncio.to_thread(postgres.start)
                await servers.live(port)
            await asyncio.gather(*clients)
            await servers.until(lambda: streams[""][0].heard_of("RequestCompleted") == ORDERS)
            expected = told(record)
            for whose, some in streams.items():
                for one in some:
                    await servers.until(lambda: len(set(one.heard)) >= len(expected[whose]))  # noqa: B023
            for task in listening:
                task.cancel()

    assert all(one.resumed > 0 for one in every), "each was on a server that died, or lost its database"
    check_record(record, tmp_path, servers)
    check_streams(record, streams)


def told(record: str) -> dict[str, list[str]]:
    """Ids of events in the order of each request, by whoever follows."""
    lines = rows(
        record,
        "SELECT e.shop_id, r.buyer_id, e.request_id, e.sequence, e.type FROM events e JOIN requests r ON r.id ="
        " e.request_id ORDER BY e.request_id, e.sequence",
    )
    found: defaultdict[str, list[str]] = defaultdict(list)
    for shop, of_buyer, request, sequence, type in lines:
        id = f"ev_{request.partition('_')[2]}_{sequence}"
        for whose in ("", shop, *([] if type.startswith(("Compensation", "Appeal")) else [of_buyer])):
            found[whose].append(id)
    return found


def check_streams(record: str, streams: dict[str, list[Follower]]) -> None:
    """Every event of the filter, once after dedupe, in order of each request; and nothing else."""
    for whose, expected in told(record).items():
        for one in streams[whose]:
            once = list(dict.fromkeys(id for id, _ in one.heard))
            assert sorted(once) == sorted(expected), whose
            of_each: defaultdict[str, list[int]] = defaultdict(list)
            for id in once:
                request, _, sequence = id.rpartition("_")
                of_each[request].append(int(sequence))
            assert all(sequences == sorted(sequences) for sequences in of_each.values()), whose


def check_record(record: str, folder: Path, servers: Cluster) -> None:
    versions = dict(rows(record, "SELECT id, version FROM requests"))
    events = rows(record, "SELECT request_id, sequence, type, rule FROM events ORDER BY request_id, sequence")
    refunds = rows(record, "SELECT id, request_id, status FROM refunds")
    paid = rows(f"sqlite://{folder / 'provider.sqlite3'}", "SELECT id, request_id FROM payments")
    positions = rows(record, "SELECT shop_id, position FROM events ORDER BY shop_id, position")

    # nothing that was acknowledged is missing, and no key made two requests
    for key, payload in servers.acknowledged.items():
        assert versions[payload["request"]["id"]] >= payload["request"]["version"], key
    assert len(versions) == ORDERS
    # nothing fired twice: one approval, by a person or by silence, and one end of each clock
    for type in ("RequestApproved", "RequestCompleted", "RefundCreated", "RefundPaid"):
        assert Counter(event[0] for event in events if event[2] == type) == Counter(versions.keys()), type
    assert {event[3] for event in events if event[2] == "RequestApproved"} == {"RO1", "C17"}
    fired = Counter((event[0], event[1]) for event in events)
    assert set(fired.values()) == {1}
    # nothing paid twice, and the provider knows what we know
    assert {(id, request) for id, request, status in refunds if status == "PAID"} == set(paid)
    assert len(paid) == len({request for _, request in paid}) == ORDERS
    # both numberings are without a gap
    for request_id in versions:
        own = [event[1] for event in events if event[0] == request_id]
        assert own == list(range(1, len(own) + 1))
    for shop in range(SHOPS):
        own = [position for id, position in positions if id == shop_id(shop)]
        assert own == list(range(1, len(own) + 1))

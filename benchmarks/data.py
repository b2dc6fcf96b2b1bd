"""Fills a database: 100 shops, 20,000 requests with all that hangs on them, and orders to be claimed yet.

The rows are those that the server itself writes. The same seed gives the same rows, but for the instants,
which are counted from now so that clocks run and nothing is due while it is measured.
"""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import orjson

from aftersales.engine.policies import Facts
from aftersales.engine.stages import AWAITING_BUYER_SHIP, COMPLETED, PENDING_INSPECTION, PENDING_REVIEW, REJECTED
from aftersales.engine.terms import Terms
from aftersales.engine.vocabulary import ShopKind, Stage
from aftersales.policy_book import book
from aftersales.store.columns import COLUMNS, NEVER, insert
from aftersales.store.migrate import migrate

SEED = 20_250_304
SHOPS = 100
REQUESTS = 20_000
UNCLAIMED = 10_000
BUYERS = 500

SECOND = 1_000_000
HOUR = 3_600 * SECOND

# Columns that SQL counts or the import fills.
MORE = {
    "shops": ("sequence",),
    "orders": ("imported_at", "source_hash"),
    "order_lines": ("platform_discount", "seller_discount"),
    "requests": ("sequence", "search"),
    "events": (),
}
PRODUCTS = (("Headset", "Black"), ("Cable", "2 m"), ("Lamp", "Warm white"), ("Kettle", None), ("Rug", "120 × 170 cm"))
# Every second request waits for its first review; the others stand elsewhere.
ELSEWHERE = (
    (AWAITING_BUYER_SHIP, "ship_back.drop_off", "BUYER"),
    (PENDING_INSPECTION, "inspect.tracked", "SELLER"),
    (REJECTED, "rejection.followup", "BUYER"),
    (COMPLETED, None, None),
)

Rows = dict[str, list[tuple[Any, ...]]]


def fill(path: Path) -> None:
    asyncio.run(migrate(f"sqlite://{path}"))
    rows = made(datetime.now(UTC), Random(SEED))
    connection = sqlite3.connect(path)
    with connection:
        for table, found in rows.items():
            columns = (*COLUMNS[table], *MORE.get(table, ()))
            connection.executemany(insert(table, 1, columns), found)
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def made(now: datetime, dice: Random) -> Rows:
    """The rows of every table, in an order that no foreign key minds."""
    rows: Rows = {table: [] for table in ("shops", "orders", "order_lines", "terms", "requests", "request_lines")}
    rows |= {table: [] for table in ("deadlines", "refunds", "evidence", "request_evidence", "events")}
    terms = terms_at(now)
    rows["terms"] = [(version, terms.to_json()) for version, terms in {t.version: t for t in terms.values()}.items()]
    at = int(now.timestamp()) * SECOND
    positions: defaultdict[int, int] = defaultdict(int)
    for number in range(REQUESTS + UNCLAIMED):
        shop = number % SHOPS
        lines = list(bought(dice, number))
        rows["orders"].append(order_row(number, shop, lines, at))
        rows["order_lines"] += lines
        if number < REQUESTS:
            request(rows, dice, number, shop, lines, at, terms, positions)
    rows["shops"] = [
        (shop_id(n), f"Shop {n}", market(n), shop_kind(n).value, "Asia/Jakarta", 1, 1, positions[n]) for n in range(SHOPS)
    ]
    return rows


def shop_id(shop: int) -> str:
    return f"sh_{shop:03}"


def buyer_id(number: int) -> str:
    return f"by_{number % BUYERS:04}"


def market(shop: int) -> str:
    return "MY" if shop % 4 == 3 else "ID"


def shop_kind(shop: int) -> ShopKind:
    return ShopKind.MALL if shop % 2 else ShopKind.NON_MALL


def terms_at(now: datetime) -> dict[tuple[str, str, ShopKind], Terms]:
    """What requests of these markets, kinds and shops are born under."""
    policies = book()
    return {
        (market, kind, shop): policies.terms(Facts(market, kind, shop, None, frozenset(), None, now))
        for market, kind, shop in product(("ID", "MY"), ("refund_only", "return_refund"), ShopKind)
    }


def bought(dice: Random, number: int) -> Iterator[tuple[Any, ...]]:
    for position in range(2):
        product, variation = dice.choice(PRODUCTS)
        price = dice.randrange(20, 900) * 1_000
        yield (
            f"ol_{number:06}_{position}", f"or_{number:06}", position, f"sku-{dice.randrange(5_000)}", f"p-{number % 900}",
            None, product, variation, "home", 1 + position, price, 0, 1, 1, 0, 0, 0,
        )  # fmt: skip


def order_row(number: int, shop: int, lines: list[tuple[Any, ...]], at: int) -> tuple[Any, ...]:
    # no shipping to be shared out, so that the bare application can do without that arithmetic
    total, shipping = sum(line[9] * line[10] for line in lines), 0
    currency = "MYR" if market(shop) == "MY" else "IDR"
    return (
        f"or_{number:06}", shop_id(shop), f"{58_000_000 + number}", buyer_id(number), f"Buyer {number % BUYERS}", currency,
        "DELIVERED", at - 96 * HOUR, at - 24 * HOUR, total, shipping, "PLATFORM", int(number < REQUESTS),
        at - 96 * HOUR, f"{number:064x}",
    )  # fmt: skip


def request(
    rows: Rows, dice: Random, number: int, shop: int, lines: list[tuple[Any, ...]], at: int,
    terms: dict[tuple[str, str, ShopKind], Terms], positions: defaultdict[int, int],
) -> None:  # fmt: skip
    """One request with its lines, clocks, evidence and five events; and its refund, if it has ended."""
    if (number // SHOPS) % 2:
        kind, (stage, clock, owner) = "return_refund", dice.choice(ELSEWHERE)
    else:
        kind, stage, clock, owner = "refund_only", PENDING_REVIEW, "review.first", "SELLER"
    created = at - 20 * HOUR + number * SECOND
    hex, ended = f"{created // 1_000:012x}{dice.getrandbits(80):020x}", stage is COMPLETED
    id, order, currency = f"rq_{hex}", f"or_{number:06}", "MYR" if market(shop) == "MY" else "IDR"
    # warned 24 and 6 hours before; the last warning is an hour before the end
    due = at + 3 * HOUR + dice.randrange(20 * HOUR)
    most = sum(line[9] * line[10] for line in lines)
    version, reason, fault = (1, "not_received", "CARRIER") if stage is PENDING_REVIEW else (3, "damaged", "SELLER")
    note = f"It is {dice.choice(('not here', 'broken', 'another colour'))}. \"Please\" help, number {number}."
    label = f"AS-{number:04X}-{dice.getrandbits(20):05X}"
    granted = most if ended else None
    rows["requests"].append(
        (
            id, label, shop_id(shop), market(shop), order, buyer_id(number), kind, kind, stage.name, stage.label,
            stage.status.value, version, 1, 0, 0, reason, note, fault, None if kind == "refund_only" else "DROP_OFF",
            most, granted, granted, "[]", "SELLER" if ended else None, None, created + 9 * HOUR if ended else None, None,
            "NONE", "NOT_AVAILABLE", None, None, "{}", terms[market(shop), kind, shop_kind(shop)].version, owner,
            due if clock else NEVER, created, created + 5 * HOUR, 5,
            " ".join([label, f"{58_000_000 + number}", *(line[6] for line in lines), note]).lower(),
        )
    )  # fmt: skip
    for line in lines:
        share = line[9] * line[10]
        rows["request_lines"].append((f"rl_{hex}_{line[2]}", id, line[2], line[0], line[9], share, share if ended else None))
    if clock != "review.first":
        rows["deadlines"].append(
            (f"dl_{hex}_1_0", id, 0, "review.first", "SELLER", created, created + 48 * HOUR, None, "MET", "[86400,21600,3600]", None)
        )  # fmt: skip
    if clock:
        place = int(clock != "review.first")
        rows["deadlines"].append(
            (f"dl_{hex}_{version}_0", id, place, clock, owner, created, due, None, "RUNNING", "[86400,21600,3600]", due - HOUR)
        )  # fmt: skip
    if ended:
        paid = [[line[3], line[5]] for line in rows["request_lines"][-len(lines) :]]
        rows["refunds"].append(
            (
                f"rf_{hex}_2_0", id, order, shop_id(shop), 0, most, currency, "SELLER", "PAID", orjson.dumps(paid).decode(),
                created + 5 * HOUR, created + 9 * HOUR, 0, None, None, None,
            )
        )  # fmt: skip
    rows["evidence"].append(
        (
            f"ed_{hex}", id, buyer_id(number), "BUYER", "PHOTO", "SUBMITTED", f"https://files.example/{hex}.jpg", "image/jpeg",
            220_000, "0" * 64, "", created, created,
        )
    )  # fmt: skip
    rows["request_evidence"].append((id, f"ed_{hex}", 0))
    rows["events"] += told(number, shop, id, stage, version, clock, created, positions)


def told(
    number: int, shop: int, id: str, stage: Stage, version: int, clock: str | None, created: int, positions: defaultdict[int, int]
) -> Iterator[tuple[Any, ...]]:
    """Five lines of the log."""
    if stage is PENDING_REVIEW:
        types = ("RequestCreated", "DeadlineStarted", "DeadlineWarning", "DeadlineWarning", "DeadlineWarning")
    else:
        types = ("RequestCreated", "DeadlineStarted", "RequestApproved", "RequestStatusChanged", "DeadlineMet")
    for index, type in enumerate(types):
        positions[shop] += 1
        at, first = created + index * HOUR, type == "RequestCreated"
        data = {"reason": "not_received"} if first else {"key": clock or "review.first", "owedBy": "SELLER"}
        yield (
            number * 5 + index + 1, shop_id(shop), positions[shop], id, index + 1, 1 if index < 2 else version, type,
            "C1" if first else "", at, at, "BUYER" if index < 2 else "SYSTEM", buyer_id(number) if index < 2 else "system", "board 1",
            "open" if index < 2 else "warn", None if first else PENDING_REVIEW.name, stage.name, "It is not here." if first else "",
            orjson.dumps(data).decode(), None, None,
        )  # fmt: skip

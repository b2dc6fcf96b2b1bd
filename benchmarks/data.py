"""Fills a database: 100 shops, 20,000 requests with all that hangs on them, and 10,000 orders to be claimed yet.

The rows are such as the server itself writes. The same seed gives the same rows, but for the instants, which
are counted from now, so that clocks run and nothing becomes due while it is measured.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from random import Random

from aftersales.engine.policies import Facts
from aftersales.engine.terms import Terms
from aftersales.engine.vocabulary import ShopKind
from aftersales.policy_book import book
from aftersales.store.columns import COLUMNS, insert
from aftersales.store.migrate import migrate

from .claims import EVENTS, Claim, claim
from .rows import HOUR, SECOND, Row, by_table

SEED = 20_250_304
SHOPS = 100
REQUESTS = 20_000
UNCLAIMED = 10_000
BUYERS = 500

# Columns that SQL counts, or the import alone fills.
MORE = {
    "shops": ("sequence",),
    "orders": ("imported_at", "source_hash"),
    "order_lines": ("platform_discount", "seller_discount"),
    "requests": ("sequence", "search"),
}
PRODUCTS = (("Headset", "Black"), ("Cable", "2 m"), ("Lamp", "Warm white"), ("Kettle", None), ("Rug", "120 × 170 cm"))


def fill(path: Path, now: datetime | None = None, requests: int = REQUESTS, unclaimed: int = UNCLAIMED) -> None:
    """
    Args:
        requests: of all shops together; as many as there are shops, or a multiple.
        unclaimed: orders beside them.
    """
    asyncio.run(migrate(f"sqlite://{path}"))
    rows = by_table(made(now or datetime.now(UTC), Random(SEED), requests, unclaimed))
    connection = sqlite3.connect(path)
    with connection:
        # foreign keys are not looked at yet, so that the order of the tables does not matter
        for table, found in rows.items():
            connection.executemany(insert(table, 1, (*COLUMNS[table], *MORE.get(table, ()))), found)
    # no ANALYZE: the server never asks SQLite for statistics, so its plans are made without
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def made(
    now: datetime, dice: Random, requests: int = REQUESTS, unclaimed: int = UNCLAIMED
) -> Iterator[tuple[str, Row]]:
    """Every row, with its table."""
    terms, at = terms_at(now), int(now.timestamp()) * SECOND
    for version, body in {(each.version, each.to_json()) for each in terms.values()}:
        yield "terms", (version, body)
    for shop in range(SHOPS):
        name, events = f"Shop {shop}", requests // SHOPS * EVENTS
        yield "shops", (shop_id(shop), name, market(shop), shop_kind(shop).value, "Asia/Jakarta", 1, 1, events)
    for number in range(requests + unclaimed):
        shop = number % SHOPS
        lines = list(bought(dice, number))
        claimed = number < requests
        yield "orders", order(number, shop, lines, at, claimed=claimed)
        yield from (("order_lines", line) for line in lines)
        if claimed:
            yield from claim(asked(dice, number, shop, lines, at, terms))


def shop_id(shop: int) -> str:
    return f"sh_{shop:03}"


def buyer_id(number: int) -> str:
    return f"by_{number % BUYERS:04}"


def market(shop: int) -> str:
    return "MY" if shop % 4 == 3 else "ID"


def currency(shop: int) -> str:
    return {"MY": "MYR", "ID": "IDR"}[market(shop)]


def shop_kind(shop: int) -> ShopKind:
    return ShopKind.MALL if shop % 2 else ShopKind.NON_MALL


TermsOf = dict[tuple[str, str, ShopKind], Terms]


def terms_at(now: datetime) -> TermsOf:
    """What requests of these markets, kinds and shops are born under."""
    policies = book()
    return {
        (market, kind, shop): policies.terms(Facts(market, kind, shop, None, frozenset(), None, now))
        for market, kind, shop in product(("ID", "MY"), ("refund_only", "return_refund"), ShopKind)
    }


def bought(dice: Random, number: int) -> Iterator[Row]:
    for position in range(2):
        product, variation = dice.choice(PRODUCTS)
        price = dice.randrange(20, 900) * 1_000
        yield (
            f"ol_{number:06}_{position}", f"or_{number:06}", position, f"sku-{dice.randrange(5_000)}",
            f"p-{number % 900}", None, product, variation, "home", 1 + position, price, 0, 1, 1, 0, 0, 0, 0,
        )  # fmt: skip


def order(number: int, shop: int, lines: list[Row], at: int, *, claimed: bool = True) -> Row:
    # no shipping to be shared out, so that the bare application can do without that arithmetic
    total, shipping = sum(line[9] * line[10] for line in lines), 0
    return (
        f"or_{number:06}", shop_id(shop), f"{58_000_000 + number}", buyer_id(number), f"Buyer {number % BUYERS}",
        currency(shop), "DELIVERED", at - 96 * HOUR, at - 24 * HOUR, total, shipping, "PLATFORM",
        int(claimed), 0, at - 96 * HOUR, f"{number:064x}",
    )  # fmt: skip


def asked(dice: Random, number: int, shop: int, lines: list[Row], at: int, terms: TermsOf) -> Claim:
    """Every second one of a shop is for a refund only, and waits for its first review."""
    turn = number // SHOPS
    kind = "return_refund" if turn % 2 else "refund_only"
    created = at - 20 * HOUR + number * SECOND
    return Claim(
        hex=f"{created // 1_000:012x}{dice.getrandbits(80):020x}",
        number=f"AS-{number:04X}-{dice.getrandbits(20):05X}",
        shop=shop_id(shop),
        market=market(shop),
        currency=currency(shop),
        order=f"or_{number:06}",
        order_number=f"{58_000_000 + number}",
        buyer=buyer_id(number),
        kind=kind,
        turn=turn,
        terms=terms[market(shop), kind, shop_kind(shop)].version,
        note=f'It is {dice.choice(("not here", "broken", "another colour"))}. "Please" help, number {number}.',
        lines=tuple(lines),
        created=created,
        # warned 24 and 6 hours before; the last warning comes an hour before the end
        due=at + 3 * HOUR + dice.randrange(20 * HOUR),
    )

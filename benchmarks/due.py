"""Rows whose clocks are due: returns whose buyers should have sent the goods, spread over many shops."""

from collections.abc import Iterator
from datetime import datetime
from random import Random

from .claims import EVENTS, Claim, deadlines, events, request
from .data import buyer_id, currency, market, order, shop_id, shop_kind, terms_at
from .rows import HOUR, SECOND, Row

SHOPS = 100
# Turns at which a return waits for its buyer, as `claims.ELSEWHERE` has it.
EVERY = 8


def due(now: datetime, count: int, instants: Iterator[int]) -> Iterator[tuple[str, Row]]:
    """Every row, with its table.

    Args:
        instants: when each runs out, in microseconds.
    """
    dice, at, terms = Random(5), int(now.timestamp()) * SECOND, terms_at(now)
    for version, body in {(each.version, each.to_json()) for each in terms.values()}:
        yield "terms", (version, body)
    turns = -(-count // SHOPS) * EVERY
    for shop in range(SHOPS):
        name, said = f"Shop {shop}", turns * EVENTS
        yield "shops", (shop_id(shop), name, market(shop), shop_kind(shop).value, "Asia/Jakarta", 1, 1, said)
    serial = 0
    for number in range(count):
        shop = number % SHOPS
        line: Row = (
            f"ol_{number:06}_0", f"or_{number:06}", 0, f"sku-{number % 5_000}", f"p-{number % 900}", None, "Headset",
            "Black", "home", 1, 100_000, 0, 1, 1, 0, 0, 0, 0,
        )  # fmt: skip
        yield "orders", order(number, shop, [line], at)
        yield "order_lines", line
        of = waiting(
            dice, number, shop, line, at, next(instants), terms[market(shop), "return_refund", shop_kind(shop)].version
        )
        yield "requests", request(of)
        yield "request_lines", (f"rl_{of.hex}_0", of.id, 0, line[0], line[9], of.worth, None)
        for row in deadlines(of):
            yield "deadlines", (*row[:10], row[6] if row[8] == "RUNNING" else None, None)
        for row in events(of):
            serial += 1
            yield "events", (serial, *row[1:])


def waiting(dice: Random, number: int, shop: int, line: Row, at: int, due: int, terms: str) -> Claim:
    created = at - 20 * HOUR + number
    return Claim(
        hex=f"{created // 1_000:012x}{dice.getrandbits(80):020x}",
        number=f"AS-{number // 10_000:04}-{number % 10_000:04}",
        shop=shop_id(shop),
        market=market(shop),
        currency=currency(shop),
        order=f"or_{number:06}",
        order_number=f"{58_000_000 + number}",
        buyer=buyer_id(number),
        kind="return_refund",
        turn=number // SHOPS * EVERY,
        terms=terms,
        note="It came broken.",
        lines=(line,),
        created=created,
        due=due,
    )

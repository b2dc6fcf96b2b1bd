"""Orders come in as often as the marketplace likes, and what requests rely on stands."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.store.builders import NOON, World, imported, money, shop, world

from aftersales.engine.vocabulary import OrderState
from aftersales.store.database import Row, Statement
from aftersales.store.imports import Outcome
from aftersales.store.ledger import OrderMoved

CREATED, UPDATED, UNCHANGED = Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED


async def test_the_same_order_twice_changes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        batch = [imported(str(number)) for number in range(250)]

        first = await w.ledger.import_orders(batch, NOON)
        again = await w.ledger.import_orders(batch, NOON + timedelta(days=1))

        assert (set(first), set(again), len(first)) == ({CREATED}, {UNCHANGED}, 250)


async def test_an_order_reads_back_as_it_came(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        came = imported()

        order = await w.order()

        assert (order.number, order.total, order.shipping_paid) == (came.number, came.total, came.shipping_paid)
        assert (order.state, order.delivered_at, order.buyer_name) == (came.state, came.delivered_at, came.buyer_name)
        assert [(line.sku_id, line.quantity, line.unit_paid, line.category) for line in order.lines] == [
            ("sku_1", 3, money("20.00"), None),
            ("sku_2", 1, money("30.00"), "wear"),
        ]
        assert order.shop == shop()


async def test_a_currency_without_decimals_is_kept_exactly(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        lines = tuple(
            replace(line, unit_paid=money("15000", "IDR"), tax=money("1", "IDR"), platform_discount=money("0", "IDR"),
                    seller_discount=money("0", "IDR"))
            for line in imported().lines
        )  # fmt: skip
        order = await w.order(currency="IDR", lines=lines, total=money("60002", "IDR"), shipping_paid=money("0", "IDR"))

        assert (order.digits, order.total, order.lines[0].unit_paid) == (
            0,
            money("60002", "IDR"),
            money("15000", "IDR"),
        )


async def test_of_one_order_twice_in_a_batch_the_later_row_counts(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        outcomes = await w.ledger.import_orders([imported(), imported(buyer_name="Budi")], NOON)

        assert outcomes == [CREATED, CREATED]
        assert (await w.order(buyer_name="Budi")).buyer_name == "Budi"


async def test_a_row_of_an_unknown_shop_or_another_currency_is_told_and_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.order()

        outcomes = await w.ledger.import_orders(
            [imported(shop_id="sh_none"), imported(currency="KWD"), imported("A2")], NOON
        )

        assert outcomes == [Outcome.UNKNOWN_SHOP, Outcome.CURRENCY_DIFFERS, CREATED]


@pytest.mark.parametrize(
    ("state", "then", "kept"),
    [
        (OrderState.IN_TRANSIT, OrderState.DELIVERED, OrderState.DELIVERED),
        (OrderState.DELIVERED, OrderState.IN_TRANSIT, OrderState.DELIVERED),
        (OrderState.DELIVERED, OrderState.COMPLETED, OrderState.COMPLETED),
        (OrderState.AWAITING_SHIPMENT, OrderState.CANCELED, OrderState.CANCELED),
        (OrderState.UNPAID, OrderState.UNPAID, OrderState.UNPAID),
    ],
)
async def test_the_state_of_an_order_only_moves_forward(
    tmp_path: Path, state: OrderState, then: OrderState, kept: OrderState
) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.order(state=state)

        assert (await w.order(state=then, buyer_name="Budi")).state is kept


async def test_an_order_is_never_undelivered_nor_delivered_earlier(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.order(delivered_at=NOON)

        assert (await w.order(delivered_at=None)).delivered_at == NOON
        assert (await w.order(delivered_at=NOON - timedelta(hours=1))).delivered_at == NOON
        assert (await w.order(delivered_at=NOON + timedelta(hours=1))).delivered_at == NOON + timedelta(hours=1)


async def changed(world: World) -> list[tuple[int, str]]:
    """The order comes again: one line smaller and cheaper, the other gone, one new."""
    kept, _ = imported().lines
    lines = (replace(kept, quantity=1, unit_paid=money("1.00")),)
    order = await world.order(lines=lines, total=money("1.00"))
    return [(line.quantity, str(line.unit_paid.amount)) for line in order.lines] + [(0, str(order.total.amount))]


async def test_an_order_that_nobody_claimed_of_is_taken_as_it_comes(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.order()

        assert await changed(w) == [(1, "1.00"), (0, "1.00")]


async def test_of_an_order_that_somebody_claimed_of_money_quantities_and_lines_stand(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.open(await w.order(), quantity=3)

        assert await changed(w) == [(3, "20.00"), (1, "30.00"), (0, "100.00")]


async def test_a_claim_by_an_order_as_it_was_before_an_import_is_looked_at_again(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        change = w.opening(await w.order(), quantity=3)
        await changed(w)

        with pytest.raises(OrderMoved):
            await w.commit(change)


async def test_imports_and_claims_at_once_both_come_through(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        orders = [await w.order(str(number)) for number in range(20)]
        later = [imported(str(number), buyer_name="Budi") for number in range(20)]

        outcomes, *claims = await asyncio.gather(
            w.ledger.import_orders(later, NOON),
            *(w.commit(w.opening(order)) for order in orders),
            return_exceptions=True,
        )

        assert outcomes == [UPDATED] * 20
        assert {type(claim).__name__ for claim in claims} <= {"Request", "OrderMoved"}
        stored = await w.ledger.orders([order.id for order in orders])
        assert {order.buyer_name for order in stored.values()} == {"Budi"}


async def test_orders_of_which_one_changes_at_each_try_are_brought_in_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path / "s.db") as w:
        orders = [await w.order(str(number)) for number in range(8)]
        claims = [w.opening(order) for order in orders]
        write = w.ledger.database.write

        async def overtaken(*statements: Statement) -> list[list[Row]]:
            """Somebody claims of one of them between the reading and the writing of all."""
            if claims:
                with monkeypatch.context() as alone:
                    alone.setattr(w.ledger.database, "write", write)
                    await w.commit(claims.pop())
            return await write(*statements)

        with monkeypatch.context() as patch:
            patch.setattr(w.ledger.database, "write", overtaken)
            outcomes = await w.ledger.import_orders(
                [imported(str(number), buyer_name="Budi") for number in range(8)], NOON
            )

        stored = await w.ledger.orders([order.id for order in orders])
        assert (claims, outcomes) == ([], [UPDATED] * 8)
        assert {order.buyer_name for order in stored.values()} == {"Budi"}


async def test_a_shop_that_changes_keeps_its_place_in_the_log(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        await w.open(await w.order())

        await w.ledger.import_shops([shop(name="New name", open=False)])
        await w.open(await w.order("A2"))

        assert (await w.ledger.shops(["sh_1"]))["sh_1"] == shop(name="New name", open=False)
        assert set(await w.ledger.shops()) == {"sh_1", "sh_2"}

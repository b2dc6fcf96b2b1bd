"""Orders come in from outside: every row judged for itself, told whole, and as often as the marketplace likes."""

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.market import MONDAY, bring_in, line_told, order_rows, order_told, shop_rows, shop_told

from aftersales.desk import Asked, Desk
from aftersales.engine.vocabulary import Actor, ClaimLine, Order, OrderState, Party, ShopKind
from aftersales.marketplace import Outcome, RowResult, Summary, import_file
from aftersales.marketplace.files import BATCH, MOST_BYTES
from aftersales.marketplace.importing import import_rows, may_import, may_import_for
from aftersales.marketplace.rows import line_row
from aftersales.markets import digits
from aftersales.testing import Home

CREATED, UPDATED, UNCHANGED, REFUSED = Outcome
ANI = Actor(Party.BUYER, "by_ani")


@pytest.fixture
async def desk(home: Home) -> Desk:
    """One that knows a shop in Jakarta and one in Medan."""
    desk = home.running.desk
    await import_rows(desk.ledger, shop_rows(shop_told("jakarta"), shop_told("medan")), MONDAY)
    return desk


async def outcomes(desk: Desk, *told: Any) -> list[Outcome]:
    return [result.outcome for result in await bring_in(desk.ledger, *told)]


async def stored(desk: Desk, number: str = "A1") -> Order:
    [row] = order_rows(order_told(number))
    found = await desk.ledger.order(row.told.id if row.told else "")
    assert found is not None
    return found


def wrong(told: Any) -> list[tuple[str, str]]:
    """Where a row is wrong, below the row, and what is said of it."""
    [row] = order_rows(told)
    return [(problem.field.removeprefix("orders.0").lstrip("."), problem.text()) for problem in row.problems]


def paths(told: Any) -> list[str]:
    return [path for path, _ in wrong(told)]


async def test_an_order_reads_as_it_was_told(desk: Desk) -> None:
    told = order_told(
        total="109001", fulfilment="SELLER", shippingOption="regular",
        lines=[
            line_told(
                sellerSku="L 1", productId="77", variationName="Red", category="lamps", quantity=2, unitPaid="49500",
                tax="1", platformDiscount="500", sellerDiscount="0", returnable=False, changeOfMindOk=False,
                preorder=True,
            )
        ],
    )  # fmt: skip
    assert await outcomes(desk, told) == [CREATED]

    order = await stored(desk)

    assert (order.number, order.shop.id, order.buyer_id, order.buyer_name) == ("A1", "sh_jakarta", "by_ani", "Ani")
    assert (order.state, order.fulfilment) == (OrderState.DELIVERED, "SELLER")
    assert (order.placed_at, order.delivered_at) == (
        datetime(2025, 2, 27, 3, tzinfo=UTC),
        datetime(2025, 3, 2, 3, tzinfo=UTC),
    )
    assert (str(order.total), str(order.shipping_paid)) == ("109001 IDR", "10000 IDR")
    [line] = order.lines
    assert (line.sku_id, line.seller_sku, line.product_id, line.product_name) == ("lamp-1", "L 1", "77", "Lamp")
    assert (line.variation_name, line.category, line.quantity) == ("Red", "lamps", 2)
    assert (str(line.unit_paid), str(line.tax)) == ("49500 IDR", "1 IDR")
    assert (line.returnable, line.change_of_mind_ok, line.preorder) == (False, False, True)


async def test_an_order_says_no_more_than_it_must(desk: Desk) -> None:
    told = order_told(buyer={"id": "ani"}, state="UNPAID", deliveredAt=None, shippingPaid=None)

    assert await outcomes(desk, told) == [CREATED]

    order = await stored(desk)
    assert (order.delivered_at, order.buyer_name, order.fulfilment) == (None, None, "PLATFORM")
    assert (order.lines[0].returnable, order.lines[0].change_of_mind_ok, order.lines[0].preorder) == (True, True, False)


def test_everything_wrong_with_a_row_is_told_at_once() -> None:
    told = {
        "number": "with space", "buyer": {"id": "", "nmae": "Ani"}, "currency": "IDR", "state": "delivered",
        "placedAt": "2025-02-27 10:00", "deliveredAt": 1740970800, "shippingPaid": 10_000, "shippingPayed": "1",
        "lines": [line_told(quantity=0, unitPaid="50.000"), line_told(productName=" ", returnable="yes"), 7],
    }  # fmt: skip

    assert paths(told) == [
        "lines.0.quantity", "lines.0.unitPaid", "lines.1.productName", "lines.1.returnable", "lines.2", "shippingPaid",
        "shopId", "number", "buyer.id", "state", "placedAt", "deliveredAt", "buyer.nmae", "shippingPayed",
    ]  # fmt: skip


# fmt: off
BAD_VALUES: dict[str, tuple[str, dict[str, Any]]] = {
    #                                     where               what is told
    "money as a number":                 ("shippingPaid",     {"shippingPaid": 10000}),
    "money below zero":                  ("shippingPaid",     {"shippingPaid": "-1"}),
    "money with a comma":                ("shippingPaid",     {"shippingPaid": "10,000"}),
    "thousands that read as decimals":   ("shippingPaid",     {"shippingPaid": "10.000"}),
    "cents of a currency without":       ("shippingPaid",     {"shippingPaid": "10000.00"}),
    "more cents than there are":         ("shippingPaid",     {"shippingPaid": "1.005", "currency": "USD"}),
    "no currency of this world":         ("currency",         {"currency": "IDX"}),
    "a currency in small letters":       ("currency",         {"currency": "idr"}),
    "a total that does not add up":      ("total",            {"total": "110001"}),
    "an instant without an offset":      ("placedAt",         {"placedAt": "2025-02-27T10:00:00"}),
    "an instant that is none":           ("placedAt",         {"placedAt": "2025-02-30T10:00:00Z"}),
    "an instant beyond reckoning":       ("placedAt",         {"placedAt": "0001-01-01T00:00:00+07:00"}),
    "an instant to come":                ("deliveredAt",      {"deliveredAt": "2025-03-03T10:00:00Z"}),
    "delivered before it was placed":    ("deliveredAt",      {"deliveredAt": "2025-02-27T02:59:59Z"}),
    "delivered while on its way":        ("deliveredAt",      {"state": "IN_TRANSIT"}),
    "no lines":                          ("lines",            {"lines": []}),
    "too many lines":                    ("lines",            {"lines": [line_told()] * 201}),
    "lines in an object":                ("lines",            {"lines": {"0": line_told()}}),
    "a buyer that is only a name":       ("buyer",            {"buyer": "Ani"}),
    "half a unit":                       ("lines.0.quantity", {"lines": [line_told(quantity=1.5)]}),
    "a quantity as text":                ("lines.0.quantity", {"lines": [line_told(quantity="2")]}),
    "true as a quantity":                ("lines.0.quantity", {"lines": [line_told(quantity=True)]}),
    "a sum beyond all orders":           ("lines",            {"lines": [line_told(unitPaid="9" * 12, quantity=999)]}),
    "a control character":               ("buyer.name",       {"buyer": {"id": "ani", "name": "A\x00ni"}}),
    "half of a surrogate pair":          ("buyer.name",       {"buyer": {"id": "ani", "name": "\ud83d"}}),
    "a bar, which parts shop and number": ("number",          {"number": "1|2"}),
    "a misspelt field":                  ("delivered_at",     {"delivered_at": "2025-03-02T03:00:00Z"}),
}
# fmt: on


@pytest.mark.parametrize("case", BAD_VALUES)
def test_a_bad_value_is_named_by_its_field_alone(case: str) -> None:
    path, changes = BAD_VALUES[case]

    assert paths(order_told(**changes)) == [path]


def test_what_is_said_of_a_bad_value_tells_what_to_do() -> None:
    assert wrong(order_told(shippingPaid="10.000", state="GONE", total=None, typo=1)) == [
        ("shippingPaid", "IDR has 0 decimals."),
        (
            "state",
            "Choose one of: UNPAID, ON_HOLD, AWAITING_SHIPMENT, AWAITING_COLLECTION, IN_TRANSIT, DELIVERED, COMPLETED,"
            " CANCELED.",
        ),
        (
            "typo",
            "There is no such field. There are: currency, buyer, lines, shippingPaid, shopId, number, state, placedAt,"
            " deliveredAt, fulfilment, shippingOption, total.",
        ),
    ]
    assert wrong(order_told(total="5")) == [("total", "Lines, taxes and shipping add up to 110000 IDR.")]


@pytest.mark.parametrize("told", [None, 7, "order", [], [order_told()]])
def test_what_is_no_object_has_one_problem(told: Any) -> None:
    assert wrong(told) == [("", "Give an object here.")]


async def test_the_same_order_again_changes_nothing_and_a_newer_one_moves_it_on(desk: Desk) -> None:
    shipped = order_told(state="IN_TRANSIT", deliveredAt=None)

    assert await outcomes(desk, shipped) == [CREATED]
    assert await outcomes(desk, shipped) == [UNCHANGED]
    assert await outcomes(desk, order_told()) == [UPDATED]
    assert (await stored(desk)).state is OrderState.DELIVERED
    assert (await stored(desk)).delivered_at == datetime(2025, 3, 2, 3, tzinfo=UTC)


async def test_old_news_do_not_take_a_delivery_back(desk: Desk) -> None:
    await bring_in(desk.ledger, order_told())

    await bring_in(desk.ledger, order_told(state="IN_TRANSIT", deliveredAt=None))

    order = await stored(desk)
    assert (order.state, order.delivered_at) == (OrderState.DELIVERED, datetime(2025, 3, 2, 3, tzinfo=UTC))


async def test_of_an_order_twice_in_a_batch_the_first_is_not_lost_on_the_second(desk: Desk) -> None:
    told = [order_told(), order_told("A2"), order_told(state="IN_TRANSIT", deliveredAt=None)]

    assert await outcomes(desk, *told) == [CREATED, CREATED, UPDATED]
    assert (await stored(desk)).state is OrderState.DELIVERED


async def test_bad_rows_are_told_by_their_places_and_do_not_stop_the_others(desk: Desk) -> None:
    results = await bring_in(
        desk.ledger, order_told("A1"), order_told("A2", state="GONE"), order_told("A3", shopId="none"), order_told("A4")
    )

    assert [(result.place, result.name, result.outcome) for result in results] == [
        (0, "A1", CREATED), (1, "A2", REFUSED), (2, "A3", REFUSED), (3, "A4", CREATED),
    ]  # fmt: skip
    assert [(problem.code, problem.field) for result in results for problem in result.problems] == [
        ("INVALID_INPUT", "orders.1.state"), ("NOT_FOUND", "orders.2.shopId"),
    ]  # fmt: skip


async def test_an_order_keeps_its_currency(desk: Desk) -> None:
    await bring_in(desk.ledger, order_told())

    [result] = await bring_in(desk.ledger, order_told(currency="USD"))

    assert (result.outcome, result.problems[0].field) == (REFUSED, "orders.0.currency")
    assert (await stored(desk)).currency == "IDR"


async def claim(desk: Desk) -> None:
    order = await stored(desk)
    await desk.open("refund_only", ANI, Asked(order.id, (ClaimLine(order.lines[0].id, 1),), "not_received"))


async def test_once_a_line_is_claimed_nothing_else_comes_to_stand_in_its_place(desk: Desk) -> None:
    lamp, radio = line_told(), line_told(skuId="radio-1", productName="Radio")
    await bring_in(desk.ledger, order_told(lines=[lamp]))
    await claim(desk)

    [shuffled] = await bring_in(desk.ledger, order_told(lines=[radio, lamp]))
    [added] = await bring_in(desk.ledger, order_told(lines=[lamp, radio]))

    assert [(problem.field, problem.text()) for problem in shuffled.problems] == [
        (
            "orders.0.lines.0.skuId",
            "This line is claimed as lamp-1: keep the order of the lines, and add new ones at the end.",
        )
    ]
    assert (shuffled.outcome, added.outcome) == (REFUSED, UPDATED)
    assert [line.sku_id for line in (await stored(desk)).lines] == ["lamp-1", "radio-1"]


async def test_an_order_nobody_has_claimed_yet_may_change_its_lines(desk: Desk) -> None:
    await bring_in(desk.ledger, order_told())

    assert await outcomes(desk, order_told(lines=[line_told(skuId="radio-1")])) == [UPDATED]
    assert [line.sku_id for line in (await stored(desk)).lines] == ["radio-1"]


async def test_shops_are_made_changed_and_left_alone(desk: Desk) -> None:
    async def shop(**changes: Any) -> Outcome:
        [result] = await import_rows(desk.ledger, shop_rows(shop_told("bandung", **changes)), MONDAY)
        return result.outcome

    assert [await shop(), await shop(), await shop(kind="MALL", returnAddress=False)] == [CREATED, UNCHANGED, UPDATED]
    found = (await desk.ledger.shops(["sh_bandung"]))["sh_bandung"]
    assert (found.kind, found.timezone, found.return_address) == (ShopKind.MALL, "Asia/Jakarta", False)


async def test_a_shop_stays_in_its_market(desk: Desk) -> None:
    [result] = await import_rows(desk.ledger, shop_rows(shop_told("jakarta", market="TH")), MONDAY)

    assert (result.outcome, result.problems[0].field) == (REFUSED, "shops.0.market")
    assert (await desk.ledger.shops(["sh_jakarta"]))["sh_jakarta"].market == "ID"


def test_everything_wrong_with_a_shop_is_told_at_once() -> None:
    [row] = shop_rows({"id": "a b", "name": "", "market": "XX", "kind": "mall", "timezone": "Mars/Base", "isOpen": 1})

    assert [problem.field.removeprefix("shops.0.") for problem in row.problems] == [
        "market", "id", "name", "kind", "timezone", "isOpen",
    ]  # fmt: skip


async def test_a_partner_brings_in_what_is_its_shops_own(desk: Desk) -> None:
    app = Actor(Party.PARTNER, "app", frozenset({"sh_jakarta"}), frozenset({"orders.import"}))
    rows = order_rows(order_told("A1"), order_told("A2", shopId="medan"))

    results = await import_rows(desk.ledger, rows, MONDAY, may_import_for(app))

    assert [result.outcome for result in results] == [CREATED, REFUSED]
    assert [(problem.code, problem.field) for problem in results[1].problems] == [("NOT_FOUND", "orders.1.shopId")]


@pytest.mark.parametrize(
    ("party", "grants", "may"),
    [
        (Party.PARTNER, {"orders.import"}, True),
        (Party.PARTNER, {"view"}, False),
        (Party.PLATFORM, {"orders.import"}, True),
        (Party.PLATFORM, set(), False),
        (Party.SELLER, {"*"}, False),
        (Party.BUYER, {"orders.import"}, False),
        (Party.CARRIER, {"orders.import"}, False),
    ],
)
def test_only_a_trusted_integration_brings_in_orders(party: Party, grants: set[str], may: bool) -> None:
    actor = Actor(party, "x", frozenset({"sh_jakarta"}), frozenset(grants))

    assert [problem.code for problem in may_import(actor)] == ([] if may else ["FORBIDDEN"])


# The file.


def a_file(*rows: object) -> io.BytesIO:
    """One row a line: JSON of what is an object, and else the line itself."""
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return io.BytesIO(b"\n".join(lines))


async def imported(desk: Desk, source: Path | io.BytesIO) -> list[RowResult]:
    return [result async for result in import_file(source, desk.ledger, desk.clock)]


async def test_a_file_brings_in_shops_and_orders_and_tells_the_line_of_each_bad_row(desk: Desk) -> None:
    source = a_file(
        {"shop": shop_told("bandung")},
        b"",
        {"order": order_told("A1", shopId="bandung")},
        b"{not JSON",
        b"\xff\xfe",
        {"order": order_told("A2", state="GONE")},
        {"orders": [order_told("A3")]},
        order_told("A4"),
        b"  \t ",
        {"order": order_told("A5")},
    )

    results = await imported(desk, source)

    assert [(result.place, result.outcome) for result in results] == [
        (1, CREATED), (3, CREATED), (4, REFUSED), (5, REFUSED), (6, REFUSED), (7, REFUSED), (8, REFUSED), (10, CREATED),
    ]  # fmt: skip
    assert [problem.field for problem in results[4].problems] == ["order.state"]


async def test_a_file_again_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "orders.ndjson"
    # as a spreadsheet would save it: marked as UTF-8, lines of Windows
    rows = [json.dumps({"order": order_told(f"A{number}")}) for number in range(3)]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).encode())

    first, again = await imported(desk, path), await imported(desk, path)

    assert [result.outcome for result in (*first, *again)] == [CREATED] * 3 + [UNCHANGED] * 3


async def test_results_come_while_the_file_is_read(desk: Desk) -> None:
    source = a_file(*({"order": order_told(f"A{number}")} for number in range(BATCH + 1)), b"{")
    summary = Summary()

    results = import_file(source, desk.ledger, desk.clock)
    summary.add(await anext(results))
    rest = source.read()
    source.seek(-len(rest), io.SEEK_END)
    async for result in results:
        summary.add(result)

    assert len(rest.splitlines()) == 2
    assert str(summary) == "501 created, 0 updated, 0 unchanged, 1 refused"
    assert summary.refused == 1


async def test_a_line_beyond_a_megabyte_is_skipped_whole(desk: Desk) -> None:
    source = a_file(
        {"order": order_told("A1", shippingOption="x" * MOST_BYTES * 3)},
        {"order": order_told("A2")},
        b" " * (MOST_BYTES - 2) + b"{}",
    )

    results = await imported(desk, source)

    assert [(result.place, result.outcome) for result in results] == [(1, REFUSED), (2, CREATED), (3, REFUSED)]
    assert results[0].problems[0].text() == "A line has at most 1000000 bytes."
    assert results[2].problems[0].text().startswith("Give a row as one of")


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b"null",
        b'{"order": NaN}',
        b'{"order": ' + b"1" * 5000 + b"}",
        b'{"order": {}, "shop": {}}',
        b'{"order": {"number": "1", "number": "2"}}',
    ],
)
def test_a_line_that_no_row_can_be_is_one_problem(line: bytes) -> None:
    row = line_row(line, 7, digits, MONDAY)

    assert (row.place, row.told, len(row.problems)) == (7, None, 1)


def test_a_field_that_is_there_twice_is_named() -> None:
    row = line_row(b'{"order": {"number": "1", "number": "2"}}', 1, digits, MONDAY)

    assert row.problems[0].text() == "This is not JSON: number is there twice."


async def test_the_examples_of_the_documentation_can_be_imported(desk: Desk) -> None:
    document = Path(__file__).parents[2].joinpath("docs", "import.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```json\n(.*?)^```", document, re.DOTALL | re.MULTILINE)

    results = await imported(desk, io.BytesIO("".join(examples).encode()))

    assert [(result.outcome, [p.text() for p in result.problems]) for result in results] == [(CREATED, [])] * 4

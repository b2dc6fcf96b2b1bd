"""The policies that we ship say what the model says, market by market; and an operator's files join them."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aftersales.engine.clocks import Unit
from aftersales.engine.money import Money
from aftersales.engine.policies import Facts, MalformedBook
from aftersales.engine.terms import Terms
from aftersales.engine.vocabulary import ShopKind
from aftersales.policy_book import MARKETS, POLICIES, book, calendar, digits

HOUR, CAL_DAY, WORK_DAY = Unit.HOUR, Unit.CAL_DAY, Unit.WORK_DAY
BOOK = book()
MARCH = datetime(2025, 3, 3, 3, tzinfo=UTC)
SOURCE = re.compile(r"seller-(id|th|vn|us) \d+|vn-note|https://\S+|ours")

ROW = """
version = "2026-01-01"
[[policies]]
key = "review.first"
market = "ID"
value = 3
unit = "WORK_DAY"
owed_by = "SELLER"
source = "ours"
mark = "INF"
"""


def terms(market: str, kind: str = "refund_only", **facts: Any) -> Terms:
    told: dict[str, Any] = {
        "shop_kind": ShopKind.NON_MALL,
        "reason_class": None,
        "categories": frozenset[str](),
        "order_value": None,
        "at": MARCH,
    }
    return BOOK.terms(Facts(market=market, kind=kind, **told | facts))


# fmt: off
TABLE_7_1 = [
    ("window.raise",          6,  CAL_DAY,  "BUYER",        []),
    ("review.first",          2,  CAL_DAY,  "SELLER",       [24, 6, 1]),
    ("offer.response",        1,  CAL_DAY,  "BUYER",        [6]),
    ("ship_back.drop_off",    10, CAL_DAY,  "BUYER",        [72, 24]),
    ("ship_back.pickup_date", 3,  CAL_DAY,  "BUYER",        [24]),
    ("ship_back.pickup",      7,  CAL_DAY,  "CARRIER",      []),
    ("ship_back.self",        10, CAL_DAY,  "BUYER",        [72, 24]),
    ("return.transit",        14, CAL_DAY,  "CARRIER",      [72]),
    ("inspect.tracked",       2,  WORK_DAY, "SELLER",       [24, 6, 1]),
    ("inspect.self_arranged", 14, CAL_DAY,  "SELLER",       [72, 24, 6]),
    ("ship_out",              2,  WORK_DAY, "SELLER",       [24, 6]),
    ("outbound.transit",      14, CAL_DAY,  "CARRIER",      [72]),
    ("rejection.followup",    48, HOUR,     "BUYER",        [12]),
    ("dispute.evidence",      24, HOUR,     "BUYER|SELLER", [6]),
    ("dispute.decision",      24, HOUR,     "PLATFORM",     []),
    ("appeal.window",         7,  CAL_DAY,  "SELLER",       [72, 24]),
    ("appeal.evidence",       24, HOUR,     "SELLER",       [6]),
    ("appeal.decision",       7,  CAL_DAY,  "PLATFORM",     []),
    ("speedy.not_received",   3,  CAL_DAY,  "SYSTEM",       []),
    ("failed_return.claim",   7,  CAL_DAY,  "SELLER",       [48]),
    ("back_to_buyer.ship",    3,  WORK_DAY, "SELLER",       [24]),
    ("cancel.review",         2,  CAL_DAY,  "SELLER",       [24]),
    ("cancel.free",           1,  HOUR,     "BUYER",        []),
]
# fmt: on


@pytest.mark.parametrize(("key", "value", "unit", "owed_by", "warn_hours"), TABLE_7_1)
def test_indonesias_clocks_are_those_of_table_7_1(
    key: str, value: int, unit: Unit, owed_by: str, warn_hours: list[int]
) -> None:
    term = terms("ID")[key]

    assert (term.value, term.unit, term.owed_by) == (value, unit, owed_by)
    assert term.warn_before == tuple(hours * 3600 for hours in warn_hours)
    assert not term.end_of_day


def test_indonesias_limits_and_flags_are_those_of_the_model() -> None:
    found = {key: term.value for key, term in terms("ID").items() if term.unit is None}

    assert found == {
        "limit.requests_per_sku": 5,
        "limit.edits": 2,
        "limit.attempts": 2,
        "limit.disputes": 2,
        "limit.offers": 1,
        "limit.appeals": 1,
        "limit.pickup_attempts": 3,
        "limit.evidence_files": 10,
        "limit.evidence_mb": 20,
        "offer.partial.least_percent": 1,
        "offer.partial.most_percent": 99,
        "appeal.max_evidence_rounds": 3,
        "kind.enabled": True,
        "reason.enabled": True,
        "offer.refund_only.partial": False,
        "offer.partial_after_receiving": False,
        "reject.change_of_mind_protected": False,
        "appeal.on_inspection_timeout": False,
        "appeal.on_review_timeout": False,
        "enforcement.auto_refund": True,
        "back_to_buyer": False,
    }


MALL: dict[str, Any] = {"shop_kind": ShopKind.MALL}
FOOD: dict[str, Any] = {"categories": frozenset({"food_drink", "books"})}
WORTH_100 = {"order_value": Money(Decimal(100), "GBP")}
WORTH_99 = {"order_value": Money(Decimal(99), "GBP")}
WORTH_100_DOLLARS = {"order_value": Money(Decimal(100), "USD")}


# fmt: off
TABLE_7_2 = [
    ("ID", MALL,                         "window.raise",                    15,    CAL_DAY),
    ("TH", {},                           "window.raise",                    7,     CAL_DAY),
    ("TH", MALL,                         "window.raise",                    15,    CAL_DAY),
    ("TH", {},                           "review.first",                    1,     WORK_DAY),
    ("TH", {},                           "inspect.tracked",                 2,     CAL_DAY),
    ("TH", {},                           "inspect.self_arranged",           10,    CAL_DAY),
    ("TH", {},                           "appeal.window",                   15,    CAL_DAY),
    ("TH", {"kind": "return_refund"},    "appeal.window",                   7,     CAL_DAY),
    ("TH", {},                           "reject.change_of_mind_protected", True,  None),
    ("VN", {},                           "window.raise",                    15,    CAL_DAY),
    ("VN", MALL,                         "window.raise",                    15,    CAL_DAY),
    ("VN", FOOD,                         "window.raise",                    6,     CAL_DAY),
    ("VN", MALL | FOOD,                  "window.raise",                    6,     CAL_DAY),
    ("VN", {},                           "review.first",                    1,     CAL_DAY),
    ("VN", {},                           "inspect.tracked",                 2,     CAL_DAY),
    ("VN", {},                           "appeal.window",                   7,     CAL_DAY),
    ("VN", {},                           "appeal.on_inspection_timeout",    False, None),
    ("VN", {},                           "back_to_buyer",                   True,  None),
    ("VN", {},                           "reject.change_of_mind_protected", True,  None),
    ("GB", {},                           "review.first",                    2,     WORK_DAY),
    ("GB", WORTH_99,                     "review.first",                    2,     WORK_DAY),
    ("GB", WORTH_100,                    "review.first",                    4,     WORK_DAY),
    ("GB", WORTH_100_DOLLARS,            "review.first",                    2,     WORK_DAY),
    ("GB", {},                           "window.raise",                    6,     CAL_DAY),
    ("US", {},                           "review.first",                    2,     WORK_DAY),
    ("US", WORTH_100_DOLLARS,            "review.first",                    4,     WORK_DAY),
    ("US", {"kind": "reshipment"},       "review.first",                    1,     WORK_DAY),
    ("US", {"kind": "reshipment"} | WORTH_100_DOLLARS, "review.first",      1,     WORK_DAY),
    ("US", {},                           "offer.partial_after_receiving",   True,  None),
    ("MY", {},                           "review.first",                    2,     CAL_DAY),
]
# fmt: on


@pytest.mark.parametrize(("market", "facts", "key", "value", "unit"), TABLE_7_2)
def test_a_market_differs_as_table_7_2_says(
    market: str, facts: dict[str, Any], key: str, value: int | bool, unit: Unit | None
) -> None:
    term = terms(market, **facts)[key]

    assert (term.value, term.unit) == (value, unit)


@pytest.mark.parametrize("category", ["food_drink", "formula_baby_food", "phones_tablets", "home_improvement"])
def test_vietnam_gives_some_goods_six_days(category: str) -> None:
    assert terms("VN", categories=frozenset({category}))["window.raise"].value == 6


@pytest.mark.parametrize(("at", "days"), [("2024-07-17", 10), ("2024-07-18", 5), ("2024-12-31", 5), ("2025-01-01", 10)])
def test_a_policy_of_last_year_holds_for_requests_of_last_year(at: str, days: int) -> None:
    noon = datetime.fromisoformat(at).replace(hour=12, tzinfo=MARKETS["ID"].zone)

    assert terms("ID", at=noon)["ship_back.drop_off"].value == days


def test_what_may_pause_is_what_the_table_says() -> None:
    pausable = {record.key for record in BOOK.records if record.pausable}
    restless = {record.key for record in BOOK.records if not record.pausable}

    assert pausable == {
        "review.first", "inspect.tracked", "inspect.self_arranged", "rejection.followup", "appeal.decision",
    }  # fmt: skip
    assert not pausable & restless


def test_every_record_names_its_source() -> None:
    unnamed = [record for record in BOOK.records if not SOURCE.fullmatch(record.source)]

    assert unnamed == []
    assert all((record.source == "ours") == (record.mark == "INF") for record in BOOK.records)


def test_every_market_has_a_file_and_every_key() -> None:
    files = {path.stem for path in POLICIES.glob("*.toml")}

    assert files == {"region"} | {market.lower() for market in MARKETS}
    assert all(set(terms(market)) == BOOK.keys for market in MARKETS)


def test_the_version_names_market_book_and_content() -> None:
    assert re.fullmatch(r"ID@2025-11-04\+[0-9a-f]{8}", terms("ID").version)
    assert terms("ID").version != terms("ID", at=datetime(2024, 8, 1, tzinfo=UTC)).version
    assert Terms.from_json(terms("VN", **FOOD).to_json()) == terms("VN", **FOOD)


def test_the_other_articles_can_be_followed_instead() -> None:
    facts = Facts("ID", "refund_only", ShopKind.MALL, None, frozenset(), None, MARCH)

    alternate = book(POLICIES, POLICIES / "alternate").terms(facts)

    assert alternate["appeal.window"].value == 15
    assert terms("ID")["appeal.window"].value == 7


def test_an_operators_file_joins_the_policies_that_we_ship(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(ROW)
    facts = Facts("ID", "refund_only", ShopKind.MALL, None, frozenset(), None, MARCH)

    joined = book(POLICIES, tmp_path).terms(facts)

    assert (joined["review.first"].value, joined["review.first"].calendar) == (3, "MON_FRI")
    assert joined["offer.response"] == terms("ID")["offer.response"]
    assert joined.version.startswith("ID@2026-01-01+")


def test_a_later_policy_of_the_same_weight_wins_from_its_day_on(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(ROW.replace('"ID"', '"GB"') + "valid_from = 2025-07-01\n")
    facts = Facts("GB", "refund_only", ShopKind.MALL, None, frozenset(), None, MARCH)
    joined = book(POLICIES, tmp_path)

    # a date is the market's own midnight, an hour before UTC's in summer
    eve = datetime(2025, 6, 30, 23, tzinfo=UTC)
    before, after = (
        joined.terms(Facts("GB", "refund_only", ShopKind.MALL, None, frozenset(), None, at))
        for at in (eve - timedelta(seconds=1), eve)
    )

    assert joined.terms(facts)["review.first"].value == before["review.first"].value == 2
    assert after["review.first"].value == 3


def test_everything_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("this is no TOML")
    (tmp_path / "b.toml").write_text('version = "1"')
    (tmp_path / "c.toml").write_text(
        """
        version = "1"
        mark = "INF"
        sauce = "ours"
        policies = [
          { key = "k", value = 1.5, unit = "HOUR", market = "XX", shop_kind = "MALL " },
          { value = 1, unit = "HOUR", source = "ours", reason_class = "BAD", categories = ["a", 1] },
          { key = "m", value = 1, unit = "HOUR", source = "a", min_order_value = "5 XYZ", valid_to = "soon" },
          { key = "n", value = 1, unit = "HOUR", source = "a", min_order_value = "much GBP", pausable = 1 },
        ]
        """
    )

    with pytest.raises(MalformedBook) as raised:
        book(tmp_path, tmp_path / "missing.toml")

    told = [fault.removeprefix(str(tmp_path)) for fault in raised.value.faults]
    assert told[0].startswith("/a.toml: Expected '=' after a key")
    assert told[1:-1] == [
        "/b.toml: has no list of policies",
        "/c.toml: sauce is not a field",
        "/c.toml: row 1 (k): source is missing",
        "/c.toml: row 1 (k): value: 1.5 is not int or bool",
        "/c.toml: row 1 (k): market: 'XX' is not one of ID, TH, VN, MY, GB, US",
        "/c.toml: row 1 (k): shop_kind: 'MALL ' is not a valid ShopKind",
        "/c.toml: row 2 (no key): key is missing",
        "/c.toml: row 2 (no key): reason_class: 'BAD' is not a valid ReasonClass",
        "/c.toml: row 2 (no key): categories: 1 is not str",
        "/c.toml: row 3 (m): min_order_value: 'XYZ' is not a currency",
        "/c.toml: row 3 (m): valid_to: 'soon' is not datetime",
        "/c.toml: row 4 (n): min_order_value: 'much' is not an amount",
        "/c.toml: row 4 (n): pausable: 1 is not bool",
    ]
    assert "No such file" in told[-1]


@pytest.mark.parametrize(
    ("market", "day", "works"),
    [
        ("ID", date(2025, 8, 18), True),
        ("ID", date(2025, 8, 17), False),
        ("ID", date(2025, 3, 31), False),
        ("ID", date(2025, 3, 8), False),
        ("GB", date(2025, 8, 25), False),
        ("GB", date(2025, 8, 4), True),
        ("US", date(2025, 7, 4), False),
        ("TH", date(2025, 4, 14), False),
        ("VN", date(2025, 9, 2), False),
        ("MY", date(2025, 9, 16), False),
    ],
)
def test_a_market_rests_on_weekends_and_its_public_holidays(market: str, day: date, works: bool) -> None:
    assert calendar(market).works(day) is works


def test_a_working_day_clock_skips_the_markets_holidays() -> None:
    # the parcel came back on the Friday before Eid al-Fitr
    friday = datetime(2025, 3, 28, 4, tzinfo=UTC)

    due = terms("ID").due("inspect.tracked", friday, calendar("ID"))

    assert due == datetime(2025, 4, 3, 4, tzinfo=UTC)


def test_a_market_that_is_not_ours_has_no_calendar() -> None:
    with pytest.raises(ValueError, match="'XX' is not one of our markets"):
        calendar("XX")


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("IDR", 0), ("VND", 0), ("THB", 2), ("MYR", 2), ("GBP", 2), ("USD", 2), ("KWD", 3)],
)
def test_a_currency_has_the_decimals_of_the_table(currency: str, decimals: int) -> None:
    assert digits(currency) == decimals


@pytest.mark.parametrize("unknown", ["XYZ", "", "usd"])
def test_an_unknown_currency_is_refused(unknown: str) -> None:
    with pytest.raises(ValueError, match="is not a currency"):
        digits(unknown)


def test_every_market_pays_in_a_known_currency() -> None:
    assert [digits(market.currency) for market in MARKETS.values()] == [0, 2, 0, 2, 2, 2]

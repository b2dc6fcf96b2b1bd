"""Which policy holds, what a book must be to be one, and that terms stay as they were."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersales.engine.clocks import Calendar, Unit
from aftersales.engine.money import Money
from aftersales.engine.policies import Book, Facts, MalformedBook, PolicyRecord, choose
from aftersales.engine.reasons import ReasonClass
from aftersales.engine.terms import Term, Terms
from aftersales.engine.vocabulary import ShopKind

MALL, NON_MALL = ShopKind.MALL, ShopKind.NON_MALL
MARCH = datetime(2025, 3, 3, tzinfo=UTC)
APRIL = datetime(2025, 4, 3, tzinfo=UTC)
JAKARTA = Calendar(ZoneInfo("Asia/Jakarta"), frozenset(range(5)), frozenset())


def clock(key: str = "review.first", value: int | bool = 2, **more: Any) -> PolicyRecord:
    told: dict[str, Any] = {
        "unit": "CAL_DAY",
        "owed_by": "SELLER",
        "version": "2025",
        "source": "test",
        "mark": "INF",
    }
    return PolicyRecord(key=key, value=value, **told | more)


def limit(key: str = "limit.edits", value: int | bool = 2, **more: Any) -> PolicyRecord:
    return clock(key, value, **{"unit": "COUNT", "owed_by": ""} | more)


def flag(key: str = "back_to_buyer", value: int | bool = False, **more: Any) -> PolicyRecord:
    return clock(key, value, **{"unit": "FLAG", "owed_by": ""} | more)


def gbp(amount: int) -> Money:
    return Money(Decimal(amount), "GBP")


FACTS = Facts("GB", "exchange", MALL, ReasonClass.FIT, frozenset({"shoes", "toys"}), gbp(100), MARCH)


@pytest.mark.parametrize(
    "condition",
    [
        {"market": "GB"},
        {"kind": "exchange"},
        {"shop_kind": MALL},
        {"reason_class": ReasonClass.FIT},
        {"categories": frozenset({"toys", "food"})},
        {"min_order_value": gbp(100)},
        {"valid_from": MARCH},
        {"valid_to": MARCH + timedelta(microseconds=1)},
    ],
)
def test_a_record_matches_when_its_condition_does(condition: dict[str, Any]) -> None:
    assert clock(**condition).matches(FACTS)


@pytest.mark.parametrize(
    "condition",
    [
        {"market": "ID"},
        {"kind": "refund_only"},
        {"shop_kind": NON_MALL},
        {"reason_class": ReasonClass.LATE},
        {"categories": frozenset({"food"})},
        {"min_order_value": gbp(101)},
        {"min_order_value": Money(Decimal(1), "USD")},
        {"valid_from": MARCH + timedelta(microseconds=1)},
        {"valid_to": MARCH},
        {"market": "GB", "kind": "refund_only"},
    ],
)
def test_a_record_that_fails_one_condition_does_not_match(condition: dict[str, Any]) -> None:
    assert not clock(**condition).matches(FACTS)


def test_an_unknown_order_value_is_worth_nothing() -> None:
    assert not clock(min_order_value=gbp(0)).matches(replace(FACTS, order_value=None))


def test_most_conditions_win_then_the_latest() -> None:
    default, market = clock(value=1), clock(value=2, market="GB")
    early, late = (
        clock(value=value, market="GB", shop_kind=MALL, valid_from=at) for value, at in ((3, MARCH), (4, APRIL))
    )
    records = [default, market, early, late]

    assert choose(records, "review.first", FACTS) == early
    assert choose(records, "review.first", replace(FACTS, at=APRIL)) == late
    assert choose(records, "review.first", replace(FACTS, shop_kind=NON_MALL)) == market
    assert choose(records, "review.first", replace(FACTS, market="ID")) == default
    assert choose(records, "offer.response", FACTS) is None


def maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, *values])


def places() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "market": maybe("ID", "GB"),
            "kind": maybe("exchange", "refund_only"),
            "shop_kind": maybe(*ShopKind),
            "reason_class": maybe(ReasonClass.FIT, ReasonClass.LATE),
            "categories": st.frozensets(st.sampled_from(["shoes", "toys", "food"])),
            "min_order_value": maybe(gbp(0), gbp(100), Money(Decimal(5), "USD")),
        }
    )


def distinct_records() -> st.SearchStrategy[list[PolicyRecord]]:
    """Records of one key, of which no two begin together: nothing is ever a full tie."""
    return st.lists(places(), max_size=12).map(
        lambda found: [
            clock(value=days, valid_from=MARCH - timedelta(days=days), **place)
            for days, place in enumerate(found, start=1)
        ]
    )


FACTS_OF_ALL_SORTS = st.builds(
    Facts,
    market=st.sampled_from(["ID", "GB", "US"]),
    kind=maybe("exchange", "refund_only", "repair"),
    shop_kind=maybe(*ShopKind),
    reason_class=maybe(*ReasonClass),
    categories=st.frozensets(st.sampled_from(["shoes", "toys", "food", "books"])),
    order_value=maybe(gbp(0), gbp(99), gbp(100), Money(Decimal(5), "USD")),
    at=st.datetimes(datetime(2025, 2, 10), datetime(2025, 3, 20), timezones=st.just(UTC)),
)


@given(distinct_records(), FACTS_OF_ALL_SORTS, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_records(
    records: list[PolicyRecord], facts: Facts, random: Any
) -> None:
    shuffled = random.sample(records, len(records))

    chosen = choose(records, "review.first", facts)

    assert chosen == choose(shuffled, "review.first", facts)
    assert chosen is None or all(not record.matches(facts) or record.rank <= chosen.rank for record in records)


@given(distinct_records(), st.lists(FACTS_OF_ALL_SORTS, max_size=8))
def test_a_book_chooses_as_the_rule_does_however_often_it_is_asked(
    records: list[PolicyRecord], asked: list[Facts]
) -> None:
    records = [*records, clock(value=99)]
    book = Book(records)

    for facts in asked:
        chosen = choose(records, "review.first", facts)
        assert chosen is not None
        assert book.terms(facts)["review.first"].value == chosen.value
        assert book.terms(facts).version.startswith(facts.market)


def faults(records: Iterable[PolicyRecord], *markets: str) -> tuple[str, ...]:
    with pytest.raises(MalformedBook) as raised:
        Book(records, markets)
    return raised.value.faults


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (clock(unit="FORTNIGHT"), "unit 'FORTNIGHT' is not one of"),
        (clock(value=0), "0 is no value in CAL_DAY"),
        (clock(value=-1, unit="HOUR"), "-1 is no value in HOUR"),
        (clock(value=True), "True is no value in CAL_DAY"),
        (limit(value=-1), "-1 is no value in COUNT"),
        (limit(value=True), "True is no value in COUNT"),
        (flag(value=1), "1 is no value in FLAG"),
        (clock(owed_by="NOBODY"), "owed by 'NOBODY', which is no party"),
        (clock(owed_by=""), "owed by '', which is no party"),
        (clock(unit="WORK_DAY"), "calendar '' does not go with WORK_DAY"),
        (clock(calendar="MON_FRI"), "calendar 'MON_FRI' does not go with CAL_DAY"),
        (clock(warn_before=(timedelta(),)), "warns when it is too late"),
        (clock(valid_to=MARCH, valid_from=MARCH), "valid_to is not after valid_from"),
        (clock(valid_from=datetime(2025, 3, 3)), "valid_from and valid_to need a zone"),
        (clock(mark="???"), "mark '???' is not one of SRC, INF, VAR"),
    ],
)
def test_a_value_that_cannot_be_is_a_fault(record: PolicyRecord, fault: str) -> None:
    found = faults([record])

    assert len(found) == 1
    assert fault in found[0]
    assert found[0].startswith(record.key)


def test_a_book_names_every_fault_at_once() -> None:
    found = faults(
        [
            clock("a", unit="YEAR", mark="?"),
            clock("b", value=0),
            clock("c", market="GB"),
            clock("d"),
            clock("d"),
            clock("e"),
            limit("e", market="GB"),
        ],
        "ID",
    )

    assert [fault.partition(":")[0].partition(" ")[0] for fault in found] == ["a", "a", "b", "c", "d", "e"]


def test_a_book_without_policies_is_none() -> None:
    assert faults([]) == ("the book is empty",)


def test_a_market_that_lacks_a_key_is_named() -> None:
    found = faults([clock(market="GB"), clock(market="TH", shop_kind=MALL)], "ID")

    assert found == ("review.first: nothing holds in ID MALL, ID NON_MALL, TH NON_MALL",)


@pytest.mark.parametrize(
    "special",
    [{"reason_class": ReasonClass.FIT}, {"categories": frozenset({"toys"})}, {"min_order_value": gbp(1)}],
)
def test_a_policy_for_special_requests_alone_leaves_the_others_without(special: dict[str, Any]) -> None:
    found = faults([clock(market="GB", **special)])

    assert found == ("review.first: nothing holds in GB MALL, GB NON_MALL",)


def test_a_key_of_one_kind_alone_need_not_be_there_for_others() -> None:
    book = Book([clock(), clock("repair.mend", kind="repair")], ["ID", "GB"])

    assert "repair.mend" in book.terms(replace(FACTS, kind="repair"))
    assert "repair.mend" not in book.terms(FACTS)


def test_a_policy_that_ends_without_another_leaves_a_gap() -> None:
    found = faults([clock(valid_to=MARCH), clock(valid_from=APRIL)], "ID")

    assert found == ("review.first: nothing holds from 2025-03-03 on in ID MALL, ID NON_MALL",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"market": "GB"}, {"market": "GB"}),
        ({"market": "GB"}, {"shop_kind": MALL}),
        ({"kind": "exchange"}, {"min_order_value": gbp(5)}),
        ({"min_order_value": gbp(5)}, {"min_order_value": gbp(9)}),
        ({"categories": frozenset({"toys", "food"})}, {"categories": frozenset({"shoes"})}),
        ({"valid_to": APRIL}, {"valid_to": APRIL + timedelta(1)}),
    ],
)
def test_two_policies_of_one_weight_that_some_request_matches_both_are_a_fault(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    found = faults([clock(value=1, **one), clock(value=2, **other), clock(value=3, valid_from=APRIL)])

    assert any("neither is weightier or later" in fault for fault in found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"market": "GB"}, {"market": "ID"}),
        ({"shop_kind": MALL}, {"shop_kind": NON_MALL}),
        ({"kind": "exchange"}, {"kind": "repair"}),
        ({"reason_class": ReasonClass.FIT}, {"reason_class": ReasonClass.LATE}),
        ({"min_order_value": gbp(5)}, {"min_order_value": Money(Decimal(5), "USD")}),
        ({"market": "GB", "valid_from": MARCH}, {"shop_kind": MALL, "valid_from": APRIL}),
        ({"market": "GB"}, {"market": "GB", "shop_kind": MALL}),
    ],
)
def test_two_policies_that_no_request_is_torn_between_are_none(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert Book([clock(), clock(**one), clock(**other)]).keys


def test_a_weightier_policy_settles_a_tie_if_it_settles_all_of_it() -> None:
    torn = [clock(), clock(market="GB"), clock(kind="exchange")]
    both: dict[str, Any] = {"market": "GB", "kind": "exchange"}

    assert Book([*torn, clock(**both)]).keys
    assert faults([*torn, clock(**both, shop_kind=MALL)])
    assert faults([*torn, clock(**both, valid_to=APRIL)])


def test_categories_that_overlap_in_part_still_tie() -> None:
    torn = [
        clock(),
        clock(market="GB", categories=frozenset({"toys", "food"})),
        clock(market="GB", kind="exchange"),
    ]
    settled: dict[str, Any] = {"market": "GB", "kind": "exchange", "categories": frozenset({"toys"})}

    assert faults([*torn, clock(**settled)])
    assert Book([*torn, clock(**settled | {"categories": frozenset({"toys", "food", "shoes"})})]).keys


def test_a_request_older_than_the_book_has_no_terms() -> None:
    book = Book([clock(valid_from=MARCH)])

    assert book.terms(FACTS)
    with pytest.raises(ValueError, match="the policies begin on 2025-03-03"):
        book.terms(replace(FACTS, at=MARCH - timedelta(seconds=1)))


def test_terms_carry_what_the_record_says() -> None:
    told: dict[str, Any] = {
        "unit": "WORK_DAY",
        "calendar": "MON_SAT",
        "end_of_day": True,
        "warn_before": (timedelta(hours=6),),
    }
    book = Book([clock(**told), limit(), flag(value=True)])

    terms = book.terms(FACTS)

    assert terms == Terms(
        terms.version,
        {
            "review.first": Term(2, Unit.WORK_DAY, True, (21600,), "SELLER", "MON_SAT"),
            "limit.edits": Term(2),
            "back_to_buyer": Term(True),
        },
    )
    assert terms["review.first"].warn_before == (21600,)


def test_terms_answer_for_clocks_limits_and_flags() -> None:
    friday = datetime(2025, 3, 14, 4, tzinfo=UTC)
    work_days: dict[str, Any] = {"unit": "WORK_DAY", "value": 2}
    terms = Book(
        [
            clock(**work_days, calendar="MON_FRI", warn_before=(timedelta(hours=24), timedelta(hours=1))),
            clock("ship_out", **work_days, calendar="MON_SAT"),
            clock("offer.response", end_of_day=True),
            limit(),
            flag(),
        ]
    ).terms(FACTS)

    tuesday = terms.due("review.first", friday, JAKARTA)

    assert tuesday == datetime(2025, 3, 18, 4, tzinfo=UTC)
    assert terms.due("ship_out", friday, JAKARTA) == datetime(2025, 3, 17, 4, tzinfo=UTC)
    assert terms.due("offer.response", friday, JAKARTA) == datetime(2025, 3, 16, 16, 59, 59, tzinfo=UTC)
    assert terms.warnings("review.first", tuesday, after=tuesday - timedelta(hours=24)) == (
        tuesday - timedelta(hours=1),
    )
    assert terms.limit("limit.edits") == 2
    assert terms.flag("back_to_buyer") is False


def test_a_key_is_not_mistaken_for_one_of_another_sort() -> None:
    terms = Book([clock(), limit(), flag()]).terms(FACTS)

    for ask in (
        lambda: terms.due("limit.edits", MARCH, JAKARTA),
        lambda: terms.limit("review.first"),
        lambda: terms.limit("back_to_buyer"),
        lambda: terms.flag("limit.edits"),
    ):
        with pytest.raises(ValueError, match="is not a"):
            ask()
    with pytest.raises(KeyError):
        terms.due("no.such", MARCH, JAKARTA)


def test_equal_terms_have_one_version_and_changed_terms_another() -> None:
    one = Book([clock(value=1, kind="exchange"), clock(), limit()])
    same = Book([limit(), clock(), clock(value=1, kind="exchange")])

    assert one.terms(FACTS) == same.terms(FACTS)
    assert hash(one.terms(FACTS)) == hash(same.terms(FACTS))
    assert one.terms(FACTS).version == "GB@2025+" + one.terms(FACTS).version.partition("+")[2]
    assert one.terms(FACTS).version != one.terms(replace(FACTS, kind="repair")).version


CLOCKS = st.builds(
    Term,
    value=st.integers(1, 1000),
    unit=st.sampled_from(Unit),
    end_of_day=st.booleans(),
    warn_before=st.lists(st.integers(1, 10**6), max_size=3).map(tuple),
    owed_by=st.sampled_from(["", "SELLER", "BUYER|SELLER"]),
    calendar=st.sampled_from(["", "MON_FRI", "MON_SAT"]),
)
TERMS = st.builds(Terms, st.text(), st.dictionaries(st.text(), CLOCKS | st.builds(Term, st.integers() | st.booleans())))


@given(TERMS)
def test_terms_survive_json(terms: Terms) -> None:
    found = Terms.from_json(terms.to_json())

    assert found == terms
    assert all(type(found[key].value) is type(terms[key].value) for key in terms)
    assert found.to_json() == terms.to_json()


def test_terms_as_json_are_short() -> None:
    terms = Terms("GB@1+0", {"b": Term(True), "a": Term(2, Unit.CAL_DAY, owed_by="SELLER")})

    assert terms.to_json() == '{"version":"GB@1+0","terms":{"a":[2,"CAL_DAY","SELLER"],"b":true}}'

"""One policy as a record, and which record holds for a request (section 7.3 of the model)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .money import Money
from .reasons import ReasonClass
from .vocabulary import ShopKind

ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides which records hold for a request.

    Args:
        categories: those of all lines claimed.
        order_value: None: not known, so that no record about the value matches.
        at: when the request was made.
    """

    market: str
    kind: str | None
    shop_kind: ShopKind | None
    reason_class: ReasonClass | None
    categories: frozenset[str]
    order_value: Money | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRecord:
    """One value of one key: a clock, a limit or a flag; where and since when it holds, and who says so.

    Args:
        unit: a clock's `Unit` by name, `COUNT` for a limit, `FLAG` for a flag.
        market: None: every market; likewise `kind`, `shop_kind` and `reason_class`.
        categories: any of these among the lines; empty: whatever they are.
        min_order_value: the order is worth at least this, in this currency.
        calendar: one of `terms.CALENDARS` where the unit is working days, else empty.
        owed_by: the party that must act, as `Party.title` writes it.
        valid_to: the first instant at which it holds no longer; None: open.
        version: of the record, a date as text; the book's is the latest.
        mark: SRC: published; INF: ours; VAR: another market's or another article's.
    """

    key: str
    value: int | bool
    unit: str
    market: str | None = None
    kind: str | None = None
    shop_kind: ShopKind | None = None
    reason_class: ReasonClass | None = None
    categories: frozenset[str] = frozenset()
    min_order_value: Money | None = None
    calendar: str = ""
    warn_before: tuple[timedelta, ...] = ()
    owed_by: str = ""
    pausable: bool = False
    end_of_day: bool = False
    valid_from: datetime = ALWAYS
    valid_to: datetime | None = None
    version: str
    source: str
    mark: str

    @property
    def conditions(self) -> dict[str, str]:
        """What must hold for it to match, in words; the more, the weightier."""
        told = {
            "market": self.market,
            "kind": self.kind,
            "shop_kind": self.shop_kind and self.shop_kind.value,
            "reason_class": self.reason_class and self.reason_class.value,
            "categories": " ".join(sorted(self.categories)),
            "min_order_value": "" if self.min_order_value is None else str(self.min_order_value),
        }
        return {name: value for name, value in told.items() if value}

    @property
    def rank(self) -> tuple[int, datetime]:
        """Most conditions first, then the latest."""
        return len(self.conditions), self.valid_from

    def matches(self, facts: Facts) -> bool:
        return (
            self.market in (None, facts.market)
            and self.kind in (None, facts.kind)
            and self.shop_kind in (None, facts.shop_kind)
            and self.reason_class in (None, facts.reason_class)
            and (not self.categories or not self.categories.isdisjoint(facts.categories))
            and (self.min_order_value is None or is_worth(facts.order_value, self.min_order_value))
            and self.holds(facts.at)
        )

    def holds(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


def choose(records: Iterable[PolicyRecord], key: str, facts: Facts) -> PolicyRecord | None:
    """The record that holds: all its conditions match, and none that matches has more or is later."""
    matching = (record for record in records if record.key == key and record.matches(facts))
    return max(matching, key=lambda record: record.rank, default=None)


def is_worth(value: Money | None, least: Money) -> bool:
    """At least so much, in the same currency; amounts of two currencies do not compare."""
    return value is not None and value.currency == least.currency and value >= least

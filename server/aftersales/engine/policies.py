"""The book of policies, proven when it is made: every request finds one value for every key."""

from bisect import bisect_right
from collections.abc import Iterable

from .clocks import Unit
from .policy_faults import CLOCK_UNITS, by_key, faults, moments
from .policy_record import Facts, PolicyRecord, choose, is_worth
from .terms import Term, Terms, version

__all__ = ["Book", "Facts", "MalformedBook", "PolicyRecord", "choose"]


class MalformedBook(Exception):
    """The policies contradict each other or leave something unsaid; names every fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class Book:
    """The policies of all markets.

    Args:
        markets: markets that must find every key, beside those that a record names.

    Raises:
        MalformedBook: with every fault there is.
    """

    def __init__(self, records: Iterable[PolicyRecord], markets: Iterable[str] = ()) -> None:
        self.records = tuple(records)
        self.markets = frozenset(markets) | {record.market for record in self.records if record.market}
        if found := tuple(faults(self.records, self.markets)):
            raise MalformedBook(found)
        self.keys = frozenset(record.key for record in self.records)
        self.since = min(record.valid_from for record in self.records)
        self.version = max(record.version for record in self.records)
        self._by_key = by_key(self.records)
        self._moments = moments(self.records)
        self._kinds = {record.kind for record in self.records}
        self._reasons = {record.reason_class for record in self.records}
        self._categories = frozenset[str]().union(*(record.categories for record in self.records))
        values = {record.min_order_value for record in self.records}
        self._values = tuple(value for value in values if value is not None)
        self._chosen: dict[object, Terms] = {}

    def terms(self, facts: Facts) -> Terms:
        """The terms of a request with these facts.

        Raises:
            ValueError: the request is older than the book.
        """
        situation = self._situation(facts)
        if situation not in self._chosen:
            self._chosen[situation] = self._choose(facts)
        return self._chosen[situation]

    def _situation(self, facts: Facts) -> object:
        # only what some record asks about, so that a few situations stand for all requests
        return (
            facts.market,
            facts.kind if facts.kind in self._kinds else None,
            facts.shop_kind,
            facts.reason_class if facts.reason_class in self._reasons else None,
            facts.categories & self._categories,
            tuple(is_worth(facts.order_value, least) for least in self._values),
            bisect_right(self._moments, facts.at),
        )

    def _choose(self, facts: Facts) -> Terms:
        if facts.at < self.since:
            raise ValueError(f"the policies begin on {self.since.date()}, after {facts.at.date()}")
        found = {key: choose(records, key, facts) for key, records in self._by_key.items()}
        chosen = {key: _term(record) for key, record in found.items() if record}
        return Terms(version(facts.market, self.version, chosen), chosen)


def _term(record: PolicyRecord) -> Term:
    if record.unit not in CLOCK_UNITS:
        return Term(record.value)
    warns = tuple(int(left.total_seconds()) for left in record.warn_before)
    return Term(record.value, Unit(record.unit), record.end_of_day, warns, record.owed_by, record.calendar)

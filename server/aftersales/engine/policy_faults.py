"""What is wrong with a book of policies, all at once: values that cannot be, contradictions, and gaps."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations, product

from .clocks import Unit
from .policy_record import ALWAYS, Facts, PolicyRecord, choose
from .terms import CALENDARS
from .vocabulary import Party, ShopKind

CLOCK_UNITS = tuple(unit.value for unit in Unit)
MARKS = ("SRC", "INF", "VAR")


def faults(records: Sequence[PolicyRecord], markets: frozenset[str]) -> Iterator[str]:
    """Every fault, in the order of the records and then of the keys."""
    if not records:
        yield "the book is empty"
    own = [list(_own_faults(record)) for record in records]
    for said in own:
        yield from said
    # what a faulty record says cannot be held against its neighbours
    unsound = {record.key for record, said in zip(records, own, strict=True) if said}
    sound = [record for record in records if record.key not in unsound]
    since = min((record.valid_from for record in sound), default=ALWAYS)
    for key, rows in by_key(sound).items():
        if len({_family(row) for row in rows}) > 1:
            yield f"{key}: is a clock here and a limit or a flag there"
        yield from _ties(rows)
        yield from _gaps(rows, markets, sorted({since, *moments(rows)}))


def by_key(records: Iterable[PolicyRecord]) -> dict[str, list[PolicyRecord]]:
    found = defaultdict(list)
    for record in records:
        found[record.key].append(record)
    return dict(found)


def moments(records: Iterable[PolicyRecord]) -> list[datetime]:
    """The instants at which what holds may change, in order."""
    return sorted({at for record in records for at in (record.valid_from, record.valid_to) if at is not None})


def _own_faults(record: PolicyRecord) -> Iterator[str]:
    name = _name(record)
    yield from _value_faults(record, name)
    yield from _validity_faults(record, name)
    if record.mark not in MARKS:
        yield f"{name}: mark {record.mark!r} is not one of {', '.join(MARKS)}"


def _value_faults(record: PolicyRecord, name: str) -> Iterator[str]:
    family = _family(record)
    if family is None:
        yield f"{name}: unit {record.unit!r} is not one of {', '.join(CLOCK_UNITS)}, COUNT, FLAG"
    elif not _value_fits(record):
        yield f"{name}: {record.value!r} is no value in {record.unit}"
    if family == "CLOCK" and not set(record.owed_by.split("|")) <= set(Party.__members__):
        yield f"{name}: owed by {record.owed_by!r}, which is no party"
    if record.calendar not in (CALENDARS if record.unit == Unit.WORK_DAY.value else ("",)):
        yield f"{name}: calendar {record.calendar!r} does not go with {record.unit}"
    if any(left <= timedelta() for left in record.warn_before):
        yield f"{name}: warns when it is too late"


def _validity_faults(record: PolicyRecord, name: str) -> Iterator[str]:
    if any(at is not None and at.tzinfo is None for at in (record.valid_from, record.valid_to)):
        yield f"{name}: valid_from and valid_to need a zone"
    elif record.valid_to is not None and record.valid_to <= record.valid_from:
        yield f"{name}: valid_to is not after valid_from"


def _family(record: PolicyRecord) -> str | None:
    if record.unit in CLOCK_UNITS:
        return "CLOCK"
    return record.unit if record.unit in ("COUNT", "FLAG") else None


def _value_fits(record: PolicyRecord) -> bool:
    if record.unit == "FLAG" or isinstance(record.value, bool):
        return record.unit == "FLAG" and isinstance(record.value, bool)
    return record.value >= 0 if record.unit == "COUNT" else record.value > 0


def _ties(rows: Sequence[PolicyRecord]) -> Iterator[str]:
    """Pairs of equal rank that some request would match both of, with nothing weightier above them."""
    for one, other in combinations(rows, 2):
        shared = _shared(one, other, rows) if one.rank == other.rank else ()
        if any(_wins(one.rank, rows, facts) for facts in shared):
            yield f"{_name(one)} and {_name(other)}: neither is weightier or later"


def _wins(rank: tuple[int, datetime], rows: Sequence[PolicyRecord], facts: Facts) -> bool:
    best = choose(rows, rows[0].key, facts)
    return best is not None and best.rank == rank


def _shared(one: PolicyRecord, other: PolicyRecord, rows: Sequence[PolicyRecord]) -> Iterator[Facts]:
    """The barest facts that match both: what wins there wins wherever both match."""
    values = [least for record in (one, other) if (least := record.min_order_value) is not None]
    bare = Facts(
        market=one.market or other.market or "",
        kind=one.kind or other.kind,
        shop_kind=one.shop_kind or other.shop_kind,
        reason_class=one.reason_class or other.reason_class,
        categories=frozenset(),
        order_value=max(values) if len({least.currency for least in values}) == 1 else None,
        at=one.valid_from,
    )
    for at, *categories in product(moments(rows), one.categories or [""], other.categories or [""]):
        facts = replace(bare, at=at, categories=frozenset(categories))
        if one.matches(facts) and other.matches(facts):
            yield facts


def _gaps(rows: Sequence[PolicyRecord], markets: frozenset[str], ats: Sequence[datetime]) -> Iterator[str]:
    """Where the barest request of a market, of no special reason, category or value, finds nothing."""
    key, kinds = rows[0].key, {row.kind for row in rows}
    # a key that only some kinds have need not be there for the others
    asking = [None] if None in kinds else sorted(kinds, key=str)
    for at in ats:
        lacking = [
            f"{market} {shop_kind.value}"
            for market, kind, shop_kind in product(sorted(markets), asking, ShopKind)
            if choose(rows, key, Facts(market, kind, shop_kind, None, frozenset(), None, at)) is None
        ]
        if lacking:
            since = "" if at == ALWAYS else f"from {at.date()} on "
            yield f"{key}: nothing holds {since}in {', '.join(lacking)}"


def _name(record: PolicyRecord) -> str:
    told = " ".join(f"{name}={value}" for name, value in record.conditions.items())
    return f"{record.key} [{told}] ({record.source})"

"""The chapters that are tables of data: reasons, policies, rights, costs."""

from collections.abc import Iterable, Iterator

from ..engine.common import TAGS
from ..engine.costs import COSTS, NOBODY, Row
from ..engine.kind import Kind
from ..engine.policies import Book, PolicyRecord
from ..engine.process import mutation_name
from ..engine.reasons import Reason, RejectCode
from ..engine.rights import GRANTS, STANDS_FOR, may_see, sees_buyer, sees_seller_side
from ..engine.vocabulary import Party
from .markdown import code, codes, table
from .phrases import conditions, first_line, held, parties, value

Rows = Iterator[tuple[str, ...]]


def reasons(kinds: Iterable[Kind]) -> str:
    kinds = list(kinds)
    known = dict.fromkeys(reason for kind in kinds for reason in kind.reasons.values())
    no = dict.fromkeys(reject for kind in kinds for reject in kind.reject_codes.values())
    tags = TAGS | {handle: label for kind in kinds for handle, label in kind.tags.items()}
    asked = ("Reason", "In words", "Class", "Kinds", "Order is", "Fault", "Show one of", "Words", "Marketplace's name")
    refused = ("Code", "In words", "Review", "Kinds", "Order is", "Show one of", "Of a protected change of mind")
    return "\n\n".join(
        (
            "## Reasons",
            "Why a buyer asks (section 8 of the model):",
            table(asked, (_reason(reason, kinds) for reason in known)),
            "Why a seller says no, at first review or once the parcel came back:",
            table(refused, (_reject(reject, kinds) for reject in no)),
            "## Tags",
            table(("Tag", "In words"), ((code(handle), label) for handle, label in tags.items())),
        )
    )


def _reason(reason: Reason, kinds: list[Kind]) -> tuple[str, ...]:
    return (
        code(reason.code), reason.label, reason.kind.value,
        codes(kind.name for kind in kinds if reason in kind.reasons.values()), _values(reason.order_states),
        parties(reason.fault), _values(reason.evidence), "needed" if reason.note else "", code(reason.external),
    )  # fmt: skip


def _reject(reject: RejectCode, kinds: list[Kind]) -> tuple[str, ...]:
    return (
        code(reject.code), reject.label, reject.review.value.lower(),
        codes(kind.name for kind in kinds if reject in kind.reject_codes.values()), _values(reject.order_states),
        _values(reject.evidence), "yes" if reject.for_change_of_mind else "",
    )  # fmt: skip


def _values(of: Iterable[object]) -> str:
    return ", ".join(sorted(getattr(item, "value", str(item)) for item in of))


POLICIES = """
## Policies

Of the rows that match a request when it is made, the one with most conditions holds; among those, the latest. The
request keeps what it was born under. SRC is published; INF is ours, where nothing is; VAR is another market's, or
another article's. A day is exactly 24 hours; a working day keeps the time of day and leaves out weekends and public
holidays of the market.
"""


def policies(book: Book) -> str:
    records = sorted(book.records, key=lambda record: (_sort(record), record.key, len(record.conditions)))
    heads = ("Key", "Value", "Owed by", "Warns before", "Where", "When", "Mark", "Source")
    return "\n\n".join((POLICIES.strip(), table(heads, (_policy(record) for record in records))))


def _sort(record: PolicyRecord) -> int:
    """Clocks, then limits, then flags."""
    return {"COUNT": 1, "FLAG": 2}.get(record.unit, 0)


def _policy(record: PolicyRecord) -> tuple[str, ...]:
    warns = ", ".join(f"{left.total_seconds() / 3600:g} h" for left in record.warn_before)
    owed = ", ".join(record.owed_by.lower().split("|"))
    return code(record.key), value(record), owed, warns, conditions(record), held(record), record.mark, record.source


def rights(kinds: Iterable[Kind]) -> str:
    stands = ", ".join(f"a {app.title.lower()} for a {party.title.lower()}" for app, party in STANDS_FOR.items())
    seen = "\n".join(f"- {first_line(rule)}" for rule in (may_see, sees_buyer, sees_seller_side))
    return "\n\n".join(
        (
            "## Rights",
            f"Who may see what:\n\n{seen}",
            f"Who may do what; {stands}, within its grants. A seller with the grant `*` has all.",
            table(("Mutation", "By", "Grant", "Rules"), _acts(kinds)),
            "Orders are brought in by a partner for its shops, or the platform for all, with the grant `orders.import`;"
            " carriers tell of parcels; whoever else may act may register evidence.",
            table(("Grant", "What it allows"), ((code(grant), allows) for grant, allows in GRANTS.items())),
        )
    )


def _acts(kinds: Iterable[Kind]) -> Rows:
    found: dict[str, tuple[Party, str, list[str]]] = {}
    for kind in kinds:
        found[mutation_name(kind.name, "open")] = (Party.BUYER | Party.PLATFORM, "", ["C1"])
        for row in kind.process.rows:
            if row.personal:
                by, grant, rules = found.get(name := mutation_name(row.owner, row.action), (Party(0), row.grant, []))
                found[name] = (by | row.by, grant, list(dict.fromkeys([*rules, row.rule])))
    for name, (by, grant, rules) in found.items():
        yield code(name), parties(by), code(grant), ", ".join(rules)


COST = """
## Costs

Who pays for the legs of a request, and what else is paid beside the refund. The first row that fits decides; an empty
cell fits whatever is so.
"""


def costs() -> str:
    heads = (
        "Case", "Goods come back", "Goods go out", "Fault", "Reason", "Buyer's own carrier", "Buyer keeps the goods",
        "Back paid by", "Out paid by", "Beside", "Counts in the seller's figures",
    )  # fmt: skip
    return "\n\n".join((COST.strip(), table(heads, (_cost(row) for row in COSTS))))


def _cost(row: Row) -> tuple[str, ...]:
    fault = "nobody's" if row.fault == NOBODY else parties(row.fault)
    extra = row.extra
    beside = f"{extra.kind.value.lower()} by {parties(extra.payer)} to {parties(extra.to)}" if extra else ""
    return (
        row.case, _yes_or_no(row.returns), _yes_or_no(row.outbound), fault, row.reason.value if row.reason else "",
        _yes_or_no(row.self_arranged), _yes_or_no(row.keeps_goods), parties(row.pays_return),
        parties(row.pays_outbound), beside, "yes" if row.metrics else "no",
    )  # fmt: skip


def _yes_or_no(wanted: bool | None) -> str:
    return {None: "", True: "yes", False: "no"}[wanted]

"""The chapters that are tables of data: reasons, policies, rights, costs."""

from collections.abc import Iterable, Iterator
from typing import Any

from ..engine.appeal import GROUNDS, NEVER, REASONS_TO_APPEAL
from ..engine.common import TAGS
from ..engine.costs import COSTS, NOBODY, Row
from ..engine.kind import Kind
from ..engine.machines import MACHINES
from ..engine.offers import OfferRule
from ..engine.policies import Book, PolicyRecord
from ..engine.process import Process, mutation_name
from ..engine.reasons import Reason, RejectCode
from ..engine.rights import GRANTS, STANDS_FOR, may_see, sees_buyer, sees_seller_side
from ..engine.seller_refund import REASONS_TO_REFUND, RefundReason
from ..engine.vocabulary import OfferKind, Party
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
            "Why a seller refunds unasked:",
            table(("Reason", "In words", "Words"), (_refund(reason) for reason in REASONS_TO_REFUND.values())),
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


def _refund(reason: RefundReason) -> tuple[str, ...]:
    return code(reason.code), reason.label, "needed" if reason.note else ""


def _values(of: Iterable[object]) -> str:
    return ", ".join(sorted(getattr(item, "value", str(item)) for item in of))


def appeals() -> str:
    """What opens an appeal, and what must be shown with it."""
    grounds = (
        (code(ground.code), ground.label, code(ground.after), codes(ground.reasons)) for ground in GROUNDS.values()
    )
    reasons = (
        (code(reason.code), reason.label, "; ".join(" or ".join(sorted(_names(needed))) for needed in reason.needs))
        for reason in REASONS_TO_APPEAL.values()
    )
    never = ", ".join(sorted(by.value for by in NEVER))
    return "\n\n".join(
        (
            "Why an appeal is possible (6.1); which reasons go with which ground is ours:",
            table(("Ground", "In words", "From", "The seller may say"), grounds),
            f"Never: approved by {never}; refunded without return; once the parcel was confirmed. Silence at review or"
            " inspection only where the flags `appeal.on_…` allow it, as `platform_approved_refund`.",
            "What must be shown with each reason, one of each (6.3), beside a statement in words:",
            table(("Reason", "In words", "Show"), reasons),
        )
    )


def _names(of: Iterable[Any]) -> list[str]:
    return [item.value for item in of]


OFFERS = """
## Offers

What a seller may propose instead of what was asked (section 9), once for each request. What is better for the buyer is
accepted at once (C5a); the rest waits a day for the buyer. An offer of goods makes the request one of the kind named
in the head of its column, if that is installed and the market has it.
"""


def offers(kinds: Iterable[Kind]) -> str:
    kinds = list(kinds)
    becomes = {kind.offered_as: kind.name for kind in kinds if kind.offered_as}
    heads = [f"`{offer.value}`" + (f" → `{becomes[offer]}`" if offer in becomes else "") for offer in OfferKind]
    return "\n\n".join((OFFERS.strip(), table(("Asked for", *heads), (_offered(kind) for kind in kinds))))


def _offered(kind: Kind) -> tuple[str, ...]:
    rules = {rule.offer: rule for rule in kind.offers}
    return (code(kind.name), *(_cell(rules.get(offer)) for offer in OfferKind))


def _cell(rule: OfferRule | None) -> str:
    if rule is None:
        return ""
    reasons = f" for {', '.join(sorted(_names(rule.reasons)))}" if rule.reasons else ""
    flag = f" where {code(rule.flag)}" if rule.flag else ""
    return ("at once" if rule.better else "if the buyer accepts") + reasons + flag


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
            "`sellerRefundCreate` is the seller's, with the grant `refund`; `shopRuleSave`, `shopRuleRemove`,"
            " `shopRules` and `shopRulePreview` the seller's own, with `settings`, and no partner's.",
            "Orders are brought in by a partner for its shops, or the platform for all, with the grant `orders.import`;"
            " carriers tell of parcels; whoever else may act may register evidence.",
            table(("Grant", "What it allows"), ((code(grant), allows) for grant, allows in GRANTS.items())),
        )
    )


def _acts(kinds: Iterable[Kind]) -> Rows:
    found: dict[str, tuple[Party, str, list[str]]] = {}
    for kind in kinds:
        found[mutation_name(kind.name, "open")] = (Party.BUYER | Party.PLATFORM, "", ["C1"])
        _gather(kind.process, found)
    for machine in MACHINES.values():
        _gather(machine.process, found)
    for name, (by, grant, rules) in found.items():
        yield code(name), parties(by), code(grant), ", ".join(rules)


def _gather(process: Process, found: dict[str, tuple[Party, str, list[str]]]) -> None:
    for row in process.rows:
        if row.personal:
            by, grant, rules = found.get(name := mutation_name(row.owner, row.action), (Party(0), row.grant, []))
            found[name] = (by | row.by, grant, list(dict.fromkeys([*rules, row.rule])))


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

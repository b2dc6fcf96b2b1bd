"""Every English text that the server says to people, collected from the tables and from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from aftersales.engine.appeal import APPEAL, GROUNDS, REASONS_TO_APPEAL
from aftersales.engine.cases import APPEAL_STAGES, DISPUTE_STAGES
from aftersales.engine.common import COMMON, TAGS
from aftersales.engine.dispute import DISPUTE
from aftersales.engine.legs import back, out
from aftersales.engine.offers import OfferRule, after_receiving, offers
from aftersales.engine.reasons import REASONS, REJECT_CODES
from aftersales.engine.seller_refund import REASONS_TO_REFUND
from aftersales.engine.speedy import speedy_refund
from aftersales.engine.stages import AWAITING_SELLER_SHIP, CLOSED, CORE_STAGES, REFUNDING
from aftersales.engine.vocabulary import EvidenceKind, OfferKind, Party
from aftersales.graphql.types import CLOCK_LABELS
from aftersales.request_type import RequestType

# What leads to a problem, and which of its arguments is the message.
MESSAGE = {"Problem": 1, "Fault": 0, "say": 0, "wrong": 1, "_wrong": 1, "_no": 1, "_against": 1, "unread": 1}


class Labelled(Protocol):
    @property
    def label(self) -> str: ...


def of_the_core() -> set[str]:
    """Labels, and the words that messages are filled with."""
    journeys = (*back(accepted=REFUNDING), *back(accepted=AWAITING_SELLER_SHIP, unreceived=CLOSED), *out())
    offered = (*offers((OfferRule(OfferKind.FULL_REFUND),)), *after_receiving())
    rows = (*COMMON, *journeys, *speedy_refund(), *offered, *DISPUTE.rows, *APPEAL.rows)
    stages = (*CORE_STAGES, *DISPUTE_STAGES.values(), *APPEAL_STAGES.values())
    reasons: tuple[Labelled, ...] = (*REASONS.values(), *REJECT_CODES.values(), *REASONS_TO_REFUND.values())
    appeals: tuple[Labelled, ...] = (*REASONS_TO_APPEAL.values(), *GROUNDS.values())
    labelled: tuple[Labelled, ...] = (*stages, *reasons, *appeals, *rows)
    labels = {*(thing.label for thing in labelled), *TAGS.values(), *CLOCK_LABELS.values()} - {""}
    parties = {party.title.lower() for party in Party}
    kinds = {kind.value.lower().replace("_", " ") for kind in EvidenceKind}
    return labels | parties | kinds | {"or", "carrier", "tracking"}


def of_a_plugin(type: RequestType) -> set[str]:
    """What is its own: the labels of its rows, stages, reasons and tags that the core does not know."""
    process = type.kind().process
    own = [row.label for row in process.rows if row.owner == type.name]
    named: tuple[Labelled, ...] = (
        *process.stages.values(),
        *type.reasons.values(),
        *type.reject_codes.values(),
    )
    labels = {type.label, *own, *(thing.label for thing in named), *type.tags.values()}
    return labels - of_the_core() - {""}


def in_source(folder: Path) -> set[str]:
    """The messages of problems."""
    return {text for call, where in _calls(folder) for text in _texts(call, where)}


def unreadable(folder: Path) -> list[str]:
    """Calls whose message cannot be collected, because it is made as it is said."""
    return [
        ast.unparse(call)
        for call, where in _calls(folder)
        if not _texts(call, where) and not _passed_on(_message(call))
    ]


def _calls(folder: Path) -> Iterator[tuple[ast.Call, ast.Module]]:
    # but for the people of the demo, who only talk among themselves
    for path in sorted(set(folder.rglob("*.py")) - set(folder.glob("demo/*.py"))):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) in MESSAGE:
                yield node, tree


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def _message(call: ast.Call) -> ast.expr | None:
    place = MESSAGE[_called(call)]
    named = [word.value for word in call.keywords if word.arg == "message"]
    return named[0] if named else call.args[place] if len(call.args) > place else None


def _texts(call: ast.Call, where: ast.Module) -> list[str]:
    """The message as it stands there, or as a constant of the module has it."""
    match _message(call):
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=ast.Constant(value=str(yes)), orelse=ast.Constant(value=str(no))):
            return [yes, no]
        case ast.Name(id=name):
            return [
                str(node.value.value)
                for node in where.body
                if isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and [getattr(target, "id", "") for target in node.targets] == [name]
            ]
    return []


def _passed_on(message: ast.expr | None) -> bool:
    """`message` or `something.message`: was said by another of the functions above."""
    return getattr(message, "id", getattr(message, "attr", "")) == "message"

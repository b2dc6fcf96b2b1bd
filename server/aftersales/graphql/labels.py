"""Handles with their labels: open vocabularies that a board may show without knowing them."""

from __future__ import annotations

import strawberry

from ..engine import reasons as catalogue
from ..engine.appeal import GROUNDS, AppealReason
from ..engine.common import TAGS
from ..engine.reasons import Reason as EngineReason
from ..engine.reasons import RejectCode
from ..engine.seller_refund import REASONS_TO_REFUND
from ..engine.stages import CORE_STAGES
from ..engine.vocabulary import Stage as EngineStage
from ..engine.vocabulary import Status
from .context import Context
from .enums import PartyName, party

# Each object is made once per operation and word: a page of fifty rows shares a handful of them.


@strawberry.type(description="A kind of request, and the plugin it comes from.")
class RequestKind:
    handle: str = strawberry.field(description="Stable: refund_only, return_refund …")
    label: str = strawberry.field(description="In the caller's language.")
    plugin: str = strawberry.field(description="Who brings it; empty when no longer installed.")
    plugin_version: str = strawberry.field(description="The one that is installed.")


@strawberry.type(description="Where a request stands, finer than its status; owned by the kind.")
class Stage:
    handle: str = strawberry.field(description="Stable: pending_review, awaiting_buyer_ship …")
    label: str = strawberry.field(description="In the caller's language.")
    status: Status = strawberry.field(description="The one status it belongs to.")
    final: bool = strawberry.field(description="Whether the request has ended here.")


@strawberry.type(description="Why somebody asks or refuses. A retired one is still shown, no longer taken.")
class Reason:
    handle: str = strawberry.field(description="Stable: not_received, pkg_not_ours …")
    label: str = strawberry.field(description="In the caller's language.")
    retired: bool = strawberry.field(description="Whether it is no longer taken.")
    fault_of: PartyName | None = strawberry.field(description="Whose fault it is until shown otherwise.")
    evidence_required: bool = strawberry.field(description="Whether something must be shown with it.")


@strawberry.type(description="A mark on a request.")
class Tag:
    handle: str = strawberry.field(description="Stable: auto_approved, refund_stuck …")
    label: str = strawberry.field(description="In the caller's language.")


def kind(context: Context, name: str) -> RequestKind:
    if (known := context.cache.get(("kind", name))) is None:
        registry = context.desk.registry
        type, plugin = registry.types.get(name), registry.plugin_of(name)
        known = context.cache["kind", name] = RequestKind(
            handle=name,
            label=context.words(type.label) if type else name,
            plugin=plugin.name if plugin else "",
            plugin_version=plugin.version if plugin else "",
        )
    return known


def stage(context: Context, of: EngineStage) -> Stage:
    if (known := context.cache.get(("stage", of.name))) is None:
        known = context.cache["stage", of.name] = Stage(
            handle=of.name, label=context.words(of.label), status=of.status, final=of.final
        )
    return known


def stage_named(context: Context, of_kind: str, name: str | None) -> Stage | None:
    """A stage out of the log; what no installed plugin knows is shown by its handle."""
    if not name:
        return None
    found = context.desk.registry.stage_of(of_kind, name) or CORE.get(name)
    return stage(context, found or EngineStage(name, Status.IN_PROGRESS, name))


def reason(context: Context, of_kind: str, code: str) -> Reason:
    if (known := context.cache.get(("reason", of_kind, code))) is None:
        installed = context.desk.registry.kinds.get(of_kind)
        found = (installed.reasons.get(code) if installed else None) or catalogue.REASONS.get(code)
        known = context.cache["reason", of_kind, code] = (
            buyer_reason(context, found)
            if found
            else Reason(handle=code, label=code, retired=True, fault_of=None, evidence_required=False)
        )
    return known


def buyer_reason(context: Context, of: EngineReason) -> Reason:
    return Reason(
        handle=of.code, label=context.words(of.label), retired=of.retired, fault_of=party(of.fault),
        evidence_required=bool(of.evidence),
    )  # fmt: skip


def reject_reason(context: Context, of: RejectCode) -> Reason:
    return Reason(
        handle=of.code, label=context.words(of.label), retired=False, fault_of=None, evidence_required=bool(of.evidence)
    )


def appeal_reason(context: Context, of: AppealReason) -> Reason:
    return Reason(
        handle=of.code, label=context.words(of.label), retired=False, fault_of=None, evidence_required=bool(of.needs)
    )


def ground(context: Context, code: str) -> Reason:
    """Why an appeal is possible at all."""
    known = GROUNDS.get(code)
    label = context.words(known.label) if known else code
    return Reason(handle=code, label=label, retired=known is None, fault_of=None, evidence_required=False)


def refund_reason(context: Context, code: str) -> Reason:
    """Why a seller refunded unasked."""
    known = REASONS_TO_REFUND.get(code)
    label = context.words(known.label) if known else code
    return Reason(handle=code, label=label, retired=known is None, fault_of=None, evidence_required=False)


def tag(context: Context, handle: str) -> Tag:
    if (known := context.cache.get(("tag", handle))) is None:
        labels = [TAGS, *(kind.tags for kind in context.desk.registry.kinds.values())]
        label = next((table[handle] for table in labels if handle in table), handle)
        known = context.cache["tag", handle] = Tag(handle=handle, label=context.words(label))
    return known


CORE = {stage.name: stage for stage in CORE_STAGES}

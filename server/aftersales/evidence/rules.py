"""Which files may be named, locked and superseded (G_EVIDENCE). Facts in, problems out."""

from collections.abc import Container, Iterator, Sequence
from datetime import timedelta

from ..engine.refusal import Problem
from ..engine.vocabulary import Actor, EvidenceKind
from ..store.files import StoredEvidence

# Of one caller, in this time: files that are uploaded or may be, and that no request names.
MOST_UNUSED = 50
UNUSED_FOR = timedelta(days=30)


def unusable(files: Sequence[StoredEvidence | None], actor: Actor, kept: Container[str] = ()) -> Iterator[Problem]:
    """Why the actor cannot name these: each must be one's own, here, in no request yet, and the latest of its line.

    Args:
        files: as they were named; None for what is not there.
        kept: by id, what the request had before it is made anew.
    """
    named = [item if item is None or item.owner_id is None or item.evidence.id in kept else None for item in files]
    return unlockable(named, actor, kept)


def unlockable(files: Sequence[StoredEvidence | None], actor: Actor, kept: Container[str] = ()) -> Iterator[Problem]:
    """Why the actor cannot lock these; one that is locked may be locked again."""
    heirs: dict[str, str] = {}
    for index, item in enumerate(files):
        field = f"evidenceIds.{index}"
        if item is not None and item.evidence.id in kept:
            continue
        if item is None or item.evidence.uploaded_by != actor.id:
            yield missing(field)
            continue
        yield from unfinished(item, field)
        # two that would take the same place, named at once
        if item.supersedes_id and (heir := heirs.setdefault(item.supersedes_id, item.evidence.id)) != item.evidence.id:
            yield superseded(heir, field)


def unfinished(item: StoredEvidence, field: str) -> Iterator[Problem]:
    if not item.here:
        yield Problem(
            "EVIDENCE_REQUIRED", "Upload the file first: its content is not here yet.", field, guard="G_EVIDENCE"
        )
    if other := item.superseded_by_id or item.rival_id:
        yield superseded(other, field)


def unsupersedable(item: StoredEvidence | None, actor: Actor, kind: EvidenceKind, field: str) -> Iterator[Problem]:
    """Why a new file of this kind cannot take the place of another: only of one's own, like for like, and once."""
    if item is None or item.evidence.uploaded_by != actor.id:
        yield missing(field)
        return
    if item.evidence.kind is not kind:
        yield Problem(
            "INVALID_INPUT", "Supersede a file by another of the same kind: {kind}.", "kind", guard="G_EVIDENCE",
            kind=item.evidence.kind.value.lower().replace("_", " "),
        )  # fmt: skip
    if item.superseded_by_id:
        yield superseded(item.superseded_by_id, field)


def missing(field: str) -> Problem:
    return Problem("NOT_FOUND", "There is no such evidence of yours to use.", field, guard="G_EVIDENCE")


def superseded(by: str, field: str) -> Problem:
    return Problem(
        "INELIGIBLE", "Another file has taken its place: use {latest}.", field, guard="G_EVIDENCE", latest=by
    )


def too_many() -> Problem:
    return Problem(
        "LIMIT_REACHED", "You have {most} uploaded files that no request names. Use those first.",
        guard="G_EVIDENCE", most=MOST_UNUSED,
    )  # fmt: skip

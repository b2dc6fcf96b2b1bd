"""Files that we keep: staged with a one-time address to upload to, then submitted, from when on nothing changes."""

from __future__ import annotations

from datetime import datetime

import strawberry

from ..engine import refusal
from ..engine.permissions import may
from ..engine.refusal import Refused
from ..engine.vocabulary import Evidence, EvidenceKind
from ..evidence.rules import MOST_UNUSED, UNUSED_FOR, too_many, unlockable, unsupersedable
from ..store.conflicts import KeyTaken
from ..store.files import StoredEvidence
from ..store.keys import Key
from . import types
from .context import Context, Info
from .evidence import id_under, said, unfit_file
from .inputs import MutationInput, unfit
from .keys import at_most, key_of, reused
from .problems import Problem, told
from .scalars import URL

MOST_AT_ONCE = 100


@strawberry.input(description="A file that is about to be uploaded to this server: what it is, before it comes.")
class EvidenceStageInput(MutationInput):
    kind: EvidenceKind = strawberry.field(description="What sort of file it is.")
    media_type: str = strawberry.field(description="For example image/jpeg or application/pdf, as fits the kind.")
    bytes: int = strawberry.field(description="Its size; the upload must have exactly this.")
    sha256: str = strawberry.field(description="Of the whole file, 64 hexadecimal digits; the upload is held to it.")
    note: str | None = strawberry.field(default=None, description="A word with it, at most 500 characters.")
    supersedes: strawberry.ID | None = strawberry.field(
        default=None,
        description="A file of yours of the same kind whose place it takes once submitted. That one stays to be seen.",
    )


@strawberry.type(description="A header to send with the upload.")
class EvidenceUploadHeader:
    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(description="Where and how to upload the file: the address is the right, and needs no token.")
class EvidenceUpload:
    url: URL = strawberry.field(description="Good for this one file, until `expiresAt`.")
    method: str = strawberry.field(description="PUT: the body is the file, and nothing else.")
    headers: list[EvidenceUploadHeader] = strawberry.field(description="To be sent with it.")
    expires_at: datetime = strawberry.field(
        description="Ask again with the same idempotency key for another address after this."
    )


@strawberry.type(description="The record of the file and where to upload it, or all that is wrong.")
class EvidenceStagePayload:
    evidence: types.Evidence | None = strawberry.field(description="The file, to be named by its id once uploaded.")
    upload: EvidenceUpload | None = strawberry.field(description="Null when the content is here already.")
    problems: list[Problem] = strawberry.field(description="All that is wrong; empty when it was done.")
    replayed: bool = strawberry.field(description="True when this answer was given before for the same key.")


@strawberry.input(description="Files of yours that are final.")
class EvidenceSubmitInput(MutationInput):
    evidence_ids: list[strawberry.ID] = strawberry.field(description="1 to 100 of them, each uploaded or linked.")


@strawberry.type(description="The files as they are now, or all that is wrong.")
class EvidenceSubmitPayload:
    evidence: list[types.Evidence] = strawberry.field(description="In the order they were named; empty if refused.")
    problems: list[Problem] = strawberry.field(description="All that is wrong; empty when it was done.")
    replayed: bool = strawberry.field(description="True when this answer was given before for the same key.")


@strawberry.type
class UploadMutations:
    @strawberry.mutation(description="Announce a file and get an address to upload it to, on this server.")
    async def evidence_stage(self, info: Info, input: EvidenceStageInput) -> EvidenceStagePayload:
        context = info.context
        try:
            stored, replayed = await staged(context, input, key_of(info, input))
        except Refused as no:
            problems = await told(context, no.problems, None)
            return EvidenceStagePayload(evidence=None, upload=None, problems=problems, replayed=False)
        return EvidenceStagePayload(
            evidence=types.evidence(context, stored), upload=upload(context, stored), problems=[], replayed=replayed
        )

    @strawberry.mutation(
        description="Lock files: from then on none is uploaded anew, and those they supersede give up their place. "
        "Naming a file in `evidenceIds` of any act locks it too."
    )
    async def evidence_submit(self, info: Info, input: EvidenceSubmitInput) -> EvidenceSubmitPayload:
        context = info.context
        try:
            files, replayed = await submitted(context, input, key_of(info, input))
        except Refused as no:
            return EvidenceSubmitPayload(evidence=[], problems=await told(context, no.problems, None), replayed=False)
        shown = [types.evidence(context, item) for item in files]
        return EvidenceSubmitPayload(evidence=shown, problems=[], replayed=replayed)


async def staged(context: Context, input: EvidenceStageInput, key: Key) -> tuple[StoredEvidence, bool]:
    """The record of the file, with time to upload it, and whether it was there before.

    Raises:
        Refused: FORBIDDEN, INVALID_INPUT, NOT_FOUND, INELIGIBLE, LIMIT_REACHED, KEY_REUSED.
    """
    if problems := tuple(may(context.actor, "evidenceStage")) or (*unfit(input), *unfit_file(context, input)):
        raise Refused(problems)
    made, ledger, now = record(context, input, key), context.desk.ledger, context.now
    id, since = made.evidence.id, now - UNUSED_FOR
    earlier = [id, *([made.supersedes_id] if made.supersedes_id else [])]
    there = await ledger.evidence(earlier)
    if (before := there.get(id)) is None:
        if made.supersedes_id and (
            against := tuple(unsupersedable(there.get(made.supersedes_id), context.actor, input.kind, "supersedes"))
        ):
            raise Refused(against)
        fits = await ledger.stage(made, MOST_UNUSED, since)
    elif said(before) == said(made) and context.house.locker.upload_address(before) is None and not before.here:
        until = context.house.locker.upload_until()
        fits = await ledger.renew(before, until, MOST_UNUSED, now, since)
    else:
        fits = True
    if not fits:
        raise Refused([too_many()])
    # read again: of two at once with the same key, one has come first
    stored = (await ledger.evidence([id]))[id]
    if said(stored) != said(made):
        raise Refused([reused(stored.created_at)])
    return stored, before is not None


def record(context: Context, input: EvidenceStageInput, key: Key) -> StoredEvidence:
    actor, id = context.actor, id_under(key)
    return StoredEvidence(
        Evidence(id, input.kind, actor.party, actor.id), "", input.media_type.lower(), input.bytes,
        input.sha256.lower(), context.now, input.note or "",
        # nothing that a caller chose is in the name; two letters of it part the files over folders
        stored_as=f"{id[3:5]}/{id}", upload_until=context.house.locker.upload_until(),
        supersedes_id=str(input.supersedes) if input.supersedes else None,
    )  # fmt: skip


def upload(context: Context, stored: StoredEvidence) -> EvidenceUpload | None:
    path = context.house.locker.upload_address(stored)
    if path is None or stored.upload_until is None:
        return None
    return EvidenceUpload(
        url=URL(context.base + path), method="PUT", expires_at=stored.upload_until,
        headers=[EvidenceUploadHeader(name="Content-Type", value=stored.media_type)],
    )  # fmt: skip


async def submitted(context: Context, input: EvidenceSubmitInput, key: Key) -> tuple[list[StoredEvidence], bool]:
    """The files, locked, and whether they were before under this key.

    Raises:
        Refused: INVALID_INPUT, NOT_FOUND, EVIDENCE_REQUIRED, INELIGIBLE, KEY_REUSED.
    """
    ids = [str(id) for id in input.evidence_ids]
    if problems := (*unfit(input), *at_least_one(ids), *at_most(MOST_AT_ONCE, ids, "evidenceIds")):
        raise Refused(problems)
    ledger = context.desk.ledger
    if not (before := await done_before(context, key)):
        await lock(context, ids, key)
    there = await ledger.evidence(ids)
    return [there[id] for id in dict.fromkeys(ids)], before


def at_least_one(ids: list[str]) -> list[refusal.Problem]:
    if ids:
        return []
    return [refusal.Problem("INVALID_INPUT", "Name at least one file.", "evidenceIds", guard="G_INPUT")]


async def lock(context: Context, ids: list[str], key: Key) -> None:
    actor, ledger = context.actor, context.desk.ledger
    there = await ledger.evidence(ids)
    if problems := tuple(may(actor, "evidenceSubmit")) or tuple(unlockable([there.get(id) for id in ids], actor)):
        raise Refused(problems)
    try:
        if await ledger.submit(list(dict.fromkeys(ids)), actor.id, context.now, key):
            return
    except KeyTaken:
        # another call with the key has come first, and done the same unless it is refused
        await done_before(context, key)
        return
    # something has changed since it was looked at: what, is seen now
    there = await ledger.evidence(ids)
    raise Refused(unlockable([there.get(id) for id in ids], actor))


async def done_before(context: Context, key: Key) -> bool:
    """
    Raises:
        Refused: KEY_REUSED.
    """
    remembered = await context.desk.ledger.remembered(key, context.now - key.lifetime)
    if remembered and remembered.fingerprint != key.fingerprint:
        raise Refused([reused(remembered.created_at)])
    return remembered is not None

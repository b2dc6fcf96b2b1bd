"""Files that lie with the marketplace: known here by address and checksum."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import strawberry

from ..engine import refusal
from ..engine.permissions import may
from ..engine.refusal import Refused
from ..engine.vocabulary import Evidence, EvidenceKind
from ..store.files import StoredEvidence
from ..store.keys import Key
from . import types
from .context import Context, Info
from .inputs import MutationInput, unfit
from .keys import key_of, reused
from .problems import Problem, told
from .scalars import URL

ADDRESS_LIMIT = 2000
NOTE_LIMIT = 500
MEGABYTE = 1024 * 1024

# Nothing that a browser would run: no SVG, no HTML.
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif", "image/avif"})
FILMS = frozenset({"video/mp4", "video/quicktime", "video/webm", "video/3gpp"})
PAPERS = frozenset({"application/pdf"})

# fmt: off
MEDIA_TYPES = {
    EvidenceKind.PHOTO:           PICTURES,
    EvidenceKind.VIDEO:           FILMS,
    EvidenceKind.DOCUMENT:        PAPERS | PICTURES,
    EvidenceKind.CHAT_SCREENSHOT: PICTURES,
    EvidenceKind.AWB:             PAPERS | PICTURES,
}
# fmt: on

_PRINTED = re.compile(r"[!-~]+", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@strawberry.input(
    description="A file that the marketplace keeps. The checksum binds it: what lies there later cannot be another."
)
class EvidenceLinkInput(MutationInput):
    kind: EvidenceKind = strawberry.field(description="What sort of file it is.")
    url: URL = strawberry.field(description="Where it lies, by https.")
    media_type: str = strawberry.field(description="For example image/jpeg or application/pdf, as fits the kind.")
    bytes: int = strawberry.field(description="Its size.")
    sha256: str = strawberry.field(description="Of the whole file, 64 hexadecimal digits.")
    note: str | None = strawberry.field(default=None, description="A word with it, at most 500 characters.")


class Described(Protocol):
    """What is said of a file, wherever it lies."""

    @property
    def kind(self) -> EvidenceKind: ...
    @property
    def media_type(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def note(self) -> str | None: ...


@strawberry.type(description="The record of the file, or all that is wrong.")
class EvidencePayload:
    evidence: types.Evidence | None = strawberry.field(description="The file, to be named by its id.")
    problems: list[Problem] = strawberry.field(description="All that is wrong; empty when it was done.")
    replayed: bool = strawberry.field(description="True when this answer was given before for the same key.")


@strawberry.type
class EvidenceMutations:
    @strawberry.mutation(description="Register a file, to name it in `evidenceIds` afterwards.")
    async def evidence_link(self, info: Info, input: EvidenceLinkInput) -> EvidencePayload:
        context = info.context
        try:
            stored, replayed = await linked(context, input, key_of(info, input))
        except Refused as refused:
            return EvidencePayload(evidence=None, problems=await told(context, refused.problems, None), replayed=False)
        return EvidencePayload(evidence=types.evidence(context, stored), problems=[], replayed=replayed)


async def linked(context: Context, input: EvidenceLinkInput, key: Key) -> tuple[StoredEvidence, bool]:
    """The record of the file, and whether it was there before.

    Raises:
        Refused: FORBIDDEN, INVALID_INPUT, KEY_REUSED.
    """
    if problems := tuple(may(context.actor, "evidenceLink")) or (
        *unfit(input), *unfit_address(input), *unfit_file(context, input),
    ):  # fmt: skip
        raise Refused(problems)
    made, ledger = record(context, input, key), context.desk.ledger
    id = made.evidence.id
    before = (await ledger.evidence([id])).get(id)
    if before is None:
        await ledger.add_evidence(made)
    # read again: of two at once with the same key, one has come first
    stored = (await ledger.evidence([id]))[id]
    if said(stored) != said(made):
        raise Refused([reused(stored.created_at)])
    return stored, before is not None


def record(context: Context, input: EvidenceLinkInput, key: Key) -> StoredEvidence:
    actor = context.actor
    return StoredEvidence(
        Evidence(id_under(key), input.kind, actor.party, actor.id), str(input.url), input.media_type.lower(),
        input.bytes, input.sha256.lower(), context.now, input.note or "",
    )  # fmt: skip


def id_under(key: Key) -> str:
    """The id follows from who says it under which key, so that a retry finds the record it made."""
    name = "\n".join((key.scope, key.key))
    return f"ed_{uuid5(NAMESPACE_URL, name).hex}"


def said(stored: StoredEvidence) -> tuple[object, ...]:
    """What the caller said of the file, as opposed to what became of it since."""
    return (
        stored.evidence, stored.url, stored.media_type, stored.bytes, stored.sha256, stored.note, stored.supersedes_id,
    )  # fmt: skip


def unfit_address(input: EvidenceLinkInput) -> Iterator[refusal.Problem]:
    if not is_address(str(input.url)):
        yield wrong(
            "url", "Give an https address of at most {limit} characters, without name or password.", limit=ADDRESS_LIMIT
        )


def unfit_file(context: Context, input: Described) -> Iterator[refusal.Problem]:
    if input.media_type.lower() not in MEDIA_TYPES[input.kind]:
        allowed = ", ".join(sorted(MEDIA_TYPES[input.kind]))
        yield wrong("mediaType", "Choose one of: {allowed}.", allowed=allowed)
    megabytes = most_megabytes(context)
    if not 1 <= input.bytes <= megabytes * MEGABYTE:
        yield wrong("bytes", "A file has 1 byte to {megabytes} MB.", megabytes=megabytes)
    if not _SHA256.fullmatch(input.sha256.lower()):
        yield wrong("sha256", "Give the SHA-256 of the file as 64 hexadecimal digits.")
    if len(input.note or "") > NOTE_LIMIT:
        yield wrong("note", "Say it in at most {limit} characters.", limit=NOTE_LIMIT)


def is_address(url: str) -> bool:
    if len(url) > ADDRESS_LIMIT or not _PRINTED.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def most_megabytes(context: Context) -> int:
    """The default policy's limit: which request the file is for, and whose policy that brings, is not known yet."""
    key = "limit.evidence_mb"
    limits = [record for record in context.desk.book.records if record.key == key and record.holds(context.now)]
    return max(limits, key=lambda record: (-len(record.conditions), record.valid_from)).value


def wrong(field: str, message: str, **facts: object) -> refusal.Problem:
    return refusal.Problem("INVALID_INPUT", message, field, guard="G_INPUT", **facts)

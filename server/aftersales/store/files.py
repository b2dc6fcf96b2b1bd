"""Evidence: what is known of a file. The file itself lies elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..engine.vocabulary import Evidence
from . import decoding
from .columns import COLUMNS, insert, select
from .database import Database, Row, Statement, padded
from .values import instant, instant_or_none, micros


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """
    Args:
        owner_id: the request it supports; None while it is only staged.
        submitted_at: when it was first shown for a request.
        case_id: the dispute or appeal it was shown in; None: the request itself, or it was not asked for.
    """

    evidence: Evidence
    url: str
    media_type: str
    bytes: int
    sha256: str
    created_at: datetime
    note: str = ""
    owner_id: str | None = None
    submitted_at: datetime | None = None
    case_id: str | None = None

    @property
    def status(self) -> str:
        return "SUBMITTED" if self.submitted_at else "STAGED"


class Files:
    database: Database

    async def add_evidence(self, stored: StoredEvidence) -> None:
        """Stage a file. The same id twice changes nothing."""
        item = stored.evidence
        await self.database.write(
            Statement(
                f"{insert('evidence')} ON CONFLICT (id) DO NOTHING",
                (
                    item.id, None, item.uploaded_by, item.by.title, item.kind.value, "STAGED", stored.url,
                    stored.media_type, stored.bytes, stored.sha256, stored.note, micros(stored.created_at), None,
                    None, None, None, None,
                ),
            )
        )  # fmt: skip

    async def evidence(self, ids: Sequence[str]) -> dict[str, StoredEvidence]:
        if not ids:
            return {}
        asked, args = padded(ids)
        [rows] = await self.database.read(Statement(f"{select('evidence')} WHERE id IN ({asked})", args))
        found = {row[0]: _stored(row) for row in rows}
        return {id: found[id] for id in ids if id in found}

    async def evidence_of(self, request_ids: Sequence[str]) -> dict[str, list[StoredEvidence]]:
        """What each request is supported by, and what was shown in its disputes and its appeal, in that order."""
        asked, args = padded(request_ids)
        columns = ", ".join(f"e.{column}" for column in COLUMNS["evidence"])
        [rows] = await self.database.read(
            Statement(
                f"SELECT l.request_id, l.case_id, {columns} FROM request_evidence l"
                " JOIN evidence e ON e.id = l.evidence_id"
                f" WHERE l.request_id IN ({asked}) ORDER BY l.request_id, l.position",
                args,
            )
        )
        found: dict[str, list[StoredEvidence]] = {id: [] for id in request_ids}
        for request_id, case_id, *row in rows:
            found[request_id].append(replace(_stored(tuple(row)), case_id=case_id))
        return found


def _stored(row: Row) -> StoredEvidence:
    _, owner_id, _, _, _, _, url, media_type, bytes, sha256, note, created_at, submitted_at, *_ = row
    return StoredEvidence(
        decoding.shown(row),
        url,
        media_type,
        bytes,
        sha256,
        instant(created_at),
        note,
        owner_id,
        instant_or_none(submitted_at),
    )

"""Evidence: what is known of a file. Its content lies in `objects`, or with the marketplace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..engine.vocabulary import Evidence
from . import decoding
from .columns import COLUMNS, insert
from .database import Database, Row, Statement, alone, marks, padded
from .keys import Key
from .memory import remembering
from .values import instant, instant_or_none, micros, micros_or_none

# What took a file's place, and what else has taken the place that it would take. Staged files take none yet.
_LINE = (
    ", (SELECT n.id FROM evidence n WHERE n.supersedes_id = e.id AND n.submitted_at IS NOT NULL LIMIT 1)"
    ", (SELECT n.id FROM evidence n WHERE n.supersedes_id = e.supersedes_id AND n.id <> e.id"
    " AND n.submitted_at IS NOT NULL LIMIT 1)"
)
# A file may be shown once its content is here and as long as no other has the place that it would take.
SHOWABLE = (
    "status <> 'ERASED' AND (stored_as IS NULL OR uploaded_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM evidence n"
    " WHERE n.supersedes_id = evidence.supersedes_id AND n.id <> evidence.id AND n.submitted_at IS NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """
    Args:
        owner_id: the request it supports; None while it is only staged.
        submitted_at: when it was locked, by itself or by a request that named it.
        stored_as: where we keep it; None: the marketplace does.
        upload_until: how long its content may still come.
        uploaded_at: when its content had come.
        supersedes_id: the file whose place it takes.
        superseded_by_id: the file that took its place.
        rival_id: another file that has taken the place which this one would take.
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
    stored_as: str | None = None
    upload_until: datetime | None = None
    uploaded_at: datetime | None = None
    supersedes_id: str | None = None
    superseded_by_id: str | None = None
    rival_id: str | None = None

    @property
    def erased(self) -> bool:
        """Whether it went with the personal data of who showed it; that it was shown stays known."""
        return not self.sha256

    @property
    def here(self) -> bool:
        """Whether there is something to look at."""
        return not self.erased and (self.stored_as is None or self.uploaded_at is not None)

    @property
    def status(self) -> str:
        if self.erased:
            return "ERASED"
        return "SUBMITTED" if self.submitted_at else "STAGED"


class Files:
    database: Database

    async def add_evidence(self, stored: StoredEvidence) -> None:
        """Stage a file. The same id twice changes nothing."""
        await self.database.write(Statement(f"{insert('evidence')} ON CONFLICT (id) DO NOTHING", _row(stored)))

    async def stage(self, stored: StoredEvidence, most: int, since: datetime) -> bool:
        """Stage a file that we shall keep, unless its owner has too many that no request names.

        Args:
            since: uploaded files whose time to upload ended before do not count.

        Returns:
            False: too many. The same id twice changes nothing.
        """
        return await self._within(
            most, stored, stored.created_at, since,
            Statement(f"{insert('evidence')} ON CONFLICT (id) DO NOTHING", _row(stored)),
        )  # fmt: skip

    async def renew(self, stored: StoredEvidence, until: datetime, most: int, now: datetime, since: datetime) -> bool:
        """Give more time to upload.

        Returns:
            False: too many, as for `stage`.
        """
        return await self._within(
            most, stored, now, since,
            Statement(
                "UPDATE evidence SET upload_until = CASE WHEN uploaded_at IS NULL THEN ? ELSE upload_until END"
                " WHERE id = ?",
                (micros(until), stored.evidence.id), 1, _TooMany,
            ),
        )  # fmt: skip

    async def _within(
        self, most: int, stored: StoredEvidence, now: datetime, since: datetime, written: Statement
    ) -> bool:
        """Write it, unless its owner has too many beside. Of two who make the last one, one finds that."""
        owner = stored.evidence.uploaded_by
        count, args = _unused(owner, now, since, stored.evidence.id)
        fewer = Statement(f"SELECT 1 WHERE ({count}) < ?", (*args, most), 1, _TooMany)
        try:
            await self.database.write(alone(owner), fewer, written)
        except _TooMany:
            return False
        return True

    async def uploaded(self, id: str, at: datetime) -> bool:
        """Say that the content is here.

        Returns:
            Whether it is news.
        """
        [rows] = await self.database.write(
            Statement("UPDATE evidence SET uploaded_at = ? WHERE id = ? AND uploaded_at IS NULL AND status <> 'ERASED'"
                      " RETURNING id",
                      (micros(at), id))
        )  # fmt: skip
        return bool(rows)

    async def submit(self, ids: Sequence[str], uploaded_by: str, at: datetime, key: Key) -> bool:
        """Lock files, all or none.

        Returns:
            False: one of them cannot be locked any more.

        Raises:
            KeyTaken: the key was used before.
        """
        try:
            await self.database.write(
                remembering(key, ids[0], 0, at),
                Statement(
                    "UPDATE evidence SET status = 'SUBMITTED', submitted_at = COALESCE(submitted_at, ?)"
                    f" WHERE id IN ({marks(len(ids))}) AND uploaded_by = ? AND {SHOWABLE}",
                    (micros(at), *ids, uploaded_by), len(ids), _Unfit,
                ),
            )  # fmt: skip
        except _Unfit:
            return False
        return True

    async def doomed(self, limit: int = 100) -> list[tuple[str, str]]:
        """Files of erased buyers that still lie in our store: id, and where."""
        [rows] = await self.database.read(
            Statement(
                "SELECT id, stored_as FROM evidence WHERE status = 'ERASED' AND stored_as IS NOT NULL LIMIT ?", (limit,)
            )
        )
        return [(id, name) for id, name in rows]

    async def gone(self, id: str) -> None:
        """The content of an erased file is deleted."""
        await self.database.write(
            Statement("UPDATE evidence SET stored_as = NULL WHERE id = ? AND status = 'ERASED'", (id,))
        )

    async def evidence(self, ids: Sequence[str]) -> dict[str, StoredEvidence]:
        if not ids:
            return {}
        asked, args = padded(ids)
        [rows] = await self.database.read(
            Statement(f"SELECT {_COLUMNS}{_LINE}, {_CASE} FROM evidence e WHERE e.id IN ({asked})", args)
        )
        found = {row[0]: _stored(row) for row in rows}
        return {id: found[id] for id in ids if id in found}

    async def evidence_of(self, request_ids: Sequence[str]) -> dict[str, list[StoredEvidence]]:
        """What each request is supported by, and what was shown in its disputes and its appeal, in that order."""
        asked, args = padded(request_ids)
        [rows] = await self.database.read(
            Statement(
                f"SELECT l.request_id, {_COLUMNS}{_LINE}, l.case_id FROM request_evidence l"
                " JOIN evidence e ON e.id = l.evidence_id"
                f" WHERE l.request_id IN ({asked}) ORDER BY l.request_id, l.position",
                args,
            )
        )
        found: dict[str, list[StoredEvidence]] = {id: [] for id in request_ids}
        for request_id, *row in rows:
            found[request_id].append(_stored(tuple(row)))
        return found


class _TooMany(Exception):
    """The owner has as many files as they may; the batch is undone."""


class _Unfit(Exception):
    """A file cannot be locked; the batch is undone."""


_COLUMNS = ", ".join(f"e.{column}" for column in COLUMNS["evidence"])
_CASE = "(SELECT l.case_id FROM request_evidence l WHERE l.request_id = e.owner_id AND l.evidence_id = e.id)"


def _unused(uploaded_by: str, now: datetime, since: datetime, but: str) -> tuple[str, tuple[Any, ...]]:
    """How many files of theirs we keep, or may have to, that no request names."""
    return (
        "SELECT COUNT(*) FROM evidence WHERE uploaded_by = ? AND owner_id IS NULL AND stored_as IS NOT NULL"
        " AND upload_until > CASE WHEN uploaded_at IS NULL THEN ? ELSE ? END AND id <> ?",
        (uploaded_by, micros(now), micros(since), but),
    )


def _row(stored: StoredEvidence) -> tuple[Any, ...]:
    item = stored.evidence
    return (
        item.id, None, item.uploaded_by, item.by.title, item.kind.value, "STAGED", stored.url, stored.media_type,
        stored.bytes, stored.sha256, stored.note, micros(stored.created_at), None, stored.stored_as,
        micros_or_none(stored.upload_until), None, stored.supersedes_id,
    )  # fmt: skip


def _stored(row: Row) -> StoredEvidence:
    (
        _, owner_id, _, _, _, _, url, media_type, bytes, sha256, note, created_at, submitted_at, stored_as,
        upload_until, uploaded_at, supersedes_id, superseded_by_id, rival_id, case_id,
    ) = row  # fmt: skip
    return StoredEvidence(
        decoding.shown(row), url, media_type, bytes, sha256, instant(created_at), note, owner_id,
        instant_or_none(submitted_at), case_id, stored_as, instant_or_none(upload_until),
        instant_or_none(uploaded_at), supersedes_id, superseded_by_id, rival_id,
    )  # fmt: skip

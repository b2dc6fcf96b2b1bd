"""A `Database` that is watched: what each batch took, and what became of it."""

from __future__ import annotations

import logging

from ..watching.watch import Measured, Watch
from .database import Database, Load, OutcomeUnknown, Row, Statement, StoreBusy, StoreClosed, StoreFull

log = logging.getLogger("aftersales.store")

# The first that it is.
OUTCOMES = ((StoreFull, "full"), (StoreBusy, "busy"), (OutcomeUnknown, "unknown"), (StoreClosed, "closed"))


class Watched:
    def __init__(self, database: Database, watch: Watch) -> None:
        self._database = database
        self._watch = watch
        self._full = False
        watch.figures.in_use(lambda: database.load().in_use)
        watch.figures.waiting(lambda: database.load().waiting)

    @property
    def shared(self) -> bool:
        return self._database.shared

    async def read(self, *statements: Statement) -> list[list[Row]]:
        with self._batch("read", len(statements)):
            return await self._database.read(*statements)

    async def write(self, *statements: Statement) -> list[list[Row]]:
        with self._batch("write", len(statements)):
            return await self._database.write(*statements)

    async def scrub(self) -> None:
        await self._database.scrub()

    def load(self) -> Load:
        return self._database.load()

    async def close(self) -> None:
        await self._database.close()

    def _batch(self, call: str, statements: int) -> Measured:
        watch, told = self._watch, self._read if call == "read" else self._written
        if not watch.spans.on:
            return Measured(told)
        # what a statement finds otherwise than was thought is raised, too, and is no fault
        span = watch.spans.span(f"database {call}", {"aftersales.statements": statements}, normal=True)
        return Measured(told, span)

    def _read(self, seconds: float, error: type[BaseException] | None) -> None:
        self._told("read", seconds, error)

    def _written(self, seconds: float, error: type[BaseException] | None) -> None:
        self._told("write", seconds, error)
        full = error is not None and issubclass(error, StoreFull)
        if full and not self._full:
            log.error("the database's disk is full: nothing can be written until there is room")
        elif self._full and error is None:
            log.warning("the database's disk has room again")
        self._full = full or (self._full and error is not None)

    def _told(self, call: str, seconds: float, error: type[BaseException] | None) -> None:
        self._watch.figures.batches(seconds, call)
        if error is not None:
            outcome = next((outcome for kind, outcome in OUTCOMES if issubclass(error, kind)), None)
            if outcome:
                self._watch.figures.failures(call, outcome)

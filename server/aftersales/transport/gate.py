"""The one way in for every door: the same checks and the same limits by HTTP, events and WebSocket."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from time import monotonic
from types import TracebackType
from typing import Any

from graphql import ExecutionResult, FieldNode, GraphQLError, OperationType

from aftersales.graphql.documents import Document
from aftersales.graphql.masking import GraphQLErrors, mistake, passing
from aftersales.graphql.operations import Operations, Prepared
from aftersales.graphql.trusted import NONE, Trusted
from aftersales.store.database import patient
from aftersales.watching.watch import Operation, Watch

from .aside import Aside
from .budget import Balance, Budgets, Connections, Seconds, identity, shown
from .caller import Caller
from .limits import TransportSettings
from .pace import Lanes, Pace
from .params import Params
from .refusal import Turned, busy

log = logging.getLogger("aftersales.gate")

MakeContext = Callable[[Caller], Any]

# Of bytes: the variables of a smaller request take less than a millisecond to check.
LIGHT = 16_000
# Of a server that has drained. Then what is not committed is undone.
SETTLING_SECONDS = 5.0
# What became of an operation, by the worst that its errors say.
OUTCOMES = {
    "INTERNAL": "failed", "OUTCOME_UNKNOWN": "unknown", "BUSY": "busy", "TOO_SLOW": "busy", "TOO_MANY_AT_ONCE": "busy",
}  # fmt: skip
# A stream that has much to tell lets others have the loop now and then.
BREATH = 50


class Places:
    """So many at once; whoever comes when all are taken is told so at once, not queued."""

    def __init__(self, most: int, what: str) -> None:
        self.most = most
        self.what = what
        self.taken = 0

    def __enter__(self) -> None:
        if self.taken >= self.most:
            raise busy(self.what)
        self.taken += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.taken -= 1


class Gate:
    """
    Args:
        trusted: documents that may be asked for by id.
        clock: seconds that only grow, for what refills.
        watch: is told how each operation fared.
    """

    def __init__(
        self,
        operations: Operations,
        make_context: MakeContext,
        settings: TransportSettings,
        trusted: Trusted = NONE,
        clock: Seconds = monotonic,
        watch: Watch | None = None,
    ) -> None:
        self.watch = watch or Watch()
        self.watch.figures.running(lambda: self.places.taken)
        self.watch.figures.streams(lambda: self.streams.taken)
        self.trusted = trusted
        self.operations = operations
        self.make_context = make_context
        self.settings = settings
        self.places = Places(settings.operations, "operations")
        self.streams = Places(settings.streams, "streams")
        self.aside = Aside()
        self.reading: dict[tuple[str, str | None], asyncio.Task[Document]] = {}
        self.pace = Pace()
        self.lanes = Lanes(settings.operations_of_one)
        self.connections = Connections(settings.streams_of_one)
        self.budgets = Budgets(settings, clock)
        self.mutations: set[asyncio.Task[ExecutionResult]] = set()

    async def admit(self, params: Params, caller: Caller) -> Prepared:
        """What shall be run, read and checked. What is new, or large, is read aside and at the caller's expense.

        Raises:
            Turned: 429 or 503, what `Budgets.spend` and `Aside.run` raise.
            GraphQLErrors: what `Trusted.text` and `Operations.prepare` raise; INTROSPECTION_CLOSED and COST_TOO_HIGH.
        """
        text = self.trusted.text(params.query, params.document_id)
        document = self.operations.documents.known(text, params.operation_name)
        if document is None:
            document = await self._read(text, params.operation_name, caller)
        if params.size <= LIGHT:
            prepared = self.operations.coerced(document, params.variables)
        else:
            prepared = await self.aside.run(identity(caller), self.operations.coerced, document, params.variables)
        if prepared.document.introspects and caller.claims is None and not self.settings.strangers_introspect:
            raise mistake("The schema is shown to those who sign in.", "INTROSPECTION_CLOSED")
        if prepared.cost > self.settings.cost:
            raise too_dear(prepared.cost, self.settings.cost)
        return replace(prepared, trusted=True) if text in self.trusted.known else prepared

    async def _read(self, text: str, name: str | None, caller: Caller) -> Document:
        """Once, also for a thousand boards that come back at the same time and ask the same; the first one pays."""
        key = text, name
        if (task := self.reading.get(key)) is None:
            self.budgets.spend(caller, reading_cost(text))
            task = asyncio.create_task(self.aside.run(identity(caller), self.operations.documents.read, text, name))
            self.reading[key] = task
            task.add_done_callback(lambda task: self._have_read(key, task))
        # whoever leaves takes it from nobody else
        return await asyncio.shield(task)

    def _have_read(self, key: tuple[str, str | None], task: asyncio.Task[Document]) -> None:
        del self.reading[key]
        if not task.cancelled() and task.exception() is None:
            self.operations.documents.keep(*key, task.result())

    def charge(self, prepared: Prepared, caller: Caller) -> Balance:
        """Takes what the operation costs, before it reads anything.

        Raises:
            Turned: 429 BUDGET_SPENT.
        """
        return self.budgets.spend(caller, prepared.cost)

    async def answer(self, prepared: Prepared, caller: Caller, balance: Balance) -> ExecutionResult:
        """Runs a query or a mutation, and says in its extensions what it cost.

        A mutation that has begun is seen to its end even when its caller leaves or the time runs out:
        half of the path is worse than an answer nobody hears. It has a later end of its own.

        Raises:
            Turned: 503 BUSY, TOO_SLOW or OUTCOME_UNKNOWN; 429 TOO_MANY_AT_ONCE.
        """
        with self._watched(prepared) as operation:
            try:
                result = await self._answer(prepared, caller)
            except Turned as no:
                operation.outcome = outcome(operation, [no.error])
                raise
            operation.outcome = outcome(operation, result.errors or ())
        if result.errors:
            self.erred(result.errors)
        result.extensions = {**(result.extensions or {}), **shown(balance)}
        return result

    async def _answer(self, prepared: Prepared, caller: Caller) -> ExecutionResult:
        begun = False
        try:
            async with (
                asyncio.timeout(self.settings.operation_seconds),
                self.lanes.one(identity(caller), prepared.cost),
            ):
                if prepared.kind is OperationType.MUTATION:
                    begun = True
                    return await asyncio.shield(self._begun(prepared, caller))
                return await self._whole(prepared, caller)
        except TimeoutError:
            raise unknown_outcome() if begun else too_slow(self.settings) from None

    async def follow(
        self, prepared: Prepared, caller: Caller, balance: Balance
    ) -> AsyncGenerator[ExecutionResult, None]:
        """The answers to a subscription; of a query or a mutation the only one.

        Raises:
            GraphQLErrors: when the source of the events fails, or the database has no time for one of them: who comes
                again with the last cursor misses nothing.
            Turned: as `answer`.
        """
        if prepared.kind is not OperationType.SUBSCRIPTION:
            yield await self.answer(prepared, caller, balance)
            return
        await self.pace.turn(identity(caller))
        with self._watched(prepared) as operation:
            results = await self.operations.subscribe(prepared, self.make_context(caller))
            errors = (results.errors or ()) if isinstance(results, ExecutionResult) else ()
            operation.outcome = outcome(operation, errors)
        if isinstance(results, ExecutionResult):
            raise GraphQLErrors(results.errors or ())
        count = 0
        async with aclosing(results):
            while True:
                with patient(self.settings.database_seconds):
                    result = await anext(results, None)
                if result is None:
                    return
                if result.errors and any(map(passing, result.errors)):
                    raise GraphQLErrors(result.errors)
                yield result
                count += 1
                if count % BREATH == 0:
                    await asyncio.sleep(0)

    def erred(self, errors: Iterable[GraphQLError]) -> None:
        """They are told to a caller."""
        self.watch.erred((error.extensions or {}).get("code") for error in errors)

    def _watched(self, prepared: Prepared) -> Operation:
        named = prepared.document.operation.name if prepared.trusted else None
        # names of the schema, not of the caller; looked up for those only who collect traces
        about = {"graphql.root_fields": root_fields(prepared.document)} if self.watch.spans.on else {}
        return self.watch.operation(prepared.kind.value, named.value if named else "", about)

    async def settle(self) -> None:
        """Waits, not for long, for the mutations that were left running; called once no more can come."""
        if self.mutations:
            await asyncio.wait(self.mutations, timeout=min(SETTLING_SECONDS, self.settings.drain_seconds))
        self.aside.close()

    async def _whole(self, prepared: Prepared, caller: Caller) -> ExecutionResult:
        if prepared.document.introspects:
            return await self.aside.run(identity(caller), self.operations.introspect, prepared)
        with self.places, patient(self.settings.database_seconds):
            return await self.operations.execute(prepared, self.make_context(caller))

    def _begun(self, prepared: Prepared, caller: Caller) -> asyncio.Task[ExecutionResult]:
        task = asyncio.create_task(self._to_its_end(prepared, caller))
        self.mutations.add(task)
        task.add_done_callback(self.mutations.discard)
        return task

    async def _to_its_end(self, prepared: Prepared, caller: Caller) -> ExecutionResult:
        """Not for ever: what is not committed by then is undone."""
        try:
            async with asyncio.timeout(self.settings.mutation_seconds):
                return await self._whole(prepared, caller)
        except TimeoutError:
            log.error("a mutation that nobody waits for any more was ended")
            return ExecutionResult(None, [unknown_outcome().error])


def outcome(operation: Operation, errors: Iterable[GraphQLError]) -> str:
    codes = {(error.extensions or {}).get("code") for error in errors}
    for code, known in OUTCOMES.items():
        if code in codes:
            return known
    return "errors" if codes else "problems" if operation.problems else "done"


def root_fields(document: Document) -> tuple[str, ...]:
    chosen = document.operation.selection_set.selections
    return tuple(each.name.value for each in chosen if isinstance(each, FieldNode))


def reading_cost(text: str) -> int:
    """Of a document that was not asked for lately, in points. A token costs us a twentieth of a millisecond."""
    return len(text) // 20


def too_dear(cost: int, most: int) -> GraphQLErrors:
    message = (
        f"This costs {cost} points, and one operation may cost {most}. Ask for smaller pages, or for less of each."
    )
    return mistake(message, "COST_TOO_HIGH", cost={"requested": cost, "maximum": most})


def too_slow(settings: TransportSettings) -> Turned:
    message = f"No answer within {settings.operation_seconds:g} seconds. Ask for less at once."
    return Turned(503, "TOO_SLOW", message)


def unknown_outcome() -> Turned:
    message = "The outcome is unknown. Send the same again with the same idempotencyKey to learn it."
    return Turned(503, "OUTCOME_UNKNOWN", message)

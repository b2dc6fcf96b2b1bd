"""The one way in for every door: the same checks and the same limits by HTTP, events and WebSocket."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any

from graphql import ExecutionResult, OperationType

from aftersales.graphql.masking import GraphQLErrors, mistake
from aftersales.graphql.operations import Operations, Prepared

from .caller import Caller
from .limits import TransportSettings
from .params import Params
from .refusal import Turned, busy

MakeContext = Callable[[Caller], Any]

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
    def __init__(self, operations: Operations, make_context: MakeContext, settings: TransportSettings) -> None:
        self.operations = operations
        self.make_context = make_context
        self.settings = settings
        self.places = Places(settings.operations, "operations")
        self.streams = Places(settings.streams, "streams")
        self.mutations: set[asyncio.Task[ExecutionResult]] = set()

    def admit(self, params: Params, caller: Caller) -> Prepared:
        """
        Raises:
            GraphQLErrors: what `Operations.prepare` raises, and INTROSPECTION_CLOSED.
        """
        prepared = self.operations.prepare(params.query, params.operation_name, params.variables)
        if prepared.document.introspects and caller.claims is None and not self.settings.strangers_introspect:
            raise mistake("The schema is shown to those who sign in.", "INTROSPECTION_CLOSED")
        return prepared

    async def answer(self, prepared: Prepared, caller: Caller) -> ExecutionResult:
        """Runs a query or a mutation.

        A mutation that has begun is seen to its end even when its caller leaves or the time runs out:
        half of the path is worse than an answer nobody hears.

        Raises:
            Turned: 503 BUSY, TOO_SLOW or OUTCOME_UNKNOWN.
        """
        mutates = prepared.kind is OperationType.MUTATION
        try:
            async with asyncio.timeout(self.settings.operation_seconds):
                if mutates:
                    return await asyncio.shield(self._begun(prepared, caller))
                return await self._whole(prepared, caller)
        except TimeoutError:
            raise unknown_outcome() if mutates else too_slow(self.settings) from None

    async def follow(self, prepared: Prepared, caller: Caller) -> AsyncGenerator[ExecutionResult, None]:
        """The answers to a subscription; of a query or a mutation the only one.

        Raises:
            GraphQLErrors: when the source of the events fails.
            Turned: as `answer`.
        """
        if prepared.kind is not OperationType.SUBSCRIPTION:
            yield await self.answer(prepared, caller)
            return
        results = await self.operations.subscribe(prepared, self.make_context(caller))
        if isinstance(results, ExecutionResult):
            raise GraphQLErrors(results.errors or ())
        count = 0
        async with aclosing(results):
            async for result in results:
                yield result
                count += 1
                if count % BREATH == 0:
                    await asyncio.sleep(0)

    async def settle(self) -> None:
        """Waits for the mutations that were left running; called once no more can come."""
        if self.mutations:
            await asyncio.wait(self.mutations, timeout=self.settings.operation_seconds)

    async def _whole(self, prepared: Prepared, caller: Caller) -> ExecutionResult:
        with self.places:
            return await self.operations.execute(prepared, self.make_context(caller))

    def _begun(self, prepared: Prepared, caller: Caller) -> asyncio.Task[ExecutionResult]:
        task = asyncio.create_task(self._whole(prepared, caller))
        self.mutations.add(task)
        task.add_done_callback(self.mutations.discard)
        return task


def too_slow(settings: TransportSettings) -> Turned:
    message = f"No answer within {settings.operation_seconds:g} seconds. Ask for less at once."
    return Turned(503, "TOO_SLOW", message)


def unknown_outcome() -> Turned:
    message = "The outcome is unknown. Send the same again with the same idempotencyKey to learn it."
    return Turned(503, "OUTCOME_UNKNOWN", message)

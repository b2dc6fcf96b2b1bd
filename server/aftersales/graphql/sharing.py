"""What many hear in the same words is made once: an item of a stream, for all who ask the same with the same rights."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import ExecutionResult, execute_subscription_event

from ..store.database import StoreBusy
from .documents import Document
from .masking import root

if TYPE_CHECKING:
    from graphql import Executor

    from .context import Context

# Answers that are kept for those who come to the same line of the log a moment later.
KEPT = 256


class ToldToMany(ExecutionResult):
    """An answer that several get, and the bytes of it once somebody has written them."""

    __slots__ = ("wire",)
    wire: bytes | None


@dataclass(frozen=True, slots=True)
class Shared:
    """What a stream yields in place of an item that many may hear.

    Args:
        what: which item it is, of how the log is told to whom: the same for all who may get the same answer.
        context: of one of them.
        make: the item, for a context that is nobody's in particular; asked only of the first who comes.
    """

    what: Hashable
    context: Context
    make: Callable[[Context], object]


class Sharing:
    """The answers to the latest items, by document, variables, and what `Shared` says."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, tuple[Document, asyncio.Future[ToldToMany]]] = OrderedDict()

    def answer(self, document: Document, asked: str, executor: Executor[Any]) -> Awaitable[ExecutionResult]:
        """The answer to one item, which is the executor's root value, or is made to be.

        Args:
            asked: the variables that an answer depends on.
        """
        shared = executor.root_value
        if not isinstance(shared, Shared):
            return _alone(executor)
        # the document is kept with its answer, so that no other can come to have its id
        key = id(document), asked, shared.what
        known = self._answers.get(key)
        if known is None:
            executor.context_value = context = shared.context.impersonal()
            executor.root_value = shared.make(context)
            known = document, asyncio.ensure_future(_for_many(executor))
            self._answers[key] = known
            known[1].add_done_callback(lambda told: self._forget_busy(key, told))
            if len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        # whoever leaves in between leaves the work to the others
        return asyncio.shield(known[1])

    def _forget_busy(self, key: Hashable, told: asyncio.Future[ToldToMany]) -> None:
        """Who comes again is not told what is over."""
        errors = [] if told.cancelled() or told.exception() else told.result().errors or []
        if any(isinstance(root(error), StoreBusy) for error in errors):
            self._answers.pop(key, None)


async def _alone(executor: Executor[Any]) -> ExecutionResult:
    result = execute_subscription_event(executor)
    return result if isinstance(result, ExecutionResult) else await result


async def _for_many(executor: Executor[Any]) -> ToldToMany:
    result = await _alone(executor)
    told = ToldToMany(result.data, result.errors, result.extensions)
    told.wire = None
    return told

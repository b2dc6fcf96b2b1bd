"""Runs operations on a strawberry schema: prepared without a context, then executed or followed with one."""

from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import strawberry
from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    OperationType,
    VariableValues,
    create_source_event_stream,
    default_field_resolver,
    default_type_resolver,
    execute_root_selection_set,
    get_variable_values,
    map_source_to_response_event,
)
from strawberry.execution import optimized_is_awaitable

from .documents import Document, DocumentLimits, Documents
from .executor import FastExecutor
from .masking import GraphQLErrors, Say, coded, internal, masked, meant_for_caller
from .sharing import Sharing
from .variables import VariableLimits, check


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that can run: its document is valid and its variables are of their types.

    Args:
        trusted: whether the document was agreed on beforehand.
    """

    document: Document
    variables: VariableValues
    trusted: bool = False

    @property
    def cost(self) -> int:
        """The most that it may cost, in points."""
        return self.document.price.at(self.variables.coerced)

    @property
    def kind(self) -> OperationType:
        return self.document.kind


class Operations:
    """The schema as something to ask.

    Strawberry builds the schema and coerces arguments; the steps between are graphql-core's own, so
    that the limits come before anything costly and no strawberry extension taxes each field.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        documents: DocumentLimits = DocumentLimits(),  # noqa: B008 - frozen
        variables: VariableLimits = VariableLimits(),  # noqa: B008 - frozen
    ) -> None:
        self.schema = schema._schema
        self.executor_class = cast("type[Executor[Any]]", schema.execution_context_class)
        self.documents = Documents(self.schema, documents)
        self.variable_limits = variables
        self.sharing = Sharing()

    def prepare(
        self, query: str, operation_name: str | None = None, variables: Mapping[str, Any] | None = None
    ) -> Prepared:
        """
        Raises:
            GraphQLErrors: what `Documents` raises; VARIABLES_INVALID or VARIABLES_TOO_LARGE.
        """
        return self.coerced(self.documents.document(query, operation_name), variables)

    def coerced(self, document: Document, variables: Mapping[str, Any] | None) -> Prepared:
        """
        Raises:
            GraphQLErrors: VARIABLES_INVALID or VARIABLES_TOO_LARGE.
        """
        return Prepared(document, self._coerced(document, variables or {}))

    def introspect(self, prepared: Prepared) -> ExecutionResult:
        """The answer to an operation that asks about nothing but the schema. May be called in any thread."""
        result = execute_root_selection_set(self._executor(prepared, None))
        assert isinstance(result, ExecutionResult), "no resolver of ours is asked"
        return clean(result)

    async def execute(self, prepared: Prepared, context: Any) -> ExecutionResult:
        """The answer to a query or a mutation, its errors masked. Never raises one."""
        try:
            result = execute_root_selection_set(self._executor(prepared, context))
            answer = result if isinstance(result, ExecutionResult) else await result
            return clean(answer, language(context))
        except Exception as error:
            return ExecutionResult(None, [internal(error)])

    async def subscribe(
        self, prepared: Prepared, context: Any
    ) -> AsyncGenerator[ExecutionResult, None] | ExecutionResult:
        """The answers to a subscription, or one answer with errors when it could not begin.

        Raises:
            GraphQLErrors: from the iterator, when the source of the events failed on its way.
        """
        executor = self._executor(prepared, context)
        source = create_source_event_stream(executor)
        if not isinstance(source, ExecutionResult | AsyncIterable):
            source = await source
        if isinstance(source, ExecutionResult):
            return clean(source, language(context))
        document, variables = prepared.document, prepared.variables.coerced
        asked = repr([(name, variables[name]) for name in sorted(document.items_depend_on & variables.keys())])
        answers = map_source_to_response_event(
            executor, source, lambda event: self.sharing.answer(document, asked, event)
        )
        return cleaned(answers, language(context))

    def _coerced(self, document: Document, variables: Mapping[str, Any]) -> VariableValues:
        definitions = document.operation.variable_definitions
        if not definitions and not variables:
            return VariableValues({}, {})
        check(variables, self.variable_limits)
        values = get_variable_values(
            self.schema, definitions or (), dict(variables), max_errors=20, hide_suggestions=True
        )
        if isinstance(values, list):
            raise coded(values, "VARIABLES_INVALID")
        return values

    def _executor(self, prepared: Prepared, context: Any) -> "Executor[Any]":
        document = prepared.document
        # What `Executor.build` does, less the walk over the document and the second coercion of the
        # variables: both were done when it was prepared.
        executor = self.executor_class(
            self.schema,
            document.fragment_definitions,
            document.fragments,
            None,
            context,
            document.operation,
            prepared.variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type] # it does not say TypeGuard
            hide_suggestions=True,
        )
        if isinstance(executor, FastExecutor):
            executor.plans = document.plans(prepared.variables.coerced)
        return executor


def language(context: Any) -> Say:
    """What puts an English text into the caller's language; English for a context that knows none."""
    return getattr(context, "words", str)


def clean(result: ExecutionResult, say: Say = str) -> ExecutionResult:
    if result.errors:
        result.errors = masked(result.errors, say)
    return result


async def cleaned(
    results: AsyncGenerator[ExecutionResult, None], say: Say = str
) -> AsyncGenerator[ExecutionResult, None]:
    try:
        # closing this closes the source at once, not when the collector comes by
        async with aclosing(results):
            async for result in results:
                yield clean(result, say)
    except GraphQLError as error:
        raise GraphQLErrors(masked([error], say)) from None
    except Exception as error:
        meant = meant_for_caller(error, None, say)
        raise GraphQLErrors([meant or internal(error, what="a subscription")]) from None

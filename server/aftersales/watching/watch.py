"""What the parts of a server are given to tell how they fare: it counts, measures and traces, and decides nothing."""

from __future__ import annotations

import os
from asyncio import CancelledError
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import Token
from importlib.metadata import version
from time import perf_counter
from types import TracebackType

from .figures import Figures
from .handling import Handling, current, handling
from .spans import NOTHING, PLAIN, Attributes, Marks, Off, Spans, spans_by

OTHER = "other"


class Watch:
    """
    Args:
        spans: None for no traces.
        codes: the problem codes that are ours; a plugin's own are counted together.
    """

    def __init__(self, spans: Spans | None = None, codes: Iterable[str] = ()) -> None:
        self.figures = Figures()
        self.spans = spans or Off()
        self.codes = frozenset(codes)

    @classmethod
    def by(cls, codes: Iterable[str], environment: Mapping[str, str] = os.environ) -> Watch:
        """One that sends traces where the standard variables of OpenTelemetry say so."""
        return cls(spans_by(environment, version("aftersales")), codes)

    def operation(self, kind: str, trusted: str = "", attributes: Attributes = PLAIN) -> Operation:
        """
        Args:
            kind: query, mutation or subscription.
            trusted: the operation's name, where it is a trusted document's; names of others are the callers'.
        """
        return Operation(self, kind, trusted, attributes)

    def hook(self, plugin: str, hook: str) -> Measured:
        span = (
            self.spans.span("hook", {"aftersales.plugin": plugin, "aftersales.hook": hook}) if self.spans.on else None
        )
        return Measured(lambda seconds, error: self.figures.hooks(seconds, plugin, hook), span)

    def provider(self, provider: str, call: str) -> Measured:
        """A call beyond this server: `refund` or `stock`, and which of its methods."""
        about = {"aftersales.provider": provider, "aftersales.call": call}
        span = self.spans.span("provider", about, root=True) if self.spans.on else None

        def told(seconds: float, error: type[BaseException] | None) -> None:
            self.figures.providers(seconds, provider, call, "failed" if error else "answered")

        return Measured(told, span)

    def firing(self, clocks: int, key: str = "") -> AbstractContextManager[object]:
        """So many clocks warn or have run out, and what follows is written at once; one alone is told by its key."""
        if not self.spans.on:
            return NOTHING
        about: Attributes = {"aftersales.clocks": clocks, **({"aftersales.clock": key} if key else {})}
        return self.spans.span("clocks", about, root=True)

    def refused(self, codes: Iterable[str]) -> None:
        """Problems are told of to the caller that is being handled."""
        handled = current.get()
        for code in codes:
            self.figures.problems(code if code in self.codes else OTHER)
            if handled:
                handled.problems += 1

    def erred(self, codes: Iterable[object]) -> None:
        """GraphQL errors are told to a caller. What is no code of ours is none of the labels."""
        for code in codes:
            self.figures.errors(code if isinstance(code, str) and code in self.codes else OTHER)

    def close(self) -> None:
        self.spans.close()


class Measured:
    """Times what runs inside it, and is a span of the trace where there is one."""

    __slots__ = ("_began", "_span", "_told")

    def __init__(
        self,
        told: Callable[[float, type[BaseException] | None], None],
        span: AbstractContextManager[object] | None = None,
    ) -> None:
        self._told = told
        self._span = span

    def __enter__(self) -> None:
        if self._span:
            self._span.__enter__()
        self._began = perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._told(perf_counter() - self._began, kind)
        if self._span:
            self._span.__exit__(kind, error, trace)


class Operation:
    """One operation while it runs. Its outcome is said by who runs it; `failed` if nobody did."""

    __slots__ = (
        "_attributes",
        "_began",
        "_handling",
        "_marks",
        "_span",
        "_token",
        "_watch",
        "kind",
        "outcome",
        "trusted",
    )

    def __init__(self, watch: Watch, kind: str, trusted: str, attributes: Attributes) -> None:
        self._watch = watch
        self.kind = kind
        self.trusted = trusted
        self._attributes = attributes
        self.outcome = "failed"

    def __enter__(self) -> Operation:
        self._token: Token[Handling | None] | None = None
        known = current.get()
        if known is None:
            # by no door of HTTP
            known = handling()
            self._token = current.set(known)
        self._handling = known
        self._span = self._begun() if self._watch.spans.on else None
        self._marks: Marks | None = self._span.__enter__() if self._span else None
        self._began = perf_counter()
        return self

    @property
    def problems(self) -> bool:
        """Whether some were told of."""
        return self._handling.problems > 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = perf_counter() - self._began
        if kind is not None and issubclass(kind, CancelledError):
            self.outcome = "left"
        self._watch.figures.operations(seconds, self.kind, self.outcome)
        if self.trusted:
            self._watch.figures.trusted(seconds, self.trusted)
        if self._span and self._marks:
            self._marks.mark({"aftersales.outcome": self.outcome}, failed=self.outcome in ("failed", "unknown"))
            self._span.__exit__(kind, error, trace)
        if self._token:
            current.reset(self._token)

    def _begun(self) -> AbstractContextManager[Marks]:
        about: dict[str, str | int | tuple[str, ...]] = {
            "graphql.operation.type": self.kind, "aftersales.request_id": self._handling.request_id, **self._attributes
        }  # fmt: skip
        if self.trusted:
            about["graphql.operation.name"] = self.trusted
        name = f"{self.kind} {self.trusted}" if self.trusted else self.kind
        return self._watch.spans.span(name, about, root=True, normal=True)

"""Spans by OpenTelemetry's SDK, sent as OTLP over HTTP. Nothing else imports these libraries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .handling import Handling, current
from .spans import NOTHING, PLAIN, Attributes, Marks

PROPAGATOR = TraceContextTextMapPropagator()


class Traces:
    on = True

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("aftersales")

    @classmethod
    def by(cls, environment: Mapping[str, str], version: str) -> Traces:
        """The exporter, its limits and the sampler read the standard variables by themselves."""
        about = {"service.version": version, "service.instance.id": uuid4().hex}
        if not environment.get("OTEL_SERVICE_NAME") and "service.name=" not in environment.get(
            "OTEL_RESOURCE_ATTRIBUTES", ""
        ):
            about["service.name"] = "aftersales"
        provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    @contextmanager
    def span(
        self, name: str, attributes: Attributes = PLAIN, *, root: bool = False, normal: bool = False
    ) -> Iterator[Marks]:
        within = get_current_span().get_span_context().is_valid
        if not (within or root):
            with NOTHING as nothing:
                yield nothing
            return
        handled = current.get()
        parent = None if within or not handled or not handled.parent else from_header(handled.parent)
        with self._tracer.start_as_current_span(
            name,
            parent,
            SpanKind.INTERNAL if within else SpanKind.SERVER,
            dict(attributes),
            # what an exception says may be what somebody has sent
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            token = None if within else current.set(named(span, handled))
            try:
                yield Marking(span)
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                if not normal:
                    span.set_status(StatusCode.ERROR)
                raise
            finally:
                if token:
                    current.reset(token)

    def close(self) -> None:
        self._provider.shutdown()


class Marking:
    def __init__(self, span: Span) -> None:
        self._span = span

    def mark(self, attributes: Attributes, *, failed: bool = False) -> None:
        self._span.set_attributes(dict(attributes))
        if failed:
            self._span.set_status(StatusCode.ERROR)


def from_header(parent: str) -> Context:
    return PROPAGATOR.extract({"traceparent": parent})


def named(span: Span, handled: Handling | None) -> Handling:
    """The log names the trace from here on; what nobody has asked for, such as a clock's end, has no request."""
    handled = handled or Handling("")
    handled.trace_id = f"{span.get_span_context().trace_id:032x}"
    return handled

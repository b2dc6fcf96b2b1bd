"""Traces, where somebody collects them: OpenTelemetry's SDK by its own variables, and nothing at all without."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from types import MappingProxyType
from typing import Protocol

log = logging.getLogger("aftersales.watching")

Attributes = Mapping[str, str | int | tuple[str, ...]]
PLAIN: Attributes = MappingProxyType({})

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class Spans(Protocol):
    """What is measured, told to whoever collects traces. Names and attributes hold words of ours only."""

    @property
    def on(self) -> bool: ...

    def span(
        self, name: str, attributes: Attributes = PLAIN, *, root: bool = False, normal: bool = False
    ) -> AbstractContextManager[Marks]:
        """
        Args:
            root: whether it begins a trace where there is none; otherwise it is then left out.
            normal: whether an exception may be part of the normal course.
        """
        ...

    def close(self) -> None:
        """Send what has not been sent. May take seconds."""
        ...


class Marks(Protocol):
    """A span while it is open."""

    def mark(self, attributes: Attributes, *, failed: bool = False) -> None: ...


class Unmarked:
    def mark(self, attributes: Attributes, *, failed: bool = False) -> None: ...


NOTHING: AbstractContextManager[Marks] = nullcontext(Unmarked())


class Off:
    on = False

    def span(
        self, name: str, attributes: Attributes = PLAIN, *, root: bool = False, normal: bool = False
    ) -> AbstractContextManager[Marks]:
        return NOTHING

    def close(self) -> None: ...


def spans_by(environment: Mapping[str, str], version: str) -> Spans:
    """Traces go where the standard variables say. What keeps them from going there is a warning, no reason to stop."""
    if not wanted(environment):
        return Off()
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        log.warning("no traces are sent: they need pip install 'aftersales[telemetry]'")
        return Off()
    protocol = first(environment, PROTOCOLS)
    if protocol not in ("", "http/protobuf"):
        log.warning("no traces are sent: they go by http/protobuf, and OTEL_EXPORTER_OTLP_PROTOCOL is another")
        return Off()
    # only those who send traces need the SDK
    from .telemetry import Traces

    return Traces.by(environment, version)


def wanted(environment: Mapping[str, str]) -> bool:
    off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    elsewhere = environment.get("OTEL_TRACES_EXPORTER", "").strip() not in ("", "otlp")
    return bool(first(environment, ENDPOINTS)) and not off and not elsewhere


def first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := environment.get(name, "").strip())), "")

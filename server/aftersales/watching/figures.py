"""The figures of one process, in the form that Prometheus reads. docs/observe.md tells what each means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version

import prometheus_client
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)

PREFIX = "aftersales"

# Seconds. What waits for nothing but this machine; what waits for others; what may be late for as long as it likes.
QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
USUAL = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LATE = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 3600.0)

# When a series began is of use to nobody who reads rates, and would be a third more lines.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Counts:
    """A counter by labels. The library finds a series in 4 µs; this one, once it is known, in a tenth of that."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._known: dict[tuple[str, ...], Counter] = {}

    def __call__(self, *labels: str) -> None:
        (self._known.get(labels) or self.ready(*labels)).inc()

    def ready(self, *labels: str) -> Counter:
        """At none, unless it has counted."""
        series = self._known[labels] = self._counter.labels(*labels)
        return series


class Times:
    """A histogram of seconds by labels."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._known: dict[tuple[str, ...], Histogram] = {}

    def __call__(self, seconds: float, *labels: str) -> None:
        series = self._known.get(labels)
        if series is None:
            series = self._known[labels] = self._histogram.labels(*labels) if labels else self._histogram
        series.observe(seconds)


class Figures:
    """Every label has as few values as the code, the installed plugins and the trusted documents have words."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        # fmt: off
        self.operations    = self._times("operation", "From a sound operation to its answer; of a subscription, until it is open.", USUAL, "kind", "outcome")
        self.trusted       = self._times("trusted_operation", "The same, by the name of a trusted document's operation.", USUAL, "operation")
        self.errors        = self._counts("errors", "GraphQL errors told to callers, by code.", "code")
        self.problems      = self._counts("problems", "Reasons why acts were refused, by code.", "code")
        self.transitions   = self._counts("transitions", "Changes written, by the rule that made them.", "kind", "rule")
        self.lateness      = self._times("deadline_lateness", "From the instant that a clock ran out to the commit of what follows.", LATE)
        self.hooks         = self._times("hook", "What a plugin's hook took.", QUICK, "plugin", "hook")
        self.providers     = self._times("provider", "What a payment provider or a shop's stock took to answer.", USUAL, "provider", "call", "outcome")
        self.batches       = self._times("database_batch", "A batch of SQL, its wait included.", QUICK, "call")
        self.failures      = self._counts("database_failures", "Batches that were not done, or may not have been.", "call", "outcome")
        self.waits         = self._times("database_wait", "Until a batch had a connection, or the thread that has it.", QUICK)
        self.in_use        = self._gauge("database_connections_in_use", "Connections, or SQLite's threads, at work.")
        self.waiting       = self._gauge("database_waiting", "Batches that wait for one.")
        self.running       = self._gauge("operations_running", "Queries and mutations under way.")
        self.streams       = self._gauge("streams_open", "WebSockets and event streams.")
        self.followers     = self._gauge("followers", "Subscriptions that follow the feed.")
        # fmt: on
        for call in ("read", "write"):
            for outcome in ("busy", "full", "unknown", "closed"):
                # there from the start, or nobody sees a rate of the first ones
                self.failures.ready(call, outcome)
        Info(PREFIX, "The release.", registry=self.registry).info({"version": version("aftersales")})
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def _counts(self, name: str, meaning: str, *labels: str) -> Counts:
        return Counts(Counter(f"{PREFIX}_{name}_total", meaning, labels, registry=self.registry))

    def _times(self, name: str, meaning: str, buckets: Iterable[float], *labels: str) -> Times:
        return Times(
            Histogram(f"{PREFIX}_{name}_seconds", meaning, labels, registry=self.registry, buckets=tuple(buckets))
        )

    def _gauge(self, name: str, meaning: str) -> Callable[[Callable[[], float]], None]:
        """Is told where to look when somebody asks."""
        return Gauge(f"{PREFIX}_{name}", meaning, registry=self.registry).set_function

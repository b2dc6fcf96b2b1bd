"""Traces as a collector gets them, and the ids by which a line of the log is found again."""

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.processes import serving
from tests.transport.test_logs import BUYER, CANARY, NOTE, World, broken, lived, token
from websockets.sync.client import connect

from aftersales.store.urls import path_of
from aftersales.watching.handling import handling
from aftersales.watching.spans import Off, spans_by

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{CALLER}-01"


@dataclass
class Collector:
    """An OTLP receiver: keeps every span that it is sent, with all that is said of it."""

    url: str = ""
    spans: list[dict[str, Any]] = field(default_factory=list)
    service: dict[str, str] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.service |= {each.key: each.value.string_value for each in of_resource.resource.attributes}
            for scope in of_resource.scope_spans:
                for span in scope.spans:
                    self.spans.append({
                        "name": span.name, "trace": span.trace_id.hex(), "id": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(), "events": len(span.events), "status": span.status.code,
                        "took": span.end_time_unix_nano - span.start_time_unix_nano,
                        **{each.key: value(each.value) for each in span.attributes},
                    })  # fmt: skip

    def named(self, name: str, **attributes: Any) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"] == name and attributes.items() <= span.items()]


def value(given: Any) -> Any:
    kind = given.WhichOneof("value")
    return [each.string_value for each in given.array_value.values] if kind == "array_value" else getattr(given, kind)


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, World, dict[str, httpx.Response]]]:
    """A request lives, its clock runs out, money is paid, a fault happens; then the server ends, and all is sent."""
    folder = tmp_path_factory.mktemp("traces")
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"me-1": "query WhoAmI { me { id } }"}))
    with collecting() as collector:
        settings = {
            "AFTERSALES_DOCUMENTS": str(manifest), "AFTERSALES_LOG_FORMAT": "json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        }  # fmt: skip
        with serving(folder=folder, settings=settings) as server:
            world = World(server, f"sqlite://{folder / 'aftersales.sqlite3'}")
            id = lived(world)
            answers = {
                "followed": asked(world, "{ me { id } }", traceparent=PARENT),
                "trusted": world.post({"documentId": "me-1"}, token(BUYER)),
                "fresh": world.post({"query": f"query {CANARY} {{ me {{ id }} }}"}, token(BUYER)),
            }
            ran_out(world, id)
            broken(world, id)
            server.end()
        yield collector, world, answers


def asked(world: World, query: str, **headers: str) -> httpx.Response:
    heads = {"authorization": f"Bearer {token(BUYER)}", **{name.replace("_", "-"): it for name, it in headers.items()}}
    return httpx.post(world.server.url, json={"query": query}, headers=heads)


def ran_out(world: World, id: str) -> None:
    """The clock of its first review ends now: nobody waits two days for it. Time then approves."""
    with closing(sqlite3.connect(path_of(world.database))) as database:
        due = "UPDATE deadlines SET wake_at = started_at + 1, due_at = started_at + 1"
        with database:
            database.execute(f"{due} WHERE request_id = ? AND wake_at IS NOT NULL", (id,))
        expired = "SELECT 1 FROM events WHERE request_id = ? AND type = 'DeadlineExpired'"
        while not database.execute(expired, (id,)).fetchone():
            continue


Told = tuple[Collector, World, dict[str, httpx.Response]]


def test_an_operation_is_a_span_with_its_batches_below_it(told: Told) -> None:
    collector, _, _ = told
    [opened] = collector.named("mutation", **{"aftersales.outcome": "done", "graphql.root_fields": ["refundOnlyOpen"]})
    below = [span for span in collector.spans if span["trace"] == opened["trace"] and span is not opened]

    assert opened["parent"] == ""
    assert {span["parent"] for span in below} == {opened["id"]}
    assert {"database read", "database write"} <= {span["name"] for span in below}
    assert all(span["aftersales.statements"] > 0 for span in below if span["name"] == "database write")
    assert opened["took"] >= max(span["took"] for span in below)
    assert collector.service["service.name"] == "aftersales"


def test_a_callers_trace_goes_on(told: Told) -> None:
    collector, _, answers = told
    [span] = [span for span in collector.named("query") if span["trace"] == TRACE]

    assert span["parent"] == CALLER
    assert span["aftersales.request_id"] == answers["followed"].headers["x-request-id"]


def test_only_a_trusted_document_has_a_name(told: Told) -> None:
    collector, _, answers = told

    [trusted] = collector.named("query WhoAmI")
    assert trusted["graphql.operation.name"] == "WhoAmI"
    [own] = collector.named("query", **{"aftersales.request_id": answers["fresh"].headers["x-request-id"]})
    assert "graphql.operation.name" not in own


def test_a_clock_that_runs_out_is_a_trace_of_its_own(told: Told) -> None:
    collector, _, _ = told
    [clock] = collector.named("clocks", **{"aftersales.clocks": 1})

    assert clock["parent"] == ""
    assert [span["name"] for span in collector.spans if span["parent"] == clock["id"]].count("database write") == 1


def test_what_the_server_reads_to_look_for_work_is_no_trace(told: Told) -> None:
    collector, _, _ = told

    assert [span for span in collector.spans if span["name"].startswith("database") and not span["parent"]] == []


def test_a_fault_is_marked_and_neither_quoted_nor_recorded(told: Told) -> None:
    collector, world, _ = told
    [failed] = collector.named("mutation", **{"aftersales.outcome": "failed"})
    line = next(json.loads(line) for line in world.server.said if "Internal error" in line)

    assert failed["status"] == 2
    assert (line["request_id"], line["trace_id"]) == (failed["aftersales.request_id"], failed["trace"])
    assert [span["events"] for span in collector.spans if span["events"]] == []


def test_nothing_that_was_sent_is_in_them(told: Told) -> None:
    collector, _, _ = told
    sent = b"".join(collector.bodies)

    assert CANARY.encode() not in sent.lower()
    assert NOTE.encode() not in sent


def test_the_ends_of_ids_are_told_by_every_door_and_only_safe_ones_are_taken_up(tmp_path: Path) -> None:
    own = "3F2504E0-4f89-11d3-9a0c-0305e82c3301"
    with serving(folder=tmp_path, settings={"AFTERSALES_LOG_FORMAT": "json"}) as server:
        world = World(server, f"sqlite://{tmp_path / 'aftersales.sqlite3'}")
        taken = asked(world, "{ me { id } }", x_request_id=own)
        left = [asked(world, "{ me { id } }", x_request_id=given) for given in (CANARY * 4, f"{own}{NOTE}", "", "ab")]
        wrong = httpx.put(server.url)
        alive = httpx.get(server.url.replace("/graphql", "/healthz"))
        with connect(f"ws://{urlsplit(server.url).netloc}/graphql", subprotocols=["graphql-transport-ws"]) as door:  # type: ignore[list-item]
            assert door.response is not None
            socket_id = door.response.headers["x-request-id"]
            id = lived(world)
            spoilt(world)
            init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token(BUYER)}"}}
            wish = f'{{requestId: "{id}", expectedVersion: 1, idempotencyKey: "k"}}'
            query = f"mutation {{ requestCancel(input: {wish}) {{ replayed }} }}"
            for said in (init, *({"type": "subscribe", "id": n, "payload": {"query": query}} for n in "ab")):
                door.send(json.dumps(said))
            assert {json.loads(door.recv(timeout=10))["type"] for _ in range(5)} == {
                "connection_ack",
                "next",
                "complete",
            }

    assert taken.headers["x-request-id"] == own
    fresh = [answer.headers["x-request-id"] for answer in (*left, wrong, alive)]
    assert [id for id in fresh if not re.fullmatch("[0-9a-f]{32}", id)] == []
    assert len({*fresh, socket_id}) == len(fresh) + 1
    lines = [json.loads(line) for line in server.said if "Internal error" in line]
    assert sorted(line["request_id"] for line in lines) == [f"{socket_id}.1", f"{socket_id}.2"]
    assert CANARY not in "\n".join(server.said).lower()


def spoilt(world: World) -> None:
    with closing(sqlite3.connect(path_of(world.database))) as database, database:
        database.execute("ALTER TABLE idempotency RENAME TO elsewhere")


def test_a_callers_trace_is_in_the_log_though_nobody_collects_traces(tmp_path: Path) -> None:
    with serving(folder=tmp_path, settings={"AFTERSALES_LOG_FORMAT": "text"}) as server:
        world = World(server, f"sqlite://{tmp_path / 'aftersales.sqlite3'}")
        wish = f'{{requestId: "{lived(world)}", expectedVersion: 1, idempotencyKey: "k"}}'
        spoilt(world)
        heads = {"authorization": f"Bearer {token(BUYER)}", "traceparent": PARENT}
        answer = httpx.post(
            server.url, json={"query": f"mutation {{ requestCancel(input: {wish}) {{ replayed }} }}"}, headers=heads
        )

    assert "INTERNAL" in answer.text, answer.text
    [line] = [line for line in server.said if "Internal error" in line]
    assert f"aftersales.graphql [request {answer.headers['x-request-id']}, trace {TRACE}]: Internal error" in line


@pytest.mark.parametrize(
    "sent",
    [
        "", "00", f"ff-{TRACE}-{CALLER}-01", f"00-{'0' * 32}-{CALLER}-01", f"00-{TRACE}-{'0' * 16}-01",
        PARENT.upper(), f"{PARENT}\n", f"00-{TRACE}-{CALLER}", f"{NOTE}-{TRACE}-{CALLER}-01",
    ],
)  # fmt: skip
def test_a_traceparent_that_is_none_is_nothing(sent: str) -> None:
    assert (handling("", sent).trace_id, handling("", sent).parent) == ("", "")


@pytest.mark.parametrize(
    ("environment", "on"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "shop"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
    ],
)
def test_traces_are_off_unless_the_standard_variables_say_where_to(environment: dict[str, str], on: bool) -> None:
    spans = spans_by(environment, "1")
    spans.close()

    assert spans.on is on
    assert isinstance(spans, Off) is not on

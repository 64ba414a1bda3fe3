"""Requests take over the client's trace, and their spans arrive at an OpenTelemetry collector."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from service.inference.errors import MissingExtra, SettingsError
from service.inference.program import install_command
from service.server.pipeline.access_log import RequestRecord
from service.server.pipeline.tracing import RequestTracer, take_over, traceparent

Server = Any
Until = Callable[..., Any]

_TRACE, _PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
_HEADER = f"00-{_TRACE}-{_PARENT}-01"
_KEY = {"Authorization": "Bearer alpha"}
_METADATA = "/inference.GRPCInferenceService/ServerMetadata"


def _line_with(server: Server, word: str, until: Until) -> str:
    line: str = until(lambda: next((line for line in server.log().splitlines() if word in line), ""))
    return line


def _record() -> RequestRecord:
    return RequestRecord(request_id="1", method="GET", path="/", client="-")


@pytest.mark.parametrize("header", [_HEADER, f"00-{_TRACE}-{_PARENT}-00", f"cc-{_TRACE}-{_PARENT}-01-later"])
def test_a_valid_traceparent_is_taken_over(header: str) -> None:
    record = _record()
    take_over(record, traceparent=header)
    assert record.trace is not None
    assert traceparent(record.trace) == f"00-{header[3:55]}"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x" * 5000,
        f"ff-{_TRACE}-{_PARENT}-01",
        f"00-{'0' * 32}-{_PARENT}-01",
        f"00-{_TRACE}-{'0' * 16}-01",
        f"00-{_TRACE.upper()}-{_PARENT}-01",
        f"00-{_TRACE}-{_PARENT}-01-more",
        f"00-{_TRACE}-{_PARENT}",
    ],
)
def test_an_invalid_traceparent_is_ignored(header: str) -> None:
    record = _record()
    take_over(record, traceparent=header)
    assert record.trace is None


@pytest.mark.parametrize(("state", "kept"), [("a=1,b=2", "a=1,b=2"), (f"a={'1' * 600}", "")])
def test_a_short_tracestate_is_taken_over(state: str, kept: str) -> None:
    record = _record()
    take_over(record, traceparent=_HEADER, tracestate=state)
    assert record.trace is not None
    assert record.trace.trace_state.to_header() == kept


def test_the_trace_of_the_client_is_in_response_and_log(
    server: Server, strict: Server, digit_png: bytes, until: Until
) -> None:
    for headers, body, status in (({}, digit_png, 200), ({"Connection": "close"}, b"no picture", 422)):
        answer = server.ask("POST", "/models/mnist", body, {"traceparent": _HEADER, **headers})
        assert (answer.status, answer.headers["traceparent"]) == (status, _HEADER)
        assert f" trace={_TRACE}" in _line_with(server, answer.headers["X-Request-ID"], until)
    answer = strict.ask("GET", "/models", headers={"traceparent": _HEADER, **_KEY})
    line = json.loads(_line_with(strict, answer.headers["X-Request-ID"], until))
    assert line["trace_id"] == _TRACE


def test_without_a_trace_there_is_none_in_response_and_log(server: Server, until: Until) -> None:
    for headers in ({}, {"traceparent": "00-nonsense"}):
        answer = server.ask("GET", "/models", headers=headers)
        assert "traceparent" not in answer.headers
        assert "trace=" not in _line_with(server, answer.headers["X-Request-ID"], until)


def test_grpc_calls_take_over_the_trace_too(server: Server) -> None:
    with grpc.insecure_channel(server.grpc_address) as channel:
        _, call = channel.unary_unary(_METADATA).with_call(b"", metadata=(("traceparent", _HEADER),))
    assert ("traceparent", _HEADER) in [tuple(pair) for pair in call.trailing_metadata()]


@dataclass
class _Collector:
    """A stub of an OpenTelemetry collector that keeps what it receives."""

    port: int
    received: list[ExportTraceServiceRequest] = field(default_factory=list)

    def spans(self) -> list[Span]:
        return [
            span
            for request in list(self.received)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def trace(self, trace_id: str) -> dict[str, Span]:
        """Return the spans of a trace by their name."""
        return {span.name: span for span in self.spans() if span.trace_id.hex() == trace_id}


@pytest.fixture(scope="module")
def collector() -> Iterator[_Collector]:
    found: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            assert self.headers["x-tenant"] == "lecture"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield _Collector(listening.server_address[1], found)
        listening.shutdown()
        thread.join()


def _variables(port: int) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=lecture",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }


@pytest.fixture(scope="module")
def traced(collector: _Collector, start_server: Callable[..., Any]) -> Iterator[Server]:
    with start_server(grpc=True, variables=_variables(collector.port)) as running:
        yield running


def _attributes(span: Span) -> dict[str, Any]:
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value")
        for pair in span.attributes
    }


def test_a_request_has_a_span_with_its_stages_inside(
    traced: Server, collector: _Collector, digit_png: bytes, until: Until
) -> None:
    before = time.time_ns()
    answer = traced.ask("POST", "/models/mnist", digit_png, {"traceparent": _HEADER})
    spans = until(lambda: found if "inference" in (found := collector.trace(_TRACE)) else None)
    span = spans["POST /models/{name}"]
    assert (span.kind, span.parent_span_id.hex()) == (Span.SPAN_KIND_SERVER, _PARENT)
    assert answer.headers["traceparent"] == f"00-{_TRACE}-{span.span_id.hex()}-01"
    assert before <= span.start_time_unix_nano <= span.end_time_unix_nano <= time.time_ns()
    assert {
        "http.request.method": "POST",
        "http.route": "/models/{name}",
        "http.response.status_code": 200,
        "url.path": "/models/mnist",
        "client.address": "127.0.0.1",
        "lectern.model": "mnist",
        "lectern.version": answer.headers["X-Model-Version"],
        "lectern.precision": "float32",
        "lectern.request_id": answer.headers["X-Request-ID"],
    }.items() <= _attributes(span).items()
    for name in ("receive", "decode", "inference"):
        stage = spans[name]
        assert stage.parent_span_id == span.span_id
        assert span.start_time_unix_nano <= stage.start_time_unix_nano <= stage.end_time_unix_nano
        # The clock of the stages has another resolution.
        assert stage.end_time_unix_nano <= span.end_time_unix_nano + 1_000_000


def test_the_resource_names_the_service_and_its_release(
    traced: Server, collector: _Collector, until: Until
) -> None:
    traced.ask("GET", "/models")
    request = until(lambda: collector.received[-1])
    resource = {pair.key: pair.value.string_value for pair in request.resource_spans[0].resource.attributes}
    assert resource["service.name"] == "lectern"
    assert resource["service.version"] == traced.ask("GET", "/v2").json()["version"]


def test_a_request_without_a_trace_begins_one(
    traced: Server, collector: _Collector, digit_png: bytes, until: Until
) -> None:
    answer = traced.ask("POST", "/models/mnist", b"no picture")
    _, trace_id, span_id, flags = answer.headers["traceparent"].split("-")
    span = until(lambda: collector.trace(trace_id).get("POST /models/{name}"))
    assert (span.span_id.hex(), span.parent_span_id) == (span_id, b"")
    assert int(flags, 16) & 1  # sampled
    assert _attributes(span)["error.type"] == "damaged_image"
    assert span.status.code == Status.STATUS_CODE_UNSET  # an error of the client
    assert f" trace={trace_id}" in _line_with(traced, answer.headers["X-Request-ID"], until)


def test_a_grpc_call_has_a_span(traced: Server, collector: _Collector, until: Until) -> None:
    with grpc.insecure_channel(traced.grpc_address) as channel:
        _, call = channel.unary_unary(_METADATA).with_call(b"")
    _, trace_id, span_id, _ = dict(call.trailing_metadata())["traceparent"].split("-")
    span = until(lambda: collector.trace(trace_id).get(_METADATA))
    assert span.span_id.hex() == span_id
    assert _attributes(span)["rpc.method"] == "ServerMetadata"


def test_traces_that_are_not_sampled_and_probes_are_not_exported(
    traced: Server, collector: _Collector, until: Until
) -> None:
    unsampled = "5bf92f3577b34da6a3ce929d0e0e4736"
    answer = traced.ask("GET", "/models", headers={"traceparent": f"00-{unsampled}-{_PARENT}-00"})
    assert answer.headers["traceparent"].startswith(f"00-{unsampled}-")
    assert answer.headers["traceparent"].endswith("-00")
    traced.ask("GET", "/readyz")
    last = traced.ask("GET", "/models").headers["traceparent"].split("-")[1]
    until(lambda: collector.trace(last))
    assert not collector.trace(unsampled)
    assert not any("/readyz" in span.name for span in collector.spans())


def test_a_long_path_is_cut_in_the_span(traced: Server, collector: _Collector, until: Until) -> None:
    answer = traced.ask("GET", f"/{'x' * 7000}")
    span = until(lambda: collector.trace(answer.headers["traceparent"].split("-")[1]).get("GET unmatched"))
    assert len(_attributes(span)["url.path"]) == 200


def test_the_last_spans_are_exported_when_the_server_stops(
    collector: _Collector, start_server: Callable[..., Any]
) -> None:
    variables = _variables(collector.port) | {"OTEL_BSP_SCHEDULE_DELAY": "60000"}
    with start_server(variables=variables) as server:
        trace_id = server.ask("GET", "/models").headers["traceparent"].split("-")[1]
        assert not collector.trace(trace_id)
    assert collector.trace(trace_id)


def test_requests_are_answered_and_the_server_stops_without_a_collector(
    start_server: Callable[..., Any], digit_png: bytes
) -> None:
    with start_server(variables=_variables(1)) as server:
        assert server.ask("POST", "/models/mnist", digit_png).status == 200
        started = time.monotonic()
    assert time.monotonic() - started < 15
    assert server.process.returncode == 0


_ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    "environment",
    [{}, _ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, _ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}],
)
def test_nothing_is_exported_unless_the_variables_say_so(environment: Mapping[str, str]) -> None:
    assert RequestTracer.from_environment(environment) is None


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is 'zipkin'"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'"),
    ],
)
def test_what_the_server_cannot_export_to_is_an_error(variables: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        RequestTracer.from_environment(_ENDPOINT | variables)


def test_a_missing_exporter_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    package = "opentelemetry-exporter-otlp-proto-http"
    with pytest.raises(MissingExtra) as raised:
        RequestTracer.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
    assert str(raised.value).startswith("OTEL_EXPORTER_OTLP_ENDPOINT is set, and the package opentelemetry.")
    assert str(raised.value).endswith(f"unset the variable, or run {install_command(package)}")

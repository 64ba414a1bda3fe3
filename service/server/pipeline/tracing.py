"""Takes over W3C trace contexts, and exports the spans of requests over OTLP (OpenTelemetry)."""

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.inference.errors import MissingExtra, SettingsError
from service.inference.program import install_command
from service.server.pipeline.access_log import MAX_PATH_LENGTH, RequestRecord
from service.server.release import server_version

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

# OpenTelemetry's own variables; its SDK reads the others, for headers, certificates and sampling.
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
_EXPORTERS, _DISABLED = "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"
_NAME, _ATTRIBUTES = "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"

_MAX_STATE = 512  # characters, as W3C Trace Context asks for

_propagator = TraceContextTextMapPropagator()


def take_over(record: RequestRecord, *, traceparent: str, tracestate: str = "") -> None:
    """Make a request a part of the client's trace, if the headers name one that is valid.

    Args:
        record: The request.
        traceparent: Header of W3C Trace Context, level 1.
        tracestate: Its second header.
    """
    headers = {"traceparent": traceparent}
    if len(tracestate) <= _MAX_STATE:  # Spans wait in memory until they are exported.
        headers["tracestate"] = tracestate
    context = trace.get_current_span(_propagator.extract(headers, Context())).get_span_context()
    if context.is_valid:
        record.trace = context


def traceparent(context: SpanContext) -> str:
    """Return the header ``traceparent`` that names a span."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


class RequestTracer:
    """Makes a span for each request, with one inside it for each stage, and exports them in a thread.

    Health checks and scrapes have no spans.

    Args:
        provider: Makes and exports the spans.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("lectern", server_version())

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "RequestTracer | None":
        """Return the tracer that OpenTelemetry's standard variables ask for; None without an endpoint.

        Args:
            environment: Variables by name; the process's own if None.

        Raises:
            MissingExtra: The exporter is not installed.
            SettingsError: A variable asks for another exporter or protocol.
        """
        environment = os.environ if environment is None else environment
        is_disabled = environment.get(_DISABLED, "").lower() == "true"
        exporter = environment.get(_EXPORTERS) or "otlp"
        if is_disabled or exporter == "none" or not any(environment.get(name) for name in _ENDPOINTS):
            return None
        if exporter != "otlp":
            raise SettingsError(f"{_EXPORTERS} is {exporter!r}; the server exports to otlp, or to none")
        protocol = next(filter(None, map(environment.get, _PROTOCOLS)), _PROTOCOL)
        if protocol != _PROTOCOL:
            raise SettingsError(
                f"{_PROTOCOLS[1]} is {protocol!r}; the server sends {_PROTOCOL}, to port 4318 of a collector"
            )
        return cls(_provider(environment))

    def start(self, record: RequestRecord) -> None:
        """Start the span of a request; a client's trace that is not sampled is not recorded either."""
        if record.access in ("probe", "metrics"):
            return
        parent = Context()
        if record.trace is not None:
            parent = trace.set_span_in_context(NonRecordingSpan(record.trace), parent)
        span = self._tracer.start_span(
            record.method,
            parent,
            kind=SpanKind.SERVER,
            start_time=_unix_ns(record.started),
            attributes=_request_attributes(record),
        )
        record.trace = span.get_span_context()
        if span.is_recording():
            record.span, record.stages = span, []

    def end(self, record: RequestRecord) -> None:
        """End the span of a request that is finished; the exporter sends it later."""
        span, stages = record.span, record.stages
        if span is None or stages is None:
            return
        inside = trace.set_span_in_context(span, Context())
        for name, started, ended in stages:
            stage = self._tracer.start_span(name, inside, start_time=_unix_ns(started))
            stage.end(_unix_ns(ended))
        span.update_name(record.route if record.method == "GRPC" else f"{record.method} {record.route}")
        span.set_attributes(_response_attributes(record))
        if record.status >= 500:
            span.set_status(Status(StatusCode.ERROR, record.code))
        span.end()

    def close(self) -> None:
        """Export the spans that are left, and stop the thread; waits for the collector."""
        self._provider.shutdown()


def _provider(environment: Mapping[str, str]) -> "TracerProvider":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingExtra(
            f"{_ENDPOINTS[1]} is set, and the package {error.name} is not installed; unset the variable, or "
            f"run {install_command('opentelemetry-exporter-otlp-proto-http')}"
        ) from error
    named = environment.get(_NAME) or "service.name" in environment.get(_ATTRIBUTES, "")
    own = {"service.version": server_version()} | ({} if named else {"service.name": "lectern"})
    # The server itself ends the provider, while its log still works.
    provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _unix_ns(counter_s: float) -> int:
    """Return the time of day at which ``time.perf_counter()`` had a value, in nanoseconds."""
    return time.time_ns() - time.perf_counter_ns() + int(counter_s * 1e9)


def _request_attributes(record: RequestRecord) -> dict[str, str]:
    """Return attributes by OpenTelemetry's semantic conventions for HTTP and RPC, known from the head."""
    attributes = {"client.address": record.client, "lectern.request_id": record.request_id}
    if record.method == "GRPC":
        service, _, method = record.path[:MAX_PATH_LENGTH].strip("/").rpartition("/")
        return attributes | {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
    return attributes | {"http.request.method": record.method, "url.path": record.path[:MAX_PATH_LENGTH]}


def _response_attributes(record: RequestRecord) -> dict[str, Any]:
    attributes: dict[str, Any] = {"http.route": record.route, "http.response.status_code": record.status}
    if record.method == "GRPC":
        attributes = {"lectern.status": record.status}
    if record.code:
        attributes["error.type"] = record.code
    if record.model:
        attributes["lectern.model"] = record.model
    if record.version:
        attributes |= {"lectern.version": record.version, "lectern.precision": record.precision}
    return attributes

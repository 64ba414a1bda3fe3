"""Every call passes the request pipeline: key, id, limits, deadline, log and metrics."""

import json
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from grpc import StatusCode
from tritonclient.grpc import service_pb2

from service.inference.catalog import Catalog

Call = Callable[..., Any]
Server = Any

_KEY = (("authorization", "Bearer alpha"),)
_CHECK = "/grpc.health.v1.Health/Check"
_INFER = "/inference.GRPCInferenceService/ModelInfer"
_WAITS_S = 10


def _held(release: threading.Event, body: bytes) -> Iterator[bytes]:
    """Give a call's one message once it is released."""
    release.wait(_WAITS_S)
    yield body


def _line(server: Server, request_id: str) -> dict[str, Any]:
    """Wait for the line of a request in a log in JSON."""
    end = time.monotonic() + _WAITS_S
    while time.monotonic() < end:
        for line in server.log().splitlines():
            if f'"{request_id}"' in line:
                found: dict[str, Any] = json.loads(line)
                return found
        time.sleep(0.02)
    raise AssertionError(f"no line of {request_id}")


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", ""),),
        (("authorization", "alpha"),),
        (("authorization", "Basic alpha"),),
        (("authorization", "Bearer alph"),),
        (("authorization", "Bearer alpha,beta"),),
        (("x-api-key", "alph"),),
        (("authorization-bin", b"Bearer alpha"),),
    ],
)
@pytest.mark.parametrize("method", ["ModelInfer", "ModelMetadata", "ServerMetadata", "Nothing"])
def test_without_a_key_a_call_is_rejected(call_strict: Call, method: str, metadata: Any) -> None:
    error = call_strict(method, b"", metadata=metadata)
    assert error.status is StatusCode.UNAUTHENTICATED
    assert "Authorization: Bearer" in error.message
    assert error.metadata["x-error-code"] == "unauthorized"


@pytest.mark.parametrize(
    "metadata",
    [
        ("authorization", "Bearer alpha"),
        ("authorization", "bearer beta"),
        ("authorization", "Bearer  alpha"),
        ("x-api-key", "alpha"),
    ],
)
def test_with_a_key_a_call_is_answered(
    call_strict: Call, digit_request: Any, metadata: tuple[str, str]
) -> None:
    body = digit_request.SerializeToString()
    assert isinstance(call_strict("ModelInfer", body, metadata=(metadata,)), bytes)


@pytest.mark.parametrize(
    ("method", "answer"),
    [("ServerLive", b"\x08\x01"), ("ServerReady", b"\x08\x01"), (_CHECK, b"\x08\x01")],
)
def test_health_checks_need_no_key(call_strict: Call, method: str, answer: bytes) -> None:
    assert call_strict(method, b"") == answer


def test_the_health_of_a_service_has_its_name(call: Call) -> None:
    name = b"inference.GRPCInferenceService"
    assert call(_CHECK, b"\x0a" + bytes([len(name)]) + name) == b"\x08\x01"
    error = call(_CHECK, b"\x0a\x05other")
    assert error.status is StatusCode.NOT_FOUND
    assert "'other'" in error.message


def test_a_response_has_the_headers_of_http_as_metadata(server: Server, digit_request: Any) -> None:
    with grpc.insecure_channel(server.grpc_address) as channel:
        _, ended = channel.unary_unary(_INFER).with_call(
            digit_request.SerializeToString(), metadata=(("x-request-id", "lecture-7/group:3"),)
        )
    metadata = dict(ended.trailing_metadata())
    assert metadata["x-request-id"] == "lecture-7/group:3"
    assert metadata["x-model-version"] == str(Catalog().card("mnist").version)
    assert re.fullmatch(
        r"decode;dur=[\d.]+, queue;dur=[\d.]+, inference;dur=[\d.]+", metadata["server-timing"]
    )


@pytest.mark.parametrize("proposed", ["", "two words", "x" * 129, 'a"b', "<script>"])
def test_an_unsafe_id_is_replaced(call: Call, proposed: str) -> None:
    error = call("ModelInfer", b"", metadata=(("x-request-id", proposed),))
    assert re.fullmatch("[0-9a-f]{32}", error.metadata["x-request-id"])


def test_a_message_over_the_limit_is_rejected_before_it_is_read(call_strict: Call) -> None:
    error = call_strict("ModelInfer", bytes(1_000_001), metadata=_KEY)
    assert error.status is StatusCode.RESOURCE_EXHAUSTED
    assert "1000001 vs. 1000000" in error.message


def test_a_batch_over_the_limit_is_rejected(call_strict: Call, mnist_digits: Any, request_of: Any) -> None:
    tensor = {"name": "image", "datatype": "UINT8", "shape": [5, 28, 28]}
    request = request_of(tensors=[tensor], raw=[mnist_digits[:5].tobytes()])
    error = call_strict("ModelInfer", request.SerializeToString(), metadata=_KEY)
    assert error.status is StatusCode.INVALID_ARGUMENT
    assert error.metadata["x-error-code"] == "batch_too_large"


def test_a_picture_over_the_limit_is_rejected(call_strict: Call, encode: Any, request_of: Any) -> None:
    file = encode(np.zeros((101, 100), np.uint8))
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "contents": {"bytes_contents": [file]}}
    error = call_strict("ModelInfer", request_of(tensors=[tensor]).SerializeToString(), metadata=_KEY)
    assert error.status is StatusCode.INVALID_ARGUMENT
    assert error.metadata["x-error-code"] == "too_large"


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_messages_are_read_and_answered_compressed(
    server: Server, mnist_digits: Any, request_of: Any, compression: grpc.Compression
) -> None:
    tensor = {"name": "image", "datatype": "UINT8", "shape": [50, 28, 28]}
    body = request_of(tensors=[tensor], raw=[mnist_digits[0].tobytes() * 50]).SerializeToString()
    with grpc.insecure_channel(server.grpc_address) as channel:
        plain = channel.unary_unary(_INFER)(body)
        assert channel.unary_unary(_INFER)(body, compression=compression) == plain
    # This client shows what was sent.
    with grpc.insecure_channel(server.grpc_address, [("grpc.per_message_decompression", 0)]) as channel:
        sent = channel.unary_unary(_INFER)(body, compression=compression)
    assert len(sent) < len(plain)
    assert zlib.decompress(sent, wbits=32 + zlib.MAX_WBITS) == plain


def test_short_responses_are_not_compressed(server: Server) -> None:
    with grpc.insecure_channel(server.grpc_address, [("grpc.per_message_decompression", 0)]) as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ModelReady")
        assert call(b"\x0a\x05mnist" * 50, compression=grpc.Compression.Gzip) == b"\x08\x01"


def test_a_message_over_the_limit_when_it_is_decompressed_is_rejected_and_takes_no_memory(
    server: Server, call: Call
) -> None:
    worker = psutil.Process(server.workers()[0])
    before = worker.memory_info().rss
    for _ in range(3):
        error = call("ModelInfer", bytes(300_000_000), compression=grpc.Compression.Gzip)
        assert error.status is StatusCode.INVALID_ARGUMENT
        assert error.metadata["x-error-code"] == "body_too_large"
        assert "when they are decompressed" in error.message
    assert worker.memory_info().rss < before + 100_000_000


@pytest.mark.parametrize("start", [b"\x1f\x8b", b"\x78\x9c"])
def test_a_message_that_only_begins_like_a_compressed_one_is_rejected(call: Call, start: bytes) -> None:
    error = call("ModelInfer", start + b"nothing")
    assert error.status is StatusCode.INVALID_ARGUMENT
    assert error.metadata["x-error-code"] == "invalid_request"


def test_a_call_that_sends_nothing_is_rejected(call: Call) -> None:
    error = call("ModelInfer", iter(()))
    assert error.status is StatusCode.INVALID_ARGUMENT
    assert error.metadata["x-error-code"] == "no_message"


def test_a_call_that_never_sends_its_message_ends_at_the_servers_deadline(call_strict: Call) -> None:
    release = threading.Event()
    error = call_strict("ModelInfer", _held(release, b""), metadata=_KEY)
    release.set()
    assert error.status is StatusCode.DEADLINE_EXCEEDED
    assert "no answer within 1.5 s" in error.message


def test_http_and_grpc_share_the_concurrency_limit(strict: Server, digit_request: Any) -> None:
    body, end = digit_request.SerializeToString(), time.monotonic() + 30
    with grpc.insecure_channel(strict.grpc_address) as channel:
        infer = channel.unary_unary(_INFER)
        with strict.busy(headers={"Authorization": "Bearer alpha"}):
            while time.monotonic() < end:
                try:
                    infer(body, metadata=_KEY)
                except grpc.RpcError as error:
                    rejected = error
                    break
            assert rejected.code() is StatusCode.RESOURCE_EXHAUSTED
            assert dict(rejected.trailing_metadata())["retry-after"] == "1"
            assert channel.unary_unary(_CHECK)(b"") == b"\x08\x01"


def test_calls_whose_message_has_not_arrived_keep_no_others_out(
    strict: Server, digit_request: Any, digit_png: bytes
) -> None:
    release, body = threading.Event(), digit_request.SerializeToString()
    key = {"Authorization": "Bearer alpha"}
    with grpc.insecure_channel(strict.grpc_address) as channel:
        arriving = [
            channel.stream_unary(_INFER).future(_held(release, body), metadata=_KEY) for _ in range(8)
        ]
        assert service_pb2.ModelInferResponse.FromString(
            channel.unary_unary(_INFER)(body, metadata=_KEY)
        ).model_name
        assert strict.ask("POST", "/models/mnist", digit_png, key).status == 200
        for call in arriving:
            call.cancel()
        release.set()


@pytest.mark.parametrize("cancels", [True, False])
def test_a_client_that_cancels_does_not_count_as_in_flight(
    strict: Server, digit_request: Any, cancels: bool
) -> None:
    release = threading.Event()
    with grpc.insecure_channel(strict.grpc_address) as channel:
        infer = channel.stream_unary(_INFER)
        body = digit_request.SerializeToString()
        held = infer.future(_held(release, body), metadata=_KEY, timeout=None if cancels else 0.3)
        if cancels:
            channel.unary_unary("/inference.GRPCInferenceService/ServerLive")(b"")
            held.cancel()
        else:
            assert held.exception().code() is StatusCode.DEADLINE_EXCEEDED
        end = time.monotonic() + 1.0  # before the server's own deadline of 1.5 s makes room anyway
        status = StatusCode.RESOURCE_EXHAUSTED
        while status is StatusCode.RESOURCE_EXHAUSTED and time.monotonic() < end:
            status = infer.future(iter([body]), metadata=_KEY).code()
        assert status is StatusCode.OK
    release.set()


def test_the_log_and_the_metrics_count_calls_as_requests(
    strict: Server, call_strict: Call, digit_request: Any
) -> None:
    def count(status: int) -> float:
        key = {"Authorization": "Bearer alpha"}
        labels = {"route": _INFER, "status": str(status)}
        total: float = strict.metric("lectern_requests_total", headers=key, **labels)
        return total

    before = count(200), count(404)
    ask = (("x-request-id", "asked"), *_KEY)
    call_strict("ModelInfer", digit_request.SerializeToString(), metadata=ask)
    call_strict("ModelInfer", b"", metadata=(("x-request-id", "missed"), *_KEY))
    line = _line(strict, "asked")
    assert {name: line[name] for name in ("client", "method", "path", "status", "code")} == {
        "client": "127.0.0.1",
        "method": "GRPC",
        "path": _INFER,
        "status": 200,
        "code": "",
    }
    line = _line(strict, "missed")
    assert (line["status"], line["code"]) == (404, "model_not_found")
    assert (count(200), count(404)) == (before[0] + 1, before[1] + 1)


def test_unknown_paths_make_no_new_metrics(server: Server, call: Call) -> None:
    call("/made.Up/Method", b"")
    assert "made.Up" not in server.ask("GET", "/metrics").body.decode()


def test_the_log_shows_no_tracebacks(server: Server, strict: Server) -> None:
    assert "Traceback" not in server.log() + strict.log()

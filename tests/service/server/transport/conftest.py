"""Fixtures of the gRPC tests: NVIDIA's client, calls with serialised messages, and messages built by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2

_SERVICE = "/inference.GRPCInferenceService/"


@dataclass(frozen=True)
class CallError:
    """The status of a call that failed."""

    status: grpc.StatusCode
    message: str
    metadata: dict[str, str]


def _call_error(error: grpc.RpcError) -> CallError:
    return CallError(error.code(), error.details() or "", dict(error.trailing_metadata() or ()))


def _request(
    *, model: str = "mnist", version: str = "", tensors: Any = (), raw: Any = (), **more: Any
) -> Any:
    return service_pb2.ModelInferRequest(
        model_name=model, model_version=version, inputs=tensors, raw_input_contents=raw, **more
    )


@pytest.fixture(scope="session")
def call_error() -> Callable[[grpc.RpcError], CallError]:
    return _call_error


@pytest.fixture(scope="session")
def request_of() -> Callable[..., Any]:
    """Build a ModelInferRequest from the client's own classes: ``request_of(tensors=[{…}], raw=[b"…"])``."""
    return _request


@pytest.fixture(scope="session")
def digit_request(mnist_digits: Any) -> Any:
    """A valid request: one digit, raw."""
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 28, 28]}
    return _request(tensors=[tensor], raw=[mnist_digits[0].tobytes()])


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    with triton.InferenceServerClient(server.grpc_address) as opened:
        yield opened


@pytest.fixture
def call(server: Any) -> Iterator[Callable[..., Any]]:
    """Call a method with bytes: ``call("ModelInfer", b"…")`` gives the answer's bytes or a CallError."""
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield _call_method(channel)


@pytest.fixture
def call_strict(strict: Any) -> Iterator[Callable[..., Any]]:
    """As ``call``, to the server with low limits and keys."""
    with grpc.insecure_channel(strict.grpc_address) as channel:
        yield _call_method(channel)


def _call_method(channel: grpc.Channel) -> Callable[..., Any]:
    def call(method: str, body: Any, **options: Any) -> Any:
        path = method if method.startswith("/") else _SERVICE + method
        try:
            if isinstance(body, bytes):
                return channel.unary_unary(path)(body, **options)
            return channel.stream_unary(path)(body, **options)
        except grpc.RpcError as error:
            return _call_error(error)

    return call

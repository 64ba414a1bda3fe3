"""Every transport logs the same address of a client, whether a trusted proxy forwards the request or not."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

Server = Any


@pytest.fixture(scope="module")
def trusting(start_server: Callable[..., Any]) -> Iterator[Server]:
    """A server that trusts proxies on loopback."""
    with start_server(grpc=True, LOG_FORMAT="json", TRUSTED_PROXIES="127.0.0.0/8") as running:
        yield running


def _clients(server: Server, digit_png: bytes, digit_request: Any) -> set[str]:
    """Return the clients in the log for a request over each transport with a forwarded address."""
    headers = {"X-Forwarded-For": "203.0.113.5", "X-Request-ID": "forwarded"}
    logged = len(server.log())
    server.ask("POST", "/models/mnist", digit_png, headers)  # fast path
    server.ask("POST", "/models/mnist", digit_png, headers | {"Connection": "close"})  # ASGI
    server.ask("GET", "/models", headers=headers)  # ASGI
    with grpc.insecure_channel(server.grpc_address) as channel:
        infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        metadata = tuple((name.lower(), value) for name, value in headers.items())
        infer(digit_request.SerializeToString(), metadata=metadata)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        lines = [line for line in server.log()[logged:].splitlines() if "forwarded" in line]
        if len(lines) == 4:
            return {json.loads(line)["client"] if line.startswith("{") else line.split()[1] for line in lines}
        time.sleep(0.02)
    raise AssertionError(server.log()[logged:])


def test_every_transport_logs_the_forwarded_address_of_a_trusted_proxy(
    trusting: Server, digit_png: bytes, digit_request: Any
) -> None:
    assert _clients(trusting, digit_png, digit_request) == {"203.0.113.5"}


def test_only_an_address_is_logged(trusting: Server, until: Callable[..., Any]) -> None:
    headers = {"X-Forwarded-For": 'fe80::1%0 POST "/forged" 200', "X-Request-ID": "with-a-zone"}
    assert trusting.ask("GET", "/models", headers=headers).status == 200
    line = until(lambda: [row for row in trusting.log().splitlines() if "with-a-zone" in row])
    assert json.loads(line[0])["client"] == "fe80::1"


def test_every_transport_ignores_the_forwarded_address_by_default(
    server: Server, digit_png: bytes, digit_request: Any
) -> None:
    assert _clients(server, digit_png, digit_request) == {"127.0.0.1"}

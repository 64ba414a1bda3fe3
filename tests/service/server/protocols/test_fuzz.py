"""Tests that no mutation of a valid request makes the server fail, hang or log a traceback.

The number of requests is that of Hypothesis's profile: ``--hypothesis-profile thorough`` sends 20,000 to each
protocol.
"""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from fuzz_targets import CARDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated
from seeds import SEEDS

Server = Any
Head = tuple[str, dict[str, str], bytes]
_TIMEOUT_S = 30
# The status of a call whose fault is the server's.
_FAULTS = {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}


def _name(data: bytes) -> str:
    return CARDS[(data[0] if data else 0) % len(CARDS)].name


def _picture(data: bytes) -> Head:
    return "/models/mnist", {}, data


def _tensor(data: bytes) -> Head:
    length = {"Inference-Header-Content-Length": str(int.from_bytes(data[1:3], "little"))}
    return f"/v2/models/{_name(data)}/infer", length, data[3:]


def _rows(data: bytes) -> Head:
    return f"/v1/models/{_name(data)}:predict", {}, data[1:]


def _form(data: bytes) -> Head:
    kind, _, body = data[1:].partition(b"\n")
    text = "".join(chr(byte) for byte in kind if 32 <= byte < 127)
    return f"/models/{_name(data)}", {"Content-Type": text}, body


# Each target's bytes as path, headers and body of a request.
_REQUESTS: dict[str, Callable[[bytes], Head]] = {
    "picture": _picture,
    "tensor": _tensor,
    "rows": _rows,
    "form": _form,
}
_fuzzed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def _unharmed(server: Server) -> Iterator[None]:
    """Check that the workers are the same afterwards, and have logged no traceback."""
    workers = server.workers()
    yield
    assert server.ask("GET", "/readyz").status == 200
    assert server.workers() == workers
    assert "Traceback" not in server.log()


@contextmanager
def _connection(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_S)
    try:
        yield connection
    finally:
        connection.close()


def _post(connection: http.client.HTTPConnection, head: Head) -> tuple[int, bytes]:
    """Send a request on a connection that stays open, and return the status and the body of the response."""
    path, headers, body = head
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
    except ConnectionError:  # The server has closed a connection that was not used for some seconds.
        connection.close()
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
    return response.status, response.read()


@pytest.mark.parametrize("name", _REQUESTS)
def test_the_requests_before_mutation_are_valid(server: Server, name: str) -> None:
    with _connection(server) as connection:
        for seed in SEEDS[name]():
            status, content = _post(connection, _REQUESTS[name](seed))
            assert status == 200, (seed[:200], content)


@pytest.mark.parametrize("name", _REQUESTS)
def test_no_request_makes_the_server_fail(server: Server, name: str) -> None:
    seeds = SEEDS[name]()
    with _unharmed(server), _connection(server) as connection:

        @_fuzzed
        @given(mutated(seeds))
        def send(data: bytes) -> None:
            status, content = _post(connection, _REQUESTS[name](data))
            assert status < 500, content
            if status != 200:
                # A request of the Open Inference Protocol can have an id, which its error repeats.
                assert set(json.loads(content)) - {"id"} == {"error", "code", "request_id"}

        send()


def test_no_head_makes_the_server_fail(server: Server) -> None:
    heads = [
        b"POST /models/mnist?top_k=2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Type: image/png\r\n"
        b"X-Request-ID: a-1\r\nConnection: close\r\n\r\nabc",
        b"POST /v2/models/imdb/versions/1/infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"Inference-Header-Content-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"GET /models/mnist/versions/2 HTTP/1.0\r\nAuthorization: Bearer a\r\nIf-None-Match: *\r\n\r\n",
        b"OPTIONS /models/imdb HTTP/1.1\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\n"
        b"Host: a\r\nExpect: 100-continue\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ]
    with _unharmed(server):

        @_fuzzed
        @given(mutated(heads))
        def send(data: bytes) -> None:
            with socket.create_connection(("127.0.0.1", server.port), timeout=_TIMEOUT_S) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                # The server closes the connection, since no further request can come.
                try:
                    while chunk := connection.recv(65536):
                        answer += chunk
                except ConnectionResetError:
                    pass
            assert answer == b"" or int(answer.split(b" ", 2)[1]) < 500, answer

        send()


def test_no_call_makes_the_server_fail(server: Server) -> None:
    path = "/inference.GRPCInferenceService/ModelInfer"
    with _unharmed(server), grpc.insecure_channel(server.grpc_address) as channel:

        @_fuzzed
        @given(st.one_of(mutated(SEEDS["call"]()), st.binary(max_size=200)))
        def send(data: bytes) -> None:
            call = channel.unary_unary(path).future(data[1:], timeout=_TIMEOUT_S)
            assert call.code() not in _FAULTS, call.details()

        send()

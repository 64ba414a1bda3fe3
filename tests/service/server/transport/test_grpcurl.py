"""grpcurl finds the services by reflection, and calls them; it is skipped where it is not installed.

``tests/README.md`` says how to get it.
"""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

Server = Any
Grpcurl = Callable[..., tuple[int, str]]

_SERVICE = "inference.GRPCInferenceService"


@pytest.fixture
def grpcurl() -> Grpcurl:
    """Run grpcurl against a server; return its exit status and what it prints."""
    program = shutil.which("grpcurl")
    if program is None:
        pytest.skip("there is no grpcurl; tests/README.md says how to get it")

    def run(server: Server, *words: str, request: object = None, options: tuple[str, ...] = ()) -> Any:
        data = () if request is None else ("-d", json.dumps(request))
        done = subprocess.run(
            [program, "-plaintext", *options, *data, server.grpc_address, *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("method", ["ModelInfer", "ServerLive"])
def test_reflection_finds_a_method(server: Server, method: str) -> None:
    request = ServerReflectionRequest(file_containing_symbol=f"{_SERVICE}.{method}")
    with grpc.insecure_channel(server.grpc_address) as channel:
        (response,) = ServerReflectionStub(channel).ServerReflectionInfo(iter([request]))
    assert response.file_descriptor_response.file_descriptor_proto


@pytest.mark.parametrize("name", [f"{_SERVICE}.Nothing", "nothing.Service.Method", "nothing", ""])
def test_reflection_says_what_there_is_not(server: Server, name: str) -> None:
    request = ServerReflectionRequest(file_containing_symbol=name)
    with grpc.insecure_channel(server.grpc_address) as channel:
        (response,) = ServerReflectionStub(channel).ServerReflectionInfo(iter([request]))
    assert response.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_grpcurl_lists_and_describes_the_services(server: Server, grpcurl: Grpcurl) -> None:
    assert _SERVICE in grpcurl(server, "list")[1].split()
    status, text = grpcurl(server, "describe", f"{_SERVICE}.ModelInfer")
    assert status == 0, text
    assert "rpc ModelInfer ( .inference.ModelInferRequest )" in text


def test_grpcurl_asks_for_a_prediction(server: Server, grpcurl: Grpcurl) -> None:
    text = base64.b64encode(b"A wonderful film.").decode()
    tensor = {"name": "ids", "datatype": "BYTES", "shape": [1], "contents": {"bytes_contents": [text]}}
    best = {"name": "probabilities", "parameters": {"classification": {"int64_param": "1"}}}
    request = {"model_name": "imdb", "id": "lecture 7", "inputs": [tensor], "outputs": [best]}
    status, printed = grpcurl(server, f"{_SERVICE}/ModelInfer", request=request)
    assert status == 0, printed
    response = json.loads(printed)
    # protojson writes either form of a name.
    values = response["outputs"][0]["contents"].popitem()[1]
    assert base64.b64decode(values[0]).endswith(b":1:positive")
    assert response["id"] == "lecture 7"


def test_grpcurl_shows_the_status_and_the_message_of_an_error(server: Server, grpcurl: Grpcurl) -> None:
    status, text = grpcurl(server, f"{_SERVICE}/ModelReady", request={"name": "nothing"})
    assert status != 0
    assert "Code: NotFound" in text
    assert "there is no model 'nothing'" in text


def test_grpcurl_sends_the_api_key(strict: Server, grpcurl: Grpcurl) -> None:
    request = {"name": "mnist"}
    status, text = grpcurl(strict, f"{_SERVICE}/ModelReady", request=request)
    assert (status != 0, "Unauthenticated" in text) == (True, True)
    with_key = ("-H", "authorization: Bearer alpha")
    assert grpcurl(strict, f"{_SERVICE}/ModelReady", request=request, options=with_key)[0] == 0

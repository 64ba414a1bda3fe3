"""KServe's Python client gets the answers of the network, over HTTP and gRPC.

It holds packages at older releases than the server's, so that it runs in an environment of its own, whose
Python ``KSERVE_PYTHON`` names; ``tests/README.md`` says how to get it.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Server = Any
Expected = Callable[..., Any]

_SCRIPT = """
import asyncio, json, sys
import httpx, grpc
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

url, address, digits = sys.argv[1:]
digits = np.load(digits)

def pixels(binary):
    tensor = InferInput("image", list(digits.shape), "UINT8")
    tensor.set_data_from_numpy(digits, binary_data=binary)
    return InferRequest("mnist", [tensor], request_id="lecture 7")

def texts():
    texts = [b"A wonderful film.", b"Two hours of boredom."]
    return InferRequest("imdb", [InferInput("ids", [2], "BYTES", [text.decode() for text in texts])])

def as_lists(response):
    return {"id": response.id, "rows": response.outputs[0].as_numpy().tolist()}

async def main():
    found = {}
    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as client:
        found["ready"] = [await client.is_server_ready(url), await client.is_model_ready(url, "mnist")]
        found["json"] = as_lists(await client.infer(url, pixels(False), model_name="mnist"))
        found["binary"] = as_lists(await client.infer(url, pixels(True), model_name="mnist"))
        found["texts"] = as_lists(await client.infer(url, texts(), model_name="imdb"))
        try:
            await client.infer(url, texts(), model_name="mnist")
        except httpx.HTTPStatusError as error:
            found["error"] = [error.response.status_code, str(error)]
    async with InferenceGRPCClient(address, retries=0) as client:
        found["grpc ready"] = [await client.is_server_ready(), await client.is_model_ready("mnist")]
        found["grpc"] = as_lists(await client.infer(pixels(True)))
        try:
            await client.is_model_ready("nothing")
        except grpc.RpcError as error:
            found["grpc error"] = error.code().name
    print(json.dumps(found))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def found(server: Server, mnist_digits: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the client has got from the server."""
    python = os.environ.get("KSERVE_PYTHON")
    if not python:
        pytest.skip(
            "KSERVE_PYTHON names no Python with the package kserve; tests/README.md says how to get one"
        )
    digits: Path = tmp_path_factory.mktemp("kserve") / "digits.npy"
    np.save(digits, mnist_digits[:3])
    done = subprocess.run(
        [python, "-c", _SCRIPT, server.url, server.grpc_address, str(digits)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


@pytest.mark.parametrize("form", ["json", "binary", "grpc"])
def test_pixels_are_answered_as_in_process(
    found: dict[str, Any], expected: Expected, mnist_digits: Any, form: str
) -> None:
    np.testing.assert_allclose(found[form]["rows"], expected("mnist", batch=mnist_digits[:3]), atol=1e-6)
    assert found[form]["id"] == "lecture 7"


def test_texts_are_answered_as_in_process(found: dict[str, Any], expected: Expected) -> None:
    rows = expected("imdb", "A wonderful film.", "Two hours of boredom.")
    np.testing.assert_allclose(found["texts"]["rows"], rows, atol=1e-6)


def test_the_client_reads_readiness_and_errors(found: dict[str, Any]) -> None:
    assert found["ready"] == found["grpc ready"] == [True, True]
    status, message = found["error"]
    assert (status, "mnist takes exactly one input" in message) == (400, True)
    assert found["grpc error"] == "NOT_FOUND"

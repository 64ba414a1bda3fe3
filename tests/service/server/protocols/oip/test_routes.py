"""Inference over HTTP equals that in process, for every form of request that the protocol allows."""

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Server = Any
Infer = Callable[..., Any]
Expected = Callable[..., Any]

_ONE = {"name": "image", "shape": [1, 28, 28], "datatype": "UINT8"}
_ZEROS = {**_ONE, "data": [0] * 784}
_FILE = {"name": "image", "shape": [1], "datatype": "BYTES"}
_IDS = {"name": "ids", "shape": [1, 2], "datatype": "INT32"}


def _request(tensor: object, **more: object) -> dict[str, object]:
    return {"inputs": [tensor], **more}


def _sized(tensor: dict[str, Any], size: object) -> dict[str, object]:
    return _request({**tensor, "parameters": {"binary_data_size": size}})


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (lambda digits: digits.tolist(), [2, 28, 28]),
        (lambda digits: digits.ravel().tolist(), [2, 28, 28]),
        (lambda digits: digits.astype(float).tolist(), [2, 28, 28]),
    ],
    ids=["nested", "flat", "written with a point"],
)
def test_numbers_in_json_are_answered_as_in_process(
    server: Server, infer: Infer, expected: Expected, mnist_digits: Any, data: Any, shape: list[int]
) -> None:
    tensor = {**_ONE, "shape": shape, "data": data(mnist_digits[:2])}
    answer = infer(server, "mnist", _request(tensor, id="7"))
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json()
    assert list(document) == ["model_name", "model_version", "id", "outputs"]
    output = document["outputs"][0]
    assert [output["name"], output["datatype"], output["shape"]] == ["probabilities", "FP32", [2, 10]]
    np.testing.assert_allclose(
        np.reshape(output["data"], [2, 10]), expected("mnist", batch=mnist_digits[:2]), atol=1e-6
    )


@pytest.mark.parametrize("body_id", ["lecture 7", "", 7, 0, 2**63])
def test_a_response_and_an_error_repeat_the_id_as_it_was_sent(
    server: Server, infer: Infer, mnist_digits: Any, body_id: str | int
) -> None:
    tensor = {**_ONE, "shape": [1, 28, 28], "data": mnist_digits[0].tolist()}
    assert infer(server, "mnist", _request(tensor, id=body_id)).json()["id"] == body_id
    for wrong in (
        {**tensor, "name": "pixels"},
        {**tensor, "data": [0]},
        {**_FILE, "shape": [1], "data": ["aGk="]},
        {**_ONE, "shape": [2, 28, 28], "data": ["x" * 60_000]},  # read in a thread
    ):
        error = infer(server, "mnist", _request(wrong, id=body_id))
        assert error.status >= 400
        assert list(error.json()) == ["error", "code", "request_id", "id"]
        assert error.json()["id"] == body_id


@pytest.mark.parametrize("body_id", [7.5, True, [7], {"id": 7}, None, "x" * 257])
def test_an_error_does_not_repeat_what_is_no_id_or_a_long_one(
    server: Server, infer: Infer, body_id: object
) -> None:
    error = infer(server, "mnist", _request({**_ONE, "data": [0]}, id=body_id))
    assert list(error.json()) == ["error", "code", "request_id"]


def test_files_in_json_are_base64(server: Server, infer: Infer, expected: Expected, digit_png: bytes) -> None:
    encoded = base64.b64encode(digit_png).decode()
    flat, nested = [encoded, encoded], [[encoded], [encoded]]
    for data, shape in ((flat, [2]), (flat, [2, 1]), (nested, [2]), (nested, [2, 1])):
        answer = infer(server, "mnist", _request({**_FILE, "shape": shape, "data": data})).json()
        rows = np.reshape(answer["outputs"][0]["data"], [2, 10])
        np.testing.assert_allclose(rows, expected("mnist", digit_png, digit_png), atol=1e-6)


@pytest.mark.parametrize("padding", [0, 60_000], ids=["short JSON", "long JSON"])
def test_the_bytes_of_a_large_tensor_do_not_count_as_json(server: Server, infer: Infer, padding: int) -> None:
    # Each byte is a bracket of JSON.
    pixels = np.full((13, 180, 180, 3), ord("["), np.uint8)
    tensor = {"name": "image", "shape": list(pixels.shape), "datatype": "UINT8"}
    document = json.dumps(_sized(tensor, pixels.nbytes)).encode() + b" " * padding
    assert infer(server, "cats_vs_dogs", document, binary=pixels.tobytes()).status == 200


@pytest.mark.parametrize("count", [1, 2, 64])
def test_a_raw_body_of_pixels_is_answered_in_binary(
    server: Server, infer: Infer, expected: Expected, mnist_digits: Any, count: int
) -> None:
    answer = infer(server, "mnist", mnist_digits[:count].tobytes(), length=0)
    head = int(answer.headers["Inference-Header-Content-Length"])
    output = json.loads(answer.body[:head])["outputs"][0]
    assert output["shape"] == [count, 10]
    assert output["parameters"] == {"binary_data_size": len(answer.body) - head}
    rows = np.frombuffer(answer.body[head:], "<f4").reshape(count, 10)
    np.testing.assert_allclose(rows, expected("mnist", batch=mnist_digits[:count]), atol=1e-6)


def test_a_raw_body_of_ids_is_one_text(server: Server, infer: Infer, expected: Expected) -> None:
    ids = np.array([[3, 14, 15, 92, 65]], "<i4")
    answer = infer(server, "imdb", ids.tobytes(), length=0)
    rows = np.frombuffer(answer.body[int(answer.headers["Inference-Header-Content-Length"]) :], "<f4")
    np.testing.assert_allclose(rows, expected("imdb", batch=ids)[0], atol=1e-6)


def test_binary_ids_may_begin_at_an_odd_byte(server: Server, infer: Infer, expected: Expected) -> None:
    ids = np.array([[3, 14, 15]], "<i4")
    for spaces in range(4):
        document = _sized({**_IDS, "shape": [1, 3]}, ids.nbytes)
        body = json.dumps(document).encode() + b" " * spaces
        answer = infer(server, "imdb", body, binary=ids.tobytes())
        np.testing.assert_allclose(
            answer.json()["outputs"][0]["data"], expected("imdb", batch=ids)[0], atol=1e-6
        )


@pytest.mark.parametrize(
    ("output", "binary"),
    [
        ({}, False),
        ({"parameters": {"binary_data_output": True}}, True),
        ({"parameters": {"binary_data_output": False}}, False),
        ({"parameters": {"binary_data_output": True}, "outputs": []}, True),
        ({"outputs": [{"name": "probabilities"}]}, False),
        ({"outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]}, True),
        ({"parameters": {"binary_data_output": True}, "outputs": [{"name": "probabilities"}]}, True),
        (
            {
                "parameters": {"binary_data_output": True},
                "outputs": [{"name": "probabilities", "parameters": {"binary_data": False}}],
            },
            False,
        ),
    ],
)
def test_the_response_is_binary_if_the_client_asks_for_it(
    server: Server, infer: Infer, output: dict[str, Any], binary: bool
) -> None:
    answer = infer(server, "mnist", _request(_ZEROS, **output))
    assert ("Inference-Header-Content-Length" in answer.headers) == binary
    assert ("data" in json.loads(answer.body[: answer.body.rindex(b"]}") + 2])["outputs"][0]) != binary


def test_a_chunked_body_is_read_completely(server: Server, expected: Expected, mnist_digits: Any) -> None:
    document = json.dumps(_sized(_ONE, 784)).encode()
    body = document + mnist_digits[0].tobytes()
    answer = server.ask(
        "POST",
        "/v2/models/mnist/infer",
        (body[start : start + 100] for start in range(0, len(body), 100)),
        {"Transfer-Encoding": "chunked", "Inference-Header-Content-Length": str(len(document))},
        encode_chunked=True,
    )
    rows = answer.json()["outputs"][0]["data"]
    np.testing.assert_allclose(rows, expected("mnist", batch=mnist_digits[:1])[0], atol=1e-6)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("br, deflate;q=0.5, GZIP ; q=0.001", "gzip"),
        ("gzip;q=0, deflate", "deflate"),
        ("gzip; q=0.000", None),
        ("identity, br", None),
        ("*", None),
        ("", None),
    ],
)
def test_a_large_response_is_compressed_as_the_client_asks(
    server: Server, infer: Infer, mnist_digits: Any, accepted: str, encoding: str | None
) -> None:
    body = mnist_digits[:64].tobytes()
    plain = infer(server, "mnist", body, length=0)
    answer = infer(server, "mnist", body, length=0, headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == encoding
    unpacked = zlib.decompress(answer.body, zlib.MAX_WBITS + 32) if encoding else answer.body
    assert unpacked == plain.body
    assert len(answer.body) < len(plain.body) or not encoding
    name = "Inference-Header-Content-Length"
    assert answer.headers[name] == plain.headers[name]


def test_a_small_response_and_an_error_are_not_compressed(
    server: Server, infer: Infer, mnist_digits: Any
) -> None:
    for body, status in ((mnist_digits[:1].tobytes(), 200), (b"x" * 2_000, 400)):
        answer = infer(server, "mnist", body, length=0, headers={"Accept-Encoding": "gzip"})
        assert (answer.status, answer.headers.get("Content-Encoding")) == (status, None)


def test_the_response_has_the_headers_of_all_protocols(server: Server, infer: Infer) -> None:
    answer = infer(server, "mnist", _request(_ZEROS), headers={"X-Request-ID": "mine"})
    assert answer.headers["X-Request-ID"] == "mine"
    assert answer.headers["X-Model-Version"] == answer.json()["model_version"]
    assert answer.headers["Server-Timing"].startswith("decode;dur=")


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 200), (b'{"ready": true}', 200), (b"{", 400), (b"[]", 400)]
)
def test_the_index_takes_an_empty_body_or_an_object(server: Server, body: bytes, status: int) -> None:
    answer = server.ask("POST", "/v2/repository/index", body)
    assert answer.status == status
    if status == 200:
        assert {"name": "mnist", "version": "1", "state": "READY", "reason": ""} in answer.json()

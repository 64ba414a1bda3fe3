"""Inference requests that are malformed, hostile or over a limit get a 4xx error response."""

import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Server = Any
Infer = Callable[..., Any]

_ONE = {"name": "image", "shape": [1, 28, 28], "datatype": "UINT8"}
_ZEROS = {**_ONE, "data": [0] * 784}
_FILE = {"name": "image", "shape": [1], "datatype": "BYTES"}
_TEXT = {"name": "ids", "shape": [1], "datatype": "BYTES", "data": ["good"]}
_IDS = {"name": "ids", "shape": [1, 2], "datatype": "INT32"}

# The deepest JSON that the parser accepts; too deep for Python's repr.
_DEEP = b"[" * 1000 + b"]" * 1000
_DEEP_DATA = (
    b'{"inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "UINT8", "data": ['
    + b"0," * 783
    + _DEEP
    + b"]}]}"
)


def _request(tensor: object, **more: object) -> dict[str, object]:
    return {"inputs": [tensor], **more}


def _sized(tensor: dict[str, Any], size: object) -> dict[str, object]:
    return _request({**tensor, "parameters": {"binary_data_size": size}})


def _check(answer: Any, status: int, code: str) -> None:
    """Check an error response: its status and its body, which Triton's clients read too."""
    assert answer.status == status, answer.body[:500]
    document = answer.json()
    assert list(document) == ["error", "code", "request_id"]
    assert document["code"] == code
    assert document["request_id"] == answer.headers["X-Request-ID"]
    assert len(document["error"]) < 400


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "invalid_tensor"),
        (b"{", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"inputs": NaN}', "malformed_json"),
        (b'{"inputs": [{"data": [1e999]}]}', "malformed_json"),
        (_DEEP_DATA, "invalid_tensor"),
        (b'{"inputs": %s}' % _DEEP, "invalid_request"),
        (b"[]", "invalid_request"),
        (b"null", "invalid_request"),
        ({}, "invalid_request"),
        ({"inputs": None}, "invalid_request"),
        ({"inputs": {}}, "invalid_request"),
        ({"inputs": []}, "invalid_request"),
        ({"inputs": [7]}, "invalid_request"),
        ({"inputs": [{}]}, "invalid_request"),
        ({"inputs": [_ZEROS, _ZEROS]}, "invalid_request"),
        ({"inputs": [_ZEROS, {**_ZEROS, "name": "other"}]}, "invalid_request"),
        (_request({**_ZEROS, "name": "pixels"}), "invalid_request"),
        (_request({**_ZEROS, "name": ["image"]}), "invalid_request"),
        (_request(_ZEROS, id=[7]), "invalid_request"),
        (_request(_ZEROS, id="x" * 257), "invalid_request"),
        (_request(_ZEROS, parameters=[1]), "invalid_parameter"),
        (_request(_ZEROS, parameters={"binary_data_output": 1}), "invalid_parameter"),
        (_request({**_ZEROS, "parameters": "x"}), "invalid_parameter"),
        (_request({**_ONE, "parameters": {"shared_memory_region": "a"}}), "invalid_parameter"),
        (_request(_ZEROS, outputs={}), "invalid_request"),
        (_request(_ZEROS, outputs=["probabilities"]), "invalid_request"),
        (_request(_ZEROS, outputs=[{"name": "logits"}]), "invalid_request"),
        (_request(_ZEROS, outputs=[{"name": "probabilities"}] * 2), "invalid_request"),
        *(
            (
                _request(_ZEROS, outputs=[{"name": "probabilities", "parameters": parameters}]),
                "invalid_parameter",
            )
            for parameters in (
                {"classification": -1},
                {"classification": True},
                {"classification": 1.5},
                {"classification": "3"},
                {"binary_data": "yes"},
                {"shared_memory_region": "a"},
                7,
            )
        ),
        (_request(_ONE), "invalid_request"),
        (_request({**_ONE, "data": None}), "invalid_request"),
        (_request({**_ONE, "data": {"0": 1}}), "invalid_request"),
        (_request({**_ONE, "data": "AAAA"}), "invalid_request"),
        *(
            (_request({**_ZEROS, "shape": shape}), "invalid_tensor")
            for shape in (
                None,
                784,
                "1",
                [],
                [0, 28, 28],
                [-1, 28, 28],
                [1, -28, -28],
                [1.0, 28, 28],
                [True, 28, 28],
                [1, 28, None],
                [1, 784, 1],
                [2**63, 28, 28],
                [2**62, 2**62, 2**62],
                [1] * 5000,
            )
        ),
        *(
            (_request({**_ZEROS, "datatype": datatype}), "invalid_tensor")
            for datatype in (None, 7, "", "uint8", "BF16", "FP8", "FP16", "STRING", ["UINT8"])
        ),
        *(
            (_request({**_ONE, "data": data}), "invalid_tensor")
            for data in (
                [],
                [[]],
                [0] * 783,
                [0] * 785,
                [[[0] * 28] * 27],
                [[[0] * 28] * 27 + [[0] * 27]],
                [[0] * 784],
                [[[[0]] * 28] * 28],
                [[[0] * 28] * 27 + [0] * 28],
                ["0"] * 784,
                [None] * 784,
                [True] * 784,
                [{}] * 784,
                [*([0] * 783), 256],
                [*([0] * 783), -1],
                [*([0] * 783), 0.5],
                [*([0] * 783), 1e300],
                [*([0] * 783), 2**64 - 1],
                [*([0] * 783), 10**40],
            )
        ),
        (_request({**_ONE, "datatype": "INT8", "data": [200] * 784}), "invalid_tensor"),
        (_request({**_ONE, "datatype": "FP32", "data": [2.25] * 784}), "invalid_tensor"),
        (_request({**_FILE, "data": []}), "invalid_tensor"),
        (_request({**_FILE, "data": ["aGk=", "aGk="]}), "invalid_tensor"),
        (_request({**_FILE, "data": [7]}), "invalid_tensor"),
        (_request({**_FILE, "data": [{"b64": "aGk="}]}), "invalid_tensor"),
        (_request({**_FILE, "data": ["http://127.0.0.1:1/x.png"]}), "invalid_base64"),
        (_request({**_FILE, "shape": [0], "data": []}), "invalid_tensor"),
        (_request({**_FILE, "shape": [], "data": ["aGk="]}), "invalid_tensor"),
        (_request({**_FILE, "shape": [1, 2], "data": ["aGk=", "aGk="]}), "invalid_tensor"),
        (_request({**_FILE, "shape": [1, 1, 1], "data": ["aGk="]}), "invalid_tensor"),
    ],
)
def test_json_that_the_protocol_or_the_network_does_not_take_is_an_error(
    server: Server, infer: Infer, document: object, code: str
) -> None:
    _check(infer(server, "mnist", document, length=0 if document == b"" else None), 400, code)


@pytest.mark.parametrize(
    ("tensor", "status", "code"),
    [
        ({**_IDS, "data": [1, -1]}, 400, "invalid_tensor"),
        ({**_IDS, "data": [1, 2**31 - 1]}, 400, "invalid_tensor"),
        ({**_IDS, "datatype": "INT64", "data": [1, 2**40]}, 400, "invalid_tensor"),
        ({**_IDS, "shape": [2, 2], "data": [[1, 2], [3]]}, 400, "invalid_tensor"),
        ({**_IDS, "shape": [1, 0], "data": []}, 400, "invalid_tensor"),
        ({**_IDS, "shape": [1, 10**9], "data": [1]}, 413, "too_large"),
        ({**_TEXT, "data": [7]}, 400, "invalid_tensor"),
        ({**_TEXT, "data": ["..!"]}, 422, "no_words"),
        ({**_TEXT, "shape": [2], "data": ["good", ""]}, 422, "no_words"),
    ],
)
def test_unusable_ids_and_texts_are_an_error(
    server: Server, infer: Infer, tensor: dict[str, Any], status: int, code: str
) -> None:
    _check(infer(server, "imdb", _request(tensor)), status, code)


def test_the_network_takes_every_id_that_its_card_allows(server: Server, infer: Infer, catalog: Any) -> None:
    words = catalog.card("imdb").input.parameters["words"]
    assert infer(server, "imdb", _request({**_IDS, "data": [0, words]})).status == 200
    _check(infer(server, "imdb", _request({**_IDS, "data": [0, words + 1]})), 400, "invalid_tensor")


@pytest.mark.parametrize(
    ("tensor", "binary", "code"),
    [
        (_sized(_ONE, 784), b"\0" * 783, "invalid_request"),
        (_sized(_ONE, 784), b"\0" * 785, "invalid_request"),
        (_sized(_ONE, 784), b"", "invalid_request"),
        (_sized(_ONE, 783), b"\0" * 783, "invalid_tensor"),
        (_sized(_ONE, 785), b"\0" * 785, "invalid_tensor"),
        (_sized(_ONE, -784), b"\0" * 784, "invalid_request"),
        (_sized(_ONE, "784"), b"\0" * 784, "invalid_request"),
        (_sized(_ONE, 784.0), b"\0" * 784, "invalid_request"),
        (_sized(_ONE, True), b"\0", "invalid_request"),
        (_sized(_ONE, 2**70), b"\0" * 784, "invalid_request"),
        (_sized(_ZEROS, 784), b"\0" * 784, "invalid_request"),
        (_request(_ZEROS), b"\0", "invalid_request"),
        (_request(_ONE), b"\0" * 784, "invalid_request"),
        (_sized({**_ONE, "datatype": "FP32"}, 784), b"\0" * 784, "invalid_tensor"),
        (_sized({**_ONE, "datatype": "BF16"}, 784), b"\0" * 784, "invalid_tensor"),
        *(
            (
                _sized({**_ONE, "datatype": f"FP{bits}"}, 98 * bits),
                np.full(784, value, f"<f{bits // 8}"),
                "invalid_tensor",
            )
            for bits in (16, 32, 64)
            for value in (np.nan, np.inf, -np.inf, 2.5, -1, 256)
        ),
        (_sized({**_ONE, "datatype": "INT8"}, 784), b"\xff" * 784, "invalid_tensor"),
        (_sized({**_ONE, "datatype": "INT64"}, 6272), b"\xff" * 6272, "invalid_tensor"),
        (_sized({**_ONE, "datatype": "UINT64"}, 6272), b"\xff" * 6272, "invalid_tensor"),
        *(
            (_sized({**_FILE, "shape": [count]}, len(data)), data, "invalid_tensor")
            for count, data in (
                (1, b""),
                (1, b"\x01\0\0"),
                (1, b"\x02\0\0\0a"),
                (1, b"\x01\0\0\0ab"),
                (1, b"\xff\xff\xff\xffa"),
                (2, b"\x01\0\0\0a"),
                (2, b"\x01\0\0\0a\x01\0"),
                (1, b"\x01\0\0\0a\0\0\0\0"),
            )
        ),
    ],
)
def test_binary_data_that_do_not_match_the_json_are_an_error(
    server: Server, infer: Infer, tensor: dict[str, Any], binary: Any, code: str
) -> None:
    _check(infer(server, "mnist", tensor, binary=bytes(binary)), 400, code)


def test_errors_of_files_and_texts_are_those_of_other_protocols(
    server: Server, infer: Infer, digit_png: bytes
) -> None:
    def elements(*values: bytes) -> bytes:
        return b"".join(len(value).to_bytes(4, "little") + value for value in values)

    data = elements(digit_png, b"no picture")
    answer = infer(server, "mnist", _sized({**_FILE, "shape": [2]}, len(data)), binary=data)
    _check(answer, 422, "damaged_image")
    assert "input 2 of 2" in answer.json()["error"]
    _check(infer(server, "mnist", _sized(_FILE, 4), binary=elements(b"")), 422, "damaged_image")
    text = {"name": "ids", "shape": [1], "datatype": "BYTES"}
    _check(infer(server, "imdb", _sized(text, 8), binary=elements(b"caf\xe9")), 400, "invalid_request")


@pytest.mark.parametrize("length", ["-1", "1.5", "x", "", "0x10", "+5", "²", "99999", "9" * 30, "9" * 5000])
def test_an_invalid_length_of_the_json_is_an_error(server: Server, infer: Infer, length: str) -> None:
    header = length.encode().decode("latin-1")
    _check(infer(server, "mnist", _request(_ZEROS), length=header), 400, "invalid_request")


def test_a_length_that_cuts_the_json_is_an_error(server: Server, infer: Infer) -> None:
    _check(infer(server, "mnist", _request(_ZEROS), length=50), 400, "malformed_json")


@pytest.mark.parametrize("size", [1, 783, 785, 784 * 2 - 1])
def test_a_raw_body_that_is_not_a_complete_batch_is_an_error(server: Server, infer: Infer, size: int) -> None:
    _check(infer(server, "mnist", bytes(size), length=0), 400, "invalid_tensor")


def test_an_unknown_content_encoding_is_an_error(server: Server, infer: Infer) -> None:
    answer = infer(server, "mnist", _request(_ZEROS), headers={"Content-Encoding": "br"})
    _check(answer, 415, "unsupported_media_type")


def test_a_batch_over_the_limit_is_an_error_before_its_data_are_read(server: Server, infer: Infer) -> None:
    for document in (
        _request({**_ONE, "shape": [65, 28, 28], "data": []}),
        _request({**_ONE, "shape": [2**62, 28, 28], "data": []}),
        _request({**_FILE, "shape": [65], "data": []}),
    ):
        _check(infer(server, "mnist", document), 413, "batch_too_large")
    _check(infer(server, "mnist", bytes(784 * 65), length=0), 413, "batch_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "minst", 404, "model_not_found"),
        ("GET", "minst/ready", 404, "model_not_found"),
        ("GET", "mnist/versions/99/ready", 404, "model_not_found"),
        ("GET", "mnist/versions/one", 404, "model_not_found"),
        ("POST", "minst/infer", 404, "model_not_found"),
        ("POST", "mnist/versions/99/infer", 404, "model_not_found"),
        ("GET", "mnist/infer", 405, "method_not_allowed"),
        ("POST", "mnist", 405, "method_not_allowed"),
        ("GET", "mnist/nothing", 404, "not_found"),
    ],
)
def test_a_missing_model_version_or_method_is_an_error(
    server: Server, method: str, path: str, status: int, code: str
) -> None:
    _check(server.ask(method, f"/v2/models/{path}", b"{}" if method == "POST" else None), status, code)


def test_limits_and_keys_are_those_of_other_protocols(strict: Server, infer: Infer) -> None:
    key = {"Authorization": "Bearer alpha"}
    _check(infer(strict, "mnist", _request(_ZEROS)), 401, "unauthorized")
    _check(strict.ask("GET", "/v2/models/mnist"), 401, "unauthorized")
    assert strict.ask("GET", "/v2/health/live").json() == {"live": True}
    answer = infer(strict, "mnist", _request({**_ONE, "shape": [5, 28, 28], "data": []}), headers=key)
    _check(answer, 413, "batch_too_large")
    _check(infer(strict, "mnist", bytes(1_100_000), length=0, headers=key), 413, "body_too_large")


def test_no_mutation_of_a_valid_request_makes_the_server_fail(
    server: Server, infer: Infer, mnist_digits: Any, digit_png: bytes
) -> None:
    chance = random.Random(5)
    file = len(digit_png).to_bytes(4, "little") + digit_png
    valid = [
        (json.dumps(_sized(_ONE, 784)).encode(), mnist_digits[0].tobytes()),
        (json.dumps(_sized(_FILE, len(file))).encode(), file),
        (json.dumps(_request(_ZEROS)).encode(), b""),
    ]
    statuses = set()
    for text, binary in valid:
        for _ in range(60):
            head, tail = bytearray(text), bytearray(binary)
            for part in (head, tail) if chance.random() < 0.5 else (head,):
                place = chance.randrange(len(part) + 1)
                part[place : place + chance.randrange(3)] = chance.choice(
                    (b"", b"9", b"-", b'"', b"\xff", b"]")
                )
            length = len(head) + chance.choice((0, 0, 0, 1, -1))
            answer = infer(server, "mnist", bytes(head), binary=bytes(tail), length=length)
            assert answer.status < 500, (bytes(head), length, answer.body)
            statuses.add(answer.status)
    assert {200, 400} <= statuses
    assert "Traceback" not in server.log()

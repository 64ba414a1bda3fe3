"""Messages that are malformed, hostile or over a limit are rejected with a status for client errors."""

import random
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from grpc import StatusCode

Call = Callable[..., Any]
RequestOf = Callable[..., Any]

_INVALID, _NOT_FOUND = StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND
_ONE = {"name": "image", "datatype": "UINT8", "shape": [1, 28, 28]}
_FILE = {"name": "image", "datatype": "BYTES", "shape": [1]}
_IDS = {"name": "ids", "datatype": "INT32", "shape": [1, 1]}
_PIXELS = {"uint_contents": [0] * 784}
_SHARED = {"shared_memory_region": {"string_param": "mine"}}
_RAW = bytes(784)


def _with(**changes: Any) -> dict[str, Any]:
    return {"tensors": [_ONE | changes], "raw": [_RAW]}


def _typed(datatype: str = "UINT8", **contents: Any) -> dict[str, Any]:
    return {"tensors": [_ONE | {"datatype": datatype, "contents": contents}]}


def _files(*files: bytes, model: str = "mnist", name: str = "image") -> dict[str, Any]:
    return {"model": model, "tensors": [_FILE | {"name": name, "contents": {"bytes_contents": files}}]}


def _wanting(name: str = "probabilities", **parameters: Any) -> dict[str, Any]:
    return _with() | {"outputs": [{"name": name, "parameters": parameters}]}


_WRONG: list[tuple[dict[str, Any], str, str]] = [
    # Which model
    (_with() | {"model": "minst"}, "model_not_found", "mnist"),
    (_with() | {"model": ""}, "model_not_found", "mnist"),
    (_with() | {"model": "../mnist"}, "model_not_found", "../mnist"),
    (_with() | {"model": "é\x00\n" * 50_000}, "model_not_found", "there is no model"),
    (_with() | {"version": "99"}, "model_not_found", "99"),
    (_with() | {"version": "0"}, "model_not_found", "0"),
    (_with() | {"version": "-1"}, "model_not_found", "-1"),
    (_with() | {"version": "one"}, "model_not_found", "one"),
    (_with() | {"version": "٣"}, "model_not_found", "whole number"),
    (_with() | {"version": "9" * 5000}, "model_not_found", "999"),
    # Which input
    ({}, "invalid_request", "inputs"),
    ({"raw": [_RAW]}, "invalid_request", "inputs"),
    ({"tensors": [_ONE, _ONE], "raw": [_RAW, _RAW]}, "invalid_request", "exactly one"),
    (_with(name="pixels"), "invalid_request", "'image'"),
    (_with(name=""), "invalid_request", "'image'"),
    (_with() | {"id": "x" * 257}, "invalid_request", "length <= 256"),
    (_with(parameters=_SHARED), "invalid_parameter", "shared memory"),
    ({"tensors": [_ONE | {"parameters": _SHARED}]}, "invalid_parameter", "shared memory"),
    # Datatype and shape
    (_with(datatype=""), "invalid_tensor", "datatype"),
    (_with(datatype="BF16"), "invalid_tensor", "datatype"),
    (_with(datatype="uint8"), "invalid_tensor", "datatype"),
    (_with(shape=[]), "invalid_tensor", "shape"),
    (_with(shape=[28, 27]), "invalid_tensor", "shape"),
    (_with(shape=[0, 28, 28]), "invalid_tensor", "shape"),
    (_with(shape=[-1, 28, 28]), "invalid_tensor", "shape"),
    (_with(shape=[-(2**63), 28, 28]), "invalid_tensor", "shape"),
    (_with(shape=[1, 28, 29]), "invalid_tensor", "shape"),
    (_with(shape=[1] * 100_000), "invalid_tensor", "shape"),
    (_with(shape=[2**63 - 1, 28, 28]), "batch_too_large", "64"),
    (_with(shape=[65, 28, 28]), "batch_too_large", "64"),
    # Raw contents
    (_with(shape=[2, 28, 28]), "invalid_tensor", "784 bytes"),
    (_with(datatype="FP32"), "invalid_tensor", "784 bytes"),
    (_with() | {"raw": [b""]}, "invalid_tensor", "0 bytes"),
    (_with() | {"raw": [_RAW, _RAW]}, "invalid_request", "2 parts"),
    (_with(contents=_PIXELS), "invalid_request", "both"),
    (_with(contents={}), "invalid_request", "both"),
    ({"tensors": [_FILE], "raw": [b""]}, "invalid_tensor", "end before"),
    ({"tensors": [_FILE], "raw": [b"\xff\xff\xff\xff1"]}, "invalid_tensor", "end before"),
    ({"tensors": [_FILE], "raw": [b"\0\0\0\0more"]}, "invalid_tensor", "4 bytes more"),
    (_with(datatype="FP32") | {"raw": [b"\0\0\xc0\x7f" * 784]}, "invalid_tensor", "nan"),
    (_with(datatype="INT8") | {"raw": [b"\xff" * 784]}, "invalid_tensor", "-1"),
    # Typed contents
    ({"tensors": [_ONE]}, "invalid_tensor", "neither"),
    (_typed(), "invalid_tensor", "neither"),
    (_typed(uint_contents=[]), "invalid_tensor", "neither"),
    (_typed(uint_contents=[0] * 783), "invalid_tensor", "783 elements, and its shape says 784"),
    (_typed(uint_contents=[256] * 784), "invalid_tensor", "0 to 255"),
    (_typed(int_contents=[0] * 784), "invalid_tensor", "uint_contents"),
    (_typed(**_PIXELS, bool_contents=[True]), "invalid_tensor", "bool_contents"),
    (_typed("FP16", **_PIXELS), "invalid_tensor", "raw_input_contents"),
    (_typed("BF16", **_PIXELS), "invalid_tensor", "datatype"),
    (_typed("INT8", int_contents=[128] * 784), "invalid_tensor", "-128 to 127"),
    (_typed("INT8", int_contents=[-1] * 784), "invalid_tensor", "-1"),
    (_typed("FP32", fp32_contents=[float("inf")] * 784), "invalid_tensor", "inf"),
    (_typed("FP64", fp64_contents=[2.5] * 784), "invalid_tensor", "2.5"),
    (_typed("UINT64", uint64_contents=[2**64 - 1] * 784), "invalid_tensor", "255"),
    # Files, texts, and ids of words
    (_files(b"", b""), "invalid_tensor", "2 elements"),
    (_files(b""), "damaged_image", "picture"),
    (_files(b"GIF89a" * 9), "damaged_image", "picture"),
    (_files(b"\xff\xfe", model="imdb", name="ids"), "invalid_request", "UTF-8"),
    (_files(b"...", model="imdb", name="ids"), "no_words", "word"),
    ({"model": "imdb", "tensors": [_IDS], "raw": [b"\xff\xff\xff\x7f"]}, "invalid_tensor", "whole numbers"),
    # Outputs and parameters
    (_wanting("scores"), "invalid_request", "probabilities"),
    (_wanting(classification={"int64_param": -1}), "invalid_parameter", "classification"),
    (_wanting(classification={"string_param": "2"}), "invalid_parameter", "classification"),
    (_wanting(classification={"bool_param": True}), "invalid_parameter", "classification"),
    (_wanting(classification={}), "invalid_parameter", "classification"),
    (_wanting(**_SHARED), "invalid_parameter", "shared memory"),
]


@pytest.mark.parametrize(
    ("parts", "code", "said"),
    [pytest.param(*row, id=f"{index}-{row[1]}") for index, row in enumerate(_WRONG)],
)
def test_a_wrong_request_is_rejected(
    call: Call, request_of: RequestOf, parts: dict[str, Any], code: str, said: str
) -> None:
    error = call("ModelInfer", request_of(**parts).SerializeToString())
    assert error.status is (_NOT_FOUND if code == "model_not_found" else _INVALID), error
    assert error.metadata["x-error-code"] == code, error
    assert said in error.message
    assert len(error.message) <= 500


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x02\xff\xfe", b"\x2a" * 1000, b"{" * 1000, b"\x08\x01" * 9],
)
@pytest.mark.parametrize("method", ["ModelInfer", "ModelReady", "ModelMetadata"])
def test_bytes_that_are_not_a_message_are_rejected(call: Call, method: str, body: bytes) -> None:
    assert call(method, body).status in (_INVALID, _NOT_FOUND)


def test_a_damaged_message_never_makes_the_server_fail(call: Call, server: Any, digit_request: Any) -> None:
    whole, chance = digit_request.SerializeToString(), random.Random(5)
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            body[chance.randrange(len(body) if chance.random() < 0.3 else 60)] = chance.randrange(256)
        answer = call("ModelInfer", bytes(body[: chance.choice((len(body), chance.randrange(len(body))))]))
        assert isinstance(answer, bytes) or answer.status in (_INVALID, _NOT_FOUND), answer
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("method", ["ModelReady", "ModelMetadata"])
@pytest.mark.parametrize(
    "body", [b"", b"\x0a\x05minst", b"\x0a\x05mnist\x12\x0299", b"\x0a\x05mnist\x12\x01x"]
)
def test_a_model_or_version_that_is_not_there_is_not_found(call: Call, method: str, body: bytes) -> None:
    assert call(method, body).status is _NOT_FOUND


@pytest.mark.parametrize(
    "method", ["TraceSetting", "ModelStreamInfer", "RepositoryModelUnload", "Nothing", "/a.B/ModelInfer"]
)
def test_an_unknown_method_is_rejected_with_a_list_of_methods(call: Call, method: str) -> None:
    error = call(method, b"")
    assert error.status is StatusCode.UNIMPLEMENTED
    assert method in error.message
    assert "ModelInfer, ServerLive" in error.message


def test_a_path_that_is_too_long_is_rejected_and_not_echoed(call: Call) -> None:
    for _ in range(200):  # gRPC's own limit of metadata rejects a random part of the calls
        error = call("/" + "a" * 8_000, b"")
        assert (error.status, error.metadata.get("x-error-code")) == (_INVALID, "url_too_long")
        assert len(error.message) < 100


def test_a_stream_of_requests_is_rejected_without_waiting_for_them(server: Any) -> None:
    with grpc.insecure_channel(server.grpc_address) as channel:
        stream = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")
        with pytest.raises(grpc.RpcError) as raised:
            next(stream(iter(())))
    assert raised.value.code() is StatusCode.UNIMPLEMENTED

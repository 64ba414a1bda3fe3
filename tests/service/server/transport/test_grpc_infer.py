"""Inference with typed contents, sent with messages of NVIDIA's client."""

from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2

from service.inference.catalog import Catalog

Call = Callable[..., Any]
RequestOf = Callable[..., Any]
Expected = Callable[..., Any]


def _answer(call: Call, request: Any) -> Any:
    body = call("ModelInfer", request.SerializeToString())
    assert isinstance(body, bytes), body
    return service_pb2.ModelInferResponse.FromString(body)


@pytest.mark.parametrize(
    ("datatype", "field"),
    [
        ("UINT8", "uint_contents"),
        ("UINT16", "uint_contents"),
        ("UINT32", "uint_contents"),
        ("UINT64", "uint64_contents"),
        ("INT16", "int_contents"),
        ("INT32", "int_contents"),
        ("INT64", "int64_contents"),
        ("FP32", "fp32_contents"),
        ("FP64", "fp64_contents"),
    ],
)
def test_typed_contents_are_answered_with_typed_contents(
    call: Call, request_of: RequestOf, mnist_digits: Any, expected: Expected, datatype: str, field: str
) -> None:
    batch = mnist_digits[:2]
    tensor = {"name": "image", "datatype": datatype, "shape": batch.shape}
    request = request_of(tensors=[tensor | {"contents": {field: batch.ravel().tolist()}}], id="a")
    response = _answer(call, request)
    assert (response.id, response.model_name, response.model_version) == (
        "a",
        "mnist",
        str(Catalog().card("mnist").version),
    )
    assert not response.raw_output_contents
    (output,) = response.outputs
    assert (output.name, output.datatype, list(output.shape)) == ("probabilities", "FP32", [2, 10])
    answer = np.array(output.contents.fp32_contents, np.float32).reshape(2, 10)
    np.testing.assert_allclose(answer, expected("mnist", batch=batch), atol=1e-6)


def test_raw_contents_are_answered_with_raw_contents(
    call: Call, digit_request: Any, mnist_digits: Any, expected: Expected
) -> None:
    response = _answer(call, digit_request)
    assert not response.outputs[0].HasField("contents")
    (raw,) = response.raw_output_contents
    answer = np.frombuffer(raw, "<f4").reshape(1, 10)
    np.testing.assert_allclose(answer, expected("mnist", batch=mnist_digits[:1]), atol=1e-6)


@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_picture_files_go_into_bytes_contents(
    call: Call, request_of: RequestOf, samples: Any, expected: Expected, shape: list[int]
) -> None:
    files = samples("fashion_mnist").inputs[:2]
    tensor = {"name": "image", "datatype": "BYTES", "shape": shape, "contents": {"bytes_contents": files}}
    (output,) = _answer(call, request_of(model="fashion_mnist", tensors=[tensor])).outputs
    answer = np.array(output.contents.fp32_contents, np.float32).reshape(2, 10)
    np.testing.assert_allclose(answer, expected("fashion_mnist", *files), atol=1e-5)


def test_texts_go_into_bytes_contents(call: Call, request_of: RequestOf, expected: Expected) -> None:
    texts = ["a wonderful film", "Schön, aber a bad film"]
    contents = {"bytes_contents": [text.encode() for text in texts]}
    tensor = {"name": "ids", "datatype": "BYTES", "shape": [2], "contents": contents}
    (output,) = _answer(call, request_of(model="imdb", tensors=[tensor])).outputs
    answer = np.array(output.contents.fp32_contents, np.float32).reshape(2, 2)
    np.testing.assert_allclose(answer, expected("imdb", *texts), atol=1e-5)


def test_classification_by_typed_contents(call: Call, request_of: RequestOf, mnist_digits: Any) -> None:
    digit = mnist_digits[:1]
    contents = {"uint_contents": digit.ravel().tolist()}
    tensor = {"name": "image", "datatype": "UINT8", "shape": digit.shape, "contents": contents}
    requested = {"name": "probabilities", "parameters": {"classification": {"int64_param": 3}}}
    (output,) = _answer(call, request_of(tensors=[tensor], outputs=[requested])).outputs
    assert (output.datatype, list(output.shape)) == ("BYTES", [1, 3])
    assert [len(value.split(b":")) for value in output.contents.bytes_contents] == [3, 3, 3]


def test_unknown_parameters_are_ignored(call: Call, digit_request: Any) -> None:
    request = service_pb2.ModelInferRequest()
    request.CopyFrom(digit_request)
    request.parameters["sequence_id"].uint64_param = 7
    request.parameters["priority"].string_param = "high"
    request.parameters["timeout"].double_param = 1.5
    request.inputs[0].parameters["content_type"].string_param = "np"
    assert _answer(call, request).outputs[0].name == "probabilities"


def test_an_unknown_field_is_ignored(call: Call, digit_request: Any) -> None:
    unknown = b"\xfa\x3e\x03abc"  # field 1007, three bytes
    assert isinstance(call("ModelInfer", digit_request.SerializeToString() + unknown), bytes)


@pytest.mark.parametrize("field", [b"\x2a\x00", b"\x32\x00", b"\x3a\x00", b"\x22\x00"])
def test_a_message_with_too_many_fields_is_refused(call: Call, digit_request: Any, field: bytes) -> None:
    error = call("ModelInfer", digit_request.SerializeToString() + field * 1_000_000)
    assert error.status is grpc.StatusCode.INVALID_ARGUMENT
    assert error.message == "the message has more than 200 fields; send one input"


def test_too_many_dimensions_parameters_or_elements_are_refused(call: Call, request_of: RequestOf) -> None:
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 28, 28]}
    many = {str(number): {"int64_param": 1} for number in range(101)}
    for changed, reason in (
        ({"shape": [1] * 9}, "9 dimensions, more than 8"),
        ({"parameters": many}, "101 parameters, more than 100"),
        ({"contents": {"uint_contents": [1] * 785}}, "785 elements, and its shape says 784"),
    ):
        error = call("ModelInfer", request_of(tensors=[tensor | changed]).SerializeToString())
        assert error.status is grpc.StatusCode.INVALID_ARGUMENT
        assert reason in error.message

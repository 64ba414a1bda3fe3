"""The fields of a message are counted before it is parsed."""

import pytest

from service.server.protocols.oip.inference_pb2 import ModelInferRequest
from service.server.protocols.oip.wire_format import has_more_fields

_INPUTS = frozenset({5})


def _message() -> bytes:
    message = ModelInferRequest(model_name="mnist", raw_input_contents=[bytes(100_000)])
    message.parameters["a"].double_param = 1.5
    tensor = message.inputs.add(name="image", datatype="UINT8", shape=[1, 28, 28])
    tensor.parameters["b"].int64_param = 2**62
    return message.SerializeToString()


@pytest.mark.parametrize(("nested", "fields"), [(frozenset[int](), 4), (_INPUTS, 8)])
def test_the_fields_of_nested_messages_count_too(nested: frozenset[int], fields: int) -> None:
    assert has_more_fields(_message(), fields - 1, nested=nested)
    assert not has_more_fields(_message(), fields, nested=nested)


def test_fields_of_every_kind_are_counted() -> None:
    body = b"\x08\x01" + b"\x09" + bytes(8) + b"\x12\x02\x08\x08" + b"\x0b\x0c" + b"\x0d" + bytes(4)
    assert has_more_fields(body, 5, nested=_INPUTS)
    assert not has_more_fields(body, 6, nested=_INPUTS)


@pytest.mark.parametrize("body", [b"", b"\xff", b"\xff" * 40, b"\x0f\x08\x08", b"\x2a\xff\xff\xff\xff\x7f"])
def test_a_malformed_message_has_the_fields_before_the_wrong_byte(body: bytes) -> None:
    assert not has_more_fields(body, 1, nested=_INPUTS)

"""The generated messages are current, and compatible with those of NVIDIA's client."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from tritonclient.grpc import model_config_pb2, service_pb2

from service.server.protocols.oip import inference_pb2

_PUBLISHED, _OURS = service_pb2.DESCRIPTOR, inference_pb2.DESCRIPTOR
# The published ones also describe what only Triton has.
_WITH_FEWER_FIELDS = (
    *("ModelConfig", "ModelConfigResponse", "ModelInput", "ModelOutput"),
    *("InferStatistics", "ModelStatistics", "ModelStatisticsResponse"),
)


def _wire(message: Any) -> dict[int, Any]:
    """Return what is on the wire of a message: numbers and types of its fields, at all levels."""
    return {
        field.number: (
            field.name,
            field.type,
            field.is_repeated,
            field.containing_oneof.name if field.containing_oneof else None,
            field.message_type.GetOptions().map_entry if field.message_type else None,
            _wire(field.message_type) if field.message_type else None,
        )
        for field in message.fields
    }


def _is_part(ours: Any, published: Any) -> bool:
    """Return whether all fields of a message are published ones, at all levels."""
    return all(
        number in published
        and field[:-1] == published[number][:-1]
        and (field[-1] is None or _is_part(field[-1], published[number][-1]))
        for number, field in ours.items()
    )


@pytest.mark.parametrize("name", sorted(_OURS.message_types_by_name))
def test_every_field_is_as_published(name: str) -> None:
    messages = dict(_PUBLISHED.message_types_by_name.items())
    messages |= dict(model_config_pb2.DESCRIPTOR.message_types_by_name.items())
    ours, published = _wire(_OURS.message_types_by_name[name]), _wire(messages[name])
    if name in _WITH_FEWER_FIELDS:
        assert _is_part(ours, published)
    else:
        assert ours == published


def test_every_value_of_an_enumeration_is_as_published() -> None:
    ours, published = _OURS.enum_types_by_name["DataType"], model_config_pb2.DataType
    assert {value.name: value.number for value in ours.values}.items() <= dict(published.items()).items()
    formats = inference_pb2.ModelInput.Format.items()
    assert dict(formats).items() <= dict(model_config_pb2.ModelInput.Format.items()).items()


def test_every_method_is_as_published() -> None:
    ours, published = (file.services_by_name["GRPCInferenceService"] for file in (_OURS, _PUBLISHED))
    assert ours.full_name == published.full_name
    for method in ours.methods:
        other = published.methods_by_name[method.name]
        assert method.input_type.full_name == other.input_type.full_name
        assert method.output_type.full_name == other.output_type.full_name


def test_a_client_with_messages_of_the_same_names_can_share_the_process() -> None:
    request = inference_pb2.ModelInferRequest(model_name="mnist")
    assert request.DESCRIPTOR.full_name == service_pb2.ModelInferRequest.DESCRIPTOR.full_name
    assert not isinstance(request, service_pb2.ModelInferRequest)


def test_generating_the_messages_again_gives_the_same_files(tmp_path: Path) -> None:
    script = runpy.run_path(str(Path(__file__).parent / "generate_messages.py"))
    script["generate"](tmp_path)
    for name in script["NAMES"]:
        assert (tmp_path / name).read_text() == (script["FOLDER"] / name).read_text(), name

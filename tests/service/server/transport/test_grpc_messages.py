"""Our messages against the ones that a client of NVIDIA's was generated with."""

from typing import Any

import pytest
from tritonclient.grpc import service_pb2

from service.server.protocols.oip.grpc_messages import CHECKS, HEALTH, INFERENCE, SERVICE, message_classes

_PUBLISHED = service_pb2.DESCRIPTOR
_OURS = message_classes("inference", INFERENCE)
# Those that are not nested in another message of the published file.
_TOP = [name for name in INFERENCE if name in _PUBLISHED.message_types_by_name]


def _wire(message: Any) -> dict[int, Any]:
    """Return all that the wire knows of a message: numbers and types, down to the last nested one."""
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


def test_the_messages_have_the_published_names() -> None:
    assert len(_TOP) == 16
    assert _PUBLISHED.services_by_name["GRPCInferenceService"].full_name == SERVICE


@pytest.mark.parametrize("name", _TOP)
def test_every_field_is_as_published(name: str) -> None:
    assert _wire(_OURS[name].DESCRIPTOR) == _wire(_PUBLISHED.message_types_by_name[name])


def test_a_clients_classes_of_the_same_names_stay_its_own() -> None:
    assert _OURS["ModelInferRequest"].DESCRIPTOR.full_name == "inference.ModelInferRequest"
    assert _OURS["ModelInferRequest"] is not service_pb2.ModelInferRequest


def test_the_health_check_is_as_published() -> None:
    checks = message_classes("grpc.health.v1", CHECKS)
    assert HEALTH == "grpc.health.v1.Health"
    # Field 1 as a string of five bytes, and field 1 as the number 2.
    assert checks["HealthCheckRequest"].FromString(b"\x0a\x05hello").service == "hello"
    assert checks["HealthCheckResponse"](status=2).SerializeToString() == b"\x08\x02"

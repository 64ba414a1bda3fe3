"""Owns the messages of ``inference.GRPCInferenceService`` and of gRPC's health checks.

They are made here rather than generated, in a pool of their own: a client's generated module of the same
names can be imported in the same process, which one pool for both would refuse.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

# A message's class is made at run time, so that type checkers know nothing of its fields.
Message: TypeAlias = Any
MessageClass: TypeAlias = Any
Fields: TypeAlias = tuple[str, ...]

SERVICE = "inference.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"

# Each field as a .proto file of the published protocol has it. What a message is called, or where it is
# nested, is not on the wire: only the numbers and types of its fields are.
INFERENCE: dict[str, Fields] = {
    "ServerLiveRequest": (),
    "ServerLiveResponse": ("bool live = 1",),
    "ServerReadyRequest": (),
    "ServerReadyResponse": ("bool ready = 1",),
    "ModelReadyRequest": ("string name = 1", "string version = 2"),
    "ModelReadyResponse": ("bool ready = 1",),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": ("string name = 1", "string version = 2", "repeated string extensions = 3"),
    "ModelMetadataRequest": ("string name = 1", "string version = 2"),
    "ModelMetadataResponse": (
        "string name = 1",
        "repeated string versions = 2",
        "string platform = 3",
        "repeated TensorMetadata inputs = 4",
        "repeated TensorMetadata outputs = 5",
    ),
    "TensorMetadata": ("string name = 1", "string datatype = 2", "repeated int64 shape = 3"),
    "ModelInferRequest": (
        "string model_name = 1",
        "string model_version = 2",
        "string id = 3",
        "map<string, InferParameter> parameters = 4",
        "repeated InferInputTensor inputs = 5",
        "repeated InferRequestedOutputTensor outputs = 6",
        "repeated bytes raw_input_contents = 7",
    ),
    "InferInputTensor": (
        "string name = 1",
        "string datatype = 2",
        "repeated int64 shape = 3",
        "map<string, InferParameter> parameters = 4",
        "InferTensorContents contents = 5",
    ),
    "InferRequestedOutputTensor": ("string name = 1", "map<string, InferParameter> parameters = 2"),
    "InferParameter": (
        "oneof bool bool_param = 1",
        "oneof int64 int64_param = 2",
        "oneof string string_param = 3",
        "oneof double double_param = 4",
        "oneof uint64 uint64_param = 5",
    ),
    "InferTensorContents": (
        "repeated bool bool_contents = 1",
        "repeated int32 int_contents = 2",
        "repeated int64 int64_contents = 3",
        "repeated uint32 uint_contents = 4",
        "repeated uint64 uint64_contents = 5",
        "repeated float fp32_contents = 6",
        "repeated double fp64_contents = 7",
        "repeated bytes bytes_contents = 8",
    ),
    "ModelInferResponse": (
        "string model_name = 1",
        "string model_version = 2",
        "string id = 3",
        "map<string, InferParameter> parameters = 4",
        "repeated InferOutputTensor outputs = 5",
        "repeated bytes raw_output_contents = 6",
    ),
    "InferOutputTensor": (
        "string name = 1",
        "string datatype = 2",
        "repeated int64 shape = 3",
        "map<string, InferParameter> parameters = 4",
        "InferTensorContents contents = 5",
    ),
    "RepositoryIndexRequest": ("string repository_name = 1", "bool ready = 2"),
    "RepositoryIndexResponse": ("repeated ModelIndex models = 1",),
    "ModelIndex": ("string name = 1", "string version = 2", "string state = 3", "string reason = 4"),
}
# The status is an enumeration as published: 1 for serving, 2 for not serving.
CHECKS: dict[str, Fields] = {
    "HealthCheckRequest": ("string service = 1",),
    "HealthCheckResponse": ("int32 status = 1",),
}

_FIELD = re.compile(r"(?:(oneof|repeated) )?(map<string, )?(\w+)>? (\w+) = (\d+)")
_ONEOF = "parameter_choice"


def message_classes(package: str, messages: Mapping[str, Fields]) -> dict[str, MessageClass]:
    """Make the classes of a package's messages.

    Args:
        package: Full name of the package.
        messages: Fields by the message's name, in the language of ``.proto`` files.

    Returns:
        The classes by their messages' names.
    """
    file = FileDescriptorProto(name=f"lectern/{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        if any(text.startswith("oneof") for text in fields):
            message.oneof_decl.add(name=_ONEOF)
        for text in fields:
            _add_field(message, text, scope=f".{package}.")
    pool = DescriptorPool()
    pool.Add(file)
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages}


def _add_field(message: DescriptorProto, text: str, *, scope: str) -> None:
    match = _FIELD.fullmatch(text)
    assert match is not None, text
    rule, is_map, kind, name, number = match.groups()
    field = message.field.add(name=name, number=int(number), label=FieldDescriptorProto.LABEL_OPTIONAL)
    if rule == "repeated" or is_map:
        field.label = FieldDescriptorProto.LABEL_REPEATED
    if rule == "oneof":
        field.oneof_index = 0
    if is_map:
        # On the wire, a map is a list of pairs.
        pair = message.nested_type.add(name=f"{name.capitalize()}Entry")
        pair.options.map_entry = True
        _add_field(pair, "string key = 1", scope=scope)
        _add_field(pair, f"{kind} value = 2", scope=scope)
        kind = f"{message.name}.{pair.name}"
    if kind[0].isupper():
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, scope + kind
    else:
        field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")

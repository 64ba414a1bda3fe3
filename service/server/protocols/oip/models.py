"""Declares the request and response bodies of the Open Inference Protocol.

The messages of the gRPC service have the same names.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from service.inference.precision import PrecisionChoice
from service.server.protocols.common.endpoint import ModelName

NumberType = Literal[
    "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"
]
_OutputName = Literal["probabilities"]
_Platform = Literal["onnxruntime_onnx"]
_Shape = Annotated[Sequence[int], Meta(description="-1: any size")]
_Size = Annotated[int, Meta(ge=0)]


class TensorParameters(Struct, frozen=True):
    """Parameters of an input tensor."""

    binary_data_size: _Size | UnsetType = UNSET


class InferInputTensor(Struct, frozen=True):
    """An input tensor."""

    name: Annotated[str, Meta(description="From the model's metadata")]
    datatype: NumberType | Literal["BYTES"]
    shape: list[_Size]
    data: Annotated[list[Any], Meta(description="Nested as the shape says, or flat")] | UnsetType = UNSET
    parameters: TensorParameters | None = None


class OutputParameters(Struct, frozen=True):
    """Parameters of a requested output."""

    classification: (
        Annotated[_Size, Meta(description="Number of best labels, as BYTES `probability:index:label`")]
        | UnsetType
    ) = UNSET
    binary_data: bool | UnsetType = UNSET


class InferRequestedOutputTensor(Struct, frozen=True):
    """A requested output."""

    name: _OutputName
    parameters: OutputParameters | None = None


class RequestParameters(Struct, frozen=True):
    """Parameters of an inference request."""

    binary_data_output: bool | UnsetType = UNSET


class ModelInferRequest(Struct, frozen=True):
    """An inference request in JSON.

    It documents the body; ``read_infer`` reads it by hand, so that each message says what to do.
    """

    inputs: Annotated[list[InferInputTensor], Meta(min_length=1, max_length=1)]
    id: Annotated[str, Meta(description="Comes back in the response")] | None = None
    outputs: Annotated[list[InferRequestedOutputTensor], Meta(max_length=1)] | None = None
    parameters: RequestParameters | None = None


class InferOutputTensor(Struct, frozen=True):
    """An output tensor; its data are in JSON or, with ``binary_data_size``, behind it."""

    name: _OutputName
    datatype: Literal["FP32", "BYTES"]
    shape: Annotated[tuple[int, ...], Meta(min_length=2, max_length=2)]
    parameters: TensorParameters | UnsetType = UNSET
    data: (
        Annotated[Any, Meta(extra_json_schema={"type": "array", "items": {"type": ["number", "string"]}})]
        | UnsetType
    ) = UNSET


class ModelInferResponse(Struct, frozen=True, kw_only=True):
    """An inference response."""

    model_name: ModelName
    model_version: str
    id: str | UnsetType = UNSET
    outputs: Annotated[list[InferOutputTensor], Meta(min_length=1, max_length=1)]


class ServerLiveResponse(Struct, frozen=True):
    """Whether the process is alive."""

    live: bool


class ServerReadyResponse(Struct, frozen=True):
    """Whether all models are loaded and warm."""

    ready: bool


class ModelReadyResponse(Struct, frozen=True):
    """Whether a model takes requests."""

    name: ModelName
    ready: bool


class ServerMetadataResponse(Struct, frozen=True):
    """The server's name, version and extensions."""

    name: str
    version: str
    extensions: Sequence[str]


class TensorMetadata(Struct, frozen=True):
    """The name, type and shape of a tensor."""

    name: str
    datatype: Literal["UINT8", "INT32", "FP32"]
    shape: _Shape


class ModelMetadataResponse(Struct, frozen=True):
    """A model's versions, inputs and outputs."""

    name: ModelName
    versions: list[str]
    platform: _Platform
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelOutput(Struct, frozen=True):
    """An output in a model's configuration; ``dims`` lacks the batch."""

    name: str
    data_type: Literal["TYPE_UINT8", "TYPE_INT32", "TYPE_FP32"]
    dims: _Shape


class ModelInput(ModelOutput, frozen=True):
    """An input in a model's configuration; ``dims`` lacks the batch."""

    format: Literal["FORMAT_NHWC", "FORMAT_NONE"]


class ModelConfig(Struct, frozen=True):
    """A model's configuration, which Triton's clients read before they batch."""

    name: ModelName
    platform: _Platform
    backend: Literal["onnxruntime"]
    max_batch_size: int
    input: list[ModelInput]
    output: list[ModelOutput]
    parameters: dict[Literal["precision"], dict[Literal["string_value"], PrecisionChoice]]


class RepositoryIndexRequest(Struct, frozen=True):
    """Filters of the repository index."""

    ready: Annotated[Any, Meta(description="Has no effect: every version is ready")] = None


class ModelIndex(Struct, frozen=True):
    """A version in the repository."""

    name: ModelName
    version: str
    state: Literal["READY"] = "READY"
    reason: str = ""

"""Declares the request and response bodies of the Open Inference Protocol.

The messages of the gRPC service have the same names.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias, get_args

from msgspec import UNSET, Meta, Struct, UnsetType

from service.inference.card import OutputName
from service.inference.precision import PrecisionChoice
from service.server.protocols.common import api

NUMBER_TYPES = (
    *("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"),
    *("FP16", "FP32", "FP64"),
)
_Name = Annotated[str, Meta(extra_json_schema={"enum": list(get_args(OutputName))})]
_Platform = Literal["onnxruntime_onnx"]
_Shape = Annotated[Sequence[int], Meta(description="-1: any size")]
_Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_EXACTLY_ONE = Meta(extra_json_schema={"minItems": 1, "maxItems": 1})


class Parameters(Struct, frozen=True):
    """Parameters of a request, an input or an output."""

    shared_memory_region: Annotated[Any, Meta(description="The server does not offer shared memory")] = UNSET


class TensorParameters(Parameters, frozen=True):
    """Parameters of an input tensor."""

    encoding: api.TensorEncoding | UnsetType = UNSET
    binary_data_size: Annotated[Any, Meta(extra_json_schema={"type": ["integer", "null"]})] = None


class InferInputTensor(Struct, frozen=True):
    """An input tensor."""

    name: Annotated[str, Meta(description="From the model's metadata")]
    datatype: Annotated[str, Meta(extra_json_schema={"enum": ["BYTES", *NUMBER_TYPES]})]
    shape: list[_Size]
    data: Annotated[
        Any,
        Meta(description="Nested as the shape says, or flat", extra_json_schema={"type": "array"}),
    ] = UNSET
    parameters: TensorParameters | None = None


class OutputParameters(Parameters, frozen=True):
    """Parameters of a requested output."""

    classification: Annotated[
        _Size, Meta(description="Number of best labels, as BYTES `probability:index:label`")
    ] = 0
    binary_data: bool | UnsetType = UNSET


class InferRequestedOutputTensor(Struct, frozen=True):
    """A requested output."""

    name: _Name
    parameters: OutputParameters | None = None


class RequestParameters(Parameters, frozen=True):
    """Parameters of an inference request."""

    encoding: api.TensorEncoding | UnsetType = UNSET
    binary_data_output: bool | UnsetType = UNSET


# The response has it, and the server keeps it until the client has read the response.
MAX_ID = 256
RequestId: TypeAlias = Annotated[str, Meta(max_length=MAX_ID)] | int


class ModelInferRequest(Struct, frozen=True):
    """An inference request in JSON."""

    inputs: Annotated[list[InferInputTensor], _EXACTLY_ONE]
    id: Annotated[RequestId, Meta(description="Comes back in the response, and in an error")] | None = None
    outputs: Annotated[list[InferRequestedOutputTensor], Meta(extra_json_schema={"maxItems": 1})] | None = (
        None
    )
    parameters: RequestParameters | None = None


class OutputTensorParameters(Struct, frozen=True):
    """Parameters of an output tensor."""

    binary_data_size: int


class InferOutputTensor(Struct, frozen=True):
    """An output tensor; its data are in the JSON or, with ``binary_data_size``, after it."""

    name: _Name
    datatype: Literal["FP32", "BYTES"]
    shape: Annotated[tuple[int, ...], Meta(min_length=2, max_length=2)]
    parameters: OutputTensorParameters | UnsetType = UNSET
    data: Annotated[
        Any, Meta(extra_json_schema={"type": "array", "items": {"type": ["number", "string"]}})
    ] = UNSET


class ModelInferResponse(Struct, frozen=True, kw_only=True):
    """An inference response."""

    model_name: api.ModelName
    model_version: str
    id: str | int | UnsetType = UNSET
    outputs: Annotated[list[InferOutputTensor], _EXACTLY_ONE]


class ServerLiveResponse(Struct, frozen=True):
    """Whether the process is alive."""

    live: bool


class ServerReadyResponse(Struct, frozen=True):
    """Whether all models are loaded and warm."""

    ready: bool


class ModelReadyResponse(Struct, frozen=True):
    """Whether a model takes requests."""

    name: api.ModelName
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

    name: api.ModelName
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

    name: api.ModelName
    platform: _Platform
    backend: Literal["onnxruntime"]
    max_batch_size: int
    input: list[ModelInput]
    output: list[ModelOutput]
    parameters: dict[Literal["precision"], dict[Literal["string_value"], PrecisionChoice]]


class StatisticDuration(Struct, frozen=True):
    """How often something happened, and the nanoseconds of all times together."""

    count: int
    ns: int


class InferStatistics(Struct, frozen=True, kw_only=True):
    """Requests of a version by their end, and the time of their stages."""

    success: Annotated[StatisticDuration, Meta(description="Requests that the network has answered")]
    fail: Annotated[StatisticDuration, Meta(description="Requests that ended with an error; without a time")]
    queue: Annotated[StatisticDuration, Meta(description="Waiting for a thread or a run of the network")]
    compute_input: Annotated[StatisticDuration, Meta(description="Decoding")]
    compute_infer: Annotated[
        StatisticDuration, Meta(description="Running the network; requests of one run share its time")
    ]
    compute_output: Annotated[StatisticDuration, Meta(description="Without a time")]


class ModelStatistics(Struct, frozen=True, kw_only=True):
    """What all workers have counted for a version since the server started."""

    name: api.ModelName
    version: str
    inference_count: Annotated[int, Meta(description="Inputs classified")]
    execution_count: Annotated[int, Meta(description="Runs of the network")]
    inference_stats: InferStatistics


class ModelStatisticsResponse(Struct, frozen=True):
    """Statistics of one version, or of several."""

    model_stats: list[ModelStatistics]


class RepositoryIndexRequest(Struct, frozen=True):
    """Filters of the repository index."""

    ready: Annotated[bool, Meta(description="Whether to list only versions that are ready")] = False


class RepositoryModelRequest(Struct, frozen=True):
    """A request to load or unload a model."""

    parameters: Annotated[
        dict[str, Any] | None,
        Meta(
            description="Only `unload_dependents`, which has no effect; models come from the server's folder"
        ),
    ] = None

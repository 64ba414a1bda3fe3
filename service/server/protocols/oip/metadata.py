"""Builds the metadata of the Open Inference Protocol: of the server and its models."""

from collections.abc import Mapping, Sequence
from typing import Literal

from service.inference.card import Card, Dtype
from service.inference.errors import shorten
from service.inference.precision import PrecisionChoice
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.oip import models
from service.server.protocols.oip.request import invalid_request
from service.server.protocols.oip.tensors import DATATYPE_BY_DTYPE
from service.server.release import server_version

# gRPC sends binary data without an extension.
GRPC_EXTENSIONS = ("classification", "model_repository", "model_configuration", "statistics")
HTTP_EXTENSIONS = ("binary_tensor_data", *GRPC_EXTENSIONS)
_DATA_TYPES: dict[Dtype, Literal["TYPE_UINT8", "TYPE_INT32", "TYPE_FP32"]] = {
    "uint8": "TYPE_UINT8",
    "int32": "TYPE_INT32",
    "float32": "TYPE_FP32",
}
# Of the requests that load and unload models, without effect and without risk.
_IGNORED_PARAMETERS = {"unload_dependents"}


def server_document(extensions: Sequence[str] = HTTP_EXTENSIONS) -> models.ServerMetadataResponse:
    """Return name, version and extensions of this server."""
    return models.ServerMetadataResponse("lectern", server_version(), extensions)


def model_document(card: Card, *, versions: Sequence[int]) -> models.ModelMetadataResponse:
    """Return a model's versions, inputs and outputs.

    Args:
        card: Card of the requested version.
        versions: All versions of the model.
    """
    spec = card.input
    return models.ModelMetadataResponse(
        name=card.name,
        versions=[str(number) for number in versions],
        platform="onnxruntime_onnx",
        inputs=[models.TensorMetadata(spec.name, DATATYPE_BY_DTYPE[spec.dtype], spec.shape)],
        outputs=[models.TensorMetadata(card.output, "FP32", (-1, len(card.labels)))],
    )


def config_document(card: Card, *, max_batch: int, precision: PrecisionChoice) -> models.ModelConfig:
    """Return a model's configuration.

    Args:
        card: Card of the requested version.
        max_batch: Limit of inputs in one request.
        precision: Precision in which the network runs.
    """
    spec = card.input
    image_format: Literal["FORMAT_NHWC", "FORMAT_NONE"] = (
        "FORMAT_NHWC" if spec.color_mode == "RGB" else "FORMAT_NONE"
    )
    return models.ModelConfig(
        name=card.name,
        platform="onnxruntime_onnx",
        backend="onnxruntime",
        max_batch_size=max_batch,
        input=[models.ModelInput(spec.name, _DATA_TYPES[spec.dtype], spec.shape[1:], image_format)],
        output=[models.ModelOutput(card.output, "TYPE_FP32", (len(card.labels),))],
        parameters={"precision": {"string_value": precision}},
    )


def check_parameters(parameters: object) -> None:
    """Check the parameters of a request to load or unload a model.

    Those of Triton hold the model or its configuration. Here models come from the server's folder.

    Args:
        parameters: The names are checked; None or empty if there are none.

    Raises:
        RequestError: 400: There are parameters that would have an effect.
    """
    if parameters is not None and not isinstance(parameters, Mapping):
        raise invalid_request('"parameters" must be an object')
    names = set(parameters or ()) - _IGNORED_PARAMETERS
    if names:
        raise RequestError(
            ErrorCode.INVALID_PARAMETER,
            f"parameter {shorten(min(names))} is not supported; put the model into the server's folder, and "
            "send no parameters",
        )

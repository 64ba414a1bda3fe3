"""Declares the request and response bodies of TensorFlow Serving's REST API, and builds the metadata."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from service.inference.arrays import ENCODINGS
from service.inference.card import Card
from service.server.protocols.common import api

SIGNATURE = "serving_default"
# Each is a further signature of a model of texts.
OTHER_ENCODINGS = tuple(encoding for encoding in ENCODINGS if encoding != "ids")

DataType = Literal["DT_UINT8", "DT_INT32", "DT_FLOAT"]
_Rows = Annotated[list[Any], Meta(min_length=1)]
_SignatureName = Literal["serving_default", "multi_hot", "", None]


class PredictRowsRequest(Struct, frozen=True):
    """A request in rows."""

    instances: _Rows
    signature_name: _SignatureName = None


class PredictColumnsRequest(Struct, frozen=True):
    """A request in columns."""

    inputs: _Rows | dict[str, _Rows]
    signature_name: _SignatureName = None


class PredictRowsResponse(Struct, frozen=True):
    """The response to a request in rows."""

    predictions: api.Outputs


class PredictColumnsResponse(Struct, frozen=True):
    """The response to a request in columns."""

    outputs: api.Outputs


class ModelVersionStatus(Struct, frozen=True):
    """The state of a version."""

    version: str
    state: Literal["AVAILABLE", "UNLOADING"]
    status: dict[Literal["error_code", "error_message"], str]


class GetModelStatusResponse(Struct, frozen=True):
    """The state of each version, the newest first."""

    model_version_status: list[ModelVersionStatus]


class Dim(Struct, frozen=True):
    """A dimension of a tensor; -1 is any size."""

    size: str
    name: str = ""


class TensorShapeProto(Struct, frozen=True):
    """The shape of a tensor."""

    dim: list[Dim]
    unknown_rank: bool = False


class TensorInfo(Struct, frozen=True):
    """The type and shape of a tensor."""

    dtype: DataType
    tensor_shape: TensorShapeProto
    name: str


class SignatureDef(Struct, frozen=True):
    """The inputs and outputs of a model."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    method_name: str = "tensorflow/serving/predict"


class ModelSpec(Struct, frozen=True):
    """The name and version of a model."""

    name: api.ModelName
    signature_name: str
    version: str


class GetModelMetadataResponse(Struct, frozen=True):
    """The signature of a model."""

    model_spec: ModelSpec
    metadata: dict[Literal["signature_def"], dict[Literal["signature_def"], dict[str, SignatureDef]]]


_DTYPES: dict[str, DataType] = {"uint8": "DT_UINT8", "int32": "DT_INT32", "float32": "DT_FLOAT"}


def model_status(versions: Sequence[int], *, available: bool) -> GetModelStatusResponse:
    """Return the state of some versions of a model, the newest first.

    Args:
        versions: Versions from the oldest.
        available: Whether the server takes requests.
    """
    state: Literal["AVAILABLE", "UNLOADING"] = "AVAILABLE" if available else "UNLOADING"
    no_error: dict[Literal["error_code", "error_message"], str] = {"error_code": "OK", "error_message": ""}
    return GetModelStatusResponse(
        [ModelVersionStatus(str(version), state, no_error) for version in reversed(versions)]
    )


def model_metadata(card: Card) -> GetModelMetadataResponse:
    """Return a model's signature."""
    spec = card.input
    signature = SignatureDef(
        inputs={spec.name: _tensor_info(spec.name, _DTYPES[spec.dtype], spec.shape)},
        outputs={card.output: _tensor_info(card.output, "DT_FLOAT", (-1, len(card.labels)))},
    )
    names = (SIGNATURE, *(OTHER_ENCODINGS if card.input.preprocessing == "text" else ()))
    return GetModelMetadataResponse(
        ModelSpec(name=card.name, signature_name="", version=str(card.version)),
        {"signature_def": {"signature_def": dict.fromkeys(names, signature)}},
    )


def _tensor_info(name: str, dtype: DataType, shape: tuple[int, ...]) -> TensorInfo:
    return TensorInfo(dtype, TensorShapeProto([Dim(str(size)) for size in shape]), name)

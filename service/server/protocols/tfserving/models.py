"""Declares the request and response bodies of TensorFlow Serving's REST API, and builds the metadata."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from service.inference.card import Card
from service.server.protocols.common.endpoint import ModelName, Probabilities, served
from service.server.protocols.common.tensors import OUTPUT

SIGNATURE = "serving_default"

DataType = Literal["DT_UINT8", "DT_INT32", "DT_FLOAT"]
_Rows = Annotated[list[Any], Meta(min_length=1), served("max_batch")]
_SignatureName = Literal["serving_default", "", None]


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

    predictions: Probabilities


class PredictColumnsResponse(Struct, frozen=True):
    """The response to a request in columns."""

    outputs: Probabilities


class StatusProto(Struct, frozen=True):
    """The error of a version; there is none."""

    error_code: Literal["OK"] = "OK"
    error_message: str = ""


class ModelVersionStatus(Struct, frozen=True):
    """The state of a version."""

    version: str
    state: Literal["AVAILABLE", "UNLOADING"]
    status: StatusProto = StatusProto()


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


class NamedSignatures(Struct, frozen=True):
    """The one signature of a model."""

    serving_default: SignatureDef


class SignatureDefMap(Struct, frozen=True):
    """The signatures of a model."""

    signature_def: NamedSignatures


class MetadataMap(Struct, frozen=True):
    """The metadata of a model."""

    signature_def: SignatureDefMap


class ModelSpec(Struct, frozen=True):
    """The name and version of a model."""

    name: ModelName
    signature_name: str
    version: str


class GetModelMetadataResponse(Struct, frozen=True):
    """The signature of a model."""

    model_spec: ModelSpec
    metadata: MetadataMap


_DTYPES: dict[str, DataType] = {"uint8": "DT_UINT8", "int32": "DT_INT32"}


def model_metadata(card: Card) -> GetModelMetadataResponse:
    """Return a model's signature."""
    spec = card.input
    signature = SignatureDef(
        inputs={spec.name: _tensor_info(spec.name, _DTYPES[spec.dtype], spec.shape)},
        outputs={OUTPUT: _tensor_info(OUTPUT, "DT_FLOAT", (-1, len(card.labels)))},
    )
    return GetModelMetadataResponse(
        ModelSpec(name=card.name, signature_name="", version=str(card.version)),
        MetadataMap(SignatureDefMap(NamedSignatures(signature))),
    )


def _tensor_info(name: str, dtype: DataType, shape: tuple[int, ...]) -> TensorInfo:
    return TensorInfo(dtype, TensorShapeProto([Dim(str(size)) for size in shape]), name)

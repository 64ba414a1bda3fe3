"""Owns what the Open Inference Protocol tells of the server and its models."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from service.inference.card import Card
from service.inference.catalog import Catalog
from service.server.protocols.common.tensors import OUTPUT
from service.server.protocols.oip.tensors import DATATYPE_BY_DTYPE

# Binary data need no extension over gRPC, and it has no model's configuration.
HTTP_EXTENSIONS = ("binary_tensor_data", "classification", "model_repository", "model_configuration")
GRPC_EXTENSIONS = ("classification", "model_repository")
_PLATFORM = "onnxruntime_onnx"


def server_document(extensions: Sequence[str] = HTTP_EXTENSIONS) -> dict[str, object]:
    """Return name, version and extensions of this server."""
    return {"name": "lectern", "version": _version(), "extensions": extensions}


def model_document(card: Card, *, versions: Sequence[int]) -> dict[str, object]:
    """Return a model's versions, inputs and outputs; -1 stands for a free dimension.

    Args:
        card: Of the version that is asked for.
        versions: All that there are.
    """
    spec = card.input
    takes = {"name": spec.name, "datatype": DATATYPE_BY_DTYPE[spec.dtype], "shape": spec.shape}
    gives = {"name": OUTPUT, "datatype": "FP32", "shape": [-1, len(card.labels)]}
    return {
        "name": card.name,
        "versions": [str(number) for number in versions],
        "platform": _PLATFORM,
        "inputs": [takes],
        "outputs": [gives],
    }


def config_document(card: Card, *, max_batch: int, precision: str) -> dict[str, object]:
    """Return what Triton's clients ask for before they batch: shapes without the batch, and its limit.

    Args:
        card: Of the version that is asked for.
        max_batch: Most inputs of one request.
        precision: In which it runs, one of the parameters that the protocol leaves to the server.
    """
    spec = card.input
    takes = {
        "name": spec.name,
        "data_type": f"TYPE_{DATATYPE_BY_DTYPE[spec.dtype]}",
        "format": "FORMAT_NHWC" if spec.color_mode == "RGB" else "FORMAT_NONE",
        "dims": spec.shape[1:],
    }
    return {
        "name": card.name,
        "platform": _PLATFORM,
        "backend": "onnxruntime",
        "max_batch_size": max_batch,
        "input": [takes],
        "output": [{"name": OUTPUT, "data_type": "TYPE_FP32", "dims": [len(card.labels)]}],
        "parameters": {"precision": {"string_value": precision}},
    }


def index_document(catalog: Catalog) -> list[dict[str, str]]:
    """Return one row for each version of each model; those not loaded yet are when they are asked for."""
    return [
        {"name": card.name, "version": str(number), "state": "READY", "reason": ""}
        for card in catalog
        for number in catalog.versions(card.name)
    ]


def _version() -> str:
    try:
        return version("lectern")
    except PackageNotFoundError:
        return "unknown"  # A bento holds our modules, and is not installed.

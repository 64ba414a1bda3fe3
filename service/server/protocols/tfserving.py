"""Owns the dialect of TensorFlow Serving's REST API below ``/v1``."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.inference.card import Card
from service.inference.predictor import Array, Input
from service.server.execution.engine import Engine
from service.server.pipeline.errors import RequestError
from service.server.protocols.common.inputs import check_batch, decode_base64, decode_text, parse_json
from service.server.protocols.common.tensors import (
    OUTPUT,
    check_shape,
    flatten,
    invalid_tensor,
    network_batch,
    numbers,
)
from service.server.protocols.huggingface import json_response, timing_headers, version_of
from service.settings import Settings

_SIGNATURE = "serving_default"
_DTYPES = {"uint8": "DT_UINT8", "int32": "DT_INT32"}
# Longer bodies are read in a thread, so that other callers need not wait for it.
_INLINE_JSON_BYTES = 50_000


class _NameConvertor(StringConvertor):
    """A part of a path up to the colon that a verb stands behind."""

    regex = "[^/:]+"


register_url_convertor("name", _NameConvertor())


@dataclass(frozen=True)
class PredictRequest:
    """What a caller wants predicted.

    Attributes:
        content: The network's own batch, or picture files or texts.
        field: Where the answer goes: ``predictions`` for rows, ``outputs`` for columns.
    """

    content: Array | tuple[Input, ...]
    field: str


@dataclass(frozen=True)
class TfServingProtocol:
    """The routes of one server process; each handler is a plain Starlette endpoint."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[Route]:
        """Return the routes, the busiest first."""
        model, version = "/v1/models/{name:name}", "/versions/{version:name}"
        return [
            Route(f"{model}:predict", self.predict, methods=["POST"]),
            Route(f"{model}{version}:predict", self.predict, methods=["POST"]),
            Route(model, self.status, methods=["GET"]),
            Route(f"{model}{version}", self.status, methods=["GET"]),
            Route(f"{model}/metadata", self.metadata, methods=["GET"]),
            Route(f"{model}{version}/metadata", self.metadata, methods=["GET"]),
        ]

    async def predict(self, request: Request) -> Response:
        """Answer ``POST …:predict``: the probabilities of each row."""
        begun = time.perf_counter()
        predictor = await self.engine.predictor(request.path_params["name"], version_of(request))
        body, card = await request.body(), predictor.card
        read = partial(read_predict, body, card=card, max_batch=self.settings.max_batch)
        wanted = read() if len(body) <= _INLINE_JSON_BYTES else await self.engine.in_thread(read)
        result = await self.engine.infer(predictor, wanted.content, started=begun)
        headers = timing_headers(card, result.timing)
        return json_response({wanted.field: result.probabilities}, headers)

    async def status(self, request: Request) -> Response:
        """Answer ``GET /v1/models/{name}[/versions/{version}]``: each version's state, the newest first."""
        name, version = request.path_params["name"], version_of(request)
        catalog = self.engine.catalog
        versions = catalog.versions(name) if version is None else (catalog.card(name, version).version,)
        state = "AVAILABLE" if self.engine.ready else "UNLOADING"
        fine = {"error_code": "OK", "error_message": ""}
        rows = [{"version": str(number), "state": state, "status": fine} for number in reversed(versions)]
        return json_response({"model_version_status": rows})

    async def metadata(self, request: Request) -> Response:
        """Answer ``GET …/metadata``: the one signature, its input and its output."""
        card = self.engine.catalog.card(request.path_params["name"], version_of(request))
        return json_response(metadata_document(card))


def metadata_document(card: Card) -> dict[str, object]:
    """Return a model's signature in the shape that TensorFlow Serving gives it."""
    spec = card.input
    signature = {
        "inputs": {spec.name: _tensor_info(spec.name, _DTYPES[spec.dtype], spec.shape)},
        "outputs": {OUTPUT: _tensor_info(OUTPUT, "DT_FLOAT", (-1, len(card.labels)))},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": card.name, "signature_name": "", "version": str(card.version)},
        "metadata": {"signature_def": {"signature_def": {_SIGNATURE: signature}}},
    }


def read_predict(body: bytes, *, card: Card, max_batch: int) -> PredictRequest:
    """Read a prediction request in rows (``instances``) or in columns (``inputs``).

    Args:
        body: The whole body, already within the limit.
        card: Of the model that is asked.
        max_batch: Most inputs in one request.

    Raises:
        RequestError: 400 or 413: the request cannot be used.
    """
    document = parse_json(body)
    if not isinstance(document, dict) or ("instances" in document) == ("inputs" in document):
        raise _invalid('the JSON body must be an object with "instances" (rows) or "inputs" (columns)')
    signature = document.get("signature_name") or _SIGNATURE
    if signature != _SIGNATURE:
        raise RequestError(
            400, "invalid_parameter", f'the only "signature_name" is {_SIGNATURE!r}; leave it out'
        )
    name = card.input.name
    if "instances" in document:
        rows, field = _rows(document["instances"], "instances"), "predictions"
        rows = [_unwrapped(row, name) for row in rows]
    else:
        rows, field = _rows(_unwrapped(document["inputs"], name), "inputs"), "outputs"
    check_batch(len(rows), max_batch=max_batch)
    return PredictRequest(_content(rows, card, max_batch), field)


def _content(rows: list[Any], card: Card, max_batch: int) -> Array | tuple[Input, ...]:
    """Return rows as the network's batch, or as files or texts; all must be of the first one's kind."""
    spec, is_text, first = card.input, card.task == "text-classification", rows[0]
    if isinstance(first, dict):
        files = [_decoded(row, spec.name) for row in rows]
        return tuple(map(decode_text, files)) if is_text else tuple(files)
    if isinstance(first, str) and is_text and all(isinstance(row, str) for row in rows):
        return tuple(rows)
    if not isinstance(first, list):
        wanted = "texts, or lists of ids" if is_text else 'lists of pixels, or pictures as {"b64": "…"}'
        raise invalid_tensor(f"the rows of {spec.name} must be all {wanted}")
    sizes = [len(first) if size == -1 else size for size in spec.shape[1:]]
    shape = [len(rows), *sizes]
    check_shape(shape, card, max_batch=max_batch)
    values = numbers(flatten(rows, shape, name=spec.name), name=spec.name)
    return network_batch(values.reshape(shape), card)


def _unwrapped(value: Any, name: str) -> Any:
    """Return the value of the one input that a model has, whether or not the caller names the input."""
    if not isinstance(value, Mapping) or "b64" in value:
        return value
    if list(value) != [name]:
        raise _invalid(f"the model takes exactly one input, {name!r}; name that or none")
    return value[name]


def _decoded(row: Any, name: str) -> bytes:
    if isinstance(row, Mapping) and list(row) == ["b64"] and isinstance(row["b64"], str):
        return decode_base64(row["b64"])
    raise invalid_tensor(f'the rows of {name} must be all of one kind, such as {{"b64": "…"}} with base64')


def _rows(value: Any, field: str) -> list[Any]:
    if isinstance(value, list) and value:
        return value
    raise _invalid(f'"{field}" must be a list of one or more rows')


def _tensor_info(name: str, dtype: str, shape: tuple[int, ...]) -> dict[str, object]:
    dimensions = [{"size": str(size), "name": ""} for size in shape]
    return {
        "dtype": dtype,
        "tensor_shape": {"dim": dimensions, "unknown_rank": False},
        "name": name,
    }


def _invalid(message: str) -> RequestError:
    return RequestError(400, "invalid_request", message)

"""Serves the Open Inference Protocol below ``/v2``."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from service.inference.card import Card
from service.server.execution.engine import Engine
from service.server.pipeline.access_log import running_request
from service.server.pipeline.limits import check_ready
from service.server.protocols.common import api
from service.server.protocols.common.bodies import parse_body, parse_json
from service.server.protocols.common.compression import compress
from service.server.protocols.common.model_index import ModelIndex, index_document
from service.server.protocols.common.parameters import path_version
from service.server.protocols.common.responses import timing_headers
from service.server.protocols.oip import models
from service.server.protocols.oip.metadata import (
    check_parameters,
    config_document,
    model_document,
    server_document,
)
from service.server.protocols.oip.request import infer_memory, invalid_request, json_length, read_infer
from service.server.protocols.oip.response import infer_response
from service.server.protocols.oip.statistics import statistics_document
from service.server.protocols.oip.tensors import BYTES, DATATYPE_BY_DTYPE
from service.settings import Settings

TAG = api.Tag("Open Inference Protocol", "Version 2 over HTTP, for the clients of Triton and KServe")
_LENGTH_HEADER = "Inference-Header-Content-Length"
# The tensor of a longer body is converted in a thread, even if its JSON is short.
_INLINE_BYTES = 1_000_000


class InferHeaders(Struct, frozen=True, rename={"json_length": _LENGTH_HEADER}):
    """Header fields of an inference request."""

    json_length: (
        Annotated[int, Meta(ge=0, description="Bytes of JSON at the beginning of a binary body")] | UnsetType
    ) = UNSET


def _best_label_example(sample: api.Sample) -> tuple[str, object] | None:
    if sample.card.reads == "tables" or sample.card.task == "regression":
        return None
    summary = "a review" if sample.is_text else "a picture file in base64"
    tensor = {"name": sample.card.input.name, "datatype": BYTES, "shape": [1], "data": [sample.value]}
    output = {"name": sample.card.output, "parameters": {"classification": 1}}
    return f"{summary}, its best label", {"id": "lecture-7", "inputs": [tensor], "outputs": [output]}


def _tensor_example(sample: api.Sample) -> tuple[str, object] | None:
    spec = sample.card.input
    if sample.numbers is None:
        return None
    tensor = {
        "name": spec.name,
        "datatype": DATATYPE_BY_DTYPE[spec.dtype],
        "shape": [1, *spec.shape[1:]],
        "data": sample.numbers,
    }
    return f"a tensor, all {sample.card.output}", {"inputs": [tensor]}


INFER = api.Operation(
    "oipInfer",
    tag=TAG,
    method="POST",
    predicts=True,
    description="A tensor of numbers as in the model's metadata, or `BYTES` of shape [n]: texts, or picture "
    "files, in JSON in base64. The server ignores the content type; only the header "
    f"`{_LENGTH_HEADER}` counts: without it the body is JSON; with it, that many bytes of JSON and then the "
    "tensor's little-endian bytes; with 0 the body is only the tensor. The response is binary if the "
    "request asks for that. A response of 1,000 bytes or more is compressed with gzip or deflate if "
    "`Accept-Encoding` has one of them.",
    request_headers=InferHeaders,
    request={api.JSON: (models.ModelInferRequest,), api.OCTETS: (api.Binary,)},
    examples=(api.Example(make=_best_label_example), api.Example(make=_tensor_example, suffix="-tensor")),
    responses={api.JSON: (models.ModelInferResponse,), api.OCTETS: (api.Binary,)},
    response_headers=("X-Model-Version", "Server-Timing"),
    errors=(415, 422),
)
INDEX = api.Operation(
    "oipIndex",
    tag=TAG,
    method="POST",
    request={api.JSON: (models.RepositoryIndexRequest,)},
    body_required=False,
    examples=(api.Example(make=lambda _: ("versions that are ready", {"ready": True}), per_model=False),),
)


def _control(name: str) -> api.Operation:
    return api.Operation(
        f"oip{name.capitalize()}Model",
        tag=TAG,
        method="POST",
        models="none",  # any name of a folder
        request={api.JSON: (models.RepositoryModelRequest,)},
        body_required=False,
    )


@dataclass(frozen=True)
class OipProtocol:
    """The endpoints of one server process."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints, the most frequent first."""
        model = "/v2/models/{name}[/versions/{version}]"
        return [
            *api.endpoints(f"{model}/infer", self.infer, INFER),
            *api.endpoints(
                f"{model}/ready", self.model_ready, api.Operation("oipModelReady", tag=TAG, errors=(503,))
            ),
            api.Endpoint("/v2/models/stats", self.all_statistics, api.Operation("oipStatistics", tag=TAG)),
            *api.endpoints(model, self.model, api.Operation("oipModel", tag=TAG)),
            *api.endpoints(f"{model}/stats", self.statistics, api.Operation("oipModelStatistics", tag=TAG)),
            *api.endpoints(f"{model}/config", self.config, api.Operation("oipModelConfig", tag=TAG)),
            api.Endpoint("/v2", self.server, api.Operation("oipServer", tag=TAG)),
            api.Endpoint("/v2/health/live", self.live, api.Operation("oipLive", tag=TAG, access="probe")),
            api.Endpoint(
                "/v2/health/ready",
                self.ready,
                api.Operation("oipReady", tag=TAG, errors=(503,), access="probe"),
            ),
            api.Endpoint("/v2/repository/index", self.index, INDEX),
            *(self._control_routes() if self.settings.model_control else ()),
        ]

    def _control_routes(self) -> list[api.Endpoint]:
        model = "/v2/repository/models/{name}"
        return [
            api.Endpoint(f"{model}/load", self.load, _control("load")),
            api.Endpoint(f"{model}/unload", self.unload, _control("unload")),
        ]

    async def infer(self, request: Request) -> Response:
        """Probabilities, or the best labels, of a batch."""
        started = time.perf_counter()
        predictor = await self.engine.predictor(request.path_params["name"], path_version(request))
        body, card = await request.body(), predictor.card
        length = json_length(request.headers.get(_LENGTH_HEADER), body)
        parse = partial(
            read_infer, length=length, card=card, max_batch=self.settings.max_batch, note_id=_note_id()
        )
        size = length if len(body) <= _INLINE_BYTES else None
        memory = partial(infer_memory, length=length)
        infer = await parse_body(self.engine, body, parse, memory=memory, size=size)
        del body  # Only what was parsed is still needed.
        result = await self.engine.infer(predictor, infer.content, started=started)
        headers = timing_headers(card, result)
        response = infer_response(infer, result.probabilities, card=card, headers=headers)
        await compress(response, request)
        return response

    async def server(self, request: Request) -> models.ServerMetadataResponse:
        """The server's name, version and extensions."""
        return server_document()

    async def live(self, request: Request) -> models.ServerLiveResponse:
        """Is the process alive?"""
        return models.ServerLiveResponse(live=True)

    async def ready(self, request: Request) -> models.ServerReadyResponse:
        """Are all models loaded and warm?"""
        check_ready(self.engine.is_ready())
        return models.ServerReadyResponse(ready=True)

    async def model_ready(self, request: Request) -> models.ModelReadyResponse:
        """Does the model take requests?"""
        check_ready(self.engine.is_ready())
        return models.ModelReadyResponse(name=self._card(request).name, ready=True)

    async def model(self, request: Request) -> models.ModelMetadataResponse:
        """A model's versions, inputs and outputs."""
        card = self._card(request)
        return model_document(card, versions=self.engine.catalog.versions(card.name))

    async def config(self, request: Request) -> models.ModelConfig:
        """Shapes and the largest batch, for Triton's clients."""
        card = self._card(request)
        precision = self.engine.catalog.precision(card)
        return config_document(card, max_batch=self.settings.max_batch, precision=precision)

    async def all_statistics(self, request: Request) -> models.ModelStatisticsResponse:
        """What was counted for each version of each model, for Triton's clients."""
        return statistics_document(self.engine.catalog.cards())

    async def statistics(self, request: Request) -> models.ModelStatisticsResponse:
        """What was counted for a model: all its versions, or the one in the path."""
        name, version = request.path_params["name"], path_version(request)
        return statistics_document(self.engine.catalog.cards(name, version))

    async def index(self, request: Request) -> list[ModelIndex]:
        """All versions of all models, with those that cannot be used."""
        filters = await _body(request, 'an object such as {"ready": true}')
        return index_document(self.engine.catalog, ready=bool(filters.get("ready")))

    async def load(self, request: Request) -> list[ModelIndex]:
        """Load a model from its folder, or load it again with new versions.

        Requests that run are completed by the versions that they began with. If the default version cannot be
        used, the response is an error and nothing changes. The response comes when all workers have followed.
        """
        check_parameters((await _body(request, "an object")).get("parameters"))
        await self.engine.control.load(request.path_params["name"])
        return self._index_of(request)

    async def unload(self, request: Request) -> list[ModelIndex]:
        """Unload a model.

        Requests that run are completed. The response comes when all workers have followed.
        """
        check_parameters((await _body(request, "an object")).get("parameters"))
        await self.engine.control.unload(request.path_params["name"])
        return self._index_of(request)

    def _index_of(self, request: Request) -> list[ModelIndex]:
        name = request.path_params["name"]
        return [row for row in index_document(self.engine.catalog) if row.name == name]

    def _card(self, request: Request) -> Card:
        return self.engine.catalog.card(request.path_params["name"], path_version(request))


def _note_id() -> Callable[[str | int], None]:
    """Return what notes the id of the running request, in any thread."""
    record = running_request.get()

    def note(body_id: str | int) -> None:
        if record is not None:
            record.body_id = body_id

    return note


async def _body(request: Request, expected: str) -> dict[str, Any]:
    document = parse_json(await request.body() or b"{}")
    if not isinstance(document, dict):
        raise invalid_request(f"the body must be empty, or {expected}")
    return document

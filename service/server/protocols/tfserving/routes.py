"""Serves TensorFlow Serving's REST API below ``/v1``."""

import time
from dataclasses import dataclass
from functools import partial

import numpy as np
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from service.server.execution.engine import Engine
from service.server.protocols.common import api
from service.server.protocols.common.bodies import json_memory, parse_body
from service.server.protocols.common.parameters import path_version
from service.server.protocols.common.responses import json_response, timing_headers
from service.server.protocols.tfserving import models
from service.server.protocols.tfserving.request import read_predict
from service.settings import Settings

TAG = api.Tag("TensorFlow Serving", "The REST API of TensorFlow Serving")


class _NameConvertor(StringConvertor):
    """A part of a path up to the colon before a verb."""

    regex = "[^/:]+"


register_url_convertor("name", _NameConvertor())


def _example(sample: api.Sample) -> tuple[str, object]:
    if sample.card.reads == "pictures":
        return "a picture file", {"instances": [{"b64": sample.value}]}
    return sample.summary, {"instances": [sample.value]}


def _columns_example(sample: api.Sample) -> tuple[str, object] | None:
    if sample.numbers is None or len(sample.card.input.shape) > 3:
        return None
    rows = np.reshape(sample.numbers, sample.card.input.shape[1:]).tolist()
    return "a tensor, in columns", {"inputs": [rows]}


PREDICT = api.Operation(
    "tfServingPredict",
    tag=TAG,
    method="POST",
    predicts=True,
    description='Rows in `instances` or columns in `inputs`: nested lists, pictures as `{"b64": "…"}`, '
    "texts, or rows of a table as objects. The body is read as JSON whatever its content type.",
    request={api.JSON: (models.PredictRowsRequest, models.PredictColumnsRequest)},
    examples=(api.Example(make=_example), api.Example(make=_columns_example, suffix="-columns")),
    responses={api.JSON: (models.PredictRowsResponse, models.PredictColumnsResponse)},
    response_headers=("X-Model-Version", "Server-Timing"),
    errors=(422,),
)


@dataclass(frozen=True)
class TfServingProtocol:
    """The endpoints of one server process."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints, the most frequent first."""
        model = "/v1/models/{name:name}[/versions/{version:name}]"
        return [
            *api.endpoints(f"{model}:predict", self.predict, PREDICT),
            *api.endpoints(model, self.status, api.Operation("tfServingStatus", tag=TAG)),
            *api.endpoints(f"{model}/metadata", self.metadata, api.Operation("tfServingMetadata", tag=TAG)),
        ]

    async def predict(self, request: Request) -> Response:
        """The probabilities or values of each row."""
        started = time.perf_counter()
        predictor = await self.engine.predictor(request.path_params["name"], path_version(request))
        card = predictor.card
        parse = partial(read_predict, card=card, max_batch=self.settings.max_batch)
        predict = await parse_body(self.engine, await request.body(), parse, memory=json_memory)
        result = await self.engine.infer(predictor, predict.content, started=started)
        response = models.PredictRowsResponse if predict.by_rows else models.PredictColumnsResponse
        return json_response(response(result.probabilities), timing_headers(card, result))

    async def status(self, request: Request) -> models.GetModelStatusResponse:
        """The state of each version, the newest first."""
        name, version = request.path_params["name"], path_version(request)
        catalog = self.engine.catalog
        versions = catalog.versions(name) if version is None else (catalog.card(name, version).version,)
        return models.model_status(versions, available=self.engine.is_ready())

    async def metadata(self, request: Request) -> models.GetModelMetadataResponse:
        """The signature with its input and output."""
        card = self.engine.catalog.card(request.path_params["name"], path_version(request))
        return models.model_metadata(card)

"""Serves ``/models`` in the shape of Hugging Face's inference API."""

from dataclasses import dataclass
from typing import Annotated, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from service.inference.card import Card, Task, card_document
from service.inference.precision import PrecisionChoice
from service.inference.prediction import rank
from service.server.execution.engine import Engine
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common import api
from service.server.protocols.common.inputs import path_version
from service.server.protocols.common.prediction_body import (
    BODY_DESCRIPTION,
    NPY,
    SIMPLE,
    MultipartBody,
    PredictionBody,
    TopK,
    read_prediction,
)
from service.server.protocols.common.responses import doubt_headers, json_response, timing_headers
from service.settings import Settings


class Score(Struct, frozen=True):
    """A label and its softmax probability."""

    label: api.Label
    score: api.Probability


Scores = Annotated[
    list[Score], Meta(min_length=1, description="Best first; the scores of all labels sum to 1")
]


class ModelSummary(Struct, frozen=True):
    """A served model."""

    name: api.ModelName
    version: Annotated[int, Meta(description="The default version")]
    versions: tuple[int, ...]
    title: str
    task: Task
    labels: tuple[str, ...]
    accuracy: Annotated[float, Meta(description="On the whole test set, 0 to 1")]


class ModelList(Struct, frozen=True):
    """All served models."""

    models: list[ModelSummary]


class PredictionQuery(Struct, frozen=True):
    """Parameters of a prediction."""

    top_k: TopK | UnsetType = UNSET
    encoding: api.TensorEncoding | UnsetType = UNSET


# The card as `GET /models/{name}` sends it: with how the network runs on this server.
ServedCard = msgspec.defstruct(
    "Card",
    [
        *((name, kind) for name, kind in get_type_hints(Card).items() if name != "extra"),
        (
            "precision",
            Annotated[
                PrecisionChoice, Meta(description="In which the network runs; `auto` before it is measured")
            ],
        ),
        (
            "provider",
            Annotated[
                str | None,
                Meta(description="Provider of ONNX Runtime that runs the network; null before it is loaded"),
            ],
        ),
    ],
    namespace={"__doc__": Card.__doc__},
)


def _example(sample: api.Sample) -> tuple[str, object]:
    summary = "a review" if sample.is_text else "a picture in base64"
    return summary, {"inputs": sample.value, "parameters": {"top_k": 3}}


def _text_example(sample: api.Sample) -> tuple[str, object] | None:
    return ("a review", sample.value) if sample.is_text else None


SHOW = api.Operation(
    "getModel", tag=SIMPLE, responses={api.JSON: (ServedCard,)}, response_headers=("X-Model-Version",)
)
PREDICT = api.Operation(
    "predict",
    tag=SIMPLE,
    method="POST",
    description=BODY_DESCRIPTION,
    query=PredictionQuery,
    request={
        api.JSON: (PredictionBody,),
        "image/*": (api.Binary,),
        api.OCTETS: (api.Binary,),
        NPY: (api.Binary,),
        "text/plain": (str,),
        "multipart/form-data": (MultipartBody,),
    },
    examples=(api.Example(make=_example), api.Example(make=_text_example, media_type="text/plain")),
    responses={api.JSON: (Scores, Annotated[list[Scores], Meta(min_length=1)])},
    response_headers=("X-Model-Version", "X-Lectern-Unsure", "X-Lectern-Reason", "Server-Timing"),
    errors=(415, 422),
)


@dataclass(frozen=True)
class HuggingFaceProtocol:
    """The endpoints of one server process."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints, the most frequent first."""
        model = "/models/{name}[/versions/{version}]"
        return [
            *api.endpoints(model, self.predict, PREDICT),
            *api.endpoints(model, self.show, SHOW),
            api.Endpoint("/models", self.index, api.Operation("listModels", tag=SIMPLE)),
        ]

    async def index(self, request: Request) -> ModelList:
        """All models."""
        return ModelList([self._summary(card) for card in self.engine.catalog])

    async def show(self, request: Request) -> Response:
        """A model's card.

        Its labels, layers, training, figures and provenance. A card may have more fields.
        """
        card = self.engine.catalog.card(request.path_params["name"], path_version(request))
        catalog = self.engine.catalog
        document = card_document(card) | {
            "precision": catalog.precision(card),
            "provider": catalog.provider(card),
        }
        return json_response(document, {"X-Model-Version": str(card.version)})

    async def predict(self, request: BufferedRequest) -> Response:
        """Labels with scores, best first."""
        predictor = await self.engine.predictor(request.path_params["name"], path_version(request))
        prediction = await read_prediction(
            request, self.engine, card=predictor.card, max_batch=self.settings.max_batch
        )
        result, card = await self.engine.infer(predictor, prediction.content), predictor.card
        ranked = [rank(row, card.labels, top_k=prediction.top_k) for row in result.probabilities]
        headers = timing_headers(card, result)
        headers |= doubt_headers([row[0][1] < card.unsure_below for row in ranked], result.reasons)
        rows = [[Score(label, score) for label, score in row] for row in ranked]
        return json_response(rows if prediction.is_batch else rows[0], headers)

    def _summary(self, card: Card) -> ModelSummary:
        return ModelSummary(
            name=card.name,
            version=card.version,
            versions=tuple(self.engine.catalog.versions(card.name)),
            title=card.title,
            task=card.task,
            labels=card.labels,
            accuracy=card.metrics.accuracy,
        )

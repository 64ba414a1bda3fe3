"""Serves ``/models`` in the shape of Hugging Face's inference API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from service.inference.card import Card, Metrics, Task, card_document
from service.inference.precision import Precision, PrecisionChoice, metrics_of, served_card
from service.inference.prediction import APPLIES_FROM, confidence, rank
from service.server.execution.engine import Engine, InferenceResult
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common import api
from service.server.protocols.common.inputs import path_version
from service.server.protocols.common.prediction_body import read_prediction
from service.server.protocols.common.prediction_schemas import (
    BODY_DESCRIPTION,
    CSV,
    NPY,
    SIMPLE,
    MultipartBody,
    PredictionBody,
    TopK,
)
from service.server.protocols.common.responses import doubt_headers, json_response, timing_headers
from service.settings import Settings


class Score(Struct, frozen=True):
    """A label and its probability."""

    label: api.Label
    score: api.Probability
    applies: Annotated[
        bool | UnsetType,
        Meta(
            description="Whether the label is more probable than not; only of models that decide on several "
            "labels at once"
        ),
    ] = UNSET


class Value(Struct, frozen=True):
    """A value that a regression predicts."""

    label: api.Label
    value: Annotated[float, Meta(description="In the unit of the card's `regression`")]


Scores = Annotated[
    list[Score],
    Meta(
        min_length=1,
        description="Best first; the scores of all labels sum to 1, unless several can apply at once",
    ),
]
Values = Annotated[list[Value], Meta(min_length=1, description="In the order of the card's labels")]

_PRECISION = Meta(description="In which the network runs; `auto` before it is measured")


class ModelSummary(Struct, frozen=True):
    """A served model."""

    name: api.ModelName
    version: Annotated[int, Meta(description="The default version")]
    versions: tuple[int, ...]
    title: str
    task: Task
    labels: tuple[str, ...]
    precision: Annotated[PrecisionChoice, _PRECISION]
    accuracy: Annotated[
        float | None,
        Meta(description="Of the form that answers, on the whole test set, 0 to 1; null for a regression"),
    ]
    accuracies: Annotated[
        dict[Precision, float],
        Meta(description="Of each form of the network, on the same test set; empty for a regression"),
    ]
    r2: Annotated[
        float | UnsetType,
        Meta(description="Coefficient of determination of a regression on the whole test set"),
    ] = UNSET


class ModelList(Struct, frozen=True):
    """All served models."""

    models: list[ModelSummary]


class PredictionQuery(Struct, frozen=True):
    """Parameters of a prediction."""

    top_k: TopK | UnsetType = UNSET
    encoding: api.TensorEncoding | UnsetType = UNSET


# The card as `GET /models/{name}` sends it: with how the network runs on this server, and the metrics and the
# threshold of the form that answers.
ServedCard = msgspec.defstruct(
    "Card",
    [
        *((name, kind) for name, kind in get_type_hints(Card).items() if name != "extra"),
        ("precision", Annotated[PrecisionChoice, _PRECISION]),
        (
            "served_metrics",
            Annotated[
                Metrics | None,
                Meta(description="Of the form that answers, on the whole test set; null for a regression"),
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
    parameters = {} if sample.card.task == "regression" else {"parameters": {"top_k": 3}}
    return sample.summary, {"inputs": sample.value, **parameters}


def _text_example(sample: api.Sample) -> tuple[str, object] | None:
    return ("a review", sample.value) if sample.is_text else None


def _csv_example(sample: api.Sample) -> tuple[str, object] | None:
    if sample.card.reads != "tables":
        return None
    lines = (",".join(map(str, values)) for values in (sample.value, sample.value.values()))
    return "a table", "\n".join(lines) + "\n"


SHOW = api.Operation(
    "getModel", tag=SIMPLE, responses={api.JSON: (ServedCard,)}, response_headers=("X-Model-Version",)
)
PREDICT = api.Operation(
    "predict",
    tag=SIMPLE,
    method="POST",
    predicts=True,
    description=BODY_DESCRIPTION,
    query=PredictionQuery,
    request={
        api.JSON: (PredictionBody,),
        "image/*": (api.Binary,),
        api.OCTETS: (api.Binary,),
        NPY: (api.Binary,),
        "text/plain": (str,),
        CSV: (str,),
        "multipart/form-data": (MultipartBody,),
    },
    examples=(
        api.Example(make=_example),
        api.Example(make=_text_example, media_type="text/plain"),
        api.Example(make=_csv_example, media_type=CSV),
    ),
    responses={
        api.JSON: (
            Scores,
            Annotated[list[Scores], Meta(min_length=1)],
            Values,
            Annotated[list[Values], Meta(min_length=1)],
        )
    },
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
        precision = catalog.precision(card)
        metrics = metrics_of(card, precision)
        document = card_document(served_card(card, precision)) | {
            "precision": precision,
            "served_metrics": card_document(metrics) if metrics else None,
            "provider": catalog.provider(card),
        }
        return json_response(document, {"X-Model-Version": str(card.version)})

    async def predict(self, request: BufferedRequest) -> Response:
        """Labels with scores, best first, or the values of a regression."""
        predictor = await self.engine.predictor(request.path_params["name"], path_version(request))
        prediction = await read_prediction(
            request, self.engine, card=predictor.card, max_batch=self.settings.max_batch
        )
        card = predictor.card
        if card.task == "regression" and prediction.top_k is not None:
            raise RequestError(
                ErrorCode.INVALID_PARAMETER,
                f"top_k is a number of labels, and {card.name} predicts values; leave it out",
            )
        result = await self.engine.infer(predictor, prediction.content)
        rows, unsure = _answers(result, card, top_k=prediction.top_k)
        headers = timing_headers(card, result) | doubt_headers(unsure, result.reasons)
        return json_response(rows if prediction.is_batch else rows[0], headers)

    def _summary(self, card: Card) -> ModelSummary:
        precision = self.engine.catalog.precision(card)
        metrics = metrics_of(card, precision)
        accuracies: dict[Precision, float] = {}
        if card.metrics:
            accuracies["float32"] = card.metrics.accuracy
            if card.quantized:
                accuracies["int8"] = card.quantized.metrics.accuracy
        return ModelSummary(
            name=card.name,
            version=card.version,
            versions=tuple(self.engine.catalog.versions(card.name)),
            title=card.title,
            task=card.task,
            labels=card.labels,
            precision=precision,
            accuracy=metrics.accuracy if metrics else None,
            accuracies=accuracies,
            r2=card.regression.r2 if card.regression else UNSET,
        )


def _answers(
    result: InferenceResult, card: Card, *, top_k: int | None
) -> tuple[Sequence[Sequence[Score | Value]], list[bool]]:
    """Return the labels or values for each input, and whether its scores are unsure."""
    outputs = result.probabilities
    if card.task == "regression":
        values = [
            [Value(label, value) for label, value in zip(card.labels, row, strict=True)]
            for row in outputs.tolist()
        ]
        return values, [False] * len(values)
    ranked = [rank(row, card.labels, top_k=top_k) for row in outputs]
    if card.task == "multi-label-classification":
        scores = [[Score(label, score, score >= APPLIES_FROM) for label, score in row] for row in ranked]
        return scores, [confidence(row, multi_label=True) < card.unsure_below for row in outputs]
    scores = [[Score(label, score) for label, score in row] for row in ranked]
    return scores, [row[0][1] < card.unsure_below for row in ranked]

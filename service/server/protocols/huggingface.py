"""Serves ``POST /models/{name}`` in the shape of Hugging Face's inference API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from service.inference.card import Card
from service.inference.prediction import APPLIES_FROM, confidence, rank
from service.server.execution.engine import Engine, InferenceResult
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common import api
from service.server.protocols.common.parameters import path_version
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
from service.server.protocols.common.responses import json_response, timing_headers, unsure_headers
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


class PredictionQuery(Struct, frozen=True):
    """Parameters of a prediction."""

    top_k: TopK | UnsetType = UNSET
    encoding: api.TensorEncoding | UnsetType = UNSET


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
    """The endpoints of one server process for predictions."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        return api.endpoints("/models/{name}[/versions/{version}]", self.predict, PREDICT)

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
        headers = timing_headers(card, result) | unsure_headers(unsure, result.reasons)
        return json_response(rows if prediction.is_batch else rows[0], headers)


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

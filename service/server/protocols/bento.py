"""Serves BentoML's typed methods ``classify_image`` and ``classify_text``, over HTTP and in process."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import bentoml
from bentoml.exceptions import BentoMLException
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.inference.errors import InvalidInput, LecternError
from service.inference.predictor import Input
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError, to_request_error
from service.server.protocols.common import api
from service.server.protocols.common.bodies import json_memory, parse_body
from service.server.protocols.common.encodings import decode_base64

TAG = api.Tag("BentoML", "Typed methods for BentoML's clients")

# A request has one object.
_MAX_CONTAINERS = 10_000


class ClassifyOptions(BaseModel):
    """Options of a classification."""

    top_k: Annotated[int | None, Field(ge=1, description="Number of labels; all if null")] = None
    version: Annotated[int | None, Field(ge=1, description="Of the model; the default version if null")] = (
        None
    )


class ClassifyImage(ClassifyOptions):
    """A picture to classify."""

    model: Annotated[str, api.served("names", "pictures"), Field(description="A name from GET /models")]
    image: Annotated[str, Field(description="A PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC file in base64")]


class ClassifyText(ClassifyOptions):
    """A text to classify."""

    model: Annotated[str, api.served("names", "texts"), Field(description="A name from GET /models")]
    text: Annotated[str, Field(description="A review in English")]


class LabelScore(BaseModel):
    """A label and its probability, 0 to 1."""

    label: api.Label
    score: float


class Classification(BaseModel):
    """A model's answer to one input, best label first."""

    model: api.ModelName
    version: Annotated[int, api.served("versions")]
    unsure: Annotated[bool, Field(description="Whether the best score is below the card's threshold")]
    scores: list[LabelScore]


Body = TypeVar("Body", bound=ClassifyOptions)


class BentoMethods:
    """The networks of a deep-learning course: pictures and texts in, softmax probabilities out.

    BentoML makes the instance without arguments, so that a subclass sets the engine.
    """

    engine: Engine

    @bentoml.api(input_spec=ClassifyImage)
    async def classify_image(
        self, model: str, image: str, top_k: int | None = None, version: int | None = None
    ) -> Classification:
        """Classify a picture with mnist, fashion_mnist, cifar10 or cats_vs_dogs."""
        return await self._classify(model, version, image, top_k, text=False)

    @bentoml.api(input_spec=ClassifyText)
    async def classify_text(
        self, model: str, text: str, top_k: int | None = None, version: int | None = None
    ) -> Classification:
        """Classify a text with imdb."""
        return await self._classify(model, version, text, top_k, text=True)

    async def _classify(self, *arguments: Any, text: bool) -> Classification:
        try:
            return await _classify(self.engine, *arguments, text=text)
        except (LecternError, RequestError) as error:
            response = to_request_error(error) if isinstance(error, LecternError) else error
            raise BentoMLException(response.message, error_code=HTTPStatus(response.status)) from error


@dataclass(frozen=True)
class BentoProtocol:
    """The endpoints of one server process that BentoML's clients call.

    BentoML's own routes would unpickle some content types, and fetch URLs that a file field names.

    Attributes:
        engine: Runs the models.
        schema: Returns BentoML's description of the methods.
    """

    engine: Engine
    schema: Callable[[], dict[str, Any]]

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        schema = api.Operation("bentoSchema", tag=TAG, responses={api.JSON: (dict[str, Any],)})
        return [
            api.Endpoint(
                "/classify_image", self.classify_image, _operation("image", "pictures", ClassifyImage)
            ),
            api.Endpoint("/classify_text", self.classify_text, _operation("text", "texts", ClassifyText)),
            api.Endpoint("/schema.json", self.show_schema, schema),
        ]

    async def classify_image(self, request: Request) -> Response:
        """Classify a picture."""
        body = await _read(request, self.engine, ClassifyImage)
        return _response(
            await _classify(self.engine, body.model, body.version, body.image, body.top_k, text=False)
        )

    async def classify_text(self, request: Request) -> Response:
        """Classify a text."""
        body = await _read(request, self.engine, ClassifyText)
        return _response(
            await _classify(self.engine, body.model, body.version, body.text, body.top_k, text=True)
        )

    async def show_schema(self, request: Request) -> Response:
        """The methods, for BentoML's clients."""
        return JSONResponse(self.schema())


def _operation(field: str, models: api.Selection, body: type[BaseModel]) -> api.Operation:
    def make(sample: api.Sample) -> tuple[str, object]:
        return f"a {field}", {"model": sample.card.name, field: sample.value, "top_k": 3}

    return api.Operation(
        f"classify{field.capitalize()}",
        tag=TAG,
        method="POST",
        predicts=True,
        models=models,
        request={api.JSON: (body,)},
        examples=(api.Example(make=make),),
        responses={api.JSON: (Classification,)},
        errors=(404, 415, 422),
    )


async def _read(request: Request, engine: Engine, kind: type[Body]) -> Body:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != api.JSON:
        raise RequestError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE,
            f"content type {content_type[:40]!r} is not supported here; send {api.JSON}",
        )
    return await parse_body(engine, await request.body(), partial(_parse, kind=kind), memory=json_memory)


def _parse(body: bytes, *, kind: type[Body]) -> Body:
    body = body.removeprefix(codecs.BOM_UTF8)
    if body.count(b"[") + body.count(b"{") > _MAX_CONTAINERS:
        raise RequestError(ErrorCode.TOO_LARGE, "the body has too many lists and objects; send one input")
    try:
        return kind.model_validate_json(body or b"{}")
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, part['loc'])) or 'body'}: {part['msg']}" for part in error.errors())
        raise RequestError(ErrorCode.INVALID_REQUEST, "; ".join(problems)) from error


async def _classify(
    engine: Engine, model: str, version: int | None, value: str, top_k: int | None, *, text: bool
) -> Classification:
    predictor = await engine.predictor(model, version)
    card = predictor.card
    if card.reads == "tables" or card.task == "regression":
        raise InvalidInput(f"{model} is a model for {card.task}; send the input to POST /models/{model}")
    if predictor.takes_text != text:
        method = "classify_text" if predictor.takes_text else "classify_image"
        raise InvalidInput(f"{model} is a model for {card.task}; call {method}")
    content: Input = value if text else await parse_body(engine, value, decode_base64, memory=len)
    result = await engine.infer(predictor, (content,))
    prediction = predictor.answer(result.probabilities[0], top_k=top_k, reason=result.reason(0))
    return Classification(
        model=prediction.model,
        version=prediction.version,
        unsure=prediction.unsure,
        scores=[LabelScore(label=score.label, score=score.score) for score in prediction.scores],
    )


def _response(classification: Classification) -> Response:
    return Response(classification.model_dump_json(), media_type=api.JSON)

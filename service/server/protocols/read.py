"""Serves ``POST /models/{name}/read``: the digits of a picture, in reading order."""

import time
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from service.inference.reading.reader import Reader
from service.inference.reading.reading import Reading
from service.inference.reading.segmentation import MAX_DIGITS
from service.server.execution.engine import Engine
from service.server.pipeline import metrics
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common import api
from service.server.protocols.common.parameters import path_version
from service.server.protocols.common.prediction_body import read_prediction
from service.server.protocols.common.prediction_schemas import (
    BODY_DESCRIPTION,
    SIMPLE,
    SingleFileBody,
    SingleInputBody,
)
from service.server.protocols.common.responses import json_response, timing_headers
from service.server.protocols.common.single_picture import EXAMPLE
from service.settings import Settings

_Pixels = Annotated[int, Meta(ge=0)]


class ReadDigit(Struct, frozen=True):
    """One digit of a picture."""

    label: Annotated[str, api.served("labels", "digits")]
    score: api.Probability
    unsure: Annotated[bool, Meta(description="Whether the score is below the card's threshold")]
    box: Annotated[
        tuple[_Pixels, _Pixels, _Pixels, _Pixels],
        Meta(description="x, y, width and height in pixels of the upright picture"),
    ]


class ReadResponse(Struct, frozen=True):
    """The digits of a picture."""

    model: Annotated[str, api.served("names", "digits")]
    version: Annotated[int, api.served("versions", "digits")]
    text: Annotated[str, Meta(description="The labels, with line breaks between lines", examples=["2026"])]
    lines: Annotated[list[str], Meta(description="The labels of each line, from top to bottom")]
    digits: Annotated[list[ReadDigit], Meta(description="In reading order")]


READ = api.Operation(
    "read",
    tag=SIMPLE,
    method="POST",
    description="Divides a drawing or a photo of a page into digits, in one or several lines, and classifies "
    f"each of them. More than {MAX_DIGITS} digits are refused. " + BODY_DESCRIPTION,
    models="digits",
    request={
        api.JSON: (SingleInputBody,),
        "image/*": (api.Binary,),
        api.OCTETS: (api.Binary,),
        "multipart/form-data": (SingleFileBody,),
    },
    examples=(EXAMPLE,),
    responses={api.JSON: (ReadResponse,)},
    response_headers=("X-Model-Version", "Server-Timing"),
    errors=(415, 422),
)


@dataclass(frozen=True)
class ReadProtocol:
    """The endpoints of one server process that read several digits."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        return api.endpoints("/models/{name}[/versions/{version}]/read", self.read, READ)

    async def read(self, request: BufferedRequest) -> Response:
        """The digits of a picture, in reading order."""
        predictor = await self.engine.predictor(request.path_params["name"], path_version(request))
        reader = Reader(predictor)
        body = await read_prediction(request, self.engine, card=predictor.card, max_batch=1)
        started = time.perf_counter()
        picture = await self.engine.in_thread(lambda: self.engine.decoder.segment(reader, body.content[0]))
        # The network scores what may be digits; the predictions are the digits that are chosen of it.
        result = await self.engine.infer(predictor, picture.batch, started=started, counted=False)
        reading = reader.answer(picture, result.probabilities)
        metrics.count_digits(predictor.card, reading.digits)
        return json_response(_response(reading), timing_headers(predictor.card, result))


def _response(reading: Reading) -> ReadResponse:
    digits = [ReadDigit(digit.label, digit.score, digit.unsure, digit.box) for digit in reading.digits]
    return ReadResponse(reading.model, reading.version, reading.text, list(reading.texts), digits)

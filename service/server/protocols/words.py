"""Serves ``POST /models/{name}/words``: what each word of a text contributes to a prediction."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from service.inference.errors import InvalidInput
from service.inference.prediction import WordContributions
from service.inference.word_contributions import word_contributions
from service.server.execution.engine import Engine
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common import api
from service.server.protocols.common.parameters import path_version
from service.server.protocols.common.prediction_body import read_prediction
from service.server.protocols.common.prediction_schemas import SIMPLE, SingleInputBody
from service.server.protocols.common.responses import json_response
from service.settings import Settings

_Label = Annotated[str, api.served("labels", "texts")]


class WordsQuery(Struct, frozen=True):
    """Parameters of the contributions of words."""

    label: (
        Annotated[_Label, Meta(description="A label of the model; its best one if left out")] | UnsetType
    ) = UNSET


def _example(sample: api.Sample) -> tuple[str, object] | None:
    return ("a text", {"inputs": sample.value}) if sample.is_text else None


WORDS = api.Operation(
    "words",
    tag=SIMPLE,
    method="POST",
    description="For each word and phrase of the text that the network knows: the log-odds of `label` minus "
    "those without the word or phrase, computed by running the network without it. Places are counted in "
    "code points of the text.",
    models="texts",
    query=WordsQuery,
    request={api.JSON: (SingleInputBody,), "text/plain": (str,)},
    examples=(api.Example(make=_example),),
    responses={api.JSON: (WordContributions,)},
    response_headers=("X-Model-Version",),
    errors=(415, 422),
)


@dataclass(frozen=True)
class WordsProtocol:
    """The endpoints of one server process that explain predictions for texts."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        return api.endpoints("/models/{name}[/versions/{version}]/words", self.words, WORDS)

    async def words(self, request: BufferedRequest) -> Response:
        """What each word of a text contributes to a prediction."""
        predictor = await self.engine.predictor(request.path_params["name"], path_version(request))
        card, label = predictor.card, request.query_params.get("label") or None
        if not predictor.takes_text:
            way = f"; POST /models/{card.name}/explain explains those" if card.reads == "pictures" else ""
            raise InvalidInput(f"{card.name} reads {card.reads}, not texts{way}")
        body = await read_prediction(request, self.engine, card=card, max_batch=1)
        text = None if isinstance(body.content, np.ndarray) else body.content[0]
        if not isinstance(text, str):
            raise InvalidInput("ids have no places in a text; send the text itself")

        def make_response() -> Response:
            with self.engine.decoder.reserve_text(text):
                contributions = word_contributions(predictor, text, label=label)
            return json_response(contributions, {"X-Model-Version": str(card.version)})

        # With the explanations, whose limit and threads are their own: predictions come first.
        return await self.engine.explain(make_response)

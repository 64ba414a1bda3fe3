"""Serves ``GET /models``: the models of the server, and the card of each."""

from dataclasses import dataclass
from typing import Annotated, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from service.inference.card import Card, Metrics, Task, card_document
from service.inference.precision import Precision, PrecisionChoice, metrics_of, served_card
from service.server.execution.engine import Engine
from service.server.protocols.common import api
from service.server.protocols.common.parameters import path_version
from service.server.protocols.common.prediction_schemas import SIMPLE
from service.server.protocols.common.responses import json_response

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

SHOW = api.Operation(
    "getModel", tag=SIMPLE, responses={api.JSON: (ServedCard,)}, response_headers=("X-Model-Version",)
)


@dataclass(frozen=True)
class ModelsProtocol:
    """The endpoints of one server process that describe its models."""

    engine: Engine

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        return [
            *api.endpoints("/models/{name}[/versions/{version}]", self.show, SHOW),
            api.Endpoint("/models", self.index, api.Operation("listModels", tag=SIMPLE)),
        ]

    async def index(self, request: Request) -> ModelList:
        """All models."""
        return ModelList([self._summary(card) for card in self.engine.catalog])

    async def show(self, request: Request) -> Response:
        """A model's card.

        Its labels, layers, training, figures and provenance. A card may have more fields.
        """
        catalog = self.engine.catalog
        card = catalog.card(request.path_params["name"], path_version(request))
        precision = catalog.precision(card)
        metrics = metrics_of(card, precision)
        document = card_document(served_card(card, precision)) | {
            "precision": precision,
            "served_metrics": card_document(metrics) if metrics else None,
            "provider": catalog.provider(card),
        }
        return json_response(document, {"X-Model-Version": str(card.version)})

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

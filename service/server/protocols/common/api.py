"""Declares endpoints: the Starlette route together with what the OpenAPI document says about it."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Annotated, Any, Literal, TypeAlias, get_type_hints

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct
from starlette.responses import Response
from starlette.routing import Route

from service.inference.arrays import Encoding
from service.inference.card import Card
from service.server.pipeline.api_keys import Access
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common.responses import json_response

Handler: TypeAlias = Callable[[BufferedRequest], Awaitable[Any]]
Selection: TypeAlias = Literal["all", "pictures", "texts", "explained", "digits", "none"]

JSON = "application/json"
OCTETS = "application/octet-stream"
# Keyword of a schema that the document replaces by what the server at hand has: names, labels, limits.
SERVED = "x-served"


def served(values: str, selection: Selection = "all") -> Meta:
    """Mark a type whose schema depends on the served models or the settings.

    Args:
        values: ``names``, ``versions``, ``labels``, ``layers`` or ``max_batch``.
        selection: Which models count.
    """
    return Meta(extra_json_schema={SERVED: (values, selection)})


ModelName = Annotated[str, served("names")]
Label = Annotated[str, served("labels")]
Binary = Annotated[str, Meta(extra_json_schema={"format": "binary"})]
TensorEncoding = Annotated[
    Encoding,
    Meta(
        description="What the numbers for a model of texts are: ids of words of its vocabulary, or for each "
        "id whether the text has the word"
    ),
]
Probability = Annotated[float, Meta(ge=0, le=1, examples=[0.9983])]
Outputs = Annotated[
    npt.NDArray[np.float32],
    Meta(
        description="One row per input: the probabilities of the labels in the order of the card, or the "
        "values of a regression",
        extra_json_schema={"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
    ),
]


_SUMMARIES = {"pictures": "a picture in base64", "texts": "a review", "tables": "a row of a table"}


@dataclass(frozen=True)
class Tag:
    """A group of operations, in general a protocol."""

    name: str
    description: str


@dataclass(frozen=True)
class Sample:
    """A small input for a model."""

    card: Card  # of the model
    value: Any  # as JSON holds it: a picture file in base64, a text, or a row of a table
    numbers: list[Any] | None  # of the network's own tensor in row-major order; None where that is not short

    @property
    def is_text(self) -> bool:
        """Whether the model reads texts."""
        return self.card.reads == "texts"

    @property
    def summary(self) -> str:
        """The value in words, as JSON holds it."""
        return _SUMMARIES[self.card.reads]


@dataclass(frozen=True, kw_only=True)
class Example:
    """Makes the example of a request body for each model."""

    make: Callable[[Sample], tuple[str, Any] | None]  # returns a summary and the body; None for no example
    suffix: str = ""  # distinguishes several examples of one model
    media_type: str = JSON  # of the body
    per_model: bool = True  # whether there is one for each model; otherwise there is one for all


@dataclass(frozen=True)
class Operation:
    """What the document says of one method of one path.

    The document adds the errors that follow from the other attributes: 404 for a path with parameters, and
    those of the limits for a request with a body.

    Attributes:
        request: Types of the body by media type, alternatives in a tuple; without any there is no body.
        responses: Types of a good response, as in ``request``; by default JSON of what the handler returns.
        access: ``key`` if the operation needs an API key where the server has some; ``metrics`` if it needs
            the key for metrics; otherwise ``public``, or ``probe`` for a health check. Successes of probes
            and metrics are not logged.
        predicts: Whether the response is a prediction for each input, which the record of requests has.
    """

    id: str  # stable name, for generated clients
    _: KW_ONLY
    tag: Tag  # group in the document
    summary: str = ""  # one line for people; by default the first line of the handler's docstring
    description: str = ""  # more for people; by default the rest of that docstring
    method: str = "GET"
    models: Selection = "all"  # which models the path and the examples name
    query: type[Struct] | None = None  # parameters of the query string
    request_headers: type[Struct] | None = None  # header fields that the operation reads
    request: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    body_required: bool = True
    examples: tuple[Example, ...] = ()  # of the body
    responses: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    response_headers: tuple[str, ...] = ()  # names, besides ``X-Request-ID``
    errors: tuple[int, ...] = ()  # HTTP statuses of further error responses
    cached: bool = False  # whether ``If-None-Match`` is read and the response may be 304
    access: Access = "key"
    predicts: bool = False


class Endpoint(Route):
    """A Starlette route that knows its operation.

    A handler returns a response, or the struct that is its JSON body.
    """

    def __init__(self, path: str, handler: Handler, operation: Operation) -> None:
        returned = get_type_hints(handler)["return"]
        super().__init__(
            path, handler if returned is Response else _as_json(handler), methods=[operation.method]
        )
        summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")
        self.operation = replace(
            operation,
            summary=operation.summary or summary.rstrip("."),
            description=operation.description or " ".join(description.split()),
            responses=operation.responses or {JSON: (returned,)},
        )


def endpoints(path: str, handler: Handler, operation: Operation) -> list[Endpoint]:
    """Return the endpoints of a path with an optional part in square brackets: without the part and with it.

    Args:
        path: For example ``/models/{name}[/versions/{version}]``.
        handler: Coroutine function that answers.
        operation: What the document says; with the optional part, its id ends with ``Version``.
    """
    before, _, rest = path.partition("[")
    optional, _, after = rest.partition("]")
    versioned = replace(operation, id=f"{operation.id}Version")
    return [
        Endpoint(before + after, handler, operation),
        Endpoint(before + optional + after, handler, versioned),
    ]


def _as_json(handler: Handler) -> Callable[[BufferedRequest], Awaitable[Response]]:
    async def respond(request: BufferedRequest) -> Response:
        return json_response(await handler(request))

    return respond

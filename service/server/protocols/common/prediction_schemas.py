"""Declares bodies of requests for predictions, as the OpenAPI document shows them.

``prediction_body`` reads them by hand, so that each message says what to do.
"""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from service.server.protocols.common import api

NPY = "application/x-npy"
CSV = "text/csv"

SIMPLE = api.Tag(
    "simple",
    "A picture, a text or a row of a table in, labels with scores or values out: the shape of Hugging "
    "Face's inference API",
)
TopK = Annotated[int, Meta(ge=1, description="Number of labels; all if left out")]
JsonInput = Annotated[
    str, Meta(min_length=1, description="A picture file in base64 (a data: URL too), or a text")
]
JsonTensor = Annotated[
    list[Any],
    Meta(
        min_length=1,
        description="Several pictures, texts or rows, or a tensor of pixels, word ids or columns as nested "
        "lists",
        extra_json_schema={"items": {"type": ["string", "object", "array", "number", "null"]}},
    ),
]
JsonRow = Annotated[
    dict[str, float | None],
    Meta(min_length=1, description="A row of a table: the value of each column, null if it is missing"),
]
BODY_DESCRIPTION = (
    "Models of pictures take `image/*`, models of texts `text/plain`, models of tables `text/csv` with the "
    "names of the columns in the first line. "
    "A type that ends with `+json` is read as JSON. `application/octet-stream`, "
    "`application/x-www-form-urlencoded` (which `curl --data-binary` sends) and a body without a content "
    "type are the bytes of one picture, of one array as a `.npy` file (`application/x-npy`), of one text, or "
    "of CSV. "
    "What curl sends is read as JSON if it begins with `{`. "
    "Texts are UTF-8; `text/plain` may name another `charset`. "
    "The response has one list of scores per input if the body is a JSON list or an array of several inputs, "
    "JSON for a model of texts, CSV with several rows, or multipart with several parts."
)


class Parameters(Struct, frozen=True):
    """Parameters of a prediction."""

    top_k: TopK | None = None
    encoding: api.TensorEncoding | None = None


class PredictionBody(Struct, frozen=True):
    """A prediction request in JSON."""

    inputs: JsonInput | JsonRow | JsonTensor
    parameters: Parameters | None = None


class SingleInputBody(PredictionBody, frozen=True):
    """A request in JSON with exactly one input."""

    inputs: JsonInput | JsonTensor


class MultipartBody(Struct, frozen=True):
    """Files, or texts for a model of texts; the parts may have any name."""

    file: Annotated[list[api.Binary], Meta(min_length=1), api.served("max_batch")] | UnsetType = UNSET


class SingleFileBody(MultipartBody, frozen=True):
    """One file; the part may have any name."""

    file: Annotated[list[api.Binary], Meta(min_length=1, max_length=1)] | UnsetType = UNSET

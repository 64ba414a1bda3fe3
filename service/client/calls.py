"""Defines the calls of the HTTP API: what each one sends, and how its answer is read."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

from service.client import arguments
from service.client.answers import Answer, ModelSummary
from service.inference.card import Card
from service.inference.errors import InvalidInput, InvalidTensor
from service.inference.prediction import Prediction, Regression, WordContributions
from service.inference.reading.reading import Reading

if TYPE_CHECKING:
    from service.inference.arrays import Array, Encoding
    from service.inference.preprocessing.table import Row

Input: TypeAlias = "bytes | str | Row | Array"
Inputs: TypeAlias = "Sequence[bytes | str | Row | Array] | Array"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Call(Generic[Result]):
    """A call of the API.

    Attributes:
        method: Method of the request.
        path: Path of the request.
        read: Returns the result that an answer holds.
        content: Body, headers and parameters, as arguments of :meth:`httpx.Client.request`.
    """

    method: str
    path: str
    read: Callable[[Answer], Result]
    content: dict[str, Any] = field(default_factory=dict)


def predict(
    model: str, inputs: Inputs, *, version: int | None, top_k: int | None, encoding: "Encoding | None"
) -> Call[list[Prediction]]:
    """Classify inputs."""
    options = {
        "top_k": arguments.optional_whole("top_k", top_k),
        "encoding": arguments.optional_text("encoding", encoding),
    }
    inputs = arguments.many_inputs(inputs)
    count, content = _count(inputs), _content(inputs, **options)
    return Call("POST", _path(model, version), lambda answer: answer.predictions(model, count), content)


def predict_values(model: str, inputs: Inputs, *, version: int | None) -> Call[list[Regression]]:
    """Predict the values of a regression."""
    inputs = arguments.many_inputs(inputs)
    count, content = _count(inputs), _content(inputs)
    return Call("POST", _path(model, version), lambda answer: answer.regressions(model, count), content)


def read(model: str, picture: bytes, *, version: int | None) -> Call[Reading]:
    """Read the digits of a picture file."""
    return Call("POST", f"{_path(model, version)}/read", Answer.reading, _raw(arguments.picture(picture)))


def word_contributions(
    model: str, text: str, *, version: int | None, label: str | None
) -> Call[WordContributions]:
    """Explain what the words of a text contribute to a label."""
    chosen = arguments.optional_text("label", label)
    content = {
        "json": {"inputs": arguments.text("text", text)},
        "params": {} if chosen is None else {"label": chosen},
    }
    return Call("POST", f"{_path(model, version)}/words", Answer.word_contributions, content)


def models() -> Call[list[ModelSummary]]:
    """List the models."""
    return Call("GET", "/models", Answer.summaries)


def card(model: str, *, version: int | None) -> Call[Card]:
    """Return the card of a model."""
    return Call("GET", _path(model, version), lambda answer: answer.card(model))


def _path(model: str, version: int | None) -> str:
    # A name from the command line may be invalid Unicode.
    path = f"/models/{quote(arguments.model_name(model), safe='', errors='surrogateescape')}"
    number = arguments.optional_whole("version", version)
    return path if number is None else f"{path}/versions/{number}"


def _count(inputs: Inputs) -> int | None:
    """Return the number of inputs; None for arrays and lists of numbers, which only the server can count."""
    is_list = isinstance(inputs, Sequence) and all(isinstance(one, bytes | str | Mapping) for one in inputs)
    return len(inputs) if is_list else None


def _content(inputs: Inputs, **options: object) -> dict[str, Any]:
    """Return the content of a request with inputs; options that are None are left out."""
    parameters = {name: value for name, value in options.items() if value is not None}
    if isinstance(inputs, Sequence) and all(isinstance(value, Mapping) for value in inputs):
        return {"json": {"inputs": list(inputs), "parameters": parameters}}
    if not isinstance(inputs, Sequence) or not all(isinstance(value, bytes | str) for value in inputs):
        headers = {"Content-Type": "application/x-npy"}
        return {"content": _npy(inputs), "headers": headers, "params": parameters}
    if len(inputs) == 1 and isinstance(inputs[0], bytes):
        # Base64 is a third larger, so a picture below the server's limit could exceed it.
        return _raw(inputs[0]) | {"params": parameters}
    texts = [base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in inputs]
    return {"json": {"inputs": texts, "parameters": parameters}}


def _raw(picture: bytes) -> dict[str, Any]:
    return {"content": picture, "headers": {"Content-Type": "application/octet-stream"}}


def _npy(values: object) -> bytes:
    """Return the bytes of a ``.npy`` file of an array, or of a sequence of arrays of the same shape."""
    import numpy as np  # slow to import, and needed for arrays alone

    paths = values if isinstance(values, Sequence) else [values]
    if any(isinstance(path, PathLike) for path in paths):
        raise InvalidInput("a path is no input; send what the file holds: Path.read_bytes()")
    stream = io.BytesIO()
    try:
        np.save(stream, np.asarray(values), allow_pickle=False)
    except ValueError as error:
        raise InvalidTensor(f"the values are not an array of numbers ({error}); send one array") from error
    return stream.getvalue()

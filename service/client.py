"""Python SDK: a synchronous and an asyncio client of a Lectern server.

Example:
    >>> from service.client import Client
    >>> with Client("http://127.0.0.1:3000") as client:
    ...     client.predict("mnist", Path("seven.png").read_bytes()).best.label
    '7'
"""

import base64
import io
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Annotated, Any, Generic, Self, TypeAlias, TypeVar, get_args
from urllib.parse import quote

import httpx
import msgspec

from service.inference.card import Card, parse_card
from service.inference.errors import InvalidInput, InvalidTensor, LecternError, shorten
from service.inference.prediction import (
    MultiLabelPrediction,
    Prediction,
    Reason,
    Regression,
    Score,
    Value,
    WordContributions,
)
from service.inference.reading.reading import ReadDigit, Reading, split_lines

if TYPE_CHECKING:
    import tenacity

    from service.inference.arrays import Array, Encoding
    from service.inference.preprocessing.table import Row

_HttpClient = TypeVar("_HttpClient", httpx.Client, httpx.AsyncClient)

_Row = TypeVar("_Row")
_Result = TypeVar("_Result", Prediction, Regression)
Inputs: TypeAlias = "Sequence[bytes | str | Row | Array] | Array"

DEFAULT_URL = "http://127.0.0.1:3000"
DEFAULT_TIMEOUT_S = 10.0
DEFAULT_RETRIES = 3
_RETRIED_STATUSES = (429, 503)
_FIRST_WAIT_S = 0.1
_MAX_WAIT_S = 5.0


class ClientError(LecternError):
    """Base class of the client's errors."""

    code = "client_error"


class ConnectionFailed(ClientError):
    """The connection was refused or closed, or the timeout passed."""

    code = "connection_failed"


class UnexpectedAnswer(ClientError):
    """The response does not come from a Lectern server."""

    code = "unexpected_answer"


class RequestRefused(ClientError):
    """The server returned an error response.

    Attributes:
        status: HTTP status.
        code: Lectern's error code, such as ``blank_image``.
        request_id: Id of the request in the server's log.
    """

    def __init__(self, message: str, *, status: int, code: str, request_id: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id


@dataclass(frozen=True)
class ModelSummary:
    """One model in the server's list of models."""

    name: str
    version: int
    versions: tuple[int, ...]
    title: str
    task: str
    labels: tuple[str, ...]


class _LabelScore(msgspec.Struct, frozen=True):
    """A label in a response; ``applies`` is set where several labels can apply at once."""

    label: str
    score: float
    applies: bool | None = None


_Rows = list[Annotated[tuple[_LabelScore, ...], msgspec.Meta(min_length=1)]]
_ValueRows = list[Annotated[tuple[Value, ...], msgspec.Meta(min_length=1)]]


class _ReadAnswer(msgspec.Struct, frozen=True):
    """A response of ``/models/{name}/read``."""

    model: str
    version: int
    lines: list[str]
    digits: list[ReadDigit]


def _model_path(model: str, version: int | None) -> str:
    # A name from the command line may be invalid Unicode.
    path = f"/models/{quote(model, safe='', errors='surrogateescape')}"
    return path if version is None else f"{path}/versions/{version}"


def _read_request(model: str, picture: bytes, version: int | None) -> tuple[str, dict[str, Any]]:
    """Return the path and the content of a request to read digits."""
    headers = {"Content-Type": "application/octet-stream"}
    return f"{_model_path(model, version)}/read", {"content": picture, "headers": headers}


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


def _reasons(response: httpx.Response, *, count: int) -> list[Reason | None]:
    """Return why each prediction is unsure; servers of later versions can have reasons that are unknown."""
    words = response.headers.get("X-Lectern-Reason", ",".join(["none"] * count)).split(",")
    known: dict[str, Reason] = {reason: reason for reason in get_args(Reason)}
    return [known.get(word) for word in words]


def _count(inputs: "Inputs") -> int | None:
    """Return the number of inputs; None for an array, whose shape only the server can read."""
    return len(inputs) if isinstance(inputs, Sequence) else None


def _as_inputs(value: "bytes | str | Row | Array") -> "Inputs":
    return [value] if isinstance(value, bytes | str | Mapping) else value


def _only(results: list[_Result], method: str) -> _Result:
    """Return the only result; for several inputs, name the method that takes them."""
    if len(results) != 1:
        raise InvalidInput(f"the array has {len(results)} inputs; call {method}")
    return results[0]


def _lists(document: Any) -> Any:
    """Return a list of results for each input; a raw picture and a single row are answered with one list."""
    return document if not document or isinstance(document[0], list) else [document]


def _refuse(document: Any, field: str, message: str) -> None:
    """Refuse a response whose results have a field of another task.

    Raises:
        InvalidInput: They have it.
    """
    if any(isinstance(item, Mapping) and field in item for row in _lists(document)[:1] for item in row[:1]):
        raise InvalidInput(message)


def _with_headers(
    rows: Sequence[_Row], response: httpx.Response, count: int | None
) -> Iterator[tuple[_Row, tuple[int, bool, Reason | None]]]:
    """Yield each row of a response with the version that answered, whether it is unsure, and why.

    Raises:
        KeyError, ValueError: A header is missing, or there are not as many rows as expected.
    """
    version = int(response.headers["X-Model-Version"])
    unsure = [word == "true" for word in response.headers["X-Lectern-Unsure"].split(",")]
    reasons = _reasons(response, count=len(unsure))
    expected = range(len(rows) if count is None else count)
    for row, flag, reason, _ in zip(rows, unsure, reasons, expected, strict=True):
        yield row, (version, flag, reason)


def _wait_seconds(state: "tenacity.RetryCallState") -> float:
    """Return the time before the next attempt: exponential with jitter, and at least ``Retry-After``."""
    wait = min(_FIRST_WAIT_S * 2.0 ** (state.attempt_number - 1), _MAX_WAIT_S) * random.uniform(0.5, 1.5)
    assert state.outcome is not None, "an attempt has ended"
    retry_after = state.outcome.result().headers.get("Retry-After", "")
    return max(wait, min(float(retry_after), _MAX_WAIT_S)) if retry_after.isdecimal() else wait


class _BaseClient(Generic[_HttpClient]):
    """Builds requests and reads responses, for both clients."""

    _http_type: type[_HttpClient]

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        """Create a client; this sends no request.

        Args:
            url: Address of the server.
            api_key: One of the server's ``LECTERN_API_KEYS``, if the server needs a key.
            timeout_s: Timeout of each attempt, in seconds.
            retries: Number of further attempts after the statuses 429 and 503, with exponential back-off.

        Raises:
            ConnectionFailed: ``url`` is not a valid address.
        """
        self.url = url.rstrip("/")
        self._retries = retries
        # As bytes: httpx refuses text that is not ASCII, and the server should report a wrong key.
        headers = {b"Authorization": f"Bearer {api_key}".encode()} if api_key else None
        try:
            self._http: _HttpClient = self._http_type(base_url=self.url, timeout=timeout_s, headers=headers)
            if self._http.base_url.scheme not in ("http", "https"):
                raise httpx.InvalidURL("it does not begin with http:// or https://")
        except httpx.InvalidURL as error:
            raise ConnectionFailed(
                f"{url!r} is not a valid address ({error}); use one such as {DEFAULT_URL}"
            ) from error

    def _retry_options(self) -> dict[str, Any]:
        import tenacity  # Imports tornado if it is installed, which is slow.

        return {
            "retry": tenacity.retry_if_result(lambda response: response.status_code in _RETRIED_STATUSES),
            "wait": _wait_seconds,
            "stop": tenacity.stop_after_attempt(self._retries + 1),
            # The response of the last attempt is returned, and read like any other error response.
            "retry_error_callback": lambda state: state.outcome.result(),
        }

    @contextmanager
    def _connection_errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise ConnectionFailed(
                f"{self.url} did not answer in time; is it overloaded, or the timeout short?"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ConnectionFailed(
                f"{self.url} cannot be reached ({error}); is the server running?"
            ) from error

    def _prediction_content(
        self,
        inputs: "Inputs",
        top_k: int | None = None,
        encoding: "Encoding | None" = None,
    ) -> dict[str, Any]:
        parameters: dict[str, object] = {} if top_k is None else {"top_k": top_k}
        if encoding is not None:
            parameters["encoding"] = encoding
        if isinstance(inputs, Sequence) and all(isinstance(value, Mapping) for value in inputs):
            return {"json": {"inputs": list(inputs), "parameters": parameters}}
        if not isinstance(inputs, Sequence) or not all(isinstance(value, bytes | str) for value in inputs):
            headers = {"Content-Type": "application/x-npy"}
            return {"content": _npy(inputs), "headers": headers, "params": parameters}
        if len(inputs) == 1 and isinstance(inputs[0], bytes):
            # Base64 is a third larger, so a picture below the server's limit could exceed it.
            content_type = {"Content-Type": "application/octet-stream"}
            return {"content": inputs[0], "headers": content_type, "params": parameters}
        texts = [base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in inputs]
        return {"json": {"inputs": texts, "parameters": parameters}}

    def _unexpected(self, response: httpx.Response, content: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(
            f"{self.url} answered {response.status_code} {content}; is it a Lectern server?"
        )

    def _decode(self, response: httpx.Response) -> Any:
        try:
            document = response.json()
        except (ValueError, RecursionError):
            raise self._unexpected(response, "without JSON") from None
        if response.is_success:
            return document
        if not isinstance(document, Mapping) or not isinstance(document.get("error"), str):
            raise self._unexpected(response, "without an error message")
        raise RequestRefused(
            document["error"],
            status=response.status_code,
            code=str(document.get("code", "error")),
            request_id=str(document.get("request_id", "")),
        )

    def _predictions(self, response: httpx.Response, model: str, count: int | None) -> list[Prediction]:
        document = self._decode(response)
        try:
            _refuse(document, "value", f"{model} predicts values and no labels; call predict_values")
            rows = msgspec.convert(_lists(document), _Rows)
            return [
                (Prediction if row[0].applies is None else MultiLabelPrediction)(
                    model=model,
                    version=version,
                    scores=tuple(Score(score.label, score.score) for score in row),
                    unsure=unsure,
                    reason=reason,
                )
                for row, (version, unsure, reason) in _with_headers(rows, response, count)
            ]
        except (KeyError, TypeError, ValueError, msgspec.ValidationError):
            raise self._unexpected(response, "without predictions") from None

    def _regressions(self, response: httpx.Response, model: str, count: int | None) -> list[Regression]:
        document = self._decode(response)
        try:
            _refuse(document, "score", f"{model} predicts labels and no values; call predict")
            rows = msgspec.convert(_lists(document), _ValueRows)
            return [
                Regression(model, version, row, unsure, reason)
                for row, (version, unsure, reason) in _with_headers(rows, response, count)
            ]
        except (KeyError, TypeError, ValueError, msgspec.ValidationError):
            raise self._unexpected(response, "without values") from None

    def _reading(self, response: httpx.Response) -> Reading:
        document = self._decode(response)
        try:
            answer = msgspec.convert(document, _ReadAnswer)
            return Reading(answer.model, answer.version, split_lines(answer.digits, answer.lines))
        except (ValueError, msgspec.ValidationError):
            raise self._unexpected(response, "without digits") from None

    def _words_content(self, text: str, label: str | None) -> dict[str, Any]:
        parameters = {} if label is None else {"label": label}
        return {"json": {"inputs": text}, "params": parameters}

    def _word_contributions(self, response: httpx.Response) -> WordContributions:
        document = self._decode(response)
        try:
            return msgspec.convert(document, WordContributions)
        except msgspec.ValidationError:
            raise self._unexpected(response, "without contributions of words") from None

    def _summaries(self, response: httpx.Response) -> list[ModelSummary]:
        document = self._decode(response)
        try:
            return msgspec.convert(document["models"], list[ModelSummary])
        except (KeyError, TypeError, msgspec.ValidationError):
            raise self._unexpected(response, "without models") from None

    def _card(self, response: httpx.Response, model: str) -> Card:
        return parse_card(self._decode(response), source=f"{self.url}, model {shorten(model)}")


class Client(_BaseClient[httpx.Client]):
    """Synchronous client of one server; close it, or use it in a ``with`` block."""

    _http_type = httpx.Client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def predict(
        self,
        model: str,
        value: "bytes | str | Row | Array",
        *,
        version: int | None = None,
        top_k: int | None = None,
        encoding: "Encoding | None" = None,
    ) -> Prediction:
        """Classify the bytes of one picture file, one text, one row of a table, or one array of numbers.

        Args:
            model: Name of the model.
            value: A picture file, a text or a row, depending on the model; or an array of one input: pixels
                0 to 255 or 0 to 1, the columns of a table, or what ``encoding`` says. A row has a number, or
                None if it is missing, for each column.
            version: Version of the model; the default version if None.
            top_k: Number of labels to return, 1 or more; all of them if None.
            encoding: What the numbers of an array are, for models of texts; ``ids`` if None.

        Returns:
            The prediction; a MultiLabelPrediction if several labels can apply at once.

        Raises:
            RequestRefused: The server returned an error.
            ConnectionFailed: There was no response.
            UnexpectedAnswer: The response does not come from a Lectern server.
            InvalidInput: The array has several inputs, or the model predicts values.
            InvalidTensor: ``value`` is no array of numbers.
        """
        results = self.predict_many(model, _as_inputs(value), version=version, top_k=top_k, encoding=encoding)
        return _only(results, "predict_many")

    def predict_many(
        self,
        model: str,
        inputs: "Inputs",
        *,
        version: int | None = None,
        top_k: int | None = None,
        encoding: "Encoding | None" = None,
    ) -> list[Prediction]:
        """Classify several inputs in one request; arguments and errors as for :meth:`predict`.

        The inputs are a list of files, texts, rows or arrays, or one array whose first dimension counts them.
        """
        content = self._prediction_content(inputs, top_k, encoding)
        response = self._request("POST", _model_path(model, version), **content)
        return self._predictions(response, model, _count(inputs))

    def predict_values(
        self, model: str, value: "bytes | str | Row | Array", *, version: int | None = None
    ) -> Regression:
        """Predict the values of a regression for one input; arguments and errors as for :meth:`predict`.

        Raises:
            InvalidInput: The array has several inputs, or the model predicts labels.
        """
        results = self.predict_many_values(model, _as_inputs(value), version=version)
        return _only(results, "predict_many_values")

    def predict_many_values(
        self, model: str, inputs: "Inputs", *, version: int | None = None
    ) -> list[Regression]:
        """Predict the values for several inputs in one request; inputs as for :meth:`predict_many`."""
        response = self._request("POST", _model_path(model, version), **self._prediction_content(inputs))
        return self._regressions(response, model, _count(inputs))

    def read(self, model: str, picture: bytes, *, version: int | None = None) -> Reading:
        """Read the digits of a picture, in one or several lines.

        Args:
            model: Name of a model of digits.
            picture: A picture file.
            version: Version of the model; the default version if None.

        Raises:
            RequestRefused: The server returned an error: the model reads no digits, or the picture is blank
                or has too many.
            ConnectionFailed: There was no response.
            UnexpectedAnswer: The response does not come from a Lectern server.
        """
        path, content = _read_request(model, picture, version)
        return self._reading(self._request("POST", path, **content))

    def word_contributions(
        self, model: str, text: str, *, version: int | None = None, label: str | None = None
    ) -> WordContributions:
        """Return what each known word and phrase of a text contributes to a label.

        Args:
            model: Name of a model of texts.
            text: Plain text or HTML.
            version: Version of the model; the default version if None.
            label: One of the model's labels; the most probable one if None.

        Raises:
            ClientError: As for :meth:`predict`.
        """
        path = f"{_model_path(model, version)}/words"
        return self._word_contributions(self._request("POST", path, **self._words_content(text, label)))

    def models(self) -> list[ModelSummary]:
        """Return the models of the server; errors as for :meth:`predict`."""
        return self._summaries(self._request("GET", "/models"))

    def card(self, model: str, *, version: int | None = None) -> Card:
        """Return the card of a model; as :meth:`predict`, and CardError if the card is invalid."""
        return self._card(self._request("GET", _model_path(model, version)), model)

    def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        from tenacity import Retrying

        with self._connection_errors():
            retrying = Retrying(**self._retry_options())
            response: httpx.Response = retrying(self._http.request, method, path, **content)
            return response


class AsyncClient(_BaseClient[httpx.AsyncClient]):
    """Asyncio client of one server; use it in an ``async with`` block, or await :meth:`close`."""

    _http_type = httpx.AsyncClient

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def predict(
        self,
        model: str,
        value: "bytes | str | Row | Array",
        *,
        version: int | None = None,
        top_k: int | None = None,
        encoding: "Encoding | None" = None,
    ) -> Prediction:
        """Classify the bytes of one picture file, or one text; as :meth:`Client.predict`."""
        results = await self.predict_many(
            model, _as_inputs(value), version=version, top_k=top_k, encoding=encoding
        )
        return _only(results, "predict_many")

    async def predict_many(
        self,
        model: str,
        inputs: "Inputs",
        *,
        version: int | None = None,
        top_k: int | None = None,
        encoding: "Encoding | None" = None,
    ) -> list[Prediction]:
        """Classify several inputs in one request; as :meth:`Client.predict_many`."""
        content = self._prediction_content(inputs, top_k, encoding)
        response = await self._request("POST", _model_path(model, version), **content)
        return self._predictions(response, model, _count(inputs))

    async def predict_values(
        self, model: str, value: "bytes | str | Row | Array", *, version: int | None = None
    ) -> Regression:
        """Predict the values of a regression for one input; as :meth:`Client.predict_values`."""
        results = await self.predict_many_values(model, _as_inputs(value), version=version)
        return _only(results, "predict_many_values")

    async def predict_many_values(
        self, model: str, inputs: "Inputs", *, version: int | None = None
    ) -> list[Regression]:
        """Predict the values for several inputs in one request."""
        content = self._prediction_content(inputs)
        response = await self._request("POST", _model_path(model, version), **content)
        return self._regressions(response, model, _count(inputs))

    async def read(self, model: str, picture: bytes, *, version: int | None = None) -> Reading:
        """Read the digits of a picture; as :meth:`Client.read`."""
        path, content = _read_request(model, picture, version)
        return self._reading(await self._request("POST", path, **content))

    async def word_contributions(
        self, model: str, text: str, *, version: int | None = None, label: str | None = None
    ) -> WordContributions:
        """Return what each known word and phrase contributes; as :meth:`Client.word_contributions`."""
        path = f"{_model_path(model, version)}/words"
        response = await self._request("POST", path, **self._words_content(text, label))
        return self._word_contributions(response)

    async def models(self) -> list[ModelSummary]:
        """Return the models of the server."""
        return self._summaries(await self._request("GET", "/models"))

    async def card(self, model: str, *, version: int | None = None) -> Card:
        """Return the card of a model; as :meth:`Client.card`."""
        return self._card(await self._request("GET", _model_path(model, version)), model)

    async def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        from tenacity import AsyncRetrying

        with self._connection_errors():
            return await AsyncRetrying(**self._retry_options())(self._http.request, method, path, **content)

"""Owns the Python SDK: asking a Lectern server for predictions, synchronously or with asyncio.

ClientError (a LecternError)
├── ConnectionFailed   no answer came: refused, cut off, or later than the timeout
├── UnexpectedAnswer   an answer came that is none of Lectern's
└── RequestRefused     the server said no; ``status``, ``code`` and ``request_id`` say why

Example:
    >>> from service.client import Client
    >>> with Client("http://127.0.0.1:3000") as client:
    ...     client.predict("mnist", Path("seven.png").read_bytes()).best.label
    '7'
"""

import asyncio
import base64
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from service.inference.card import Card, parse_card
from service.inference.errors import LecternError
from service.inference.prediction import Prediction, Score

DEFAULT_URL = "http://127.0.0.1:3000"
DEFAULT_TIMEOUT_S = 10.0
DEFAULT_RETRIES = 3
_RETRIED = (429, 503)
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class ClientError(LecternError):
    """A prediction could not be had from the server."""

    code = "client_error"


class ConnectionFailed(ClientError):
    """No answer came: the connection was refused or cut off, or the timeout passed."""

    code = "connection_failed"


class UnexpectedAnswer(ClientError):
    """Something answered that does not speak Lectern's protocol."""

    code = "unexpected_answer"


class RequestRefused(ClientError):
    """The server answered with an error.

    Attributes:
        status: The HTTP status.
        code: Lectern's stable word for the error, such as ``blank_image``.
        request_id: To be found in the server's log.
    """

    def __init__(self, message: str, *, status: int, code: str, request_id: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id


@dataclass(frozen=True)
class ModelSummary:
    """One row of the server's list of models."""

    name: str
    version: int
    versions: tuple[int, ...]
    title: str
    task: str
    labels: tuple[str, ...]


def _model_path(model: str, version: int | None = None) -> str:
    path = f"/models/{quote(model, safe='')}"
    return path if version is None else f"{path}/versions/{version}"


class _Protocol:
    """What both clients share: how requests are built, answers read, and pauses chosen."""

    def __init__(self, url: str, *, api_key: str | None, timeout_s: float, retries: int) -> None:
        self.url = url.rstrip("/")
        self._retries = retries
        try:
            base_url = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise ConnectionFailed(
                f"{url!r} is no address ({error}); give one such as {DEFAULT_URL}"
            ) from error
        self._options: dict[str, Any] = {
            "base_url": base_url,
            "timeout": timeout_s,
            # As bytes, since a key with an umlaut is for the server to refuse, not for httpx to choke on.
            "headers": {"Authorization": f"Bearer {api_key}".encode()} if api_key else {},
        }

    def _predict_request(
        self, model: str, inputs: Sequence[bytes | str], version: int | None, top_k: int | None
    ) -> dict[str, Any]:
        texts = [value if isinstance(value, str) else base64.b64encode(value).decode() for value in inputs]
        path = _model_path(model, version)
        parameters = {} if top_k is None else {"top_k": top_k}
        return {"method": "POST", "url": path, "json": {"inputs": texts, "parameters": parameters}}

    def _pauses(self) -> Iterator[float]:
        """Yield the seconds to wait before each further try: doubling, and random, so that clients spread."""
        for attempt in range(self._retries):
            yield min(_FIRST_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S) * random.uniform(0.5, 1.5)

    def _retry_pause(self, response: httpx.Response, pauses: Iterator[float]) -> float | None:
        """Return the seconds to wait before trying again, or None if this answer is final."""
        if response.status_code not in _RETRIED:
            return None
        pause = next(pauses, None)
        asked = response.headers.get("Retry-After", "")
        if pause is None or not asked.isdecimal():
            return pause
        return max(pause, min(float(asked), _LONGEST_PAUSE_S))

    def _failed(self, error: httpx.HTTPError) -> ConnectionFailed:
        if isinstance(error, httpx.TimeoutException):
            return ConnectionFailed(
                f"{self.url} did not answer in time; is it overloaded, or the timeout short?"
            )
        return ConnectionFailed(f"{self.url} cannot be reached ({error}); is the server running?")

    def _decode(self, response: httpx.Response) -> Any:
        try:
            document = response.json()
        except (ValueError, RecursionError):
            raise UnexpectedAnswer(
                f"{response.url} answered {response.status_code} without JSON; is it a Lectern server?"
            ) from None
        if response.is_success:
            return document
        if not isinstance(document, Mapping) or not isinstance(document.get("error"), str):
            raise UnexpectedAnswer(f"{response.url} answered {response.status_code}; is it a Lectern server?")
        raise RequestRefused(
            document["error"],
            status=response.status_code,
            code=str(document.get("code", "error")),
            request_id=str(document.get("request_id", "")),
        )

    def _predictions(self, response: httpx.Response, model: str, count: int) -> list[Prediction]:
        document = self._decode(response)
        try:
            version = int(response.headers["X-Model-Version"])
            unsure = [word == "true" for word in response.headers["X-Lectern-Unsure"].split(",")]
            rows = [tuple(Score(str(s["label"]), float(s["score"])) for s in row) for row in document]
            return [
                Prediction(model=model, version=version, scores=row, unsure=flag)
                for row, flag, _ in zip(rows, unsure, range(count), strict=True)
            ]
        except (KeyError, TypeError, ValueError):
            raise UnexpectedAnswer(
                f"{response.url} did not answer with predictions; is it a Lectern server?"
            ) from None

    def _summaries(self, response: httpx.Response) -> list[ModelSummary]:
        document = self._decode(response)
        try:
            return [
                ModelSummary(
                    name=str(row["name"]),
                    version=int(row["version"]),
                    versions=tuple(map(int, row["versions"])),
                    title=str(row["title"]),
                    task=str(row["task"]),
                    labels=tuple(map(str, row["labels"])),
                )
                for row in document["models"]
            ]
        except (KeyError, TypeError, ValueError):
            raise UnexpectedAnswer(
                f"{response.url} did not answer with models; is it a Lectern server?"
            ) from None


class Client(_Protocol):
    """A connection to one server, for ordinary code; close it, or use it in a ``with`` block."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            url: Where the server listens.
            api_key: One of the server's ``LECTERN_API_KEYS``, if it has any.
            timeout_s: Seconds to wait for each answer.
            retries: Further tries, with growing pauses, after 429 and 503.

        Raises:
            ConnectionFailed: ``url`` is no address.
        """
        super().__init__(url, api_key=api_key, timeout_s=timeout_s, retries=retries)
        self._http = httpx.Client(**self._options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def predict(
        self, model: str, value: bytes | str, *, version: int | None = None, top_k: int | None = None
    ) -> Prediction:
        """Classify the bytes of one picture file, or one text.

        Args:
            model: A model's name.
            value: A picture file, or a text, as the model's task demands.
            version: One of its versions; the default one if None.
            top_k: How many labels to name, 1 or more; all of them if None.

        Raises:
            RequestRefused: The server said no.
            ConnectionFailed: No answer came.
            UnexpectedAnswer: Something else answered.
        """
        return self.predict_many(model, [value], version=version, top_k=top_k)[0]

    def predict_many(
        self,
        model: str,
        inputs: Sequence[bytes | str],
        *,
        version: int | None = None,
        top_k: int | None = None,
    ) -> list[Prediction]:
        """Classify several inputs in one request; arguments and errors as for :meth:`predict`."""
        request = self._predict_request(model, inputs, version, top_k)
        return self._predictions(self._ask(request), model, len(inputs))

    def models(self) -> list[ModelSummary]:
        """Return what the server serves; errors as for :meth:`predict`."""
        return self._summaries(self._ask({"method": "GET", "url": "/models"}))

    def card(self, model: str, *, version: int | None = None) -> Card:
        """Return a model's card; arguments and errors as for :meth:`predict`."""
        response = self._ask({"method": "GET", "url": _model_path(model, version)})
        return parse_card(self._decode(response), source=str(response.url))

    def _ask(self, request: dict[str, Any]) -> httpx.Response:
        pauses = self._pauses()
        while True:
            try:
                response = self._http.request(**request)
            except httpx.HTTPError as error:
                raise self._failed(error) from error
            pause = self._retry_pause(response, pauses)
            if pause is None:
                return response
            time.sleep(pause)


class AsyncClient(_Protocol):
    """The same for asyncio; use it in an ``async with`` block, or await :meth:`close`."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        """Prepare a client; arguments as for :class:`Client`."""
        super().__init__(url, api_key=api_key, timeout_s=timeout_s, retries=retries)
        self._http = httpx.AsyncClient(**self._options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def predict(
        self, model: str, value: bytes | str, *, version: int | None = None, top_k: int | None = None
    ) -> Prediction:
        """Classify the bytes of one picture file, or one text; as :meth:`Client.predict`."""
        return (await self.predict_many(model, [value], version=version, top_k=top_k))[0]

    async def predict_many(
        self,
        model: str,
        inputs: Sequence[bytes | str],
        *,
        version: int | None = None,
        top_k: int | None = None,
    ) -> list[Prediction]:
        """Classify several inputs in one request; as :meth:`Client.predict_many`."""
        request = self._predict_request(model, inputs, version, top_k)
        return self._predictions(await self._ask(request), model, len(inputs))

    async def models(self) -> list[ModelSummary]:
        """Return what the server serves."""
        return self._summaries(await self._ask({"method": "GET", "url": "/models"}))

    async def card(self, model: str, *, version: int | None = None) -> Card:
        """Return a model's card; as :meth:`Client.card`."""
        response = await self._ask({"method": "GET", "url": _model_path(model, version)})
        return parse_card(self._decode(response), source=str(response.url))

    async def _ask(self, request: dict[str, Any]) -> httpx.Response:
        pauses = self._pauses()
        while True:
            try:
                response = await self._http.request(**request)
            except httpx.HTTPError as error:
                raise self._failed(error) from error
            pause = self._retry_pause(response, pauses)
            if pause is None:
                return response
            await asyncio.sleep(pause)

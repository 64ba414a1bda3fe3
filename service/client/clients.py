"""Defines the synchronous and the asyncio client."""

from typing import TYPE_CHECKING, Self, TypeVar

import httpx

from service.client import calls
from service.client.answers import Answer, ModelSummary
from service.client.arguments import one_input
from service.client.body import Body
from service.client.calls import Call, Input, Inputs, Result
from service.client.transport import Transport
from service.inference.card import Card
from service.inference.errors import InvalidInput
from service.inference.prediction import Prediction, Regression, WordContributions
from service.inference.reading.reading import Reading

if TYPE_CHECKING:
    from service.inference.arrays import Encoding

_Result = TypeVar("_Result", Prediction, Regression)


class Client(Transport[httpx.Client]):
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
        value: Input,
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
            TypeError, ValueError: An argument has a wrong type or value; the message names it.
        """
        results = self.predict_many(model, one_input(value), version=version, top_k=top_k, encoding=encoding)
        return _only(results, "predict_many")

    def predict_many(
        self,
        model: str,
        inputs: Inputs,
        *,
        version: int | None = None,
        top_k: int | None = None,
        encoding: "Encoding | None" = None,
    ) -> list[Prediction]:
        """Classify several inputs in one request; arguments and errors as for :meth:`predict`.

        The inputs are a list of files, texts, rows or arrays, or one array whose first dimension counts them.
        """
        call = calls.predict(model, inputs, version=version, top_k=top_k, encoding=encoding)
        return self._send(call)

    def predict_values(self, model: str, value: Input, *, version: int | None = None) -> Regression:
        """Predict the values of a regression for one input; arguments and errors as for :meth:`predict`.

        Raises:
            InvalidInput: The array has several inputs, or the model predicts labels.
        """
        results = self.predict_many_values(model, one_input(value), version=version)
        return _only(results, "predict_many_values")

    def predict_many_values(
        self, model: str, inputs: Inputs, *, version: int | None = None
    ) -> list[Regression]:
        """Predict the values for several inputs in one request; inputs as for :meth:`predict_many`."""
        return self._send(calls.predict_values(model, inputs, version=version))

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
        return self._send(calls.read(model, picture, version=version))

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
        return self._send(calls.word_contributions(model, text, version=version, label=label))

    def models(self) -> list[ModelSummary]:
        """Return the models of the server; errors as for :meth:`predict`."""
        return self._send(calls.models())

    def card(self, model: str, *, version: int | None = None) -> Card:
        """Return the card of a model; as :meth:`predict`, and CardError if the card is invalid."""
        return self._send(calls.card(model, version=version))

    def _send(self, call: Call[Result]) -> Result:
        from tenacity import Retrying

        with self._connection_errors():
            retrying = Retrying(**self._retry_options())
            response = retrying(self._attempt, call)
        return call.read(Answer(response, self.url))

    def _attempt(self, call: Call[Result]) -> httpx.Response:
        with self._http.stream(call.method, call.path, **call.content) as response:
            body = Body(response, timeout_s=self._timeout_s)
            for part in response.iter_bytes():
                body.add(part)
            return body.response()


class AsyncClient(Transport[httpx.AsyncClient]):
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
        value: Input,
        *,
        version: int | None = None,
        top_k: int | None = None,
        encoding: "Encoding | None" = None,
    ) -> Prediction:
        """Classify one input; as :meth:`Client.predict`."""
        results = await self.predict_many(
            model, one_input(value), version=version, top_k=top_k, encoding=encoding
        )
        return _only(results, "predict_many")

    async def predict_many(
        self,
        model: str,
        inputs: Inputs,
        *,
        version: int | None = None,
        top_k: int | None = None,
        encoding: "Encoding | None" = None,
    ) -> list[Prediction]:
        """Classify several inputs in one request; as :meth:`Client.predict_many`."""
        call = calls.predict(model, inputs, version=version, top_k=top_k, encoding=encoding)
        return await self._send(call)

    async def predict_values(self, model: str, value: Input, *, version: int | None = None) -> Regression:
        """Predict the values of a regression for one input; as :meth:`Client.predict_values`."""
        results = await self.predict_many_values(model, one_input(value), version=version)
        return _only(results, "predict_many_values")

    async def predict_many_values(
        self, model: str, inputs: Inputs, *, version: int | None = None
    ) -> list[Regression]:
        """Predict the values for several inputs in one request."""
        return await self._send(calls.predict_values(model, inputs, version=version))

    async def read(self, model: str, picture: bytes, *, version: int | None = None) -> Reading:
        """Read the digits of a picture; as :meth:`Client.read`."""
        return await self._send(calls.read(model, picture, version=version))

    async def word_contributions(
        self, model: str, text: str, *, version: int | None = None, label: str | None = None
    ) -> WordContributions:
        """Return what each known word and phrase contributes; as :meth:`Client.word_contributions`."""
        return await self._send(calls.word_contributions(model, text, version=version, label=label))

    async def models(self) -> list[ModelSummary]:
        """Return the models of the server."""
        return await self._send(calls.models())

    async def card(self, model: str, *, version: int | None = None) -> Card:
        """Return the card of a model; as :meth:`Client.card`."""
        return await self._send(calls.card(model, version=version))

    async def _send(self, call: Call[Result]) -> Result:
        from tenacity import AsyncRetrying

        with self._connection_errors():
            retrying = AsyncRetrying(**self._retry_options())
            response: httpx.Response = await retrying(self._attempt, call)
        return call.read(Answer(response, self.url))

    async def _attempt(self, call: Call[Result]) -> httpx.Response:
        async with self._http.stream(call.method, call.path, **call.content) as response:
            body = Body(response, timeout_s=self._timeout_s)
            async for part in response.aiter_bytes():
                body.add(part)
            return body.response()


def _only(results: list[_Result], method: str) -> _Result:
    """Return the only result; for several inputs, name the method that takes them."""
    if len(results) != 1:
        raise InvalidInput(f"the array has {len(results)} inputs; call {method}")
    return results[0]

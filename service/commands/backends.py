"""Predicts with a model in this process, or with one of a server."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeAlias

from service.commands.catalog import open_catalog
from service.inference.arrays import Array, Encoding, batch_shape, network_batch
from service.inference.card import Card
from service.inference.errors import InputError, InvalidInput, LecternError, ModelNotFound, SettingsError
from service.inference.prediction import Prediction, Regression
from service.inference.predictor import Input, Predictor
from service.inference.reading.reading import Reading

if TYPE_CHECKING:
    from service.client import Client

Result: TypeAlias = Prediction | Regression

_INPUTS_PER_REQUEST = 64  # what a server with default limits takes


class LocalBackend:
    """A model in this process.

    Attributes:
        card: Card of the model.
        input_error: Raised for an input that is refused.
    """

    input_error: type[LecternError] = InputError

    def __init__(self, predictor: Predictor) -> None:
        self.card = predictor.card
        self._predictor = predictor

    def predict(self, inputs: Sequence[Input], *, top_k: int | None) -> Sequence[Result]:
        """Predict several inputs."""
        if self.card.task == "regression":
            return self._predictor.predict_values(inputs)
        return self._predictor.predict(inputs, top_k=top_k)

    def predict_array(self, values: Array, *, top_k: int | None, encoding: Encoding) -> Sequence[Result]:
        """Predict the inputs in an array."""
        if self.card.task == "regression":
            return self._predictor.predict_array_values(values)
        return self._predictor.predict_array(values, top_k=top_k, encoding=encoding)

    def reader(self) -> Callable[[bytes], Reading]:
        """Return what reads the digits of a picture file."""
        from service.inference.reading.reader import Reader

        return Reader(self._predictor).read


class ServedBackend:
    """A model of a server; attributes as of :class:`LocalBackend`."""

    def __init__(
        self, client: "Client", model: str, version: int | None, *, input_error: type[LecternError]
    ) -> None:
        self.input_error = input_error
        self._client = client
        self._model = model
        self._version = version

    @cached_property
    def card(self) -> Card:
        """The card of the model."""
        return self._client.card(self._model, version=self._version)

    def predict(self, inputs: Sequence[Input] | Array, *, top_k: int | None) -> Sequence[Result]:
        """Predict several inputs, in requests that a server with default limits takes."""
        starts = range(0, len(inputs), _INPUTS_PER_REQUEST)
        parts = (inputs[start : start + _INPUTS_PER_REQUEST] for start in starts)
        return [result for part in parts for result in self._request(part, top_k=top_k)]

    def predict_array(self, values: Array, *, top_k: int | None, encoding: Encoding) -> Sequence[Result]:
        """Predict the inputs in an array.

        The scale of pixels follows from all of them, so they are converted before the array is divided.
        Multi-hot vectors become ids.
        """
        shape = batch_shape(values.shape, self.card, encoding=encoding)
        return self.predict(network_batch(values, shape, self.card, encoding=encoding), top_k=top_k)

    def _request(self, inputs: Sequence[Input] | Array, *, top_k: int | None) -> Sequence[Result]:
        try:
            if self.card.task == "regression":
                return self._client.predict_many_values(self._model, inputs, version=self._version)
            return self._client.predict_many(self._model, inputs, version=self._version, top_k=top_k)
        except (TypeError, ValueError) as error:  # such as a value of a row that is a list
            raise InvalidInput(str(error)) from error

    def reader(self) -> Callable[[bytes], Reading]:
        """Return what reads the digits of a picture file."""
        return partial(self._client.read, self._model, version=self._version)


Backend: TypeAlias = LocalBackend | ServedBackend


@contextmanager
def open_backend(
    model: str, version: int | None, *, url: str | None, api_key: str | None
) -> Iterator[Backend]:
    """Open a version of a model.

    Args:
        model: Name of the model.
        version: Version of the model; the default version if None.
        url: Address of the server; None to predict in this process.
        api_key: API key of the server.

    Raises:
        ModelNotFound: The name of the model is empty.
        SettingsError: The API key has control characters.
        LecternError: The model cannot be loaded, or the server not be used.
    """
    if url is None:
        yield LocalBackend(open_catalog().predictor(model, version))
        return
    if not model:
        raise ModelNotFound("the name of the model is empty; name one of the server's models")
    from service.client import Client, RequestRefused  # httpx is slow to import

    try:
        client = Client(url, api_key=api_key)
    except ValueError as error:
        raise SettingsError(f"{error} Set LECTERN_API_KEY or --api-key to the key alone") from error
    with client:
        yield ServedBackend(client, model, version, input_error=RequestRefused)

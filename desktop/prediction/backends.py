"""Predicts on this computer or on a Lectern server."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from PIL import Image

from desktop.pictures.images import Pixels, encode_png
from service.client import Client, ConnectionFailed, ModelSummary, RequestRefused, UnexpectedAnswer
from service.inference import Card, Prediction
from service.inference.errors import InputError
from service.inference.reading.reading import Reading

if TYPE_CHECKING:
    from service.inference import Catalog
    from service.inference.predictor import Predictor

Input: TypeAlias = Image.Image | bytes | str

# Live results need short delays: after this time the local backend takes over.
SERVER_TIMEOUT_S = 2.0


class Location(Enum):
    """Where a prediction was computed."""

    SERVER = "server"
    LOCAL = "local"


@dataclass(frozen=True, eq=False)
class PredictionResult:
    """A prediction with its location and duration.

    Attributes:
        prediction: Labels with scores.
        location: Where it was computed.
        milliseconds: Duration, including the network; inputs of one batch share it equally.
        pixels: The preprocessed picture, uint8 (height, width) or (height, width, 3); None for a text and for
            predictions of a server.
        reading: The digits of a picture that shows several; None for other inputs.
    """

    prediction: Prediction
    location: Location
    milliseconds: float
    pixels: Pixels | None = None
    reading: Reading | None = None


class Backend(Protocol):
    """Runs predictions; every method blocks and is safe to call from any thread."""

    def models(self) -> tuple[ModelSummary, ...]:
        """Return the available models."""

    def card(self, model: str, version: int | None) -> Card:
        """Return a model's card; the default version's if ``version`` is None."""

    def load(self, model: str, version: int | None) -> None:
        """Load a model before it is needed, where it is loaded in this process."""

    def predict(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify a batch of inputs of one kind: drawings, picture files or texts."""


class LocalBackend:
    """Predicts with ONNX Runtime in this process; loads models on first use."""

    def __init__(self, folder: Path | None = None, *, own: Path | None = None) -> None:
        """Set the folders without reading them.

        Args:
            folder: Contains ``<model>/<version>/``; the bundled models if None.
            own: Contains the models that the user has made with the app, in the same way; it need not exist.
        """
        self._folder = folder
        self._own = own
        self._own_names: frozenset[str] = frozenset()
        self._drawn_names: frozenset[str] = frozenset()
        self._catalog: Catalog | None = None
        self._lock = threading.Lock()

    def models(self) -> tuple[ModelSummary, ...]:
        """Return the models of the folder.

        Raises:
            ModelError, CardError: The folder contains no usable models.
        """
        catalog = self.catalog()
        own = self._own_names
        return tuple(
            ModelSummary(
                card.name, card.version, catalog.versions(card.name), card.title, card.task, card.labels
            )
            # The user's models come last, so that none of them becomes the first choice unasked.
            for card in sorted(catalog, key=lambda card: (card.name in own, card.name))
        )

    def card(self, model: str, version: int | None) -> Card:
        """Return a card; raises ModelNotFound, or errors as :meth:`models`."""
        return self.catalog().card(model, version)

    def predict(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify inputs; raises any error of ``service.inference``."""
        predictor = self.catalog().predictor(model, version)  # The duration excludes loading.
        start = time.perf_counter()
        prepared = [
            predictor.examine_image(value) if isinstance(value, Image.Image) else predictor.examine(value)
            for value in inputs
        ]
        rows = [value.array for value in prepared]
        predictions = [
            predictor.answer(row, reason=value.reason)
            for row, value in zip(predictor.probabilities(predictor.stack(rows)), prepared, strict=True)
        ]
        readings = [
            _read(predictor, value) if prediction.reason == "several_digits" else None
            for prediction, value in zip(predictions, inputs, strict=True)
        ]
        share = _milliseconds_per_input(start, len(rows))
        return [
            PredictionResult(
                prediction, Location.LOCAL, share, None if predictor.takes_text else row, reading
            )
            for prediction, row, reading in zip(predictions, rows, readings, strict=True)
        ]

    def load(self, model: str, version: int | None) -> None:
        """Load a model before it is needed; raises errors as :meth:`predict`."""
        self.catalog().predictor(model, version)

    def catalog(self) -> "Catalog":
        """Return the catalog, opened on the first call; raises errors as :meth:`models`."""
        with self._lock:
            if self._catalog is None:
                # Imports ONNX Runtime, which must not delay the first paint.
                from service.inference import Catalog

                self._catalog = Catalog() if self._folder is None else Catalog(self._folder)
                self._add_own_models(self._catalog)
            return self._catalog

    def own_names(self) -> frozenset[str]:
        """Return the names of the models that the user has made, which no server has."""
        return self._own_names

    def reads_drawings(self, name: str) -> bool:
        """Return whether a model is one of the user's, and is made for drawings."""
        return name in self._drawn_names

    def read_own_models(self) -> None:
        """Read the user's models again, because one was made; raises errors as :meth:`models`."""
        catalog = self.catalog()
        with self._lock:
            self._add_own_models(catalog)

    def _add_own_models(self, catalog: "Catalog") -> None:
        """Add the user's models, except those with the name of another model."""
        if self._own is None or not self._own.is_dir():
            return
        for folder in sorted(path for path in self._own.iterdir() if path.is_dir()):
            if folder.name in self._own_names or catalog.find(folder.name) is None:
                catalog.add(folder)
                # The default version may be damaged.
                if versions := catalog.versions(folder.name):
                    self._own_names |= {folder.name}
                    if catalog.card(folder.name, versions[-1]).input.preprocessing == "digit":
                        self._drawn_names |= {folder.name}
                else:
                    catalog.remove(folder.name)


class ServerBackend:
    """Predicts on a server; makes no retries because the local backend takes over."""

    def __init__(
        self, url: str, *, api_key: Callable[[], str] = lambda: "", timeout_s: float = SERVER_TIMEOUT_S
    ) -> None:
        """Prepare the connection without sending anything.

        Args:
            url: An http or https URL.
            api_key: Returns the API key, or an empty text if the server needs none; called with the first
                request, because it may wait for the keyring.
            timeout_s: Timeout of each request in seconds.
        """
        self._url = url
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._client: Client | None = None
        self._lock = threading.Lock()
        self._active = 0
        self._closed = False

    def models(self) -> tuple[ModelSummary, ...]:
        """Return the server's models; raises ClientError."""
        with self._request() as client:
            return tuple(client.models())

    def card(self, model: str, version: int | None) -> Card:
        """Return a card; raises ClientError."""
        with self._request() as client:
            return client.card(model, version=version)

    def predict(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify inputs; sends drawings as PNG; raises ClientError."""
        encoded = [encode_png(value) if isinstance(value, Image.Image) else value for value in inputs]
        with self._request() as client:
            start = time.perf_counter()
            predictions = client.predict_many(model, encoded, version=version)
            for prediction in predictions:
                _check_scores(prediction)
            readings: list[Reading | None] = [None] * len(predictions)
            for number, value in enumerate(encoded):
                if predictions[number].reason == "several_digits" and isinstance(value, bytes):
                    with contextlib.suppress(RequestRefused):  # such as: too many digits
                        reading = client.read(model, value, version=version)
                        readings[number] = reading if reading.is_legible else None
            share = _milliseconds_per_input(start, len(encoded))
        return [
            PredictionResult(prediction, Location.SERVER, share, reading=reading)
            for prediction, reading in zip(predictions, readings, strict=True)
        ]

    def close(self) -> None:
        """Refuse further requests, and close the connections when the last active request ends."""
        with self._lock:
            self._closed = True
        self._close_unused_client()

    @contextmanager
    def _request(self) -> Iterator[Client]:
        """Keep the client open during a request of any thread."""
        api_key = self._api_key()  # Not within the lock, which close() needs at once.
        with self._lock:
            if self._closed:
                raise ConnectionFailed("the connection to the server was closed; connect to the new server")
            if self._client is None:
                self._client = Client(
                    self._url, api_key=api_key or None, timeout_s=self._timeout_s, retries=0
                )
            self._active += 1
        try:
            yield self._client
        finally:
            with self._lock:
                self._active -= 1
            self._close_unused_client()

    def _close_unused_client(self) -> None:
        with self._lock:
            client = self._client if self._closed and self._active == 0 else None
        if client is not None:
            client.close()


def _read(predictor: "Predictor", value: Input) -> Reading | None:
    """Return the digits of a picture; None if they cannot be read, such as too many or a scribble."""
    from service.inference.reading.reader import Reader

    with contextlib.suppress(InputError):
        reading = Reader(predictor).read(value)
        return reading if reading.is_legible else None
    return None


def _milliseconds_per_input(start: float, count: int) -> float:
    return (time.perf_counter() - start) * 1000 / max(count, 1)


def _check_scores(prediction: Prediction) -> None:
    # Python's JSON parser accepts NaN.
    scores = [score.score for score in prediction.scores]
    if not scores or not all(math.isfinite(score) and 0 <= score <= 1 for score in scores):
        raise UnexpectedAnswer(
            f"the response for {prediction.model} contains no probabilities; is it a Lectern server?"
        )

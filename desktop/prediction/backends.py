"""Predicts on this computer or on a Lectern server."""

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

from desktop.pictures.images import encode_png
from service.client import Client, ConnectionFailed, ModelSummary, UnexpectedAnswer
from service.inference import Card, Prediction

if TYPE_CHECKING:
    from service.inference import Catalog, Predictor

Input: TypeAlias = Image.Image | bytes | str

# Live results need short delays: after this time the local backend takes over.
SERVER_TIMEOUT_S = 2.0


class Location(Enum):
    """Where a prediction was computed."""

    SERVER = "server"
    LOCAL = "local"


@dataclass(frozen=True)
class PredictionResult:
    """A prediction with its location and duration.

    Attributes:
        prediction: Labels with scores.
        location: Where it was computed.
        milliseconds: Duration, including the network; inputs of one batch share it equally.
    """

    prediction: Prediction
    location: Location
    milliseconds: float


class Backend(Protocol):
    """Runs predictions; every method blocks and is safe to call from any thread."""

    def models(self) -> tuple[ModelSummary, ...]:
        """Return the available models."""

    def card(self, model: str, version: int | None) -> Card:
        """Return a model's card; the default version's if ``version`` is None."""

    def predict(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify a batch of inputs of one kind: drawings, picture files or texts."""

    def close(self) -> None:
        """Close the connections; no further calls are made."""


class LocalBackend:
    """Predicts with ONNX Runtime in this process; loads models on first use."""

    def __init__(self, folder: Path | None = None) -> None:
        """Set the models folder without reading it.

        Args:
            folder: Contains ``<model>/<version>/``; the bundled models if None.
        """
        self._folder = folder
        self._catalog: Catalog | None = None
        self._lock = threading.Lock()

    def models(self) -> tuple[ModelSummary, ...]:
        """Return the models of the folder.

        Raises:
            ModelError, CardError: The folder contains no usable models.
        """
        catalog = self.catalog()
        return tuple(_summary(card, catalog.versions(card.name)) for card in catalog)

    def card(self, model: str, version: int | None) -> Card:
        """Return a card; raises ModelNotFound, or errors as :meth:`models`."""
        return self.catalog().card(model, version)

    def predict(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify inputs; raises any error of ``service.inference``."""
        predictor = self.catalog().predictor(model, version)  # The duration excludes loading.
        return _timed(Location.LOCAL, lambda: _predict(predictor, inputs))

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def catalog(self) -> "Catalog":
        """Return the catalog, opened on the first call; raises errors as :meth:`models`."""
        with self._lock:
            if self._catalog is None:
                # Imports ONNX Runtime, which must not delay the first paint.
                from service.inference import Catalog

                self._catalog = Catalog() if self._folder is None else Catalog(self._folder)
            return self._catalog


class ServerBackend:
    """Predicts on a server; makes no retries because the local backend takes over."""

    def __init__(self, url: str, *, api_key: str = "", timeout_s: float = SERVER_TIMEOUT_S) -> None:
        """Prepare the connection without sending anything.

        Args:
            url: An http or https URL.
            api_key: Empty if the server needs none.
            timeout_s: Timeout of each request in seconds.
        """
        self._client = Client(url, api_key=api_key or None, timeout_s=timeout_s, retries=0)
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
            results = _timed(Location.SERVER, lambda: client.predict_many(model, encoded, version=version))
        for result in results:
            _check_scores(result.prediction)
        return results

    def close(self) -> None:
        """Refuse further requests, and close the connections when the last active request ends."""
        with self._lock:
            self._closed = True
            idle = self._active == 0
        if idle:
            self._client.close()

    @contextmanager
    def _request(self) -> Iterator[Client]:
        """Keep the client open during a request of any thread."""
        with self._lock:
            if self._closed:
                raise ConnectionFailed("the connection to the server was closed; connect to the new server")
            self._active += 1
        try:
            yield self._client
        finally:
            with self._lock:
                self._active -= 1
                unused = self._closed and self._active == 0
            if unused:
                self._client.close()


def _predict(predictor: "Predictor", inputs: Sequence[Input]) -> list[Prediction]:
    rows = [
        predictor.prepare_image(value) if isinstance(value, Image.Image) else predictor.prepare(value)
        for value in inputs
    ]
    return [predictor.answer(row) for row in predictor.probabilities(predictor.stack(rows))]


def _timed(location: Location, predict: Callable[[], list[Prediction]]) -> list[PredictionResult]:
    start = time.perf_counter()
    predictions = predict()
    share = (time.perf_counter() - start) * 1000 / max(len(predictions), 1)
    return [PredictionResult(prediction, location, share) for prediction in predictions]


def _check_scores(prediction: Prediction) -> None:
    # Python's JSON parser accepts NaN.
    scores = [score.score for score in prediction.scores]
    if not scores or not all(math.isfinite(score) and 0 <= score <= 1 for score in scores):
        raise UnexpectedAnswer(
            f"the response for {prediction.model} contains no probabilities; is it a Lectern server?"
        )


def _summary(card: Card, versions: tuple[int, ...]) -> ModelSummary:
    return ModelSummary(
        name=card.name,
        version=card.version,
        versions=versions,
        title=card.title,
        task=card.task,
        labels=card.labels,
    )

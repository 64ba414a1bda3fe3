"""Owns the two places that can answer a request: a Lectern server, and this computer."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from service.client import Client, ModelSummary, UnexpectedAnswer
from service.inference import Card, Prediction

if TYPE_CHECKING:
    from service.inference import Catalog

Input: TypeAlias = bytes | str

# A server that takes longer than this for one answer is of no use to somebody who draws.
SERVER_TIMEOUT_S = 2.0


class Place(Enum):
    """Where an answer was computed."""

    SERVER = "server"
    HERE = "here"


@dataclass(frozen=True)
class PredictionResult:
    """A prediction with where it was computed and how many milliseconds that took, the way there included."""

    prediction: Prediction
    place: Place
    milliseconds: float


class Backend(Protocol):
    """Something that answers; every call blocks, and may come from any thread."""

    def models(self) -> tuple[ModelSummary, ...]:
        """Return what can be asked."""

    def card(self, model: str, version: int | None) -> Card:
        """Return a model's card; the default version's if ``version`` is None."""

    def read(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify inputs, all of one kind, in one go; each reading has its share of the time."""

    def close(self) -> None:
        """Let go of connections; nothing is asked afterwards."""


class LocalBackend:
    """Answers with ONNX Runtime in this process; nothing is loaded before it is first needed."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder of models, which is read at the first call.

        Args:
            folder: Holds ``<model>/<version>/``; Lectern's own models if None.
        """
        self._folder = folder
        self._catalog: Catalog | None = None
        self._lock = threading.Lock()

    def models(self) -> tuple[ModelSummary, ...]:
        """Return what the folder holds; raises ModelError or CardError if that is nothing usable."""
        catalog = self.catalog()
        return tuple(_summary(card, catalog.versions(card.name)) for card in catalog)

    def card(self, model: str, version: int | None) -> Card:
        """Return a card; raises ModelNotFound, or as :meth:`models`."""
        return self.catalog().card(model, version)

    def read(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify inputs; raises any error of ``service.inference``."""
        predictor = self.catalog().predictor(model, version)  # Loading is not part of the time that is shown.
        return _timed(Place.HERE, lambda: predictor.predict(inputs))

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def catalog(self) -> "Catalog":
        """Return the models, opened the first time; raises as :meth:`models`."""
        with self._lock:
            if self._catalog is None:
                # It brings ONNX Runtime, which the first paint does not wait for.
                from service.inference import Catalog

                self._catalog = Catalog() if self._folder is None else Catalog(self._folder)
            return self._catalog


class ServerBackend:
    """Answers by asking a server; one try each, because the other backend stands by."""

    def __init__(self, url: str, *, api_key: str = "", timeout_s: float = SERVER_TIMEOUT_S) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            url: An http or https address.
            api_key: Empty if the server wants none.
            timeout_s: Seconds to wait for each answer.
        """
        self._client = Client(url, api_key=api_key or None, timeout_s=timeout_s, retries=0)

    def models(self) -> tuple[ModelSummary, ...]:
        """Return what the server lists; raises ClientError."""
        return tuple(self._client.models())

    def card(self, model: str, version: int | None) -> Card:
        """Return the card of the default version, the only one that servers give; raises ClientError."""
        return self._client.card(model)

    def read(self, model: str, inputs: Sequence[Input], *, version: int | None) -> list[PredictionResult]:
        """Classify inputs; raises ClientError."""
        readings = _timed(Place.SERVER, lambda: self._ask(model, inputs, version))
        for reading in readings:
            _check(reading.prediction)
        return readings

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, model: str, inputs: Sequence[Input], version: int | None) -> list[Prediction]:
        texts = [value for value in inputs if isinstance(value, str)]
        pictures = [value for value in inputs if isinstance(value, bytes)]
        return self._client.predict_many(model, texts or pictures, version=version)


def _timed(place: Place, ask: Callable[[], list[Prediction]]) -> list[PredictionResult]:
    start = time.perf_counter()
    predictions = ask()
    share = (time.perf_counter() - start) * 1000 / max(len(predictions), 1)
    return [PredictionResult(prediction, place, share) for prediction in predictions]


def _check(prediction: Prediction) -> None:
    # Python's JSON reader lets NaN through, and a bar cannot show it.
    scores = [score.score for score in prediction.scores]
    if not scores or not all(math.isfinite(score) and 0 <= score <= 1 for score in scores):
        raise UnexpectedAnswer(
            f"the answer for {prediction.model} holds no probabilities; is it a Lectern server?"
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

"""Owns measuring a model of the catalogue again, and holding the result against its card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from service.inference.card import Card, Metrics
from service.inference.catalog import Catalog
from service.inference.preprocessing import Vocabulary
from service.inference.session import open_session
from training.datasets.dataset import Dataset, Examples
from training.datasets.folder import load_folder
from training.datasets.registry import load_dataset
from training.inputs import as_served, encode
from training.metrics import measure_probabilities

# Accuracy has to be the same to the last example. The other figures are sums of floats, which another
# processor may round otherwise.
_ROUNDING = 1e-4
_BATCH = 250


@dataclass(frozen=True)
class Comparison:
    """A figure of the card beside the one measured now."""

    name: str
    card: float
    measured: float
    tolerance: float

    @property
    def same(self) -> bool:
        """Whether both agree."""
        return abs(self.card - self.measured) <= self.tolerance


@dataclass(frozen=True)
class Evaluation:
    """What measuring a model again gave.

    Attributes:
        card: The model's.
        metrics: Measured now.
        rows: Figure by figure.
        same_data: Whether the data in the cache is what the card names; a set that was fetched anew and
            had to be converted may differ in a few grey levels.
    """

    card: Card
    metrics: Metrics
    rows: tuple[Comparison, ...]
    same_data: bool

    @property
    def same(self) -> bool:
        """Whether every figure agrees with the card."""
        return all(row.same for row in self.rows)


def evaluate(name: str, *, version: int | None, models: Path, data: Path | None = None) -> Evaluation:
    """Run a model's ONNX file over its whole test set.

    Args:
        name: Of the model.
        version: Of the model; the highest if None.
        models: Folder of all models.
        data: Folder of one's own pictures, if the model was trained on such.

    Raises:
        ModelError: There is no such model, or its files are damaged.
        DatasetError: The data cannot be had.
    """
    catalog = Catalog(models)
    card = catalog.card(name, version)
    folder = catalog.folder(card)
    catalog.predictor(card.name, card.version)  # Refuses a file that is not the card's.
    dataset = _load(card, data)
    test = _test_examples(card, folder, dataset)
    session = open_session(folder / "model.onnx", providers=("cpu",), threads=2)
    metrics = measure_probabilities(run_session(session, test.x), test.y, labels=card.labels)
    same_data = dataset.sha256 == card.training.dataset_sha256
    return Evaluation(card, metrics, _compare(card.metrics, metrics), same_data=same_data)


def run_session(session: ort.InferenceSession, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Run a network over prepared inputs (n, …), in batches.

    Returns:
        float32 (n, classes).
    """
    source, target = session.get_inputs()[0].name, session.get_outputs()[0].name
    parts = [
        session.run([target], {source: x[start : start + _BATCH]})[0] for start in range(0, len(x), _BATCH)
    ]
    return np.concatenate(parts)


def _load(card: Card, data: Path | None) -> Dataset:
    size = card.input.shape[1] if card.input.preprocessing == "photo" else None
    if data is not None:
        return load_folder(data, preprocessing=card.input.preprocessing, size=size)
    return load_dataset(card.training.dataset, size=size)


def _test_examples(card: Card, folder: Path, dataset: Dataset) -> Examples:
    if card.input.preprocessing != "text":
        return as_served(dataset.test, preprocessing=card.input.preprocessing)
    vocabulary = Vocabulary.read(folder / "vocabulary.txt")
    return Examples(encode(dataset.test.x, vocabulary=vocabulary), dataset.test.y)


def _compare(card: Metrics, measured: Metrics) -> tuple[Comparison, ...]:
    rows = [
        Comparison("test examples", card.count, measured.count, 0),
        Comparison("accuracy", card.accuracy, measured.accuracy, 1e-9),
        Comparison("log-loss", card.log_loss, measured.log_loss, _ROUNDING),
        Comparison(
            "expected calibration error",
            card.expected_calibration_error,
            measured.expected_calibration_error,
            _ROUNDING,
        ),
    ]
    rows += [
        Comparison(f"accuracy on {label}", value, measured.per_class_accuracy[label], 1e-9)
        for label, value in card.per_class_accuracy.items()
    ]
    return tuple(rows)

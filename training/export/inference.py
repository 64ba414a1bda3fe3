"""Loads the examples of an exported model, runs networks over them, and measures their time."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from service.inference.arrays import split_rows
from service.inference.card import TEXT_KINDS, Card
from service.inference.precision import cpu_clock
from service.inference.preprocessing import Vocabulary
from service.inference.session import open_session
from training.datasets import Dataset, Examples, is_own, load_dataset
from training.datasets.dataset import as_served, encode
from training.datasets.folder import load_folder
from training.errors import DatasetError

_SECONDS, _FEWEST_RUNS = 1.0, 30


@dataclass(frozen=True)
class Splits:
    """A data set, and its prepared validation and test splits."""

    dataset: Dataset
    validation: Examples
    test: Examples


def load_splits(card: Card, folder: Path, *, data: Path | None = None) -> Splits:
    """Load a model's validation and test examples and prepare them as the server does.

    Args:
        card: The model's card.
        folder: The model's files.
        data: Folder of the user's pictures, if the model was trained on it.

    Raises:
        DatasetError: The data cannot be loaded, or has other labels than the model; or the user's own data
            has changed, and its splits with it.
    """
    kind = card.input.preprocessing
    size = card.input.shape[1] if kind == "photo" else None
    if data is not None:
        dataset = load_folder(data, preprocessing=kind, size=size)
    else:
        dataset = load_dataset(card.training.dataset, size=size)
    if dataset.labels != card.labels:
        raise DatasetError(
            f"{data or dataset.name}: has the labels {', '.join(dataset.labels)}, and {card.name} "
            f"{card.version} has {', '.join(card.labels)}; name the data that it was trained on"
        )
    if (data is not None or is_own(dataset.name)) and dataset.sha256 != card.training.dataset_sha256:
        raise DatasetError(
            f"{data or dataset.name}: has changed since {card.name} {card.version} was trained on it, so its "
            "test examples may have been training examples; restore the data, or train again"
        )
    parts = (dataset.validation, dataset.test)
    if kind in TEXT_KINDS:
        vocabulary = Vocabulary.read(folder / "vocabulary.txt")
        return Splits(
            dataset, *(encode(part, vocabulary=vocabulary, length=card.input.length)[0] for part in parts)
        )
    return Splits(dataset, *(as_served(part, preprocessing=kind) for part in parts))


def run_file(path: Path, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Run the network of an ONNX file over prepared inputs (n, …).

    Returns:
        float32 (n, classes).
    """
    session = open_session(path, providers=("cpu",), threads=2)
    source, target = session.get_inputs()[0].name, session.get_outputs()[0].name
    return np.concatenate([session.run([target], {source: rows})[0] for rows in split_rows(x)])


def run_network(proto: onnx.ModelProto, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Run a network that has no file yet; see :func:`run_file`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(proto.SerializeToString())
        return run_file(path, x)


def median_milliseconds(
    calls: Sequence[Callable[[], object]], *, seconds: float = _SECONDS
) -> tuple[float, ...]:
    """Time several calls alternately, so that other load on the machine affects all of them.

    Args:
        calls: Functions that use no other thread. Each is called once before the measurement.
        seconds: Duration of the measurement for each call.

    Returns:
        Median processor time of each call in milliseconds.
    """
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + seconds * len(calls)
    while time.perf_counter() < end or len(times[0]) < _FEWEST_RUNS:
        for call, taken in zip(calls, times, strict=True):
            begin = cpu_clock()
            call()
            taken.append(cpu_clock() - begin)
    return tuple(round(float(np.median(taken)) * 1e3, 4) for taken in times)

"""Teaches the last layer of a model, and writes the result as a new model."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from desktop.teach.regression import (
    CORRECTIONS_PENALTY,
    NEW_LABELS_PENALTY,
    LastLayer,
    cross_validate,
    fit_last_layer,
)
from service.inference.card import (
    Card,
    Layer,
    Metrics,
    OnnxFile,
    Provenance,
    RecipeInfo,
    TrainingRun,
    write_card,
)
from service.inference.errors import InputError, LecternError

if TYPE_CHECKING:
    from desktop.teach.feature_network import FeatureNetwork
    from service.inference import Catalog

MIN_EXAMPLES = 3  # of each label
_FOLDS, _BATCH, _BINS = 5, 16, 10
_SMALLEST = 1e-7
_EXPLANATION_FILE = "explain.onnx"
# Thresholds of doubt that are tried, and the share of right answers above the one that is chosen.
_THRESHOLDS, _SURE_ACCURACY = np.arange(0.5, 1.0, 0.05), 0.97


class TeachingError(LecternError):
    """There is nothing to teach, or the new model cannot be written."""

    code = "teaching_error"


@dataclass(frozen=True)
class Example:
    """A picture file, and its label."""

    label: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What to teach.

    Attributes:
        name: Name of the new model; a model of this name gets another version.
        base: Name of the model whose features are used.
        version: Version of that model.
        examples: The examples.
        keep_labels: Whether the new model also has the labels of the base, and keeps what it knows of them.
    """

    name: str
    base: str
    version: int
    examples: tuple[Example, ...]
    keep_labels: bool


@dataclass(frozen=True)
class Taught:
    """The new model.

    Attributes:
        card: Its card; the metrics are those of a cross-validation over the examples.
        seconds: How long it took.
        skipped: Number of examples that could not be read.
    """

    card: Card
    seconds: float
    skipped: int


class Teacher:
    """Teaches with ONNX Runtime and NumPy; keeps the features of examples that it has seen."""

    def __init__(self, catalog: Callable[[], "Catalog"], models: Path) -> None:
        """Initialize without loading anything.

        Args:
            catalog: Returns the models.
            models: Folder for the new models.
        """
        self._catalog, self._models = catalog, models
        self._features: dict[tuple[str, int, Path], npt.NDArray[np.float32] | None] = {}

    def bases(self) -> tuple[Card, ...]:
        """Return the cards of the models whose last layer can be taught, at most one version of each."""
        catalog, found = self._catalog(), []
        for default in catalog:
            if default.task != "image-classification":
                continue
            for version in reversed(catalog.versions(default.name)):
                card = catalog.card(default.name, version)
                if self._network(card) is not None:
                    found.append(card)
                    break
        return tuple(found)

    def teach(self, lesson: Lesson) -> Iterator[object]:
        """Teach; slow, so not for the GUI thread.

        Yields:
            Numbers of examples that are read, then the :class:`Taught` model.

        Raises:
            TeachingError: There are fewer than two labels, or too few examples of one.
            LecternError: The base cannot be loaded.
        """
        # Imported late, because it imports onnx, which would delay the start.
        from desktop.teach.feature_network import remove_last_layer

        start = time.perf_counter()
        card = self._catalog().card(lesson.base, lesson.version)
        network = remove_last_layer(
            (self._catalog().folder(card) / "model.onnx").read_bytes(), f"{card.name} {card.version}"
        )
        yield from self._read(card, network, lesson.examples)
        read = [(one.label, self._features[self._key(card, one)]) for one in lesson.examples]
        known = [(label, row) for label, row in read if row is not None]
        labels = _labels(lesson, card, [label for label, _ in known])
        x = np.stack([row for _, row in known])
        y = np.array([labels.index(label) for label, _ in known])
        prior = _prior(network.last, card, labels, keep=lesson.keep_labels)
        penalty = CORRECTIONS_PENALTY if lesson.keep_labels else NEW_LABELS_PENALTY
        folds = min(_FOLDS, int(np.bincount(y)[np.unique(y)].min()))
        expected = cross_validate(x, y, prior=prior, penalty=penalty, folds=max(folds, 2))
        layer = fit_last_layer(x, y, prior=prior, penalty=penalty)
        content = network.with_layer(layer).SerializeToString()
        seconds = time.perf_counter() - start
        new = replace(
            _card(card, lesson, labels, content, seconds),
            metrics=_measure(expected, y, labels),
            unsure_below=_threshold(expected, y),
            version=self._next_version(lesson.name),
        )
        self._write(new, content, explanation=self._catalog().folder(card) / _EXPLANATION_FILE)
        yield Taught(new, seconds, len(read) - len(known))

    def _read(self, card: Card, network: "FeatureNetwork", examples: Sequence[Example]) -> Iterator[object]:
        """Compute the features of examples that are new; those of unreadable ones are None."""
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = max((os.cpu_count() or 1) - 1, 1)
        predictor = self._catalog().predictor(card.name, card.version)
        session = ort.InferenceSession(
            network.proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        new = [one for one in examples if self._key(card, one) not in self._features]
        for first in range(0, len(new), _BATCH):
            rows: dict[tuple[str, int, Path], npt.NDArray[np.generic]] = {}
            for one in new[first : first + _BATCH]:
                try:
                    rows[self._key(card, one)] = predictor.prepare(one.path.read_bytes())
                except (InputError, OSError):
                    self._features[self._key(card, one)] = None
            if rows:
                batch = np.stack(list(rows.values()))
                features = session.run([network.features], {card.input.name: batch})[0]
                self._features.update(zip(rows, features, strict=True))
            yield min(first + _BATCH, len(new))

    def _key(self, card: Card, example: Example) -> tuple[str, int, Path]:
        # The content of an example's file never changes: its name is its checksum.
        return card.name, card.version, example.path

    def _network(self, card: Card) -> "FeatureNetwork | None":
        from desktop.teach.feature_network import remove_last_layer

        try:
            path = self._catalog().folder(card) / "model.onnx"
            return remove_last_layer(path.read_bytes(), card.name)
        except (LecternError, OSError):
            return None

    def _next_version(self, name: str) -> int:
        taken = [int(path.name) for path in (self._models / name).glob("*") if path.name.isdigit()]
        return max(taken, default=0) + 1

    def _write(self, card: Card, content: bytes, *, explanation: Path) -> None:
        """Write a version as a whole: readers see all of its files or none."""
        target = self._models / card.name / str(card.version)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
            try:
                (temporary / "model.onnx").write_bytes(content)
                if card.explanation is not None:
                    shutil.copyfile(explanation, temporary / _EXPLANATION_FILE)
                write_card(card, temporary / "card.json")
                temporary.chmod(0o755)
                temporary.rename(target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        except OSError as error:
            raise TeachingError(
                f"{target}: cannot be written ({error.strerror}); free space, or check the permissions"
            ) from error


def _labels(lesson: Lesson, card: Card, given: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of the new model; refuse too few examples."""
    new = tuple(dict.fromkeys(given))
    labels = (
        (*card.labels, *(label for label in new if label not in card.labels)) if lesson.keep_labels else new
    )
    if len(labels) < 2:
        raise TeachingError("there are fewer than two labels; add examples of another label")
    for label in new:
        if given.count(label) < MIN_EXAMPLES and label not in (card.labels if lesson.keep_labels else ()):
            raise TeachingError(
                f"{label}: has {given.count(label)} examples that can be read; add examples until there are "
                f"{MIN_EXAMPLES}"
            )
    if not new:
        raise TeachingError("there are no examples; add drawings, pictures or a folder")
    return labels


def _prior(last: LastLayer, card: Card, labels: Sequence[str], *, keep: bool) -> LastLayer:
    """Return the layer to start from: the trained one for labels that are kept, zero for new ones."""
    count = len(last.weights)
    weights, biases = np.zeros((count, len(labels))), np.zeros(len(labels))
    if keep:
        weights[:, : len(card.labels)] = last.weights
        biases[: len(card.labels)] = last.biases
    return LastLayer(weights, biases)


def _measure(
    probabilities: npt.NDArray[np.float64], y: npt.NDArray[np.int64], labels: Sequence[str]
) -> Metrics:
    """Return the metrics of the cross-validation."""
    correct, confidence = probabilities.argmax(axis=1) == y, probabilities.max(axis=1)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [abs((confidence - correct)[bins == number].sum()) for number in range(_BINS)]
    recalls = {
        label: float(correct[y == number].mean())
        for number, label in enumerate(labels)
        if (y == number).any()
    }
    return Metrics(
        accuracy=float(correct.mean()),
        log_loss=float(-np.log(np.maximum(probabilities[np.arange(len(y)), y], _SMALLEST)).mean()),
        expected_calibration_error=float(sum(gaps) / len(y)),
        per_class_accuracy=recalls,
        count=len(y),
    )


def _threshold(probabilities: npt.NDArray[np.float64], y: npt.NDArray[np.int64]) -> float:
    """Return the lowest threshold of doubt above which nearly all answers are right."""
    correct, confidence = probabilities.argmax(axis=1) == y, probabilities.max(axis=1)
    for threshold in _THRESHOLDS:
        sure = confidence >= threshold
        if not sure.any() or correct[sure].mean() >= _SURE_ACCURACY:
            return round(float(threshold), 2)
    return round(float(_THRESHOLDS[-1]), 2)


def _card(base: Card, lesson: Lesson, labels: tuple[str, ...], content: bytes, seconds: float) -> Card:
    """Return the card of the base with what is different in the new model."""
    sha256 = hashlib.sha256(content).hexdigest()
    examples = sorted(f"{one.label}/{one.path.name}" for one in lesson.examples)
    digest = hashlib.sha256("\n".join(examples).encode())
    count = len(examples)
    *layers, before = base.layers
    parameters = before.parameters // max(before.output_shape[-1], 1) * len(labels)
    last = Layer(name="probabilities", type="Dense", output_shape=(-1, len(labels)), parameters=parameters)
    # Heat maps that the file computes are those of the old last layer; those by occlusion need none.
    explains = base.explanation is not None and not base.explanation.heat_layer
    return Card(
        name=lesson.name,
        version=1,
        title=f"{lesson.name}: the last layer of {base.name} {base.version}, taught with {count} examples",
        task=base.task,
        labels=labels,
        input=base.input,
        onnx=OnnxFile(sha256=sha256, bytes=len(content), opset=base.onnx.opset),
        recipe=RecipeInfo(name="taught", settings={"base": base.name, "keeps_labels": lesson.keep_labels}),
        parameters=base.parameters - before.parameters + parameters,
        layers=(*layers, last),
        training=TrainingRun(
            dataset="own examples",
            dataset_sha256=digest.hexdigest(),
            splits={"train": count, "validation": 0, "test": 0},
            epochs=1,
            seed=0,
            seconds=round(seconds, 2),
            machine="this computer",
            versions={},
        ),
        metrics=base.metrics,
        max_keras_difference=0.0,
        unsure_below=0.5,
        provenance=Provenance(
            license="that of the base and of the examples",
            data="examples of the user; the metrics are those of a cross-validation",
            weights=f"{base.name} {base.version}, all layers but the last",
        ),
        explanation=base.explanation if explains else None,
    )

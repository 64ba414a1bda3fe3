"""Teaches the last layer of a model, and writes the result as a new model."""

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
from PIL import Image

from desktop.teach.lesson import Example, Lesson
from desktop.teach.regression import (
    KEPT_LABELS_PENALTY,
    NEW_LABELS_PENALTY,
    LabelledFeatures,
    LastLayer,
    cross_validate,
    fit_last_layer,
)
from desktop.teach.taught_card import choose_threshold, describe, measure
from service.inference.card import (
    Card,
    write_card,
)
from service.inference.errors import InputError, LecternError

if TYPE_CHECKING:
    import onnxruntime as ort

    from desktop.teach.feature_network import FeatureNetwork
    from service.inference import Catalog

MIN_EXAMPLES = 3  # of each label
# Examples of the data sets whose labels a taught network can keep: rows of one label.
_REMEMBERED = Path(__file__).parent / "remembered"
_FOLDS, _BATCH, _ROWS = 5, 16, 10
_EXPLANATION_FILE = "explain.onnx"


def keeps_labels(base: Card) -> bool:
    """Return whether a network that is taught can keep the labels of its base."""
    return _remembered_file(base).is_file() and len(base.labels) == _ROWS


class TeachingError(LecternError):
    """There is nothing to teach, or the new model cannot be written."""

    code = "teaching_error"


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
            TeachingError: There are fewer than two labels, too few examples of one, or a model of the app has
                the name.
            LecternError: The base cannot be loaded.
        """
        self._check_name(lesson.name)
        # Imported late, because it imports onnx, which would delay the start.
        from desktop.teach.feature_network import remove_last_layer

        start = time.perf_counter()
        card = self._catalog().card(lesson.base, lesson.version)
        network = remove_last_layer(
            (self._catalog().folder(card) / "model.onnx").read_bytes(), f"{card.name} {card.version}"
        )
        session = self._session(network)
        yield from self._read(card, network, session, lesson.examples)
        read = [(one.label, self._features[self._key(card, one)]) for one in lesson.examples]
        known = [(label, row) for label, row in read if row is not None]
        labels = _labels(lesson, card, [label for label, _ in known])
        x = np.stack([row for _, row in known])
        y = np.array([labels.index(label) for label, _ in known])
        prior = _prior(network.last, card, labels, keep=lesson.keep_labels)
        penalty = KEPT_LABELS_PENALTY if lesson.keep_labels else NEW_LABELS_PENALTY
        remembered = _remember(card, network, session) if lesson.keep_labels else None
        folds = max(min(_FOLDS, int(np.bincount(y)[np.unique(y)].min())), 2)
        expected = cross_validate(x, y, prior=prior, penalty=penalty, folds=folds, remembered=remembered)
        layer = fit_last_layer(x, y, prior=prior, penalty=penalty, remembered=remembered)
        content = network.with_layer(layer).SerializeToString()
        seconds = time.perf_counter() - start
        new = replace(
            describe(card, lesson, labels, content, seconds),
            metrics=measure(expected, y, labels),
            unsure_below=choose_threshold(expected, y),
            version=self._next_version(lesson.name),
        )
        self._write(new, content, explanation=self._catalog().folder(card) / _EXPLANATION_FILE)
        yield Taught(new, seconds, len(read) - len(known))

    def _check_name(self, name: str) -> None:
        """Refuse the name of a model that the user has not made: the new one could not be used."""
        model = self._catalog().find(name)
        if model is not None and all(
            model.folder(version).parents[1] != self._models for version in model.versions
        ):
            raise TeachingError(f"{name}: is the name of another model; choose a new name")

    def _session(self, network: "FeatureNetwork") -> "ort.InferenceSession":
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = max((os.cpu_count() or 1) - 1, 1)
        return ort.InferenceSession(
            network.proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def _read(
        self,
        card: Card,
        network: "FeatureNetwork",
        session: "ort.InferenceSession",
        examples: Sequence[Example],
    ) -> Iterator[object]:
        """Compute the features of examples that are new; those of unreadable ones are None."""
        predictor = self._catalog().predictor(card.name, card.version)
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


def _remembered_file(base: Card) -> Path:
    return _REMEMBERED / f"{base.training.dataset}.png"


def _remember(card: Card, network: "FeatureNetwork", session: "ort.InferenceSession") -> LabelledFeatures:
    """Return the features of examples of all labels of a base.

    Raises:
        TeachingError: There are none for its data set.
    """
    if not keeps_labels(card):
        raise TeachingError(
            f"{card.name}: its labels cannot be kept, because there are no examples of "
            f"{card.training.dataset}; give examples of all labels"
        )
    _, height, width = card.input.shape
    with Image.open(_remembered_file(card)) as picture:
        sheet = np.asarray(picture)
    tiles = sheet.reshape(_ROWS, height, -1, width).swapaxes(1, 2)
    columns = tiles.shape[1]
    features = session.run([network.features], {card.input.name: tiles.reshape(-1, height, width)})[0]
    return LabelledFeatures(features.astype(np.float64), np.repeat(np.arange(_ROWS), columns))


def _prior(last: LastLayer, card: Card, labels: Sequence[str], *, keep: bool) -> LastLayer:
    """Return the layer to start from: the trained one for labels that are kept, zero for new ones."""
    count = len(last.weights)
    weights, biases = np.zeros((count, len(labels))), np.zeros(len(labels))
    if keep:
        weights[:, : len(card.labels)] = last.weights
        biases[: len(card.labels)] = last.biases
    return LastLayer(weights, biases)

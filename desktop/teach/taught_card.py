"""Describes a taught model: its metrics, its threshold of doubt, and its card."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from desktop.teach.lesson import Lesson
from service.inference.card import Card, Layer, Metrics, OnnxFile, Provenance, RecipeInfo, TrainingRun

_BINS = 10
_SMALLEST = 1e-7
# Thresholds of doubt that are tried, and the share of right answers above the one that is chosen.
_THRESHOLDS, _SURE_ACCURACY = np.arange(0.5, 1.0, 0.05), 0.97


def measure(
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


def choose_threshold(probabilities: npt.NDArray[np.float64], y: npt.NDArray[np.int64]) -> float:
    """Return the lowest threshold of doubt above which nearly all answers are right."""
    correct, confidence = probabilities.argmax(axis=1) == y, probabilities.max(axis=1)
    for threshold in _THRESHOLDS:
        sure = confidence >= threshold
        if not sure.any() or correct[sure].mean() >= _SURE_ACCURACY:
            return round(float(threshold), 2)
    return round(float(_THRESHOLDS[-1]), 2)


def describe(base: Card, lesson: Lesson, labels: tuple[str, ...], content: bytes, seconds: float) -> Card:
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

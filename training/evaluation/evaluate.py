"""Evaluates a model of the catalogue again, compares the result with its card, and records it there."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from service.inference import Predictor
from service.inference.card import Card, RobustnessRow, read_card
from service.inference.catalog import Catalog
from training.datasets import load_dataset
from training.datasets.pendigits import load_pendigits
from training.errors import RecipeError
from training.evaluation.drawings import evaluate_drawings
from training.evaluation.faithfulness import evaluate_faithfulness
from training.evaluation.latency import measure_latency
from training.evaluation.long_photos import LongPhotoRow, evaluate_long_photos
from training.evaluation.numbers import NumberFigures, evaluate_numbers
from training.evaluation.out_of_distribution import evaluate_out_of_distribution
from training.evaluation.pages import evaluate_pages
from training.evaluation.pen_digits import evaluate_pen_digits
from training.evaluation.robustness import evaluate_robustness
from training.export.confidence import measure_confidence
from training.export.inference import load_splits
from training.export.model_folder import rewrite

_DIGITS = tuple("0123456789")
_PICTURE_MEASUREMENTS = ("robustness", "faithfulness")
_DIGIT_SECTIONS = ("pen_digits", "drawings", "out_of_distribution")
_DIGIT_MEASUREMENTS = (*_DIGIT_SECTIONS, "pages", "numbers")  # the card does not record the last two
_PHOTO_MEASUREMENTS = ("long_photos",)  # the card does not record it
# What the models are for that a measurement suits, if not digits.
_KINDS = dict.fromkeys(_PICTURE_MEASUREMENTS, "pictures") | dict.fromkeys(_PHOTO_MEASUREMENTS, "photos")
# Optional sections of a card whose figures are compared.
_OPTIONAL_SECTIONS = ("selective_prediction", *_DIGIT_SECTIONS, *_PICTURE_MEASUREMENTS)
# Accuracy must agree to the last example. Other figures are sums of floats, which differ between processors.
_EXACT = 1e-9
_ROUNDING = 1e-4
# Predictions at a threshold may change, and decoders may differ by one grey level.
_FEW_EXAMPLES = 5e-4
_FEW_OF_A_CLASS = 5e-3
# Sums of 8-bit products saturate on processors without VNNI.
_OTHER_PROCESSORS = 2e-3


def supported_measurements(card: Card) -> tuple[str, ...]:
    """Return the longer measurements that a kind of model supports; each name is a command-line option."""
    is_picture = card.task == "image-classification"
    pictures = _PICTURE_MEASUREMENTS if is_picture else ()
    digits = card.input.preprocessing == "digit" and card.labels == _DIGITS
    photos = _PHOTO_MEASUREMENTS if is_picture and card.input.preprocessing == "photo" else ()
    garments = ("out_of_distribution",) if card.training.dataset == "fashion_mnist" else ()
    return ("latency", *pictures, *photos, *garments, *(_DIGIT_MEASUREMENTS if digits else ()))


@dataclass(frozen=True)
class Comparison:
    """A figure of the card, None if it has none, and the measured one."""

    name: str
    card: float | None
    measured: float
    tolerance: float

    @property
    def same(self) -> bool:
        """Whether both agree; a new figure does."""
        return self.card is None or abs(self.card - self.measured) <= self.tolerance


@dataclass(frozen=True)
class Evaluation:
    """Result of an evaluation."""

    card: Card
    measured: Card  # the same card with the measured figures
    rows: tuple[Comparison, ...]  # one for each figure
    # Whether the data in the cache has the checksum in the card. A set that was converted again may differ by
    # a few grey levels.
    same_data: bool
    pen_digits: npt.NDArray[np.int64] | None = None  # confusion matrix, if they were measured
    pages: Mapping[str, float] | None = None  # accuracy on each kind of page, if it was measured
    numbers: NumberFigures | None = None  # if they were measured
    long_photos: tuple[LongPhotoRow, ...] = ()  # if they were measured

    @property
    def same(self) -> bool:
        """Whether every figure agrees with the card."""
        return all(row.same for row in self.rows)


def evaluate(
    name: str,
    *,
    version: int | None,
    models: Path,
    data: Path | None = None,
    measurements: Collection[str] = (),
    announce: Callable[[RobustnessRow], None] = lambda row: None,
) -> Evaluation:
    """Run a model's ONNX file over its whole test set, and make further measurements.

    Args:
        name: Name of the model.
        version: Version of the model; None for the default one.
        models: Folder of all models.
        data: Folder of the user's pictures, if the model was trained on it.
        measurements: Further measurements to make, from :func:`supported_measurements`.
        announce: Called with each row of the robustness table.

    Raises:
        ModelError: There is no such model, or its files are damaged.
        DatasetError: The data cannot be loaded.
        RecipeError: A measurement does not suit this kind of model.
    """
    catalog = Catalog(models, providers=("cpu",), threads=2)
    card = catalog.card(name, version)
    predictor = catalog.predictor(card.name, card.version)  # checks the file against the card
    for measurement in set(measurements).difference(supported_measurements(card)):
        kind = _KINDS.get(measurement, "handwritten digits")
        option = f"--{measurement.replace('_', '-')}"
        raise RecipeError(f"{option} is for models of {kind}, which {card.name} {card.version} is not")
    splits = load_splits(card, catalog.folder(card), data=data)
    measured, digit_counts = measure_confidence(card, catalog.folder(card), splits), None
    if "out_of_distribution" in measurements:
        measured = replace(measured, out_of_distribution=evaluate_out_of_distribution(predictor))
    if "drawings" in measurements:
        measured = replace(measured, drawings=evaluate_drawings(predictor))
    if "pen_digits" in measurements:
        figures, digit_counts = evaluate_pen_digits(predictor, load_pendigits())
        measured = replace(measured, pen_digits=figures)
    pages = None
    if "pages" in measurements:
        pages = evaluate_pages(predictor, load_dataset(card.training.dataset).test)
    numbers = None
    if "numbers" in measurements:
        test = load_dataset(card.training.dataset).test
        numbers = evaluate_numbers(predictor, test, load_pendigits())
    long_photos: tuple[LongPhotoRow, ...] = ()
    if "long_photos" in measurements:
        long_photos = evaluate_long_photos(predictor, splits.test)
    if "robustness" in measurements:
        pictures = splits.dataset.test if data else load_dataset(card.training.dataset).test
        table = evaluate_robustness(predictor, _baseline(catalog, card), pictures, announce=announce)
        measured = replace(measured, robustness=table)
    if "faithfulness" in measurements:
        explainer = catalog.explainer(card.name, card.version)
        measured = replace(measured, faithfulness=evaluate_faithfulness(predictor, explainer, splits.test))
    if "latency" in measurements:
        measured = measure_latency(measured, models=models, dataset=splits.dataset)
    same_data = splits.dataset.sha256 == card.training.dataset_sha256
    return Evaluation(
        card,
        measured,
        _compare(card, measured),
        same_data=same_data,
        pen_digits=digit_counts,
        pages=pages,
        numbers=numbers,
        long_photos=long_photos,
    )


def record(evaluation: Evaluation, *, models: Path) -> None:
    """Write the measured figures into a model's card, also inside its network's file.

    Args:
        evaluation: The result to record.
        models: Folder of all models.
    """
    card = evaluation.card
    folder = models / card.name / str(card.version)
    # Another command may have changed the card during the evaluation.
    current = read_card(folder / "card.json")
    rewrite(folder, replace(current, **_measured_sections(card, evaluation.measured)))


def _compare(card: Card, measured: Card) -> tuple[Comparison, ...]:
    """Compare the figures that were measured again with those of the card."""
    known = {name: value for name, value, _ in _figures(card)}
    skipped = dict.fromkeys(set(_OPTIONAL_SECTIONS) - set(_measured_sections(card, measured)))
    return tuple(
        Comparison(name, known.get(name), value, tolerance)
        for name, value, tolerance in _figures(replace(measured, **skipped))
    )


def _measured_sections(card: Card, measured: Card) -> dict[str, object]:
    """Return the sections that were measured again; the others are the same objects in both cards."""
    sections = {name: getattr(measured, name) for name in card.__struct_fields__}
    return {name: value for name, value in sections.items() if value is not getattr(card, name)}


def _figures(card: Card) -> Iterator[tuple[str, float, float]]:
    """Yield the name, value and tolerance of each figure."""
    if errors := card.regression:
        yield "test examples", errors.count, 0
        yield "mean absolute error", errors.mean_absolute_error, _ROUNDING * errors.root_mean_squared_error
        yield (
            "root mean squared error",
            errors.root_mean_squared_error,
            _ROUNDING * errors.root_mean_squared_error,
        )
        yield "R²", errors.r2, _ROUNDING
    if metrics := card.metrics:
        yield "test examples", metrics.count, 0
        yield "accuracy", metrics.accuracy, _EXACT
        yield "log-loss", metrics.log_loss, _ROUNDING
        yield "expected calibration error", metrics.expected_calibration_error, _ROUNDING
        for label, value in metrics.per_class_accuracy.items():
            yield f"accuracy on {label}", value, _EXACT
    if form := card.quantized:
        yield "accuracy in 8 bits", form.metrics.accuracy, _OTHER_PROCESSORS
        yield "calibration error in 8 bits", form.metrics.expected_calibration_error, _OTHER_PROCESSORS
    if selective := card.selective_prediction:
        for split, result in (("validation", selective.validation), ("test", selective.test)):
            yield f"coverage, {split}", result.coverage, _FEW_EXAMPLES
            yield f"selective accuracy, {split}", result.accuracy, _FEW_EXAMPLES
    if unknown := card.out_of_distribution:
        for kind in unknown.counts:
            yield f"unsure {kind}", getattr(unknown, kind), _FEW_EXAMPLES
    if digits := card.pen_digits:
        yield "pen digits", digits.accuracy, _FEW_EXAMPLES
        for label, value in digits.per_class_accuracy.items():
            yield f"pen digit {label}", value, _FEW_OF_A_CLASS
    if drawings := card.drawings:
        for name in ("straight_ones", "straight_ones_sure", "flagged_ones", "flagged_ones_sure"):
            yield name.replace("_", " "), getattr(drawings, name), _FEW_OF_A_CLASS
        yield "unsure letters", drawings.letters, _FEW_OF_A_CLASS
        yield "unsure shapes", drawings.shapes, _FEW_OF_A_CLASS
    if faithfulness := card.faithfulness:
        yield "drop, hottest fifth covered", faithfulness.hottest_drop, _FEW_OF_A_CLASS
        yield "drop, random fifth covered", faithfulness.random_drop, _FEW_OF_A_CLASS
    if robustness := card.robustness:
        for row in robustness.rows:
            yield row.name, row.accuracy, _FEW_EXAMPLES


def _baseline(catalog: Catalog, card: Card) -> Predictor:
    """Return version 1 of a model, or the model itself if version 1 does not exist or has other labels."""
    if 1 in catalog.versions(card.name) and catalog.card(card.name, 1).labels == card.labels:
        return catalog.predictor(card.name, 1)
    return catalog.predictor(card.name, card.version)

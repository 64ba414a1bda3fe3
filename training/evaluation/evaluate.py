"""Owns measuring a model of the catalogue again, and holding the result against its card."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from service.inference import Predictor
from service.inference.card import Card, Metrics, RobustnessRow
from service.inference.catalog import Catalog
from service.inference.preprocessing import Vocabulary
from service.inference.session import open_session
from training.datasets import Dataset, Examples, load_dataset
from training.datasets.folder import load_folder
from training.datasets.inputs import as_served, encode
from training.datasets.pendigits import load_pendigits
from training.errors import RecipeError
from training.evaluation.faithfulness import measure_hiding
from training.evaluation.latency import measure_cost
from training.evaluation.metrics import Probabilities, measure_probabilities
from training.evaluation.out_of_distribution import measure_outliers
from training.evaluation.pen_digits import Drawn, measure_drawn
from training.evaluation.robustness import measure_robustness
from training.evaluation.selective import measure_doubt
from training.export.calibration import Calibration
from training.export.inference import run_session
from training.export.model_folder import NETWORK
from training.recipes import load_recipe

__all__ = ["Comparison", "Evaluation", "Parts", "Splits", "evaluate", "load_splits", "run_session"]

# Accuracy has to be the same to the last example. The other figures are sums of floats, which another
# processor may round otherwise.
_ROUNDING = 1e-4
# An answer that lies at a threshold may go either way there, or a picture be decoded a grey level off.
_FEW = 5e-4
_DIGITS = tuple("0123456789")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Which of the longer measurements are made; those that are not for a model's kind are left out."""

    pen_digits: bool = False
    robustness: bool = False
    out_of_distribution: bool = False
    faithfulness: bool = False
    latency: bool = False


@dataclass(frozen=True)
class Comparison:
    """A figure of the card, None if it has none, beside the one measured now."""

    name: str
    card: float | None
    measured: float
    tolerance: float

    @property
    def same(self) -> bool:
        """Whether both agree; a figure that is new does."""
        return self.card is None or abs(self.card - self.measured) <= self.tolerance


@dataclass(frozen=True)
class Evaluation:
    """What measuring a model again gave.

    Attributes:
        card: The model's.
        measured: The same card with what was measured now.
        rows: Figure by figure.
        same_data: Whether the data in the cache is what the card names; a set that was fetched anew and
            had to be converted may differ in a few grey levels.
        drawn: Which drawn digits were taken for which, if those were measured.
    """

    card: Card
    measured: Card
    rows: tuple[Comparison, ...]
    same_data: bool
    drawn: Drawn | None = None

    @property
    def metrics(self) -> Metrics:
        """The figures of the test set, measured now."""
        return self.measured.metrics

    @property
    def same(self) -> bool:
        """Whether every figure agrees with the card."""
        return all(row.same for row in self.rows)


@dataclass(frozen=True)
class Splits:
    """The examples that a model is judged by, as its network takes them."""

    dataset: Dataset
    validation: Examples
    test: Examples


def evaluate(
    name: str,
    *,
    version: int | None,
    models: Path,
    data: Path | None = None,
    parts: Parts = Parts(),
    announce: Callable[[RobustnessRow], None] = lambda row: None,
) -> Evaluation:
    """Run a model's ONNX file over its whole test set, and what else is asked for.

    Args:
        name: Of the model.
        version: Of the model; the highest if None.
        models: Folder of all models.
        data: Folder of one's own pictures, if the model was trained on such.
        parts: What to measure beside the test set.
        announce: Is told of each row of the robustness table as it comes.

    Raises:
        ModelError: There is no such model, or its files are damaged.
        DatasetError: The data cannot be had.
        RecipeError: Something was asked for that is not for this kind of model.
    """
    catalog = Catalog(models, providers=("cpu",), threads=2)
    card = catalog.card(name, version)
    folder = catalog.folder(card)
    predictor = catalog.predictor(card.name, card.version)  # Refuses a file that is not the card's.
    check_parts(card, parts)
    splits = load_splits(card, folder, data=data)
    session = open_session(folder / NETWORK, providers=("cpu",), threads=2)
    held_out, probabilities = run_session(session, splits.validation.x), run_session(session, splits.test.x)
    metrics = measure_probabilities(probabilities, splits.test.y, labels=card.labels)
    measured = replace(_measure_doubt(card, splits, held_out, probabilities), metrics=metrics)
    drawn = None
    if parts.out_of_distribution:
        measured = replace(measured, out_of_distribution=measure_outliers(predictor))
    if parts.pen_digits:
        drawn = measure_drawn(predictor, load_pendigits())
        measured = replace(measured, pen_digits=drawn.figures)
    if parts.robustness:
        pictures = splits.dataset.test if data else load_dataset(card.training.dataset).test
        table = measure_robustness(predictor, _first(catalog, card), pictures, announce=announce)
        measured = replace(measured, robustness=table)
    if parts.faithfulness:
        explainer = catalog.explainer(card.name, card.version)
        measured = replace(measured, faithfulness=measure_hiding(predictor, explainer, splits.test))
    if parts.latency:
        measured = measure_cost(measured, models=models, dataset=splits.dataset)
    same_data = splits.dataset.sha256 == card.training.dataset_sha256
    rows = tuple(_compare(card, measured, parts))
    return Evaluation(card, measured, rows, same_data=same_data, drawn=drawn)


def all_parts(card: Card) -> Parts:
    """Return everything that can be measured of a kind of model."""
    digits, pictures = _reads_digits(card), card.task == "image-classification"
    return Parts(
        pen_digits=digits,
        out_of_distribution=digits,
        robustness=pictures,
        faithfulness=pictures,
        latency=True,
    )


def check_parts(card: Card, parts: Parts) -> None:
    """Refuse what makes no sense for a kind of model.

    Raises:
        RecipeError: It was asked for.
    """
    possible = all_parts(card)
    for name, asked in vars(parts).items():
        if asked and not vars(possible)[name]:
            kind = "pictures" if name in ("robustness", "faithfulness") else "handwritten digits"
            option = f"--{name.replace('_', '-')}"
            raise RecipeError(f"{option} is for models of {kind}, which {card.name} {card.version} is not")


def load_splits(card: Card, folder: Path, *, data: Path | None = None) -> Splits:
    """Load a model's validation and test examples and prepare them as a server does.

    Args:
        card: The model's.
        folder: Its files.
        data: Folder of one's own pictures, if it was trained on such.

    Raises:
        DatasetError: The data cannot be had.
    """
    kind, dataset = card.input.preprocessing, load_data(card, data)
    if kind != "text":
        parts = [as_served(part, preprocessing=kind) for part in (dataset.validation, dataset.test)]
        return Splits(dataset, *parts)
    vocabulary = Vocabulary.read(folder / "vocabulary.txt")
    texts = [
        Examples(encode(part.x, vocabulary=vocabulary), part.y) for part in (dataset.validation, dataset.test)
    ]
    return Splits(dataset, *texts)


def load_data(card: Card, data: Path | None = None) -> Dataset:
    """Load a model's data set, or the folder of one's own pictures that it was trained on.

    Raises:
        DatasetError: The data cannot be had.
    """
    kind = card.input.preprocessing
    size = card.input.shape[1] if kind == "photo" else None
    if data is not None:
        return load_folder(data, preprocessing=kind, size=size)
    return load_dataset(card.training.dataset, size=size)


def _measure_doubt(card: Card, splits: Splits, held_out: Probabilities, probabilities: Probabilities) -> Card:
    """Measure the card's own threshold."""
    known = card.selective_prediction
    asked = known.target_accuracy if known else load_recipe(card.recipe.name).sure_accuracy
    fitted, selective = measure_doubt(
        Calibration(),
        unsure_below=card.unsure_below,
        target_accuracy=asked,
        validation=(held_out, splits.validation.y),
        test=(probabilities, splits.test.y),
    )
    if card.calibration is None:
        fitted = replace(fitted, temperature=float(card.extra.get("temperature", 1.0)))
    else:
        # What was fitted is in the network and cannot be measured from its answers.
        fitted = replace(card.calibration, chance_level_error=fitted.chance_level_error)
    return replace(card, calibration=fitted, selective_prediction=selective)


def _first(catalog: Catalog, card: Card) -> Predictor:
    """Return version 1 of a model, or the model itself where there is none that it can be compared with."""
    if 1 in catalog.versions(card.name) and catalog.card(card.name, 1).labels == card.labels:
        return catalog.predictor(card.name, 1)
    return catalog.predictor(card.name, card.version)


def _reads_digits(card: Card) -> bool:
    return card.input.preprocessing == "digit" and card.labels == _DIGITS


def _compare(card: Card, measured: Card, parts: Parts) -> Iterator[Comparison]:
    yield from _compare_metrics(card.metrics, measured.metrics)
    yield from _compare_doubt(card, measured)
    if parts.out_of_distribution and measured.out_of_distribution:
        for kind in measured.out_of_distribution.counts:
            known = getattr(card.out_of_distribution, kind) if card.out_of_distribution else None
            yield Comparison(f"unsure of {kind}", known, getattr(measured.out_of_distribution, kind), _FEW)
    if parts.pen_digits and measured.pen_digits:
        known = card.pen_digits.accuracy if card.pen_digits else None
        yield Comparison("drawn digits", known, measured.pen_digits.accuracy, _FEW)
        for label, value in measured.pen_digits.per_class_accuracy.items():
            known = card.pen_digits.per_class_accuracy.get(label) if card.pen_digits else None
            yield Comparison(f"drawn digit {label}", known, value, 10 * _FEW)
    if parts.faithfulness and measured.faithfulness:
        for name, which in (("hottest_drop", "the hottest"), ("random_drop", "a random")):
            known = getattr(card.faithfulness, name) if card.faithfulness else None
            found = getattr(measured.faithfulness, name)
            yield Comparison(f"lost with {which} fifth hidden", known, found, 5e-3)
    if parts.robustness and measured.robustness:
        rows = {row.name: row for row in card.robustness.rows} if card.robustness else {}
        for row in measured.robustness.rows:
            known = rows[row.name].accuracy if row.name in rows else None
            yield Comparison(row.name, known, row.accuracy, _FEW)


def _compare_metrics(card: Metrics, measured: Metrics) -> Iterator[Comparison]:
    yield Comparison("test examples", card.count, measured.count, 0)
    yield Comparison("accuracy", card.accuracy, measured.accuracy, 1e-9)
    yield Comparison("log-loss", card.log_loss, measured.log_loss, _ROUNDING)
    yield Comparison(
        "expected calibration error",
        card.expected_calibration_error,
        measured.expected_calibration_error,
        _ROUNDING,
    )
    for label, value in card.per_class_accuracy.items():
        yield Comparison(f"accuracy on {label}", value, measured.per_class_accuracy[label], 1e-9)


def _compare_doubt(card: Card, measured: Card) -> Iterator[Comparison]:
    for split in ("validation", "test"):
        known = getattr(card.selective_prediction, split) if card.selective_prediction else None
        found = getattr(measured.selective_prediction, split)
        yield Comparison(f"sure of, {split}", known and known.coverage, found.coverage, _FEW)
        yield Comparison(f"right where sure, {split}", known and known.accuracy, found.accuracy, _FEW)

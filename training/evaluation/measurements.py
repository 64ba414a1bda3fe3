"""Declares the longer measurements: which models each one suits, and how it is made."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from service.inference import Predictor
from service.inference.card import Card
from service.inference.catalog import Catalog
from service.inference.explain import Explainer
from training.datasets.pendigits import load_pendigits
from training.errors import RecipeError
from training.evaluation.drawings import evaluate_drawings
from training.evaluation.faithfulness import evaluate_faithfulness
from training.evaluation.garment_photos import evaluate_garment_photos
from training.evaluation.long_photos import evaluate_long_photos
from training.evaluation.numbers import evaluate_numbers
from training.evaluation.out_of_distribution import evaluate_out_of_distribution
from training.evaluation.pages import evaluate_pages
from training.evaluation.pen_digits import evaluate_pen_digits
from training.evaluation.robustness import evaluate_robustness
from training.export.inference import Splits

LATENCY = "latency"  # suits every model
_DIGITS = tuple("0123456789")
_WITH_OTHER_PICTURES = ("fashion_mnist", "cifar10", "cats_vs_dogs")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model that is evaluated."""

    catalog: Catalog
    card: Card
    predictor: Predictor
    splits: Splits  # of its data; the pictures of the data set are as users would send them
    announce: Callable[[str], None]  # is called with a line of text for each row of the long tables
    pictures: Path | None = None  # folder of further pictures that show none of the classes

    @property
    def baseline(self) -> Predictor:
        """Version 1 of the model; the model itself if version 1 does not exist or has other labels."""
        name, version = self.card.name, self.card.version
        if 1 in self.catalog.versions(name) and self.catalog.card(name, 1).labels == self.card.labels:
            version = 1
        return self.catalog.predictor(name, version)

    @property
    def explainer(self) -> Explainer:
        """The explainer of the model."""
        return self.catalog.explainer(self.card.name, self.card.version)


@dataclass(frozen=True)
class Measurement:
    """A longer measurement."""

    models: str  # kind of models that it suits, for people
    suits: Callable[[Card], bool]
    measure: Callable[[Subject], object]


def _classifies_pictures(card: Card) -> bool:
    return card.task == "image-classification"


def _classifies_photos(card: Card) -> bool:
    return _classifies_pictures(card) and card.input.preprocessing == "photo"


def _reads_digits(card: Card) -> bool:
    return card.input.preprocessing == "digit" and card.labels == _DIGITS


def _reads_garments(card: Card) -> bool:
    return card.training.dataset == "fashion_mnist"


def _knows_other_pictures(card: Card) -> bool:
    return _reads_digits(card) or card.training.dataset in _WITH_OTHER_PICTURES


_for_digits = partial(Measurement, "handwritten digits", _reads_digits)
_for_pictures = partial(Measurement, "pictures", _classifies_pictures)
# By the name of the command-line option, which is also that of the card's section if the card records it.
MEASUREMENTS = {
    "out_of_distribution": Measurement(
        "digits, garments, small photos, or cats and dogs",
        _knows_other_pictures,
        lambda model: evaluate_out_of_distribution(model.predictor, pictures=model.pictures),
    ),
    "drawings": _for_digits(lambda model: evaluate_drawings(model.predictor)),
    "pen_digits": _for_digits(lambda model: evaluate_pen_digits(model.predictor, load_pendigits())),
    "pages": _for_digits(
        lambda model: evaluate_pages(
            model.predictor,
            model.splits.dataset.test,
            announce=lambda name, accuracy: model.announce(f"{name}: {accuracy:.4f}"),
        )
    ),
    "numbers": _for_digits(
        lambda model: evaluate_numbers(model.predictor, model.splits.dataset.test, load_pendigits())
    ),
    "long_photos": Measurement(
        "photos", _classifies_photos, lambda model: evaluate_long_photos(model.predictor, model.splits.test)
    ),
    "garment_photos": Measurement(
        "garments",
        _reads_garments,
        lambda model: evaluate_garment_photos(model.predictor, model.splits.dataset.test),
    ),
    "robustness": _for_pictures(
        lambda model: evaluate_robustness(
            model.predictor,
            model.baseline,
            model.splits.dataset.test,
            announce=lambda row: model.announce(
                f"{row.name}: {row.accuracy:.4f} (version 1: {row.baseline:.4f})"
            ),
        )
    ),
    "faithfulness": _for_pictures(
        lambda model: evaluate_faithfulness(model.predictor, model.explainer, model.splits.test)
    ),
}


def supported_measurements(card: Card) -> tuple[str, ...]:
    """Return the names of the longer measurements that suit a model."""
    return (LATENCY, *(name for name, measurement in MEASUREMENTS.items() if measurement.suits(card)))


def check_measurements(card: Card, measurements: Collection[str]) -> None:
    """Check that longer measurements suit a model.

    Raises:
        RecipeError: One does not.
    """
    for name in set(measurements).difference(supported_measurements(card)):
        option = f"--{name.replace('_', '-')}"
        raise RecipeError(
            f"{option} is for models of {MEASUREMENTS[name].models}, which {card.name} {card.version} is not"
        )

"""Describes a training, and turns it into the arguments of ``lectern train``."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication


class InputKind(Enum):
    """What a network reads."""

    DIGIT = "digit"
    PICTURE = "picture"
    TEXT = "text"


@dataclass(frozen=True)
class TrainableRecipe:
    """A recipe that can be chosen.

    Attributes:
        name: Name on the command line.
        title: Text for people, before its translation.
        reads: What the network reads.
    """

    name: str
    title: Any
    reads: InputKind


RECIPES = (
    TrainableRecipe("mnist-dense", QT_TRANSLATE_NOOP("Train", "Digits: one hidden layer"), InputKind.DIGIT),
    TrainableRecipe(
        "mnist-small-convnet", QT_TRANSLATE_NOOP("Train", "Digits: two convolutions"), InputKind.DIGIT
    ),
    TrainableRecipe(
        "mnist-convnet", QT_TRANSLATE_NOOP("Train", "Digits: three convolutions"), InputKind.DIGIT
    ),
    TrainableRecipe(
        "fashion-dense", QT_TRANSLATE_NOOP("Train", "Garments: two hidden layers"), InputKind.PICTURE
    ),
    TrainableRecipe(
        "cifar10-bn-elu",
        QT_TRANSLATE_NOOP("Train", "Small photos: convolutions, batch normalization"),
        InputKind.PICTURE,
    ),
    TrainableRecipe(
        "cats-dogs-scratch",
        QT_TRANSLATE_NOOP("Train", "Cats and dogs: convolutions from scratch"),
        InputKind.PICTURE,
    ),
    TrainableRecipe("imdb-dense", QT_TRANSLATE_NOOP("Train", "Film reviews: dense layers"), InputKind.TEXT),
)
# For a folder of the user's own pictures: a classifier on a pretrained network.
OWN_PICTURES = TrainableRecipe(
    "cats-dogs-features", QT_TRANSLATE_NOOP("Train", "A folder of your own pictures"), InputKind.PICTURE
)


def recipe_title(recipe: TrainableRecipe) -> str:
    """Return the title of a recipe in the language of the window."""
    return QCoreApplication.translate("Train", recipe.title)


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """What to train, and with which settings; None leaves a setting to the recipe.

    Attributes:
        recipe: The recipe.
        folder: Folder of the user's own pictures, ``folder/<label>/<file>``; None for the recipe's data set.
        examples: About so many training examples; all if None.
        epochs: Number of epochs.
        width: Factor on the number of units and filters.
        learning_rate: Highest learning rate.
        constant_rate: Whether the learning rate stays as it is, in place of the recipe's schedule.
        l1: Weight of the L1 norm in the loss.
        l2: Weight of the squared L2 norm in the loss.
        dropout: Rate of all dropout layers.
        batch_norm: Whether batch normalization follows every hidden layer.
        augmentation: Whether training pictures are changed at random; None as in the recipe.
    """

    recipe: TrainableRecipe = RECIPES[0]
    folder: Path | None = None
    examples: int | None = None
    epochs: int | None = None
    width: float | None = None
    learning_rate: float | None = None
    constant_rate: bool = False
    l1: float | None = None
    l2: float | None = None
    dropout: float | None = None
    batch_norm: bool | None = None
    augmentation: bool | None = None

    def arguments(self) -> list[str]:
        """Return the recipe and the options of ``lectern train``."""
        words: list[object] = [self.recipe.name]
        options = {
            "--data": self.folder,
            "--examples": None if self.folder else self.examples,
            "--epochs": self.epochs,
            "--width": self.width,
            "--learning-rate": self.learning_rate,
            "--schedule": "constant" if self.constant_rate else None,
            "--l1": self.l1,
            "--l2": self.l2,
            "--dropout": self.dropout,
        }
        for option, value in options.items():
            if value is not None:
                words += [option, value]
        if self.batch_norm is not None:
            words.append("--batch-norm" if self.batch_norm else "--no-batch-norm")
        if self.augmentation is not None and self.recipe.reads is not InputKind.TEXT:
            words += ["--augment", "shift,rotation,zoom" if self.augmentation else "none"]
        return [str(word) for word in words]


@dataclass(frozen=True)
class Preset:
    """A training of the lecture that takes less than a minute."""

    title: Any
    plan: TrainingPlan


_THOUSAND_DIGITS = TrainingPlan(
    recipe=RECIPES[0], examples=1000, epochs=40, constant_rate=True, augmentation=False
)


def _variant(**changes: Any) -> TrainingPlan:
    return TrainingPlan(**{**vars(_THOUSAND_DIGITS), **changes})


PRESETS = (
    Preset(QT_TRANSLATE_NOOP("Train", "The lecture's overfitting"), _THOUSAND_DIGITS),
    Preset(QT_TRANSLATE_NOOP("Train", "With dropout"), _variant(dropout=0.5)),
    Preset(QT_TRANSLATE_NOOP("Train", "With augmentation"), _variant(augmentation=True)),
)


def preset_title(preset: Preset) -> str:
    """Return the title of a preset in the language of the window."""
    return QCoreApplication.translate("Train", preset.title)


def train_command(plan: TrainingPlan, run: Path, *, models: Path, watch: Path, resume: bool) -> Sequence[str]:
    """Return the arguments of ``lectern`` that train a plan.

    Args:
        plan: The plan.
        run: Folder of the run.
        models: Folder of the models that are made from the user's own pictures.
        watch: File with the input that the network reads after each epoch.
        resume: Whether to continue the run, with the settings that it began with.
    """
    words = [plan.recipe.name, "--resume"] if resume else [*plan.arguments(), "--yes"]
    if plan.folder is not None:
        words += ["--name", run.name, "--models", str(models)]
    return (
        "train", *words, "--runs", str(run.parent), "--run", run.name, "--progress", "json",
        "--watch", str(watch),
    )  # fmt: skip


def export_command(plan: TrainingPlan, run: Path, *, models: Path) -> Sequence[str]:
    """Return the arguments of ``lectern`` that export a finished run as a model of the run's name."""
    return (
        "export", plan.recipe.name, "--runs", str(run.parent), "--run", run.name, "--models", str(models),
        "--name", run.name, "--progress", "json",
    )  # fmt: skip

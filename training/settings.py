"""Owns the settings that every recipe has, the lecture's toolbox among them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from training.errors import RecipeError

Scaling = Literal["unit", "standard", "none"]
Optimizer = Literal["adam", "adamw", "rmsprop", "adadelta", "sgd"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "mixed_bfloat16"]
TRANSFORMATIONS = ("shift", "rotation", "flip", "zoom", "shear", "contrast")


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far pictures are changed at random while training; zero leaves them alone.

    Attributes:
        shift: Largest shift along each axis, as a share of the side.
        rotation: Largest turn to either side, in degrees.
        flip: Mirror half of the pictures left to right.
        zoom: Largest change of size, as a share: 0.1 is from 0.9 to 1.1.
        shear: Largest slant, as a share of the side.
        contrast: Largest change of contrast, as a share: 0.2 is from 0.8 to 1.2.
        crop: Largest shift along each axis in whole pixels, which resamples and so blurs nothing.
        erase: Side of the square that is made one colour, as a share of the picture's.
        elastic: Largest displacement by a smooth random field, as a share of the side.
        stroke_augmentation: Share of digits that are drawn anew along their middle line, as with a pen.
        stroke_templates: Share of those that are drawn from strokes instead, in forms that MNIST hardly has.
        corruptions: Share of pictures that are blurred, made noisy or compressed, one of the three.
    """

    shift: float = 0.0
    rotation: float = 0.0
    flip: bool = False
    zoom: float = 0.0
    shear: float = 0.0
    contrast: float = 0.0
    crop: int = 0
    erase: float = 0.0
    elastic: float = 0.0
    stroke_augmentation: float = 0.0
    stroke_templates: float = 0.0
    corruptions: float = 0.0

    def __bool__(self) -> bool:
        return any(asdict(self).values())


# What a transformation that is only named on the command line does; as in the lecture's examples.
_USUAL = Augmentation(shift=0.1, rotation=10.0, flip=True, zoom=0.1, shear=0.1, contrast=0.2)


def parse_augmentation(names: Iterable[str]) -> Augmentation:
    """Make the usual augmentation out of the names of its transformations.

    Args:
        names: Some of ``TRANSFORMATIONS``; none at all is no augmentation.

    Raises:
        RecipeError: A name is not known.
    """
    chosen: dict[str, Any] = {}
    for name in names:
        if name not in TRANSFORMATIONS:
            raise RecipeError(
                f"augmentation {name!r} is not known; choose among {', '.join(TRANSFORMATIONS)}"
            )
        chosen[name] = getattr(_USUAL, name)
    return Augmentation(**chosen)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The constants of a recipe; each can be overridden on the command line.

    Attributes:
        epochs: Passes over the training split.
        batch_size: Examples a step.
        learning_rate: The highest that the schedule reaches.
        optimizer: Which optimizer takes the steps.
        schedule: ``cosine`` warms up over the first twentieth of the steps and then falls to zero.
        weight_decay: Of ``adamw`` and ``sgd``: the share of each kernel that a step takes away is this times
            the learning rate.
        l1: Weight of the L1 norm of every kernel in the loss.
        l2: Weight of the squared L2 norm of every kernel in the loss.
        dropout: Dropout rate in place of the network's own ones; None keeps those.
        batch_norm: Put batch normalisation behind every hidden layer that has none.
        width: Factor on the number of units and filters of the hidden layers.
        scaling: ``unit`` divides pixels by 255, ``standard`` subtracts mean and divides by deviation of the
            training split, ``none`` leaves them from 0 to 255.
        augmentation: Random changes of the training pictures.
        label_smoothing: Share of the target probability that is spread over all classes.
        outlier_exposure: Share of each batch that is pictures of nothing, whose target is every class alike.
        precision: ``mixed_bfloat16`` multiplies in 16 bits while training, which newer processors do at up to
            twice the speed; the weights and the trained network are of 32 bits.
        early_stopping: Stop after so many epochs without a lower validation loss and keep the best; 0 never
            stops.
        seed: Of the weights, the order, the dropout and the augmentation.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    optimizer: Optimizer = "adam"
    schedule: Schedule = "constant"
    weight_decay: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    dropout: float | None = None
    batch_norm: bool = False
    width: float = 1.0
    scaling: Scaling = "unit"
    augmentation: Augmentation = Augmentation()
    label_smoothing: float = 0.0
    outlier_exposure: float = 0.0
    precision: Precision = "float32"
    early_stopping: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        limits = {
            "epochs": self.epochs >= 1,
            "batch_size": self.batch_size >= 1,
            "learning_rate": self.learning_rate > 0,
            "l1": self.l1 >= 0,
            "l2": self.l2 >= 0,
            "dropout": self.dropout is None or 0 <= self.dropout < 1,
            "width": self.width > 0,
            "label_smoothing": 0 <= self.label_smoothing < 1,
            "outlier_exposure": 0 <= self.outlier_exposure < 1,
            "early_stopping": self.early_stopping >= 0,
        }
        for name, good in limits.items():
            if not good:
                raise RecipeError(
                    f"setting {name} cannot be {getattr(self, name)}; see `lectern train --help`"
                )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for cards and checkpoints."""
        return asdict(self)

"""Declares the hyperparameters of a training run, their ranges and their command-line help."""

from collections.abc import Iterable
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any, Literal

from training.errors import RecipeError

Scaling = Literal["unit", "standard", "none"]
Optimizer = Literal["adam", "adamw", "rmsprop", "adadelta", "sgd"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "mixed_bfloat16"]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The size of the random changes to training images; zero switches a change off.

    Attributes:
        shift: Largest shift along each axis, as a share of the side.
        rotation: Largest rotation in either direction, in degrees.
        flip: Flip half of the images left to right.
        zoom: Largest change of size, as a share: 0.1 means 0.9 to 1.1.
        shear: Largest shear, as a share of the side.
        contrast: Largest change of contrast, as a share: 0.2 means 0.8 to 1.2.
        crop: Largest shift along each axis in whole pixels, without resampling.
        erase: Side of the erased square, as a share of the image's side.
        elastic: Largest displacement by a smooth random field, as a share of the side.
        stroke_augmentation: Share of digits that are redrawn along their centre line with a round pen.
        stroke_templates: Share of the redrawn digits that come from stroke templates.
        corruptions: Share of images that are blurred, made noisy or JPEG-compressed.
    """

    shift: float = field(default=0.0, metadata={"usual": 0.1})
    rotation: float = field(default=0.0, metadata={"usual": 10.0})
    flip: bool = field(default=False, metadata={"usual": True})
    zoom: float = field(default=0.0, metadata={"usual": 0.1})
    shear: float = field(default=0.0, metadata={"usual": 0.1})
    contrast: float = field(default=0.0, metadata={"usual": 0.2})
    crop: int = 0
    erase: float = 0.0
    elastic: float = 0.0
    stroke_augmentation: float = 0.0
    stroke_templates: float = 0.0
    corruptions: float = 0.0

    def __bool__(self) -> bool:
        return any(asdict(self).values())


# The transformations that the command line accepts by name, each with its usual size.
_USUAL = {spec.name: spec.metadata["usual"] for spec in fields(Augmentation) if spec.metadata}


def parse_augmentation(names: Iterable[str]) -> Augmentation:
    """Return an augmentation that applies the named transformations with their usual sizes.

    Args:
        names: Some of shift, rotation, flip, zoom, shear and contrast; no name means no augmentation.

    Raises:
        RecipeError: A name is unknown.
    """
    names = list(names)
    for name in names:
        if name not in _USUAL:
            raise RecipeError(f"augmentation {name!r} is unknown; choose from {', '.join(_USUAL)}")
    return Augmentation(**{name: _USUAL[name] for name in names})


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is known of one hyperparameter besides its type and default.

    Attributes:
        help: One sentence for ``--help``.
        option: Name of the command-line option; empty if the command line cannot change it.
        minimum: Lowest value.
        above: Exclusive lower bound.
        below: Exclusive upper bound.
    """

    help: str
    option: str = ""
    minimum: float | None = None
    above: float | None = None
    below: float | None = None

    def allows(self, value: float) -> bool:
        """Return whether a value lies in the range."""
        return (
            (self.minimum is None or value >= self.minimum)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


def declaration_of(spec: "Field[Any]") -> Declaration:
    """Return the declaration of a field of :class:`Hyperparameters`."""
    declared: Declaration = spec.metadata["declaration"]
    return declared


def _about(text: str, *, option: str = "", **limits: float) -> dict[str, Declaration]:
    return {"declaration": Declaration(help=text, option=option, **limits)}


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The hyperparameters of a training run; each field's declaration documents it."""

    epochs: int = field(metadata=_about("Passes over the training split.", option="--epochs", minimum=1))
    batch_size: int = field(
        default=128, metadata=_about("Examples per optimizer step.", option="--batch-size", minimum=1)
    )
    learning_rate: float = field(
        default=1e-3,
        metadata=_about("Highest learning rate of the schedule.", option="--learning-rate", above=0),
    )
    optimizer: Optimizer = field(default="adam", metadata=_about("Optimizer."))
    schedule: Schedule = field(
        default="constant",
        metadata=_about("'cosine' warms up over the first 5 % of the steps and then decays to zero."),
    )
    weight_decay: float = field(
        default=0.0,
        metadata=_about(
            "Decoupled weight decay of adamw and sgd; it is multiplied by the learning rate.", minimum=0
        ),
    )
    l1: float = field(
        default=0.0,
        metadata=_about(
            "Weight of the kernels' L1 norm in the loss; it makes kernels sparse.", option="--l1", minimum=0
        ),
    )
    l2: float = field(
        default=0.0,
        metadata=_about(
            "Weight of the kernels' squared L2 norm in the loss; it makes kernels small.",
            option="--l2",
            minimum=0,
        ),
    )
    dropout: float | None = field(
        default=None,
        metadata=_about(
            "Rate of all dropout layers, in place of the network's own rates.",
            option="--dropout",
            minimum=0,
            below=1,
        ),
    )
    batch_norm: bool = field(
        default=False,
        metadata=_about(
            "Add batch normalisation after every hidden layer that has none.", option="--batch-norm"
        ),
    )
    width: float = field(
        default=1.0,
        metadata=_about(
            "Factor on the number of units and filters; 0.5 halves them.", option="--width", above=0
        ),
    )
    scaling: Scaling = field(
        default="unit",
        metadata=_about(
            "Scale pixels to 0..1 (unit), to mean 0 and deviation 1 (standard), or not at all (none).",
            option="--scaling",
        ),
    )
    augmentation: Augmentation = field(
        default=Augmentation(),
        metadata=_about(
            f"Transform training images at random: a list of {','.join(_USUAL)}, or none.", option="--augment"
        ),
    )
    label_smoothing: float = field(
        default=0.0,
        metadata=_about(
            "Share of the target probability that is spread over all classes.", minimum=0, below=1
        ),
    )
    outlier_exposure: float = field(
        default=0.0,
        metadata=_about(
            "Share of outliers that is added to each batch; their target is the uniform distribution.",
            minimum=0,
            below=1,
        ),
    )
    precision: Precision = field(
        default="float32",
        metadata=_about("'mixed_bfloat16' computes in 16 bits while training; the weights stay in float32."),
    )
    early_stopping: int = field(
        default=0,
        metadata=_about(
            "Stop after this many epochs without a lower validation loss and keep the best; 0 is off.",
            option="--early-stopping",
            minimum=0,
        ),
    )
    seed: int = field(
        default=1,
        metadata=_about(
            "Seed of weights, example order, dropout and augmentation.", option="--seed", minimum=0
        ),
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if isinstance(value, int | float) and not declaration_of(spec).allows(value):
                raise RecipeError(
                    f"hyperparameter {spec.name} cannot be {value}; `lectern train --help` lists the ranges"
                )

    def as_dict(self) -> dict[str, Any]:
        """Return the hyperparameters as plain values, for cards and checkpoints."""
        return asdict(self)

"""Declares the hyperparameters of a training run, their ranges and their command-line help."""

import math
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from typing import Any, Literal

from training.errors import RecipeError

Scaling = Literal["unit", "standard", "none"]
Optimizer = Literal["adam", "adamw", "rmsprop", "adadelta", "sgd"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "mixed_bfloat16"]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The size of the random changes to training images; zero switches a change off."""

    shift: float = 0.0  # largest shift along each axis, as a share of the side
    rotation: float = 0.0  # largest rotation in either direction, in degrees
    flip: bool = False  # flip half of the images left to right
    zoom: float = 0.0  # largest change of size, as a share: 0.1 means 0.9 to 1.1
    shear: float = 0.0  # largest shear, as a share of the side
    contrast: float = 0.0  # largest change of contrast, as a share: 0.2 means 0.8 to 1.2
    crop: int = 0  # largest shift along each axis in whole pixels, without resampling
    erase: float = 0.0  # side of the erased square, as a share of the image's side
    elastic: float = 0.0  # largest displacement by a smooth random field, as a share of the side
    stroke_augmentation: float = 0.0  # share of digits that are redrawn along their centre line
    stroke_templates: float = 0.0  # share of the redrawn digits that come from stroke templates
    corruptions: float = 0.0  # share of images that are blurred, made noisy or JPEG-compressed

    def __bool__(self) -> bool:
        return any(asdict(self).values())


# The transformations that the command line accepts by name, each with its usual size.
_USUAL = {"shift": 0.1, "rotation": 10.0, "flip": True, "zoom": 0.1, "shear": 0.1, "contrast": 0.2}


def parse_augmentation(text: str) -> Augmentation:
    """Return an augmentation that applies the named transformations with their usual sizes.

    Args:
        text: Some of shift, rotation, flip, zoom, shear and contrast, with commas between them; or none.

    Raises:
        RecipeError: A name is unknown.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    names = [] if names == ["none"] else names
    for name in names:
        if name not in _USUAL:
            raise RecipeError(f"augmentation {name!r} is unknown; choose from {', '.join(_USUAL)}")
    sizes: dict[str, Any] = {name: _USUAL[name] for name in names}
    return Augmentation(**sizes)


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is known of one hyperparameter besides its type and default."""

    help: str  # one sentence for ``--help``
    option: str | None = ""  # by default named after the field; None if only recipes set it
    minimum: float = -math.inf
    above: float = -math.inf  # exclusive lower bound
    below: float = math.inf  # exclusive upper bound

    @property
    def range(self) -> str:
        """The possible values, for people."""
        bounds = (
            ("at least", self.minimum, -math.inf),
            ("above", self.above, -math.inf),
            ("below", self.below, math.inf),
        )
        return "it must be " + " and ".join(
            f"{word} {bound:.10g}" for word, bound, none in bounds if bound != none
        )


def declaration_of(spec: "Field[Any]") -> Declaration:
    """Return the declaration of a field of :class:`Hyperparameters`."""
    declared: Declaration = spec.metadata["declaration"]
    if declared.option == "":
        return replace(declared, option=f"--{spec.name.replace('_', '-')}")
    return declared


def _declare(text: str, *, default: Any = MISSING, **declaration: Any) -> Any:
    """Declare a field of :class:`Hyperparameters`; without a default, recipes must set it."""
    return field(default=default, metadata={"declaration": Declaration(help=text, **declaration)})


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The hyperparameters of a training run; each field's declaration documents it."""

    epochs: int = _declare("Passes over the training split.", minimum=1)
    batch_size: int = _declare("Examples per optimizer step.", default=128, minimum=1)
    learning_rate: float = _declare("Highest learning rate of the schedule.", default=1e-3, above=0)
    optimizer: Optimizer = _declare("Optimizer.", default="adam", option=None)
    schedule: Schedule = _declare(
        "'cosine' warms up for 5 % of the steps and then decays to zero.", default="constant", option=None
    )
    weight_decay: float = _declare(
        "Decoupled weight decay of adamw and sgd.", default=0.0, option=None, minimum=0
    )
    l1: float = _declare("Weight of the kernels' L1 norm in the loss.", default=0.0, minimum=0)
    l2: float = _declare("Weight of the kernels' squared L2 norm in the loss.", default=0.0, minimum=0)
    dropout: float | None = _declare("Rate of all dropout layers.", default=None, minimum=0, below=1)
    batch_norm: bool = _declare("Add batch normalisation to every hidden layer.", default=False)
    width: float = _declare("Factor on the number of units and filters.", default=1.0, above=0)
    scaling: Scaling = _declare(
        "Scale pixels to 0..1, to mean 0 and deviation 1, or not at all.", default="unit"
    )
    augmentation: Augmentation = _declare(
        f"Transform images at random: a list of {','.join(_USUAL)}, or none.",
        default=Augmentation(),
        option="--augment",
    )
    label_smoothing: float = _declare(
        "Share of the target spread over all classes.", default=0.0, option=None, minimum=0, below=1
    )
    outlier_exposure: float = _declare(
        "Outliers added to a batch, as a share of it.", default=0.0, option=None, minimum=0, below=1
    )
    precision: Precision = _declare(
        "Precision of the computation while training.", default="float32", option=None
    )
    early_stopping: int = _declare(
        "Stop after so many epochs without a lower validation loss and keep the best; 0 is off.",
        default=0,
        minimum=0,
    )
    seed: int = _declare(
        "Seed of weights, example order, dropout and augmentation.", default=1, minimum=0, below=2**32
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            value, declared = getattr(self, spec.name), declaration_of(spec)
            if isinstance(value, int | float) and not (
                declared.minimum <= value < declared.below and value > declared.above
            ):
                raise RecipeError(f"{declared.option or spec.name} cannot be {value}; {declared.range}")


# The value of each hyperparameter that recipes need not set, as plain values.
DEFAULTS = {name: value for name, value in asdict(Hyperparameters(epochs=1)).items() if name != "epochs"}
# The command-line option of each hyperparameter that has one.
OPTIONS = {spec.name: option for spec in fields(Hyperparameters) if (option := declaration_of(spec).option)}

"""Declares the hyperparameters of a training run, their ranges and their command-line help."""

import math
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from typing import Any, Literal

from training.errors import RecipeError

Scaling = Literal["unit", "standard", "none"]
Optimizer = Literal["adam", "adamw", "rmsprop", "adadelta", "sgd"]
Pooling = Literal["max", "average", "none"]
Activation = Literal["relu", "elu", "silu", "tanh", "sigmoid"]
Schedule = Literal["constant", "cosine"]
Unfreeze = Literal["top", "all"]
Precision = Literal["float32", "mixed_bfloat16"]


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is known of one hyperparameter besides its type and default."""

    help: str  # one sentence for ``--help``
    option: str | None = ""  # by default named after the field; None if only recipes set it
    minimum: float = -math.inf
    maximum: float = math.inf
    above: float = -math.inf  # exclusive lower bound
    below: float = math.inf  # exclusive upper bound
    usual: Any = None  # size of a transformation that ``--augment`` names

    @property
    def range(self) -> str:
        """The possible values, for people."""
        bounds = (
            ("at least", self.minimum, -math.inf),
            ("at most", self.maximum, math.inf),
            ("above", self.above, -math.inf),
            ("below", self.below, math.inf),
        )
        return "it must be " + " and ".join(
            f"{word} {bound:.10g}" for word, bound, none in bounds if bound != none
        )

    def allows(self, value: float) -> bool:
        """Return whether a value is in the range."""
        return self.minimum <= value <= self.maximum and self.above < value < self.below


def declaration_of(spec: "Field[Any]") -> Declaration:
    """Return the declaration of a field of :class:`Hyperparameters` or :class:`Augmentation`."""
    declared: Declaration = spec.metadata["declaration"]
    if declared.option == "":
        return replace(declared, option=f"--{spec.name.replace('_', '-')}")
    return declared


def _declare(text: str, *, default: Any = MISSING, **declaration: Any) -> Any:
    """Declare a field; without a default, recipes must set it."""
    return field(default=default, metadata={"declaration": Declaration(help=text, **declaration)})


def _share(text: str, **declaration: Any) -> Any:
    """Declare a size of a random change that is a share, and off by default."""
    return _declare(text, default=0.0, minimum=0, **{"maximum": 1, **declaration})


def _batch_share(text: str) -> Any:
    """Declare a share of a batch that only recipes set, and that is 0 by default."""
    return _declare(text, default=0.0, option=None, minimum=0, below=1)


def _check_ranges(values: "Augmentation | Hyperparameters") -> None:
    for spec in fields(values):
        value, declared = getattr(values, spec.name), declaration_of(spec)
        if isinstance(value, int | float) and not declared.allows(value):
            finite = "" if math.isfinite(value) else ", and finite"
            raise RecipeError(f"{declared.option or spec.name} cannot be {value}; {declared.range}{finite}")


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The size of the random changes to training images; zero switches a change off."""

    shift: float = _share(
        "Largest random shift of training images along each axis, as a share of the side.",
        maximum=0.5,
        usual=0.1,
    )
    rotation: float = _declare(
        "Largest random rotation in either direction, in degrees.",
        default=0.0,
        minimum=0,
        maximum=180,
        usual=10.0,
    )
    flip: bool = _declare("Flip half of the training images left to right.", default=False, usual=True)
    zoom: float = _share(
        "Largest random change of size, as a share: 0.1 means 0.9 to 1.1.", maximum=0.5, usual=0.1
    )
    shear: float = _share("Largest random shear, as a share of the side.", usual=0.1)
    contrast: float = _share(
        "Largest random change of contrast, as a share: 0.2 means 0.8 to 1.2.", usual=0.2
    )
    brightness: float = _share("Largest random change of brightness, as a share of white.", usual=0.1)
    crop: int = _declare(
        "Largest random shift along each axis in whole pixels, without resampling.",
        default=0,
        minimum=0,
        maximum=64,
        usual=2,
    )
    erase: float = _share("Side of the erased square, as a share of the image's side.", option=None)
    elastic: float = _share(
        "Largest displacement by a smooth random field, as a share of the side.", option=None
    )
    stroke_augmentation: float = _share(
        "Share of digits that are redrawn along their centre line.", option=None
    )
    stroke_templates: float = _share(
        "Share of the redrawn digits that come from stroke templates.", option=None
    )
    corruptions: float = _share(
        "Share of images that are blurred, made noisy or JPEG-compressed.", option=None
    )

    def __post_init__(self) -> None:
        _check_ranges(self)

    def __bool__(self) -> bool:
        return any(asdict(self).values())


# The usual size of each transformation that the command line accepts by name.
_USUAL = {
    spec.name: declared.usual
    for spec in fields(Augmentation)
    if (declared := declaration_of(spec)).usual is not None
}


def parse_augmentation(text: str) -> Augmentation:
    """Return an augmentation that applies the named transformations with their usual sizes.

    Args:
        text: Names of transformations that have an option, with commas between them; or none.

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
class Hyperparameters:
    """The hyperparameters of a training run; each field's declaration documents it."""

    epochs: int = _declare("Passes over the training split.", minimum=1, maximum=10**6)
    batch_size: int = _declare("Examples per optimizer step.", default=128, minimum=1)
    learning_rate: float = _declare("Highest learning rate of the schedule.", default=1e-3, above=0)
    optimizer: Optimizer = _declare("Optimizer.", default="adam")
    momentum: float = _declare(
        "Momentum of the optimizer sgd, in Nesterov's form; 0 is plain SGD.", default=0.9, minimum=0, below=1
    )
    schedule: Schedule = _declare(
        "Learning rate: constant, or 'cosine', which rises for 5 % of the steps and then falls to zero.",
        default="constant",
    )
    weight_decay: float = _declare(
        "Decoupled weight decay: share of the weights that a step subtracts, times the learning rate.",
        default=0.0,
        minimum=0,
    )
    l1: float = _declare("Weight of the kernels' L1 norm in the loss.", default=0.0, minimum=0)
    l2: float = _declare("Weight of the kernels' squared L2 norm in the loss.", default=0.0, minimum=0)
    dropout: float | None = _declare("Rate of all dropout layers.", default=None, minimum=0, below=1)
    base: str | None = _declare(
        "Pretrained network of keras.applications that gets a new classifier, such as VGG16; MobileNetV2 if "
        "not given.",
        default=None,
    )
    unfreeze: Unfreeze | None = _declare(
        "Layers of the pretrained network that fine-tuning trains: 'top' for about the last quarter of them, "
        "or 'all'; top if not given.",
        default=None,
    )
    batch_norm: bool | None = _declare(
        "Have batch normalisation after every hidden layer, or after none.", default=None
    )
    activation: Activation | None = _declare("Activation of every hidden layer.", default=None)
    pooling: Pooling | None = _declare(
        "Pooling of neighbouring pixels: their maximum, their mean, or none.", default=None
    )
    width: float = _declare("Factor on the number of units and filters.", default=1.0, above=0, maximum=1000)
    scaling: Scaling = _declare(
        "Scale pixels to 0..1, to mean 0 and deviation 1, or not at all.", default="unit"
    )
    augmentation: Augmentation = _declare(
        f"Transform training images at random, instead of as the recipe does: a list of "
        f"{','.join(_USUAL)} with their usual sizes, or none.",
        default=Augmentation(),
        option="--augment",
    )
    label_smoothing: float = _declare(
        "Share of the target spread over all classes.", default=0.0, option=None, minimum=0, below=1
    )
    outlier_exposure: float = _batch_share("Outliers added to a batch, as a share of it.")
    straight_ones: float = _batch_share("Ones drawn as straight strokes added to a batch, as a share of it.")
    letters: float = _batch_share("Letters and signs added to a batch as outliers, as a share of it.")
    distillation: float = _declare(
        "Weight of the training examples, whose targets are then the probabilities of the initial network; 0 "
        "for their labels.",
        default=0.0,
        option=None,
        minimum=0,
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
        _check_ranges(self)


# The value of each hyperparameter that recipes need not set, as plain values.
DEFAULTS = {name: value for name, value in asdict(Hyperparameters(epochs=1)).items() if name != "epochs"}
# The transformations whose sizes the command line can change one by one.
TRANSFORMATIONS = tuple(_USUAL)
# The command-line option of each hyperparameter and of each transformation that has one.
OPTIONS = {
    spec.name: option
    for spec in (*fields(Hyperparameters), *fields(Augmentation))
    if (option := declaration_of(spec).option)
}

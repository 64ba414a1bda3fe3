"""Defines the form that all recipes have."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from service.inference.card import INPUT_KINDS, InputKind, PreprocessingKind, Task
from training.errors import RecipeError
from training.hyperparameters import OPTIONS, TRANSFORMATIONS, Hyperparameters
from training.networks.heads import CLASSES, Head

if TYPE_CHECKING:
    import keras

    from training.networks.network import Network

Build: TypeAlias = "Callable[[Network], keras.Model]"

# Hyperparameters that only act through the network's layers, so that a network may lack a use for them.
NETWORK_HYPERPARAMETERS = frozenset(
    {"l1", "l2", "dropout", "batch_norm", "activation", "pooling", "width", "scaling"}
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network, its data set and its training."""

    name: str  # on the command line; that of the module, with hyphens
    title: str  # one line for people; the model's card shows it
    dataset: str
    preprocessing: PreprocessingKind  # turns a picture, a text or a row into the network's input
    hyperparameters: Hyperparameters
    build: Build  # adds the layers to a new network, and returns the untrained model
    head: Head = CLASSES  # what the last layer returns, and the loss
    sentences: bool = False  # whether the network is fitted to single sentences of the training texts too
    size: int | None = None  # side of the network's input in pixels, if the preprocessing needs it
    vocabulary: Callable[[Iterable[str]], list[str]] | None = None  # chooses words from the training texts
    length: int | None = None  # largest number of words of a sequence; None if the order does not count
    network_hyperparameters: frozenset[str] = NETWORK_HYPERPARAMETERS  # those that the network uses
    base_size: int | None = None  # side to which images are enlarged for a pretrained base; None without one
    fine_tuning: Hyperparameters | None = None  # of a second stage, which trains the top of the base too
    init_from: str | None = None  # name of the recipe whose run provides the initial weights
    sure_accuracy: float = 0.98  # to reach on validation by answers above the "unsure" threshold
    lecture: Hyperparameters | None = None  # those of the lecture's run of this network
    lecture_accuracy: float | None = None  # test accuracy that the lecture reports for this network
    default: bool = False  # whether the name of the data set stands for this recipe on the command line
    weights: str = "trained from scratch by this recipe"  # where pretrained weights come from
    flip_tta: bool = False  # whether the exported network averages its logits over an image and its flip
    float16_weights: bool = False  # whether the export rounds the convolutions' kernels to float16

    @property
    def pretrained(self) -> bool:
        """Whether a new classifier on a pretrained base is trained, which is frozen at first."""
        return self.base_size is not None

    @property
    def reads(self) -> InputKind:
        """What the inputs are."""
        return INPUT_KINDS[self.preprocessing]

    @property
    def task(self) -> Task:
        """The task of the model's card."""
        if self.head.task != "classification":
            return self.head.task
        tasks: dict[InputKind, Task] = {
            "pictures": "image-classification",
            "texts": "text-classification",
            "tables": "tabular-classification",
        }
        return tasks[self.reads]

    @property
    def settings(self) -> dict[str, Any]:
        """The hyperparameters as plain values; those of a second stage are in ``fine_tuning``."""
        settings = asdict(self.hyperparameters)
        return settings | ({"fine_tuning": asdict(self.fine_tuning)} if self.fine_tuning else {})

    def as_in_lecture(self) -> "Recipe":
        """Return the recipe with the hyperparameters of the lecture's run.

        Raises:
            RecipeError: The lecture does not state them, or has no such network.
        """
        if self.lecture is None:
            raise RecipeError(
                f"{self.name} has no settings of the lecture; leave out --lecture, and set single "
                f"hyperparameters with options such as --optimizer"
            )
        return replace(self, hyperparameters=self.lecture)

    def configure(self, overrides: Mapping[str, Any]) -> "Recipe":
        """Return the recipe with some of its hyperparameters replaced.

        Args:
            overrides: New values by name, those of single transformations too; None keeps the recipe's value.

        Raises:
            RecipeError: The recipe does not use a hyperparameter, or a value is out of range.
        """
        changes = {name: value for name, value in overrides.items() if value is not None}
        self._check_used(changes)
        if "unfreeze" in changes and self.fine_tuning:
            tuning = replace(self.fine_tuning, unfreeze=changes.pop("unfreeze"))
            return replace(self, fine_tuning=tuning).configure(changes)
        if "base" in changes:
            return self.on_base(changes.pop("base")).configure(changes)
        sizes = {name: changes.pop(name) for name in TRANSFORMATIONS if name in changes}
        if sizes:
            base = changes.get("augmentation", self.hyperparameters.augmentation)
            changes["augmentation"] = replace(base, **sizes)
        hyperparameters = replace(self.hyperparameters, **changes)
        if "momentum" in changes and hyperparameters.optimizer != "sgd":
            raise RecipeError(
                f"{OPTIONS['momentum']} needs {OPTIONS['optimizer']} sgd; {self.name} is trained with "
                f"{hyperparameters.optimizer}"
            )
        configured = replace(self, hyperparameters=hyperparameters)
        if self.fine_tuning and "seed" in changes:
            return replace(configured, fine_tuning=replace(self.fine_tuning, seed=changes["seed"]))
        return configured

    def on_base(self, name: str | None) -> "Recipe":
        """Return the recipe with another pretrained base; None keeps the recipe's.

        Raises:
            RecipeError: There is no such base.
        """
        from training.networks.bases import DEFAULT, find_base

        base = find_base(name)
        if base == find_base(self.hyperparameters.base):
            return self
        return replace(
            self,
            title=self.title.replace(DEFAULT, str(base)),
            weights=base.origin,
            hyperparameters=replace(self.hyperparameters, base=str(base)),
        )

    def _check_used(self, names: Iterable[str]) -> None:
        unused = set(NETWORK_HYPERPARAMETERS - self.network_hyperparameters)
        if not self.pretrained:
            unused.add("base")
        if self.fine_tuning is None:
            unused.add("unfreeze")
        if self.reads != "pictures":
            unused |= {"augmentation", *TRANSFORMATIONS}
        for name in names:
            if name in unused or name not in OPTIONS:
                used = ", ".join(option for name, option in OPTIONS.items() if name not in unused)
                raise RecipeError(f"{self.name} does not use {OPTIONS.get(name, name)}; it takes {used}")

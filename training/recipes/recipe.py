"""Defines the form that all recipes have."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from training.errors import RecipeError
from training.hyperparameters import OPTIONS, Hyperparameters

if TYPE_CHECKING:
    import keras

    from training.networks.statistics import DataStatistics

Build: TypeAlias = "Callable[[Hyperparameters, DataStatistics], keras.Model]"

# Hyperparameters that only act through the network's layers, so that a network may lack a use for them.
NETWORK_HYPERPARAMETERS = frozenset({"l1", "l2", "dropout", "batch_norm", "width", "scaling"})


@dataclass(frozen=True, kw_only=True)
class TransferLearning:
    """The training strategy that puts a new classifier on a frozen pretrained base.

    Attributes:
        fine_tuning: Hyperparameters of a second stage that also trains the top of the base.
    """

    fine_tuning: Hyperparameters | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network, its data set and its training.

    Attributes:
        name: Name on the command line; that of the module, with hyphens.
        title: One line for people; the model's card shows it.
        dataset: Name of the data set.
        preprocessing: Kind of preprocessing that turns a picture or a text into the network's input.
        hyperparameters: The recipe's hyperparameters.
        build: Builds the untrained network from hyperparameters and data statistics.
        size: Side of the network's input in pixels, where the preprocessing has to know it.
        vocabulary: Chooses the words of a text network from the training texts.
        network_hyperparameters: Which of ``NETWORK_HYPERPARAMETERS`` the network uses.
        strategy: Training strategy; None trains the whole network from the start.
        init_from: Name of the recipe whose run provides the initial weights.
        sure_accuracy: Accuracy that answers above the "unsure" threshold must reach on validation.
        lecture_accuracy: Test accuracy that the lecture reports for this network.
        default: Whether the name of the data set stands for this recipe on the command line.
        weights: Where pretrained weights come from.
        flip_tta: Whether the exported network averages its logits over an image and the flipped image.
        float16_weights: Whether the export rounds the convolutions' kernels to float16 and stores them so.
    """

    name: str
    title: str
    dataset: str
    preprocessing: Literal["digit", "garment", "photo", "text"]
    hyperparameters: Hyperparameters
    build: Build
    size: int | None = None
    vocabulary: Callable[[Iterable[str]], list[str]] | None = None
    network_hyperparameters: frozenset[str] = NETWORK_HYPERPARAMETERS
    strategy: TransferLearning | None = None
    init_from: str | None = None
    sure_accuracy: float = 0.98
    lecture_accuracy: float | None = None
    default: bool = False
    weights: str = "trained from scratch by this recipe"
    flip_tta: bool = False
    float16_weights: bool = False

    def configure(self, overrides: Mapping[str, Any]) -> Hyperparameters:
        """Return the recipe's hyperparameters with some of them replaced.

        Args:
            overrides: New values by name; None keeps the recipe's value.

        Raises:
            RecipeError: The recipe does not use a hyperparameter, or a value is out of range.
        """
        changes = {name: value for name, value in overrides.items() if value is not None}
        unused = NETWORK_HYPERPARAMETERS - self.network_hyperparameters
        if self.preprocessing == "text":
            unused |= {"augmentation"}
        for name in changes:
            if name in unused or name not in OPTIONS:
                used = ", ".join(option for name, option in OPTIONS.items() if name not in unused)
                raise RecipeError(f"{self.name} does not use {OPTIONS.get(name, name)}; it takes {used}")
        return replace(self.hyperparameters, **changes)

"""Owns what a recipe is: the one shape that all of them have."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from training.datasets.imdb import commonest_words
from training.settings import Settings

if TYPE_CHECKING:
    import keras

    from training.networks.network import DataStatistics

Build: TypeAlias = "Callable[[Settings, DataStatistics], keras.Model]"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network of the lecture, the data it learns and how.

    Attributes:
        name: As on the command line.
        title: One line for people, shown beside the model.
        dataset: Name of the data set, and of the model that comes out.
        preprocessing: What makes the network's input out of a picture or a text.
        settings: The constants it was run with.
        build: Makes the untrained network for settings and facts about the data.
        size: Side of the network's input in pixels, if pictures have to be resized for it.
        lecture_accuracy: Test accuracy that the lecture reports for this network.
        sure_accuracy: Share of validation examples that have to be right among those called sure.
        method: ``whole`` trains the network from its pixels; ``transfer`` puts a classifier on a pretrained
            base.
        follows: Name of the recipe whose run this one goes on from.
        joint: Second stage of ``transfer``: train the top of the base with the classifier.
        weights: Where pretrained weights come from.
        mirror: The exported network averages its logits over a picture and its mirror image.
        halves: The exported network's convolutions are rounded to 16 bits and stored so.
        vocabulary: Picks the words of a text network from its training texts.
    """

    name: str
    title: str
    dataset: str
    preprocessing: Literal["digit", "garment", "photo", "text"]
    settings: Settings
    build: Build
    size: int | None = None
    lecture_accuracy: float | None = None
    sure_accuracy: float = 0.98
    method: Literal["whole", "transfer"] = "whole"
    init_from: str | None = None
    fine_tuning: Settings | None = None
    weights: str = "trained from scratch by this recipe"
    flip_tta: bool = False
    float16_weights: bool = False
    vocabulary: Callable[[Iterable[str]], list[str]] = commonest_words

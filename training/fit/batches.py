"""Shuffles and augments the training examples and yields them in batches."""

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from training.augmentation.geometric import augment
from training.augmentation.letters import draw_letters
from training.augmentation.outlier_exposure import make_outliers
from training.augmentation.straight_strokes import draw_straight_ones
from training.augmentation.strokes import MOST_VARIANTS, redraw_digits
from training.datasets.dataset import Examples
from training.hyperparameters import Hyperparameters

Batch = tuple[npt.NDArray[Any], npt.NDArray[Any]]
OUTLIER = -1  # class of an image that belongs to no class
_ONE = 1  # class of the straight ones, among digits
_PREFETCHED = 4  # batches
_DRAWINGS = 8_000  # different letters, and different straight ones, at most
# Share of them that is not augmented: interpolation blurs the edges that a stroke on a screen has.
_UNCHANGED = 0.5
# Share of the training examples that is not augmented in a batch with drawings. If all were, their blurred
# edges alone would distinguish them from drawings.
_UNCHANGED_EXAMPLES = 0.25


class Batches:
    """Batches whose content depends only on seed, epoch and index.

    An epoch can therefore be repeated, and a run resumed, without replaying earlier epochs. Examples that do
    not fill a batch are left out of that epoch; each epoch has another order.

    Args:
        examples: The training split.
        hyperparameters: Batch size, seed, augmentation, outlier exposure, letters and straight ones.
    """

    def __init__(self, examples: Examples, hyperparameters: Hyperparameters) -> None:
        self._examples = examples
        self._size = min(hyperparameters.batch_size, len(examples))
        self._seed = hyperparameters.seed
        self._augmentation = hyperparameters.augmentation
        self._outliers = round(hyperparameters.outlier_exposure * self._size)
        different = min(_DRAWINGS, len(examples))
        self._letters_per_batch = round(hyperparameters.letters * self._size)
        self._letters = draw_letters(different) if self._letters_per_batch else None
        self._straight_ones_per_batch = round(hyperparameters.straight_ones * self._size)
        self._straight_ones = draw_straight_ones(different) if self._straight_ones_per_batch else None
        has_drawings = self._letters is not None or self._straight_ones is not None
        self._unchanged = round(_UNCHANGED_EXAMPLES * self._size) if has_drawings else 0
        self._redrawn = None
        if self._augmentation.stroke_augmentation:
            # A short run would not use more variants.
            uses = math.ceil(hyperparameters.epochs * self._augmentation.stroke_augmentation)
            self._redrawn = redraw_digits(
                examples,
                template_share=self._augmentation.stroke_templates,
                variants=min(uses, MOST_VARIANTS),
            )
        # Flips alternate between epochs, so each image is flipped in every second one (Jordan 2024,
        # arXiv:2404.00498).
        self._flipped_first = np.random.default_rng(self._seed).random(len(examples)) < 0.5

    @property
    def targets(self) -> npt.NDArray[Any]:
        """The targets of all training examples."""
        return self._examples.y

    @property
    def own(self) -> int:
        """Number of a batch's first examples that are of the training split; outliers and drawings follow."""
        return self._size

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return len(self._examples) // self._size

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one epoch; a thread prepares them while the network computes.

        Args:
            number: Number of the epoch.

        Yields:
            Inputs and targets as in :class:`Examples`; ``OUTLIER`` is the class of an outlier.
        """
        batches = self._make(number)
        with ThreadPoolExecutor(max_workers=1) as producer:
            pending = deque(producer.submit(next, batches, None) for _ in range(_PREFETCHED))
            while (batch := pending.popleft().result()) is not None:
                pending.append(producer.submit(next, batches, None))
                yield batch

    def _make(self, number: int) -> Iterator[Batch]:
        order = np.random.default_rng([self._seed, number]).permutation(len(self._examples))
        for index in range(len(self)):
            chosen = order[index * self._size : (index + 1) * self._size]
            rng = np.random.default_rng([self._seed, number, index])
            examples = self._examples.take(chosen)
            x, y = examples.x, examples.y
            changed = slice(self._unchanged, len(x))
            x[changed] = self._change(x[changed], chosen[changed], epoch=number, rng=rng)
            batch = [Examples(x, y), *self._additions(x, rng)]
            yield np.concatenate([part.x for part in batch]), np.concatenate([part.y for part in batch])

    def _change(
        self, x: npt.NDArray[Any], chosen: npt.NDArray[np.int64], *, epoch: int, rng: np.random.Generator
    ) -> npt.NDArray[Any]:
        """Replace a part of the chosen examples by redrawn ones, and augment all."""
        if self._redrawn is not None:
            redrawn = rng.random(len(chosen)) < self._augmentation.stroke_augmentation
            variants = rng.integers(0, len(self._redrawn), len(chosen))
            x[redrawn] = self._redrawn[variants[redrawn], chosen[redrawn]]
        if self._augmentation:
            flipped = self._flipped_first[chosen] ^ (epoch % 2 == 1)
            x = augment(x, by=self._augmentation, rng=rng, flipped=flipped)
        return x

    def _additions(self, x: npt.NDArray[Any], rng: np.random.Generator) -> Iterator[Examples]:
        """Yield the outliers, the letters and the straight ones that a batch gets."""
        if self._outliers:
            yield _of_class(OUTLIER, make_outliers(x, count=self._outliers, rng=rng))
        for label, pictures, count in (
            (OUTLIER, self._letters, self._letters_per_batch),
            (_ONE, self._straight_ones, self._straight_ones_per_batch),
        ):
            if pictures is not None:
                chosen = pictures[rng.integers(0, len(pictures), count)]
                changed = slice(round(_UNCHANGED * count), count)
                chosen[changed] = augment(chosen[changed], by=self._augmentation, rng=rng)
                yield _of_class(label, chosen)


def _of_class(label: int, pictures: npt.NDArray[Any]) -> Examples:
    return Examples(pictures, np.full(len(pictures), label))

"""Shuffles and augments the training examples and yields them in batches."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from training.augmentation.geometric import augment
from training.augmentation.letters import draw_letters
from training.augmentation.outlier_exposure import make_outliers
from training.augmentation.strokes import redraw_digits
from training.datasets.dataset import Examples
from training.hyperparameters import Hyperparameters

Batch = tuple[npt.NDArray[Any], npt.NDArray[np.int64]]
OUTLIER = -1  # class of an image that belongs to no class
_PREFETCHED = 4  # batches
_LETTERS = 20_000  # different letters and signs at most


class Batches:
    """Batches whose content depends only on seed, epoch and index.

    An epoch can therefore be repeated, and a run resumed, without replaying earlier epochs. Examples that do
    not fill a batch are left out of that epoch; each epoch has another order.

    Args:
        examples: The training split.
        hyperparameters: Batch size, seed, augmentation and outlier exposure.
    """

    def __init__(self, examples: Examples, hyperparameters: Hyperparameters) -> None:
        self._examples = examples
        self._size = min(hyperparameters.batch_size, len(examples))
        self._seed = hyperparameters.seed
        self._augmentation = hyperparameters.augmentation
        self._outliers = round(hyperparameters.outlier_exposure * self._size)
        self._letters_per_batch = round(hyperparameters.letters * self._size)
        self._letters = draw_letters(min(_LETTERS, len(examples))) if self._letters_per_batch else None
        self._redrawn = (
            redraw_digits(
                examples,
                template_share=self._augmentation.stroke_templates,
                straight_ones=self._augmentation.straight_ones,
            )
            if self._augmentation.stroke_augmentation
            else None
        )
        # Flips alternate between epochs, so each image is flipped in every second one (Jordan 2024,
        # arXiv:2404.00498).
        self._flipped_first = np.random.default_rng(self._seed).random(len(examples)) < 0.5

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return len(self._examples) // self._size

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one epoch; a thread prepares them while the network computes.

        Args:
            number: Number of the epoch.

        Yields:
            Inputs and int64 classes; ``OUTLIER`` is the class of an outlier.
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
            if self._redrawn is not None:
                redrawn = rng.random(len(chosen)) < self._augmentation.stroke_augmentation
                variants = rng.integers(0, len(self._redrawn), len(chosen))
                x[redrawn] = self._redrawn[variants[redrawn], chosen[redrawn]]
            if self._augmentation:
                flipped = self._flipped_first[chosen] ^ (number % 2 == 1)
                x = augment(x, by=self._augmentation, rng=rng, flipped=flipped)
            outliers = self._make_outliers(x, rng)
            if outliers:
                x = np.concatenate([x, *outliers])
                y = np.concatenate([y, np.full(len(x) - len(y), OUTLIER)])
            yield x, y

    def _make_outliers(self, x: npt.NDArray[Any], rng: np.random.Generator) -> list[npt.NDArray[Any]]:
        """Return the outliers that belong to a batch, perhaps none."""
        outliers = [make_outliers(x, count=self._outliers, rng=rng)] if self._outliers else []
        if self._letters is not None:
            chosen = self._letters[rng.integers(0, len(self._letters), self._letters_per_batch)]
            outliers.append(augment(chosen, by=self._augmentation, rng=rng))
        return outliers

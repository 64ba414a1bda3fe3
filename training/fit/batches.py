"""Owns the order in which examples reach the optimizer."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from training.augmentation.geometric import augment
from training.augmentation.outlier_exposure import make_outliers
from training.augmentation.strokes import redraw_digits
from training.datasets.dataset import Examples
from training.settings import Augmentation

Batch = tuple[npt.NDArray[Any], npt.NDArray[np.int64]]
_AHEAD = 4
NOTHING = -1  # the class of a picture that shows none of the classes


class Batches:
    """Shuffled, augmented batches whose content depends on seed, epoch and place alone.

    So an epoch can be repeated, or a run resumed, without replaying what came before. Examples that do not
    fill a batch sit that epoch out; the next epoch's order is another.

    Args:
        examples: The training split.
        batch_size: Examples a step.
        seed: Of order, changes and outliers.
        augmentation: How far pictures are changed.
        outlier_exposure: Share of each batch that is pictures of nothing, whose class is ``NOTHING``.
    """

    def __init__(
        self,
        examples: Examples,
        *,
        batch_size: int,
        seed: int,
        augmentation: Augmentation,
        outlier_exposure: float = 0.0,
    ) -> None:
        self._examples = examples
        self._size = min(batch_size, len(examples))
        self._seed = seed
        self._augmentation = augmentation
        self._outliers = round(outlier_exposure * self._size)
        self._redrawn = (
            redraw_digits(examples, template_share=augmentation.stroke_templates)
            if augmentation.stroke_augmentation
            else None
        )
        # Each picture is seen from the other side every other epoch, so none is by chance always seen from
        # one (alternating flips, Jordan 2024, arXiv:2404.00498).
        self._begins_mirrored = np.random.default_rng(seed).random(len(examples)) < 0.5

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return len(self._examples) // self._size

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one epoch, made on a thread of their own while the network computes.

        Args:
            number: From 0.
        """
        ready: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=_AHEAD)
        stop = threading.Event()

        def make() -> None:
            try:
                for batch in self._make(number):
                    ready.put(batch)
                    if stop.is_set():
                        return
                ready.put(None)
            except BaseException as error:  # Handed over, so that it is raised where it is seen.
                ready.put(error)

        maker = threading.Thread(target=make, daemon=True)
        maker.start()
        try:
            while (batch := ready.get()) is not None:
                if isinstance(batch, BaseException):
                    raise batch
                yield batch
        finally:
            stop.set()
            while maker.is_alive():
                try:
                    ready.get(timeout=0.05)
                except queue.Empty:
                    continue

    def _make(self, number: int) -> Iterator[Batch]:
        order = np.random.default_rng([self._seed, number]).permutation(len(self._examples))
        for place in range(len(self)):
            places = order[place * self._size : (place + 1) * self._size]
            rng = np.random.default_rng([self._seed, number, place])
            chosen = self._examples.take(places)
            pictures, y = chosen.x, chosen.y
            if self._redrawn is not None:
                anew = rng.random(len(places)) < self._augmentation.stroke_augmentation
                kinds = rng.integers(0, len(self._redrawn), len(places))
                pictures[anew] = self._redrawn[kinds[anew], places[anew]]
            if self._augmentation:
                mirrored = self._begins_mirrored[places] ^ (number % 2 == 1)
                pictures = augment(pictures, by=self._augmentation, rng=rng, flipped=mirrored)
            if self._outliers:
                nothing = make_outliers(pictures, count=self._outliers, rng=rng)
                pictures = np.concatenate([pictures, nothing])
                y = np.concatenate([y, np.full(len(nothing), NOTHING)])
            yield pictures, y

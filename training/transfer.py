"""Owns training on a pretrained base: the classifier alone, then the top layers with it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from training.augment import augment
from training.datasets import Dataset, Examples
from training.datasets.cache import cache_folder
from training.features import compute_once
from training.history import Epoch
from training.loop import Reporter, fit
from training.pretrained import CUT, Transfer, make_transfer, unfreeze_top
from training.recipe import Recipe
from training.settings import Augmentation, Settings

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """The trained network, its epochs, and the seconds spent on activations besides them."""

    model: keras.Model
    history: tuple[Epoch, ...]
    seconds: float


def train_transfer(
    recipe: Recipe,
    *,
    dataset: Dataset,
    settings: Settings,
    folder: Path,
    resume: bool = False,
    reporter: Reporter | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Train a classifier on the frozen base; with ``recipe.joint`` then train the top of the base with it.

    The lower part of the base never changes, so its activations are computed once, for every training picture
    as it is and, with augmentation, once more changed at random; they are kept in the data cache.

    Args:
        recipe: Tells whether there is a joint stage.
        dataset: uint8 pictures (n, 180, 180, 3).
        settings: Of the classifier's stage.
        folder: For the checkpoints of both stages.
        resume: Go on with an interrupted run.
        reporter: Is told of epochs and steps.
        progress: Is told of pictures done and to do while activations are computed.
    """
    keras.utils.set_random_seed(settings.seed)
    plain = replace(settings, augmentation=Augmentation())
    transfer = make_transfer(settings, classes=len(dataset.labels))
    train, train_seconds = _activations(
        transfer.lower, dataset.train, name=dataset.name, settings=settings, progress=progress
    )
    validation, validation_seconds = _activations(
        transfer.lower,
        dataset.validation,
        name=dataset.name,
        settings=plain,
        progress=progress,
    )
    head, history = fit(
        lambda: transfer.head,
        train=_pooled(transfer, train),
        validation=_pooled(transfer, validation),
        # The pictures were changed before their activations were computed.
        settings=plain,
        folder=folder / "head",
        resume=resume,
        reporter=reporter,
    )
    transfer.head.set_weights(head.get_weights())
    if recipe.joint:
        more = _train_jointly(
            transfer,
            recipe.joint,
            train=train,
            validation=validation,
            folder=folder,
            resume=resume,
            reporter=reporter,
        )
        history += tuple(replace(row, number=row.number + len(history)) for row in more)
    return Outcome(transfer.whole, history, train_seconds + validation_seconds)


def _train_jointly(
    transfer: Transfer,
    settings: Settings,
    *,
    train: Examples,
    validation: Examples,
    folder: Path,
    resume: bool,
    reporter: Reporter | None,
) -> tuple[Epoch, ...]:
    unfreeze_top(transfer)
    joint, history = fit(
        lambda: transfer.joint,
        train=train,
        validation=validation,
        settings=settings,
        folder=folder / "joint",
        resume=resume,
        reporter=reporter,
    )
    # A resumed or best epoch's network is a copy from disk; the whole network shares weights with ours.
    transfer.joint.set_weights(joint.get_weights())
    return history


def _activations(
    lower: keras.Model,
    examples: Examples,
    *,
    name: str,
    settings: Settings,
    progress: Progress | None,
) -> tuple[Examples, float]:
    """Return the activations at the cut: of each picture, then of a randomly changed copy of each."""
    count = len(examples)
    copies = 2 if settings.augmentation else 1
    key = hashlib.sha256(f"{CUT} {examples.x.shape} {settings.augmentation} {settings.seed}".encode())
    key.update(np.ascontiguousarray(examples.x))

    def compute(chunk: slice) -> np.ndarray:
        places = np.arange(chunk.start, chunk.stop)
        pictures = examples.x[places % count]
        changed = places >= count
        if changed.any():
            rng = np.random.default_rng([settings.seed, chunk.start])
            pictures[changed] = augment(pictures[changed], by=settings.augmentation, rng=rng)
        return np.asarray(lower.predict_on_batch(pictures))

    stored = compute_once(
        cache_folder() / "activations" / f"{name}-{key.hexdigest()[:12]}.f16",
        compute,
        count=count * copies,
        shape=tuple(lower.output_shape[1:]),
        progress=progress,
    )
    return Examples(stored.rows, np.tile(examples.y, copies)), stored.seconds


def _pooled(transfer: Transfer, examples: Examples) -> Examples:
    features = transfer.pooled.predict(examples.x, batch_size=100, verbose=0)
    return Examples(np.asarray(features), examples.y)

"""Owns training on a pretrained base: the classifier alone, then the top layers with it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from training.augmentation.geometric import augment
from training.datasets import Dataset, Examples
from training.datasets.cache import cache_folder
from training.fit.feature_cache import compute_once
from training.fit.history import Epoch
from training.fit.loop import Reporter, fit
from training.networks.pretrained import CUT, Transfer, make_transfer, unfreeze_top
from training.recipes.recipe import Recipe
from training.settings import Augmentation, Settings

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """The trained network, its epochs, and the seconds spent on activations besides them."""

    model: keras.Model
    history: tuple[Epoch, ...]
    seconds: float


@dataclass(frozen=True)
class _Inputs:
    """What the two stages take in place of pictures, and the seconds that computing it took."""

    activations: Examples
    features: Examples
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
    """Train a classifier on the frozen base; with ``recipe.fine_tuning`` then train its top too.

    The lower part of the base never changes, and the upper one not in the first stage. So activations between
    the two and pooled features behind them are computed once, for every training picture as it is and, with
    augmentation, once more changed at random; they are kept in the data cache.

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
    train = _inputs(transfer, dataset.train, name=dataset.name, settings=settings, progress=progress)
    validation = _inputs(transfer, dataset.validation, name=dataset.name, settings=plain, progress=progress)
    head, history = fit(
        lambda: transfer.head,
        train=train.features,
        validation=validation.features,
        # The pictures were changed before their activations were computed.
        settings=plain,
        folder=folder / "head",
        resume=resume,
        reporter=reporter,
    )
    transfer.head.set_weights(head.get_weights())
    if recipe.fine_tuning:
        more = _train_jointly(
            transfer,
            recipe.fine_tuning,
            train=train.activations,
            validation=validation.activations,
            folder=folder,
            resume=resume,
            reporter=reporter,
        )
        history += tuple(replace(row, number=row.number + len(history)) for row in more)
    return Outcome(transfer.whole, history, train.seconds + validation.seconds)


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
        lambda: transfer.fine_tuning,
        train=train,
        validation=validation,
        settings=settings,
        folder=folder / "joint",
        resume=resume,
        reporter=reporter,
    )
    # A resumed or best epoch's network is a copy from disk; the whole network shares weights with ours.
    transfer.fine_tuning.set_weights(joint.get_weights())
    return history


def _inputs(
    transfer: Transfer,
    examples: Examples,
    *,
    name: str,
    settings: Settings,
    progress: Progress | None,
) -> _Inputs:
    """Send each picture through the frozen base, and then a randomly changed copy of each."""
    count = len(examples)
    copies = 2 if settings.augmentation else 1
    key = hashlib.sha256(f"{CUT} {examples.x.shape} {settings.augmentation} {settings.seed}".encode())
    key.update(np.ascontiguousarray(examples.x))
    path = cache_folder() / "activations" / f"{name}-{key.hexdigest()[:12]}.f16"

    def activate(chunk: slice) -> np.ndarray:
        places = np.arange(chunk.start, chunk.stop)
        pictures = examples.x[places % count]
        changed = places >= count
        if changed.any():
            rng = np.random.default_rng([settings.seed, chunk.start])
            pictures[changed] = augment(pictures[changed], by=settings.augmentation, rng=rng)
        return np.asarray(transfer.lower.predict_on_batch(pictures))

    activations = compute_once(
        path, activate, count=count * copies, shape=tuple(transfer.lower.output_shape[1:]), progress=progress
    )
    features = compute_once(
        path.with_stem(f"{path.stem}-pooled"),
        lambda chunk: np.asarray(transfer.pooled.predict_on_batch(activations.rows[chunk])),
        count=count * copies,
        shape=tuple(transfer.pooled.output_shape[1:]),
        progress=progress,
    )
    y = np.tile(examples.y, copies)
    return _Inputs(
        Examples(activations.rows, y),
        Examples(features.rows.astype(np.float32), y),
        activations.seconds + features.seconds,
    )

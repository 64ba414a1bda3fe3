"""Trains on a pretrained base: the classifier first, then the top layers of the base as well."""

import hashlib
import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from training.augmentation.geometric import augment
from training.datasets import Dataset, Examples
from training.datasets.dataset import activation_folder
from training.fit.feature_cache import MAX_BYTES, compute_once
from training.fit.loop import Reporter, fit
from training.fit.run import Epoch
from training.hyperparameters import Augmentation, Hyperparameters
from training.networks.pretrained import TransferNetwork, build_transfer, unfreeze
from training.recipes.recipe import Recipe

_ACTIVATION_BYTES = np.dtype(np.float16).itemsize


@dataclass(frozen=True, kw_only=True)
class _CachedInputs:
    """Inputs of the two stages, and the seconds that computing them took."""

    activations: Examples | None  # None if only the features are needed, and they would fill the cache
    features: Examples
    seconds: float


def train_transfer(
    recipe: Recipe,
    *,
    dataset: Dataset,
    folder: Path,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> tuple[keras.Model, tuple[Epoch, ...], float]:
    """Train a classifier on the frozen base, and then the top of the base too if the recipe says so.

    The lower part of the base never changes, and the upper part not in the first stage. The activations
    between them and the pooled features are therefore computed once and cached: for every training image and,
    with augmentation, for one randomly changed copy of it. Activations that would fill the cache are only
    stored for fine-tuning.

    Args:
        recipe: Has the hyperparameters of both stages.
        dataset: uint8 images (n, 180, 180, 3).
        folder: Folder of the checkpoints of both stages.
        resume: Continue an interrupted run.
        reporter: Receives the progress of epochs and steps.

    Returns:
        The trained network, its epochs, and the seconds spent besides them.
    """
    hyperparameters = recipe.hyperparameters
    keras.utils.set_random_seed(hyperparameters.seed)
    without_augmentation = replace(hyperparameters, augmentation=Augmentation())
    network = build_transfer(hyperparameters, classes=len(dataset.labels))
    cached = partial(
        _cached_inputs,
        network,
        name=dataset.name,
        needs_activations=recipe.fine_tuning is not None and recipe.fine_tuning.unfreeze != "all",
        reporter=reporter,
    )
    train = cached(dataset.train, split="training", hyperparameters=hyperparameters)
    validation = cached(dataset.validation, split="validation", hyperparameters=without_augmentation)
    head, history = fit(
        lambda: network.head,
        train=train.features,
        validation=validation.features,
        # The cached copies are augmented already.
        hyperparameters=without_augmentation,
        folder=folder / "head",
        resume=resume,
        reporter=reporter,
    )
    network.head.set_weights(head.get_weights())
    if recipe.fine_tuning:
        tuned, splits, settings = _second_stage(recipe, network, dataset, (train, validation))
        trained, more = fit(
            lambda: tuned,
            train=splits[0],
            validation=splits[1],
            hyperparameters=settings,
            folder=folder / "fine-tuning",
            resume=resume,
            reporter=reporter,
        )
        # A resumed or best epoch's network is a copy; the full network shares weights with this one.
        tuned.set_weights(trained.get_weights())
        history += tuple(replace(row, number=row.number + len(history)) for row in more)
    return network.full, history, train.seconds + validation.seconds


def _second_stage(
    recipe: Recipe, network: TransferNetwork, dataset: Dataset, cached: tuple[_CachedInputs, _CachedInputs]
) -> tuple[keras.Model, tuple[Examples, Examples], Hyperparameters]:
    """Unfreeze layers of the base; return the network to fine-tune, its two splits, and its settings.

    The top is trained on cached activations. If all layers are trained, none stays as it is: the network is
    then trained on images, which are augmented as in the first stage.
    """
    settings = recipe.fine_tuning
    assert settings is not None, "a recipe without fine-tuning has one stage"
    part = settings.unfreeze or "top"
    unfreeze(network, part)
    if part == "all":
        augmentation = recipe.hyperparameters.augmentation
        return network.full, (dataset.train, dataset.validation), replace(settings, augmentation=augmentation)
    train, validation = (inputs.activations for inputs in cached)
    assert train is not None, "activations are stored for fine-tuning"
    assert validation is not None, "activations are stored for fine-tuning"
    return network.fine_tuning, (train, validation), settings


def _cached_inputs(
    network: TransferNetwork,
    examples: Examples,
    *,
    name: str,
    split: str,
    needs_activations: bool,
    hyperparameters: Hyperparameters,
    reporter: Reporter | None,
) -> _CachedInputs:
    """Compute the activations and features of each image and, with augmentation, of a changed copy."""
    count, augmentation, seed = len(examples), hyperparameters.augmentation, hyperparameters.seed
    copies = 2 if augmentation else 1
    base = f"{network.base.name} {network.base.count_params()} {network.cut}"
    key = hashlib.sha256(f"{base} {examples.x.shape} {augmentation} {seed}".encode())
    key.update(np.ascontiguousarray(examples.x).data)
    path = activation_folder() / f"{name}-{key.hexdigest()[:12]}.f16"

    def report(done: int, total: int) -> None:
        if reporter:
            reporter.pictures(done * count // total, count, split=split)

    def compute_activations(chunk: slice) -> npt.NDArray[Any]:
        indices = np.arange(chunk.start, chunk.stop)
        images = examples.x[indices % count]
        copy = indices >= count
        if copy.any():
            rng = np.random.default_rng([seed, chunk.start])
            images[copy] = augment(images[copy], by=augmentation, rng=rng)
        return np.asarray(network.lower.predict_on_batch(images))

    y = np.tile(examples.y, copies)
    compute_features = partial(
        compute_once,
        path.with_stem(f"{path.stem}-pooled"),
        count=count * copies,
        shape=tuple(network.pooled.output_shape[1:]),
    )
    shape = tuple(network.lower.output_shape[1:])
    if not needs_activations and count * copies * _ACTIVATION_BYTES * math.prod(shape) > MAX_BYTES:
        features, seconds = compute_features(
            lambda chunk: _pool(network, compute_activations(chunk)), progress=report
        )
        return _CachedInputs(
            activations=None, features=Examples(features.astype(np.float32), y), seconds=seconds
        )
    activations, activation_seconds = compute_once(
        path, compute_activations, count=count * copies, shape=shape, progress=report
    )
    features, feature_seconds = compute_features(lambda chunk: _pool(network, activations[chunk]))
    return _CachedInputs(
        activations=Examples(activations, y),
        features=Examples(features.astype(np.float32), y),
        seconds=activation_seconds + feature_seconds,
    )


def _pool(network: TransferNetwork, activations: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the pooled features of activations, which are rounded as in the cache."""
    return np.asarray(network.pooled.predict_on_batch(activations.astype(np.float16)))

"""Computes the activations at the cut of a pretrained base and its pooled features, and caches them."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.augmentation.geometric import augment
from training.datasets.dataset import Dataset, Examples, activation_folder
from training.fit.feature_cache import MAX_BYTES, compute_once
from training.fit.loop import Reporter
from training.hyperparameters import Augmentation, Hyperparameters
from training.networks.pretrained import TransferNetwork


@dataclass(frozen=True, kw_only=True)
class CachedInputs:
    """The inputs of both stages of transfer learning."""

    activations: Examples | None  # at the cut of the base; None if only the features are needed
    features: Examples  # of the whole base
    seconds: float  # that computing them took


@dataclass(frozen=True, kw_only=True)
class _Images:
    """The images of a split and, with augmentation, a randomly changed copy of each."""

    examples: Examples
    augmentation: Augmentation
    seed: int

    @property
    def y(self) -> npt.NDArray[Any]:
        return np.tile(self.examples.y, 2 if self.augmentation else 1)

    def take(self, chunk: slice) -> npt.NDArray[np.uint8]:
        count, indices = len(self.examples), np.arange(chunk.start, chunk.stop)
        images: npt.NDArray[np.uint8] = self.examples.x[indices % count]
        copy = indices >= count
        if copy.any():
            rng = np.random.default_rng([self.seed, chunk.start])
            images[copy] = augment(images[copy], by=self.augmentation, rng=rng)
        return images

    def key(self, network: TransferNetwork) -> str:
        """Return a checksum of everything that the activations of these images depend on."""
        base = f"{network.base.name} {network.base.input_shape} {network.base.count_params()} {network.cut}"
        key = hashlib.sha256(f"{base} {self.examples.x.shape} {self.augmentation} {self.seed}".encode())
        key.update(np.ascontiguousarray(self.examples.x).data)
        return key.hexdigest()


@dataclass(frozen=True, kw_only=True)
class _Split:
    """A split of the data, and the files of its activations and features."""

    name: str
    images: _Images
    activations: Path
    features: Path


def cache_inputs(
    network: TransferNetwork,
    dataset: Dataset,
    *,
    needs_activations: bool,
    hyperparameters: Hyperparameters,
    reporter: Reporter | None,
) -> tuple[CachedInputs, CachedInputs]:
    """Compute the activations and features of the training and of the validation split.

    They are those of each image and, with augmentation, of a changed copy of each training image.

    Args:
        network: The base and its classifier.
        dataset: uint8 images (n, size, size, 3); the names of the cached files begin with its name.
        needs_activations: Whether a second stage is trained on the activations. Otherwise they are not stored
            if they would fill the cache.
        hyperparameters: Augmentation and seed.
        reporter: Receives the number of images done.
    """
    seed = hyperparameters.seed
    train = _Images(examples=dataset.train, augmentation=hyperparameters.augmentation, seed=seed)
    validation = _Images(examples=dataset.validation, augmentation=Augmentation(), seed=seed)
    splits = [
        _split(network, dataset.name, name, images)
        for name, images in (("training", train), ("validation", validation))
    ]
    rows = sum(len(split.images.y) for split in splits)
    stores = needs_activations or rows * _activation_bytes(network) <= MAX_BYTES
    keep = [path for split in splits for path in (split.activations, split.features)]
    first, second = (
        _cache_split(network, split, stores_activations=stores, keep=keep, reporter=reporter)
        for split in splits
    )
    return first, second


def _split(network: TransferNetwork, dataset: str, name: str, images: _Images) -> _Split:
    path = activation_folder() / f"{dataset}-{images.key(network)[:12]}.f16"
    return _Split(name=name, images=images, activations=path, features=path.with_stem(f"{path.stem}-pooled"))


def _activation_bytes(network: TransferNetwork) -> int:
    """Return the size of the stored activations of one image."""
    shape: tuple[int, ...] = network.lower.output_shape[1:]
    return np.dtype(np.float16).itemsize * math.prod(shape)


def _cache_split(
    network: TransferNetwork,
    split: _Split,
    *,
    stores_activations: bool,
    keep: Sequence[Path],
    reporter: Reporter | None,
) -> CachedInputs:
    images, y = split.images, split.images.y

    def report(done: int, total: int) -> None:
        if reporter:
            count = len(images.examples)
            reporter.pictures(done * count // total, count, split=split.name)

    def compute_activations(chunk: slice) -> npt.NDArray[Any]:
        return np.asarray(network.lower.predict_on_batch(images.take(chunk)))

    compute = partial(compute_once, count=len(y), keep=keep)
    compute_features = partial(compute, split.features, shape=tuple(network.pooled.output_shape[1:]))
    if stores_activations:
        stored, activation_seconds = compute(
            split.activations,
            compute_activations,
            shape=tuple(network.lower.output_shape[1:]),
            progress=report,
        )
        activations = Examples(stored, y)
        features, feature_seconds = compute_features(lambda chunk: _pool(network, stored[chunk]))
        seconds = activation_seconds + feature_seconds
    else:
        activations = None
        features, seconds = compute_features(
            lambda chunk: _pool(network, compute_activations(chunk)), progress=report
        )
    return CachedInputs(
        activations=activations, features=Examples(features.astype(np.float32), y), seconds=seconds
    )


def _pool(network: TransferNetwork, activations: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the pooled features of activations, which are rounded as in the cache."""
    return np.asarray(network.pooled.predict_on_batch(activations.astype(np.float16)))

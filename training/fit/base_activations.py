"""Computes the activations at the cut of a pretrained base and its pooled features, and caches them."""

import hashlib
import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from training.augmentation.geometric import augment
from training.datasets.dataset import Examples, activation_folder
from training.fit.feature_cache import MAX_BYTES, compute_once
from training.fit.loop import Reporter
from training.hyperparameters import Augmentation, Hyperparameters
from training.networks.pretrained import TransferNetwork

_ACTIVATION_BYTES = np.dtype(np.float16).itemsize


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


def cache_inputs(
    network: TransferNetwork,
    examples: Examples,
    *,
    name: str,
    split: str,
    needs_activations: bool,
    hyperparameters: Hyperparameters,
    reporter: Reporter | None,
) -> CachedInputs:
    """Compute the activations and features of each image and, with augmentation, of a changed copy of it.

    Args:
        network: The base and its classifier.
        examples: uint8 images (n, 180, 180, 3).
        name: Name of the data set, which the names of the cached files begin with.
        split: Name of the split, for the reporter.
        needs_activations: Whether a second stage is trained on the activations. Otherwise they are not stored
            if they would fill the cache.
        hyperparameters: Augmentation and seed.
        reporter: Receives the number of images done.
    """
    images = _Images(examples=examples, augmentation=hyperparameters.augmentation, seed=hyperparameters.seed)
    y = images.y
    path = activation_folder() / f"{name}-{images.key(network)[:12]}.f16"
    shape = tuple(network.lower.output_shape[1:])

    def report(done: int, total: int) -> None:
        if reporter:
            reporter.pictures(done * len(examples) // total, len(examples), split=split)

    def compute_activations(chunk: slice) -> npt.NDArray[Any]:
        return np.asarray(network.lower.predict_on_batch(images.take(chunk)))

    compute_features = partial(
        compute_once,
        path.with_stem(f"{path.stem}-pooled"),
        count=len(y),
        shape=tuple(network.pooled.output_shape[1:]),
    )
    if not needs_activations and len(y) * _ACTIVATION_BYTES * math.prod(shape) > MAX_BYTES:
        activations = None
        features, seconds = compute_features(
            lambda chunk: _pool(network, compute_activations(chunk)), progress=report
        )
    else:
        stored, activation_seconds = compute_once(
            path, compute_activations, count=len(y), shape=shape, progress=report
        )
        activations = Examples(stored, y)
        features, feature_seconds = compute_features(lambda chunk: _pool(network, stored[chunk]))
        seconds = activation_seconds + feature_seconds
    return CachedInputs(
        activations=activations, features=Examples(features.astype(np.float32), y), seconds=seconds
    )


def _pool(network: TransferNetwork, activations: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the pooled features of activations, which are rounded as in the cache."""
    return np.asarray(network.pooled.predict_on_batch(activations.astype(np.float16)))

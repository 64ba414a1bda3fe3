"""A network that continues another one begins with its answers."""

from collections.abc import Callable

import keras
import numpy as np
import pytest

from training.hyperparameters import Hyperparameters
from training.networks.initial_weights import copy_weights
from training.networks.network import Network
from training.networks.statistics import measure_images

PHOTOS = np.random.default_rng(1).integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)


def _build(layers: Callable[[Network], Network], *, seed: int, classes: int = 4) -> keras.Model:
    keras.utils.set_random_seed(seed)
    statistics = measure_images(PHOTOS, classes=classes)
    return layers(Network(Hyperparameters(epochs=1), statistics).image(12, 12, 3)).classifier()


def _plain(network: Network) -> Network:
    return network.conv_block(6).global_max_pool()


def _with_branch(network: Network) -> Network:
    network.conv_block(6)
    branch = network.branch().flatten()
    branch.add(keras.layers.Dense(network.scaled(6), kernel_initializer="zeros"))
    return network.global_max_pool().combine(keras.layers.Add(), branch)


def _narrow(network: Network) -> Network:
    return network.conv_block(5).global_max_pool()


def _without_convolution(network: Network) -> Network:
    network.flatten()
    for _ in range(4):
        network.add(keras.layers.Dense(5))
    return network


@pytest.mark.parametrize("layers", [_plain, _with_branch], ids=["the same network", "a branch"])
def test_target_computes_what_the_source_computes(layers: Callable[[Network], Network]) -> None:
    source, target = _build(_plain, seed=2), _build(layers, seed=3)
    expected = source.predict(PHOTOS, verbose=0)
    assert np.abs(target.predict(PHOTOS, verbose=0) - expected).max() > 0.01

    copy_weights(source, target)

    np.testing.assert_allclose(target.predict(PHOTOS, verbose=0), expected, atol=1e-6)


@pytest.mark.parametrize("layers", [_narrow, _without_convolution])
def test_another_network_is_refused(layers: Callable[[Network], Network]) -> None:
    with pytest.raises(ValueError, match=r"shape|layer"):
        copy_weights(_build(_plain, seed=2), _build(layers, seed=2))


def test_other_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        copy_weights(_build(_plain, seed=2), _build(_with_branch, seed=2, classes=5))

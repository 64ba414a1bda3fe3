"""Whitening, its epsilon, and the initial weights of convolution blocks."""

import keras
import numpy as np
import pytest

from training.hyperparameters import Hyperparameters
from training.networks.network import Network
from training.networks.statistics import measure_images

HYPERPARAMETERS = Hyperparameters(epochs=1, scaling="standard")


def _photos() -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 40, (80, 20, 20, 3))
    # Neighbouring pixels and the colours of a pixel are correlated, as in photos.
    smooth = noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2) + noise.mean(axis=3, keepdims=True)
    return np.clip(np.rint(smooth + 128), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [2, 3])
def test_whitening_gives_uncorrelated_patches_of_variance_one(side: int) -> None:
    photos = _photos()
    statistics = measure_images(photos, classes=10)
    network = Network(HYPERPARAMETERS, statistics).image(20, 20, 3).whitening_conv(side=side)
    model = network.global_max_pool().classifier()

    layer = model.get_layer("whitening")
    values = keras.Model(model.input, layer.output)(photos).numpy()

    half = side * side * 3
    np.testing.assert_allclose(values[..., half:], -values[..., :half], atol=1e-4)
    flat = values[..., :half].reshape(-1, half)
    np.testing.assert_allclose(flat.T @ flat / len(flat), np.eye(half), atol=0.1)
    assert not layer.trainable


def test_epsilon_limits_the_amplification_of_noise() -> None:
    photos = _photos()
    statistics = measure_images(photos, classes=10)
    gains = []
    for epsilon in (5e-4, 2.0):
        network = Network(HYPERPARAMETERS, statistics).image(20, 20, 3)
        network.whitening_conv(side=2, epsilon=epsilon)
        kernel = network.global_max_pool().classifier().get_layer("whitening").get_weights()[0]
        gains.append(np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), axis=0).max())

    assert gains[1] < 1 / np.sqrt(2) < gains[0] / 2


def test_conv_block_is_initialised_to_the_identity() -> None:
    statistics = measure_images(_photos(), classes=10)
    model = (
        Network(HYPERPARAMETERS, statistics)
        .image(20, 20, 3)
        .conv_block(5, depth=1)
        .global_max_pool()
        .classifier()
    )

    convolution = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    before = keras.Model(model.input, convolution.input)(_photos()).numpy()
    after = keras.Model(model.input, convolution.output)(_photos()).numpy()

    np.testing.assert_allclose(after[..., :3], before, atol=1e-5)


def test_names_of_layers_do_not_depend_on_earlier_networks() -> None:
    statistics = measure_images(_photos(), classes=10)

    def names() -> list[str]:
        network = Network(HYPERPARAMETERS, statistics).image(20, 20, 3).conv(4).conv(4).flatten()
        return [layer.name for layer in network.classifier().layers]

    assert names() == names()
    assert {"conv2d", "conv2d_1"} <= set(names())

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


def test_frozen_layers_do_not_change_in_training() -> None:
    photos = _photos()
    network = Network(HYPERPARAMETERS, measure_images(photos, classes=10)).image(20, 20, 3)
    network.conv_block(4, depth=2).freeze()
    model = network.conv_block(6, depth=1).global_max_pool().classifier()
    before = {layer.name: layer.get_weights() for layer in model.layers}

    model.compile("adam", loss="sparse_categorical_crossentropy")
    model.fit(photos, np.arange(len(photos)) % 10, epochs=1, verbose=0)

    changed = {
        layer.name
        for layer in model.layers
        if any(map(np.any, (a - b for a, b in zip(layer.get_weights(), before[layer.name], strict=True))))
    }
    assert changed == {"conv2d_2", "batch_normalization_2", "probabilities"}


def test_branch_continues_from_its_place_and_is_combined() -> None:
    network = Network(HYPERPARAMETERS, measure_images(_photos(), classes=10)).image(20, 20, 3).conv(4)
    branch = network.branch().conv(5).flatten()
    model = network.conv(3).global_max_pool().combine(keras.layers.Concatenate(), branch).classifier()

    names = [layer.name for layer in model.layers]
    assert len(set(names)) == len(names)
    assert model.get_layer("concatenate").output.shape == (None, 3 + 16 * 16 * 5)
    start, first, second = (model.get_layer(f"conv2d{number}") for number in ("", "_1", "_2"))
    assert first.input.shape == second.input.shape == start.output.shape

"""The building blocks of the deep recipes do what they are named for."""

import keras
import numpy as np
import pytest

from training.networks.network import Network, measure
from training.settings import Settings

SETTINGS = Settings(epochs=1, scaling="standard")


def _photos() -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 40, (80, 20, 20, 3))
    # Neighbours in place and colour are alike, as in photos.
    smooth = noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2) + noise.mean(axis=3, keepdims=True)
    return np.clip(np.rint(smooth + 128), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [2, 3])
def test_whitened_patches_are_uncorrelated_and_of_variance_one(side: int) -> None:
    photos = _photos()
    facts = measure(photos, classes=10)
    network = Network(SETTINGS, shape=(20, 20, 3)).scale(facts).whiten(facts, side=side)
    model = network.pool_to_one().classify(10)

    layer = model.get_layer("whitening")
    values = keras.Model(model.input, layer.output)(photos).numpy()

    half = side * side * 3
    np.testing.assert_allclose(values[..., half:], -values[..., :half], atol=1e-4)
    flat = values[..., :half].reshape(-1, half)
    np.testing.assert_allclose(flat.T @ flat / len(flat), np.eye(half), atol=0.1)
    assert not layer.trainable


def test_a_floor_keeps_noise_from_being_blown_up() -> None:
    photos = _photos()
    facts = measure(photos, classes=10)
    gains = []
    for floor in (5e-4, 2.0):
        network = Network(SETTINGS, shape=(20, 20, 3)).scale(facts).whiten(facts, side=2, floor=floor)
        kernel = network.pool_to_one().classify(10).get_layer("whitening").get_weights()[0]
        gains.append(np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), axis=0).max())

    assert gains[1] < 1 / np.sqrt(2) < gains[0] / 2


def test_a_block_begins_by_handing_on_its_input() -> None:
    facts = measure(_photos(), classes=10)
    model = Network(SETTINGS, shape=(20, 20, 3)).scale(facts).block(5, depth=1).pool_to_one().classify(10)

    convolution = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    before = keras.Model(model.input, convolution.input)(_photos()).numpy()
    after = keras.Model(model.input, convolution.output)(_photos()).numpy()

    np.testing.assert_allclose(after[..., :3], before, atol=1e-5)

"""Receptive fields, with the pixels that change an output as the oracle."""

import keras
import numpy as np
import pytest

from training.hyperparameters import Hyperparameters, Pooling
from training.networks.network import Network
from training.networks.receptive_field import receptive_fields
from training.networks.statistics import DataStatistics


@pytest.mark.parametrize("pooling", ["max", "average", "none"])
def test_field_is_that_of_the_pixels_that_change_an_output(pooling: Pooling) -> None:
    network = Network(Hyperparameters(epochs=1, pooling=pooling), DataStatistics(classes=3)).image(30, 30)
    model = network.conv(3, activation="elu").pool().conv(3, activation="elu").pool().flatten().classifier()
    weights = [np.abs(part) + 0.1 for part in model.get_weights()]  # every pixel of the field then counts
    model.set_weights(weights)
    name = [layer.name for layer in model.layers if len(layer.output.shape) == 4][-1]
    part = keras.Model(model.input, model.get_layer(name).output)
    base = np.full((1, 30, 30), 100, dtype=np.uint8)
    places = np.argwhere(np.ones((30, 30), dtype=bool))
    pictures = np.repeat(base, len(places), axis=0)
    pictures[np.arange(len(places)), places[:, 0], places[:, 1]] = 255

    middle = part.output.shape[1] // 2
    changed = part.predict(pictures, verbose=0)[:, middle, middle, 0]
    unchanged = part.predict(base, verbose=0)[0, middle, middle, 0]

    rows = places[np.abs(changed - unchanged) > 1e-6][:, 0]
    assert receptive_fields(model)[name] == np.ptp(rows) + 1
    assert not {"flatten", "probabilities"} & receptive_fields(model).keys()


def test_network_on_texts_has_none() -> None:
    network = Network(Hyperparameters(epochs=1), DataStatistics(classes=2)).text().words(50, 4)

    assert receptive_fields(network.classifier()) == {}


def test_of_two_branches_the_wider_field_counts() -> None:
    network = Network(Hyperparameters(epochs=1), DataStatistics(classes=3)).image(20, 20)
    model = network.stem(4).residual_block(4).global_average_pool().classifier()

    # Three convolutions of side 3 follow each other; the shortcut goes around two of them.
    assert max(receptive_fields(model).values()) == 7

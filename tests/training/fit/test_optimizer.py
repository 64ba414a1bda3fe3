"""Optimizers: weight decay and momentum."""

from typing import get_args

import keras
import numpy as np
import pytest

from training.fit.optimizer import make_optimizer
from training.hyperparameters import Hyperparameters, Optimizer


@pytest.mark.parametrize("optimizer", get_args(Optimizer))
def test_weight_decay_shrinks_the_weights_with_every_optimizer(optimizer: Optimizer) -> None:
    start = np.full((2, 2), 4.0, dtype=np.float32)
    weights = {}
    for decay in (0.0, 0.1):
        variable = keras.Variable(start, name="kernel")
        hyperparameters = Hyperparameters(
            epochs=4, learning_rate=0.01, optimizer=optimizer, weight_decay=decay
        )
        make_optimizer(hyperparameters, steps=10).apply([keras.ops.zeros((2, 2))], [variable])
        weights[decay] = keras.ops.convert_to_numpy(variable)

    # A step subtracts the share 0.1 of the weights, times the learning rate of 0.01.
    np.testing.assert_allclose(weights[0.0] - weights[0.1], 0.001 * start, rtol=1e-3)


def test_momentum_is_that_of_sgd() -> None:
    for momentum in (0.0, 0.7):
        hyperparameters = Hyperparameters(epochs=4, learning_rate=0.01, optimizer="sgd", momentum=momentum)
        variable = keras.Variable([1.0])
        optimizer = make_optimizer(hyperparameters, steps=10)
        for _ in range(2):
            optimizer.apply([keras.ops.ones((1,))], [variable])
        # Two steps of gradient 1: Nesterov's form adds the momentum of the step itself.
        travelled = 0.01 * ((1 + momentum) + (1 + momentum + momentum**2))
        assert float(keras.ops.convert_to_numpy(variable)[0]) == pytest.approx(1 - travelled, rel=1e-5)

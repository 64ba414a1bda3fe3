"""Tests activation functions against SciPy, and their slopes against differences."""

import numpy as np
import pytest
from scipy import special

from desktop.lab.network.stage import Function
from desktop.lab.values.functions import ACTIVATIONS, flat_share, sample_sorted

X = np.linspace(-9, 9, 400, dtype=np.float32)  # without 0 and 6, where ReLU and ReLU6 have no slope
ORACLES = {
    Function.SIGMOID: special.expit,
    Function.TANH: np.tanh,
    Function.RELU: lambda x: x * (x > 0),
    Function.ELU: lambda x: np.where(x > 0, x, special.expm1(x)),
    Function.SILU: lambda x: x * special.expit(x),
    Function.RELU6: lambda x: np.minimum(x * (x > 0), 6),
}


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_values_and_slopes(function: Function) -> None:
    activation = ACTIVATIONS[function]
    np.testing.assert_allclose(activation.apply(X), ORACLES[function](X.astype(float)), atol=1e-6)
    step = 1e-5
    double = X.astype(float)
    difference = (ORACLES[function](double + step) - ORACLES[function](double - step)) / (2 * step)
    np.testing.assert_allclose(activation.slope(X), difference, atol=1e-4)


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_huge_values_do_not_overflow(function: Function) -> None:
    far = np.array([-1e4, 1e4], dtype=np.float32)
    assert np.isfinite(ACTIVATIONS[function].apply(far)).all()
    assert np.isfinite(ACTIVATIONS[function].slope(far)).all()


def test_the_share_of_flat_slopes() -> None:
    values = np.array([-2, -1, 1, 9], dtype=np.float32)
    assert flat_share(Function.RELU, values) == 0.5
    assert flat_share(Function.SIGMOID, values) == 0.25
    assert flat_share(Function.ELU, values) == 0


def test_samples_keep_the_ends() -> None:
    values = np.random.default_rng(1).normal(size=(10, 20, 30)).astype(np.float32)
    sample = sample_sorted(values, 50)
    assert len(sample) == 50
    assert (sample[0], sample[-1]) == (values.min(), values.max())
    assert (np.diff(sample) >= 0).all()
    assert sample_sorted(values[0, 0, :5], 50).tolist() == sorted(values[0, 0, :5].tolist())

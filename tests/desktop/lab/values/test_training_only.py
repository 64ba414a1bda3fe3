"""Tests dropout and normalization."""

import numpy as np
import pytest

from desktop.lab.values.training_only import drop, normalize


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9])
def test_dropout_keeps_the_expected_sum(rate: float) -> None:
    values = np.random.default_rng(2).random((64, 20, 20)).astype(np.float32)
    result = drop(values, rate, seed=3)
    assert (~result.kept).mean() == pytest.approx(rate, abs=0.01)
    np.testing.assert_allclose(result.values[result.kept], values[result.kept] * result.factor, rtol=1e-5)
    assert (result.values[~result.kept] == 0).all()
    assert result.values.sum() == pytest.approx(values.sum(), rel=0.06)


def test_a_higher_rate_drops_more_of_the_same_draw() -> None:
    values = np.ones((100, 1, 1), dtype=np.float32)
    low, high = drop(values, 0.3, seed=1), drop(values, 0.6, seed=1)
    assert not (high.kept & ~low.kept).any()
    assert (drop(values, 0.3, seed=1).kept == low.kept).all()
    assert (drop(values, 0.3, seed=2).kept != low.kept).any()


def test_maps_are_normalized_one_by_one() -> None:
    maps = np.random.default_rng(4).normal(3, [[[2]], [[40]]], (2, 50, 50)).astype(np.float32)
    normalized = normalize(maps)
    np.testing.assert_allclose(normalized.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normalized.std(axis=(1, 2)), 1, atol=1e-3)
    assert (normalize(np.full((1, 3, 3), 7, dtype=np.float32)) == 0).all()

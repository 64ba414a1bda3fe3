"""Patterns are of many kinds, within their range."""

import numpy as np

from training.evaluation.pictures.patterns import random_color, random_pattern


def test_patterns_are_shares_and_differ() -> None:
    rng = np.random.default_rng(1)
    patterns = np.stack([random_pattern(40, rng) for _ in range(60)])

    assert patterns.dtype == np.float32
    assert 0 <= patterns.min() <= patterns.max() <= 1
    assert len(np.unique(patterns.reshape(60, -1), axis=0)) == 60


def test_colours_are_grey_and_strong() -> None:
    rng = np.random.default_rng(1)
    ranges = np.ptp(np.stack([random_color(rng) for _ in range(200)]), axis=1)

    assert (ranges < 0.1).sum() > 30
    assert (ranges > 0.5).sum() > 10

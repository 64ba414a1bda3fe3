"""Straight ones are upright strokes; their flags are at the left, and never as flat as the top of a seven."""

from pathlib import Path

import numpy as np

from training.augmentation.straight_strokes import sample_straight_one
from training.augmentation.strokes import redraw_digits
from training.datasets.dataset import Examples


def test_flags_hang_at_the_left_of_the_head() -> None:
    rng = np.random.default_rng(1)
    ones = [sample_straight_one(rng) for _ in range(200)]

    flags = [one[1] for one in ones if len(one) == 2]
    assert 40 < len(flags) < 120
    for start, end in flags:
        assert start.tolist() == [0, 0]
        assert -0.48 < end[0] < 0 < end[1] < 0.65
        assert end[1] > 0.2 * -end[0]


def test_ones_are_redrawn_as_straight_strokes_and_other_digits_are_not(
    cache: Path, mnist_sample: Examples
) -> None:
    few = mnist_sample.take(np.isin(mnist_sample.y, (1, 2)))

    usual, straight = (redraw_digits(few, straight_ones=share)[0] for share in (0.0, 1.0))

    ones = straight[few.y == 1] > 127
    heights, widths = ones.any(axis=2).sum(axis=1), ones.any(axis=1).sum(axis=1)
    assert (heights >= 16).all()
    assert (heights > widths).all()
    # From a hairline to a thick mark.
    assert np.ptp(ones.sum(axis=(1, 2))) > 80
    assert np.mean([np.array_equal(*pair) for pair in zip(usual, straight, strict=True)]) < 0.9

"""Straight ones are upright strokes; their flags are at the left, and never as flat as the top of a seven."""

from pathlib import Path

import numpy as np
import pytest

from training.augmentation.straight_strokes import draw_straight_ones, sample_straight_one
from training.datasets.dataset import Examples
from training.fit.batches import OUTLIER, Batches
from training.hyperparameters import Augmentation, Hyperparameters


def test_flags_hang_at_the_left_of_the_head() -> None:
    rng = np.random.default_rng(1)
    ones = [sample_straight_one(rng) for _ in range(200)]

    flags = [one[1] for one in ones if len(one) == 2]
    assert 40 < len(flags) < 120
    for start, end in flags:
        assert start.tolist() == [0, 0]
        assert -0.48 < end[0] < 0 < end[1] < 0.65
        assert end[1] > 0.2 * -end[0]


def test_ones_are_of_all_thicknesses_and_drawn_once(cache: Path) -> None:
    ones = draw_straight_ones(80)

    ink = ones > ones.max((1, 2), keepdims=True) / 2
    heights, widths = ink.any(axis=2).sum(axis=1), ink.any(axis=1).sum(axis=1)
    assert (heights >= 16).all()
    assert (heights > widths).all()
    # From a hairline to a thick mark.
    assert np.ptp(ink.sum(axis=(1, 2))) > 80
    assert [path.name.startswith("straight-ones-") for path in cache.iterdir()] == [True]
    assert np.array_equal(draw_straight_ones(80), ones)


def test_half_of_the_ones_are_upright_to_within_two_degrees(cache: Path) -> None:
    ink = draw_straight_ones(200) > 127
    # The lower half of a stroke has no flag. Middles of the ink in two of its rows, 6 pixels apart.
    columns = np.arange(28)
    upper, lower = (
        (ink[:, row] * columns).sum(axis=1) / np.maximum(ink[:, row].sum(axis=1), 1) for row in (15, 21)
    )

    assert 100 < (np.abs(upper - lower) <= 0.5).sum() < 150


def test_half_of_a_batchs_ones_are_as_they_were_drawn(cache: Path, mnist_sample: Examples) -> None:
    digits = mnist_sample.take(mnist_sample.y != 1)
    hyperparameters = Hyperparameters(
        epochs=1, batch_size=50, straight_ones=0.2, augmentation=Augmentation(rotation=10.0)
    )
    drawn = {picture.tobytes() for picture in draw_straight_ones(len(digits))}

    for x, y in Batches(digits, hyperparameters).epoch(1):
        assert sum(picture.tobytes() in drawn for picture in x[y == 1]) == 5


@pytest.mark.parametrize(("straight_ones", "unchanged"), [(0.1, 12), (0.0, 0)])
def test_beside_drawings_a_quarter_of_the_digits_is_not_augmented(
    cache: Path, mnist_sample: Examples, straight_ones: float, unchanged: int
) -> None:
    hyperparameters = Hyperparameters(
        epochs=1,
        batch_size=50,
        straight_ones=straight_ones,
        augmentation=Augmentation(shift=0.1, rotation=5.0, stroke_augmentation=0.4),
    )
    originals = {picture.tobytes() for picture in mnist_sample.x}
    batches = Batches(mnist_sample, hyperparameters)

    for x, _ in batches.epoch(1):
        assert sum(picture.tobytes() in originals for picture in x[: batches.own]) == unchanged


def test_batches_contain_their_share_of_straight_ones(cache: Path, mnist_sample: Examples) -> None:
    digits = mnist_sample.take(mnist_sample.y != 1)
    hyperparameters = Hyperparameters(
        epochs=1, batch_size=50, straight_ones=0.1, outlier_exposure=0.1, augmentation=Augmentation(shift=0.1)
    )

    for x, y in Batches(digits, hyperparameters).epoch(1):
        assert len(x) == len(y) == 60
        assert ((y == 1).sum(), (y == OUTLIER).sum()) == (5, 5)
        assert (x[y == 1].max(axis=(1, 2)) > 100).all()

"""Tests that drawings and digits in black and white get soft edges, and that those of MNIST keep theirs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from service.inference.catalog import Catalog
from service.inference.preprocessing import prepare_digit
from service.inference.preprocessing.edges import soften_edges

Array = npt.NDArray[Any]


@pytest.fixture(scope="module")
def labels(data_folder: Path) -> Array:
    """The labels of the sample of MNIST's test digits."""
    with np.load(data_folder / "mnist.npz") as arrays:
        found: Array = arrays["y"]
    return found


def _black_and_white(digit: Array) -> Array:
    return np.where(digit > 127, 255, 0).astype(np.uint8)


def _scaled(side: int) -> Callable[[Array], Array]:
    def scale(digit: Array) -> Array:
        return _black_and_white(np.asarray(Image.fromarray(digit).resize((side, side))))

    return scale


@pytest.mark.parametrize(
    "draw",
    [
        _black_and_white,
        lambda digit: 255 - _black_and_white(digit),
        lambda digit: _black_and_white(digit).repeat(10, 0).repeat(10, 1),
        _scaled(32),
        _scaled(40),
    ],
    ids=["as MNIST", "dark on light", "large pixels", "a little larger", "larger"],
)
def test_digits_in_black_and_white_are_read(
    draw: Callable[[Array], Array], mnist_digits: Array, labels: Array, models_folder: Path
) -> None:
    digits = [prepare_digit(Image.fromarray(draw(digit))) for digit in mnist_digits[:200]]
    predictions = Catalog(models_folder).predictor("mnist").classify(digits)
    right = [found.best.label == str(label) for found, label in zip(predictions, labels, strict=False)]
    assert np.mean(right) >= 0.97
    assert np.mean([found.unsure for found in predictions]) <= 0.1


def test_arrays_in_black_and_white_are_read(mnist_digits: Array, labels: Array, models_folder: Path) -> None:
    predictions = Catalog(models_folder).predictor("mnist").predict_array(mnist_digits[:200] > 127)
    right = [found.best.label == str(label) for found, label in zip(predictions, labels, strict=False)]
    assert np.mean(right) >= 0.97


def test_digits_are_softened_one_by_one_or_together(mnist_digits: Array) -> None:
    digits = np.concatenate([mnist_digits[:5], _black_and_white(mnist_digits[:5])])
    together = soften_edges(digits)
    assert (together[:5] == digits[:5]).all()
    assert (together[5:] == [soften_edges(digit) for digit in digits[5:]]).all()
    assert (together[5:] != digits[5:]).any((1, 2)).all()


def test_digits_of_mnist_stay_as_they_are(mnist_digits: Array) -> None:
    changed = [digit for digit in mnist_digits if soften_edges(digit) is not digit]
    assert len(changed) <= 5


@pytest.mark.parametrize("size", [80, 120, 250])
@pytest.mark.parametrize("width", [0.06, 0.12])
def test_drawings_are_softened_at_any_size(size: int, width: float) -> None:
    chance = np.random.default_rng(7)
    seven = np.array([(0.0, 0.1), (0.7, 0.0), (0.3, 1.0)])
    for _ in range(10):
        page = Image.new("L", (1400, 1400), 255)
        points = [tuple(point) for point in (150 + 4 * size * (seven + chance.random((3, 2)) / 10)).tolist()]
        ImageDraw.Draw(page).line(points, fill=0, width=round(width * size * 4), joint="curve")
        pixels = prepare_digit(page.reduce(4))  # edges are anti-aliased, as on the pads
        assert _sharpness(pixels) < 0.5
        # What a network has read can be sent as a picture again.
        assert np.array_equal(prepare_digit(Image.fromarray(pixels)), pixels)


@pytest.mark.parametrize("filter_", [*Image.Resampling], ids=lambda filter_: filter_.name.lower())
@pytest.mark.parametrize("factor", [3, 10])
def test_enlarged_digits_of_mnist_stay_sharp(
    mnist_digits: Array, factor: int, filter_: Image.Resampling
) -> None:
    softened = 0
    for digit in mnist_digits[:200]:
        enlarged = Image.fromarray(np.pad(digit, 4)).resize((36 * factor, 36 * factor), filter_)
        softened += prepare_digit(enlarged).max() < 255
    assert softened <= 4


def _sharpness(pixels: Array) -> float:
    """Return the mean height of the steps between neighbouring pixels, weighted by their heights."""
    steps = np.concatenate([np.diff(pixels.astype(float), axis=axis).ravel() for axis in (0, 1)])
    return float(np.square(steps).sum() / np.abs(steps).sum() / 255)


def test_nothing_and_the_edge_of_a_picture_can_be_softened() -> None:
    assert not soften_edges(np.zeros((28, 28), np.uint8)).any()
    full = np.full((28, 28), 255, np.uint8)
    assert soften_edges(full) is full
    stripes = np.tile(np.array([0, 255], np.uint8), (28, 14))
    assert soften_edges(stripes).max() == 255

"""Strokes are drawn as a pad draws them, and the figures count what the model made of them."""

from pathlib import Path

import numpy as np
import pytest

from service.inference.catalog import BUNDLED, Catalog
from service.inference.preprocessing import prepare_digit
from training.datasets.pendigits import PENDIGITS, PenDigit, load_pendigits
from training.evaluation.pen_digits import SIDE, Pad, draw, measure_drawn

BAR = (np.array([[0.0, 0.0], [0.0, 100.0]]),)


@pytest.fixture
def sample(cache: Path, data_folder: Path) -> list[PenDigit]:
    """Every tenth of the 400 pen digits of the tests' data."""
    with np.load(data_folder / "pendigits.npz") as file:
        labels, points = file["labels"][::10], file["points"]
        kept = [points[points[:, 0] == number] for number in range(0, 400, 10)]
    for number, rows in enumerate(kept):
        rows[:, 0] = number
    np.savez(PENDIGITS.paths[0], labels=labels, points=np.concatenate(kept))
    return load_pendigits()


def test_strokes_are_read_upright(sample: list[PenDigit]) -> None:
    assert len(sample) == 40
    assert sorted({digit.label for digit in sample}) == list(range(10))
    # A seven begins at the top.
    seven = next(digit for digit in sample if digit.label == 7)
    every = np.concatenate(seven.strokes)
    assert every[0, 1] < every[:, 1].mean()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("brush", [0.06, 0.13])
def test_ink_has_the_size_the_width_and_the_place_that_were_asked_for(dark: bool, brush: float) -> None:
    picture = np.asarray(draw(BAR, Pad(brush=brush, height=0.5, place=(1.0, 0.0), dark=dark)))
    ink = (255 - picture if dark else picture) > 127

    assert picture.shape == (SIDE, SIDE)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert (rows[0], len(rows)) == (0, pytest.approx(SIDE / 2, abs=2))
    assert columns[-1] == pytest.approx(SIDE - 1, abs=1)
    assert len(columns) == pytest.approx(brush * SIDE / 2, abs=1)


def test_size_place_and_polarity_make_no_difference_to_the_network(sample: list[PenDigit]) -> None:
    one = draw(sample[0].strokes, Pad(brush=0.1, height=0.9, place=(0.0, 0.0), dark=True))
    other = draw(sample[0].strokes, Pad(brush=0.1, height=0.5, place=(0.7, 0.3), dark=False))

    difference = np.abs(prepare_digit(one).astype(float) - prepare_digit(other))
    assert difference.mean() < 4


def test_people_are_mostly_understood(sample: list[PenDigit]) -> None:
    predictor = Catalog(BUNDLED, providers=("cpu",)).predictor("mnist")

    drawn = measure_drawn(predictor, sample)

    assert drawn.figures.accuracy > 0.85
    assert drawn.figures.count == drawn.confusion.sum() == 40
    assert drawn.confusion.trace() == round(40 * drawn.figures.accuracy)
    assert drawn.figures.selective_accuracy >= drawn.figures.accuracy
    assert measure_drawn(predictor, sample).figures == drawn.figures

"""Strokes are drawn as the drawing pad draws them, and the figures count the model's predictions."""

from pathlib import Path

import numpy as np
import pytest

from service.inference.catalog import BUNDLED, Catalog
from service.inference.preprocessing import prepare_digit
from training.datasets.pendigits import PENDIGITS, PenDigit, load_pendigits
from training.evaluation.pen_digits import SIDE, Placement, draw, evaluate_pen_digits

BAR = (np.array([[0.0, 0.0], [0.0, 100.0]]),)


@pytest.fixture
def sample(cache: Path, data_folder: Path) -> list[PenDigit]:
    """Every tenth of the 400 pen digits in the test data."""
    with np.load(data_folder / "pendigits.npz") as file:
        labels, points = file["labels"][::10], file["points"]
        kept = [points[points[:, 0] == number] for number in range(0, 400, 10)]
    for number, rows in enumerate(kept):
        rows[:, 0] = number
    np.savez(PENDIGITS.paths[0], labels=labels, points=np.concatenate(kept))
    return load_pendigits()


def test_strokes_are_upright(sample: list[PenDigit]) -> None:
    assert len(sample) == 40
    assert sorted({digit.label for digit in sample}) == list(range(10))
    # The first point of a seven is at its top.
    seven = next(digit for digit in sample if digit.label == 7)
    every = np.concatenate(seven.strokes)
    assert every[0, 1] < every[:, 1].mean()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("pen_width", [0.06, 0.13])
def test_ink_has_the_given_size_width_and_position(dark: bool, pen_width: float) -> None:
    picture = np.asarray(draw(BAR, Placement(pen_width=pen_width, size=0.5, position=(1.0, 0.0), dark=dark)))
    ink = (255 - picture if dark else picture) > 127

    assert picture.shape == (SIDE, SIDE)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert (rows[0], len(rows)) == (0, pytest.approx(SIDE / 2, abs=2))
    assert columns[-1] == pytest.approx(SIDE - 1, abs=1)
    assert len(columns) == pytest.approx(pen_width * SIDE / 2, abs=1)


def test_size_position_and_polarity_do_not_change_the_prepared_digit(sample: list[PenDigit]) -> None:
    one = draw(sample[0].strokes, Placement(pen_width=0.1, size=0.9, position=(0.0, 0.0), dark=True))
    other = draw(sample[0].strokes, Placement(pen_width=0.1, size=0.5, position=(0.7, 0.3), dark=False))

    difference = np.abs(prepare_digit(one).astype(float) - prepare_digit(other))
    assert difference.mean() < 4


def test_most_pen_digits_are_predicted_correctly(sample: list[PenDigit]) -> None:
    predictor = Catalog(BUNDLED, providers=("cpu",)).predictor("mnist")

    figures, confusion = evaluate_pen_digits(predictor, sample)

    assert figures.accuracy > 0.85
    assert figures.count == confusion.sum() == 40
    assert confusion.trace() == round(40 * figures.accuracy)
    assert figures.selective_accuracy >= figures.accuracy
    assert evaluate_pen_digits(predictor, sample)[0] == figures

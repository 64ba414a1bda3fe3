"""Numbers that are put together from digits are read, and the figures count the mistakes."""

from pathlib import Path

import numpy as np
import pytest

from service.inference import Predictor
from service.inference.catalog import BUNDLED, Catalog
from service.inference.preprocessing.ink import find_ink
from service.inference.reading.reader import Reader
from training.datasets import Examples
from training.datasets.pendigits import PENDIGITS, PenDigit, load_pendigits
from training.evaluation import numbers
from training.evaluation.numbers import evaluate_numbers, write_number


@pytest.fixture(scope="module")
def digits(data_folder: Path) -> Examples:
    """500 real digits of the test data."""
    with np.load(data_folder / "mnist.npz") as file:
        return Examples(file["x"], file["y"].astype(np.int64))


@pytest.fixture
def pen_digits(cache: Path, data_folder: Path) -> list[PenDigit]:
    """Drawings of 40 people's digits."""
    PENDIGITS.paths[0].write_bytes((data_folder / "pendigits.npz").read_bytes())
    return load_pendigits()[::10]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Catalog(BUNDLED, providers=("cpu",)).predictor("mnist")


def test_most_numbers_are_read_and_few_single_digits_are_divided(
    digits: Examples, pen_digits: list[PenDigit], predictor: Predictor
) -> None:
    figures = evaluate_numbers(predictor, digits, pen_digits, count=80)

    assert figures.count == 80
    assert figures.numbers >= 0.9
    assert figures.digits >= 0.97
    assert max(figures.test_digits_divided, figures.pen_digits_divided) <= 0.03


def test_the_figures_are_the_same_each_time(
    digits: Examples, pen_digits: list[PenDigit], predictor: Predictor
) -> None:
    first, again = (evaluate_numbers(predictor, digits, pen_digits, count=10) for _ in range(2))
    assert first == again


def test_most_numbers_whose_digits_touch_are_read(digits: Examples, predictor: Predictor) -> None:
    reader, rng, right = Reader(predictor), np.random.default_rng(3), 0
    for _ in range(40):
        chosen = rng.integers(0, len(digits), 3)
        picture = write_number(digits.x[chosen], rng, gap=(-0.1, 0.0))
        right += reader.read(picture).text == "".join(map(str, digits.y[chosen]))

    assert right >= 26


def test_the_space_between_digits_is_in_the_range(digits: Examples) -> None:
    for seed in range(20):
        picture = write_number(digits.x[:3], np.random.default_rng(seed), gap=(0.3, 0.4))
        ink = find_ink(picture) > 20
        columns = np.flatnonzero(ink.any(axis=0))
        spaces = np.diff(columns)[np.diff(columns) > 1]
        assert len(spaces) == 2
        assert spaces.max() < 0.5 * np.ptp(np.flatnonzero(ink.any(axis=1)))


@pytest.mark.parametrize(
    ("expected", "read", "distance"),
    [
        ("123", "123", 0),
        ("123", "", 3),
        ("", "12", 2),
        ("123", "13", 1),
        ("123", "1723", 1),
        ("1234", "2345", 2),
    ],
)
def test_edit_distance(expected: str, read: str, distance: int) -> None:
    assert numbers._edit_distance(expected, read) == distance

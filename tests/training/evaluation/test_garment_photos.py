"""Test garments are laid on grounds that did not train, and the figures count what the model finds."""

from pathlib import Path

import numpy as np
import pytest

from service.inference import Predictor
from service.inference.catalog import BUNDLED, Catalog
from training.datasets import Examples
from training.evaluation.garment_photos import evaluate_garment_photos
from training.evaluation.pictures.garment_grounds import GROUNDS


@pytest.fixture(scope="module")
def garments(data_folder: Path) -> Examples:
    """Real test pictures of Fashion-MNIST."""
    with np.load(data_folder / "fashion_mnist.npz") as sample:
        return Examples(sample["x"], sample["y"].astype(np.int64))


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Catalog(BUNDLED, providers=("cpu",)).predictor("fashion_mnist")


def test_each_kind_of_photo_has_a_row_that_is_the_same_each_time(
    garments: Examples, predictor: Predictor
) -> None:
    first, again = (evaluate_garment_photos(predictor, garments, count=2) for _ in range(2))

    assert [row.name for row in first] == [*GROUNDS, "on a hanger", "worn by a person", "partly covered"]
    assert first == again
    for row in first:
        figures = (row.accuracy, row.unsure, row.selective_accuracy, row.unsure_without_garment)
        assert all(0 <= figure <= 1 for figure in figures)


@pytest.mark.parametrize("name", GROUNDS)
def test_grounds_are_colours_that_depend_on_the_seed_alone(name: str) -> None:
    first, again, other = (GROUNDS[name](64, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert (first.shape, first.dtype) == ((64, 64, 3), np.float32)
    assert 0 <= first.min() <= first.max() <= 1
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)

"""Test pictures are pasted into long photos, and the figures count what the model finds."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.inference import Predictor
from service.inference.catalog import BUNDLED, Catalog
from training.datasets import Examples
from training.evaluation.long_photos import SHAPES, evaluate_long_photos, paste_into_background


@pytest.fixture(scope="module")
def photos(data_folder: Path) -> Examples:
    """Real test pictures of CIFAR-10."""
    with np.load(data_folder / "cifar10.npz") as sample:
        return Examples(sample["x"], sample["y"].astype(np.int64))


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Catalog(BUNDLED, providers=("cpu",)).predictor("cifar10")


def test_a_search_finds_more_subjects_than_the_middle_shows(photos: Examples, predictor: Predictor) -> None:
    rows = evaluate_long_photos(predictor, photos, count=30)

    assert [row.name for row in rows] == list(SHAPES)
    at_an_end = rows[0]
    assert at_an_end.accuracy > at_an_end.middle_accuracy + 0.3


def test_the_photos_are_the_same_each_time(photos: Examples, predictor: Predictor) -> None:
    first, again = (evaluate_long_photos(predictor, photos, count=4) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("place", [0.0, 0.4, 1.0])
def test_the_picture_is_in_the_photo(photos: Examples, name: str, place: float) -> None:
    picture = np.asarray(Image.fromarray(photos.x[0]).resize((100, 100)))
    photo, background = paste_into_background(picture, SHAPES[name], place, np.random.default_rng(0))

    assert photo.size == background.size == tuple(round(100 * factor) for factor in SHAPES[name])
    left, top = (round((side - 100) * place) for side in photo.size)
    inside = np.asarray(photo.crop((left + 10, top + 10, left + 90, top + 90)))
    assert np.array_equal(inside, picture[10:90, 10:90])
    assert (np.asarray(photo) == np.asarray(background)).mean() > 0.3

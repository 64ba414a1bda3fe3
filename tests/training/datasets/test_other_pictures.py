"""Pictures of other things become the squares that a network of photos reads."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.inference.preprocessing import prepare_photo
from training.datasets import other_pictures
from training.datasets.other_pictures import load_other_pictures
from training.errors import DatasetError

Save = Callable[[str, int, int], Image.Image]


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Save:
    """Save a picture of noise of some size in a folder that may be small."""
    monkeypatch.setattr(other_pictures, "FEWEST", 1)
    rng = np.random.default_rng(0)

    def save(name: str, width: int, height: int) -> Image.Image:
        picture = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture.save(tmp_path / name)
        return picture

    return save


def _load(folder: Path) -> np.ndarray:
    return load_other_pictures(folder, size=32, rng=np.random.default_rng(1))


def test_a_small_picture_gives_one_square(tmp_path: Path, save: Save) -> None:
    picture = save("deep/one.png", 60, 50)
    (tmp_path / "damaged.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (tmp_path / "notes.txt").write_text("no picture")

    squares = _load(tmp_path)

    assert squares.dtype == np.uint8
    assert np.array_equal(squares, prepare_photo(picture, size=32)[np.newaxis])


def test_a_long_picture_gives_all_squares_that_a_prediction_searches(tmp_path: Path, save: Save) -> None:
    save("long.png", 200, 50)

    assert len(_load(tmp_path)) == 7


def test_a_large_picture_gives_random_parts_too(tmp_path: Path, save: Save) -> None:
    save("large.png", 500, 400)

    squares = _load(tmp_path)

    assert squares.shape == (13, 32, 32, 3)
    assert len(np.unique(squares.reshape(13, -1), axis=0)) == 13
    assert np.array_equal(squares, _load(tmp_path))


def test_too_few_pictures_are_refused(tmp_path: Path, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    save("one.png", 60, 50)
    monkeypatch.setattr(other_pictures, "FEWEST", 2)

    with pytest.raises(DatasetError, match=r"gives 1 readable pictures and parts of pictures; .* needs 2"):
        _load(tmp_path)


def test_what_is_no_file_is_left_out(tmp_path: Path, save: Save) -> None:
    save("one.png", 60, 50)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    os.mkfifo(tmp_path / "pipe.png")

    assert len(_load(tmp_path)) == 1

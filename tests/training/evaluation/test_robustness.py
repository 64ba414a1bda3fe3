"""Corruptions do what their names say, and the table compares the losses with version 1's."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.inference.card import RobustnessRow
from service.inference.catalog import BUNDLED, Catalog
from training.datasets import Examples
from training.evaluation.robustness import Corruption, corruptions, evaluate_robustness, summarize

CATALOG = Catalog(BUNDLED, providers=("cpu",))


@pytest.fixture(scope="module")
def digits(data_folder: Path) -> Examples:
    with np.load(data_folder / "mnist.npz") as sample:
        return Examples(sample["x"][::10], sample["y"][::10].astype(np.int64))


def _changed(start: str, picture: np.ndarray, *, seed: int = 0) -> np.ndarray:
    (corruption,) = (part for part in corruptions(digits=True) if part.name.startswith(start))
    file = corruption.encode(picture, np.random.default_rng(seed))
    return np.asarray(Image.open(io.BytesIO(file)))


def test_a_shift_moves_two_pixels_in_a_random_direction_and_fills_with_the_page() -> None:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[14, 14] = 200
    places = set()
    for seed in range(20):
        moved = _changed("shift", picture, seed=seed)
        assert moved.sum() == 200
        places.add(tuple(int(axis[0]) - 14 for axis in np.nonzero(moved)))
    assert places == {(2, 0), (-2, 0), (0, 2), (0, -2)}


def test_a_shift_grows_with_the_picture() -> None:
    photo = np.zeros((180, 180, 3), dtype=np.uint8)
    photo[90, 90] = 255
    row, column = np.argwhere(_changed("shift", photo)[..., 0] == 255)[0]
    assert abs(row - 90) + abs(column - 90) == 13


def test_a_rotation_turns_by_fifteen_degrees_about_the_middle() -> None:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[2:26, 13:15] = 255
    seen = set()
    for seed in range(10):
        rows, columns = np.nonzero(_changed("rotation", picture, seed=seed) > 128)
        angle = np.rad2deg(np.arctan(np.polyfit(rows - 13.5, columns - 13.5, 1)[0]))
        seen.add(round(float(angle)))
    assert all(abs(abs(angle) - 15) <= 1 for angle in seen)
    assert min(seen) < 0 < max(seen)


@pytest.mark.parametrize(("start", "factor"), [("scale 0.7", 0.7), ("scale 1.3", 1.3)])
def test_scaling_keeps_the_middle_and_changes_the_size(start: str, factor: float) -> None:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[9:19, 9:19] = 255

    changed = _changed(start, picture) / 255

    assert changed.sum() == pytest.approx(100 * factor**2, rel=0.05)
    rows = changed.sum(axis=1)
    assert (rows * (np.arange(28) + 0.5)).sum() / rows.sum() == pytest.approx(14, abs=0.05)


def test_blur_noise_and_contrast_have_the_stated_strength() -> None:
    point = np.zeros((28, 28), dtype=np.uint8)
    point[14, 14] = 255
    blurred = _changed("Gaussian blur", point).astype(float)
    spread = ((np.arange(28) - 14) ** 2 * blurred.sum(axis=0)).sum() / blurred.sum()
    assert spread == pytest.approx(1.0, abs=0.25)

    grey = np.full((28, 28), 128, dtype=np.uint8)
    assert _changed("Gaussian noise", grey).std() == pytest.approx(25.5, rel=0.08)

    halves = np.full((28, 28), 40, dtype=np.uint8)
    halves[:14] = 240
    assert sorted(set(_changed("contrast", halves).ravel().tolist())) == [90, 190]


def test_strokes_lose_or_gain_a_pixel_in_both_polarities() -> None:
    picture = np.zeros((28, 28), dtype=np.uint8)
    picture[4:24, 12:16] = 255
    for page in (picture, 255 - picture):
        thin, bold = _changed("thin", page), _changed("bold", page)
        ink = [abs(int(image[14].sum()) - 28 * int(image[0, 0])) / 255 for image in (thin, page, bold)]
        assert ink[0] == pytest.approx(ink[1] - 1, abs=0.3)
        assert ink[2] == pytest.approx(ink[1] + 1, abs=0.3)


def test_inverted_colours_change_nothing_and_version_1_is_its_own_baseline(digits: Examples) -> None:
    model = CATALOG.predictor("mnist", 1)

    table = evaluate_robustness(model, model, digits)

    rows = {row.name: row for row in table.rows}
    assert rows["inverted colours"].accuracy == table.unchanged.accuracy > 0.9
    assert all(row.baseline == row.accuracy for row in table.rows)
    assert len(rows) == 11
    assert table.summary == "this is version 1"
    assert evaluate_robustness(model, model, digits) == table


def test_a_rejected_picture_is_a_wrong_prediction(digits: Examples) -> None:
    from training.evaluation.batch_prediction import is_correct, predict_files

    blank = Corruption("blank", lambda picture, rng: np.zeros_like(picture))
    rng = np.random.default_rng(0)
    files = [blank.encode(digits.x[0], rng), Corruption("same").encode(digits.x[1], rng)]

    (probabilities,) = predict_files([CATALOG.predictor("mnist", 1)], files)

    assert is_correct(probabilities, np.array([0, int(digits.y[1])])).tolist() == [False, True]


def test_the_summary_lists_the_rows_that_lose_more_than_half_as_much() -> None:
    base = RobustnessRow(name="unchanged", accuracy=0.99, baseline=0.98)
    good = RobustnessRow(name="blur", accuracy=0.97, baseline=0.90)
    bad = RobustnessRow(name="noise", accuracy=0.93, baseline=0.90)
    within_chance = RobustnessRow(name="inverted", accuracy=0.9899, baseline=0.98)

    assert summarize(base, (good, within_chance), count=10_000) == (
        "loses at most half as much as version 1 in every row"
    )
    assert summarize(base, (good, bad), count=10_000) == (
        "loses more than half as much as version 1 under noise: 0.0600 against 0.0800, 3.00 points above it"
    )


def test_the_summary_says_where_half_of_the_baseline_loss_is_within_chance() -> None:
    base = RobustnessRow(name="unchanged", accuracy=0.99, baseline=0.98)
    little = RobustnessRow(name="shift", accuracy=0.986, baseline=0.9785)
    worse = RobustnessRow(name="noise", accuracy=0.5, baseline=0.6)

    assert summarize(base, (little, worse), count=10_000) == (
        "loses more than half as much as version 1 under "
        "shift: 0.0040 against 0.0015 (half of that is within chance), 0.75 points above it; "
        "noise: 0.4900 against 0.3800, 10.00 points below it"
    )

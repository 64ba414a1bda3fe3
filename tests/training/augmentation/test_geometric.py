"""Each geometric change does what its name says, stays within its limit, and is repeatable."""

import numpy as np
import pytest

from training.augmentation.geometric import augment
from training.errors import RecipeError
from training.hyperparameters import Augmentation, parse_augmentation


def _square(side: int = 32) -> np.ndarray:
    picture = np.zeros((1, side, side), dtype=np.uint8)
    picture[:, 8:16, 8:16] = 200
    return picture


def _centre(picture: np.ndarray) -> np.ndarray:
    return np.array([axis.mean() for axis in np.nonzero(picture > 100)])


def _many(picture: np.ndarray, by: Augmentation, count: int = 200) -> np.ndarray:
    return augment(np.repeat(picture, count, axis=0), by=by, rng=np.random.default_rng(5))


def test_no_augmentation_changes_nothing() -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (5, 20, 24, 3), dtype=np.uint8)

    assert np.array_equal(augment(pictures, by=Augmentation(), rng=np.random.default_rng(2)), pictures)


def test_shift_moves_up_to_its_share_of_the_side() -> None:
    moved = np.array([_centre(one) for one in _many(_square(), Augmentation(shift=0.125))])

    distance = moved - _centre(_square()[0])
    assert np.abs(distance).max() <= 4.6
    assert (np.abs(distance).max(axis=0) > 3).all()
    assert (np.abs(distance.mean(axis=0)) < 0.6).all()


def test_flip_mirrors_about_half_of_the_pictures() -> None:
    picture = _square()
    changed = _many(picture, Augmentation(flip=True))

    flipped = (changed == picture[:, :, ::-1]).all(axis=(1, 2))
    kept = (changed == picture).all(axis=(1, 2))
    assert (flipped | kept).all()
    assert 70 < flipped.sum() < 130


def test_zoom_changes_the_area_both_ways() -> None:
    areas = np.array([(one > 100).sum() for one in _many(_square(), Augmentation(zoom=0.25))])

    assert areas.min() < 50 < 64 < 80 < areas.max() < 64 * 1.25**2 * 1.2


def test_rotation_turns_about_the_middle() -> None:
    bar = np.zeros((1, 33, 33), dtype=np.uint8)
    bar[:, 15:18, 4:29] = 255
    rows = [np.nonzero(one > 100)[0] for one in _many(bar, Augmentation(rotation=20.0))]

    heights = np.array([np.ptp(row) for row in rows])
    # A bar of 25 turned by 20 degrees rises by 25 sin 20 = 8.6 besides its own width of 3.
    assert 8 < heights.max() < 13
    assert np.abs(np.array([row.mean() for row in rows]) - 16).max() < 0.7


def test_contrast_scales_the_levels_about_their_mean() -> None:
    picture = np.full((1, 8, 8, 3), 100, dtype=np.uint8)
    picture[:, :4] = 140
    spans = np.array([int(one.max()) - int(one.min()) for one in _many(picture, Augmentation(contrast=0.5))])

    assert spans.min() < 25 < 55 < spans.max() <= 61


def test_equal_generators_give_equal_pictures() -> None:
    by = parse_augmentation("shift,rotation,flip,zoom,shear,contrast")
    pictures = np.random.default_rng(1).integers(0, 256, (4, 28, 28), dtype=np.uint8)

    first, second = (augment(pictures, by=by, rng=np.random.default_rng(3)) for _ in range(2))

    assert np.array_equal(first, second)
    assert not np.array_equal(first, pictures)


def test_unknown_transformation_is_refused_by_name() -> None:
    with pytest.raises(RecipeError, match="'blur' is unknown; choose from shift"):
        parse_augmentation("flip,blur")


def test_crop_moves_by_whole_pixels_and_blurs_nothing() -> None:
    moved = _many(_square(), Augmentation(crop=3))

    assert set(np.unique(moved)) == {0, 200}
    distance = np.array([_centre(one) for one in moved]) - _centre(_square()[0])
    assert np.array_equal(distance, np.rint(distance))
    assert np.abs(distance).max() == 3


def test_flip_and_crop_keep_every_pixel_of_a_photo_that_stays_inside() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)

    middle = photo[0, 12:20, 12:20]
    for changed in _many(photo, Augmentation(flip=True, crop=2), count=40):
        windows = [changed[top : top + 8, left : left + 8] for top in range(10, 15) for left in range(10, 15)]
        assert any(
            np.array_equal(window, middle) or np.array_equal(window, middle[:, ::-1]) for window in windows
        )


def test_erase_fills_one_square_with_the_mean_colour() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)

    for changed in _many(photo, Augmentation(erase=0.25), count=40):
        rows, columns = np.nonzero((changed != photo[0]).any(axis=2))
        square = changed[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert max(square.shape[:2]) <= 8
        assert (square == np.rint(photo[0].mean(axis=(0, 1)))).all()


def test_elastic_bends_a_line_and_keeps_it_connected() -> None:
    picture = np.zeros((1, 28, 28), dtype=np.uint8)
    picture[:, :, 13:15] = 255

    bent = _many(picture, Augmentation(elastic=0.06), count=50)

    middles = (bent * np.arange(28)).sum(axis=2) / bent.sum(axis=2)
    assert np.ptp(middles, axis=1).mean() > 0.8
    assert np.abs(np.diff(middles, axis=1)).max() < 1.2
    assert np.abs(bent.sum(axis=(1, 2)) / picture[0].sum() - 1).max() < 0.5


def test_elastic_with_a_negligible_strength_changes_nothing() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (3, 28, 28), dtype=np.uint8)

    bent = augment(picture, by=Augmentation(elastic=1e-9), rng=np.random.default_rng(2))

    assert np.array_equal(bent, picture)


def test_brightness_adds_one_value_to_all_pixels() -> None:
    picture = np.random.default_rng(1).integers(60, 190, (1, 8, 8, 3), dtype=np.uint8)

    offsets = {
        tuple(np.unique(one.astype(int) - picture[0]).tolist())
        for one in _many(picture, Augmentation(brightness=0.2))
    }

    assert all(len(offset) == 1 for offset in offsets)
    values = [offset[0] for offset in offsets]
    assert -51 <= min(values) < -30 < 30 < max(values) <= 51


def test_brightness_saturates_at_black_and_white() -> None:
    for level in (3, 252):
        changed = _many(np.full((1, 4, 4), level, dtype=np.uint8), Augmentation(brightness=0.5))
        assert {0, 255} & set(np.unique(changed))
        assert (np.abs(changed.astype(int) - level) <= 128).all()


@pytest.mark.parametrize("by", [Augmentation(shift=0.5), Augmentation(rotation=180.0, shift=0.1)])
def test_no_pixel_comes_from_outside_the_reflection(by: Augmentation) -> None:
    picture = np.full((1, 20, 20), 200, dtype=np.uint8)

    assert set(np.unique(_many(picture, by))) == {200}

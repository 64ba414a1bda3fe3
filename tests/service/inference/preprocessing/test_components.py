"""Connected components agree with SciPy's."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from service.inference.preprocessing.components import fill_holes, find_components

Mask = npt.NDArray[np.bool_]


def _snake() -> Mask:
    mask = np.zeros((41, 60), np.bool_)
    mask[::2] = True
    mask[1::4, -1] = mask[3::4, 0] = True
    return mask


def _noise(share: float) -> Mask:
    return np.random.default_rng(3).random((97, 64)) < share


MASKS = {
    "empty": np.zeros((5, 7), np.bool_),
    "full": np.ones((5, 7), np.bool_),
    "one pixel": np.ones((1, 1), np.bool_),
    "one row": np.array([[True, False, True, True, False, True]]),
    "one column": np.array([[True, False, True, True, False, True]]).T,
    "diagonal": np.eye(9) > 0,
    "ends of rows": np.array([[False, True], [False, False], [True, False], [False, True]]),
    "snake": _snake(),
    "upright snake": np.ascontiguousarray(_snake().T),
    "checkerboard": np.indices((30, 30)).sum(axis=0) % 2 > 0,
    **{f"noise {share}": _noise(share) for share in (0.05, 0.4, 0.5, 0.6, 0.9)},
}


@pytest.mark.parametrize("diagonal", [True, False], ids=["8 neighbours", "4 neighbours"])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_components_are_those_of_scipy(mask: Mask, diagonal: bool) -> None:
    expected, count = ndimage.label(mask, np.ones((3, 3)) if diagonal else None)

    found = find_components(mask, diagonal=diagonal)

    assert len(found) == count
    pairs = set(zip(found.labels.ravel().tolist(), expected.ravel().tolist(), strict=True))
    assert len(pairs) == len(np.unique(expected))
    renumbered = dict(pairs)
    for number in range(1, count + 1):
        rows, columns = ndimage.find_objects(expected)[renumbered[number] - 1]
        assert (found.top[number], found.top[number] + found.height[number]) == (rows.start, rows.stop)
        assert (found.left[number], found.left[number] + found.width[number]) == (columns.start, columns.stop)
        assert np.array_equal(found.crop(number), expected[rows, columns] == renumbered[number])
    assert found.area.tolist() == np.bincount(found.labels.ravel(), minlength=count + 1).tolist()


def test_components_at_the_edge_are_told() -> None:
    mask = np.zeros((6, 6), np.bool_)
    mask[2:4, 2:4] = mask[0, 0] = mask[5, 3] = True

    found = find_components(mask)

    assert found.at_edge[1:].tolist() == [True, False, True]


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_holes_are_filled_as_scipy_fills_them(mask: Mask) -> None:
    assert np.array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))

"""Ink of touching digits is cut where it is thin."""

import numpy as np
import numpy.typing as npt
import pytest

from service.inference.reading.cuts import find_cuts

Ink = npt.NDArray[np.float32]


def _two_blocks(*, scale: int = 1, lean: int = 0) -> Ink:
    """Return two blocks of 20 x 40 pixels that a bar joins; the space between them leans to the right."""
    ink = np.zeros((40, 60), dtype=np.float32)
    for row in range(40):
        shift = lean * (39 - row) // 39
        ink[row, 0 : 20 + shift] = 255
        ink[row, 28 + shift : 60] = 255
    ink[18:22] = 255
    return ink.repeat(scale, 0).repeat(scale, 1)


@pytest.mark.parametrize("scale", [1, 4])
@pytest.mark.parametrize("lean", [0, 15])
def test_a_cut_follows_the_space_between_digits(scale: int, lean: int) -> None:
    ink = _two_blocks(scale=scale, lean=lean)

    best = min(find_cuts(ink, digit_height=40 * scale), key=lambda cut: cut.crossed)

    assert best.crossed == pytest.approx(4 / 40, abs=0.06)
    columns = best.columns
    assert columns.shape == (40 * scale,)
    for row in [0, 10 * scale, 30 * scale, 40 * scale - 1]:
        edges = np.flatnonzero(ink[row] == 0)
        assert edges[0] <= columns[row] <= edges[-1] + 1


def test_solid_ink_and_narrow_ink_are_not_cut() -> None:
    assert find_cuts(np.full((40, 60), 255, dtype=np.float32), digit_height=40) == []
    assert find_cuts(np.zeros((40, 8), dtype=np.float32), digit_height=40) == []


def test_cuts_have_a_distance_and_are_in_order() -> None:
    ink = np.zeros((40, 200), dtype=np.float32)
    ink[20] = 255
    columns = [float(cut.columns.mean()) for cut in find_cuts(ink, digit_height=40)]
    assert len(columns) > 10
    assert np.diff(columns).min() >= 6
    assert min(columns) >= 6
    assert max(columns) <= 194

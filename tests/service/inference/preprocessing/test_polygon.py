"""Masks with straight sides are recognised, and their convex hulls agree with SciPy's."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw
from scipy.spatial import ConvexHull

from service.inference.preprocessing.polygon import convex_hull, fill_polygon, is_polygon

Mask = npt.NDArray[np.bool_]
Corners = list[tuple[float, float]]

UPRIGHT: Corners = [(20, 30), (90, 30), (90, 110), (20, 110)]
AT_AN_ANGLE: Corners = [(35, 12), (112, 40), (95, 118), (10, 84)]
CUT_OFF: Corners = [(0, 40), (40, 0), (119, 0), (119, 60), (70, 119), (0, 90)]


def _drawn(corners: Corners, *, hole: Corners | None = None) -> Mask:
    picture = Image.new("1", (120, 120))
    drawing = ImageDraw.Draw(picture)
    drawing.polygon(corners, fill=1)
    if hole is not None:
        drawing.line(hole, fill=0, width=8)
    return np.array(picture)


def _disc() -> Mask:
    rows, columns = np.indices((120, 120))
    mask: Mask = np.hypot(rows - 60, (columns - 60) * 1.3) < 45
    return mask


@pytest.mark.parametrize("corners", [UPRIGHT, AT_AN_ANGLE], ids=["upright", "at an angle"])
def test_a_quadrilateral_is_one_with_or_without_a_digit_on_it(corners: Corners) -> None:
    assert is_polygon(_drawn(corners), corners=4)
    assert is_polygon(_drawn(corners, hole=[(45, 50), (75, 50), (60, 90)]), corners=4)


def test_a_sheet_that_the_picture_cuts_off_has_up_to_six_corners() -> None:
    assert is_polygon(_drawn(CUT_OFF), corners=6)
    assert not is_polygon(_drawn(CUT_OFF), corners=4)


OTHERS = {
    "disc": _disc(),
    "ring": _disc() & (np.hypot(*(np.indices((120, 120)) - 60)) > 25),
    "thick stroke with an angle": _drawn(
        [(20, 20), (100, 20), (100, 45), (60, 110), (30, 110), (66, 45), (20, 45)]
    ),
    "frame": _drawn(UPRIGHT) & ~_drawn([(28, 38), (82, 38), (82, 102), (28, 102)]),
    "two squares": _drawn(UPRIGHT) & ((np.arange(120) < 45) | (np.arange(120) > 65)),
    "star": _drawn(
        [(60, 5), (72, 45), (115, 48), (80, 70), (95, 115), (60, 88), (25, 115), (40, 70), (5, 48), (48, 45)]
    ),
}


@pytest.mark.parametrize("mask", OTHERS.values(), ids=OTHERS)
def test_other_shapes_are_no_polygons(mask: Mask) -> None:
    assert not is_polygon(mask, corners=6)


@pytest.mark.parametrize(
    "mask",
    [
        _drawn(UPRIGHT),
        _drawn(AT_AN_ANGLE),
        *OTHERS.values(),
        np.random.default_rng(1).random((40, 70)) < 0.02,
    ],
)
def test_the_convex_hull_has_the_area_of_scipys(mask: Mask) -> None:
    rows, columns = np.nonzero(mask)
    corners = [np.stack([columns + x, rows + y], axis=1) for x in (0, 1) for y in (0, 1)]
    expected = ConvexHull(np.concatenate(corners)).volume

    hull = convex_hull(mask)

    assert ConvexHull(hull).volume == pytest.approx(expected, rel=0.005)
    assert (hull.min(axis=0) >= 0).all()
    assert (hull <= mask.shape[::-1]).all()


@pytest.mark.parametrize("corners", [UPRIGHT, AT_AN_ANGLE, CUT_OFF])
def test_a_filled_hull_is_the_polygon_again(corners: Corners) -> None:
    mask = _drawn(corners)

    filled = fill_polygon(convex_hull(mask), mask.shape)

    assert np.count_nonzero(filled != mask) < 0.02 * np.count_nonzero(mask)


def test_a_single_pixel_has_a_hull() -> None:
    mask = np.zeros((9, 9), np.bool_)
    mask[4, 6] = True

    assert sorted(map(tuple, convex_hull(mask).tolist())) == [(6, 4), (6, 5), (7, 4), (7, 5)]

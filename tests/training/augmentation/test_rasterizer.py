"""Strokes have the width, ink and ends that are asked for."""

import numpy as np
import pytest
from PIL import Image

from training.augmentation.rasterizer import draw_strokes, widen_line

HORIZONTAL = np.array([[10.0, 20.0], [30.0, 20.0]])


@pytest.mark.parametrize(("page", "ink"), [(0, 255), (255, 0)])
@pytest.mark.parametrize("round_pen", [True, False])
def test_a_stroke_has_the_width_of_the_pen_and_round_ends_if_asked(
    page: int, ink: int, round_pen: bool
) -> None:
    image = Image.new("L", (40, 40), page)

    draw_strokes(image, [HORIZONTAL], width=8, ink=ink, round_pen=round_pen)

    inked = np.asarray(image) == ink
    assert np.ptp(np.flatnonzero(inked[:, 20])) == pytest.approx(8, abs=1)
    assert np.ptp(np.flatnonzero(inked[20])) == pytest.approx(20 + 8 * round_pen, abs=1)
    assert set(np.unique(np.asarray(image))) == {0, 255}


def test_a_single_point_is_a_disc() -> None:
    image = Image.new("L", (40, 40))

    draw_strokes(image, [HORIZONTAL[:1]], width=10)

    assert (np.asarray(image) > 0).sum() == pytest.approx(np.pi * 5.5**2, rel=0.05)


def test_a_widened_line_has_the_width_of_the_pen_and_smooth_edges() -> None:
    line = np.zeros((40, 40), dtype=np.bool_)
    line[20, 10:30] = True

    ink = np.asarray(widen_line(line, width=7)) / 255

    assert ink[:, 20].sum() == pytest.approx(7, abs=0.1)
    assert ((ink > 0) & (ink < 1)).any()

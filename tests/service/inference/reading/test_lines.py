"""Marks are put into lines, and into reading order."""

import numpy as np
import pytest

from service.inference.preprocessing.marks import Box, Mark
from service.inference.reading.lines import find_lines


def _row(*, top: int, count: int, slope: float = 0.0) -> list[Mark]:
    """Return marks of 20 x 40 pixels, 30 pixels apart."""
    return [
        Mark(Box(30 * n, top + round(slope * 30 * n), 30 * n + 20, top + round(slope * 30 * n) + 40), (n,))
        for n in range(count)
    ]


@pytest.mark.parametrize("slope", [0.0, 0.3, -0.3], ids=["level", "falling", "rising"])
def test_lines_are_in_reading_order_however_they_slope(slope: float) -> None:
    lines = [_row(top=300, count=8, slope=slope), _row(top=360, count=5, slope=slope)]
    shuffled = np.random.default_rng(0).permutation(13)
    marks = [(lines[0] + lines[1])[number] for number in shuffled]

    assert find_lines(marks) == lines


def test_a_low_mark_beside_high_ones_is_in_their_line() -> None:
    high, low = _row(top=100, count=3), Mark(Box(95, 125, 110, 140), (9,))
    assert find_lines([low, *high]) == [[*high, low]]


def test_no_marks_are_no_lines() -> None:
    assert find_lines([]) == []

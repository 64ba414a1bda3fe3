"""Connected ink becomes one mark for each digit, or for several that touch."""

import numpy as np
import numpy.typing as npt
import pytest

from service.inference.preprocessing.marks import Box, find_marks

Ink = npt.NDArray[np.float32]


def _ink(*boxes: tuple[int, int, int, int], level: float = 255.0) -> Ink:
    """Return a page of 200 x 200 pixels with rectangles of ink: left, top, right, bottom."""
    ink = np.zeros((200, 200), dtype=np.float32)
    for left, top, right, bottom in boxes:
        ink[top:bottom, left:right] = level
    return ink


def _boxes(ink: Ink) -> list[Box]:
    return sorted((mark.box for mark in find_marks(ink).marks), key=lambda box: (box.left, box.top))


def test_marks_have_the_boxes_and_the_labels_of_their_ink() -> None:
    marked = find_marks(_ink((20, 50, 50, 100), (80, 55, 90, 102)))

    assert {mark.box for mark in marked.marks} == {Box(20, 50, 50, 100), Box(80, 55, 90, 102)}
    for mark in marked.marks:
        rows, columns = np.nonzero(np.isin(marked.labels, mark.labels))
        assert Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == mark.box
    assert marked.typical_height == pytest.approx(48.5)


def test_ink_that_touches_at_a_corner_is_connected() -> None:
    assert _boxes(_ink((20, 20, 40, 60), (40, 60, 50, 90))) == [Box(20, 20, 50, 90)]


@pytest.mark.parametrize(
    ("parts", "count"),
    [
        ([(20, 50, 50, 100), (48, 40, 80, 48)], 2),  # only a corner is above the other
        ([(20, 60, 50, 110), (25, 45, 60, 53)], 1),  # the loose bar of a 5
        ([(20, 50, 50, 75), (22, 78, 52, 105)], 1),  # the two loops of an 8
        ([(20, 50, 50, 100), (60, 50, 90, 100)], 2),  # side by side
        ([(20, 20, 50, 70), (20, 80, 50, 130)], 2),  # one below the other
    ],
    ids=["beside and above", "bar", "loops", "side by side", "two lines"],
)
def test_parts_of_one_digit_are_one_mark(parts: list[tuple[int, int, int, int]], count: int) -> None:
    # Three digits of usual height tell how high a digit is.
    others = [(100, 50, 110, 102), (130, 48, 140, 100), (160, 50, 170, 100)]
    assert len(_boxes(_ink(*parts, *others))) == count + len(others)


def test_a_part_that_joins_two_others_merges_all_three() -> None:
    parts, other = [(20, 50, 40, 70), (44, 50, 64, 70), (22, 73, 62, 95)], (100, 50, 130, 95)
    assert _boxes(_ink(*parts, other)) == [Box(20, 50, 64, 95), Box(*other)]


def test_specks_are_no_marks_but_pieces_of_a_stroke_belong_to_it() -> None:
    digit, piece, speck = (20, 50, 50, 100), (30, 102, 36, 107), (150, 20, 156, 26)
    assert _boxes(_ink(digit, piece, speck)) == [Box(20, 50, 50, 107)]


def test_faint_ink_is_no_mark() -> None:
    ink = np.maximum(_ink((20, 50, 50, 100)), _ink((100, 50, 130, 100), level=40.0))
    assert _boxes(ink) == [Box(20, 50, 50, 100)]


def test_any_number_of_specks_is_looked_at_quickly() -> None:
    ink = _ink((60, 20, 140, 180))
    ink[::2, ::2][:, :20] = 255
    assert _boxes(ink) == [Box(60, 20, 140, 180)]


def test_a_small_strong_mark_is_found_among_any_number_of_faint_ones() -> None:
    ink = np.zeros((300, 300), dtype=np.float32)
    for top in range(0, 288, 12):
        for left in range(0, 288, 12):
            ink[top : top + 8, left : left + 8] = 30
    ink[290:295, 290:293] = 255
    assert _boxes(ink) == [Box(290, 290, 293, 295)]


@pytest.mark.parametrize("gap", [3, 8, 20])
def test_digits_of_two_close_lines_are_marks_of_their_own(gap: int) -> None:
    lines = [(left, top, left + 25, top + 50) for left in (20, 60, 100) for top in (20, 70 + gap)]
    assert len(_boxes(_ink(*lines))) == len(lines)


def test_the_loops_of_an_8_that_is_alone_are_one_mark() -> None:
    assert _boxes(_ink((20, 20, 60, 60), (20, 63, 60, 103))) == [Box(20, 20, 60, 103)]

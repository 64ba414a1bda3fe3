"""Puts marks into lines and reading order."""

from collections.abc import Sequence

from service.inference.preprocessing.marks import Mark

# Marks of one line share at least this part of the height of the lower one.
_SHARED_HEIGHT = 0.5


def find_lines(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Return the lines from top to bottom, each from left to right.

    Each mark is linked to the nearest one on its right that is beside it. So a line can slope, and its marks
    can be of different heights.

    Args:
        marks: In any order.
    """
    ordered = sorted(marks, key=_centre)
    line_of = list(range(len(ordered)))
    for number, mark in enumerate(ordered):
        beside = [other for other in range(number + 1, len(ordered)) if _is_beside(mark, ordered[other])]
        if beside:
            nearest = min(beside, key=lambda other: ordered[other].box.left - mark.box.right)
            old, new = line_of[nearest], line_of[number]
            line_of = [new if line == old else line for line in line_of]
    lines = [
        [mark for mark, line in zip(ordered, line_of, strict=True) if line == name]
        for name in dict.fromkeys(line_of)
    ]
    return sorted(lines, key=lambda line: sum(m.box.top + m.box.bottom for m in line) / len(line))


def _centre(mark: Mark) -> int:
    return mark.box.left + mark.box.right


def _is_beside(mark: Mark, other: Mark) -> bool:
    lower = min(mark.box.height, other.box.height)
    return mark.box.shared_height(other.box) >= _SHARED_HEIGHT * lower

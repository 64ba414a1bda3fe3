"""Marks digits as unsure whose boxes show that they were cut out wrongly."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from service.inference.reading.reading import ReadDigit

Lines = tuple[tuple[ReadDigit, ...], ...]

# A digit that is so many times as high as most of the others is perhaps two, of lines that touch.
_MAX_HEIGHT = 1.6
# Digits whose boxes share more than this part of the narrower one's width are perhaps parts of one.
_MAX_OVERLAP = 0.4


def doubt_boxes(lines: Lines) -> Lines:
    """Mark digits as unsure that are much higher than the others, or whose boxes overlap.

    Args:
        lines: The digits of each line from left to right.
    """
    heights = [digit.box[3] for line in lines for digit in line]
    highest = _MAX_HEIGHT * median(heights) if len(heights) > 2 else float("inf")
    return tuple(
        tuple(
            replace(digit, unsure=digit.unsure or digit.box[3] > highest or _overlaps(line, number))
            for number, digit in enumerate(line)
        )
        for line in lines
    )


def _overlaps(line: Sequence[ReadDigit], number: int) -> bool:
    """Return whether a digit shares too much of its width with a neighbour that is beside it."""
    left, top, width, height = line[number].box
    for other in (*line[max(number - 1, 0) : number], *line[number + 1 : number + 2]):
        x, y, across, down = other.box
        rows = min(top + height, y + down) - max(top, y)
        columns = min(left + width, x + across) - max(left, x)
        if rows > min(height, down) / 2 and columns > _MAX_OVERLAP * min(width, across):
            return True
    return False

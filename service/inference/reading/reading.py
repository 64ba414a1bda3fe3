"""Defines a reading: the digits of a picture in lines."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadDigit:
    """One digit of a picture.

    Attributes:
        label: The most probable label.
        score: Its softmax probability, 0 to 1.
        unsure: Whether the score is below the card's ``unsure_below``, or the box is unlike that of a digit.
        box: x and y of the upper left corner, width and height, in pixels of the upright picture.
    """

    label: str
    score: float
    unsure: bool
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Reading:
    """What a model reads in a picture.

    Attributes:
        model: Name of the model.
        version: Version of the model.
        lines: The digits of each line from left to right; lines from top to bottom.
    """

    model: str
    version: int
    lines: tuple[tuple[ReadDigit, ...], ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The labels of each line."""
        return tuple("".join(digit.label for digit in line) for line in self.lines)

    @property
    def text(self) -> str:
        """The labels of all lines, with line breaks between lines."""
        return "\n".join(self.texts)

    @property
    def digits(self) -> tuple[ReadDigit, ...]:
        """The digits of all lines in reading order."""
        return tuple(digit for line in self.lines for digit in line)

    @property
    def unsure(self) -> bool:
        """Whether a digit is unsure."""
        return any(digit.unsure for digit in self.digits)

    @property
    def is_legible(self) -> bool:
        """Whether at most half of the digits are unsure; scribbles and patterns have more."""
        return 2 * sum(digit.unsure for digit in self.digits) <= len(self.digits)


def split_lines(digits: Sequence[ReadDigit], texts: Sequence[str]) -> tuple[tuple[ReadDigit, ...], ...]:
    """Divide the digits of a picture into its lines.

    Args:
        digits: In reading order.
        texts: The labels of each line.

    Raises:
        ValueError: The labels of the lines are not those of the digits.
    """
    lines, rest = [], list(digits)
    for text in texts:
        line: list[ReadDigit] = []
        while rest and len("".join(digit.label for digit in line)) < len(text):
            line.append(rest.pop(0))
        if "".join(digit.label for digit in line) != text:
            raise ValueError(f"no digits are left for the line {text!r}")
        lines.append(tuple(line))
    if rest:
        raise ValueError(f"{len(rest)} digits are in no line")
    return tuple(lines)

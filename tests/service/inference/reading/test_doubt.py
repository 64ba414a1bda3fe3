"""Digits whose boxes are unlike those of digits are unsure."""

from service.inference.reading.doubt import doubt_boxes
from service.inference.reading.reading import ReadDigit


def _digits(*boxes: tuple[int, int, int, int]) -> tuple[ReadDigit, ...]:
    return tuple(ReadDigit("1", 0.999, False, box) for box in boxes)


def _unsure(*lines: tuple[ReadDigit, ...]) -> list[list[bool]]:
    return [[digit.unsure for digit in line] for line in doubt_boxes(lines)]


def test_digits_of_about_one_height_beside_each_other_are_sure() -> None:
    line = _digits((0, 10, 20, 40), (22, 0, 18, 50), (35, 5, 25, 45))
    assert _unsure(line, line) == [[False] * 3] * 2


def test_a_digit_as_high_as_two_lines_is_unsure() -> None:
    assert _unsure(_digits((0, 0, 20, 90), (30, 0, 20, 40), (60, 0, 20, 42))) == [[True, False, False]]
    # Of two digits, either can have the usual height.
    assert _unsure(_digits((0, 0, 20, 90), (30, 0, 20, 40))) == [[False, False]]


def test_digits_over_each_other_are_unsure() -> None:
    over = _digits((0, 0, 20, 40), (10, 5, 20, 40), (60, 0, 20, 40))
    assert _unsure(over) == [[True, True, False]]
    above = _digits((0, 0, 20, 40), (10, 35, 20, 40))
    assert _unsure(above) == [[False, False]]


def test_an_unsure_digit_stays_so() -> None:
    (digit,) = _digits((0, 0, 20, 40))
    unsure = ReadDigit(digit.label, 0.4, True, digit.box)
    assert _unsure((unsure,)) == [[True]]

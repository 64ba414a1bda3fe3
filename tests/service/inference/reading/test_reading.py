"""Tests what a reading says about its digits."""

import pytest

from service.inference.reading.reading import ReadDigit, Reading


@pytest.mark.parametrize(("unsure", "is_legible"), [("", True), ("x", False), ("-x", True), ("x-x", False)])
def test_a_reading_of_mostly_unsure_digits_is_not_legible(unsure: str, is_legible: bool) -> None:
    digits = tuple(ReadDigit("1", 0.5, mark == "x", (0, 0, 1, 1)) for mark in unsure)
    reading = Reading("mnist", 2, (digits,))
    assert (reading.is_legible, reading.unsure) == (is_legible, "x" in unsure)

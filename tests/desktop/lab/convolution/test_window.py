"""Tests the sizes of sliding windows."""

import pytest

from desktop.lab.convolution.window import Field, SlidingWindow, WindowTooLarge, receptive_field


@pytest.mark.parametrize(
    ("window", "formula"),
    [
        (SlidingWindow(input_size=28, size=3), "(28 − 3 + 2 · 0) / 1 + 1 = 26"),
        (SlidingWindow(input_size=28, size=5, padding=2, stride=1), "(28 − 5 + 2 · 2) / 1 + 1 = 28"),
        (SlidingWindow(input_size=7, size=3, stride=2), "(7 − 3 + 2 · 0) / 2 + 1 = 3"),
        (SlidingWindow(input_size=28, size=3, stride=2), "⌊(28 − 3 + 2 · 0) / 2⌋ + 1 = 13"),
        (SlidingWindow(input_size=28, size=3, dilation=2), "(28 − 5 + 2 · 0) / 1 + 1 = 24"),
        (SlidingWindow(input_size=227, size=11, stride=4), "(227 − 11 + 2 · 0) / 4 + 1 = 55"),
    ],
)
def test_the_formula_shows_its_numbers(window: SlidingWindow, formula: str) -> None:
    assert window.formula() == formula


def test_dilation_widens_the_window() -> None:
    window = SlidingWindow(input_size=28, size=3, dilation=4)
    assert window.extent_formula() == "4 · (3 − 1) + 1 = 9"
    assert receptive_field([window], 2, 5) == Field(2, 5, 9)


def test_a_dilated_window_may_be_too_large() -> None:
    SlidingWindow(input_size=5, size=3, dilation=2).check()
    with pytest.raises(WindowTooLarge, match="7 × 7 does not fit on 5 × 5"):
        SlidingWindow(input_size=5, size=3, dilation=3).check()


def test_the_field_of_several_windows() -> None:
    # Convolution 3, pooling 2, convolution 3, pooling 2, convolution 3: each value sees 18 pixels.
    sizes = ((28, 3, 1), (26, 2, 2), (13, 3, 1), (11, 2, 2), (5, 3, 1))
    windows = [SlidingWindow(input_size=side, size=size, stride=stride) for side, size, stride in sizes]
    assert windows[-1].output_size == 3
    assert receptive_field(windows, 0, 0) == Field(0, 0, 18)
    assert receptive_field(windows, 2, 1) == Field(8, 4, 18)

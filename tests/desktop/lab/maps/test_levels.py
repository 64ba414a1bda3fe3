"""Tests the colours of values."""

import numpy as np

from desktop.lab.maps.levels import is_signed, to_pixels


def test_values_without_a_sign_are_grey_levels() -> None:
    assert to_pixels(np.array([[0, 100, 255]], dtype=np.float32)).tolist() == [[0, 100, 255]]
    assert to_pixels(np.array([[0, 2, 4]], dtype=np.float32)).tolist() == [[0, 128, 255]]
    assert to_pixels(np.array([[0, 2, 9]], dtype=np.float32), scale=4).tolist() == [[0, 128, 255]]
    assert to_pixels(np.zeros((1, 2), dtype=np.float32)).tolist() == [[0, 0]]
    assert to_pixels(np.array([[-1e-5, 1e-5]], dtype=np.float32)).tolist() == [[0, 3]]


def test_negative_values_are_blue_zero_grey_and_positive_orange() -> None:
    values = np.array([[-10, -5, 0, 5, 10]], dtype=np.float32)
    assert is_signed(values)
    colors = to_pixels(values)[0].astype(int)
    assert colors.shape == (5, 3)
    assert colors[0, 2] > colors[1, 2] > colors[2, 2]
    assert colors[4, 0] > colors[3, 0] > colors[2, 0]
    assert np.ptp(colors[2]) <= 12
    assert colors[0, 2] > colors[0, 0] + 100
    assert colors[4, 0] > colors[4, 2] + 100

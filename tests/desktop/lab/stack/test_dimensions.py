"""Tests convolutions in one and three dimensions against SciPy."""

import numpy as np
import pytest
from scipy import ndimage, signal

from desktop.lab.convolution.window import WindowTooLarge
from desktop.lab.stack.dimensions import (
    ClipKernel,
    CurveKernel,
    clip_kernel,
    convolve_curve,
    convolve_slices,
    curve_kernel,
    moving_clip,
    sound_curve,
    word_curve,
)


@pytest.mark.parametrize("size", [3, 5, 9])
@pytest.mark.parametrize("name", CurveKernel)
def test_curves_are_those_of_scipy(name: CurveKernel, size: int) -> None:
    curve, kernel = sound_curve(), curve_kernel(name, size)
    np.testing.assert_allclose(
        convolve_curve(curve, kernel), signal.correlate(curve, kernel, "valid"), atol=1e-5
    )
    full = signal.correlate(np.pad(curve, 2), kernel, "valid")[::2]
    np.testing.assert_allclose(convolve_curve(curve, kernel, stride=2, padding=2), full, atol=1e-5)


def test_curve_kernels_do_what_their_names_say() -> None:
    line = np.arange(20, dtype=np.float32) * 3 + 1
    np.testing.assert_allclose(convolve_curve(line, curve_kernel(CurveKernel.DIFFERENCE, 5)), 3, atol=1e-5)
    np.testing.assert_allclose(convolve_curve(line, curve_kernel(CurveKernel.PEAK, 5)), 0, atol=1e-5)
    for name in (CurveKernel.MEAN, CurveKernel.GAUSSIAN):
        np.testing.assert_allclose(convolve_curve(line, curve_kernel(name, 5)), line[2:-2], atol=1e-4)
    with pytest.raises(WindowTooLarge):
        convolve_curve(word_curve("ab"), curve_kernel(CurveKernel.MEAN, 3))


def test_words_are_numbers() -> None:
    assert word_curve("aZ b!é").tolist() == [1, 26, 0, 2, 0, 0]


@pytest.mark.parametrize("name", ClipKernel)
def test_slices_are_those_of_scipy(name: ClipKernel) -> None:
    slices = np.random.default_rng(1).normal(size=(6, 9, 8)).astype(np.float32)
    expected = ndimage.correlate(slices, clip_kernel(name), mode="constant")[1:-1, 1:-1, 1:-1]
    np.testing.assert_allclose(convolve_slices(slices, clip_kernel(name)), expected, atol=1e-5)


def test_a_clip_moves_and_its_middle_is_the_image() -> None:
    image = np.random.default_rng(2).random((6, 10)).astype(np.float32)
    clip = moving_clip(image, count=5, step=2)
    np.testing.assert_array_equal(clip[2], image)
    np.testing.assert_array_equal(clip[3, :, 2:], image[:, :-2])
    np.testing.assert_array_equal(clip[0, :, :6], image[:, 4:])
    assert (clip[4, :, :4] == 0).all()

"""Computes convolutions in one dimension (a curve) and in three (slices)."""

from enum import Enum

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from desktop.lab.convolution.window import SlidingWindow

Values = npt.NDArray[np.float32]

_SOUND_SAMPLES, _LOW_TONE, _HIGH_TONE = 120, 3, 27
_A = ord("a")


class CurveKernel(Enum):
    """Kernels of the convolution of a curve."""

    MEAN = "mean"
    GAUSSIAN = "gaussian"
    DIFFERENCE = "difference"
    PEAK = "peak"


class ClipKernel(Enum):
    """Kernels of 3 × 3 × 3 for the convolution of slices."""

    BLUR = "blur"
    TIME_MEAN = "mean over time"
    TIME_DIFFERENCE = "difference over time"
    EDGES = "edges in each slice"


def curve_kernel(name: CurveKernel, size: int) -> Values:
    """Return a kernel of an odd size, float32 (size,)."""
    binomial = np.ones(1)
    for _ in range(size - 1):
        binomial = np.convolve(binomial, (0.5, 0.5))
    place = np.arange(size) - size // 2
    kernels = {
        CurveKernel.MEAN: np.full(size, 1 / size),
        CurveKernel.GAUSSIAN: binomial,
        # The mean slope over the window, by least squares.
        CurveKernel.DIFFERENCE: place / max(int((place**2).sum()), 1),
        CurveKernel.PEAK: (place == 0) - 1 / size,
    }
    return np.asarray(kernels[name], dtype=np.float32)


def convolve_curve(curve: Values, kernel: Values, *, stride: int = 1, padding: int = 0) -> Values:
    """Convolve a curve as neural networks do, without flipping the kernel.

    Args:
        curve: float32 (length,).
        kernel: float32 (size,).
        stride: Distance between two positions of the kernel.
        padding: Zeros at each end.

    Returns:
        float32 (length,).

    Raises:
        WindowTooLarge: The kernel is longer than the padded curve.
    """
    SlidingWindow(input_size=len(curve), size=len(kernel), padding=padding, stride=stride).check()
    windows = sliding_window_view(np.pad(curve, padding), len(kernel))[::stride]
    values: Values = (windows @ kernel).astype(np.float32)
    return values


def clip_kernel(name: ClipKernel) -> Values:
    """Return a kernel, float32 (3, 3, 3): time, rows, columns."""
    kernel = np.zeros((3, 3, 3), dtype=np.float32)
    if name is ClipKernel.BLUR:
        kernel[:] = 1 / 27
    elif name is ClipKernel.TIME_MEAN:
        kernel[:, 1, 1] = 1 / 3
    elif name is ClipKernel.TIME_DIFFERENCE:
        kernel[:, 1, 1] = (-1, 0, 1)
    else:
        kernel[1] = ((0, 1, 0), (1, -4, 1), (0, 1, 0))
    return kernel


def convolve_slices(slices: Values, kernel: Values) -> Values:
    """Convolve a stack of slices in three dimensions, without padding.

    Args:
        slices: float32 (time, height, width).
        kernel: float32 (time, rows, columns).

    Returns:
        float32; each side shorter by that of the kernel less 1.
    """
    windows = sliding_window_view(slices, kernel.shape)
    values: Values = np.einsum("tijabc,abc->tij", windows, kernel, optimize=True)
    return values


def moving_clip(image: Values, *, count: int, step: int) -> Values:
    """Return slices in which an image moves to the right and leaves zeros behind.

    Args:
        image: float32 (height, width).
        count: Number of slices.
        step: Pixels between two slices.

    Returns:
        float32 (count, height, width); the middle slice is the image.
    """
    slices = np.zeros((count, *image.shape), dtype=np.float32)
    width = image.shape[1]
    for place in range(count):
        shift = (place - count // 2) * step
        source = image[:, max(-shift, 0) : width - max(shift, 0)]
        slices[place, :, max(shift, 0) : max(shift, 0) + source.shape[1]] = source
    return slices


def sound_curve() -> Values:
    """Return a deep tone with a high one over it, float32 (120,), between -1 and 1."""
    time = np.arange(_SOUND_SAMPLES) / _SOUND_SAMPLES * 2 * np.pi
    return (0.7 * np.sin(_LOW_TONE * time) + 0.3 * np.sin(_HIGH_TONE * time)).astype(np.float32)


def word_curve(word: str) -> Values:
    """Return a word as numbers, float32: a is 1, z is 26, anything else is 0."""
    codes = [ord(letter) - _A + 1 for letter in word.lower()]
    return np.array([code if 1 <= code <= 26 else 0 for code in codes], dtype=np.float32)

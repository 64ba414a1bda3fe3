"""Owns turning heat maps, feature maps and filters into pictures for people."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.explain import Maps
from service.inference.predictor import Array

_SMALLEST_SIDE = 280
_GAP = 2
# From cold to hot, each step lighter than the one before it, so that it reads in grey as well.
_COLORS = np.array(
    [(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], dtype=np.float32
)
_PICTURE_SHARE = 0.45


def heat_overlay(pixels: Array, heat: Maps) -> Image.Image:
    """Lay a heat map over the picture that the network saw.

    Args:
        pixels: uint8 (height, width) or (height, width, 3).
        heat: float32 (rows, columns); what is negative stays cold.

    Returns:
        An RGB picture of the same shape, enlarged to 280 pixels or more a side.
    """
    picture = Image.fromarray(pixels).convert("RGB")
    size = _enlarged(picture.size)
    warmth = np.asarray(Image.fromarray(np.maximum(heat, 0)).resize(size, Image.Resampling.BICUBIC))
    colors = _colored(np.clip(warmth / max(float(warmth.max()), 1e-9), 0, 1))
    below = np.asarray(picture.resize(size, Image.Resampling.NEAREST), dtype=np.float32)
    return Image.fromarray(np.rint(below * _PICTURE_SHARE + colors * (1 - _PICTURE_SHARE)).astype(np.uint8))


def map_sheet(maps: Maps) -> Image.Image:
    """Arrange the channels of a layer on one sheet, each stretched to the full range of grey.

    Args:
        maps: float32 (height, width, channels).

    Returns:
        A grey picture, channels in reading order, enlarged to 280 pixels or more a side.
    """
    height, width, count = maps.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP), dtype=np.uint8)
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    levels = np.rint((maps - low) / np.maximum(high - low, 1e-9) * 255).astype(np.uint8)
    for index in range(count):
        top, left = index // columns * (height + _GAP), index % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = levels[:, :, index]
    picture = Image.fromarray(sheet)
    return picture.resize(_enlarged(picture.size), Image.Resampling.NEAREST)


def _enlarged(size: tuple[int, int]) -> tuple[int, int]:
    factor = max(1, math.ceil(_SMALLEST_SIDE / min(size)))
    return size[0] * factor, size[1] * factor


def _colored(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Map values (height, width), 0 to 1, to colours (height, width, 3), 0 to 255."""
    places = np.linspace(0, 1, len(_COLORS))
    return np.stack([np.interp(values, places, channel) for channel in _COLORS.T], axis=-1).astype(np.float32)

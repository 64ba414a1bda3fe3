"""Renders heat maps, feature maps and filters as pictures."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.explain import Maps
from service.inference.predictor import Array

_MIN_SIDE = 280
_GAP = 2
# From cold to hot. Each colour is lighter than the one before, so that it is also readable in grey.
_COLORS = np.array(
    [(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], dtype=np.float32
)
_PICTURE_SHARE = 0.45


def heat_overlay(pixels: Array, heat: Maps) -> Image.Image:
    """Draw a heat map over a prepared picture.

    Args:
        pixels: uint8 (height, width) or (height, width, 3).
        heat: float32 (rows, columns); negative values have the coldest colour.

    Returns:
        An RGB image, enlarged by an integer factor to at least 280 pixels on each side.
    """
    picture = Image.fromarray(pixels).convert("RGB")
    size = _enlarged_size(picture.size)
    positive = np.asarray(Image.fromarray(np.maximum(heat, 0)).resize(size, Image.Resampling.BICUBIC))
    colors = _apply_colors(np.clip(positive / max(float(positive.max()), 1e-9), 0, 1))
    below = np.asarray(picture.resize(size, Image.Resampling.NEAREST), dtype=np.float32)
    return Image.fromarray(np.rint(below * _PICTURE_SHARE + colors * (1 - _PICTURE_SHARE)).astype(np.uint8))


def map_sheet(maps: Maps) -> Image.Image:
    """Arrange the channels of a layer in a grid, each stretched to the full range of grey.

    Args:
        maps: float32 (height, width, channels).

    Returns:
        A grey image, channels in reading order, enlarged by an integer factor to at least 280 pixels on
        each side.
    """
    return _sheet(np.moveaxis(_levels(maps), 2, 0))


def filter_sheet(filters: Maps) -> Image.Image:
    """Arrange the filters of a layer in a grid; middle grey is a weight of zero.

    Args:
        filters: float32 (height, width, channels, filters) with 1 or 3 channels.

    Returns:
        A grey image, or an RGB image for three channels: filters in reading order, each scaled by its largest
        weight, enlarged by an integer factor to at least 280 pixels on each side.
    """
    largest = np.abs(filters).max(axis=(0, 1, 2))
    levels = np.rint((filters / np.maximum(largest, 1e-9) + 1) * 127.5).astype(np.uint8)
    tiles = np.moveaxis(levels, 3, 0)
    return _sheet(tiles[..., 0] if tiles.shape[3] == 1 else tiles)


def _sheet(tiles: npt.NDArray[np.uint8]) -> Image.Image:
    """Arrange tiles (n, height, width) or (n, height, width, 3) in a grid with black lines between them."""
    count, height, width, *channels = tiles.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    size = (rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP)
    sheet = np.zeros((*size, *channels), dtype=np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + _GAP), index % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = tile
    picture = Image.fromarray(sheet)
    return picture.resize(_enlarged_size(picture.size), Image.Resampling.NEAREST)


def map_rows(layers: Sequence[Maps], *, count: int) -> Image.Image:
    """Arrange the first channels of several layers: a row for each layer, one below the other, without gaps.

    Args:
        layers: float32 (height, width, channels) for each layer, at least one.
        count: Largest number of channels of a layer, from 1.

    Returns:
        A grey image. Each channel has its own size, and is stretched to the full range of grey.
    """
    rows = [_levels(maps[..., :count]) for maps in layers]
    strips = [row.transpose(0, 2, 1).reshape(len(row), -1) for row in rows]
    width = max(strip.shape[1] for strip in strips)
    return Image.fromarray(np.concatenate([np.pad(s, ((0, 0), (0, width - s.shape[1]))) for s in strips]))


def _levels(maps: Maps) -> npt.NDArray[np.uint8]:
    """Stretch each channel of (height, width, channels) to 0 to 255; one without differences becomes 0."""
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    levels: npt.NDArray[np.uint8] = np.rint((maps - low) / np.maximum(high - low, 1e-9) * 255).astype(
        np.uint8
    )
    return levels


def _enlarged_size(size: tuple[int, int]) -> tuple[int, int]:
    factor = max(1, math.ceil(_MIN_SIDE / min(size)))
    return size[0] * factor, size[1] * factor


def _apply_colors(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Map values (height, width), 0 to 1, to colours (height, width, 3), 0 to 255."""
    positions = np.linspace(0, 1, len(_COLORS))
    return np.stack([np.interp(values, positions, channel) for channel in _COLORS.T], axis=-1).astype(
        np.float32
    )
